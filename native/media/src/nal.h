// What H.264 and HEVC packets say about themselves, beyond the container's flags.
#ifndef KM_NAL_H
#define KM_NAL_H

#include <libavcodec/avcodec.h>

typedef struct {
  enum AVCodecID codec;
  int length_bytes;  // size of the length before each unit; 0: start codes
} km_nal_format;

// The format of a stream's packets, from its configuration record. Codecs other than the two are allowed.
km_nal_format km_nal_format_of(const AVCodecParameters *parameters);
// Whether the picture refers to no other, so that decoding can begin with it. Containers flag pictures of gradual intra
// refresh as keyframes too; frames after those are not exact for a while.
int km_nal_is_intra(const km_nal_format *format, const uint8_t *data, int size);
// HEVC's temporal layer of the picture; 0 for other codecs.
int km_nal_layer(const km_nal_format *format, const uint8_t *data, int size);

#endif
