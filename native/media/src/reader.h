// An open video, shared between opening (reader.c) and reading (read.c).
#ifndef KM_READER_H
#define KM_READER_H

#include "convert.h"
#include "packets.h"

typedef struct {
  int32_t frame;
  int32_t slot;  // where the caller wants it first
  uint8_t delivered;
} km_wanted;

// One request for frames, worked off step by step.
typedef struct {
  km_wanted *wanted;  // distinct, by frame
  int32_t wanted_count;
  int32_t *targets;   // the wanted frames' packets, ascending
  int32_t target_count;
  int32_t target;     // the next of them to reach
  int32_t next;       // the packet that continues what the decoder has seen; -1: any may come
  int32_t sent;       // the packet handed over last
  int32_t counted;    // frames since the start of the stream, for counted streams
  int32_t sound;      // so many of them came before any failure
  int draining;       // the decoder was told that nothing follows
  int from_start;     // second attempt: everything from the first packet
  int errors;         // of the decoder, since the last packet
  int64_t budget_ns;  // what is left of the deadline; 0 = no deadline
  uint8_t *failed;    // for each packet: the decoder refused it, or gave a frame with errors
  km_read_statistics statistics;
} km_reading;

struct km_reader {
  km_reader_options options;
  km_watch watch;  // of the call in progress
  km_bytes bytes;
  km_demuxer demuxer;
  km_index index;
  km_packets packets;
  AVCodecContext *decoder;
  km_converter converter;
  AVFrame *frame;
  AVPacket *packet;
  km_reading reading;
  AVRational time_base;
  double frames_per_second;
  double duration_seconds;
  int width, height;  // of coded frames, before rotation
  int rotation;       // degrees clockwise
};

// Whether delivered frames have width and height exchanged.
int km_reader_is_sideways(const km_reader *reader);
void km_reading_free(km_reader *reader);

#endif
