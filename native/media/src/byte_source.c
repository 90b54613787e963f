#include "byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 16 };

void km_bytes_init(km_bytes *bytes, const km_watch *watch) {
  *bytes = (km_bytes){.descriptor = -1, .watch = watch};
}

int32_t km_bytes_open_file(km_bytes *bytes, const char *path, km_error *error) {
  // O_NONBLOCK: opening a named pipe without a writer would wait for ever.
  bytes->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (bytes->descriptor < 0) return km_fail(error, KM_OPEN, "opening: %s", strerror(errno));
  struct stat status;
  if (fstat(bytes->descriptor, &status) < 0) return km_fail(error, KM_OPEN, "opening: %s", strerror(errno));
  if (!S_ISREG(status.st_mode)) {
    const char *found = S_ISDIR(status.st_mode) ? "a directory" : S_ISFIFO(status.st_mode) ? "a named pipe" : "something else";
    return km_fail(error, KM_OPEN, "opening: expected a regular file, found %s", found);
  }
  bytes->size = status.st_size;
  return KM_OK;
}

void km_bytes_open_memory(km_bytes *bytes, const uint8_t *memory, int64_t size) {
  bytes->memory = memory;
  bytes->size = size;
}

void km_bytes_close(km_bytes *bytes) {
  if (bytes->descriptor >= 0) close(bytes->descriptor);
  bytes->descriptor = -1;
}

static int read_bytes(void *opaque, uint8_t *buffer, int count) {
  km_bytes *bytes = opaque;
  if (km_watch_check(bytes->watch) != KM_OK) return AVERROR_EXIT;
  if (bytes->memory) {
    int64_t left = bytes->size - bytes->position;
    if (left <= 0) return AVERROR_EOF;
    if (count > left) count = (int)left;
    memcpy(buffer, bytes->memory + bytes->position, count);
    bytes->position += count;
    return count;
  }
  ssize_t got;
  do got = pread(bytes->descriptor, buffer, count, bytes->position);
  while (got < 0 && errno == EINTR);
  if (got < 0) return AVERROR(errno);
  if (got == 0) return AVERROR_EOF;
  bytes->position += got;
  return (int)got;
}

static int64_t seek_bytes(void *opaque, int64_t offset, int whence) {
  km_bytes *bytes = opaque;
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE: return bytes->size;
    case SEEK_SET: break;
    case SEEK_CUR: offset += bytes->position; break;
    case SEEK_END: offset += bytes->size; break;
    default: return AVERROR(EINVAL);
  }
  if (offset < 0 || offset > bytes->size) return AVERROR(EINVAL);
  return bytes->position = offset;
}

AVIOContext *km_bytes_io(km_bytes *bytes) {
  uint8_t *buffer = av_malloc(BUFFER_BYTES);
  AVIOContext *io = buffer ? avio_alloc_context(buffer, BUFFER_BYTES, 0, bytes, read_bytes, NULL, seek_bytes) : NULL;
  if (!io) av_free(buffer);
  bytes->position = 0;
  return io;
}

void km_bytes_io_free(AVIOContext **io) {
  if (!*io) return;
  av_freep(&(*io)->buffer);  // FFmpeg may have replaced the first buffer
  avio_context_free(io);
}
