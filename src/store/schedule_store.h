/* The schedule as kept: what users changed about the shipped tasks, what has run, and what became of it. What the values mean
 * is job/scheduler.h. Each function that writes is one transaction of its own. Threads: as the connection. */
#ifndef ALMANAC_STORE_SCHEDULE_STORE_H
#define ALMANAC_STORE_SCHEDULE_STORE_H

#include "base/err.h"
#include "store/db.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCHEDULE_NAME_BYTES = 32,
    SCHEDULE_CRON_BYTES = 128,
    SCHEDULE_ZONE_BYTES = 64,
    SCHEDULE_OPTIONS_BYTES = 1024,
    SCHEDULE_OUTCOME_BYTES = 16,
    SCHEDULE_NOTE_BYTES = 512,
    SCHEDULE_RUNS_KEPT = 500 /* per task: a day of the busiest one */
};

struct schedule_row {
    char name[SCHEDULE_NAME_BYTES];
    /* what a user sets; "" and -1: as shipped */
    bool is_enabled;
    char cron[SCHEDULE_CRON_BYTES], time_zone[SCHEDULE_ZONE_BYTES], missed[8];
    char options[SCHEDULE_OPTIONS_BYTES]; /* JSON object */
    int64_t jitter_s;
    /* what has happened */
    int64_t seen_us;          /* due times up to here are dealt with; TIME_NONE: never scheduled */
    int64_t last_us;          /* begin of the last run; TIME_NONE */
    int64_t last_duration_us; /* TIME_NONE: unknown or still running */
    char last_outcome[SCHEDULE_OUTCOME_BYTES]; /* "": never run */
    char last_note[SCHEDULE_NOTE_BYTES];
    int64_t last_job; /* 0 none */
    int64_t runs, failures;
};

/* ERR_NOT_FOUND: nobody changed it and it never ran; *out is then a row as shipped. */
enum err_code schedule_store_get(struct db *db, const char *name, struct schedule_row *out,
                                 struct err *err) CHECKED;
/* What a user sets, and seen_us where it is later than the stored one: a task that is enabled or gets other times does not
 * make up for earlier ones. */
enum err_code schedule_store_set(struct db *db, const struct schedule_row *row, struct err *err) CHECKED;

struct schedule_run {
    int64_t due_us, job_id, started_us, ended_us; /* job_id 0: none started; TIME_NONE: not */
    char outcome[SCHEDULE_OUTCOME_BYTES], note[SCHEDULE_NOTE_BYTES];
};
/* What has happened of the row, and a new run when `run` is not NULL, together. Old runs are forgotten. */
enum err_code schedule_store_note(struct db *db, const struct schedule_row *row,
                                  const struct schedule_run *run, struct err *err) CHECKED;
/* The same, and the end of the run that has this job. */
enum err_code schedule_store_end(struct db *db, const struct schedule_row *row,
                                 const struct schedule_run *run, struct err *err) CHECKED;
/* Newest first; *count in: capacity, out: filled. */
enum err_code schedule_store_runs(struct db *db, const char *name, struct schedule_run *out, size_t *count,
                                  struct err *err) CHECKED;

#endif
