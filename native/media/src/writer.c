// H.264 in MP4, the same bytes for the same frames on every machine.
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdio.h>
#include <string.h>

#include "status.h"

struct km_writer {
  km_writer_options options;
  AVFormatContext *format;
  AVStream *stream;
  AVCodecContext *encoder;
  struct SwsContext *scaler;
  AVFrame *frame;
  AVPacket *packet;
  uint8_t *padded;  // one input frame with room behind it: swscale may read past a row
  int64_t last_pts;
  int64_t frames;
  int finished;
};

static int32_t check(const km_writer_options *options, km_error *error) {
  if (options->width < 2 || options->height < 2 || options->width % 2 || options->height % 2 || options->width > 8192 || options->height > 8192)
    return km_fail(error, KM_ARGUMENT, "encoding: expected even sides of 2 to 8192 pixels, found %dx%d", options->width, options->height);
  if (options->rate_numerator <= 0 || options->rate_denominator <= 0) return km_fail(error, KM_ARGUMENT, "encoding: the frame rate must be positive");
  if (options->constant_quality < 0 || options->constant_quality > 51) return km_fail(error, KM_ARGUMENT, "encoding: quality must be 0 to 51");
  if (options->keyframe_interval < 1 || options->b_frames < 0 || options->b_frames > 16 || options->rotation % 90)
    return km_fail(error, KM_ARGUMENT, "encoding: keyframe interval, B-frames or rotation out of range");
  return KM_OK;
}

static int32_t open_encoder(km_writer *writer, km_error *error) {
  const km_writer_options *options = &writer->options;
  const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
  if (!codec) return km_fail(error, KM_ENCODE, "encoding: this FFmpeg has no libx264");
  AVCodecContext *encoder = writer->encoder = avcodec_alloc_context3(codec);
  if (!encoder) return km_fail(error, KM_MEMORY, "encoding: out of memory");
  encoder->width = options->width;
  encoder->height = options->height;
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->time_base = (AVRational){options->rate_denominator, options->rate_numerator};
  encoder->framerate = (AVRational){options->rate_numerator, options->rate_denominator};
  encoder->gop_size = options->keyframe_interval;
  encoder->max_b_frames = options->b_frames;
  encoder->thread_count = 1;  // with more, rate control depends on timing
  // BT.601 limited range: what decoders assume that read the tag and what those assume that don't.
  encoder->colorspace = AVCOL_SPC_SMPTE170M;
  encoder->color_range = AVCOL_RANGE_MPEG;
  encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  AVDictionary *settings = NULL;
  char preset[sizeof options->preset + 1] = "";
  memcpy(preset, options->preset, sizeof options->preset);
  av_dict_set(&settings, "preset", preset, 0);
  // Keyframes only: a fixed quantiser, for rate control would let a picture depend on those before it.
  av_dict_set_int(&settings, options->keyframe_interval == 1 ? "qp" : "crf", options->constant_quality, 0);
  av_dict_set(&settings, "x264-params", "cpu-independent=1", 0);
  int code = avcodec_open2(encoder, codec, &settings);
  av_dict_free(&settings);
  return code < 0 ? km_fail_av(error, KM_ENCODE, code, "encoding: opening libx264") : KM_OK;
}

static int32_t open_file(km_writer *writer, const char *path, km_error *error) {
  int code = avformat_alloc_output_context2(&writer->format, NULL, "mp4", path);
  if (code < 0) return km_fail_av(error, KM_ENCODE, code, "encoding: opening the MP4 writer");
  writer->format->flags |= AVFMT_FLAG_BITEXACT;  // no dates, no version
  AVStream *stream = writer->stream = avformat_new_stream(writer->format, NULL);
  if (!stream) return km_fail(error, KM_MEMORY, "encoding: out of memory");
  stream->time_base = writer->encoder->time_base;
  stream->avg_frame_rate = writer->encoder->framerate;
  if ((code = avcodec_parameters_from_context(stream->codecpar, writer->encoder)) < 0) return km_fail_av(error, KM_ENCODE, code, "encoding");
  if (writer->options.rotation) {
    int32_t *matrix = (int32_t *)av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof *matrix);
    if (!matrix) return km_fail(error, KM_MEMORY, "encoding: out of memory");
    av_display_rotation_set(matrix, writer->options.rotation);  // clockwise, while av_display_rotation_get answers counterclockwise
  }
  char url[4200];
  if ((size_t)snprintf(url, sizeof url, "file:%s", path) >= sizeof url) return km_fail(error, KM_ARGUMENT, "encoding: the path is too long");
  if ((code = avio_open(&writer->format->pb, url, AVIO_FLAG_WRITE)) < 0) return km_fail_av(error, KM_ENCODE, code, "encoding: creating the file");
  AVDictionary *settings = NULL;
  av_dict_set(&settings, "movflags", "+faststart", 0);
  code = avformat_write_header(writer->format, &settings);
  av_dict_free(&settings);
  return code < 0 ? km_fail_av(error, KM_ENCODE, code, "encoding: writing the header") : KM_OK;
}

