/* almanac jobs submit | stop | force-stop | resume | wait: what changes the queue of a running server, over HTTP. */
#include "cli/jobs.h"

#include "base/text.h"
#include "limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAIRS_MAX = 64, WAIT_MS = 200 };

/* ---- actions ---- */

static enum err_code act(const struct command *command, const char *action, int argc, char **argv,
                         struct err *err)
{
    struct settings settings;
    struct server_client *client = NULL;
    json_t *answer = NULL;
    char path[64];
    int64_t id = 0;
    enum err_code code = jobs_parse_id(command, argc, argv, &settings, &id, err);
    if (code == ERR_OK)
        code = server_client_create(&settings, &client, err);
    (void)snprintf(path, sizeof(path), "/api/jobs/%" PRId64 "/%s", id, action);
    if (code == ERR_OK)
        code = server_client_call(client, "POST", path, NULL, &answer, err);
    if (code == ERR_OK && settings.json)
        jobs_print_json(answer);
    else if (code == ERR_OK)
        jobs_print_line(json_object_get(answer, "job"));
    json_decref(answer);
    server_client_destroy(client);
    return code;
}

static enum err_code run_stop(const struct command *command, int argc, char **argv, struct err *err)
{
    return act(command, "stop", argc, argv, err);
}

static enum err_code run_force_stop(const struct command *command, int argc, char **argv, struct err *err)
{
    return act(command, "force-stop", argc, argv, err);
}

static enum err_code run_resume(const struct command *command, int argc, char **argv, struct err *err)
{
    return act(command, "resume", argc, argv, err);
}

/* ---- wait ---- */

static enum err_code wait_for(struct server_client *client, int64_t id, json_t **out, struct err *err)
{
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    enum err_code code = jobs_ask(client, id, out, err);
    while (code == ERR_OK && !jobs_state_is_final(jobs_text(json_object_get(*out, "job"), "state"))) {
        json_decref(*out);
        *out = NULL;
        (void)nanosleep(&pause, NULL);
        code = jobs_ask(client, id, out, err);
    }
    return code;
}

static enum err_code run_wait(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct server_client *client = NULL;
    json_t *answer = NULL;
    char name[32];
    int64_t id = 0;
    enum err_code code = jobs_parse_id(command, argc, argv, &settings, &id, err);
    if (code == ERR_OK)
        code = server_client_create(&settings, &client, err);
    if (code == ERR_OK)
        code = wait_for(client, id, &answer, err);
    if (code == ERR_OK) {
        const json_t *job = json_object_get(answer, "job");
        if (settings.json)
            jobs_print_json(answer);
        else
            jobs_print_line(job);
        (void)snprintf(name, sizeof(name), "%" PRId64, id);
        code = jobs_outcome(name, jobs_text(job, "state"), jobs_text(job, "error"), err);
    }
    json_decref(answer);
    server_client_destroy(client);
    return code;
}

/* ---- submit ---- */

struct submit_options {
    char key[96], queue[16], label[96], after[128];
    int64_t priority, max_attempts;
};
#define MEMBER(name) OPTION_MEMBER(struct submit_options, name)
static const struct option_row submit_rows[] = {
    {"key", OPTION_TEXT, MEMBER(key), "", 0, 0, "",
     "a name of your own: the same key again answers the same job"},
    {"queue", OPTION_TEXT, MEMBER(queue), "", 0, 0, "", "another queue than the task's own"},
    {"label", OPTION_TEXT, MEMBER(label), "", 0, 0, "", "what lists call it; empty: the task's name"},
    {"after", OPTION_TEXT, MEMBER(after), "", 0, 0, "", "ids of jobs that must succeed first: 3,4"},
    {"priority", OPTION_INT, MEMBER(priority), "", -100, 100, "0", "higher first"},
    {"max_attempts", OPTION_INT, MEMBER(max_attempts), "attempts", 1, 100, "1",
     "attempts for failures that can be retried"},
};
#undef MEMBER
static const struct option_table submit_table = {"jobs_submit", submit_rows,
                                                 sizeof(submit_rows) / sizeof(*submit_rows)};

