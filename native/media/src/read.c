// Frame-exact sparse decoding: which packets to send, and which of the decoder's frames to keep.
#include <libavutil/mem.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"

void km_reading_free(km_reader *reader) {
  av_freep(&reader->reading.wanted);
  av_freep(&reader->reading.targets);
  av_freep(&reader->reading.failed);
  reader->reading = (km_reading){0};
}

// ---- what the decoder gets ----

// In a counted stream one frame too few or too many moves all later ones, and the decoder may hold back a frame that
// came before the failure but needs what failed.
static void note_failure(km_reader *reader, int64_t packet) {
  km_reading *reading = &reader->reading;
  reading->failed[packet] = 1;
  int32_t sound = reading->counted - reader->decoder->has_b_frames;
  if (sound < reading->sound) reading->sound = sound;
}

// Whether the decoder may leave out a picture that nobody asked for and that calls itself unreferenced. In HEVC that
// word is about the picture's own temporal layer; only in the highest layer does it mean that nothing refers to it.
static int can_skip(const km_reader *reader, int32_t packet) {
  if (reader->index.counted) return 0;
  switch (reader->decoder->codec_id) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4: return 1;
    case AV_CODEC_ID_HEVC: return reader->index.entries[packet].layer == reader->index.top_layer;
    default: return 0;
  }
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

static int32_t send(km_reader *reader, int32_t number, int wanted, int first, km_error *error) {
  km_reading *reading = &reader->reading;
  int32_t status = km_watch_fail(&reader->watch, error, "reading");
  if (!status) status = km_packets_get(&reader->packets, number, reader->packet, error);
  if (status) return status;
  if (first && attach_configuration(reader, number, reader->packet) < 0) {
    av_packet_unref(reader->packet);
    return km_fail(error, KM_MEMORY, "reading: out of memory");
  }
  // Pictures that no other refers to need no decoding unless asked for. Leaving out B-pictures in general would be
  // wrong: others may refer to them.
  reader->decoder->skip_frame = !wanted && can_skip(reader, number) ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
  // The packet travels with its number in place of its time; the frame that comes out says which packet it was.
  if (!reader->index.counted) reader->packet->pts = number;
  reading->sent = number;
  reading->errors = 0;
  reading->statistics.packets_sent++;
  if (avcodec_send_packet(reader->decoder, reader->packet) < 0) note_failure(reader, number);
  av_packet_unref(reader->packet);
  return KM_OK;
}

static void drain(km_reader *reader) {
  avcodec_send_packet(reader->decoder, NULL);
  reader->reading.draining = 1;
  reader->reading.errors = 0;
}

// A packet that failed spoils all frames up to the next place where decoding can begin.
static int is_damaged(const km_reader *reader, int32_t frame) {
  const km_index *index = &reader->index;
  const uint8_t *failed = reader->reading.failed;
  if (index->counted) return frame >= reader->reading.sound;
  int32_t packet = index->packets[frame], start = index->entries[packet].start;
  return memchr(failed + start, 1, packet - start + 1) != NULL;
}

