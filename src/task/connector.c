/* Asking: one request is wait for the turn, call, look at the status; a status or an error that may pass is tried again after
 * a pause that doubles. All waiting looks at the reporter, so that a stopped job ends at once. */
#include "task/connector.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "os/clock.h"
#include "os/http_client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    ANSWER_BYTES = 16 << 20,
    RUN_MS = 1200000,      /* longest run */
    WAIT_DEFAULT_S = 60,   /* 429 without Retry-After */
    WAIT_QUOTA_S = 3600,   /* the month's requests are used up */
    WAIT_MOST_S = 86400,   /* whatever a source says: a day later it is asked again */
    PAUSE_MOST_MS = 30000, /* between two tries */
    LOOK_MS = 50
};

/* ---- opening ---- */

static bool is_key(const char *key)
{
    for (; *key != '\0'; key++) {
        if (*key <= ' ' || *key > '~')
            return false;
    }
    return true;
}

static enum err_code check(const struct connector *connector, struct err *err)
{
    const struct connector_source *source = connector->source;
    struct err why;
    if (!is_key(connector->key))
        return err_set(err, ERR_INVALID, "the setting %s is no key: it has blanks or other than ASCII",
                       source->setting);
    if (http_call_check_url(connector->url, NULL, 0, &why) != ERR_OK)
        return err_set(err, ERR_INVALID, "the address of %s is none: %s", source->title, why.text);
    return ERR_OK;
}

enum err_code connector_open(struct connector *connector, const struct connector_source *source,
                             struct task_context *task, const char *url, const char *key, int64_t per_minute,
                             struct err *err)
{
    *connector = (struct connector){.source = source,
                                    .task = task,
                                    .url = url,
                                    .key = key,
                                    .per_minute = per_minute,
                                    .row = {TIME_NONE, TIME_NONE},
                                    .began_us = clock_monotonic_us()};
    if (task->connectors == NULL || key == NULL || key[0] == '\0') {
        connector->is_skipped = true;
        (void)snprintf(connector->note, sizeof connector->note, "connector '%s' is off: set %s", source->name,
                       source->setting);
        return ERR_OK;
    }
    connector->retries = task->connectors->connector_retries;
    connector->timeout_ms = task->connectors->connector_timeout_ms;
    connector->retry_ms = task->connectors->connector_retry_ms;
    enum err_code code = check(connector, err);
    if (code == ERR_OK)
        code = connector_store_get(task->store->db, source->name, &connector->row, err);
    if (code == ERR_OK && connector->row.not_before_us != TIME_NONE &&
        connector->row.not_before_us > clock_now_us()) {
        char when[TIME_TEXT_BYTES];
        connector->is_skipped = true;
        time_format_iso(connector->row.not_before_us / TIME_SECOND_US * TIME_SECOND_US, when);
        (void)snprintf(connector->note, sizeof connector->note, "%s asked to wait until %s", source->title,
                       when);
    }
    return code;
}

/* ---- waiting ---- */

static enum err_code wait_ms(struct connector *connector, int64_t ms, struct err *err)
{
    int64_t end_us = clock_monotonic_us() + ms * 1000;
    for (int64_t left_us; (left_us = end_us - clock_monotonic_us()) > 0;) {
        if (report_is_stopped(connector->task->reporter))
            return err_set(err, ERR_CANCELLED, "stopped");
        int64_t slice_us = left_us < LOOK_MS * 1000 ? left_us : LOOK_MS * 1000;
        struct timespec slice = {.tv_nsec = (long)slice_us * 1000};
        (void)nanosleep(&slice, NULL);
    }
    return ERR_OK;
}

/* Until the source may be asked again, by so many a minute; the run before counts too. */
static enum err_code wait_turn(struct connector *connector, struct err *err)
{
    int64_t now_us = clock_now_us(), step_us = 60 * TIME_SECOND_US / connector->per_minute,
            asked_us = connector->row.asked_us;
    if (clock_monotonic_us() - connector->began_us > RUN_MS * (int64_t)1000)
        return err_set(err, ERR_IO, "%s was not done within %d minutes", connector->source->title,
                       RUN_MS / 60000);
    bool is_early = asked_us != TIME_NONE && asked_us <= now_us && now_us - asked_us < step_us;
    enum err_code code =
        is_early ? wait_ms(connector, (asked_us + step_us - now_us) / 1000 + 1, err) : ERR_OK;
    connector->row.asked_us = clock_now_us();
    return code;
}