/* name=value of the task's own table, complete with defaults. */
static enum err_code write_task_options(const struct task *task, const char *const *pairs, size_t count,
                                        struct json_writer *out, struct err *err)
{
    _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES];
    enum err_code code = ERR_OK;
    option_defaults(task->options, options);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        char name[64];
        const char *equals = strchr(pairs[i], '=');
        if (equals == NULL ||
            !text_copy((struct text){pairs[i], (size_t)(equals - pairs[i])}, name, sizeof(name)))
            return err_set(err, ERR_INVALID, "'%s' is no option of task '%s': write name=value", pairs[i],
                           task->name);
        code = option_set(task->options, options, name, equals + 1, err);
    }
    json_key(out, "options");
    option_write_json(task->options, options, out);
    return code;
}

static enum err_code write_after(const struct submit_options *options, struct json_writer *out,
                                 struct err *err)
{
    struct text rest = text_of(options->after), part;
    int64_t id;
    json_key(out, "after");
    json_begin_array(out);
    while (options->after[0] != '\0' && text_split(&rest, ',', &part)) {
        if (!text_parse_i64(text_trim(part), &id) || id < 1)
            return err_set_field(err, ERR_INVALID, "after", "'%s' is no list of ids", options->after);
        json_put_i64(out, id);
    }
    json_end_array(out);
    return ERR_OK;
}

static enum err_code write_order(const struct submit_options *options, const char *const *positionals,
                                 size_t count, struct buffer *body, struct err *err)
{
    struct json_writer out;
    const struct task *task = count > 0 ? task_find(positionals[0]) : NULL;
    if (task == NULL)
        return err_set(err, ERR_INVALID, "name a task: almanac jobs submit train league=E0 target=1x2");
    json_writer_init(&out, body);
    json_begin_object(&out);
    json_field_text(&out, "task", task->name);
    enum err_code code = write_task_options(task, positionals + 1, count - 1, &out, err);
    if (code == ERR_OK)
        code = write_after(options, &out, err);
    if (code != ERR_OK)
        return code;
    if (options->key[0] != '\0')
        json_field_text(&out, "key", options->key);
    if (options->queue[0] != '\0')
        json_field_text(&out, "queue", options->queue);
    if (options->label[0] != '\0')
        json_field_text(&out, "label", options->label);
    json_field_i64(&out, "priority", options->priority);
    json_field_i64(&out, "max_attempts", options->max_attempts);
    json_end_object(&out);
    return buffer_check(body, "the order", err);
}

static enum err_code run_submit(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct submit_options options;
    struct server_client *client = NULL;
    struct buffer body;
    const char *positionals[PAIRS_MAX] = {""};
    size_t count = 0;
    json_t *answer = NULL;
    buffer_init(&body, LIMIT_BODY_BYTES);
    enum err_code code =
        command_parse(command, argc, argv, &settings, &options, positionals, PAIRS_MAX, &count, err);
    if (code == ERR_OK)
        code = write_order(&options, positionals, count, &body, err);
    if (code == ERR_OK)
        code = server_client_create(&settings, &client, err);
    if (code == ERR_OK)
        code = server_client_call(client, "POST", "/api/jobs", buffer_text(&body), &answer, err);
    if (code == ERR_OK && settings.json)
        jobs_print_json(answer);
    else if (code == ERR_OK)
        jobs_print_line(json_object_get(answer, "job"));
    json_decref(answer);
    server_client_destroy(client);
    buffer_release(&body);
    return code;
}

const struct command command_jobs_submit = {
    "jobs submit", "TASK [name=value...] [flags]", "queue a task of the running server", &submit_table, NULL,
    run_submit};
const struct command command_jobs_stop = {
    "jobs stop", "ID", "ask a job to stop; a queued one is stopped at once", NULL, NULL, run_stop};
const struct command command_jobs_force_stop = {
    "jobs force-stop", "ID", "stop a job now: TERM, then KILL to all its processes", NULL, NULL,
    run_force_stop};
const struct command command_jobs_resume = {
    "jobs resume", "ID", "queue a stopped or failed job again; what it has finished is kept",
    NULL,          NULL, run_resume};
const struct command command_jobs_wait = {
    "jobs wait", "ID", "wait for the end of a job; the exit status tells whether it succeeded",
    NULL,        NULL, run_wait};
