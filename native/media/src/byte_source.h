// The only way in which FFmpeg reaches bytes: a regular file opened here, or memory.
#ifndef KM_BYTE_SOURCE_H
#define KM_BYTE_SOURCE_H

#include <libavformat/avio.h>
#include "status.h"

typedef struct {
  int descriptor;          // -1 for memory
  const uint8_t *memory;   // null for files
  int64_t size;
  int64_t position;
  const km_watch *watch;   // checked at every read, so that no demuxer can loop for ever
} km_bytes;

void km_bytes_init(km_bytes *bytes, const km_watch *watch);
int32_t km_bytes_open_file(km_bytes *bytes, const char *path, km_error *error);
void km_bytes_open_memory(km_bytes *bytes, const uint8_t *memory, int64_t size);
void km_bytes_close(km_bytes *bytes);

// A new AVIO context that reads from the start; null if out of memory. Free with km_bytes_io_free.
AVIOContext *km_bytes_io(km_bytes *bytes);
void km_bytes_io_free(AVIOContext **io);

#endif