static int by_number(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

// Lists the packets of frames that are still to come. Counted streams are read to their end or the last wanted frame.
static void set_targets(km_reader *reader) {
  km_reading *reading = &reader->reading;
  reading->target = reading->target_count = 0;
  for (int32_t i = 0; i < reading->wanted_count; i++) {
    const km_wanted *wanted = &reading->wanted[i];
    if (wanted->delivered || is_damaged(reader, wanted->frame)) continue;
    reading->targets[reading->target_count++] = reader->index.packets[wanted->frame];
  }
  if (reader->index.counted && reading->target_count) {
    reading->targets[0] = reader->index.count - 1;
    reading->target_count = 1;
  }
  qsort(reading->targets, reading->target_count, sizeof *reading->targets, by_number);
}

// Whether what is missing without a sign of damage deserves a second attempt from the very start: some streams
// (gradual intra refresh, parameter sets sent once) can't be entered where they claim.
static int retry(km_reader *reader) {
  km_reading *reading = &reader->reading;
  if (reading->from_start || reader->index.counted) return 0;
  set_targets(reader);
  reading->from_start = 1;
  return reading->target_count > 0 && reader->index.entries[reading->targets[reading->target_count - 1]].start > 0;
}

// Takes the next step when the decoder has no frame to give: a packet, or the word that nothing follows.
// *more = 0: nothing is left to do.
static int32_t feed(km_reader *reader, int *more, km_error *error) {
  km_reading *reading = &reader->reading;
  *more = 1;
  if (reading->draining) {
    avcodec_flush_buffers(reader->decoder);
    reading->draining = 0;
    reading->next = -1;
  }
  if (reader->index.counted && reading->counted > reading->wanted[reading->wanted_count - 1].frame) {
    *more = 0;
    return KM_OK;
  }
  if (reading->target == reading->target_count) {
    if (reading->next >= 0) drain(reader);
    else if (!retry(reader)) *more = 0;
    return KM_OK;
  }
  int32_t target = reading->targets[reading->target];
  int32_t start = reading->from_start ? 0 : reader->index.entries[target].start;
  int first = reading->next < 0;
  if (!first && start > reading->next) {
    drain(reader);  // the way to the target begins further on
    return KM_OK;
  }
  if (first) {
    reading->next = start;
    reading->statistics.restarts++;
  }
  int32_t packet = reading->next++;
  if (packet == target) reading->target++;
  return send(reader, packet, packet == target, first, error);
}

// ---- what the decoder gives ----

static km_wanted *find_wanted(const km_reading *reading, int32_t frame) {
  int32_t low = 0, high = reading->wanted_count;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (reading->wanted[middle].frame < frame) low = middle + 1;
    else high = middle;
  }
  return low < reading->wanted_count && reading->wanted[low].frame == frame ? &reading->wanted[low] : NULL;
}

// Finds out which frame the decoder gave and whether it is wanted.
static km_wanted *recognise(km_reader *reader) {
  km_reading *reading = &reader->reading;
  const AVFrame *frame = reader->frame;
  reading->statistics.frames_decoded++;
  int64_t packet = reader->index.counted ? reading->sent : frame->pts;
  if (packet < 0 || packet >= reader->index.count) return NULL;
  if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT)) note_failure(reader, packet);
  int32_t number = reader->index.counted ? reading->counted++ : reader->index.entries[packet].frame;
  km_wanted *wanted = number >= 0 ? find_wanted(reading, number) : NULL;
  return wanted && !wanted->delivered ? wanted : NULL;
}

// The end of a reading: frames that failed are known only now, when the decoder has given up all it had.
static int32_t finish(const km_reader *reader, km_error *error) {
  const km_reading *reading = &reader->reading;
  for (int32_t i = 0; i < reading->wanted_count; i++) {
    const km_wanted *wanted = &reading->wanted[i];
    int damaged = is_damaged(reader, wanted->frame);
    if (wanted->delivered && !damaged) continue;
    int32_t status = km_fail(error, KM_DAMAGED, "reading frame %d of %d: %s", wanted->frame, reader->index.frame_count,
                             damaged ? "the stream is damaged there" : "the decoder gives no picture for it");
    if (error) error->frame = wanted->frame;
    return status;
  }
  return KM_OK;
}

// Converts the next wanted frame to output + slot * slot_bytes and says which it is; -1 at the end.
static int32_t next_frame(km_reader *reader, uint8_t *output, size_t slot_bytes, int32_t *frame, km_error *error) {
  km_reading *reading = &reader->reading;
  int sideways = km_reader_is_sideways(reader);
  *frame = -1;
  for (;;) {
    int code = avcodec_receive_frame(reader->decoder, reader->frame);
    if (code >= 0) {
      km_wanted *wanted = recognise(reader);
      if (wanted) {
        code = km_convert(&reader->converter, reader->frame, reader->options.color, reader->options.apply_rotation ? reader->rotation : 0,
                          sideways ? reader->height : reader->width, sideways ? reader->width : reader->height,
                          output + slot_bytes * wanted->slot);
      }
      av_frame_unref(reader->frame);
      if (!wanted || code < 0) continue;  // a frame that can't be converted stays missing
      wanted->delivered = 1;
      reading->statistics.frames_converted++;
      *frame = wanted->frame;
      return KM_OK;
    }
    if (code != AVERROR(EAGAIN) && code != AVERROR_EOF) {
      note_failure(reader, reading->sent);
      if (++reading->errors < 64) continue;
    }
    int more;
    int32_t status = feed(reader, &more, error);
    if (status) return status;
    if (!more) return finish(reader, error);
  }
}

