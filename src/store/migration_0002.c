/* Schema step 2: jobs and the registry of models. Times are UTC microseconds, NULL where not yet.
 *
 * job            one row per accepted job; `process` names the process beside its pid (job/process_mark.h), so that a
 *                pid that was given to somebody else is never taken for ours.
 * job_event      one row per change of state.
 * version        one row per trained file; the unique partial index holds "at most one Production version per model".
 * stage_history  every move between stages; is_rollback keeps a rolled-back version from being rolled back to.
 * decision       what a promotion was decided on. */
#include "store/migrations.h"

const char *const migration_0002[] = {
    "CREATE TABLE job("
    "id INTEGER PRIMARY KEY, task TEXT NOT NULL, request TEXT NOT NULL, "
    "state TEXT NOT NULL CHECK(state IN ('queued', 'running', 'stopping', 'succeeded', 'failed', "
    "'stopped')), "
    "attempt INTEGER NOT NULL DEFAULT 0, pid INTEGER NOT NULL DEFAULT 0, process TEXT NOT NULL DEFAULT '', "
    "created_us INTEGER NOT NULL, started_us INTEGER, ended_us INTEGER, "
    "progress_done INTEGER NOT NULL DEFAULT 0, progress_total INTEGER NOT NULL DEFAULT 0, "
    "phase TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '', result TEXT)",
    "CREATE INDEX job_unfinished ON job(state, id) WHERE state IN ('queued', 'running', 'stopping')",

    "CREATE TABLE job_event("
    "id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL REFERENCES job(id), at_us INTEGER NOT NULL, "
    "from_state TEXT, to_state TEXT NOT NULL, attempt INTEGER NOT NULL, note TEXT NOT NULL)",
    "CREATE INDEX job_event_by_job ON job_event(job_id, id)",

    "CREATE TABLE version("
    "version TEXT PRIMARY KEY, subject TEXT NOT NULL, variant TEXT NOT NULL, bot TEXT NOT NULL, "
    "stage TEXT NOT NULL CHECK(stage IN ('None', 'Staging', 'Production', 'Archived')), "
    "trained_us INTEGER NOT NULL, size_bytes INTEGER NOT NULL, duration_ms INTEGER NOT NULL, "
    "feature_set TEXT NOT NULL, log_loss REAL, brier REAL, rps REAL, accuracy REAL, "
    "train_from_us INTEGER, train_to_us INTEGER, test_from_us INTEGER, test_to_us INTEGER, "
    "row_count INTEGER NOT NULL, details TEXT NOT NULL)",
    "CREATE UNIQUE INDEX version_in_production ON version(subject, variant, bot) WHERE stage = 'Production'",
    "CREATE INDEX version_by_model ON version(subject, variant, bot, trained_us)",

    "CREATE TABLE stage_history("
    "id INTEGER PRIMARY KEY, version TEXT NOT NULL REFERENCES version(version), at_us INTEGER NOT NULL, "
    "from_stage TEXT, to_stage TEXT NOT NULL, is_rollback INTEGER NOT NULL DEFAULT 0, "
    "who TEXT NOT NULL, why TEXT NOT NULL)",
    "CREATE INDEX stage_history_by_version ON stage_history(version, id)",

    "CREATE TABLE decision("
    "id INTEGER PRIMARY KEY, version TEXT NOT NULL REFERENCES version(version), at_us INTEGER NOT NULL, "
    "promoted INTEGER NOT NULL, reason TEXT NOT NULL, numbers TEXT NOT NULL)",
    "CREATE INDEX decision_by_version ON decision(version, id)",
    NULL,
};
