/* Score sheet: several forecasts of the same matches side by side, every metric with its block-bootstrap interval, and
 * each forecast's paired difference in log loss to one reference (the closing price). The honest table of train, backtest
 * and report; as JSON, because it is kept with the version, sent over HTTP and printed. */
#ifndef ALMANAC_EVALUATE_SCORESHEET_H
#define ALMANAC_EVALUATE_SCORESHEET_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "learn/metric.h"
#include <stddef.h>
#include <stdint.h>

struct forecast {
    const char *name; /* "model", "elo_logit", "closing price (PS)" */
    const double *p;  /* [rows][classes] */
};

struct scoresheet {
    const struct forecast *forecasts;
    size_t forecast_count;
    int reference; /* index of the reference forecast, -1: none */
    const int32_t *label;
    const int64_t *block; /* match days */
    size_t rows, classes;
    size_t draws; /* of the bootstrap */
    uint64_t seed;
};

/* {"rows", "forecasts": [{"name", "<metric>": {"value","low","high"}..., "against_reference": {...}|null}]} */
enum err_code scoresheet_write_json(const struct scoresheet *sheet, struct json_writer *out,
                                    struct err *err) CHECKED;
/* The table for a terminal, from that JSON. */
void scoresheet_print(const json_t *sheet, struct buffer *out);
/* "key": {"value", "low", "high"} */
void scoresheet_write_interval(struct json_writer *out, const char *key, const struct interval *interval);
/* Reliability table of one forecast: [{"low","high","mean_p","mean_o","count"}...], empty bins left out. */
void scoresheet_write_reliability(const double *p, const int32_t *label, size_t rows, size_t classes,
                                  struct json_writer *out);

#endif
