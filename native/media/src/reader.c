// Frame-exact sparse decoding: which packets to send, and which of the decoder's frames to keep.
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/mem.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "packets.h"

struct km_reader {
  km_reader_options options;
  km_watch watch;  // of the call in progress
  km_bytes bytes;
  km_demuxer demuxer;
  km_index index;
  km_packets packets;
  AVCodecContext *decoder;
  km_converter converter;
  AVFrame *frame;
  AVPacket *packet;
  uint8_t *failed;  // for each packet: the decoder refused it, or gave a frame with errors
  AVRational time_base;
  double frames_per_second;
  double duration_seconds;
  int width, height;  // of coded frames, before rotation
  int rotation;       // degrees clockwise
};

// ---- opening ----

static int32_t open_decoder(km_reader *reader, km_error *error) {
  const AVCodecParameters *parameters = km_demux_stream(&reader->demuxer)->codecpar;
  const AVCodec *codec = avcodec_find_decoder(parameters->codec_id);
  if (!codec) return km_fail(error, KM_FORMAT, "opening: no decoder for %s", avcodec_get_name(parameters->codec_id));
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
  int32_t first = 0, last = -1;  // first intra picture, last packet in question
  while (first < index->count && first < WINDOW && !index->entries[first].intra) last = first++;
  if (first == index->count || first == WINDOW) return KM_OK;
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
  av_free(reader->failed);
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
  km_watch_start(&reader->watch, options->deadline_ms, cancel);
  int32_t status = open_reader(reader, path, bytes, byte_count, error);
  reader->watch.cancel = NULL;
  if (status) km_reader_close(reader);
  else *result = reader;
  return status;
}

static int is_sideways(const km_reader *reader) { return reader->options.apply_rotation && reader->rotation % 180 != 0; }

int32_t km_reader_get_info(const km_reader *reader, km_reader_info *info) {
  if (!reader || !info) return KM_ARGUMENT;
  *info = (km_reader_info){
      .frames_per_second = reader->frames_per_second,
      .duration_seconds = reader->duration_seconds,
      .width = is_sideways(reader) ? reader->height : reader->width,
      .height = is_sideways(reader) ? reader->width : reader->height,
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

// ---- reading ----

typedef struct {
  int32_t frame;
  int32_t slot;       // where it goes in the output
  uint8_t delivered;
} wanted_frame;

typedef struct {
  km_reader *reader;
  wanted_frame *wanted;  // by frame; repeats are adjacent
  int32_t wanted_count;
  uint8_t *output;
  size_t frame_bytes;
  int width, height;
  int32_t sent;     // last packet handed to the decoder
  int32_t counted;  // frames that came out since the start of the stream (counted streams only)
  int32_t stop;     // status that ends the call
  km_read_statistics statistics;
  km_error *error;
} read_job;

static int by_frame(const void *a, const void *b) {
  const wanted_frame *x = a, *y = b;
  if (x->frame != y->frame) return x->frame < y->frame ? -1 : 1;
  return (x->slot > y->slot) - (x->slot < y->slot);
}

// The first of the entries for a frame, or null if nobody asked for it.
static wanted_frame *find_wanted(const read_job *job, int32_t frame) {
  int32_t low = 0, high = job->wanted_count;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (job->wanted[middle].frame < frame) low = middle + 1;
    else high = middle;
  }
  return low < job->wanted_count && job->wanted[low].frame == frame ? &job->wanted[low] : NULL;
}

static void take_frame(read_job *job) {
  km_reader *reader = job->reader;
  const AVFrame *frame = reader->frame;
  job->statistics.frames_decoded++;
  int32_t number;
  if (reader->index.counted) {
    number = job->counted++;
    if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT)) reader->failed[job->sent] = 1;
  } else {
    // Packets travel through the decoder with their number in place of the time: the frame says which it was.
    if (frame->pts < 0 || frame->pts >= reader->index.count) return;
    int32_t packet = (int32_t)frame->pts;
    if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT)) reader->failed[packet] = 1;
    number = reader->index.entries[packet].frame;
  }
  wanted_frame *wanted = number >= 0 ? find_wanted(job, number) : NULL;
  if (!wanted || wanted->delivered) return;
  uint8_t *target = job->output + job->frame_bytes * wanted->slot;
  int code = km_convert(&reader->converter, frame, reader->options.color, reader->options.apply_rotation ? reader->rotation : 0,
                        job->width, job->height, target);
  if (code < 0) return;  // stays undelivered
  wanted->delivered = 1;
  job->statistics.frames_converted++;
}

