/* Scheduler: time. One look at the clock does for each task whose next_us has come: of the due times that have passed, the
 * last is started when it is not late, and earlier ones were missed. What has been dealt with is written (seen_us) after the
 * job was accepted; the job's key makes the same due time the same job when the server is killed in between. */
#include "base/buffer.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "job/scheduler_parts.h"
#include "limits.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { COUNT_MAX = 100000 }; /* due times counted as missed; more are passed over at once */
#define LATE_US (60 * TIME_SECOND_US)

static void note(struct schedule_row *row, const char *format, ...) PRINTF_LIKE(2, 3);
static void note(struct schedule_row *row, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(row->last_note, sizeof(row->last_note), format, arguments);
    va_end(arguments);
}

static bool is_running(const struct schedule_row *row)
{
    return strcmp(row->last_outcome, "running") == 0;
}

static void set_outcome(struct schedule_row *row, const char *outcome)
{
    (void)text_copy(text_of(outcome), row->last_outcome, sizeof(row->last_outcome));
}

static struct schedule_run run_of(const struct schedule_row *row, int64_t due_us, const char *outcome)
{
    struct schedule_run run = {.due_us = due_us, .started_us = TIME_NONE, .ended_us = TIME_NONE};
    (void)text_copy(text_of(outcome), run.outcome, sizeof(run.outcome));
    (void)text_copy(text_of(row->last_note), run.note, sizeof(run.note));
    return run;
}

static void save(struct scheduler *scheduler, struct entry *entry, const struct schedule_run *run)
{
    struct err err = {0};
    if (schedule_store_note(scheduler->options.db, &entry->task.row, run, &err) != ERR_OK)
        log_line(LOG_ERROR, "schedule", "%s: %s", entry->task.name, err.text);
}

/* A due time that started nothing. */
static void skip(struct scheduler *scheduler, struct entry *entry, int64_t due_us)
{
    struct schedule_row *row = &entry->task.row;
    struct schedule_run run = run_of(row, due_us, "skipped");
    if (!is_running(row))
        set_outcome(row, "skipped");
    log_line(LOG_INFO, "schedule", "%s: skipped: %s", entry->task.name, row->last_note);
    save(scheduler, entry, &run);
}

static void fail(struct scheduler *scheduler, struct entry *entry, int64_t due_us, const char *why)
{
    struct schedule_row *row = &entry->task.row;
    note(row, "%s", why);
    set_outcome(row, "failed");
    row->failures++;
    struct schedule_run run = run_of(row, due_us, "failed");
    log_line(LOG_ERROR, "schedule", "%s: %s", entry->task.name, why);
    save(scheduler, entry, &run);
}

enum err_code scheduler_start(struct scheduler *scheduler, struct entry *entry, int64_t due_us,
                              const char *key, const char *who, const char *text, struct job_row *out,
                              struct err *err)
{
    struct schedule_row *row = &entry->task.row;
    struct job_order order = {.task = entry->task.task,
                              .request_json = entry->task.options,
                              .key = key,
                              .who = who,
                              .label = entry->task.name};
    if (scheduler->options.submit == NULL)
        return err_set(err, ERR_CONFLICT, "'%s' cannot be started here: no server runs", entry->task.name);
    if (is_running(row))
        return err_set(err, ERR_CONFLICT, "the run before (job %lld) has not ended",
                       (long long)row->last_job);
    enum err_code code = scheduler->options.submit(scheduler->options.context, &order, out, err);
    if (code != ERR_OK)
        return code;
    int64_t now_us = scheduler_now_us(scheduler);
    row->last_job = out->id;
    row->last_us = now_us;
    row->last_duration_us = TIME_NONE;
    row->runs++;
    note(row, "%s", text);
    set_outcome(row, "running");
    struct schedule_run run = run_of(row, due_us, "running");
    run.job_id = out->id;
    run.started_us = now_us;
    save(scheduler, entry, &run);
    scheduler_tell(scheduler, entry);
    if (job_state_is_final(out->state)) /* the key was known already, or it could not be started */
        scheduler_job_changed(scheduler, out);
    return ERR_OK;
}