/* ---- one request ---- */

static bool is_stopped(void *context)
{
    const struct connector *connector = context;
    return report_is_stopped(connector->task->reporter);
}

/* The bytes of a key that may stand in a query as they are; the others become %XX. */
static void append_escaped(char *out, size_t out_bytes, const char *text)
{
    size_t size = strlen(out);
    for (; *text != '\0' && size + 4 < out_bytes; text++) {
        bool is_plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                        (*text >= '0' && *text <= '9') || strchr("-._~", *text) != NULL;
        int written = is_plain ? snprintf(out + size, out_bytes - size, "%c", *text)
                               : snprintf(out + size, out_bytes - size, "%%%02X", (unsigned char)*text);
        size += (size_t)written;
    }
}

static void make_url(const struct connector *connector, const char *path, char out[HTTP_CALL_URL_BYTES])
{
    size_t base = strlen(connector->url);
    while (base > 0 && connector->url[base - 1] == '/')
        base--;
    (void)snprintf(out, HTTP_CALL_URL_BYTES, "%.*s%s", (int)base, connector->url, path);
    if (connector->source->header != NULL)
        return;
    size_t size = strlen(out);
    (void)snprintf(out + size, HTTP_CALL_URL_BYTES - size, "%c%s=", strchr(path, '?') != NULL ? '&' : '?',
                   connector->source->parameter);
    append_escaped(out, HTTP_CALL_URL_BYTES, connector->key);
}

static enum err_code call_once(struct connector *connector, const char *path,
                               const struct connector_answer *before, struct http_reply *reply,
                               struct err *err)
{
    char url[HTTP_CALL_URL_BYTES], header[HTTP_TAG_BYTES + 64] = "";
    struct http_call call = {.method = "GET",
                             .url = url,
                             .headers = {"Accept: application/json"},
                             .etag = before->etag,
                             .last_modified = before->last_modified,
                             .connect_ms = connector->timeout_ms,
                             .total_ms = connector->timeout_ms,
                             .max_bytes = ANSWER_BYTES,
                             .is_stopped = is_stopped,
                             .context = connector};
    enum err_code code = wait_turn(connector, err);
    if (code != ERR_OK)
        return code;
    make_url(connector, path, url);
    if (connector->source->header != NULL) {
        (void)snprintf(header, sizeof header, "%s: %s", connector->source->header, connector->key);
        call.headers[1] = header;
    }
    connector->requests++;
    code = http_call_run(&call, reply, err);
    memset(url, 0, sizeof url);
    memset(header, 0, sizeof header);
    return code;
}

static bool may_pass(enum err_code code, const struct http_reply *reply)
{
    return code == ERR_IO || (code == ERR_OK && reply->status >= 500);
}

/* Called again until the answer is one that stays, or there were enough tries. */
static enum err_code call_again(struct connector *connector, const char *path,
                                const struct connector_answer *before, struct http_reply *reply,
                                struct err *err)
{
    int64_t pause_ms = connector->retry_ms;
    for (int64_t tries = 0;; tries++) {
        enum err_code code = call_once(connector, path, before, reply, err);
        bool is_long = code == ERR_OK && reply->retry_after_s * 1000 > PAUSE_MOST_MS;
        if (!may_pass(code, reply) || tries >= connector->retries || is_long)
            return code;
        report_log(connector->task->reporter, "%s: %s; trying again", connector->source->title,
                   code == ERR_OK ? "a failure of the server" : err->text);
        if (code == ERR_OK && reply->retry_after_s * 1000 > pause_ms)
            pause_ms = reply->retry_after_s * 1000;
        http_reply_release(reply);
        *reply = (struct http_reply){0};
        connector->repeated++;
        code = wait_ms(connector, pause_ms, err);
        if (code != ERR_OK)
            return code;
        pause_ms = 2 * pause_ms < PAUSE_MOST_MS ? 2 * pause_ms : PAUSE_MOST_MS;
    }
}

/* ---- what an answer means ---- */

static void be_throttled(struct connector *connector, int status, int64_t wait_s)
{
    wait_s = wait_s < 1 ? 1 : wait_s > WAIT_MOST_S ? WAIT_MOST_S : wait_s;
    connector->row.not_before_us = clock_now_us() + wait_s * TIME_SECOND_US;
    (void)snprintf(connector->note, sizeof connector->note, "%s answered %d: nothing is asked for %lld s",
                   connector->source->title, status, (long long)wait_s);
    report_log(connector->task->reporter, "%s", connector->note);
}

