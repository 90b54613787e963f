#define _GNU_SOURCE  // qsort_r
#include "index.h"

#include <libavutil/mem.h>
#include <stdlib.h>

#include "nal.h"

static void drop_cache(km_index *index) {
  index->cached = 0;
  for (int32_t i = 0; i < index->count; i++) av_packet_free(&index->entries[i].packet);
}

void km_index_free(km_index *index) {
  drop_cache(index);
  for (int32_t i = 0; i < index->configuration_count; i++) av_freep(&index->configurations[i].data);
  av_freep(&index->configurations);
  av_freep(&index->entries);
  av_freep(&index->packets);
  index->count = index->frame_count = index->configuration_count = 0;
}

static int note_configuration(km_index *index, const AVPacket *packet) {
  size_t size = 0;
  const uint8_t *data = av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
  if (!data || !size) return 0;
  km_configuration *grown = av_realloc_array(index->configurations, index->configuration_count + 1, sizeof *grown);
  if (!grown) return AVERROR(ENOMEM);
  index->configurations = grown;
  uint8_t *copy = av_memdup(data, size);
  if (!copy) return AVERROR(ENOMEM);
  grown[index->configuration_count++] = (km_configuration){index->count, copy, size};
  return 0;
}

// VP8's alternative reference frames are packets of their own that are never shown.
static int is_hidden(enum AVCodecID codec, const AVPacket *packet) {
  return codec == AV_CODEC_ID_VP8 && packet->size > 0 && !(packet->data[0] & 0x10);
}

// MPEG-4 encoders write a placeholder for a picture that they dropped ("not coded VOP"). Decoders give nothing for it,
// so it is no frame. A coded picture takes at least one bit for each macroblock; a placeholder takes a few bytes.
static int is_placeholder(const AVCodecParameters *parameters, const AVPacket *packet) {
  int64_t macroblocks = (parameters->width + 15) / 16 * ((parameters->height + 15) / 16);
  return parameters->codec_id == AV_CODEC_ID_MPEG4 && packet->size * INT64_C(8) < macroblocks;
}

// "Packed bitstream" AVI files put a P- and a B-picture into one packet and a placeholder into the next, for which the
// decoder then gives the second picture.
static int is_packed(const AVCodecParameters *parameters, const AVPacket *packet) {
  if (parameters->codec_id != AV_CODEC_ID_MPEG4) return 0;
  int pictures = 0;
  for (int i = 0; i + 4 <= packet->size && pictures < 2; i++) {
    const uint8_t *p = packet->data + i;
    pictures += p[0] == 0 && p[1] == 0 && p[2] == 1 && p[3] == 0xB6;
  }
  return pictures > 1;
}

static int32_t collect(km_index *index, km_demuxer *demuxer, const km_reader_options *options, const km_watch *watch,
                       AVPacket *packet, km_error *error) {
  const AVCodecParameters *parameters = km_demux_stream(demuxer)->codecpar;
  km_nal_format format = km_nal_format_of(parameters);
  int packed = 0;
  int32_t capacity = 0;
  int64_t cached_bytes = 0;
  int code;
  index->cached = 1;
  while ((code = km_demux_next(demuxer, watch, packet)) >= 0) {
    if (index->count >= options->max_frames)
      return km_fail(error, KM_LIMIT, "indexing: expected at most %d frames", options->max_frames);
    if (index->count == capacity) {
      capacity = capacity ? capacity * 2 : 512;
      km_entry *grown = av_realloc_array(index->entries, capacity, sizeof *grown);
      if (!grown) return km_fail(error, KM_MEMORY, "indexing: out of memory");
      index->entries = grown;
    }
    if (note_configuration(index, packet) < 0) return km_fail(error, KM_MEMORY, "indexing: out of memory");
    int hidden = (packet->flags & AV_PKT_FLAG_DISCARD) || is_hidden(format.codec, packet);
    km_entry *entry = &index->entries[index->count];
    *entry = (km_entry){
        .pts = packet->pts,
        .dts = packet->dts,
        .position = packet->pos,
        .size = packet->size,
        .frame = hidden ? -1 : 0,
        .key = (packet->flags & AV_PKT_FLAG_KEY) != 0,
        .placeholder = is_placeholder(parameters, packet),
        .layer = (uint8_t)km_nal_layer(&format, packet->data, packet->size),
    };
    entry->intra = entry->key && km_nal_is_intra(&format, packet->data, packet->size);
    if (entry->layer > index->top_layer) index->top_layer = entry->layer;
    packed = packed || is_packed(parameters, packet);
    index->count++;
    if (index->cached) {
      cached_bytes += packet->size;
      if (cached_bytes > options->max_cache_bytes) {
        drop_cache(index);
      } else {
        if (!(entry->packet = av_packet_alloc()) || av_packet_make_refcounted(packet) < 0)
          return km_fail(error, KM_MEMORY, "indexing: out of memory");
        av_packet_move_ref(entry->packet, packet);
      }
    }
    av_packet_unref(packet);
  }
  if (code != AVERROR_EOF) {
    int32_t stopped = km_watch_fail(watch, error, "indexing");
    return stopped ? stopped : km_fail_av(error, KM_FORMAT, code, "indexing: the file is damaged after %d packets", index->count);
  }
  for (int32_t i = 0; i < index->count && !packed; i++) {
    if (index->entries[i].placeholder) index->entries[i].frame = -1;
  }
  return KM_OK;
}

