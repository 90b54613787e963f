#include "demux.h"

#include <libavutil/avstring.h>
#include <libavutil/dict.h>

// Containers of one file each. Not in the list: concat, hls, dash, sdp, image2 and everything else that opens
// further files or the network.
static const char formats[] =
    "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpegts,mpeg,flv,asf,ogg,mjpeg,h264,hevc,m4v,mpegvideo,ivf,gif";
const char km_codec_whitelist[] =
    "h264,hevc,mpeg4,msmpeg4v1,msmpeg4v2,msmpeg4,mpeg1video,mpeg2video,vp8,vp9,libdav1d,mjpeg,h263,flv,wmv1,wmv2,vc1,"
    "theora,gif,rawvideo,ffv1";

static int deny_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options) {
  (void)format, (void)io, (void)url, (void)flags, (void)options;
  return AVERROR(EPERM);
}

static int interrupted(void *watch) { return km_watch_check(watch) != KM_OK; }

int km_demux_is(const km_demuxer *demuxer, const char *name) {
  return av_match_name(name, demuxer->format->iformat->name);
}

AVStream *km_demux_stream(const km_demuxer *demuxer) { return demuxer->format->streams[demuxer->stream]; }

// Whether the header alone describes the video. Only mov and matroska headers are complete enough to go on without
// avformat_find_stream_info, which decodes frames and costs more than the index.
static int header_suffices(const km_demuxer *demuxer) {
  const AVFormatContext *format = demuxer->format;
  if (!km_demux_is(demuxer, "mov") && !km_demux_is(demuxer, "matroska")) return 0;
  if (format->ctx_flags & AVFMTCTX_NOHEADER) return 0;
  int videos = 0;
  for (unsigned i = 0; i < format->nb_streams; i++) {
    const AVCodecParameters *parameters = format->streams[i]->codecpar;
    if (parameters->codec_type != AVMEDIA_TYPE_VIDEO || (format->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC)) continue;
    if (parameters->width <= 0 || parameters->height <= 0 || parameters->codec_id == AV_CODEC_ID_NONE) return 0;
    videos++;
  }
  return videos == 1;
}

int32_t km_demux_open(km_demuxer *demuxer, km_bytes *bytes, const km_reader_options *options, km_watch *watch, km_error *error) {
  *demuxer = (km_demuxer){.stream = -1};
  demuxer->io = km_bytes_io(bytes);
  demuxer->format = avformat_alloc_context();
  if (!demuxer->io || !demuxer->format) return km_fail(error, KM_MEMORY, "opening: out of memory");

  AVFormatContext *format = demuxer->format;
  format->pb = demuxer->io;
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->io_open = deny_open;
  format->interrupt_callback = (AVIOInterruptCB){interrupted, watch};
  format->max_streams = options->max_streams;
  AVDictionary *settings = NULL;
  av_dict_set(&settings, "format_whitelist", formats, 0);
  av_dict_set(&settings, "codec_whitelist", km_codec_whitelist, 0);
  av_dict_set(&settings, "protocol_whitelist", "", 0);
  av_dict_set_int(&settings, "probesize", 5 << 20, 0);
  av_dict_set(&settings, "enable_drefs", "0", 0);
  av_dict_set(&settings, "use_absolute_path", "0", 0);
  int code = avformat_open_input(&demuxer->format, "", NULL, &settings);  // frees and clears the context if it fails
  av_dict_free(&settings);
  if (code < 0) {
    int32_t stopped = km_watch_fail(watch, error, "opening");
    return stopped ? stopped : km_fail_av(error, KM_FORMAT, code, "opening: expected a video file");
  }

  if (!header_suffices(demuxer)) {
    code = avformat_find_stream_info(demuxer->format, NULL);
    int32_t stopped = km_watch_fail(watch, error, "opening");
    if (stopped) return stopped;
    if (code < 0) return km_fail_av(error, KM_FORMAT, code, "opening: no stream could be understood");
  }
  demuxer->stream = av_find_best_stream(demuxer->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
  if (demuxer->stream < 0) return km_fail(error, KM_FORMAT, "opening: expected a video stream, found none");
  for (unsigned i = 0; i < demuxer->format->nb_streams; i++) {
    if ((int)i != demuxer->stream) demuxer->format->streams[i]->discard = AVDISCARD_ALL;
  }
  return KM_OK;
}

void km_demux_close(km_demuxer *demuxer) {
  avformat_close_input(&demuxer->format);
  km_bytes_io_free(&demuxer->io);
}

int km_demux_next(km_demuxer *demuxer, const km_watch *watch, AVPacket *packet) {
  for (;;) {
    if (km_watch_check(watch) != KM_OK) return AVERROR_EXIT;
    int code = av_read_frame(demuxer->format, packet);
    // Some demuxers call the end of the file an error.
    if (code < 0) return code != AVERROR_EXIT && avio_feof(demuxer->io) ? AVERROR_EOF : code;
    if (packet->stream_index == demuxer->stream && packet->size > 0) return 0;
    av_packet_unref(packet);
  }
}
