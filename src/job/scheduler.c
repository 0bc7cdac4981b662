/* Scheduler: the tasks. A task's present values are the user's where he set some and the shipped ones elsewhere; they are
 * made anew whenever the row is read. Setting tries the new values on a copy first, so that a bad one changes nothing. */
#include "job/scheduler.h"

#include "base/buffer.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "job/scheduler_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIP SCHEDULE_SKIP
#define ONCE SCHEDULE_ONCE
static const struct shipped_task shipped_tasks[] = {
#define SCHEDULE(name, task, cron, zone, missed, jitter_s, options, doc)                                     \
    {#name, task, cron, zone, missed, jitter_s, options, doc},
#include "job/schedule_list.h"
#undef SCHEDULE
};
#undef SKIP
#undef ONCE

const char *schedule_missed_name(enum schedule_missed missed)
{
    return missed == SCHEDULE_ONCE ? "once" : "skip";
}

static bool find_missed(const char *name, enum schedule_missed *out)
{
    *out = strcmp(name, "once") == 0 ? SCHEDULE_ONCE : SCHEDULE_SKIP;
    return strcmp(name, schedule_missed_name(*out)) == 0;
}

int64_t schedule_jitter_us(const char *name, int64_t due_us, int64_t jitter_s)
{
    unsigned char bytes[HASH_BYTES];
    char text[SCHEDULE_NAME_BYTES + 32];
    uint64_t number = 0;
    if (jitter_s <= 0)
        return 0;
    int size_bytes = snprintf(text, sizeof(text), "%s:%lld", name, (long long)due_us);
    hash_bytes(text, (size_t)size_bytes, bytes);
    for (size_t i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return (int64_t)(number % ((uint64_t)jitter_s + 1)) * TIME_SECOND_US;
}

int64_t scheduler_now_us(const struct scheduler *scheduler)
{
    return scheduler->options.clock.now_us(scheduler->options.clock.context);
}

/* ---- values ---- */

static void choose_text(const char *user, const char *shipped, char *out, size_t out_bytes)
{
    (void)text_copy(text_of(user[0] != '\0' ? user : shipped), out, out_bytes);
}

static void choose_values(const struct scheduler *scheduler, struct entry *entry)
{
    const struct shipped_task *shipped = entry->shipped;
    struct schedule_task *task = &entry->task;
    const char *zone = shipped->time_zone[0] != '\0' ? shipped->time_zone : scheduler->time_zone;
    task->name = shipped->name;
    task->task = shipped->task;
    task->doc = shipped->doc;
    choose_text(task->row.cron, shipped->cron, task->cron, sizeof(task->cron));
    choose_text(task->row.time_zone, zone, task->time_zone, sizeof(task->time_zone));
    choose_text(task->row.options, shipped->options, task->options, sizeof(task->options));
    task->jitter_s = task->row.jitter_s >= 0 ? task->row.jitter_s : shipped->jitter_s;
    if (task->row.missed[0] == '\0' || !find_missed(task->row.missed, &task->missed))
        task->missed = shipped->missed;
}

static enum err_code check_options(const struct scheduler *scheduler, const struct schedule_task *task,
                                   struct err *err)
{
    if (scheduler->options.check == NULL)
        return ERR_OK;
    enum err_code code = scheduler->options.check(scheduler->options.context, task->task, task->options, err);
    return code == ERR_NOT_FOUND ? err_set(err, ERR_NOT_FOUND, "task not available") : code;
}

/* Cron and zone from the values. The entry's old zone is closed; on an error it has none. */
static enum err_code derive(const struct scheduler *scheduler, struct entry *entry, struct err *err)
{
    zone_close(entry->zone);
    entry->zone = NULL;
    enum err_code code = cron_parse(entry->task.cron, &entry->cron, err);
    if (code == ERR_OK && cron_is_never(&entry->cron))
        code = err_set_field(err, ERR_INVALID, "cron", "cron expression '%s' never fires: no such day",
                             entry->task.cron);
    if (code == ERR_OK)
        code = zone_open(scheduler->options.zone_folder, entry->task.time_zone, &entry->zone, err);
    return code;
}

/* Everything of the entry from its row. Trouble makes it unavailable. */
static void settle(struct scheduler *scheduler, struct entry *entry)
{
    struct err err = {0};
    choose_values(scheduler, entry);
    enum err_code code = derive(scheduler, entry, &err);
    if (code != ERR_OK)
        log_line(LOG_ERROR, "schedule", "%s: %s", entry->shipped->name, err.text);
    else
        code = check_options(scheduler, &entry->task, &err);
    entry->task.is_available = code == ERR_OK;
    (void)text_copy(text_of(err.text), entry->trouble, sizeof(entry->trouble));
    entry->task.trouble = entry->trouble;
    scheduler_plan(scheduler, entry);
}

void scheduler_plan(struct scheduler *scheduler, struct entry *entry)
{
    struct schedule_task *task = &entry->task;
    int64_t seen_us = task->row.seen_us != TIME_NONE ? task->row.seen_us : scheduler_now_us(scheduler);
    bool is_on = task->is_available && task->row.is_enabled && !scheduler->options.is_idle;
    task->due_us = is_on ? cron_next(&entry->cron, entry->zone, seen_us) : TIME_NONE;
    task->next_us = task->due_us == TIME_NONE
                        ? TIME_NONE
                        : task->due_us + schedule_jitter_us(task->name, task->due_us, task->jitter_s);
    scheduler->next_us = TIME_NONE;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        int64_t next_us = scheduler->entries[i].task.next_us;
        if (next_us != TIME_NONE && (scheduler->next_us == TIME_NONE || next_us < scheduler->next_us))
            scheduler->next_us = next_us;
    }
}

void scheduler_tell(const struct scheduler *scheduler, const struct entry *entry)
{
    if (scheduler->options.changed != NULL)
        scheduler->options.changed(scheduler->options.context, &entry->task);
}

/* What has happened is only ever written by the one who holds the clock, so that part of ours is never older. */
enum err_code scheduler_read(struct scheduler *scheduler, struct entry *entry, struct err *err)
{
    struct schedule_row row, *ours = &entry->task.row;
    enum err_code code = schedule_store_get(scheduler->options.db, entry->shipped->name, &row, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    if (ours->name[0] != '\0') {
        bool is_same = row.is_enabled == ours->is_enabled && row.jitter_s == ours->jitter_s &&
                       strcmp(row.cron, ours->cron) == 0 && strcmp(row.time_zone, ours->time_zone) == 0 &&
                       strcmp(row.missed, ours->missed) == 0 && strcmp(row.options, ours->options) == 0;
        if (is_same)
            return ERR_OK;
        row.last_us = ours->last_us;
        row.last_duration_us = ours->last_duration_us;
        memcpy(row.last_outcome, ours->last_outcome, sizeof(row.last_outcome));
        memcpy(row.last_note, ours->last_note, sizeof(row.last_note));
        row.last_job = ours->last_job;
        row.runs = ours->runs;
        row.failures = ours->failures;
        if (ours->seen_us != TIME_NONE && ours->seen_us > row.seen_us)
            row.seen_us = ours->seen_us;
    }
    *ours = row;
    settle(scheduler, entry);
    return ERR_OK;
}

/* ---- life ---- */

enum err_code scheduler_create(const struct scheduler_options *options, struct scheduler **out,
                               struct err *err)
{
    struct zone *zone = NULL;
    struct scheduler *scheduler = calloc(1, sizeof(*scheduler));
    if (scheduler == NULL)
        return err_nomem(err, sizeof(*scheduler));
    scheduler->options = *options;
    scheduler->next_us = TIME_NONE;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++)
        scheduler->entries[i].task.next_us = TIME_NONE;
    (void)text_copy(text_of(options->time_zone), scheduler->time_zone, sizeof(scheduler->time_zone));
    enum err_code code = zone_open(options->zone_folder, options->time_zone, &zone, err);
    zone_close(zone);
    for (size_t i = 0; code == ERR_OK && i < SCHEDULE_COUNT; i++) {
        scheduler->entries[i].shipped = &shipped_tasks[i];
        code = scheduler_read(scheduler, &scheduler->entries[i], err);
    }
    scheduler->data_version = code == ERR_OK ? db_data_version(options->db) : 0;
    scheduler->last_now_us = scheduler_now_us(scheduler);
    if (code != ERR_OK) {
        scheduler_destroy(scheduler);
        return code;
    }
    *out = scheduler;
    return ERR_OK;
}

void scheduler_destroy(struct scheduler *scheduler)
{
    if (scheduler == NULL)
        return;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++)
        zone_close(scheduler->entries[i].zone);
    free(scheduler);
}

