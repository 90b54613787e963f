// Opening a video: container, index, decoder, and what can be said about the frames before decoding them.
#include "reader.h"

#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/mem.h>
#include <string.h>

static int32_t open_decoder(km_reader *reader, km_error *error) {
  const AVCodecParameters *parameters = km_demux_stream(&reader->demuxer)->codecpar;
  const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
  if (!codec) return km_fail(error, KM_FORMAT, "opening: no decoder for %s", avcodec_get_name(parameters->codec_id));
  if (!av_match_name(codec->name, km_codec_whitelist))
    return km_fail(error, KM_FORMAT, "opening: the codec %s is not among those that are let in; convert the file with: ffmpeg -i IN -c:v libx264 OUT.mp4", codec->name);
  AVCodecContext *decoder = reader->decoder = avcodec_alloc_context3(codec);
  if (!decoder) return km_fail(error, KM_MEMORY, "opening: out of memory");
  int code = avcodec_parameters_to_context(decoder, parameters);
  if (code < 0) return km_fail_av(error, KM_FORMAT, code, "opening the decoder %s", codec->name);
  // One decoder a core: frame threads cost latency at each random access, which outweighs them.
  decoder->thread_count = 1;
  decoder->max_pixels = reader->options.max_pixels;
  decoder->pkt_timebase = reader->time_base;
  // Streams that don't state their reordering make the H.264 decoder guess, and drop the frames that prove it wrong.
  // The index knows.
  if (parameters->codec_id == AV_CODEC_ID_H264 && decoder->has_b_frames < reader->index.reorder_depth)
    decoder->has_b_frames = reader->index.reorder_depth < 16 ? reader->index.reorder_depth : 16;
  AVDictionary *settings = NULL;
  av_dict_set(&settings, "codec_whitelist", km_codec_whitelist, 0);
  code = avcodec_open2(decoder, codec, &settings);
  av_dict_free(&settings);
  if (code < 0) return km_fail_av(error, KM_FORMAT, code, "opening the decoder %s", codec->name);
  return KM_OK;
}

// The container's header may state another size than the stream (cropping, careless muxers); the first keyframe's
// parameter sets decide.
static int32_t find_size(km_reader *reader, km_error *error) {
  const AVCodecParameters *parameters = km_demux_stream(&reader->demuxer)->codecpar;
  reader->width = parameters->width;
  reader->height = parameters->height;
  enum AVCodecID codec = parameters->codec_id;
  AVCodecParserContext *parser = codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC ? av_parser_init(codec) : NULL;
  if (parser) {
    int32_t status = km_packets_get(&reader->packets, reader->index.entries[reader->index.packets[0]].start, reader->packet, error);
    if (status) {
      av_parser_close(parser);
      return status;
    }
    uint8_t *unit;
    int unit_bytes;
    parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    av_parser_parse2(parser, reader->decoder, &unit, &unit_bytes, reader->packet->data, reader->packet->size, AV_NOPTS_VALUE, AV_NOPTS_VALUE, 0);
    if (parser->width > 0 && parser->height > 0) {
      reader->width = parser->width;
      reader->height = parser->height;
    }
    av_parser_close(parser);
    av_packet_unref(reader->packet);
  }
  if (reader->width <= 0 || reader->height <= 0) return km_fail(error, KM_FORMAT, "opening: the size of the frames is unknown");
  if ((int64_t)reader->width * reader->height > reader->options.max_pixels || reader->width > 16384 || reader->height > 16384)
    return km_fail(error, KM_LIMIT, "opening: frames of %dx%d exceed the limit of %lld pixels", reader->width, reader->height,
                   (long long)reader->options.max_pixels);
  return KM_OK;
}

