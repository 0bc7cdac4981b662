/* The schedule as JSON. */
#include "job/schedule_json.h"

#include "base/text.h"
#include "base/time.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void schedule_write_task(struct json_writer *out, const struct schedule_task *task,
                         struct schedule_limits limits)
{
    const struct schedule_row *row = &task->row;
    json_begin_object(out);
    json_field_text(out, "name", task->name);
    json_field_text(out, "doc", task->doc);
    json_field_text(out, "task", task->task);
    json_key(out, "options");
    json_put_raw(out, task->options, strlen(task->options));
    json_field_text(out, "cron", task->cron);
    json_field_text(out, "time_zone", task->time_zone);
    json_field_bool(out, "is_enabled", row->is_enabled);
    json_field_bool(out, "is_available", task->is_available);
    json_field_text(out, "missed", schedule_missed_name(task->missed));
    json_field_i64(out, "jitter_s", task->jitter_s);
    json_field_time(out, "last_run", row->last_us);
    json_field_f64(out, "last_duration_s",
                   row->last_duration_us != TIME_NONE ? (double)row->last_duration_us / 1e6 : (double)NAN);
    json_field_text_or_null(out, "last_outcome", row->last_outcome);
    json_field_text_or_null(out, "last_note", task->is_available ? row->last_note : task->trouble);
    json_field_id(out, "last_job", row->last_job);
    json_field_time(out, "next_run", task->next_us);
    json_field_i64(out, "runs", row->runs);
    json_field_i64(out, "failures", row->failures);
    json_field_i64(out, "hard_limit_s", limits.hard_s);
    json_field_i64(out, "soft_limit_s", limits.soft_s);
    json_end_object(out);
}

void schedule_write_run(struct json_writer *out, const struct schedule_run *run)
{
    json_begin_object(out);
    json_field_id(out, "job_id", run->job_id);
    json_field_time(out, "due", run->due_us);
    json_field_time(out, "started_at", run->started_us);
    json_field_time(out, "ended_at", run->ended_us);
    json_field_text(out, "outcome", run->outcome);
    json_field_text_or_null(out, "note", run->note);
    json_end_object(out);
}

/* 2026-10-25T02:30:00+01:00 */
static void put_local(struct json_writer *out, const struct zone *zone, int64_t time_us)
{
    int64_t local_us = zone_to_local(zone, time_us), offset_s = (local_us - time_us) / TIME_SECOND_US;
    int64_t size_s = offset_s < 0 ? -offset_s : offset_s;
    struct civil civil = time_to_civil(local_us, ZONE_UTC);
    char text[64];
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", civil.year, civil.month,
                   civil.day, civil.hour, civil.minute, civil.second, offset_s < 0 ? '-' : '+',
                   (int)(size_s / 3600), (int)(size_s / 60 % 60));
    json_put_text(out, text);
}

static void put_times(struct json_writer *out, const struct cron *cron, const struct zone *zone,
                      int64_t after_us, size_t count, bool is_local)
{
    char text[TIME_TEXT_BYTES];
    json_key(out, is_local ? "local" : "times");
    json_begin_array(out);
    int64_t time_us = cron_next(cron, zone, after_us);
    for (size_t i = 0; i < count && time_us != TIME_NONE; i++) {
        time_format_iso(time_us, text);
        if (is_local)
            put_local(out, zone, time_us);
        else
            json_put_text(out, text);
        time_us = cron_next(cron, zone, time_us);
    }
    json_end_array(out);
}

enum err_code schedule_write_preview(struct json_writer *out, const char *cron, const char *time_zone,
                                     int64_t after_us, size_t count, struct err *err)
{
    struct zone *zone = NULL;
    struct cron parsed;
    enum err_code code = cron_parse(cron, &parsed, err);
    if (code == ERR_OK)
        code = zone_open(NULL, time_zone, &zone, err);
    if (code == ERR_OK) {
        json_begin_object(out);
        json_field_text(out, "cron", cron);
        json_field_text(out, "time_zone", time_zone);
        put_times(out, &parsed, zone, after_us, count, false);
        put_times(out, &parsed, zone, after_us, count, true);
        json_end_object(out);
    }
    zone_close(zone);
    return code;
}
