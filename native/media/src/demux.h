// The container: opened with everything closed off that a hostile file could use.
#ifndef KM_DEMUX_H
#define KM_DEMUX_H

#include <libavformat/avformat.h>
#include "byte_source.h"

// Decoders that a file may ask for.
extern const char km_codec_whitelist[];

typedef struct {
  AVFormatContext *format;
  AVIOContext *io;
  int stream;  // index of the video stream
} km_demuxer;

// Opens the container and chooses the video stream. `bytes` and `watch` must outlive the demuxer.
int32_t km_demux_open(km_demuxer *demuxer, km_bytes *bytes, const km_reader_options *options, km_watch *watch, km_error *error);
void km_demux_close(km_demuxer *demuxer);
// The next packet of the video stream: 0 or a negative AVERROR, AVERROR_EOF at the end.
int km_demux_next(km_demuxer *demuxer, const km_watch *watch, AVPacket *packet);
AVStream *km_demux_stream(const km_demuxer *demuxer);
// Whether the container's demuxer has this short name ("mov").
int km_demux_is(const km_demuxer *demuxer, const char *name);

#endif