static void start_due(struct scheduler *scheduler, struct entry *entry, int64_t due_us, const char *text)
{
    char key[JOB_KEY_BYTES], at[TIME_TEXT_BYTES];
    struct job_row job;
    struct err err = {0};
    if (is_running(&entry->task.row)) {
        note(&entry->task.row, "the run before (job %lld) has not ended",
             (long long)entry->task.row.last_job);
        skip(scheduler, entry, due_us);
        return;
    }
    time_format_iso(due_us, at);
    (void)snprintf(key, sizeof(key), "schedule:%s:%s", entry->task.name, at);
    if (scheduler_start(scheduler, entry, due_us, key, "schedule", text, &job, &err) != ERR_OK)
        fail(scheduler, entry, due_us, err.text);
}

/* The last due time that has come, and how many came before it. */
static int64_t last_due(const struct entry *entry, int64_t now_us, int64_t *out_count)
{
    const struct schedule_task *task = &entry->task;
    int64_t due_us = task->due_us;
    for (*out_count = 0; *out_count < COUNT_MAX; (*out_count)++) {
        int64_t next_us = cron_next(&entry->cron, entry->zone, due_us);
        if (next_us == TIME_NONE ||
            next_us + schedule_jitter_us(task->name, next_us, task->jitter_s) > now_us)
            break;
        due_us = next_us;
    }
    return due_us;
}

static void run_entry(struct scheduler *scheduler, struct entry *entry, int64_t now_us)
{
    struct schedule_task *task = &entry->task;
    char text[SCHEDULE_NOTE_BYTES] = "";
    int64_t earlier, first_us = task->due_us, due_us = last_due(entry, now_us, &earlier);
    bool is_late = now_us - due_us - schedule_jitter_us(task->name, due_us, task->jitter_s) > LATE_US;
    int64_t missed = earlier + (is_late ? 1 : 0);
    task->row.seen_us = earlier == COUNT_MAX ? now_us : due_us;
    if (missed > 0)
        (void)snprintf(text, sizeof(text), "%s%lld earlier run%s missed while no scheduler ran",
                       earlier == COUNT_MAX ? "at least " : "", (long long)missed,
                       missed == 1 ? " was" : "s were");
    if (!is_late) {
        start_due(scheduler, entry, due_us, text);
    } else if (task->missed == SCHEDULE_ONCE) {
        start_due(scheduler, entry, first_us, text);
    } else {
        note(&task->row, "%s", text);
        skip(scheduler, entry, due_us);
    }
    scheduler_plan(scheduler, entry);
    scheduler_tell(scheduler, entry);
}

/* ---- the end of a job ---- */

/* What the task says of itself: its outcome, and why. */
static void read_result(struct scheduler *scheduler, int64_t job_id, struct schedule_row *row)
{
    struct buffer text;
    json_t *result = NULL;
    const char *outcome = NULL, *why = NULL;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    if (job_store_result(scheduler->options.db, job_id, &text, NULL) == ERR_OK && text.size_bytes > 0 &&
        json_read(buffer_text(&text), text.size_bytes, &result, NULL) == ERR_OK) {
        outcome = json_string_value(json_object_get(result, "outcome"));
        why = json_string_value(json_object_get(result, "note"));
    }
    if (outcome != NULL && strcmp(outcome, "skipped") == 0)
        set_outcome(row, "skipped");
    if (why != NULL)
        note(row, "%s", why);
    json_decref(result);
    buffer_release(&text);
}