static void receive(read_job *job) {
  km_reader *reader = job->reader;
  for (int errors = 0; errors < 64 && !job->stop;) {
    int code = avcodec_receive_frame(reader->decoder, reader->frame);
    if (code >= 0) {
      take_frame(job);
      av_frame_unref(reader->frame);
    } else if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
      return;
    } else {
      reader->failed[job->sent] = 1;
      errors++;
    }
  }
}

static void drain(read_job *job) {
  if (job->stop) return;
  avcodec_send_packet(job->reader->decoder, NULL);
  receive(job);
}

// Whether the decoder may leave out a picture that nobody asked for and that calls itself unreferenced. In HEVC that
// word is about the picture's own temporal layer; only in the highest layer does it mean that nothing refers to it.
static int can_skip(const km_reader *reader, int32_t number) {
  if (reader->index.counted) return 0;
  switch (reader->decoder->codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4: return 1;
    case AV_CODEC_ID_HEVC: return reader->index.entries[number].layer == reader->index.top_layer;
    default: return 0;
  }
}

// Empties the decoder for a random access.
static void restart(read_job *job) {
  drain(job);
  avcodec_flush_buffers(job->reader->decoder);
  job->counted = 0;
  job->statistics.restarts++;
}

// Where the stream changes its configuration, a random access must bring the one that holds at that packet.
static int attach_configuration(const km_reader *reader, int32_t number, AVPacket *packet) {
  const km_index *index = &reader->index;
  const AVCodecParameters *parameters = km_demux_stream(&reader->demuxer)->codecpar;
  const uint8_t *data = parameters->extradata;
  size_t size = parameters->extradata_size;
  for (int32_t i = 0; i < index->configuration_count && index->configurations[i].packet <= number; i++) {
    data = index->configurations[i].data;
    size = index->configurations[i].size;
  }
  if (!index->configuration_count || !size || av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, NULL)) return 0;
  uint8_t *side = av_packet_new_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, size);
  if (!side) return AVERROR(ENOMEM);
  memcpy(side, data, size);
  return 0;
}

static void send(read_job *job, int32_t number, int wanted, int first) {
  km_reader *reader = job->reader;
  if ((job->stop = km_watch_fail(&reader->watch, job->error, "reading"))) return;
  if ((job->stop = km_packets_get(&reader->packets, number, reader->packet, job->error))) return;
  if (first && attach_configuration(reader, number, reader->packet) < 0) {
    av_packet_unref(reader->packet);
    job->stop = km_fail(job->error, KM_MEMORY, "reading: out of memory");
    return;
  }
  job->sent = number;
  // Pictures that no other refers to need no decoding unless asked for. Leaving out B-pictures in general would be
  // wrong: others may refer to them.
  reader->decoder->skip_frame = !wanted && can_skip(reader, number) ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
  if (!reader->index.counted) reader->packet->pts = number;
  job->statistics.packets_sent++;
  int code = avcodec_send_packet(reader->decoder, reader->packet);
  av_packet_unref(reader->packet);
  if (code < 0) reader->failed[number] = 1;
  receive(job);
}

// Sends what the wanted packets (ascending) need. from_start: everything from the first packet.
static void run(read_job *job, const int32_t *targets, int32_t target_count, int from_start) {
  const km_index *index = &job->reader->index;
  int32_t next = -1;  // packet that continues what the decoder has seen
  for (int32_t i = 0; i < target_count && !job->stop; i++) {
    int32_t target = targets[i], start = from_start ? 0 : index->entries[target].start;
    int first = next < 0 || (start > next && !from_start);
    if (first) {
      restart(job);
      next = start;
    }
    for (; next <= target && !job->stop; next++) {
      send(job, next, next == target, first);
      first = 0;
    }
  }
  drain(job);
  avcodec_flush_buffers(job->reader->decoder);
}

// Counted streams: from the first packet until the last wanted frame came out.
static void run_counted(read_job *job) {
  const wanted_frame *last = &job->wanted[job->wanted_count - 1];
  restart(job);
  for (int32_t i = 0; i < job->reader->index.count && job->counted <= last->frame && !job->stop; i++) send(job, i, 1, i == 0);
  if (job->counted <= last->frame) drain(job);
  avcodec_flush_buffers(job->reader->decoder);
}

