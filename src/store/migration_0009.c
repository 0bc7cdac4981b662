/* Schema step 9: forecasts and retraining. Times are UTC microseconds.
 *
 * forecast          the newest forecast of a version for a match: told over HTTP before the match ('served'), or made of the
 *                   features as they were before it, once the result was there ('replayed'). outcome: index of the class.
 * alarm_limits      what the alarms of a version are compared with, and how that was calibrated; JSON
 * drift_check       one row per look at a version; `at_us` is the moment looked at, `made_us` the clock
 * retraining_event  every decision to train again, or not to; job_key leads to the job
 * retraining_state  key/value: whether the pipeline is on
 * recalibration     Platt layers computed for a version in production, and what they were worth on the past */
#include "store/migrations.h"

const char *const migration_0009[] = {
    "CREATE TABLE forecast("
    "version TEXT NOT NULL, match_id INTEGER NOT NULL, subject TEXT NOT NULL, target TEXT NOT NULL, "
    "kickoff_us INTEGER NOT NULL, made_us INTEGER NOT NULL, "
    "source TEXT NOT NULL CHECK(source IN ('served', 'replayed')), "
    "p_1 REAL NOT NULL, p_2 REAL NOT NULL, p_3 REAL, "
    "settled_us INTEGER, outcome INTEGER, loss REAL, "
    "PRIMARY KEY(version, match_id)) WITHOUT ROWID",
    "CREATE INDEX forecast_open ON forecast(kickoff_us) WHERE settled_us IS NULL",
    "CREATE INDEX forecast_by_kickoff ON forecast(kickoff_us)",

    "CREATE TABLE alarm_limits("
    "version TEXT PRIMARY KEY, made_us INTEGER NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL) "
    "WITHOUT ROWID",

    "CREATE TABLE drift_check("
    "id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, made_us INTEGER NOT NULL, version TEXT NOT NULL, "
    "subject TEXT NOT NULL, variant TEXT NOT NULL, bot TEXT NOT NULL, "
    "psi_max REAL, share_drifted REAL, loss REAL, page_hinkley REAL, score REAL, "
    "is_alarm INTEGER NOT NULL, text TEXT NOT NULL)",
    "CREATE INDEX drift_check_by_version ON drift_check(version, at_us)",
    "CREATE INDEX drift_check_by_model ON drift_check(subject, variant, bot, at_us)",

    "CREATE TABLE retraining_event("
    "id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, made_us INTEGER NOT NULL, cause TEXT NOT NULL, "
    "subject TEXT NOT NULL, variant TEXT NOT NULL, bot TEXT NOT NULL, version TEXT NOT NULL, "
    "decision TEXT NOT NULL, reason TEXT NOT NULL, job_key TEXT NOT NULL, details TEXT NOT NULL)",
    "CREATE INDEX retraining_event_by_model ON retraining_event(subject, variant, bot, at_us)",

    "CREATE TABLE retraining_state(key TEXT PRIMARY KEY, value TEXT NOT NULL, who TEXT NOT NULL, "
    "at_us INTEGER NOT NULL) WITHOUT ROWID",

    "CREATE TABLE recalibration("
    "version TEXT NOT NULL, made_us INTEGER NOT NULL, matches INTEGER NOT NULL, "
    "is_better INTEGER NOT NULL, reason TEXT NOT NULL, loss_before REAL, loss_after REAL, layer BLOB, "
    "PRIMARY KEY(version, made_us)) WITHOUT ROWID",
    NULL,
};
