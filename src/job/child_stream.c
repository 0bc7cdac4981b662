/* Both pipes of a worker. Messages of the channel become events or the outcome; lines of the log pipe (stdout and
 * stderr of the process, whoever writes there) become lines of the job's log. */
#include "job/child_stream.h"

#include "base/text.h"
#include "job/log_file.h"
#include "job/protocol.h"
#include "limits.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10 };

static void on_message_line(void *context, const char *text, size_t size_bytes);
static void on_log_line(void *context, const char *text, size_t size_bytes);

void child_stream_init(struct child_stream *stream, const struct child_events *events)
{
    *stream = (struct child_stream){.events = events};
    lines_init(&stream->channel, LIMIT_WORKER_LINE_BYTES, false, on_message_line, stream);
    lines_init(&stream->log, LOG_FILE_TEXT_BYTES, true, on_log_line, stream);
}

void child_stream_release(struct child_stream *stream)
{
    lines_release(&stream->channel);
    lines_release(&stream->log);
    json_decref(stream->result);
    stream->result = NULL;
}

static void break_protocol(struct child_stream *stream, const char *format, ...) PRINTF_LIKE(2, 3);
static void break_protocol(struct child_stream *stream, const char *format, ...)
{
    static const char head[] = "worker broke the protocol: ";
    va_list arguments;

    if (stream->is_broken)
        return;
    stream->is_broken = true;
    memcpy(stream->failure, head, sizeof head);
    va_start(arguments, format);
    (void)vsnprintf(stream->failure + sizeof head - 1, sizeof stream->failure - sizeof head + 1, format,
                    arguments);
    va_end(arguments);
}

/* ---- messages ---- */

/* A text of any length as lines of the log. */
static void tell_line(struct child_stream *stream, const char *text)
{
    size_t left = strlen(text);

    do {
        size_t taken = left > LOG_FILE_TEXT_BYTES ? LOG_FILE_TEXT_BYTES : left;
        stream->events->line(stream->events->context, text, taken);
        text += taken;
        left -= taken;
    } while (left > 0);
}

static void tell_metric(struct child_stream *stream, const struct protocol_message *message)
{
    char line[256];

    (void)snprintf(line, sizeof line, "metric %.100s = %.10g (step %" PRId64 ")", message->text,
                   message->value, message->step);
    tell_line(stream, line);
    stream->events->metric(stream->events->context, message->text, message->value, message->step);
}

static void take_hello(struct child_stream *stream, const struct protocol_message *message)
{
    if (stream->has_hello)
        break_protocol(stream, "a second hello");
    else if (message->version != PROTOCOL_VERSION)
        break_protocol(stream, "it speaks version %" PRId64 ", the server %d", message->version,
                       PROTOCOL_VERSION);
    stream->has_hello = true;
}

static bool is_retryable(const char *name)
{
    for (int ordinal = 1; ordinal < ERR_ORDINAL_COUNT; ordinal++) {
        enum err_code code = (enum err_code) - ordinal;
        if (strcmp(err_name(code), name) == 0)
            return err_is_retryable(code) != 0;
    }
    return false;
}

static void take_end(struct child_stream *stream, const struct protocol_message *message)
{
    stream->is_complete = true;
    if (message->kind == PROTOCOL_RESULT) {
        stream->result = json_deep_copy(message->result);
        if (stream->result == NULL)
            break_protocol(stream, "no memory for its result");
        return;
    }
    (void)text_copy(text_of(message->text), stream->failure, sizeof stream->failure);
    stream->is_cancelled = strcmp(message->code, err_name(ERR_CANCELLED)) == 0;
    stream->is_retryable = is_retryable(message->code);
}

static void take_message(struct child_stream *stream, const struct protocol_message *message)
{
    if (stream->is_complete) {
        break_protocol(stream, "a %s behind its end", protocol_kind_name(message->kind));
        return;
    }
    if (!stream->has_hello && message->kind != PROTOCOL_HELLO) {
        break_protocol(stream, "a %s before its hello", protocol_kind_name(message->kind));
        return;
    }
    switch (message->kind) {
    case PROTOCOL_HELLO:
        take_hello(stream, message);
        break;
    case PROTOCOL_PROGRESS:
        stream->events->progress(stream->events->context, message->text, message->done, message->total);
        break;
    case PROTOCOL_METRIC:
        tell_metric(stream, message);
        break;
    case PROTOCOL_LOG:
        tell_line(stream, message->text);
        break;
    default:
        take_end(stream, message);
        break;
    }
}

