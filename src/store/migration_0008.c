/* Schema step 8: the schedule.
 *
 * schedule      one row per scheduled task that was changed by a user or has run. What a user has changed is there, what he
 *               has not is NULL: the shipped value (job/schedule_list.h) holds, also one that a later program ships. seen_us:
 *               up to here every due time has been dealt with.
 * schedule_run  what became of the due times, the newest of each task. job_id 0: none was started.
 * value_bet     selections whose price is above what the model in production thinks it is worth, as the newest scan found
 *               them; a match and selection appears once per target, bot and bookmaker.
 * Job ids are no foreign keys: jobs are forgotten earlier than the history of the schedule. */
#include "store/migrations.h"

const char *const migration_0008[] = {
    "CREATE TABLE schedule("
    "name TEXT PRIMARY KEY, is_enabled INTEGER NOT NULL DEFAULT 1, cron TEXT, time_zone TEXT, missed TEXT, "
    "jitter_s INTEGER, options TEXT, seen_us INTEGER, last_us INTEGER, last_duration_us INTEGER, "
    "last_outcome TEXT NOT NULL DEFAULT '', last_note TEXT NOT NULL DEFAULT '', "
    "last_job INTEGER NOT NULL DEFAULT 0, runs INTEGER NOT NULL DEFAULT 0, "
    "failures INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",

    "CREATE TABLE schedule_run("
    "id INTEGER PRIMARY KEY, name TEXT NOT NULL, due_us INTEGER NOT NULL, job_id INTEGER NOT NULL DEFAULT 0, "
    "started_us INTEGER, ended_us INTEGER, outcome TEXT NOT NULL, note TEXT NOT NULL DEFAULT '')",
    "CREATE INDEX schedule_run_by_name ON schedule_run(name, id)",
    "CREATE INDEX schedule_run_by_job ON schedule_run(job_id) WHERE job_id <> 0",

    "CREATE TABLE value_bet("
    "id INTEGER PRIMARY KEY, match_id INTEGER NOT NULL REFERENCES match(id) ON DELETE CASCADE, "
    "target TEXT NOT NULL, selection TEXT NOT NULL, bookmaker TEXT NOT NULL, label TEXT NOT NULL, "
    "odds REAL NOT NULL, price_us INTEGER, p REAL NOT NULL, edge REAL NOT NULL, min_edge REAL NOT NULL, "
    "market_p REAL, flat REAL NOT NULL, kelly REAL NOT NULL, fractional REAL NOT NULL, "
    "value_flat REAL NOT NULL, value_fractional REAL NOT NULL, currency TEXT NOT NULL, "
    "bot TEXT NOT NULL, version TEXT NOT NULL, found_us INTEGER NOT NULL, "
    "UNIQUE(match_id, target, bot, selection, bookmaker))",
    "CREATE INDEX value_bet_by_edge ON value_bet(edge DESC, id)",
    NULL,
};