// A stream cut from a broadcast begins with pictures that refer to what was cut off. They give no picture, so they are
// no frames. Only trying tells (some leading pictures do without the missing ones), and only such streams are tried.
static int32_t hide_headless(km_reader *reader, km_error *error) {
  km_index *index = &reader->index;
  enum AVCodecID codec = reader->decoder->codec_id;
  if (index->counted || (codec != AV_CODEC_ID_H264 && codec != AV_CODEC_ID_HEVC)) return KM_OK;
  enum { WINDOW = 512 };
  int32_t first = 0, last = -1;  // first keyframe, last packet in question
  while (first < index->count && first < WINDOW && !index->entries[first].key) last = first++;
  if (first == index->count || first == WINDOW || !index->entries[first].intra) return KM_OK;
  for (int32_t i = first + 1; i < index->count && i < first + 64 && !index->entries[i].intra; i++) {
    if (index->entries[i].frame >= 0 && index->entries[i].pts < index->entries[first].pts) last = i;
  }
  if (last < 0) return KM_OK;

  uint8_t *shown = av_mallocz(last + 1);
  if (!shown) return km_fail(error, KM_MEMORY, "opening: out of memory");
  int32_t status = KM_OK;
  for (int32_t i = 0, done = 0; !done && !status; i++) {
    if (i < index->count) {
      if ((status = km_watch_fail(&reader->watch, error, "opening"))) break;
      if ((status = km_packets_get(&reader->packets, i, reader->packet, error))) break;
      reader->packet->pts = i;
      avcodec_send_packet(reader->decoder, reader->packet);
      av_packet_unref(reader->packet);
    } else {
      avcodec_send_packet(reader->decoder, NULL);
      done = 1;
    }
    int code, errors = 0;
    while ((code = avcodec_receive_frame(reader->decoder, reader->frame)) != AVERROR(EAGAIN) && code != AVERROR_EOF && errors < 64) {
      if (code < 0) {
        errors++;
        continue;
      }
      // Frames come in presentation order: behind the first that isn't in question, none is still to come.
      int64_t number = reader->frame->pts;
      if (number >= 0 && number <= last) shown[number] = 1;
      else if (number > last && index->entries[number < index->count ? number : 0].pts >= index->entries[first].pts) done = 1;
      av_frame_unref(reader->frame);
    }
  }
  avcodec_flush_buffers(reader->decoder);
  int hidden = 0;
  for (int32_t i = 0; i <= last && !status; i++) {
    if (i == first || shown[i] || index->entries[i].frame < 0) continue;
    index->entries[i].frame = -1;
    hidden = 1;
  }
  av_free(shown);
  return status || !hidden ? status : km_index_arrange(index, codec, error);
}

static int find_rotation(AVStream *stream) {
  size_t size = 0;
  const int32_t *matrix = (const int32_t *)av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (!matrix || size < 9 * sizeof *matrix) return 0;
  double clockwise = -av_display_rotation_get(matrix);
  if (clockwise != clockwise) return 0;  // NaN: a singular matrix
  if (clockwise < 0) clockwise += 360;
  return (int)(clockwise / 90 + 0.5) % 4 * 90;
}

static void find_times(km_reader *reader) {
  AVStream *stream = km_demux_stream(&reader->demuxer);
  const km_index *index = &reader->index;
  AVRational rate = stream->avg_frame_rate.num ? stream->avg_frame_rate : stream->r_frame_rate;
  reader->frames_per_second = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
  if (reader->frames_per_second <= 0 && !index->counted && index->frame_count > 1) {
    double span = km_index_seconds(index, index->frame_count - 1, reader->time_base, 0) - km_index_seconds(index, 0, reader->time_base, 0);
    if (span > 0) reader->frames_per_second = (index->frame_count - 1) / span;
  }
  int64_t duration = reader->demuxer.format->duration;
  reader->duration_seconds = duration > 0 ? (double)duration / AV_TIME_BASE
                             : reader->frames_per_second > 0 ? index->frame_count / reader->frames_per_second
                                                             : 0;
}

