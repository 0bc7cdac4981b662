/* The life of a worker process. Four descriptors hang on the loop: its input until the request is through, its channel
 * and its log until they end, its pidfd until it has ended.
 *
 * A job is over when its leader has ended. What is left of the group then is killed (at once, or when the grace is over
 * if it was asked to stop), and the leader is reaped last: until then its pid, which names the group, cannot be given
 * to anybody else. A process that left the group on purpose is not ours any more; its copies of the pipes are not
 * waited for. */
#include "job/child.h"

#include "base/log.h"
#include "base/text.h"
#include "job/child_stream.h"
#include "os/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    GROUP_POLL_MS = 20,
    DESTROY_WAIT_MS = 10000,
    /* more than any pipe holds: what a dead group left is read, a stranger with a copy of the pipe is not listened to */
    LAST_READ_BYTES = 4 << 20,
};

struct child {
    struct loop *loop;
    struct process process;
    struct child_events events;
    int64_t grace_ms;
    struct loop_watch *input_watch, *channel_watch, *log_watch, *end_watch;
    struct loop_timer *grace_timer, *group_timer;
    struct buffer request;
    size_t sent_bytes;
    struct child_stream stream;
    bool has_ended, is_terminated, is_killed;
};

static void drop_watch(struct child *child, struct loop_watch **watch)
{
    if (*watch != NULL)
        loop_watch_remove(child->loop, *watch);
    *watch = NULL;
}

static void drop_timer(struct child *child, struct loop_timer **timer)
{
    if (*timer != NULL)
        loop_timer_remove(child->loop, *timer);
    *timer = NULL;
}

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

int64_t child_pid(const struct child *child)
{
    return child->process.pid;
}

/* ---- the end ---- */

void child_kill(struct child *child)
{
    child->is_killed = true;
    process_signal(&child->process, SIGKILL);
}

static void on_grace_over(void *context)
{
    struct child *child = context;

    child->grace_timer = NULL;
    child_kill(child);
}

/* From now on the group has grace_ms left. */
static void start_grace(struct child *child)
{
    struct err err = {0};

    if (child->grace_timer != NULL || child->is_killed)
        return;
    if (loop_timer_add(child->loop, child->grace_ms, 0, on_grace_over, child, &child->grace_timer, &err) !=
        ERR_OK) {
        log_line(LOG_ERROR, "jobs", "no grace for process %" PRId64 ": %s", child_pid(child), err.text);
        child_kill(child);
    }
}

void child_terminate(struct child *child)
{
    if (child->is_terminated)
        return;
    child->is_terminated = true;
    process_signal(&child->process, SIGTERM);
    start_grace(child);
}

static void read_rest(struct child *child)
{
    for (size_t total = 0; total < LAST_READ_BYTES;) {
        size_t got = child_stream_read_channel(&child->stream, child->process.channel);
        got += child_stream_read_log(&child->stream, child->process.log);
        if (got == 0)
            break;
        total += got;
    }
    child_stream_end(&child->stream);
}

/* Calls `ended` when nothing is left of the group; the child may be gone afterwards. */
static void look_for_end(struct child *child)
{
    struct child_outcome outcome = {0};
    struct process_end end;

    if (!child->has_ended)
        return;
    if (child->is_killed) /* again: a group may grow while it is killed */
        process_signal(&child->process, SIGKILL);
    if (!process_group_is_gone(child->process.pid))
        return;
    read_rest(child);
    bool is_reaped = process_reap(&child->process, &end);
    assert(is_reaped);
    (void)is_reaped;
    child->process.pid = -1;
    drop_timer(child, &child->grace_timer);
    drop_timer(child, &child->group_timer);
    child_stream_conclude(&child->stream, &end, &outcome);
    child->events.ended(child->events.context, &outcome);
}

static void on_group_poll(void *context)
{
    look_for_end(context);
}

static void note_end(struct child *child)
{
    struct err err = {0};

    if (child->has_ended)
        return;
    child->has_ended = true;
    if (!child->is_terminated)
        child_kill(child); /* what it left behind */
    if (loop_timer_add(child->loop, GROUP_POLL_MS, GROUP_POLL_MS, on_group_poll, child, &child->group_timer,
                       &err) == ERR_OK)
        drop_watch(child, &child->end_watch);
    else /* the watch stays: it fires without pause, but the end is seen */
        log_line(LOG_ERROR, "jobs", "no timer for the end of process %" PRId64 ": %s", child_pid(child),
                 err.text);
}

static void on_end(void *context, unsigned events)
{
    struct child *child = context;

    (void)events;
    note_end(child);
    look_for_end(child);
}

