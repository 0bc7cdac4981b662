/* Rows of views: what materialize writes. Memory follows the number of views, not of rows: rows go to the writers a few
 * thousand at a time. */
#ifndef ALMANAC_TASK_MATERIALIZE_ROWS_H
#define ALMANAC_TASK_MATERIALIZE_ROWS_H

#include "football/history.h"
#include "football/views.h"
#include "job/report.h"
#include "view/offline.h"

/* One view on its way into the store. */
struct view_output {
    const struct feature_view *view;
    struct view_plan *plan;
    struct offline_writer *writer;
    int64_t from_us; /* rows of events before are left out; INT64_MIN: none */
    int64_t rows;    /* written */
    /* rows that wait for the writer */
    int64_t *key[VIEW_KEYS], *event_us;
    float *values;
    size_t waiting;
};

enum err_code view_output_open(struct view_output *output, struct err *err) CHECKED;
void view_output_release(struct view_output *output); /* closes the writer, too */
enum err_code view_output_flush(struct view_output *output, struct err *err) CHECKED;

/* Replays the history: after all outcomes known at a moment, the rows of those who played. Outputs of VIEW_TEAM and
 * VIEW_PAIR. */
enum err_code materialize_replay(const struct history *history, struct view_output *const *outputs,
                                 size_t count, const struct reporter *reporter, struct err *err) CHECKED;
/* The rows of the matrix, of the widest set. Outputs of VIEW_MATCH. */
enum err_code materialize_matches(const struct matrix *matrix, struct view_output *const *outputs,
                                  size_t count, const struct reporter *reporter, struct err *err) CHECKED;

#endif