static enum err_code refuse(const struct connector *connector, const char *resource, int status,
                            struct err *err)
{
    const struct connector_source *source = connector->source;
    if (status == 400 || status == 401 || status == 403)
        return err_set(err, ERR_UNAUTHORIZED, "%s refuses the request for '%s' with %d: look at %s",
                       source->title, resource, status, source->setting);
    return err_set(err, status >= 500 ? ERR_IO : ERR_INVALID, "%s answered %d for '%s'", source->title,
                   status, resource);
}

/* The quota of the month, which The Odds API reports as 401. */
static bool is_used_up(const struct http_reply *reply)
{
    return reply->status == 401 && strstr(buffer_text(&reply->body), "OUT_OF_USAGE_CREDITS") != NULL;
}

static enum err_code judge(struct connector *connector, const char *resource, const struct http_reply *reply,
                           enum connector_outcome *out, struct err *err)
{
    int status = reply->status;
    bool is_late = status >= 500 && reply->retry_after_s * 1000 > PAUSE_MOST_MS;
    *out = CONNECTOR_NEW;
    if (status == 200)
        return ERR_OK;
    if (status == 304) {
        *out = CONNECTOR_UNCHANGED;
        connector->unchanged++;
        return ERR_OK;
    }
    if (status == 404 || (status == 403 && connector->source->is_tiered)) {
        *out = CONNECTOR_NOT_OFFERED;
        connector->not_offered++;
        return ERR_OK;
    }
    if (status != 429 && !is_late && !is_used_up(reply))
        return refuse(connector, resource, status, err);
    *out = CONNECTOR_TOO_MUCH;
    be_throttled(connector, status,
                 is_used_up(reply)          ? WAIT_QUOTA_S
                 : reply->retry_after_s < 0 ? WAIT_DEFAULT_S
                                            : reply->retry_after_s);
    return ERR_OK;
}

static struct connector_answer *keep(struct connector *connector, const struct connector_answer *before,
                                     const struct http_reply *reply)
{
    if (connector->answer_count == CONNECTOR_ANSWERS)
        return NULL;
    struct connector_answer *answer = &connector->answers[connector->answer_count++];
    *answer = *before;
    (void)text_copy(text_of(reply->etag), answer->etag, sizeof answer->etag);
    (void)text_copy(text_of(reply->last_modified), answer->last_modified, sizeof answer->last_modified);
    answer->fetched_us = clock_now_us();
    return answer;
}

static void name_request(const struct connector *connector, const char *path, char out[HASH_HEX_BYTES])
{
    struct hash hash;
    hash_init(&hash);
    hash_add_text(&hash, connector->url);
    hash_add_text(&hash, path);
    hash_final_hex(&hash, out);
}

enum err_code connector_get(struct connector *connector, const char *resource, const char *path,
                            struct buffer *body, enum connector_outcome *out,
                            struct connector_answer **out_answer, struct err *err)
{
    char request[HASH_HEX_BYTES];
    struct connector_answer before, *answer = NULL;
    struct http_reply reply = {0};
    assert(!connector->is_skipped);
    name_request(connector, path, request);
    enum err_code code = connector_store_answer(connector->task->store->db, connector->source->name, resource,
                                                request, &before, err);
    if (code != ERR_OK)
        return code;
    code = call_again(connector, path, &before, &reply, err);
    if (code != ERR_OK && code != ERR_CANCELLED)
        (void)err_prefix(err, "%s, '%s'", connector->source->title, resource);
    if (code == ERR_OK)
        code = judge(connector, resource, &reply, out, err);
    if (code == ERR_OK && *out == CONNECTOR_NEW) {
        answer = keep(connector, &before, &reply);
        buffer_clear(body);
        buffer_append(body, reply.body.data, reply.body.size_bytes);
        code = buffer_check(body, "the answer of a source", err);
    }
    if (out_answer != NULL)
        *out_answer = answer;
    http_reply_release(&reply);
    return code;
}

void connector_forget(struct connector_answer *answer)
{
    if (answer != NULL)
        answer->etag[0] = answer->last_modified[0] = '\0';
}