/* ---- what it says ---- */

/* After each read: a worker that broke the protocol is killed, one that said its last has grace to leave. */
static void judge_stream(struct child *child)
{
    if (child->stream.is_broken && !child->is_killed)
        child_kill(child);
    if (child->stream.is_complete || child->stream.channel_ended)
        start_grace(child);
    if (child->stream.channel_ended)
        drop_watch(child, &child->channel_watch);
    if (child->stream.log_ended)
        drop_watch(child, &child->log_watch);
}

static void on_channel(void *context, unsigned events)
{
    struct child *child = context;

    (void)events;
    (void)child_stream_read_channel(&child->stream, child->process.channel);
    judge_stream(child);
}

static void on_log(void *context, unsigned events)
{
    struct child *child = context;

    (void)events;
    (void)child_stream_read_log(&child->stream, child->process.log);
    judge_stream(child);
}

/* ---- what it is told ---- */

static void end_input(struct child *child)
{
    drop_watch(child, &child->input_watch);
    close_descriptor(&child->process.input);
    buffer_release(&child->request);
}

/* A worker that does not want the rest has ended or will say why. */
static void send_more(struct child *child)
{
    while (child->sent_bytes < child->request.size_bytes) {
        ssize_t done = write(child->process.input, child->request.data + child->sent_bytes,
                             child->request.size_bytes - child->sent_bytes);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN)
            return;
        if (done <= 0)
            break;
        child->sent_bytes += (size_t)done;
    }
    end_input(child);
}

static void on_input(void *context, unsigned events)
{
    (void)events;
    send_more(context);
}

enum err_code child_send(struct child *child, struct buffer *request, struct err *err)
{
    assert(child->request.size_bytes == 0 && child->process.input >= 0);
    child->request = *request;
    buffer_init(request, request->max_bytes);
    if (fcntl(child->process.input, F_SETFL, O_NONBLOCK) != 0)
        return err_set_errno(err, errno, "cannot send a request to a worker");
    send_more(child);
    if (child->process.input < 0)
        return ERR_OK;
    return loop_watch_add(child->loop, child->process.input, LOOP_WRITE, on_input, child, &child->input_watch,
                          err);
}

/* ---- life ---- */

static enum err_code watch(struct child *child, struct err *err)
{
    struct loop *loop = child->loop;

    enum err_code code = loop_watch_add(loop, child->process.channel, LOOP_READ, on_channel, child,
                                        &child->channel_watch, err);
    if (code == ERR_OK)
        code = loop_watch_add(loop, child->process.log, LOOP_READ, on_log, child, &child->log_watch, err);
    if (code == ERR_OK)
        code = loop_watch_add(loop, child->process.pidfd, LOOP_READ, on_end, child, &child->end_watch, err);
    return code;
}

enum err_code child_start(struct loop *loop, const char *program, int64_t grace_ms,
                          struct child_events events, struct child **out, struct err *err)
{
    const char *const argv[] = {program, "worker", NULL};

    *out = NULL;
    struct child *child = calloc(1, sizeof *child);
    if (child == NULL)
        return err_nomem(err, sizeof *child);
    child->loop = loop;
    child->events = events;
    child->grace_ms = grace_ms;
    child_stream_init(&child->stream, &child->events);
    enum err_code code = process_start(argv, &child->process, err);
    if (code == ERR_OK)
        code = watch(child, err);
    if (code != ERR_OK) {
        child_destroy(child);
        return code;
    }
    *out = child;
    return ERR_OK;
}

void child_step(struct child *child)
{
    (void)child_stream_read_channel(&child->stream, child->process.channel);
    (void)child_stream_read_log(&child->stream, child->process.log);
    judge_stream(child);
    if (!child->has_ended && child_stream_is_readable(child->process.pidfd))
        note_end(child);
    look_for_end(child);
}

void child_destroy(struct child *child)
{
    struct process_end end;

    if (child == NULL)
        return;
    if (child->process.pid > 0) {
        child_kill(child);
        if (!process_wait(&child->process, DESTROY_WAIT_MS, &end))
            log_line(LOG_ERROR, "jobs", "process %" PRId64 " does not die", child_pid(child));
    }
    drop_watch(child, &child->input_watch);
    drop_watch(child, &child->channel_watch);
    drop_watch(child, &child->log_watch);
    drop_watch(child, &child->end_watch);
    drop_timer(child, &child->grace_timer);
    drop_timer(child, &child->group_timer);
    process_close(&child->process);
    buffer_release(&child->request);
    child_stream_release(&child->stream);
    free(child);
}
