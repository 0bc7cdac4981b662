/* Monitor: one version in production, looked at as of a moment: has the world moved away from what it learned?
 *
 *   drift        the newest `window` matches of its league against those it was made of (learned from and judged on), per
 *                feature of the model: evaluate/drift_alarm.h
 *   live loss    its forecasts of every match since: as they were told (table forecast), else replayed: the row of the matrix
 *                is what was known before the kick-off: evaluate/loss_alarm.h
 *
 * Limits are calibrated once per version and kept (monitor_limits.c). The allowance for false alarms, `rate` per `horizon`
 * matches, is shared equally by the four alarms: drifted features, Page-Hinkley, ADWIN, score.
 * Reads the store only. Threads: the caller's, calibration also on the pool. */
#ifndef ALMANAC_TASK_MONITOR_H
#define ALMANAC_TASK_MONITOR_H

#include "base/buffer.h"
#include "base/json.h"
#include "evaluate/drift_alarm.h"
#include "evaluate/loss_alarm.h"
#include "feature/matrix.h"
#include "football/target.h"
#include "registry/registry.h"
#include "task/task.h"

struct monitor_options {
    double rate, drift_threshold, performance_threshold;
    int64_t horizon, window, least, days, runs, samples, seed;
};
/* Rows of an option table whose struct holds a monitor_options: member(name) is its place there. */
#define MONITOR_OPTION_ROWS(member)                                                                            \
    {"drift_threshold",                                                                                        \
     OPTION_REAL,                                                                                              \
     member(drift_threshold),                                                                                  \
     "share",                                                                                                  \
     0.01,                                                                                                     \
     1,                                                                                                        \
     "0.15",                                                                                                   \
     "share of the model's features beyond their limits that is drift; a larger calibrated one counts"},       \
        {"performance_threshold",                                                                              \
         OPTION_REAL,                                                                                          \
         member(performance_threshold),                                                                        \
         "score",                                                                                              \
         0.1,                                                                                                  \
         1,                                                                                                    \
         "0.75",                                                                                               \
         "score (expected loss / live loss) below which performance has dropped; a lower calibrated one "      \
         "counts"},                                                                                            \
        {"rate",       OPTION_REAL,                                                                            \
         member(rate), "share",                                                                                \
         0.001,        0.5,                                                                                    \
         "0.05",       "false alarms allowed per model and horizon, all alarms together"},                     \
        {"horizon",                                                                                            \
         OPTION_INT,                                                                                           \
         member(horizon),                                                                                      \
         "matches",                                                                                            \
         50,                                                                                                   \
         5000,                                                                                                 \
         "380",                                                                                                \
         "matches over which the rate is meant: a season of a league"},                                        \
        {"window",                                                                                             \
         OPTION_INT,                                                                                           \
         member(window),                                                                                       \
         "matches",                                                                                            \
         30,                                                                                                   \
         2000,                                                                                                 \
         "100",                                                                                                \
         "newest matches whose features are compared with those learned from"},                                \
        {"least", OPTION_INT, member(least), "matches",                                                        \
         5,       1000,       "20",          "newest settled matches the score is over"},                      \
        {"days", OPTION_INT, member(days), "days", 1, 365, "7", "window of the figures shown beside it"},      \
        {"runs", OPTION_INT, member(runs), "runs",                                                             \
         100,    100000,     "1000",       "simulated seasons the limits of the loss are calibrated on"},      \
        {"samples", OPTION_INT, member(samples), "samples",                                                    \
         50,        10000,      "200",           "windows of the past the limits of drift are calibrated on"}, \
    {                                                                                                          \
        "seed", OPTION_INT, member(seed), "", 0, 2147483647, "1", "seed of the calibration"                    \
    }

enum { MONITOR_REASON_BYTES = 512 };
struct monitor {
    const struct monitor_options *options;
    struct version_row row;
    const struct matrix *matrix;
    struct model *model;
    uint32_t *column; /* [columns] of the matrix */
    size_t columns, classes;
    int target, league;
    uint32_t *rows; /* played matches of the league up to now, in order of time: rows of the matrix */
    size_t row_count;
    size_t learned_begin, judged_begin, live_begin; /* in rows */
    double *p;             /* [row_count - judged_begin][classes] as told, else replayed */
    bool *is_served;       /* [row_count - judged_begin] */
    struct loss_row *loss; /* [row_count - judged_begin] */
    char key[40];          /* of the limits */
    bool limits_are_new;
    char no_loss_limits[200], no_drift_limits[200]; /* why there are none; "" there are */
    struct loss_alarm_limits loss_limits;
    struct drift *drift_limits; /* [columns] */
    double share_limit;         /* calibrated */
    size_t samples, sample_leagues;
};

/* ERR_NOT_FOUND, ERR_CORRUPT, ERR_CONFLICT: the file or its features are not to be had. monitor_close also after an error. */
enum err_code monitor_open(struct task_context *context, const struct matrix *matrix,
                           const struct version_row *row, const struct monitor_options *options,
                           struct monitor *out, struct err *err) CHECKED;
void monitor_close(struct monitor *monitor);

enum monitor_trigger { MONITOR_STEADY, MONITOR_DRIFT, MONITOR_PERFORMANCE };
const char *monitor_trigger_name(enum monitor_trigger trigger); /* "steady", "drift", "performance" */
struct monitor_look {
    int64_t at_us;
    size_t live_end; /* rows known at that moment end here */
    bool has_drift;  /* window and limits are there */
    double psi_most, share_drifted, share_threshold;
    bool has_loss; /* limits are there */
    struct loss_alarm loss;
    double score_threshold;
    enum monitor_trigger trigger;
    char reason[MONITOR_REASON_BYTES];
    struct drift *drift; /* [columns] of the monitor, malloc; NULL when !has_drift */
};
/* drift of the look is freed by the caller. */
enum err_code monitor_look(const struct monitor *monitor, int64_t at_us, struct monitor_look *out,
                           struct err *err) CHECKED;
/* Members of an object of GET /api/drift, "decision" and "trigger" included; at most `features` features, the most drifted
 * first. */
void monitor_write_look(const struct monitor *monitor, const struct monitor_look *look, size_t features,
                        struct json_writer *out);

/* monitor_limits.c: those kept, else new ones. */
enum err_code monitor_find_limits(struct task_context *context, struct monitor *monitor,
                                  struct err *err) CHECKED;
/* The limits as they are kept: {"rate", ..., "loss": {...}|null, "drift": {"share", "features": {name: [5]}}|null} */
void monitor_write_limits(const struct monitor *monitor, bool with_features, struct json_writer *out);

#endif
