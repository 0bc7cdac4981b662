/* What the files of the scheduler share. Inside job/ only.
 *   scheduler.c        the tasks: their values, what users set
 *   scheduler_fire.c   time: what is due, what is started, what became of it */
#ifndef ALMANAC_JOB_SCHEDULER_PARTS_H
#define ALMANAC_JOB_SCHEDULER_PARTS_H

#include "job/scheduler.h"

enum {
#define SCHEDULE(name, task, cron, zone, missed, jitter_s, options, doc) SCHEDULE_ORDINAL_##name,
#include "job/schedule_list.h"
#undef SCHEDULE
    SCHEDULE_COUNT
};

struct shipped_task {
    const char *name, *task, *cron, *time_zone;
    enum schedule_missed missed;
    int64_t jitter_s;
    const char *options, *doc;
};

/* A task and what is derived from its values. */
struct entry {
    const struct shipped_task *shipped;
    struct schedule_task task;
    struct cron cron;
    struct zone *zone;                 /* NULL: its values make no sense */
    char trouble[SCHEDULE_NOTE_BYTES]; /* why it is not available */
};

struct scheduler {
    struct scheduler_options options;
    char time_zone[ZONE_NAME_BYTES];
    struct entry entries[SCHEDULE_COUNT];
    int64_t next_us;      /* earliest of the tasks */
    int64_t data_version; /* of the store, when it was read last */
    int64_t last_now_us;  /* of the clock, to see it jump back */
};

int64_t scheduler_now_us(const struct scheduler *scheduler);
/* due_us and next_us of the entry after row.seen_us, and the scheduler's earliest. */
void scheduler_plan(struct scheduler *scheduler, struct entry *entry);
void scheduler_tell(const struct scheduler *scheduler, const struct entry *entry);
/* Reads the entry's row again, as far as users set it. */
enum err_code scheduler_read(struct scheduler *scheduler, struct entry *entry, struct err *err) CHECKED;
/* Starts the entry's job and notes it. ERR_CONFLICT: it still runs. */
enum err_code scheduler_start(struct scheduler *scheduler, struct entry *entry, int64_t due_us,
                              const char *key, const char *who, const char *text, struct job_row *out,
                              struct err *err) CHECKED;

#endif
