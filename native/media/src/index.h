// The frame index: every packet of the video stream, and which frame it becomes.
#ifndef KM_INDEX_H
#define KM_INDEX_H

#include <libavcodec/avcodec.h>
#include "demux.h"

typedef struct {
  AVPacket *packet;  // null when the packets are read again instead
  int64_t pts;
  int64_t dts;
  int64_t position;  // in the file; with the size it identifies a packet after a seek
  int32_t size;
  int32_t frame;     // index in presentation order; -1: decoded for others, never shown
  int32_t start;     // the packet at which decoding must begin for this one to come out right
  uint8_t key;       // as the container says
  uint8_t intra;     // decoding can begin here
  uint8_t placeholder;  // MPEG-4: stands for a dropped picture
  uint8_t layer;     // HEVC's temporal layer
} km_entry;

// Decoder configuration that changes inside the stream, and the packet from which it holds.
typedef struct {
  int32_t packet;
  uint8_t *data;
  size_t size;
} km_configuration;

typedef struct {
  km_entry *entries;  // packets in decoding order
  int32_t count;
  int32_t *packets;   // for each frame, its packet
  int32_t frame_count;
  int32_t key_count;
  int32_t reorder_depth;  // most packets that are decoded before a packet and shown after it
  int32_t top_layer;      // highest temporal layer
  int counted;            // no usable timestamps: frame i is the i-th that the decoder gives
  int cached;
  km_configuration *configurations;
  int32_t configuration_count;
} km_index;

// Reads the whole stream once and puts the frames in order.
int32_t km_index_build(km_index *index, km_demuxer *demuxer, const km_reader_options *options, const km_watch *watch, km_error *error);
// Puts the frames in order again, after entries were hidden by setting their frame to -1.
int32_t km_index_arrange(km_index *index, enum AVCodecID codec, km_error *error);
void km_index_free(km_index *index);
// Presentation time in seconds; counted frames get their number through the rate.
double km_index_seconds(const km_index *index, int32_t frame, AVRational time_base, double frames_per_second);

#endif
