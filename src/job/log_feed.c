/* The feed. Callbacks may add and remove subscribers, themselves too: a removed one stays in the list, marked, until
 * nobody walks over it any more. Old lines are read in slices of one timer each, so that a log of many megabytes
 * neither stops the loop nor fills the memory of a connection that cannot keep up. */
#include "job/log_feed.h"

#include "base/log.h"
#include "job/log_reader.h"
#include "limits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_BYTES = 64 << 10, RETRY_MS = 100 };

struct log_subscriber {
    struct log_subscription subscription; /* offset moves, state follows the job */
    bool is_behind;                       /* the file may hold more than was delivered */
    bool is_removed;
    struct log_subscriber *next;
};

struct log_feed {
    struct loop *loop;
    struct loop_timer *turn; /* NULL: nobody is behind */
    struct log_subscriber *first;
    unsigned walks; /* loops over the list that are under way */
    bool has_removed;
    char folder[FILE_PATH_BYTES];
    char slice[SLICE_BYTES];
};

static void on_turn(void *context);

enum err_code log_feed_create(struct loop *loop, const char *folder, struct log_feed **out, struct err *err)
{
    struct log_feed *feed = calloc(1, sizeof *feed);

    *out = feed;
    if (feed == NULL)
        return err_nomem(err, sizeof *feed);
    feed->loop = loop;
    (void)snprintf(feed->folder, sizeof feed->folder, "%s", folder);
    return ERR_OK;
}

static void sweep(struct log_feed *feed)
{
    struct log_subscriber **link = &feed->first;

    while (*link != NULL) {
        struct log_subscriber *subscriber = *link;
        if (subscriber->is_removed) {
            *link = subscriber->next;
            free(subscriber);
        } else {
            link = &subscriber->next;
        }
    }
    feed->has_removed = false;
}

void log_feed_destroy(struct log_feed *feed)
{
    if (feed == NULL)
        return;
    assert(feed->walks == 0);
    if (feed->turn != NULL)
        loop_timer_remove(feed->loop, feed->turn);
    for (struct log_subscriber *subscriber = feed->first; subscriber != NULL; subscriber = subscriber->next)
        subscriber->is_removed = true;
    sweep(feed);
    free(feed);
}

enum err_code log_feed_path(const struct log_feed *feed, int64_t id, char out[FILE_PATH_BYTES],
                            struct err *err)
{
    return log_reader_path(feed->folder, id, out, err);
}

static enum err_code open_reader(const struct log_feed *feed, int64_t id, struct log_reader *out,
                                 struct err *err)
{
    char path[FILE_PATH_BYTES];

    enum err_code code = log_feed_path(feed, id, path, err);
    return code == ERR_OK ? log_reader_open(path, LIMIT_JOB_LOG_BYTES, out, err) : code;
}

static enum err_code want_turn(struct log_feed *feed, int64_t delay_ms, struct err *err)
{
    if (feed->turn != NULL)
        return ERR_OK;
    return loop_timer_add(feed->loop, delay_ms, 0, on_turn, feed, &feed->turn, err);
}

static void fall_behind(struct log_feed *feed, struct log_subscriber *subscriber)
{
    struct err err = {0};

    subscriber->is_behind = true;
    if (want_turn(feed, 0, &err) != ERR_OK) /* the next line tries again */
        log_line(LOG_ERROR, "jobs", "cannot feed a log: %s", err.text);
}

enum err_code log_feed_add(struct log_feed *feed, struct log_subscription subscription,
                           struct log_subscriber **out, struct err *err)
{
    struct log_reader reader;

    enum err_code code = open_reader(feed, subscription.id, &reader, err);
    if (code != ERR_OK)
        return code;
    if (subscription.offset < 0 || subscription.offset > log_reader_end(&reader))
        return err_set_field(err, ERR_INVALID, "offset",
                             "offset %" PRId64 " is outside the log of job %" PRId64 ", which has %" PRId64
                             " bytes",
                             subscription.offset, subscription.id, log_reader_end(&reader));
    struct log_subscriber *subscriber = calloc(1, sizeof *subscriber);
    if (subscriber == NULL)
        return err_nomem(err, sizeof *subscriber);
    subscriber->subscription = subscription;
    subscriber->is_behind = true;
    code = want_turn(feed, 0, err);
    if (code != ERR_OK) {
        free(subscriber);
        return code;
    }
    subscriber->next = feed->first;
    feed->first = subscriber;
    *out = subscriber;
    return ERR_OK;
}

void log_feed_remove(struct log_feed *feed, struct log_subscriber *subscriber)
{
    assert(!subscriber->is_removed);
    subscriber->is_removed = true;
    feed->has_removed = true;
    if (feed->walks == 0)
        sweep(feed);
}

