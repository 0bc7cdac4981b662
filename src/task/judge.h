/* Judge: forecasts of the same matches beside each other: models, baselines fitted on the past only, the bookmaker's
 * prices before the match and at its close. Used by train (holdout) and backtest (walk-forward). */
#ifndef ALMANAC_TASK_JUDGE_H
#define ALMANAC_TASK_JUDGE_H

#include "base/err.h"
#include "base/json.h"
#include "football/history.h"
#include "football/target.h"
#include "learn/dataset.h"

enum { JUDGE_FORECASTS_MAX = 12, JUDGE_NAME_BYTES = 48, JUDGE_DRAWS = 1000 };

/* Forecasts by row; a row without a forecast has NaN. p[f] is [rows][classes], owned. */
struct judge {
    enum target target;
    size_t classes, rows, capacity_rows;
    int32_t *label;
    int64_t *block;
    uint32_t *row; /* matrix row */
    size_t forecast_count;
    char names[JUDGE_FORECASTS_MAX][JUDGE_NAME_BYTES];
    double *p[JUDGE_FORECASTS_MAX];
    int closing; /* index of the closing price's forecast; -1 none */
};

/* Rows (labels, blocks, matrix rows) are those of `data`, row[i] its matrix rows. */
enum err_code judge_init(struct judge *judge, enum target target, const struct dataset *data,
                         const uint32_t *row, struct err *err) CHECKED;
void judge_release(struct judge *judge);
/* Adds a forecast, all NaN; returns its index. */
enum err_code judge_add(struct judge *judge, const char *name, size_t *out_index, struct err *err) CHECKED;
/* Adds the closing price: Pinnacle's, else the market average's, overround removed multiplicatively; the name says
 * whose. Not added when no row has one. */
enum err_code judge_add_closing(struct judge *judge, const struct history *history, struct err *err) CHECKED;
/* Score sheet over the rows from `begin` to `end` that every forecast covers, as JSON. Forecasts that cover none of
 * these rows are left out. */
enum err_code judge_write(const struct judge *judge, size_t begin, size_t end, struct json_writer *out,
                          struct err *err) CHECKED;
/* Rows in [begin, end) which every covering forecast has: count; dense copies are made by judge_write itself. */
size_t judge_common_rows(const struct judge *judge, size_t begin, size_t end);

#endif
