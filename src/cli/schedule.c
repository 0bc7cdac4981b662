/* almanac schedule list | show | run | enable | disable | set | simulate | preview.
 *
 * Looking and setting work on the store, whether a server runs or not: a server sees the change within a quarter of a second
 * and goes by it (job/scheduler.h). Starting a task needs the server. */
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/server_client.h"
#include "job/schedule_json.h"
#include "job/schedule_simulation.h"
#include "job/scheduler.h"
#include "limits.h"
#include "os/clock.h"
#include "task/scheduled.h"

#include <stdio.h>
#include <string.h>

struct schedule_options {
    /* set */
    char cron[SCHEDULE_CRON_BYTES], zone[SCHEDULE_ZONE_BYTES], missed[8], options[SCHEDULE_OPTIONS_BYTES];
    int64_t jitter_s;
    bool reset;
    /* simulate, preview */
    int64_t from_us, days, count;
    char task[SCHEDULE_NAME_BYTES];
};
#define MEMBER(name) OPTION_MEMBER(struct schedule_options, name)
static const struct option_row set_rows[] = {
    {"cron", OPTION_TEXT, MEMBER(cron), "", 0, 0, "",
     "when: minute hour day month weekday, or @daily and the like"},
    {"zone", OPTION_TEXT, MEMBER(zone), "", 0, 0, "", "time zone of the expression, like Europe/Berlin"},
    {"missed", OPTION_TEXT, MEMBER(missed), "", 0, 0, "",
     "what becomes of runs that were missed: skip or once"},
    {"jitter_s", OPTION_INT, MEMBER(jitter_s), "s", -1, SCHEDULE_JITTER_MAX_S, "-1",
     "a run begins up to so much later; -1: as it is"},
    {"options", OPTION_TEXT, MEMBER(options), "", 0, 0, "", "options of the task, as a JSON object"},
    {"reset", OPTION_BOOL, MEMBER(reset), "", 0, 0, "false",
     "cron, zone, missed and options go back to what is shipped, unless they are given"},
};
static const struct option_row time_rows[] = {
    {"from", OPTION_DATE, MEMBER(from_us), "", 0, 0, "", "first moment, UTC; empty: now"},
    {"days", OPTION_INT, MEMBER(days), "days", 1, 3660, "7", "how long (simulate)"},
    {"count", OPTION_INT, MEMBER(count), "", 1, 10000, "10", "how many times (preview)"},
    {"task", OPTION_TEXT, MEMBER(task), "", 0, 0, "", "only this task (simulate)"},
};
static const struct option_table set_table = {"schedule", set_rows, sizeof(set_rows) / sizeof(*set_rows)};
static const struct option_table time_table = {"schedule", time_rows, sizeof(time_rows) / sizeof(*time_rows)};

/* What the commands here hold. */
struct view {
    struct settings settings;
    struct schedule_options options;
    struct store store;
    struct scheduler *scheduler;
    const char *argument; /* "" when not given */
};

static enum err_code open_view(struct view *view, const struct command *command, int argc, char **argv,
                               bool needs_argument, struct err *err)
{
    const char *positionals[1] = {""};
    size_t count = 0;
    *view = (struct view){0};
    enum err_code code =
        command_parse(command, argc, argv, &view->settings, &view->options, positionals, 1, &count, err);
    if (code == ERR_OK && needs_argument && count == 0)
        code = err_set(err, ERR_INVALID, "name a task: almanac %s %s", command->name, command->usage);
    if (code == ERR_OK)
        code = store_open(view->settings.data_dir, DB_READ_WRITE, &view->store, err);
    view->argument = positionals[0];
    struct scheduler_options options = {.db = view->store.db,
                                        .clock = clock_system(),
                                        .time_zone = view->settings.time_zone,
                                        .check = scheduled_check};
    return code == ERR_OK ? scheduler_create(&options, &view->scheduler, err) : code;
}

static void close_view(struct view *view)
{
    scheduler_destroy(view->scheduler);
    store_close(&view->store);
}

static struct schedule_limits limits_of(const struct view *view)
{
    return (struct schedule_limits){view->settings.job_time_s, view->settings.job_warn_s};
}

/* ---- list, show ---- */

static const char *time_text(int64_t time_us, char out[TIME_TEXT_BYTES])
{
    time_format_iso(time_us == TIME_NONE ? TIME_NONE : time_us - time_us % TIME_SECOND_US, out);
    return out[0] != '\0' ? out : "-";
}