static void on_message_line(void *context, const char *text, size_t size_bytes)
{
    struct child_stream *stream = context;
    struct protocol_message message;
    struct err err = {0};

    if (stream->is_broken)
        return;
    if (protocol_read(text, size_bytes, &message, &err) != ERR_OK) {
        break_protocol(stream, "%s", err.text);
        return;
    }
    take_message(stream, &message);
    protocol_message_release(&message);
}

/* ---- the log pipe ---- */

static void on_log_line(void *context, const char *text, size_t size_bytes)
{
    struct child_stream *stream = context;
    struct text trimmed = text_trim((struct text){text, size_bytes});

    if (trimmed.size_bytes > 0)
        (void)text_copy(trimmed, stream->last_line, sizeof stream->last_line);
    stream->events->line(stream->events->context, text, size_bytes);
}

/* ---- reading ---- */

static size_t read_once(struct lines *lines, int descriptor, bool *ended)
{
    char chunk[READ_BYTES];
    ssize_t got;

    if (*ended)
        return 0;
    do
        got = read(descriptor, chunk, sizeof chunk);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        lines_feed(lines, chunk, (size_t)got);
    else if (got == 0 || errno != EAGAIN)
        *ended = true;
    return got > 0 ? (size_t)got : 0;
}

size_t child_stream_read_channel(struct child_stream *stream, int descriptor)
{
    size_t got = read_once(&stream->channel, descriptor, &stream->channel_ended);

    if (stream->channel.is_too_long)
        break_protocol(stream, "a message longer than %d bytes", LIMIT_WORKER_LINE_BYTES);
    if (got > 0)
        stream->events->flush(stream->events->context);
    return got;
}

size_t child_stream_read_log(struct child_stream *stream, int descriptor)
{
    size_t got = read_once(&stream->log, descriptor, &stream->log_ended);

    if (got > 0)
        stream->events->flush(stream->events->context);
    return got;
}

/* Half a message is none: the process died in the middle of it. */
void child_stream_end(struct child_stream *stream)
{
    lines_end(&stream->log);
    stream->events->flush(stream->events->context);
}

bool child_stream_is_readable(int descriptor)
{
    struct pollfd watched = {.fd = descriptor, .events = POLLIN};

    return poll(&watched, 1, 0) > 0;
}

/* ---- the end ---- */

/* A signal is nobody's fault in particular (another process, no memory), except the one of the limit. */
static bool is_accident(const struct process_end *end)
{
    return !end->exited && end->signal != SIGXCPU;
}

static void describe_end(const struct child_stream *stream, const struct process_end *end, char *out,
                         size_t out_bytes)
{
    const char *signal_name = end->exited ? NULL : sigabbrev_np(end->signal);
    const char *separator = stream->last_line[0] == '\0' ? "" : ": ";

    if (end->exited)
        (void)snprintf(out, out_bytes, "worker ended with status %d without a result%s%s", end->exit_code,
                       separator, stream->last_line);
    else if (end->signal == SIGXCPU)
        (void)snprintf(out, out_bytes, "worker used more processor time than job_cpu_s allows%s%s", separator,
                       stream->last_line);
    else
        (void)snprintf(out, out_bytes, "worker was ended by signal %d (SIG%s) without a result%s%s",
                       end->signal, signal_name == NULL ? "?" : signal_name, separator, stream->last_line);
}

void child_stream_conclude(const struct child_stream *stream, const struct process_end *end,
                           struct child_outcome *out)
{
    *out = (struct child_outcome){0};
    if (!stream->is_broken && stream->result != NULL) {
        out->result = stream->result;
        return;
    }
    out->is_cancelled = stream->is_cancelled;
    out->is_silent = !stream->is_broken && !stream->is_complete;
    out->is_retryable = !stream->is_broken && (stream->is_complete ? stream->is_retryable : is_accident(end));
    if (stream->is_broken || stream->is_complete)
        (void)text_copy(text_of(stream->failure), out->failure, sizeof out->failure);
    else
        describe_end(stream, end, out->failure, sizeof out->failure);
}
