#include "status.h"

#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int32_t fail(km_error *error, km_status status, int code, const char *format, va_list arguments) {
  if (error) {
    error->status = status;
    error->frame = -1;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    if (code < 0) {
      size_t used = strlen(error->text);
      char reason[AV_ERROR_MAX_STRING_SIZE] = "";
      av_strerror(code, reason, sizeof reason);
      snprintf(error->text + used, sizeof error->text - used, ": %s", reason);
    }
  }
  return status;
}

int32_t km_fail(km_error *error, km_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int32_t result = fail(error, status, 0, format, arguments);
  va_end(arguments);
  return result;
}

int32_t km_fail_av(km_error *error, km_status status, int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int32_t result = fail(error, status, code, format, arguments);
  va_end(arguments);
  return result;
}

void km_clear(km_error *error) {
  if (error) {
    error->status = KM_OK;
    error->frame = -1;
    error->text[0] = 0;
  }
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

void km_watch_resume(km_watch *watch, int64_t budget_ns, const int32_t *cancel) {
  watch->stop_at_ns = budget_ns > 0 ? now_ns() + budget_ns : 0;
  watch->cancel = cancel;
}

int64_t km_watch_pause(km_watch *watch) {
  int64_t left = watch->stop_at_ns ? watch->stop_at_ns - now_ns() : 0;
  int64_t budget = !watch->stop_at_ns ? 0 : left > 0 ? left : 1;
  *watch = (km_watch){0};
  return budget;
}

int32_t km_watch_check(const km_watch *watch) {
  if (watch->cancel && __atomic_load_n(watch->cancel, __ATOMIC_RELAXED)) return KM_CANCELLED;
  if (watch->stop_at_ns && now_ns() > watch->stop_at_ns) return KM_DEADLINE;
  return KM_OK;
}

int32_t km_watch_fail(const km_watch *watch, km_error *error, const char *operation) {
  switch (km_watch_check(watch)) {
    case KM_CANCELLED: return km_fail(error, KM_CANCELLED, "%s: cancelled", operation);
    case KM_DEADLINE: return km_fail(error, KM_DEADLINE, "%s: not done within the deadline", operation);
    default: return KM_OK;
  }
}
