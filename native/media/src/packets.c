#include "packets.h"

// Reading on is cheaper than a seek up to this distance.
enum { READ_AHEAD = 64 };

static int same(const km_entry *entry, const AVPacket *packet) {
  return entry->size == packet->size && entry->position == packet->pos &&
         (entry->dts == packet->dts || entry->dts == AV_NOPTS_VALUE || packet->dts == AV_NOPTS_VALUE);
}

static int32_t rewind_to_start(km_packets *packets, km_error *error) {
  km_demux_close(packets->demuxer);
  packets->next = 0;
  return km_demux_open(packets->demuxer, packets->bytes, packets->options, packets->watch, error);
}

// Lets the container jump near packet `number` and finds out where it landed. Returns 1 with that packet and its
// number in packets->next, or 0 if it isn't known to be at or before `number`.
static int jump(km_packets *packets, int32_t number, AVPacket *packet) {
  const km_entry *target = &packets->index->entries[number];
  if (target->position < 0) return 0;
  int64_t time = target->dts != AV_NOPTS_VALUE ? target->dts : target->pts;
  if (time == AV_NOPTS_VALUE) return 0;
  if (av_seek_frame(packets->demuxer->format, packets->demuxer->stream, time, AVSEEK_FLAG_BACKWARD) < 0) return 0;
  if (km_demux_next(packets->demuxer, packets->watch, packet) < 0) return 0;
  for (int32_t i = number; i >= 0; i--) {
    if (same(&packets->index->entries[i], packet)) {
      packets->next = i;
      return 1;
    }
  }
  av_packet_unref(packet);
  return 0;
}

static int32_t lost(const km_packets *packets, int32_t number, int code, km_error *error) {
  int32_t stopped = km_watch_fail(packets->watch, error, "reading");
  if (stopped) return stopped;
  if (code < 0) return km_fail_av(error, KM_FORMAT, code, "reading packet %d again", number);
  return km_fail(error, KM_FORMAT, "reading packet %d again: the file has changed", number);
}

// Reads on to packet `number`, comparing what comes with the index; `holds` says that packet->next is in hand already.
// Returns 1 with the packet, 0 if something else came, or a negative AVERROR.
static int read_on(km_packets *packets, int32_t number, int holds, AVPacket *packet) {
  for (;; av_packet_unref(packet)) {
    int code = holds ? 0 : km_demux_next(packets->demuxer, packets->watch, packet);
    if (code < 0) return code;
    holds = 0;
    if (!same(&packets->index->entries[packets->next], packet)) {
      av_packet_unref(packet);
      return 0;
    }
    if (packets->next++ == number) return 1;
  }
}

int32_t km_packets_get(km_packets *packets, int32_t number, AVPacket *packet, km_error *error) {
  const km_index *index = packets->index;
  if (index->cached) {
    if (av_packet_ref(packet, index->entries[number].packet) < 0) return km_fail(error, KM_MEMORY, "reading: out of memory");
    return KM_OK;
  }
  int jumped = number < packets->next || number > packets->next + READ_AHEAD;
  int known = !jumped || jump(packets, number, packet);
  int code = known ? read_on(packets, number, jumped, packet) : 0;
  if (code <= 0 && code != AVERROR_EXIT) {
    // The seek landed elsewhere than thought: only the start is certain.
    int32_t status = rewind_to_start(packets, error);
    if (status) return status;
    code = read_on(packets, number, 0, packet);
  }
  return code == 1 ? KM_OK : lost(packets, number, code, error);
}
