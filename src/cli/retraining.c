/* almanac retraining status | start | stop | trigger: the pipeline, on the store itself; no server is needed. What `trigger`
 * asks for is trained here, one model after the other; a server that runs would queue it (POST
 * /api/ml-management/retraining/trigger). */
#include "base/time.h"
#include "cli/command.h"
#include "limits.h"
#include "os/clock.h"
#include "store/retrain_store.h"
#include "task/retrain.h"
#include "task/retraining_json.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_SHOWN = 20 };

static const char *text_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

/* "cli:<user>" */
static void find_who(char *out, size_t out_bytes)
{
    const char *user = getenv("USER");
    (void)snprintf(out, out_bytes, "cli:%.40s", user != NULL && user[0] != '\0' ? user : "unknown");
}

/* ---- status ---- */

/* What `status` shows. */
struct status {
    bool is_on;
    struct performance_options options;
    struct retraining_event events[EVENTS_SHOWN];
    size_t count;
};

static void write_status(const struct status *status, struct buffer *text)
{
    struct json_writer out;
    json_writer_init(&out, text);
    json_begin_object(&out);
    json_field_bool(&out, "is_running", status->is_on);
    retraining_write_settings(&out, &status->options);
    json_key(&out, "history");
    json_begin_array(&out);
    for (size_t i = 0; i < status->count; i++) {
        json_begin_object(&out);
        retraining_write_event(&out, &status->events[i]);
        json_end_object(&out);
    }
    json_end_array(&out);
    json_end_object(&out);
    buffer_append_char(text, '\n');
}

static void print_status(const struct status *status, struct buffer *text)
{
    buffer_printf(
        text,
        "auto-retraining is %s (drift threshold %g, performance threshold %g, cooldown %lld h); newest "
        "decisions first:\n",
        status->is_on ? "on" : "stopped", status->options.monitor.drift_threshold,
        status->options.monitor.performance_threshold, (long long)status->options.cooldown_h);
    for (size_t i = 0; i < status->count; i++) {
        const struct retraining_event *event = &status->events[i];
        char at[TIME_TEXT_BYTES];
        time_format_iso(event->at_us, at);
        buffer_printf(text, "%.19s  %-11s %-8s %s/%s/%s %s  %s\n", at, event->cause, event->decision,
                      event->model.subject, event->model.variant, event->model.bot, event->model.version,
                      event->reason);
    }
    if (status->count == 0)
        buffer_append_text(text, "none yet\n");
}

static enum err_code show_status(struct session *session, struct err *err)
{
    static const struct watched_model all = {"", "", "", ""};
    struct status *status = calloc(1, sizeof(*status));
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    if (status == NULL)
        return err_nomem(err, sizeof(*status));
    status->count = EVENTS_SHOWN;
    enum err_code code = retrain_store_is_on(session->store.db, &status->is_on, err);
    if (code == ERR_OK)
        code = performance_options_in_force(session->store.db, &status->options, err);
    if (code == ERR_OK)
        code = retrain_store_events(session->store.db, &all, status->events, &status->count, err);
    if (code == ERR_OK) {
        (session->settings.json ? write_status : print_status)(status, &text);
        command_print(&text);
    }
    buffer_release(&text);
    free(status);
    return code;
}

enum action { SHOW, START, STOP };

static enum err_code act(const struct command *command, int argc, char **argv, enum action action,
                         struct err *err)
{
    struct settings settings;
    struct session session = {0};
    char who[64];
    find_who(who, sizeof(who));
    enum err_code code = command_parse(command, argc, argv, &settings, NULL, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_WRITE, err);
    if (code == ERR_OK && action != SHOW)
        code = retrain_store_switch(session.store.db, action == START, who, clock_now_us(), err);
    if (code == ERR_OK)
        code = show_status(&session, err);
    session_close(&session);
    return code;
}

static enum err_code run_status(const struct command *command, int argc, char **argv, struct err *err)
{
    return act(command, argc, argv, SHOW, err);
}