const char *scheduler_time_zone(const struct scheduler *scheduler)
{
    return scheduler->time_zone;
}

size_t scheduler_count(const struct scheduler *scheduler)
{
    (void)scheduler;
    return SCHEDULE_COUNT;
}

const struct schedule_task *scheduler_at(const struct scheduler *scheduler, size_t index)
{
    return &scheduler->entries[index].task;
}

static enum err_code find_entry(const struct scheduler *scheduler, const char *name, size_t *out,
                                struct err *err)
{
    char names[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
        if (strcmp(shipped_tasks[i].name, name) == 0) {
            *out = i;
            return ERR_OK;
        }
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "",
                                 shipped_tasks[i].name);
    }
    (void)scheduler;
    return err_set_field(err, ERR_NOT_FOUND, "name", "no scheduled task is called '%.64s'; there are: %s",
                         name, names);
}

enum err_code scheduler_find(const struct scheduler *scheduler, const char *name,
                             const struct schedule_task **out, struct err *err)
{
    size_t index;
    enum err_code code = find_entry(scheduler, name, &index, err);
    if (code == ERR_OK)
        *out = &scheduler->entries[index].task;
    return code;
}

int64_t scheduler_next_us(const struct scheduler *scheduler)
{
    return scheduler->next_us;
}

