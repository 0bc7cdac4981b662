/* Log: structured lines to one sink: `2026-03-01T12:00:00.123456Z info server: listening on 127.0.0.1:5050`.
 * The sink and the clock are handed in (os/ opens the file, main sets stderr). Threads: safe; a line is one
 * write. */
#ifndef ALMANAC_BASE_LOG_H
#define ALMANAC_BASE_LOG_H

#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

typedef void log_sink(void *context, enum log_level level, const char *line, size_t size_bytes);

void log_start(enum log_level least, int64_t (*now_us)(void), log_sink *sink, void *context);
void log_line(enum log_level level, const char *component, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
