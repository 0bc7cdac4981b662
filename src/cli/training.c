/* almanac training start | status | pause | resume | stop | force-stop: the training queue of a running server, over HTTP. */
#include "cli/jobs.h"

#include "base/text.h"
#include "limits.h"
#include "task/learn_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct start_options {
    char symbols[512], timeframes[64], bots[512], features[32], parameters[1024], key[64];
    int64_t last, priority;
};
#define MEMBER(name) OPTION_MEMBER(struct start_options, name)
static const struct option_row rows[] = {
    {"symbols", OPTION_TEXT, MEMBER(symbols), "", 0, 0, "E0", "leagues, by their codes: E0,D1"},
    {"timeframes", OPTION_TEXT, MEMBER(timeframes), "", 0, 0, "1x2,ou25", "targets: 1x2,ou25"},
    {"bots", OPTION_TEXT, MEMBER(bots), "", 0, 0, "lightgbm", "kinds of model: lightgbm,lightgbm_prices"},
    {"features", OPTION_TEXT, MEMBER(features), "", 0, 0, "",
     "feature set; empty: that of the league's profile, or with_prices for bots with prices"},
    LEARN_ROW_PARAMETERS(MEMBER),
    {"key", OPTION_TEXT, MEMBER(key), "", 0, 0, "", "a name of your own: the same key again queues nothing"},
    {"last", OPTION_INT, MEMBER(last), "matches", 0, 1e9, "0", "learn from the last N matches; 0: all"},
    {"priority", OPTION_INT, MEMBER(priority), "", -100, 100, "0", "higher first"},
};
#undef MEMBER
static const struct option_table start_table = {"training_start", rows, sizeof(rows) / sizeof(*rows)};

static void write_list(struct json_writer *out, const char *key, const char *list)
{
    struct text rest = text_of(list), part;
    char name[64];
    json_key(out, key);
    json_begin_array(out);
    while (list[0] != '\0' && text_split(&rest, ',', &part)) {
        (void)text_copy(text_trim(part), name, sizeof(name));
        json_put_text(out, name);
    }
    json_end_array(out);
}

static void write_start(const struct start_options *options, struct buffer *body)
{
    struct json_writer out;
    json_writer_init(&out, body);
    json_begin_object(&out);
    write_list(&out, "symbols", options->symbols);
    write_list(&out, "timeframes", options->timeframes);
    write_list(&out, "bots", options->bots);
    json_field_i64(&out, "last", options->last);
    json_field_i64(&out, "priority", options->priority);
    if (options->features[0] != '\0')
        json_field_text(&out, "features", options->features);
    if (options->parameters[0] != '\0')
        json_field_text(&out, "parameters", options->parameters);
    if (options->key[0] != '\0')
        json_field_text(&out, "key", options->key);
    json_end_object(&out);
}

static enum err_code run_start(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct start_options options;
    struct server_client *client = NULL;
    struct buffer body;
    json_t *answer = NULL;
    const json_t *job;
    size_t index;
    buffer_init(&body, LIMIT_BODY_BYTES);
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = server_client_create(&settings, &client, err);
    if (code == ERR_OK) {
        write_start(&options, &body);
        code =
            server_client_call(client, "POST", "/api/training/start-auto", buffer_text(&body), &answer, err);
    }
    if (code == ERR_OK && settings.json)
        jobs_print_json(answer);
    else if (code == ERR_OK)
        json_array_foreach(json_object_get(answer, "jobs"), index, job) jobs_print_line(job);
    json_decref(answer);
    server_client_destroy(client);
    buffer_release(&body);
    return code;
}

/* ---- status and control ---- */