// ---- requests ----

static int by_frame(const void *a, const void *b) {
  const km_wanted *x = a, *y = b;
  if (x->frame != y->frame) return x->frame < y->frame ? -1 : 1;
  return (x->slot > y->slot) - (x->slot < y->slot);
}

static int32_t begin(km_reader *reader, const int32_t *frames, int32_t count, km_error *error) {
  for (int32_t i = 0; i < count; i++) {
    if (frames[i] < 0 || frames[i] >= reader->index.frame_count)
      return km_fail(error, KM_ARGUMENT, "reading: expected frames 0 to %d, found %d", reader->index.frame_count - 1, frames[i]);
  }
  km_reading_free(reader);
  km_reading *reading = &reader->reading;
  reading->next = -1;
  reading->sound = INT32_MAX;
  reading->budget_ns = reader->options.deadline_ms * INT64_C(1000000);
  reading->failed = av_mallocz(reader->index.count);
  reading->wanted = av_malloc_array(count, sizeof *reading->wanted);
  reading->targets = av_malloc_array(count, sizeof *reading->targets);
  if (!reading->failed || !reading->wanted || !reading->targets) {
    km_reading_free(reader);
    return km_fail(error, KM_MEMORY, "reading: out of memory");
  }
  for (int32_t i = 0; i < count; i++) reading->wanted[i] = (km_wanted){.frame = frames[i], .slot = i};
  qsort(reading->wanted, count, sizeof *reading->wanted, by_frame);
  for (int32_t i = 0; i < count; i++) {
    if (i && reading->wanted[i].frame == reading->wanted[i - 1].frame) continue;
    reading->wanted[reading->wanted_count++] = reading->wanted[i];
  }
  set_targets(reader);
  avcodec_flush_buffers(reader->decoder);
  return KM_OK;
}

static size_t frame_bytes(const km_reader *reader) { return (size_t)reader->width * reader->height * 3; }

int32_t km_reader_begin(km_reader *reader, const int32_t *frames, int32_t count, km_error *error) {
  km_clear(error);
  if (!reader || !frames || count <= 0) return km_fail(error, KM_ARGUMENT, "reading: nothing to read");
  return begin(reader, frames, count, error);
}

int32_t km_reader_next(km_reader *reader, uint8_t *output, int64_t output_bytes, const int32_t *cancel, int32_t *frame, km_error *error) {
  km_clear(error);
  if (!reader || !output || !frame || !reader->reading.wanted || output_bytes < (int64_t)frame_bytes(reader))
    return km_fail(error, KM_ARGUMENT, "reading: no reading begun, or too small a buffer");
  km_watch_resume(&reader->watch, reader->reading.budget_ns, cancel);
  int32_t status = next_frame(reader, output, 0, frame, error);
  reader->reading.budget_ns = km_watch_pause(&reader->watch);
  if (status || *frame < 0) km_reading_free(reader);
  return status;
}

int32_t km_reader_read(km_reader *reader, const int32_t *frames, int32_t count, uint8_t *output, int64_t output_bytes,
                       const int32_t *cancel, km_read_statistics *statistics, km_error *error) {
  km_clear(error);
  if (statistics) *statistics = (km_read_statistics){0};
  if (!reader || !frames || !output || count < 0) return km_fail(error, KM_ARGUMENT, "reading: null or negative argument");
  if (count == 0) return KM_OK;
  size_t bytes = frame_bytes(reader);
  if (output_bytes / (int64_t)bytes < count) return km_fail(error, KM_ARGUMENT, "reading: the buffer is too small");
  int32_t status = begin(reader, frames, count, error), frame = 0;
  if (status) return status;
  km_watch_resume(&reader->watch, reader->reading.budget_ns, cancel);
  while (!status && frame >= 0) status = next_frame(reader, output, bytes, &frame, error);
  km_watch_pause(&reader->watch);
  for (int32_t i = 0; i < count && !status; i++) {
    int32_t slot = find_wanted(&reader->reading, frames[i])->slot;
    if (slot != i) memcpy(output + bytes * i, output + bytes * slot, bytes);
  }
  if (statistics) *statistics = reader->reading.statistics;
  km_reading_free(reader);
  return status;
}
