/* Fuzzes what HTTP bodies go through: the JSON reader, the reader of a prediction request, and the option tables of
 * the tasks.
 *
 * What is accepted must be what the headers promise: a request names a match one way or the other and its prices are
 * prices; an answer is JSON; options are read all or nothing, and written and read again they are the same bytes. What
 * is refused must say why. */
#include "api/predict.c" // NOLINT(bugprone-suspicious-include): the reader is private to the route
#include "task/task.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_text(const char *text, size_t bytes)
{
    return memchr(text, '\0', bytes) != NULL && text_is_utf8(text_of(text));
}

/* A refusal says why, and can be told as JSON, whatever bytes of the client it quotes. */
static void check_refusal(const struct err *err)
{
    struct json_writer writer;
    struct buffer out;
    json_t *back = NULL;
    require(err->text[0] != '\0' && memchr(err->text, '\0', sizeof err->text) != NULL);
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    json_field_text(&writer, "message", err->text);
    json_field_text(&writer, "field", err->field);
    json_end_object(&writer);
    require(json_read(buffer_text(&out), out.size_bytes, &back, NULL) == ERR_OK);
    json_decref(back);
    buffer_release(&out);
}

static void check_prices(const float *prices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        require(isnan(prices[i]) || (prices[i] >= 1 && (double)prices[i] <= LIMIT_ODDS));
}

static void check_request(const struct forecast_request *request)
{
    require(is_text(request->match, sizeof request->match) &&
            is_text(request->league, sizeof request->league));
    require(is_text(request->home, sizeof request->home) && is_text(request->away, sizeof request->away));
    require(is_text(request->bot, sizeof request->bot));
    require(request->match[0] != '\0' ||
            (request->league[0] != '\0' && request->home[0] != '\0' && request->away[0] != '\0'));
    require(request->target < TARGET_COUNT);
    for (size_t b = 0; b < BOOKMAKER_COUNT; b++) {
        check_prices(request->prices.home_draw_away[b], 3);
        check_prices(request->prices.under_over[b], 2);
    }
}

/* An answer to the request, with and without probabilities. */
static void check_answer(struct forecast_request *request, bool is_available)
{
    struct forecast_answer answer = {
        .is_available = is_available, .p = {0.5, 0.3, 0.2}, .kickoff_us = request->kickoff_us};
    struct json_writer writer;
    struct buffer out;
    json_t *back = NULL;
    answer.classes = target_at(request->target)->classes;
    (void)snprintf(answer.home, sizeof answer.home, "%s", request->home);
    if (!is_available)
        (void)snprintf(answer.reason, sizeof answer.reason, "no team is called '%s'", request->away);
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    write_answer(&writer, request, &answer);
    require(json_read(buffer_text(&out), out.size_bytes, &back, NULL) == ERR_OK);
    require(json_is_object(json_object_get(back, "prediction")) == is_available);
    json_decref(back);
    buffer_release(&out);
}

static void read_prediction(const json_t *body)
{
    struct forecast_request request;
    struct err err = {0};
    if (read_request(body, &request, &err) != ERR_OK) {
        check_refusal(&err);
        return;
    }
    check_request(&request);
    check_answer(&request, true);
    check_answer(&request, false);
}

/* Options -> JSON -> options. */
static void check_round_trip(const struct task *task, const void *options)
{
    static _Alignas(16) unsigned char again[TASK_OPTIONS_BYTES];
    struct json_writer writer;
    struct buffer out;
    json_t *back = NULL;
    buffer_init(&out, LIMIT_BODY_BYTES);
    json_writer_init(&writer, &out);
    option_write_json(task->options, options, &writer);
    require(json_read(buffer_text(&out), out.size_bytes, &back, NULL) == ERR_OK);
    memset(again, 0, sizeof again);
    option_defaults(task->options, again);
    require(option_read_json(task->options, again, back, true, NULL) == ERR_OK);
    require(memcmp(options, again, sizeof again) == 0);
    json_decref(back);
    buffer_release(&out);
}

static void read_task(const struct task *task, const json_t *body)
{
    static _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES], before[TASK_OPTIONS_BYTES];
    struct err err = {0};
    memset(options, 0, sizeof options);
    option_defaults(task->options, options);
    memcpy(before, options, sizeof options);
    if (option_read_json(task->options, options, body, true, &err) != ERR_OK) {
        require(memcmp(options, before, sizeof options) == 0);
        check_refusal(&err);
        return;
    }
    /* what a task refuses never becomes a job, so it is never written */
    if (task->check == NULL || task->check(options, &err) == ERR_OK)
        check_round_trip(task, options);
    else
        check_refusal(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct err err = {0};
    json_t *body = NULL;
    if (json_read((const char *)data, size_bytes, &body, &err) != ERR_OK) {
        check_refusal(&err);
        return 0;
    }
    if (json_is_object(body)) {
        read_prediction(body);
        for (size_t i = 0; task_at(i) != NULL; i++)
            read_task(task_at(i), body);
    }
    json_decref(body);
    return 0;
}