static int64_t number_in(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void print_current(const json_t *current)
{
    const json_t *progress = json_object_get(current, "progress"), *eta = json_object_get(current, "eta_s"),
                 *loss = json_object_get(current, "loss"), *best = json_object_get(current, "best_loss");
    command_printf("now      %s %s %s  (job %" PRId64 ")  %s", jobs_text(current, "symbol"),
                   jobs_text(current, "timeframe"), jobs_text(current, "bot"), number_in(current, "job_id"),
                   jobs_text(current, "phase"));
    if (json_is_number(progress))
        command_printf(" %.0f%%", 100 * json_number_value(progress));
    if (number_in(current, "epochs") > 0)
        command_printf(", epoch %" PRId64 "/%" PRId64, number_in(current, "epoch"),
                       number_in(current, "epochs"));
    if (json_is_number(loss) && json_is_number(best))
        command_printf(", loss %.4f, best %.4f", json_number_value(loss), json_number_value(best));
    if (json_is_number(eta))
        command_printf(", %.0f s left", json_number_value(eta));
    command_printf("\n");
}

static void print_status(const json_t *status)
{
    bool is_running = json_is_true(json_object_get(status, "is_running"));
    const char *word = json_is_true(json_object_get(status, "is_stopping")) ? "stopping"
                       : json_is_true(json_object_get(status, "is_paused")) ? "paused"
                       : is_running                                         ? "running"
                                                                            : "idle";
    command_printf("training %s: %" PRId64 " queued, %" PRId64 " completed, %" PRId64 " failed, %" PRId64
                   " stopped\n",
                   word, number_in(status, "queue_length"), number_in(status, "completed_count"),
                   number_in(status, "failed_count"), number_in(status, "stopped_count"));
    if (json_is_object(json_object_get(status, "current_training")))
        print_current(json_object_get(status, "current_training"));
    const json_t *waiting;
    size_t index;
    json_array_foreach(json_object_get(status, "queue"), index, waiting) command_printf(
        "waiting  %s %s %s  (job %" PRId64 ")\n", jobs_text(waiting, "symbol"),
        jobs_text(waiting, "timeframe"), jobs_text(waiting, "bot"), number_in(waiting, "job_id"));
}

static enum err_code ask(const struct command *command, const char *method, const char *path, int argc,
                         char **argv, struct err *err)
{
    struct settings settings;
    struct server_client *client = NULL;
    json_t *answer = NULL;
    enum err_code code = command_parse(command, argc, argv, &settings, NULL, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = server_client_create(&settings, &client, err);
    if (code == ERR_OK)
        code = server_client_call(client, method, path, NULL, &answer, err);
    if (code == ERR_OK && settings.json)
        jobs_print_json(answer);
    else if (code == ERR_OK)
        print_status(answer);
    json_decref(answer);
    server_client_destroy(client);
    return code;
}

static enum err_code run_status(const struct command *command, int argc, char **argv, struct err *err)
{
    return ask(command, "GET", "/api/training/status", argc, argv, err);
}

static enum err_code run_pause(const struct command *command, int argc, char **argv, struct err *err)
{
    return ask(command, "POST", "/api/training/pause", argc, argv, err);
}

static enum err_code run_resume(const struct command *command, int argc, char **argv, struct err *err)
{
    return ask(command, "POST", "/api/training/resume", argc, argv, err);
}

static enum err_code run_stop(const struct command *command, int argc, char **argv, struct err *err)
{
    return ask(command, "POST", "/api/training/stop", argc, argv, err);
}

static enum err_code run_force_stop(const struct command *command, int argc, char **argv, struct err *err)
{
    return ask(command, "POST", "/api/training/force-stop", argc, argv, err);
}

const struct command command_training_start = {
    "training start", "[flags]", "queue a training for every league, target and bot, in the running server",
    &start_table,     NULL,      run_start};
const struct command command_training_status = {
    "training status", "", "what the server trains, what waits, what is done", NULL, NULL, run_status};
const struct command command_training_pause = {
    "training pause", "", "let the running training finish and hold the others", NULL, NULL, run_pause};
const struct command command_training_resume = {"training resume", "", "let the queue go on", NULL, NULL,
                                                run_resume};
const struct command command_training_stop = {
    "training stop", "", "let the running training finish and stop the others", NULL, NULL, run_stop};
const struct command command_training_force_stop = {
    "training force-stop", "", "stop all trainings now: TERM, then KILL", NULL, NULL, run_force_stop};
