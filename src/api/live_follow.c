/* Logs for live clients. See live_parts.h.
 *
 * The lines of a log are collected and told together: at once when it was quiet, else BATCH_MS after the last time, so that
 * thousands of lines a second cost a hundred messages. A client that reads slowly makes its follower let go of the log and
 * come back to the same place once most of what was sent has been taken: a long history never piles up. */
#include "api/live_parts.h"

#include "base/log.h"
#include "base/text.h"
#include "limits.h"
#include "os/clock.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MS = 10,
    BATCH_BYTES = 64 << 10, /* more is told at once */
    LINE_BYTES = 16 << 10,  /* of a line that is told; the file has no longer ones but for a broken end */
    TIME_BYTES = 27,        /* 2026-03-01T12:00:00.123456Z */
    UNSENT_HIGH_BYTES = 256 << 10,
    UNSENT_LOW_BYTES = 32 << 10,
    RETRY_MS = 20
};

struct live_follower {
    struct live_client *client;
    struct live_follower *next; /* of the client */
    struct live_follower *next_ready, *next_paused;
    struct log_subscriber *subscriber; /* NULL: paused, or the log has ended */
    int64_t job, offset;               /* offset: behind the last line taken */
    int64_t seq;                       /* events so far */
    bool is_ready;                     /* in the list of those with lines */
    bool is_paused;                    /* in the list of those that wait for their client */
    struct buffer text;                /* the event under way: its lines so far */
    struct json_writer out;
};

struct live_logs {
    struct live *live;
    struct live_follower *ready, *paused;
    struct loop_timer *flush, *retry; /* NULL: nothing to do */
    int64_t flushed_us;
    size_t follower_count;
    char line[LINE_BYTES + 1];
};

static void on_flush(void *context);
static void on_retry(void *context);

enum err_code live_logs_create(struct live *live, struct live_logs **out, struct err *err)
{
    struct live_logs *logs = calloc(1, sizeof(*logs));
    *out = logs;
    if (logs == NULL)
        return err_nomem(err, sizeof(*logs));
    logs->live = live;
    return ERR_OK;
}

void live_logs_destroy(struct live_logs *logs)
{
    if (logs == NULL)
        return;
    assert(logs->follower_count == 0);
    if (logs->flush != NULL)
        loop_timer_remove(logs->live->api->loop, logs->flush);
    if (logs->retry != NULL)
        loop_timer_remove(logs->live->api->loop, logs->retry);
    free(logs);
}

static struct live_logs *logs_of(const struct live_follower *follower)
{
    return follower->client->live->logs;
}

static void topic_of(const struct live_follower *follower, char out[64])
{
    (void)snprintf(out, 64, "logs:%" PRId64, follower->job);
}

/* ---- telling ---- */

/* A stream gets the data alone, a socket the envelope around it. */
static void begin_event(struct live_follower *follower)
{
    char topic[64];
    topic_of(follower, topic);
    follower->seq++;
    if (follower->client->stream != NULL)
        json_writer_init(&follower->out, &follower->text);
    else
        live_begin_event(follower->client->live, &follower->out, &follower->text, topic, follower->seq);
    json_begin_object(&follower->out);
    json_field_i64(&follower->out, "job_id", follower->job);
}

static void end_event(struct live_follower *follower)
{
    char topic[64];
    topic_of(follower, topic);
    json_end_object(&follower->out);
    if (follower->client->stream != NULL) {
        http_stream_event(follower->client->stream, follower->offset, topic, buffer_text(&follower->text),
                          follower->text.size_bytes);
    } else {
        live_end_event(&follower->out);
        live_say_socket(follower->client, &follower->text);
    }
    buffer_release(&follower->text); /* a follower whose job is quiet keeps nothing */
}

/* Tells the lines that were taken. */
static void tell(struct live_follower *follower)
{
    if (follower->text.size_bytes == 0)
        return;
    json_end_array(&follower->out);
    end_event(follower);
}

static void tell_end(struct live_follower *follower, enum job_state state)
{
    tell(follower);
    begin_event(follower);
    json_field_text(&follower->out, "state", job_state_name(state));
    end_event(follower);
}

