// JPEG through libjpeg-turbo. Flags are 0 throughout: the accurate integer transform and the smooth chroma filter,
// which give the same pixels as Pillow and OpenCV.
#include <limits.h>
#include <string.h>
#include <turbojpeg.h>

#include "status.h"

enum { MAX_SIDE = 16384 };

// One handle a thread: creating it costs more than decoding a small frame.
static __thread tjhandle decompressor;
static __thread tjhandle compressor;

static int32_t fail_jpeg(km_error *error, km_status status, tjhandle handle, const char *operation) {
  return km_fail(error, status, "%s: %s", operation, tjGetErrorStr2(handle));
}

int32_t km_jpeg_size(const uint8_t *jpeg, int64_t byte_count, int32_t *width, int32_t *height, km_error *error) {
  km_clear(error);
  if (!jpeg || byte_count < 0 || !width || !height) return km_fail(error, KM_ARGUMENT, "reading a JPEG: null argument");
  if (!decompressor && !(decompressor = tjInitDecompress())) return km_fail(error, KM_MEMORY, "reading a JPEG: out of memory");
  if (byte_count == 0) return km_fail(error, KM_FORMAT, "reading a JPEG: the file is empty");
  int w, h, subsampling, colors;
  if (tjDecompressHeader3(decompressor, jpeg, byte_count, &w, &h, &subsampling, &colors) < 0)
    return fail_jpeg(error, KM_FORMAT, decompressor, "reading a JPEG");
  if (w <= 0 || h <= 0 || w > MAX_SIDE || h > MAX_SIDE) return km_fail(error, KM_LIMIT, "reading a JPEG: %dx%d exceeds the limit of %d pixels a side", w, h, MAX_SIDE);
  *width = w;
  *height = h;
  return KM_OK;
}

int32_t km_jpeg_decode(const uint8_t *jpeg, int64_t byte_count, int32_t width, int32_t height, uint8_t *rgb24, int64_t rgb_bytes, km_error *error) {
  int32_t w, h;
  int32_t status = km_jpeg_size(jpeg, byte_count, &w, &h, error);
  if (status) return status;
  if (!rgb24 || w != width || h != height || rgb_bytes < (int64_t)width * height * 3) return km_fail(error, KM_ARGUMENT, "reading a JPEG: the buffer doesn't fit");
  if (tjDecompress2(decompressor, jpeg, byte_count, rgb24, width, 0, height, TJPF_RGB, 0) == 0) return KM_OK;
  // Stray bytes between segments do no harm to the picture. Every other warning means that a part was made up.
  if (tjGetErrorCode(decompressor) == TJERR_WARNING && strstr(tjGetErrorStr2(decompressor), "extraneous bytes before marker")) return KM_OK;
  return fail_jpeg(error, KM_FORMAT, decompressor, "reading a JPEG");
}

int32_t km_jpeg_bound(int32_t width, int32_t height, int64_t *bytes) {
  if (!bytes || width <= 0 || height <= 0 || width > MAX_SIDE || height > MAX_SIDE) return KM_ARGUMENT;
  *bytes = (int64_t)tjBufSize(width, height, TJSAMP_420);
  return KM_OK;
}

int32_t km_jpeg_encode(const uint8_t *rgb24, int32_t width, int32_t height, int32_t quality, uint8_t *jpeg, int64_t *byte_count, km_error *error) {
  km_clear(error);
  int64_t bound;
  if (!rgb24 || !jpeg || !byte_count || quality < 1 || quality > 100 || km_jpeg_bound(width, height, &bound) || *byte_count < bound)
    return km_fail(error, KM_ARGUMENT, "writing a JPEG: null or out of range");
  if (!compressor && !(compressor = tjInitCompress())) return km_fail(error, KM_MEMORY, "writing a JPEG: out of memory");
  unsigned long size = (unsigned long)*byte_count;
  if (tjCompress2(compressor, rgb24, width, 0, height, TJPF_RGB, &jpeg, &size, TJSAMP_420, quality, TJFLAG_NOREALLOC) < 0)
    return fail_jpeg(error, KM_ENCODE, compressor, "writing a JPEG");
  *byte_count = (int64_t)size;
  return KM_OK;
}