static void print_task(const struct schedule_task *task)
{
    char last[TIME_TEXT_BYTES], next[TIME_TEXT_BYTES];
    const char *outcome = task->row.last_outcome[0] != '\0' ? task->row.last_outcome : "-";
    command_printf("%-12s %-8s %-16s %-18s %-21s %-10s %-21s %s\n", task->name,
                   task->row.is_enabled ? "enabled" : "disabled", task->cron, task->time_zone,
                   time_text(task->row.last_us, last), outcome, time_text(task->next_us, next),
                   task->is_available ? task->row.last_note : task->trouble);
}

static void print_json(const struct view *view, const struct schedule_task *only)
{
    struct json_writer out;
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_writer_init(&out, &text);
    if (only != NULL) {
        schedule_write_task(&out, only, limits_of(view));
    } else {
        json_begin_object(&out);
        json_key(&out, "tasks");
        json_begin_array(&out);
        for (size_t i = 0; i < scheduler_count(view->scheduler); i++)
            schedule_write_task(&out, scheduler_at(view->scheduler, i), limits_of(view));
        json_end_array(&out);
        json_field_text(&out, "time_zone", scheduler_time_zone(view->scheduler));
        json_end_object(&out);
    }
    buffer_append_char(&text, '\n');
    command_print(&text);
    buffer_release(&text);
}

static enum err_code run_list(const struct command *command, int argc, char **argv, struct err *err)
{
    struct view view;
    enum err_code code = open_view(&view, command, argc, argv, false, err);
    if (code == ERR_OK && view.settings.json) {
        print_json(&view, NULL);
    } else if (code == ERR_OK) {
        command_printf("%-12s %-8s %-16s %-18s %-21s %-10s %-21s %s\n", "task", "", "cron", "time zone",
                       "last run", "outcome", "next run", "note");
        for (size_t i = 0; i < scheduler_count(view.scheduler); i++)
            print_task(scheduler_at(view.scheduler, i));
    }
    close_view(&view);
    return code;
}