static int32_t open_scaler(km_writer *writer, km_error *error) {
  int width = writer->options.width, height = writer->options.height;
  writer->scaler = sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
                                  SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
  writer->frame = av_frame_alloc();
  writer->packet = av_packet_alloc();
  writer->padded = av_mallocz((size_t)width * height * 3 + 64);
  if (!writer->scaler || !writer->frame || !writer->packet || !writer->padded) return km_fail(error, KM_MEMORY, "encoding: out of memory");
  const int *coefficients = sws_getCoefficients(SWS_CS_ITU601);
  sws_setColorspaceDetails(writer->scaler, coefficients, 1, coefficients, 0, 0, 1 << 16, 1 << 16);
  writer->frame->format = AV_PIX_FMT_YUV420P;
  writer->frame->width = width;
  writer->frame->height = height;
  writer->frame->colorspace = AVCOL_SPC_SMPTE170M;
  writer->frame->color_range = AVCOL_RANGE_MPEG;
  int code = av_frame_get_buffer(writer->frame, 0);
  return code < 0 ? km_fail_av(error, KM_MEMORY, code, "encoding") : KM_OK;
}

int32_t km_writer_open(const char *path, const km_writer_options *options, km_writer **result, km_error *error) {
  km_clear(error);
  if (!path || !options || !result) return km_fail(error, KM_ARGUMENT, "encoding: null argument");
  *result = NULL;
  int32_t status = check(options, error);
  if (status) return status;
  km_writer *writer = av_mallocz(sizeof *writer);
  if (!writer) return km_fail(error, KM_MEMORY, "encoding: out of memory");
  writer->options = *options;
  writer->last_pts = -1;
  status = open_encoder(writer, error);
  if (!status) status = open_scaler(writer, error);
  if (!status) status = open_file(writer, path, error);
  if (status) km_writer_close(writer);
  else *result = writer;
  return status;
}

static int32_t encode(km_writer *writer, const AVFrame *frame, km_error *error) {
  int code = avcodec_send_frame(writer->encoder, frame);
  while (code >= 0) {
    code = avcodec_receive_packet(writer->encoder, writer->packet);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return KM_OK;
    if (code < 0) break;
    if (!writer->packet->duration) writer->packet->duration = 1;
    writer->packet->stream_index = writer->stream->index;
    av_packet_rescale_ts(writer->packet, writer->encoder->time_base, writer->stream->time_base);
    code = av_interleaved_write_frame(writer->format, writer->packet);
  }
  return km_fail_av(error, KM_ENCODE, code, "encoding frame %lld", (long long)writer->frames);
}

int32_t km_writer_write(km_writer *writer, const uint8_t *rgb24, int64_t byte_count, int64_t pts, km_error *error) {
  km_clear(error);
  if (!writer || !rgb24) return km_fail(error, KM_ARGUMENT, "encoding: null argument");
  int64_t expected = (int64_t)writer->options.width * writer->options.height * 3;
  if (byte_count != expected || writer->finished || pts <= writer->last_pts)
    return km_fail(error, KM_ARGUMENT, "encoding: expected %lld bytes and a later time than the frame before", (long long)expected);
  int code = av_frame_make_writable(writer->frame);
  if (code < 0) return km_fail_av(error, KM_MEMORY, code, "encoding");
  memcpy(writer->padded, rgb24, expected);
  const uint8_t *planes[4] = {writer->padded};
  int strides[4] = {writer->options.width * 3};
  code = sws_scale(writer->scaler, planes, strides, 0, writer->options.height, writer->frame->data, writer->frame->linesize);
  if (code < 0) return km_fail_av(error, KM_ENCODE, code, "encoding: converting to YUV");
  writer->frame->pts = writer->last_pts = pts;
  int32_t status = encode(writer, writer->frame, error);
  writer->frames++;
  return status;
}

int32_t km_writer_finish(km_writer *writer, km_error *error) {
  km_clear(error);
  if (!writer || writer->finished) return km_fail(error, KM_ARGUMENT, "encoding: no open writer");
  writer->finished = 1;
  int32_t status = encode(writer, NULL, error);
  if (status) return status;
  int code = av_write_trailer(writer->format);
  if (code < 0) return km_fail_av(error, KM_ENCODE, code, "encoding: finishing the file");
  code = avio_closep(&writer->format->pb);
  return code < 0 ? km_fail_av(error, KM_ENCODE, code, "encoding: closing the file") : KM_OK;
}

int32_t km_writer_close(km_writer *writer) {
  if (!writer) return KM_OK;
  if (writer->format) avio_closep(&writer->format->pb);
  avformat_free_context(writer->format);
  avcodec_free_context(&writer->encoder);
  sws_freeContext(writer->scaler);
  av_frame_free(&writer->frame);
  av_packet_free(&writer->packet);
  av_free(writer->padded);
  av_free(writer);
  return KM_OK;
}
