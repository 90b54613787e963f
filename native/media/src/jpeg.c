// JPEG through libjpeg-turbo with the accurate integer transform and the smooth chroma filter, as Pillow and OpenCV have
// it. Reading does so by default; writing takes the fast transform below quality 96 unless told otherwise.
#include <string.h>
#include <turbojpeg.h>

#include "status.h"

enum { MAX_SIDE = 16384 };

// Each call has a handle of its own: making one takes 1.5 microseconds, and a handle that met a damaged file may refuse
// every file after it ("Bogus Huffman table definition").

static int32_t fail_jpeg(km_error *error, km_status status, tjhandle handle, const char *operation) {
  return km_fail(error, status, "%s: %s", operation, tjGetErrorStr2(handle));
}

static int32_t read_header(tjhandle handle, const uint8_t *jpeg, int64_t byte_count, int32_t *width, int32_t *height, km_error *error) {
  int w, h, subsampling, colors;
  if (tjDecompressHeader3(handle, jpeg, byte_count, &w, &h, &subsampling, &colors) < 0) return fail_jpeg(error, KM_FORMAT, handle, "reading a JPEG");
  if (w <= 0 || h <= 0 || w > MAX_SIDE || h > MAX_SIDE)
    return km_fail(error, KM_LIMIT, "reading a JPEG: %dx%d exceeds the limit of %d pixels a side", w, h, MAX_SIDE);
  *width = w;
  *height = h;
  return KM_OK;
}

static int32_t decode(tjhandle handle, const uint8_t *jpeg, int64_t byte_count, int32_t width, int32_t height, uint8_t *rgb24, km_error *error) {
  int32_t w, h;
  int32_t status = read_header(handle, jpeg, byte_count, &w, &h, error);
  if (status) return status;
  if (w != width || h != height) return km_fail(error, KM_ARGUMENT, "reading a JPEG: the picture is %dx%d, the buffer for %dx%d", w, h, width, height);
  if (tjDecompress2(handle, jpeg, byte_count, rgb24, width, 0, height, TJPF_RGB, 0) == 0) return KM_OK;
  // Stray bytes between segments do no harm to the picture. Every other warning means that a part was made up.
  if (tjGetErrorCode(handle) == TJERR_WARNING && strstr(tjGetErrorStr2(handle), "extraneous bytes before marker")) return KM_OK;
  return fail_jpeg(error, KM_FORMAT, handle, "reading a JPEG");
}

// The handle of one reading, or null with the error filled in.
static tjhandle open_reading(const uint8_t *jpeg, int64_t byte_count, int32_t *status, km_error *error) {
  km_clear(error);
  tjhandle handle = NULL;
  if (!jpeg || byte_count < 0) *status = km_fail(error, KM_ARGUMENT, "reading a JPEG: null argument");
  else if (byte_count == 0) *status = km_fail(error, KM_FORMAT, "reading a JPEG: the file is empty");
  else if (!(handle = tjInitDecompress())) *status = km_fail(error, KM_MEMORY, "reading a JPEG: out of memory");
  return handle;
}

int32_t km_jpeg_size(const uint8_t *jpeg, int64_t byte_count, int32_t *width, int32_t *height, km_error *error) {
  if (!width || !height) return km_fail(error, KM_ARGUMENT, "reading a JPEG: null argument");
  int32_t status;
  tjhandle handle = open_reading(jpeg, byte_count, &status, error);
  if (!handle) return status;
  status = read_header(handle, jpeg, byte_count, width, height, error);
  tjDestroy(handle);
  return status;
}

int32_t km_jpeg_decode(const uint8_t *jpeg, int64_t byte_count, int32_t width, int32_t height, uint8_t *rgb24, int64_t rgb_bytes, km_error *error) {
  if (!rgb24 || width <= 0 || height <= 0 || rgb_bytes < (int64_t)width * height * 3) return km_fail(error, KM_ARGUMENT, "reading a JPEG: the buffer is too small");
  int32_t status;
  tjhandle handle = open_reading(jpeg, byte_count, &status, error);
  if (!handle) return status;
  status = decode(handle, jpeg, byte_count, width, height, rgb24, error);
  tjDestroy(handle);
  return status;
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
  tjhandle handle = tjInitCompress();
  if (!handle) return km_fail(error, KM_MEMORY, "writing a JPEG: out of memory");
  unsigned long size = (unsigned long)*byte_count;
  int32_t status = KM_OK;
  if (tjCompress2(handle, rgb24, width, 0, height, TJPF_RGB, &jpeg, &size, TJSAMP_420, quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) < 0)
    status = fail_jpeg(error, KM_ENCODE, handle, "writing a JPEG");
  else
    *byte_count = (int64_t)size;
  tjDestroy(handle);
  return status;
}
