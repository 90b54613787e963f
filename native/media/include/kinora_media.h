// The C interface between Kinora.Media and FFmpeg / libjpeg-turbo.
//
// Rules: every function returns a km_status and writes through out-parameters; text is UTF-8 with a terminating zero;
// integers have fixed widths; a change of any signature or struct raises KM_ABI_VERSION. Structs hold their members
// in an order that leaves no padding.
#ifndef KINORA_MEDIA_H
#define KINORA_MEDIA_H

#include <stdint.h>

#define KM_ABI_VERSION 2
#define KM_API __attribute__((visibility("default")))

typedef enum {
  KM_OK = 0,
  KM_ARGUMENT = 1,   // the caller's mistake: null, out of range
  KM_MEMORY = 2,     // allocation failed
  KM_OPEN = 3,       // the file can't be opened, or isn't a regular file
  KM_FORMAT = 4,     // not a video that is supported, or damaged beyond use
  KM_LIMIT = 5,      // a limit of km_reader_options is exceeded
  KM_DEADLINE = 6,   // the deadline passed
  KM_CANCELLED = 7,  // the caller's flag was raised
  KM_DAMAGED = 8,    // km_error.frame can't be decoded correctly
  KM_ENCODE = 9,     // the encoder or the target file failed
} km_status;

// What went wrong, in one line without file name.
typedef struct {
  int32_t status;  // km_status
  int32_t frame;   // frame index for KM_DAMAGED, else -1
  char text[248];
} km_error;

// The structs whose sizes km_struct_size tells.
typedef enum { KM_STRUCT_ERROR = 0, KM_STRUCT_READER_OPTIONS, KM_STRUCT_READER_INFO, KM_STRUCT_READ_STATISTICS, KM_STRUCT_WRITER_OPTIONS, KM_STRUCT_COUNT } km_struct;

KM_API int32_t km_abi_version(int32_t *version);
KM_API int32_t km_struct_size(int32_t which, int32_t *bytes);
// "FFmpeg 5.1.9, libavcodec 59.37.100, ..."
KM_API int32_t km_library_versions(char *text, int32_t capacity);

// ---- decoding ----

typedef struct km_reader km_reader;

typedef enum { KM_COLOR_FROM_STREAM = 0, KM_COLOR_BT601 = 1 } km_color;

typedef struct {
  int64_t max_pixels;       // of one frame
  int64_t max_file_bytes;
  int64_t max_cache_bytes;  // compressed packets kept in memory; above it they are read again when needed
  int32_t max_frames;
  int32_t max_streams;
  int32_t deadline_ms;      // of opening and of each reading; 0 = none
  int32_t color;            // km_color
  int32_t apply_rotation;   // 0 or 1
  int32_t reserved;
} km_reader_options;

typedef struct {
  double frames_per_second;  // average; 0 if unknown
  double duration_seconds;   // 0 if unknown
  int32_t width;             // of the frames delivered: after rotation
  int32_t height;
  int32_t rotation;          // degrees clockwise that the container asks for
  int32_t frame_count;
  int32_t keyframe_count;
  int32_t counted;           // 1: no usable timestamps, frames are numbered by counting from the start
  int32_t cached;            // 1: all compressed packets are in memory
  int32_t reserved;
  char codec[32];
  char container[64];
} km_reader_info;

typedef struct {
  int64_t packets_sent;      // handed to the decoder, skippable ones included
  int64_t frames_decoded;    // that came out of it
  int64_t frames_converted;  // to RGB
  int64_t restarts;          // random accesses
} km_read_statistics;

// Opens a file (path) or a file in memory (bytes, which must stay valid until the reader is closed) and builds its
// frame index. cancel: an int32 that the caller may set to non-zero from any thread, or null.
KM_API int32_t km_reader_open(const char *path, const uint8_t *bytes, int64_t byte_count, const km_reader_options *options,
                              const int32_t *cancel, km_reader **reader, km_error *error);
KM_API int32_t km_reader_get_info(const km_reader *reader, km_reader_info *info);
// Presentation times in seconds and keyframe flags, frame_count of each.
KM_API int32_t km_reader_get_times(const km_reader *reader, double *seconds, uint8_t *keyframes, int32_t capacity);
// Decodes frames, in any order, repeats allowed, to tight RGB24 rows; output holds count frames of height*width*3.
KM_API int32_t km_reader_read(km_reader *reader, const int32_t *frames, int32_t count, uint8_t *output, int64_t output_bytes,
                              const int32_t *cancel, km_read_statistics *statistics, km_error *error);
// The same frame by frame: begin, then next until it gives frame -1. Each distinct frame comes once, in about the order
// of time. Damage that is noticed late ends the reading with an error even if all frames came.
KM_API int32_t km_reader_begin(km_reader *reader, const int32_t *frames, int32_t count, km_error *error);
KM_API int32_t km_reader_next(km_reader *reader, uint8_t *output, int64_t output_bytes, const int32_t *cancel, int32_t *frame,
                              km_error *error);
KM_API int32_t km_reader_close(km_reader *reader);

// ---- encoding ----

typedef struct km_writer km_writer;

typedef struct {
  int32_t width;              // even
  int32_t height;             // even
  int32_t rate_numerator;     // frames per second = numerator / denominator
  int32_t rate_denominator;
  int32_t constant_quality;   // x264's crf (qp where every frame is a keyframe), 0 (lossless) to 51
  int32_t keyframe_interval;  // frames
  int32_t b_frames;           // 0 to 16
  int32_t rotation;           // display matrix: degrees clockwise, a multiple of 90
  char preset[16];            // x264's: ultrafast to placebo
} km_writer_options;

KM_API int32_t km_writer_open(const char *path, const km_writer_options *options, km_writer **writer, km_error *error);
// pts: time of the frame in units of 1 / rate, greater than that of the frame before.
KM_API int32_t km_writer_write(km_writer *writer, const uint8_t *rgb24, int64_t byte_count, int64_t pts, km_error *error);
KM_API int32_t km_writer_finish(km_writer *writer, km_error *error);
KM_API int32_t km_writer_close(km_writer *writer);

// ---- JPEG ----

KM_API int32_t km_jpeg_size(const uint8_t *jpeg, int64_t byte_count, int32_t *width, int32_t *height, km_error *error);
// To tight RGB24 rows; width and height as km_jpeg_size says.
KM_API int32_t km_jpeg_decode(const uint8_t *jpeg, int64_t byte_count, int32_t width, int32_t height, uint8_t *rgb24,
                              int64_t rgb_bytes, km_error *error);
// An upper bound of what km_jpeg_encode writes.
KM_API int32_t km_jpeg_bound(int32_t width, int32_t height, int64_t *bytes);
// quality: 1 to 100; 4:2:0 chroma. byte_count in: capacity, out: bytes written.
KM_API int32_t km_jpeg_encode(const uint8_t *rgb24, int32_t width, int32_t height, int32_t quality, uint8_t *jpeg,
                              int64_t *byte_count, km_error *error);

#endif