static void end_walk(struct log_feed *feed)
{
    if (--feed->walks == 0 && feed->has_removed)
        sweep(feed);
}

/* Delivers the whole lines of data, which begins at the subscriber's place. */
static void deliver(struct log_subscriber *subscriber, const char *data, size_t size_bytes)
{
    struct log_subscription *to = &subscriber->subscription;
    const char *end;

    while (!subscriber->is_removed && size_bytes > 0 && (end = memchr(data, '\n', size_bytes)) != NULL) {
        size_t length = (size_t)(end - data);
        to->offset += (int64_t)length + 1;
        to->line(to->context, to->offset, data, length);
        data += length + 1;
        size_bytes -= length + 1;
    }
}

/* What has no end of line: the last bytes of a killed server, or a line longer than a slice (not one of ours). */
static void deliver_rest(struct log_subscriber *subscriber, const char *data, size_t size_bytes)
{
    struct log_subscription *to = &subscriber->subscription;

    to->offset += (int64_t)size_bytes;
    to->line(to->context, to->offset, data, size_bytes);
}

/* Bytes from *offset of the job's log, or from the next place that is kept, into feed->slice; 0 at its end, or when there
 * is none; -1 on an error. */
static ssize_t read_slice(struct log_feed *feed, int64_t id, int64_t *offset)
{
    struct log_reader reader;
    size_t got = 0;

    if (open_reader(feed, id, &reader, NULL) != ERR_OK ||
        log_reader_read(&reader, offset, feed->slice, sizeof feed->slice, &got, NULL) != ERR_OK)
        return -1;
    return (ssize_t)got;
}

/* The subscriber's last call; its memory goes with the walk, unless it has left by itself. */
static void finish(struct log_feed *feed, struct log_subscriber *subscriber)
{
    struct log_subscription *to = &subscriber->subscription;

    if (to->end != NULL)
        to->end(to->context, to->state);
    subscriber->is_removed = true;
    feed->has_removed = true;
}

/* One slice. False: try again soon, the file could not be read. */
static bool catch_up(struct log_feed *feed, struct log_subscriber *subscriber)
{
    int64_t *offset = &subscriber->subscription.offset, before;
    bool is_over = job_state_is_final(subscriber->subscription.state);

    ssize_t got = read_slice(feed, subscriber->subscription.id, offset);
    before = *offset;
    if (got < 0 && !is_over)
        return false;
    if (got > 0)
        deliver(subscriber, feed->slice, (size_t)got);
    if (subscriber->is_removed)
        return true;
    if (got > 0 && *offset == before && (is_over || got == SLICE_BYTES))
        deliver_rest(subscriber, feed->slice, (size_t)got);
    if (subscriber->is_removed || (got > 0 && *offset > before))
        return true; /* more may follow */
    subscriber->is_behind = false;
    if (is_over)
        finish(feed, subscriber);
    return true;
}

static void on_turn(void *context)
{
    struct log_feed *feed = context;
    bool is_behind = false, is_readable = true;
    struct err err = {0};

    feed->turn = NULL;
    feed->walks++;
    for (struct log_subscriber *subscriber = feed->first; subscriber != NULL; subscriber = subscriber->next) {
        if (subscriber->is_removed || !subscriber->is_behind)
            continue;
        is_readable = catch_up(feed, subscriber) && is_readable;
        is_behind = is_behind || (!subscriber->is_removed && subscriber->is_behind);
    }
    end_walk(feed);
    if (is_behind && want_turn(feed, is_readable ? 0 : RETRY_MS, &err) != ERR_OK)
        log_line(LOG_ERROR, "jobs", "cannot feed a log: %s", err.text);
}

void log_feed_written(struct log_feed *feed, int64_t id, int64_t begin, const char *data, size_t size_bytes)
{
    feed->walks++;
    for (struct log_subscriber *subscriber = feed->first; subscriber != NULL; subscriber = subscriber->next) {
        if (subscriber->is_removed || subscriber->subscription.id != id)
            continue;
        if (subscriber->subscription.offset == begin)
            deliver(subscriber, data, size_bytes);
        else
            fall_behind(feed, subscriber);
    }
    end_walk(feed);
}

void log_feed_ended(struct log_feed *feed, int64_t id, enum job_state state)
{
    for (struct log_subscriber *subscriber = feed->first; subscriber != NULL; subscriber = subscriber->next) {
        if (subscriber->is_removed || subscriber->subscription.id != id)
            continue;
        subscriber->subscription.state = state;
        fall_behind(feed, subscriber);
    }
}