// A container with a sample table announces packets that a truncated file doesn't hold. Leaving them out would move
// every sampled frame without a word.
static int32_t refuse_truncated(const km_demuxer *demuxer, int64_t file_bytes, km_error *error) {
  if (!km_demux_is(demuxer, "mov")) return KM_OK;
  AVStream *stream = km_demux_stream(demuxer);
  int announced = avformat_index_get_entries_count(stream), missing = 0;
  for (int i = 0; i < announced; i++) {
    const AVIndexEntry *entry = avformat_index_get_entry(stream, i);
    missing += entry->pos + entry->size > file_bytes;
  }
  if (!missing) return KM_OK;
  return km_fail(error, KM_FORMAT, "indexing: the file is cut short: %d frames announced, %d of them missing", announced, missing);
}

static int by_pts(const void *a, const void *b, void *context) {
  const km_entry *entries = context;
  int32_t i = *(const int32_t *)a, j = *(const int32_t *)b;
  int64_t x = entries[i].pts, y = entries[j].pts;
  return x < y ? -1 : x > y ? 1 : (i > j) - (i < j);
}

// Puts the shown packets into presentation order. Returns 0 if their timestamps don't define one.
static int rank(km_index *index) {
  km_entry *entries = index->entries;
  int sorted = 1;
  for (int32_t i = 0; i < index->frame_count; i++) {
    if (entries[index->packets[i]].pts == AV_NOPTS_VALUE) return 0;
    if (i && entries[index->packets[i]].pts <= entries[index->packets[i - 1]].pts) sorted = 0;
  }
  if (sorted) return 1;
  qsort_r(index->packets, index->frame_count, sizeof *index->packets, by_pts, entries);
  int distinct = 1;
  for (int32_t i = 1; i < index->frame_count; i++) {
    distinct &= entries[index->packets[i]].pts != entries[index->packets[i - 1]].pts;
  }
  return distinct;
}

static int by_number(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

// Open GOP: pictures that follow an intra picture in the stream but precede it on the screen refer to the group before,
// so decoding for them must begin one such picture earlier.
static void find_starts(km_index *index) {
  int32_t key = 0, previous = 0;
  for (int32_t i = 0; i < index->count; i++) {
    km_entry *entry = &index->entries[i];
    if (entry->intra) {
      previous = key;
      key = i;
    }
    int leading = entry->frame >= 0 && entry->pts != AV_NOPTS_VALUE && index->entries[key].pts != AV_NOPTS_VALUE &&
                  entry->pts < index->entries[key].pts;
    entry->start = index->counted ? 0 : leading ? previous : key;
  }
}

// For each packet, how many are decoded before it and shown after it; reordering never spans more than 16 frames, so
// a window of 32 packets sees all of it.
static void find_reorder_depth(km_index *index) {
  if (index->counted) return;
  const km_entry *entries = index->entries;
  for (int32_t i = 0; i < index->count; i++) {
    if (entries[i].pts == AV_NOPTS_VALUE) continue;
    int32_t later = 0;
    for (int32_t j = i - 1; j >= 0 && j >= i - 32; j--) later += entries[j].pts != AV_NOPTS_VALUE && entries[j].pts > entries[i].pts;
    if (later > index->reorder_depth) index->reorder_depth = later;
  }
}

int32_t km_index_arrange(km_index *index, enum AVCodecID codec, km_error *error) {
  index->frame_count = index->key_count = index->reorder_depth = 0;
  for (int32_t i = 0; i < index->count; i++) {
    if (index->entries[i].frame < 0) continue;
    index->packets[index->frame_count++] = i;
    index->key_count += index->entries[i].key;
  }
  if (!index->frame_count) return km_fail(error, KM_FORMAT, "indexing: the video stream shows no frame");
  if (!rank(index)) {
    qsort(index->packets, index->frame_count, sizeof *index->packets, by_number);
    const AVCodecDescriptor *descriptor = avcodec_descriptor_get(codec);
    index->counted = !descriptor || (descriptor->props & AV_CODEC_PROP_REORDER) != 0;
  }
  for (int32_t i = 0; i < index->frame_count; i++) index->entries[index->packets[i]].frame = i;
  find_starts(index);
  find_reorder_depth(index);
  return KM_OK;
}

int32_t km_index_build(km_index *index, km_demuxer *demuxer, const km_reader_options *options, const km_watch *watch, km_error *error) {
  AVPacket *packet = av_packet_alloc();
  int32_t status = packet ? collect(index, demuxer, options, watch, packet, error) : km_fail(error, KM_MEMORY, "indexing: out of memory");
  av_packet_free(&packet);
  if (status) return status;
  const km_bytes *bytes = demuxer->io->opaque;
  if ((status = refuse_truncated(demuxer, bytes->size, error))) return status;
  if (!index->count) return km_fail(error, KM_FORMAT, "indexing: the video stream is empty");
  if (!(index->packets = av_malloc_array(index->count, sizeof *index->packets))) return km_fail(error, KM_MEMORY, "indexing: out of memory");
  return km_index_arrange(index, km_demux_stream(demuxer)->codecpar->codec_id, error);
}

double km_index_seconds(const km_index *index, int32_t frame, AVRational time_base, double frames_per_second) {
  const km_entry *entry = &index->entries[index->packets[frame]];
  int64_t ticks = entry->pts != AV_NOPTS_VALUE ? entry->pts : entry->dts;
  if (index->counted || ticks == AV_NOPTS_VALUE) return frames_per_second > 0 ? frame / frames_per_second : 0;
  return ticks * av_q2d(time_base);
}
