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

// Starts a call that may take this long; 0 = without limit.
void km_watch_resume(km_watch *watch, int64_t budget_ns, const int32_t *cancel);
// Ends it and gives what is left of the budget (at least 1), or 0 if there was no limit.
int64_t km_watch_pause(km_watch *watch);
// KM_OK, KM_DEADLINE or KM_CANCELLED.
int32_t km_watch_check(const km_watch *watch);
// km_watch_check with the error filled in.
int32_t km_watch_fail(const km_watch *watch, km_error *error, const char *operation);

#endif