/* "<time> <text>": the time of a line, and where its text begins. */
static const char *split_line(const char *line, size_t size_bytes, char out_time[TIME_BYTES + 1])
{
    out_time[0] = '\0';
    if (size_bytes <= TIME_BYTES || line[TIME_BYTES] != ' ' || line[TIME_BYTES - 1] != 'Z' || line[10] != 'T')
        return line;
    memcpy(out_time, line, TIME_BYTES);
    out_time[TIME_BYTES] = '\0';
    return line + TIME_BYTES + 1;
}

static void write_line(struct live_follower *follower, int64_t next_offset, const char *text,
                       size_t size_bytes)
{
    struct live_logs *logs = logs_of(follower);
    struct json_writer *out = &follower->out;
    char time[TIME_BYTES + 1];
    int64_t begin = next_offset - (int64_t)size_bytes - 1;
    size_t kept_bytes = size_bytes < LINE_BYTES ? size_bytes : LINE_BYTES;
    memcpy(logs->line, text, kept_bytes);
    logs->line[kept_bytes] = '\0';
    const char *rest = split_line(logs->line, kept_bytes, time);
    json_begin_object(out);
    json_field_i64(out, "offset", begin < follower->offset ? follower->offset : begin);
    json_field_i64(out, "next", next_offset);
    json_field_text(out, "at", time[0] == '\0' ? NULL : time);
    json_field_text(out, "text", rest);
    json_end_object(out);
}

/* ---- when ---- */

static void want_flush(struct live_logs *logs)
{
    struct err err = {0};
    int64_t since_ms = (clock_monotonic_us() - logs->flushed_us) / 1000;
    int64_t delay_ms = since_ms >= BATCH_MS ? 0 : BATCH_MS - since_ms;
    if (logs->flush == NULL &&
        loop_timer_add(logs->live->api->loop, delay_ms, 0, on_flush, logs, &logs->flush, &err) != ERR_OK)
        log_line(LOG_ERROR, "live", "cannot tell the lines of a log yet: %s",
                 err.text); /* the next line tries again */
}

static void want_retry(struct live_logs *logs)
{
    struct err err = {0};
    if (logs->retry == NULL && loop_timer_add(logs->live->api->loop, RETRY_MS, RETRY_MS, on_retry, logs,
                                              &logs->retry, &err) != ERR_OK)
        log_line(LOG_ERROR, "live", "cannot follow a log: %s", err.text);
}

/* Lets go of the log until the client has taken what it was sent. */
static void pause_follower(struct live_follower *follower)
{
    struct live_logs *logs = logs_of(follower);
    supervisor_unsubscribe(follower->client->live->api->supervisor, follower->subscriber);
    follower->subscriber = NULL;
    follower->is_paused = true;
    follower->next_paused = logs->paused;
    logs->paused = follower;
    want_retry(logs);
}

static void look_at_client(struct live_follower *follower)
{
    if (follower->subscriber != NULL && live_unsent_bytes(follower->client) > UNSENT_HIGH_BYTES)
        pause_follower(follower);
}

static void on_line(void *context, int64_t next_offset, const char *text, size_t size_bytes)
{
    struct live_follower *follower = context;
    struct live_logs *logs = logs_of(follower);
    if (follower->text.size_bytes == 0) {
        begin_event(follower);
        json_key(&follower->out, "lines");
        json_begin_array(&follower->out);
    }
    write_line(follower, next_offset, text, size_bytes);
    follower->offset = next_offset;
    if (!follower->is_ready) {
        follower->is_ready = true;
        follower->next_ready = logs->ready;
        logs->ready = follower;
    }
    if (follower->text.size_bytes < BATCH_BYTES) {
        want_flush(logs);
        return;
    }
    tell(follower);
    look_at_client(follower);
}

static void on_flush(void *context)
{
    struct live_logs *logs = context;
    logs->flush = NULL;
    logs->flushed_us = clock_monotonic_us();
    while (logs->ready != NULL) {
        struct live_follower *follower = logs->ready;
        logs->ready = follower->next_ready;
        follower->is_ready = false;
        tell(follower);
        look_at_client(follower);
    }
}

/* ---- following ---- */

static void on_end(void *context, enum job_state state)
{
    struct live_follower *follower = context;
    follower->subscriber = NULL; /* it ends with this call */
    tell_end(follower, state);
    live_unfollow(follower->client, follower->job);
}

