/* Metrics: what GET /metrics tells, one row per metric, in groups by what they are about. Inside api/ only.
 *
 * Cardinality is bounded: the values of labels are names of our own tables (routes, tasks, queues, views, states) or models
 * that are or were in production, MODELS_COUNTED at most; no client can make one. Counters begin at 0 with the server.
 * Threads: the loop's. */
#ifndef ALMANAC_API_METRICS_H
#define ALMANAC_API_METRICS_H

#include "api/api.h"
#include "api/metrics_text.h"
#include "os/usage.h"

enum {
    STATUS_CLASSES = 6, /* by first digit */
    TASKS_COUNTED = 64,
    MODELS_COUNTED = 512, /* what is beyond counts as one, named "other" */
    ENDS_REMEMBERED = 64,
};

struct route_counts {
    const char *route; /* pattern; NULL: no route */
    uint64_t by_class[STATUS_CLASSES];
    struct histogram seconds;
};

struct task_counts {
    uint64_t ended[JOB_STATE_COUNT]; /* by the state they ended in */
    struct histogram seconds;        /* from the start of the last attempt to the end */
};

struct model_counts {
    struct model_name name;
    uint64_t forecasts;
};

struct api_metrics {
    uint64_t forecasts[FORECAST_OUTCOME_COUNT];
    size_t route_count; /* patterns, each once, and NULL at the end */
    struct route_counts *routes;
    uint16_t *route_of_row; /* of api_routes */
    size_t row_count;
    struct task_counts tasks[TASKS_COUNTED]; /* in the order of task_at */
    struct {
        int64_t id, attempt;
    } ends[ENDS_REMEMBERED]; /* so that an end that is told twice counts once */
    size_t end_count;
    struct model_counts *models; /* [MODELS_COUNTED + 1], made with the first forecast */
    size_t model_count, model_last;
};

/* A scrape of this server. */
struct scrape {
    struct api *api;
    const char *name; /* of the metric being written */
    struct buffer *out;
    struct feature_reader_counts features;
    struct process_usage usage;
};

/* A sample of the metric being written; labels as name, value, ..., NULL. */
#define scrape_sample(scrape, value, ...)                                                                    \
    metrics_sample((scrape)->out, (scrape)->name, (double)(value), __VA_ARGS__)

struct metric {
    const char *name, *type;
    void (*write)(struct scrape *scrape); /* writes nothing: the metric is not named at all */
    const char *help;                     /* one line */
};
/* Groups end with name NULL. */
extern const struct metric metrics_of_process[], metrics_of_http[], metrics_of_jobs[], metrics_of_models[],
    metrics_of_features[];

extern const struct histogram_scale metrics_request_scale, metrics_job_scale; /* seconds */

#endif
