/* What clients ask for: topics by name, and the logs of jobs. See live_parts.h. */
#include "api/live_parts.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "17", "17@4096": behind "logs:". */
static bool read_log(struct text text, int64_t *out_job, int64_t *out_offset)
{
    struct text job;
    *out_offset = -1;
    bool has_offset = memchr(text.data, '@', text.size_bytes) != NULL;
    if (!text_split(&text, '@', &job) || !text_parse_i64(job, out_job) || *out_job < 1)
        return false;
    return !has_offset || (text_parse_i64(text, out_offset) && *out_offset >= 0);
}

enum err_code live_request_add(struct live_request *request, const char *topic, struct err *err)
{
    static const char logs[] = "logs:";
    size_t index = live_topic_find(topic);
    if (index < LIVE_TOPIC_COUNT) {
        request->topics |= UINT64_C(1) << index;
        return ERR_OK;
    }
    if (!text_starts(text_of(topic), logs))
        return err_set_field(err, ERR_INVALID, "topics", "there is no topic '%.40s'", topic);
    if (request->log_count == LIVE_TOPICS_PER_REQUEST)
        return err_set_field(err, ERR_INVALID, "topics", "more than %d topics at once",
                             LIVE_TOPICS_PER_REQUEST);
    size_t at = request->log_count;
    if (!read_log(text_of(topic + sizeof logs - 1), &request->logs[at].job, &request->logs[at].offset))
        return err_set_field(err, ERR_INVALID, "topics",
                             "'%.40s' names no log: write logs:<job> or logs:<job>@<offset>", topic);
    request->log_count++;
    return ERR_OK;
}

/* Those that the client had already stay: following one anew only moves its place. */
static void take_back(struct live_client *client, const struct live_request *request, const bool *had,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!had[i])
            live_unfollow(client, request->logs[i].job);
    }
}

enum err_code live_subscribe(struct live_client *client, const struct live_request *request, struct err *err)
{
    bool had[LIVE_TOPICS_PER_REQUEST];
    for (size_t i = 0; i < request->log_count; i++) {
        int64_t offset = request->logs[i].offset;
        had[i] = live_follows(client, request->logs[i].job);
        enum err_code code = live_follow(client, request->logs[i].job, offset < 0 ? 0 : offset, err);
        if (code != ERR_OK) {
            take_back(client, request, had, i);
            return code;
        }
    }
    if ((request->topics & ~client->topics) != 0)
        live_set_topics(client, client->topics | request->topics);
    return ERR_OK;
}

void live_unsubscribe(struct live_client *client, const struct live_request *request)
{
    for (size_t i = 0; i < request->log_count; i++)
        live_unfollow(client, request->logs[i].job);
    if ((request->topics & client->topics) != 0)
        live_set_topics(client, client->topics & ~request->topics);
}

static void write_topics(struct json_writer *out, const struct live_request *request)
{
    char name[64];
    json_key(out, "topics");
    json_begin_array(out);
    for (size_t topic = 0; topic < LIVE_TOPIC_COUNT; topic++) {
        if ((request->topics & UINT64_C(1) << topic) != 0)
            json_put_text(out, live_topic_name(topic));
    }
    for (size_t i = 0; i < request->log_count; i++) {
        (void)snprintf(name, sizeof name, "logs:%" PRId64, request->logs[i].job);
        json_put_text(out, name);
    }
    json_end_array(out);
}

void live_write_answer(struct live *live, struct json_writer *out, struct buffer *text, const char *type,
                       const struct live_request *request)
{
    json_writer_init(out, text);
    json_begin_object(out);
    json_field_text(out, "type", type);
    write_topics(out, request);
    json_key(out, "seq");
    json_begin_object(out);
    for (size_t topic = 0; topic < LIVE_TOPIC_COUNT; topic++) {
        if ((request->topics & UINT64_C(1) << topic) != 0)
            json_field_i64(out, live_topic_name(topic), live->seq[topic]);
    }
    json_end_object(out);
    json_field_text(out, "run", live->run);
}
