#include "convert.h"

#include <libavutil/error.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <string.h>

void km_convert_free(km_converter *converter) {
  sws_freeContext(converter->scaler);
  av_freep(&converter->scratch);
  *converter = (km_converter){0};
}

// Which filter and matrix: decord scales with SWS_BILINEAR and follows the stream, OpenCV uses SWS_BICUBIC and never
// tells swscale the matrix, which then takes BT.601. The filter matters only where chroma is interpolated: odd
// heights and formats without a special converter.
static int prepare(km_converter *converter, const AVFrame *frame, km_color color, int out_width, int out_height) {
  int space = color == KM_COLOR_BT601 ? AVCOL_SPC_UNSPECIFIED : frame->colorspace;
  if (converter->scaler && converter->width == frame->width && converter->height == frame->height &&
      converter->format == frame->format && converter->space == space && converter->range == (int)frame->color_range &&
      converter->out_width == out_width && converter->out_height == out_height)
    return 0;
  sws_freeContext(converter->scaler);
  struct SwsContext *scaler = converter->scaler = sws_alloc_context();
  if (!scaler) return AVERROR(ENOMEM);
  av_opt_set_int(scaler, "srcw", frame->width, 0);
  av_opt_set_int(scaler, "srch", frame->height, 0);
  av_opt_set_int(scaler, "src_format", frame->format, 0);
  av_opt_set_int(scaler, "dstw", out_width, 0);
  av_opt_set_int(scaler, "dsth", out_height, 0);
  av_opt_set_int(scaler, "dst_format", AV_PIX_FMT_RGB24, 0);
  av_opt_set_int(scaler, "sws_flags", color == KM_COLOR_BT601 ? SWS_BICUBIC : SWS_BILINEAR, 0);
  int code = sws_init_context(scaler, NULL, NULL);
  if (code < 0) {
    sws_freeContext(scaler);
    converter->scaler = NULL;
    return code;
  }
  int *inverse, *table, source_full, target_full, brightness, contrast, saturation;
  if (sws_getColorspaceDetails(scaler, &inverse, &source_full, &table, &target_full, &brightness, &contrast, &saturation) >= 0) {
    const int *coefficients = sws_getCoefficients(space);
    if (frame->color_range != AVCOL_RANGE_UNSPECIFIED) source_full = frame->color_range == AVCOL_RANGE_JPEG;
    sws_setColorspaceDetails(scaler, coefficients, source_full, coefficients, target_full, brightness, contrast, saturation);
  }
  converter->width = frame->width;
  converter->height = frame->height;
  converter->format = frame->format;
  converter->space = space;
  converter->range = frame->color_range;
  converter->out_width = out_width;
  converter->out_height = out_height;
  return 0;
}

// swscale's vector code stops short of the last columns of a tight row, or writes beyond them, where the width isn't a
// multiple of its step: 8 pixels with SSSE3, 16 with AVX2 (24 bytes behind the last row of a 568 pixels wide frame).
// Only the plain 4:2:0 converter is known to fill tight rows exactly otherwise.
static int fills_tight_rows(const AVFrame *frame, int out_width, int out_height) {
  return (frame->format == AV_PIX_FMT_YUV420P || frame->format == AV_PIX_FMT_YUVJ420P) && frame->width == out_width &&
         frame->height == out_height && out_width % 32 == 0 && out_height % 2 == 0;
}

static void turn(const uint8_t *source, int stride, int rotation, int width, int height, uint8_t *rgb) {
  // Address of the source pixel of output (0, 0), and the steps of one output column and row.
  int source_width = rotation == 180 ? width : height, source_height = rotation == 180 ? height : width;
  const uint8_t *origin;
  ptrdiff_t column, row;
  switch (rotation) {
    case 90: origin = source + (ptrdiff_t)(source_height - 1) * stride, column = -stride, row = 3; break;
    case 180: origin = source + (ptrdiff_t)(source_height - 1) * stride + (source_width - 1) * 3, column = -3, row = -stride; break;
    default: origin = source + (ptrdiff_t)(source_width - 1) * 3, column = stride, row = -3; break;
  }
  enum { TILE = 32 };  // a column walk touches one cache line a pixel: stay within a few of them
  for (int top = 0; top < height; top += TILE) {
    for (int left = 0; left < width; left += TILE) {
      int bottom = top + TILE < height ? top + TILE : height, right = left + TILE < width ? left + TILE : width;
      for (int y = top; y < bottom; y++) {
        uint8_t *target = rgb + ((ptrdiff_t)y * width + left) * 3;
        const uint8_t *pixel = origin + y * row + left * column;
        for (int x = left; x < right; x++, target += 3, pixel += column) {
          target[0] = pixel[0];
          target[1] = pixel[1];
          target[2] = pixel[2];
        }
      }
    }
  }
}

int km_convert(km_converter *converter, const AVFrame *frame, km_color color, int rotation, int width, int height, uint8_t *rgb) {
  const AVPixFmtDescriptor *descriptor = av_pix_fmt_desc_get(frame->format);
  if (!descriptor || (descriptor->flags & AV_PIX_FMT_FLAG_HWACCEL)) return AVERROR(EINVAL);
  int sideways = rotation % 180 != 0;
  int out_width = sideways ? height : width, out_height = sideways ? width : height;
  int code = prepare(converter, frame, color, out_width, out_height);
  if (code < 0) return code;

  if (!rotation && fills_tight_rows(frame, out_width, out_height)) {
    uint8_t *planes[4] = {rgb};
    int strides[4] = {out_width * 3};
    code = sws_scale(converter->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height, planes, strides);
    return code < 0 ? code : 0;
  }

  int stride = FFALIGN(out_width * 3 + 32, 64);
  size_t needed = (size_t)stride * out_height + 64;
  if (converter->scratch_bytes < needed) {
    av_freep(&converter->scratch);
    converter->scratch_bytes = 0;
    if (!(converter->scratch = av_malloc(needed))) return AVERROR(ENOMEM);
    converter->scratch_bytes = needed;
  }
  uint8_t *planes[4] = {converter->scratch};
  int strides[4] = {stride};
  code = sws_scale(converter->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height, planes, strides);
  if (code < 0) return code;
  if (rotation) {
    turn(converter->scratch, stride, rotation, width, height, rgb);
  } else {
    for (int y = 0; y < height; y++) memcpy(rgb + (size_t)y * width * 3, converter->scratch + (size_t)y * stride, (size_t)width * 3);
  }
  return 0;
}