static enum err_code subscribe(struct live_follower *follower, struct err *err)
{
    return supervisor_subscribe(follower->client->live->api->supervisor, follower->job, follower->offset,
                                on_line, on_end, follower, &follower->subscriber, err);
}

/* Goes on where it was; a log that is not there any more has no end but this. */
static void resume_follower(struct live_follower *follower)
{
    struct err err = {0};
    follower->is_paused = false;
    if (subscribe(follower, &err) == ERR_OK)
        return;
    begin_event(follower);
    json_field_text(&follower->out, "error", err.text);
    end_event(follower);
    live_unfollow(follower->client, follower->job);
}

static void on_retry(void *context)
{
    struct live_logs *logs = context;
    struct live_follower *follower = logs->paused;
    logs->paused = NULL;
    while (follower != NULL) {
        struct live_follower *next = follower->next_paused;
        if (live_unsent_bytes(follower->client) > UNSENT_LOW_BYTES) {
            follower->next_paused = logs->paused;
            logs->paused = follower;
        } else {
            resume_follower(follower);
        }
        follower = next;
    }
    if (logs->paused != NULL)
        return;
    loop_timer_remove(logs->live->api->loop, logs->retry);
    logs->retry = NULL;
}

static struct live_follower **find(struct live_client *client, int64_t job)
{
    struct live_follower **link = &client->followers;
    while (*link != NULL && (*link)->job != job)
        link = &(*link)->next;
    return link;
}

bool live_follows(const struct live_client *client, int64_t job)
{
    const struct live_follower *follower = client->followers;
    while (follower != NULL && follower->job != job)
        follower = follower->next;
    return follower != NULL;
}

static enum err_code check_room(const struct live_client *client, struct err *err)
{
    if (client->follower_count >= LIMIT_WS_FOLLOWED_LOGS)
        return err_set_field(err, ERR_INVALID, "topics", "you follow %d logs already, which is the limit",
                             LIMIT_WS_FOLLOWED_LOGS);
    if (client->live->logs->follower_count >= LIMIT_FOLLOWED_LOGS)
        return err_set(err, ERR_BUSY, "all clients together follow %d logs already, which is the limit",
                       LIMIT_FOLLOWED_LOGS);
    return ERR_OK;
}

/* A log that is followed already is followed from another place on; when that cannot be, as before. */
enum err_code live_follow(struct live_client *client, int64_t job, int64_t offset, struct err *err)
{
    enum err_code code = live_follows(client, job) ? ERR_OK : check_room(client, err);
    if (code != ERR_OK)
        return code;
    struct live_follower *follower = calloc(1, sizeof(*follower));
    if (follower == NULL)
        return err_nomem(err, sizeof(*follower));
    *follower = (struct live_follower){.client = client, .job = job, .offset = offset};
    buffer_init(&follower->text, 2 * LIVE_EVENT_BYTES);
    code = subscribe(follower, err);
    if (code != ERR_OK) {
        free(follower);
        return code;
    }
    live_unfollow(client, job);
    follower->next = client->followers;
    client->followers = follower;
    client->follower_count++;
    client->live->logs->follower_count++;
    return ERR_OK;
}

/* Out of a list that is linked by the member at `next`. */
static void unlink_ready(struct live_logs *logs, struct live_follower *follower)
{
    struct live_follower **link = &logs->ready;
    while (*link != follower)
        link = &(*link)->next_ready;
    *link = follower->next_ready;
}

static void unlink_paused(struct live_logs *logs, struct live_follower *follower)
{
    struct live_follower **link = &logs->paused;
    while (*link != follower)
        link = &(*link)->next_paused;
    *link = follower->next_paused;
}

void live_unfollow(struct live_client *client, int64_t job)
{
    struct live_follower **link = find(client, job);
    struct live_follower *follower = *link;
    struct live_logs *logs = client->live->logs;
    if (follower == NULL)
        return;
    *link = follower->next;
    if (follower->subscriber != NULL)
        supervisor_unsubscribe(client->live->api->supervisor, follower->subscriber);
    if (follower->is_ready)
        unlink_ready(logs, follower);
    if (follower->is_paused)
        unlink_paused(logs, follower);
    buffer_release(&follower->text);
    free(follower);
    client->follower_count--;
    logs->follower_count--;
}

void live_unfollow_all(struct live_client *client)
{
    while (client->followers != NULL)
        live_unfollow(client, client->followers->job);
}
