// The packets of the index, in any order: from memory, or read from the file again.
#ifndef KM_PACKETS_H
#define KM_PACKETS_H

#include "index.h"

typedef struct {
  km_demuxer *demuxer;
  km_bytes *bytes;
  const km_reader_options *options;
  km_watch *watch;
  const km_index *index;
  int32_t next;  // the packet that the demuxer delivers next; index->count after the last
} km_packets;

// Gives packet number `number` (a new reference). Cheap for cached packets and for the next one; otherwise seeks,
// and where the container's seek can't be trusted reads from the start.
int32_t km_packets_get(km_packets *packets, int32_t number, AVPacket *packet, km_error *error);

#endif
