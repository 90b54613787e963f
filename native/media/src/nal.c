#include "nal.h"

enum {
  H264_SLICE = 1,
  H264_IDR = 5,
  H264_SLICE_I = 2,
  H264_SLICE_SI = 4,
  HEVC_FIRST_KEY = 16,  // BLA, IDR and CRA pictures
  HEVC_LAST_KEY = 21,
  HEVC_LAST_PICTURE = 31,
};

km_nal_format km_nal_format_of(const AVCodecParameters *parameters) {
  const uint8_t *record = parameters->extradata;
  int size = parameters->extradata_size;
  km_nal_format format = {.codec = parameters->codec_id};
  if (format.codec == AV_CODEC_ID_H264 && size >= 7 && record[0] == 1) format.length_bytes = (record[4] & 3) + 1;
  if (format.codec == AV_CODEC_ID_HEVC && size >= 23 && (record[0] || record[1] || record[2] > 1)) format.length_bytes = (record[21] & 3) + 1;
  return format;
}

// Moves *cursor to the next unit and gives its size; 0 at the end. The last bytes of a unit between start codes may
// include zeros that belong to the following code.
static int next_unit(const km_nal_format *format, const uint8_t **cursor, const uint8_t *end, int *skip) {
  const uint8_t *p = *cursor + *skip;
  if (format->length_bytes) {
    if (end - p < format->length_bytes) return 0;
    uint32_t length = 0;
    for (int i = 0; i < format->length_bytes; i++) length = length << 8 | *p++;
    if (length > (uint32_t)(end - p)) length = (uint32_t)(end - p);
    *cursor = p;
    *skip = (int)length;
    return length ? (int)length : next_unit(format, cursor, end, skip);
  }
  while (end - p >= 4 && !(p[0] == 0 && p[1] == 0 && p[2] == 1)) p++;
  if (end - p < 4) return 0;
  p += 3;
  const uint8_t *stop = p;
  while (end - stop >= 3 && !(stop[0] == 0 && stop[1] == 0 && stop[2] <= 1)) stop++;
  if (end - stop < 3) stop = end;
  *cursor = p;
  *skip = (int)(stop - p);
  return *skip;
}

// Exponential-Golomb number at *bit. The values wanted stand in the first bytes, where escapes don't occur.
static unsigned golomb(const uint8_t *data, int size, int *bit) {
  int zeros = 0;
  while (*bit < size * 8 && zeros < 31 && !(data[*bit >> 3] >> (7 - (*bit & 7)) & 1)) zeros++, ++*bit;
  unsigned value = 0;
  for (int i = 0; i <= zeros && *bit < size * 8; i++, ++*bit) value = value << 1 | (data[*bit >> 3] >> (7 - (*bit & 7)) & 1);
  return value - 1;
}

int km_nal_is_intra(const km_nal_format *format, const uint8_t *data, int size) {
  const uint8_t *unit = data, *end = data + size;
  int skip = 0, length;
  if (format->codec == AV_CODEC_ID_HEVC) {
    while ((length = next_unit(format, &unit, end, &skip))) {
      int type = unit[0] >> 1 & 63;
      if (type <= HEVC_LAST_PICTURE) return type >= HEVC_FIRST_KEY && type <= HEVC_LAST_KEY;
    }
  } else if (format->codec == AV_CODEC_ID_H264) {
    while ((length = next_unit(format, &unit, end, &skip))) {
      int type = unit[0] & 31;
      if (type == H264_IDR) return 1;
      if (type != H264_SLICE) continue;
      int bit = 8;
      golomb(unit, length, &bit);  // first_mb_in_slice
      unsigned slice = golomb(unit, length, &bit) % 5;
      if (slice != H264_SLICE_I && slice != H264_SLICE_SI) return 0;
    }
  }
  return 1;
}

int km_nal_layer(const km_nal_format *format, const uint8_t *data, int size) {
  if (format->codec != AV_CODEC_ID_HEVC) return 0;
  const uint8_t *unit = data;
  int skip = 0, length;
  while ((length = next_unit(format, &unit, data + size, &skip))) {
    if (length >= 2 && (unit[0] >> 1 & 63) <= HEVC_LAST_PICTURE) return (unit[1] & 7) - 1;
  }
  return 0;
}
