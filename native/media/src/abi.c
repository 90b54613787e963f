#include "kinora_media.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/log.h>
#include <libswscale/swscale.h>
#include <stdio.h>

// FFmpeg's messages say nothing that the status and text of a call don't say, and they must not reach the
// terminal of a program that uses Kinora. A callback into managed code is no choice: it would be called from any
// thread, inside any lock.
__attribute__((constructor)) static void silence(void) { av_log_set_level(AV_LOG_QUIET); }

int32_t km_abi_version(int32_t *version) {
  if (!version) return KM_ARGUMENT;
  *version = KM_ABI_VERSION;
  return KM_OK;
}

int32_t km_struct_size(int32_t which, int32_t *bytes) {
  static const int32_t sizes[KM_STRUCT_COUNT] = {
      [KM_STRUCT_ERROR] = sizeof(km_error),
      [KM_STRUCT_READER_OPTIONS] = sizeof(km_reader_options),
      [KM_STRUCT_READER_INFO] = sizeof(km_reader_info),
      [KM_STRUCT_READ_STATISTICS] = sizeof(km_read_statistics),
      [KM_STRUCT_WRITER_OPTIONS] = sizeof(km_writer_options),
  };
  if (!bytes || which < 0 || which >= KM_STRUCT_COUNT) return KM_ARGUMENT;
  *bytes = sizes[which];
  return KM_OK;
}

int32_t km_library_versions(char *text, int32_t capacity) {
  if (!text || capacity <= 0) return KM_ARGUMENT;
  unsigned codec = avcodec_version(), format = avformat_version(), scale = swscale_version();
  snprintf(text, capacity, "FFmpeg %s, libavcodec %u.%u.%u, libavformat %u.%u.%u, libswscale %u.%u.%u", av_version_info(),
           AV_VERSION_MAJOR(codec), AV_VERSION_MINOR(codec), AV_VERSION_MICRO(codec), AV_VERSION_MAJOR(format),
           AV_VERSION_MINOR(format), AV_VERSION_MICRO(format), AV_VERSION_MAJOR(scale), AV_VERSION_MINOR(scale),
           AV_VERSION_MICRO(scale));
  return KM_OK;
}