/* ---- what users set ---- */

static enum err_code take_text(const char *value, const char *field, char *out, size_t out_bytes,
                               struct err *err)
{
    if (value != NULL && !text_copy(text_of(value), out, out_bytes))
        return err_set_field(err, ERR_INVALID, field, "'%s' is longer than %zu bytes", field, out_bytes - 1);
    return ERR_OK;
}

/* The change put over the row; what needs no zone or task is checked. */
static enum err_code apply_change(const struct schedule_change *change, struct schedule_row *row,
                                  struct err *err)
{
    enum schedule_missed missed;
    enum err_code code = take_text(change->cron, "cron", row->cron, sizeof(row->cron), err);
    if (code == ERR_OK)
        code = take_text(change->time_zone, "time_zone", row->time_zone, sizeof(row->time_zone), err);
    if (code == ERR_OK)
        code = take_text(change->options, "options", row->options, sizeof(row->options), err);
    if (code == ERR_OK && change->missed != NULL && change->missed[0] != '\0' &&
        !find_missed(change->missed, &missed))
        code = err_set_field(err, ERR_INVALID, "missed", "'missed' is 'skip' or 'once', not '%.32s'",
                             change->missed);
    if (code == ERR_OK)
        code = take_text(change->missed, "missed", row->missed, sizeof(row->missed), err);
    if (code == ERR_OK && change->jitter_s != -1 &&
        (change->jitter_s < 0 || change->jitter_s > SCHEDULE_JITTER_MAX_S))
        code = err_set_field(err, ERR_INVALID, "jitter_s", "'jitter_s' must be a whole number in 0..%d",
                             SCHEDULE_JITTER_MAX_S);
    if (code == ERR_OK && change->jitter_s != -1)
        row->jitter_s = change->jitter_s;
    if (code == ERR_OK && change->is_enabled != -1)
        row->is_enabled = change->is_enabled != 0;
    return code;
}

/* Only what is set is judged: a task that the program does not have can be disabled. */
static enum err_code try_change(const struct scheduler *scheduler, const struct schedule_change *change,
                                struct entry *trial, struct err *err)
{
    enum err_code code = apply_change(change, &trial->task.row, err);
    if (code != ERR_OK)
        return code;
    choose_values(scheduler, trial);
    if (change->cron != NULL || change->time_zone != NULL)
        code = derive(scheduler, trial, err);
    if (code == ERR_OK && change->options != NULL) {
        code = check_options(scheduler, &trial->task, err);
        if (code == ERR_NOT_FOUND)
            code = err_set_field(err, ERR_CONFLICT, "options",
                                 "the task '%s' is not available, so its options cannot be checked",
                                 trial->task.task);
        else if (code != ERR_OK)
            code = err_set_field(err, ERR_INVALID, "options", "%s", err != NULL ? err->text : "");
    }
    return code;
}

enum err_code scheduler_set(struct scheduler *scheduler, const char *name,
                            const struct schedule_change *change, struct err *err)
{
    size_t index;
    enum err_code code = find_entry(scheduler, name, &index, err);
    if (code != ERR_OK)
        return code;
    struct entry *entry = &scheduler->entries[index], trial = *entry;
    trial.zone = NULL;
    code = try_change(scheduler, change, &trial, err);
    zone_close(trial.zone);
    if (code != ERR_OK)
        return code;
    bool is_new_time = change->cron != NULL || change->time_zone != NULL ||
                       trial.task.row.is_enabled != entry->task.row.is_enabled;
    if (is_new_time)
        trial.task.row.seen_us = scheduler_now_us(scheduler);
    code = schedule_store_set(scheduler->options.db, &trial.task.row, err);
    if (code != ERR_OK)
        return code;
    entry->task.row = trial.task.row;
    settle(scheduler, entry);
    scheduler_tell(scheduler, entry);
    return ERR_OK;
}

enum err_code scheduler_run_now(struct scheduler *scheduler, const char *name, const char *who,
                                struct job_row *out, struct err *err)
{
    char key[JOB_KEY_BYTES], at[TIME_TEXT_BYTES];
    size_t index;
    enum err_code code = find_entry(scheduler, name, &index, err);
    if (code != ERR_OK)
        return code;
    struct entry *entry = &scheduler->entries[index];
    if (!entry->task.is_available)
        return err_set(err, ERR_CONFLICT, "'%s' cannot run: %s", name, entry->trouble);
    int64_t now_us = scheduler_now_us(scheduler);
    time_format_iso(now_us, at);
    (void)snprintf(key, sizeof(key), "schedule:%s:now:%s", name, at);
    return scheduler_start(scheduler, entry, now_us, key, who, "", out, err);
}