static void end_entry(struct scheduler *scheduler, struct entry *entry, const struct job_row *job)
{
    struct schedule_row *row = &entry->task.row;
    struct err err = {0};
    set_outcome(row, job_state_name(job->state));
    if (job->state == JOB_SUCCEEDED)
        read_result(scheduler, job->id, row);
    else if (job->error[0] != '\0')
        note(row, "%s", job->error);
    if (job->state == JOB_FAILED)
        row->failures++;
    if (job->started_us != TIME_NONE)
        row->last_us = job->started_us;
    row->last_duration_us = job->started_us != TIME_NONE && job->ended_us != TIME_NONE
                                ? job->ended_us - job->started_us
                                : TIME_NONE;
    struct schedule_run run = run_of(row, 0, row->last_outcome);
    run.job_id = job->id;
    run.started_us = job->started_us;
    run.ended_us = job->ended_us;
    if (schedule_store_end(scheduler->options.db, row, &run, &err) != ERR_OK)
        log_line(LOG_ERROR, "schedule", "%s: %s", entry->task.name, err.text);
    scheduler_tell(scheduler, entry);
}

void scheduler_job_changed(struct scheduler *scheduler, const struct job_row *job)
{
    if (!job_state_is_final(job->state))
        return;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        struct entry *entry = &scheduler->entries[i];
        if (entry->task.row.last_job == job->id && is_running(&entry->task.row))
            end_entry(scheduler, entry, job);
    }
}

/* A job that ended while nobody looked. */
static void catch_up(struct scheduler *scheduler, struct entry *entry)
{
    struct schedule_row *row = &entry->task.row;
    struct job_row job;
    if (!is_running(row))
        return;
    enum err_code code = job_store_get(scheduler->options.db, row->last_job, &job, NULL);
    if (code == ERR_NOT_FOUND)
        job = (struct job_row){.id = row->last_job,
                               .state = JOB_STOPPED,
                               .started_us = row->last_us,
                               .ended_us = TIME_NONE,
                               .error = "the job is gone"};
    if ((code == ERR_OK || code == ERR_NOT_FOUND) && job_state_is_final(job.state))
        end_entry(scheduler, entry, &job);
}

/* ---- the clock ---- */

void scheduler_begin(struct scheduler *scheduler)
{
    int64_t now_us = scheduler_now_us(scheduler);
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        struct entry *entry = &scheduler->entries[i];
        struct schedule_row *row = &entry->task.row;
        catch_up(scheduler, entry);
        if (row->seen_us == TIME_NONE || row->seen_us > now_us) {
            row->seen_us = now_us; /* new; or the clock was ahead when it was written */
            if (!scheduler->options.is_idle)
                save(scheduler, entry, NULL);
        }
        scheduler_plan(scheduler, entry);
    }
}

/* The clock was set back: what was due then is dealt with; from now on, not from then on. */
static void go_back(struct scheduler *scheduler, int64_t now_us)
{
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        struct entry *entry = &scheduler->entries[i];
        if (entry->task.row.seen_us > now_us)
            entry->task.row.seen_us = now_us;
        scheduler_plan(scheduler, entry);
    }
}

static void read_changes(struct scheduler *scheduler)
{
    struct err err = {0};
    int64_t version = db_data_version(scheduler->options.db);
    if (version == scheduler->data_version)
        return;
    scheduler->data_version = version;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        struct entry *entry = &scheduler->entries[i];
        struct schedule_row before = entry->task.row;
        if (scheduler_read(scheduler, entry, &err) != ERR_OK)
            log_line(LOG_ERROR, "schedule", "%s: %s", entry->shipped->name, err.text);
        else if (memcmp(&before, &entry->task.row, sizeof(before)) != 0)
            scheduler_tell(scheduler, entry);
    }
}

void scheduler_run_due(struct scheduler *scheduler)
{
    int64_t now_us = scheduler_now_us(scheduler);
    assert(scheduler->options.submit != NULL); /* else there is nothing to do here */
    if (now_us < scheduler->last_now_us - LATE_US)
        go_back(scheduler, now_us);
    scheduler->last_now_us = now_us;
    read_changes(scheduler);
    if (scheduler->next_us == TIME_NONE || scheduler->next_us > now_us)
        return;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        struct entry *entry = &scheduler->entries[i];
        if (entry->task.next_us != TIME_NONE && entry->task.next_us <= now_us)
            run_entry(scheduler, entry, now_us);
    }
}