static int32_t open_reader(km_reader *reader, const char *path, const uint8_t *bytes, int64_t byte_count, km_error *error) {
  km_bytes_init(&reader->bytes, &reader->watch);
  if (bytes) {
    km_bytes_open_memory(&reader->bytes, bytes, byte_count);
  } else {
    int32_t status = km_bytes_open_file(&reader->bytes, path, error);
    if (status) return status;
  }
  if (reader->bytes.size <= 0) return km_fail(error, KM_FORMAT, "opening: expected a video file, found an empty one");
  if (reader->bytes.size > reader->options.max_file_bytes)
    return km_fail(error, KM_LIMIT, "opening: %lld bytes exceed the limit of %lld", (long long)reader->bytes.size,
                   (long long)reader->options.max_file_bytes);
  if (!(reader->frame = av_frame_alloc()) || !(reader->packet = av_packet_alloc())) return km_fail(error, KM_MEMORY, "opening: out of memory");

  int32_t status = km_demux_open(&reader->demuxer, &reader->bytes, &reader->options, &reader->watch, error);
  if (status) return status;
  AVStream *stream = km_demux_stream(&reader->demuxer);
  const AVCodecParameters *parameters = stream->codecpar;
  if (parameters->width > 0 && parameters->height > 0 &&
      (int64_t)parameters->width * parameters->height > reader->options.max_pixels)
    return km_fail(error, KM_LIMIT, "opening: frames of %dx%d exceed the limit of %lld pixels", parameters->width, parameters->height,
                   (long long)reader->options.max_pixels);
  reader->time_base = stream->time_base;
  reader->rotation = find_rotation(stream);
  if ((status = km_index_build(&reader->index, &reader->demuxer, &reader->options, &reader->watch, error))) return status;
  reader->packets = (km_packets){&reader->demuxer, &reader->bytes, &reader->options, &reader->watch, &reader->index, reader->index.count};
  if ((status = open_decoder(reader, error))) return status;
  if ((status = hide_headless(reader, error))) return status;
  if ((status = find_size(reader, error))) return status;
  find_times(reader);
  return KM_OK;
}

int32_t km_reader_close(km_reader *reader) {
  if (!reader) return KM_OK;
  avcodec_free_context(&reader->decoder);
  km_index_free(&reader->index);
  km_demux_close(&reader->demuxer);
  km_bytes_close(&reader->bytes);
  km_convert_free(&reader->converter);
  av_frame_free(&reader->frame);
  av_packet_free(&reader->packet);
  km_reading_free(reader);
  av_free(reader);
  return KM_OK;
}

int32_t km_reader_open(const char *path, const uint8_t *bytes, int64_t byte_count, const km_reader_options *options,
                       const int32_t *cancel, km_reader **result, km_error *error) {
  km_clear(error);
  if (!result) return km_fail(error, KM_ARGUMENT, "opening: no place for the reader");
  *result = NULL;
  if (!options || (!path && !bytes)) return km_fail(error, KM_ARGUMENT, "opening: neither path nor bytes");
  km_reader *reader = av_mallocz(sizeof *reader);
  if (!reader) return km_fail(error, KM_MEMORY, "opening: out of memory");
  reader->bytes.descriptor = -1;
  reader->options = *options;
  km_watch_resume(&reader->watch, options->deadline_ms * INT64_C(1000000), cancel);
  int32_t status = open_reader(reader, path, bytes, byte_count, error);
  km_watch_pause(&reader->watch);
  if (status) km_reader_close(reader);
  else *result = reader;
  return status;
}

int km_reader_is_sideways(const km_reader *reader) { return reader->options.apply_rotation && reader->rotation % 180 != 0; }

int32_t km_reader_get_info(const km_reader *reader, km_reader_info *info) {
  if (!reader || !info) return KM_ARGUMENT;
  *info = (km_reader_info){
      .frames_per_second = reader->frames_per_second,
      .duration_seconds = reader->duration_seconds,
      .width = km_reader_is_sideways(reader) ? reader->height : reader->width,
      .height = km_reader_is_sideways(reader) ? reader->width : reader->height,
      .rotation = reader->rotation,
      .frame_count = reader->index.frame_count,
      .keyframe_count = reader->index.key_count,
      .counted = reader->index.counted,
      .cached = reader->index.cached,
  };
  strncpy(info->codec, avcodec_get_name(reader->decoder->codec_id), sizeof info->codec - 1);
  strncpy(info->container, reader->demuxer.format->iformat->name, sizeof info->container - 1);
  return KM_OK;
}

int32_t km_reader_get_times(const km_reader *reader, double *seconds, uint8_t *keyframes, int32_t capacity) {
  if (!reader || !seconds || !keyframes || capacity < reader->index.frame_count) return KM_ARGUMENT;
  for (int32_t i = 0; i < reader->index.frame_count; i++) {
    seconds[i] = km_index_seconds(&reader->index, i, reader->time_base, reader->frames_per_second);
    keyframes[i] = reader->index.entries[reader->index.packets[i]].key;
  }
  return KM_OK;
}