static void print_runs(struct view *view, const char *name)
{
    struct schedule_run runs[20];
    char due[TIME_TEXT_BYTES];
    size_t count = sizeof(runs) / sizeof(*runs);
    if (schedule_store_runs(view->store.db, name, runs, &count, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < count; i++)
        command_printf("  %-21s job %-8lld %-10s %s\n", time_text(runs[i].due_us, due),
                       (long long)runs[i].job_id, runs[i].outcome, runs[i].note);
}

static enum err_code show(struct view *view, struct err *err)
{
    const struct schedule_task *task = NULL;
    enum err_code code = scheduler_find(view->scheduler, view->argument, &task, err);
    if (code != ERR_OK)
        return code;
    if (view->settings.json) {
        print_json(view, task);
        return ERR_OK;
    }
    command_printf("%s\nmissed: %s, jitter: %lld s, options: %s, runs: %lld, failures: %lld\n", task->doc,
                   schedule_missed_name(task->missed), (long long)task->jitter_s, task->options,
                   (long long)task->row.runs, (long long)task->row.failures);
    print_task(task);
    print_runs(view, task->name);
    return ERR_OK;
}

static enum err_code run_show(const struct command *command, int argc, char **argv, struct err *err)
{
    struct view view;
    enum err_code code = open_view(&view, command, argc, argv, true, err);
    if (code == ERR_OK)
        code = show(&view, err);
    close_view(&view);
    return code;
}

/* ---- enable, disable, set ---- */

static enum err_code change(const struct command *command, int argc, char **argv,
                            void (*fill)(const struct schedule_options *options, struct schedule_change *out),
                            struct err *err)
{
    struct view view;
    struct schedule_change change = {.jitter_s = -1, .is_enabled = -1};
    enum err_code code = open_view(&view, command, argc, argv, true, err);
    if (code == ERR_OK) {
        fill(&view.options, &change);
        code = scheduler_set(view.scheduler, view.argument, &change, err);
    }
    if (code == ERR_OK)
        code = show(&view, err);
    close_view(&view);
    return code;
}

static void fill_enable(const struct schedule_options *options, struct schedule_change *out)
{
    (void)options;
    out->is_enabled = 1;
}

static void fill_disable(const struct schedule_options *options, struct schedule_change *out)
{
    (void)options;
    out->is_enabled = 0;
}

static const char *given(const char *text, bool reset)
{
    return text[0] != '\0' || reset ? text : NULL;
}

static void fill_set(const struct schedule_options *options, struct schedule_change *out)
{
    out->cron = given(options->cron, options->reset);
    out->time_zone = given(options->zone, options->reset);
    out->missed = given(options->missed, options->reset);
    out->options = given(options->options, options->reset);
    out->jitter_s = options->jitter_s;
}

static enum err_code run_enable(const struct command *command, int argc, char **argv, struct err *err)
{
    return change(command, argc, argv, fill_enable, err);
}

static enum err_code run_disable(const struct command *command, int argc, char **argv, struct err *err)
{
    return change(command, argc, argv, fill_disable, err);
}

static enum err_code run_set(const struct command *command, int argc, char **argv, struct err *err)
{
    return change(command, argc, argv, fill_set, err);
}

/* ---- run ---- */

static enum err_code ask_server(struct view *view, struct err *err)
{
    struct server_client *client = NULL;
    json_t *answer = NULL;
    char path[128];
    (void)snprintf(path, sizeof(path), "/api/schedule/%s/run", view->argument);
    enum err_code code = server_client_create(&view->settings, &client, err);
    if (code == ERR_OK)
        code = server_client_call(client, "POST", path, NULL, &answer, err);
    if (code == ERR_OK)
        command_printf("%s is job %lld: almanac jobs logs -f %lld\n", view->argument,
                       (long long)json_integer_value(json_object_get(answer, "job_id")),
                       (long long)json_integer_value(json_object_get(answer, "job_id")));
    json_decref(answer);
    server_client_destroy(client);
    return code;
}

static enum err_code run_run(const struct command *command, int argc, char **argv, struct err *err)
{
    struct view view;
    const struct schedule_task *task = NULL;
    enum err_code code = open_view(&view, command, argc, argv, true, err);
    if (code == ERR_OK)
        code =
            scheduler_find(view.scheduler, view.argument, &task, err); /* also: the name is fit for a path */
    if (code == ERR_OK)
        code = ask_server(&view, err);
    close_view(&view);
    return code;
}

/* ---- simulate, preview ---- */

static void print_start(void *context, const struct schedule_task *task, int64_t due_us, int64_t start_us)
{
    char due[TIME_TEXT_BYTES], start[TIME_TEXT_BYTES];
    (void)context;
    time_format_iso(due_us, due);
    time_format_iso(start_us, start);
    command_printf("%s %s %s\n", due, start, task->name);
}

static enum err_code run_simulate(const struct command *command, int argc, char **argv, struct err *err)
{
    struct view view;
    enum err_code code = open_view(&view, command, argc, argv, false, err);
    if (code == ERR_OK) {
        int64_t from_us = view.options.from_us != TIME_NONE ? view.options.from_us : clock_now_us();
        struct schedule_simulation simulation = {.db = view.store.db,
                                                 .time_zone = view.settings.time_zone,
                                                 .only =
                                                     view.options.task[0] != '\0' ? view.options.task : NULL,
                                                 .from_us = from_us,
                                                 .to_us = from_us + view.options.days * TIME_DAY_US,
                                                 .fired = print_start};
        code = schedule_simulate(&simulation, err);
    }
    close_view(&view);
    return code;
}

static enum err_code run_preview(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct schedule_options options = {0};
    struct json_writer out;
    struct buffer text;
    const char *cron = NULL;
    size_t count = 0;
    enum err_code code = command_parse(command, argc, argv, &settings, &options, &cron, 1, &count, err);
    if (code == ERR_OK && count == 0)
        code =
            err_set(err, ERR_INVALID, "name a cron expression: almanac %s %s", command->name, command->usage);
    if (code != ERR_OK)
        return code;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_writer_init(&out, &text);
    code = schedule_write_preview(&out, cron, settings.time_zone,
                                  options.from_us != TIME_NONE ? options.from_us - 1 : clock_now_us(),
                                  (size_t)options.count, err);
    buffer_append_char(&text, '\n');
    if (code == ERR_OK)
        command_print(&text);
    buffer_release(&text);
    return code;
}

const struct command command_schedule_list = {
    "schedule list", "", "what is done by itself, and when", NULL, NULL, run_list};
const struct command command_schedule_show = {
    "schedule show", "TASK", "one scheduled task, and what became of its last runs", NULL, NULL, run_show};
const struct command command_schedule_run = {
    "schedule run", "TASK", "start a scheduled task now, on the server", NULL, NULL, run_run};
const struct command command_schedule_enable = {
    "schedule enable", "TASK", "let a scheduled task start at its times", NULL, NULL, run_enable};
const struct command command_schedule_disable = {
    "schedule disable", "TASK", "do not start a scheduled task by itself", NULL, NULL, run_disable};
const struct command command_schedule_set = {
    "schedule set", "TASK [flags]", "change when and how a scheduled task runs", &set_table, NULL, run_set};
const struct command command_schedule_simulate = {
    "schedule simulate", "[flags]", "every start of a time span: due time, start, task",
    &time_table,         NULL,      run_simulate};
const struct command command_schedule_preview = {
    "schedule preview", "'CRON' [flags]", "the next times of a cron expression, as JSON", &time_table, NULL,
    run_preview};