static enum err_code run_start(const struct command *command, int argc, char **argv, struct err *err)
{
    return act(command, argc, argv, START, err);
}

static enum err_code run_stop(const struct command *command, int argc, char **argv, struct err *err)
{
    return act(command, argc, argv, STOP, err);
}

/* ---- trigger ---- */

/* A task in this process: its result, committed. *out is released with json_decref. */
static enum err_code run_task(struct session *session, const struct task *task, const void *options,
                              json_t **out, struct err *err)
{
    struct buffer result;
    buffer_init(&result, LIMIT_RESULT_BYTES);
    enum err_code code = task->run(&session->context, options, &result, err);
    terminal_finish();
    if (code == ERR_OK)
        code = json_read(buffer_text(&result), result.size_bytes, out, err);
    if (code == ERR_OK && task->commit != NULL)
        code = task->commit(&session->store, *out, err);
    buffer_release(&result);
    return code;
}

static enum err_code train_one(struct session *session, const json_t *order, struct buffer *text,
                               struct err *err)
{
    struct train_options options;
    json_t *result = NULL;
    option_defaults(task_train.options, &options);
    enum err_code code =
        option_read_json(task_train.options, &options, json_object_get(order, "options"), true, err);
    if (code == ERR_OK)
        code = run_task(session, &task_train, &options, &result, err);
    if (code == ERR_OK)
        buffer_printf(text, "%s: version %s: %s\n", text_at(order, "label"), text_at(result, "version"),
                      text_at(json_object_get(result, "decision"), "reason"));
    json_decref(result);
    return code;
}

static void print_decisions(const json_t *result, struct buffer *text)
{
    const json_t *model;
    size_t i;
    json_array_foreach(json_object_get(result, "models"), i, model)
        buffer_printf(text, "%s/%s/%s %s: %s: %s\n", text_at(model, "subject"), text_at(model, "variant"),
                      text_at(model, "bot"), text_at(model, "version"), text_at(model, "decision"),
                      text_at(model, "reason"));
}

static enum err_code trigger(struct session *session, const struct retrain_options *options, struct err *err)
{
    json_t *result = NULL;
    const json_t *order;
    size_t i;
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = run_task(session, &task_retrain, options, &result, err);
    if (code == ERR_OK)
        print_decisions(result, &text);
    json_array_foreach(json_object_get(result, "then"), i, order) code =
        code == ERR_OK ? train_one(session, order, &text, err) : code;
    if (code == ERR_OK)
        buffer_printf(&text, "%s\n", text_at(result, "note"));
    command_print(&text);
    json_decref(result);
    buffer_release(&text);
    return code;
}

static enum err_code run_trigger(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct retrain_options options;
    struct session session = {0};
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK && options.trigger == RETRAIN_SCHEDULE)
        options.trigger = RETRAIN_MANUAL; /* somebody asks: it is not the schedule */
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_WRITE, err);
    if (code == ERR_OK)
        code = trigger(&session, &options, err);
    session_close(&session);
    return code;
}

const struct command command_retraining_status = {
    .name = "retraining status",
    .usage = "",
    .doc = "whether models are trained again by themselves, and the newest decisions",
    .run = run_status,
};
const struct command command_retraining_start = {
    .name = "retraining start",
    .usage = "",
    .doc = "alarms and the schedule lead to trainings again",
    .run = run_start,
};
const struct command command_retraining_stop = {
    .name = "retraining stop",
    .usage = "",
    .doc = "nothing is trained by itself any more; kept over a restart",
    .run = run_stop,
};
const struct command command_retraining_trigger = {
    .name = "retraining trigger",
    .usage = "[--subject E0] [--variant 1x2] [--bot lightgbm] [--trigger manual] [--window full|180d]",
    .doc = "decide which models in production to train again, and train them here",
    .task = &task_retrain,
    .run = run_trigger,
};