static int by_number(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

// A packet that failed spoils all frames up to the next place where decoding can begin.
static int is_damaged(const km_reader *reader, int32_t frame) {
  const km_index *index = &reader->index;
  if (index->counted) {
    // One frame too few or too many moves all later ones.
    int32_t end = frame + 32 < index->count ? frame + 32 : index->count;
    return memchr(reader->failed, 1, end) != NULL;
  }
  int32_t packet = index->packets[frame], start = index->entries[packet].start;
  return memchr(reader->failed + start, 1, packet - start + 1) != NULL;
}

static int32_t collect_targets(const read_job *job, int32_t *targets) {
  int32_t count = 0;
  for (int32_t i = 0; i < job->wanted_count; i++) {
    const wanted_frame *wanted = &job->wanted[i];
    if (wanted->delivered || (i && wanted[-1].frame == wanted->frame) || is_damaged(job->reader, wanted->frame)) continue;
    targets[count++] = job->reader->index.packets[wanted->frame];
  }
  qsort(targets, count, sizeof *targets, by_number);
  return count;
}

static int32_t finish(read_job *job) {
  const km_reader *reader = job->reader;
  for (int32_t i = 0; i < job->wanted_count; i++) {
    wanted_frame *wanted = &job->wanted[i];
    if (i && wanted[-1].frame == wanted->frame) {
      memcpy(job->output + job->frame_bytes * wanted->slot, job->output + job->frame_bytes * wanted[-1].slot, job->frame_bytes);
      continue;
    }
    int damaged = is_damaged(reader, wanted->frame);
    if (wanted->delivered && !damaged) continue;
    int32_t status = km_fail(job->error, KM_DAMAGED, "reading frame %d of %d: %s", wanted->frame, reader->index.frame_count,
                             damaged ? "the stream is damaged there" : "the decoder gives no picture for it");
    if (job->error) job->error->frame = wanted->frame;
    return status;
  }
  return KM_OK;
}

static int32_t read_frames(read_job *job, int32_t *targets) {
  km_reader *reader = job->reader;
  if (reader->index.counted) {
    run_counted(job);
  } else {
    int32_t count = collect_targets(job, targets);
    run(job, targets, count, 0);
    // Some streams (gradual intra refresh, parameter sets sent once) can't be entered where they claim: what is
    // missing without a sign of damage gets a second chance from the very start.
    if (!job->stop && (count = collect_targets(job, targets)) > 0 && reader->index.entries[targets[count - 1]].start > 0)
      run(job, targets, count, 1);
  }
  return job->stop ? job->stop : finish(job);
}

int32_t km_reader_read(km_reader *reader, const int32_t *frames, int32_t count, uint8_t *output, int64_t output_bytes,
                       const int32_t *cancel, km_read_statistics *statistics, km_error *error) {
  km_clear(error);
  if (statistics) *statistics = (km_read_statistics){0};
  if (!reader || !frames || !output || count < 0) return km_fail(error, KM_ARGUMENT, "reading: null or negative argument");
  if (count == 0) return KM_OK;
  int sideways = is_sideways(reader);
  read_job job = {
      .reader = reader,
      .wanted_count = count,
      .output = output,
      .width = sideways ? reader->height : reader->width,
      .height = sideways ? reader->width : reader->height,
      .error = error,
  };
  job.frame_bytes = (size_t)job.width * job.height * 3;
  if ((int64_t)(job.frame_bytes * count) > output_bytes) return km_fail(error, KM_ARGUMENT, "reading: the buffer is too small");
  for (int32_t i = 0; i < count; i++) {
    if (frames[i] < 0 || frames[i] >= reader->index.frame_count)
      return km_fail(error, KM_ARGUMENT, "reading: expected frames 0 to %d, found %d", reader->index.frame_count - 1, frames[i]);
  }

  if (!reader->failed) reader->failed = av_malloc(reader->index.count);
  job.wanted = av_malloc_array(count, sizeof *job.wanted);
  int32_t *targets = av_malloc_array(count, sizeof *targets);
  int32_t status;
  if (reader->failed && job.wanted && targets) {
    memset(reader->failed, 0, reader->index.count);
    for (int32_t i = 0; i < count; i++) job.wanted[i] = (wanted_frame){.frame = frames[i], .slot = i};
    qsort(job.wanted, count, sizeof *job.wanted, by_frame);
    km_watch_start(&reader->watch, reader->options.deadline_ms, cancel);
    status = read_frames(&job, targets);
    reader->watch.cancel = NULL;
  } else {
    status = km_fail(error, KM_MEMORY, "reading: out of memory");
  }
  av_free(job.wanted);
  av_free(targets);
  if (statistics) *statistics = job.statistics;
  return status;
}
