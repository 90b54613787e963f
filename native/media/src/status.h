// Errors as text, and the two reasons to stop early: a deadline and the caller's flag.
#ifndef KM_STATUS_H
#define KM_STATUS_H

#include "kinora_media.h"

// Writes the error and returns its status, so that callers can say `return km_fail(...)`.
int32_t km_fail(km_error *error, km_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
// The same, followed by FFmpeg's text for a negative AVERROR code.
int32_t km_fail_av(km_error *error, km_status status, int code, const char *format, ...) __attribute__((format(printf, 4, 5)));
void km_clear(km_error *error);

typedef struct {
  int64_t stop_at_ns;  // of the monotonic clock; 0 = never
  const int32_t *cancel;
} km_watch;

void km_watch_start(km_watch *watch, int32_t deadline_ms, const int32_t *cancel);
// KM_OK, KM_DEADLINE or KM_CANCELLED.
int32_t km_watch_check(const km_watch *watch);
// km_watch_check with the error filled in.
int32_t km_watch_fail(const km_watch *watch, km_error *error, const char *operation);

#endif
