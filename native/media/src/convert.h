// Decoded frames to RGB24, upright.
#ifndef KM_CONVERT_H
#define KM_CONVERT_H

#include <libavutil/frame.h>
#include <libswscale/swscale.h>
#include "status.h"

typedef struct {
  struct SwsContext *scaler;
  int width, height, format, space, range;  // of the frames that the scaler is for
  int out_width, out_height;
  uint8_t *scratch;
  size_t scratch_bytes;
} km_converter;

// Writes height*width*3 bytes. width and height are those of the upright picture; rotation is in degrees clockwise.
// Returns 0 or a negative AVERROR.
int km_convert(km_converter *converter, const AVFrame *frame, km_color color, int rotation, int width, int height, uint8_t *rgb);
void km_convert_free(km_converter *converter);

#endif
