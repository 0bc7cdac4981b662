/* Log: see log.h.
 *
 * One process has one log, so the state is global and guarded by a mutex that is held while the sink runs:
 * lines never mix, whatever the sink does. A message is one line whatever it contains: control characters (a
 * newline in a file name, an escape sequence in a request) become spaces, and what is too long is cut with
 * "...". Before log_start nothing is written. */
#include "base/log.h"
#include "base/time.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LOG_LINE_BYTES = 4096 };

static struct {
    pthread_mutex_t mutex;
    enum log_level least;
    int64_t (*now_us)(void);
    log_sink *sink;
    void *context;
} log_state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void log_start(enum log_level least, int64_t (*now_us)(void), log_sink *sink, void *context)
{
    (void)pthread_mutex_lock(&log_state.mutex);
    log_state.least = least;
    log_state.now_us = now_us;
    log_state.sink = sink;
    log_state.context = context;
    (void)pthread_mutex_unlock(&log_state.mutex);
}

/* Microseconds are always written, so that columns line up. */
static size_t log_put_head(char *line, int64_t now_us, enum log_level level, const char *component)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct civil now = time_to_civil(now_us, ZONE_UTC);
    int64_t fraction_us = (now_us % TIME_SECOND_US + TIME_SECOND_US) % TIME_SECOND_US;
    int length =
        snprintf(line, 256, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ %s %.64s: ", now.year, now.month, now.day,
                 now.hour, now.minute, now.second, (int)fraction_us, names[level], component);
    return length > 0 ? (size_t)length : 0;
}

static size_t log_put_message(char *line, size_t size_bytes, const char *format, va_list arguments)
{
    size_t room = LOG_LINE_BYTES - 1 - size_bytes; /* the newline needs one */
    int length = vsnprintf(line + size_bytes, room, format, arguments);
    if (length < 0)
        return size_bytes;
    size_t end = size_bytes + (size_t)length;
    if ((size_t)length >= room) {
        end = size_bytes + room - 1;
        size_t cut = end - 3;
        while (cut > size_bytes && ((unsigned char)line[cut] & 0xC0) == 0x80)
            cut--;
        memcpy(line + cut, "...", 3);
        end = cut + 3;
    }
    for (size_t index = size_bytes; index < end; index++)
        if ((unsigned char)line[index] < 0x20 || line[index] == 0x7F)
            line[index] = ' ';
    return end;
}

void log_line(enum log_level level, const char *component, const char *format, ...)
{
    (void)pthread_mutex_lock(&log_state.mutex);
    if (log_state.sink && level >= log_state.least) {
        char line[LOG_LINE_BYTES];
        va_list arguments;
        va_start(arguments, format);
        size_t size_bytes = log_put_head(line, log_state.now_us(), level, component);
        size_bytes = log_put_message(line, size_bytes, format, arguments);
        va_end(arguments);
        line[size_bytes++] = '\n';
        log_state.sink(log_state.context, level, line, size_bytes);
    }
    (void)pthread_mutex_unlock(&log_state.mutex);
}
