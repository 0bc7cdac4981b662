/* GET /metrics: see metrics.h. What is counted as it happens is counted here; the groups write it. */
#include "api/metrics.h"

#include "base/time.h"
#include "task/task.h"

#include <stdlib.h>
#include <string.h>

enum err_code api_metrics(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err);

const struct histogram_scale metrics_request_scale = {
    {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10},
    16};
const struct histogram_scale metrics_job_scale = {
    {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3000, 3600}, 17};

static size_t find_route(const struct api_metrics *metrics, const char *pattern)
{
    size_t index = 0;
    while (index < metrics->route_count && strcmp(metrics->routes[index].route, pattern) != 0)
        index++;
    return index;
}

enum err_code api_metrics_create(struct api_metrics **out, struct err *err)
{
    struct api_metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL)
        return err_nomem(err, sizeof(*metrics));
    while (api_routes[metrics->row_count].method != NULL)
        metrics->row_count++;
    metrics->routes = calloc(metrics->row_count + 1, sizeof(*metrics->routes));
    metrics->route_of_row = calloc(metrics->row_count, sizeof(*metrics->route_of_row));
    metrics->models = calloc(MODELS_COUNTED + 1, sizeof(*metrics->models));
    if (metrics->routes == NULL || metrics->route_of_row == NULL || metrics->models == NULL) {
        api_metrics_destroy(metrics);
        return err_nomem(err, (MODELS_COUNTED + 1) * sizeof(*metrics->models));
    }
    for (size_t row = 0; row < metrics->row_count; row++) {
        size_t index = find_route(metrics, api_routes[row].pattern);
        if (index == metrics->route_count)
            metrics->routes[metrics->route_count++].route = api_routes[row].pattern;
        metrics->route_of_row[row] = (uint16_t)index;
    }
    metrics->route_count++; /* requests of no route */
    *out = metrics;
    return ERR_OK;
}

void api_metrics_destroy(struct api_metrics *metrics)
{
    if (metrics == NULL)
        return;
    free(metrics->routes);
    free(metrics->route_of_row);
    free(metrics->models);
    free(metrics);
}

void api_metrics_request(struct api_metrics *metrics, const struct http_response *response, int64_t took_us)
{
    size_t index = metrics->route_count - 1;
    for (size_t row = 0; response->route != NULL && row < metrics->row_count; row++) {
        if (api_routes[row].pattern == response->route) { /* the router hands out the table's own pointers */
            index = metrics->route_of_row[row];
            break;
        }
    }
    metrics->routes[index].by_class[response->status / 100]++;
    histogram_add(&metrics->routes[index].seconds, &metrics_request_scale, (double)took_us / 1e6);
}

/* ---- forecasts ---- */

static bool is_of(const struct model_counts *counts, const struct model_name *name)
{
    return strcmp(counts->name.subject, name->subject) == 0 &&
           strcmp(counts->name.variant, name->variant) == 0 && strcmp(counts->name.bot, name->bot) == 0;
}

/* Requests come in runs of one league: the last one first. */
static struct model_counts *find_model(struct api_metrics *metrics, const struct model_name *name)
{
    static const struct model_name other = {"other", "other", "other"};
    if (metrics->model_last < metrics->model_count && is_of(&metrics->models[metrics->model_last], name))
        return &metrics->models[metrics->model_last];
    size_t index = 0;
    while (index < metrics->model_count && index < MODELS_COUNTED && !is_of(&metrics->models[index], name))
        index++;
    if (index >= metrics->model_count) {
        metrics->model_count = index + 1;
        metrics->models[index].name = index < MODELS_COUNTED ? *name : other;
    }
    metrics->model_last = index;
    return &metrics->models[index];
}

void api_metrics_forecast(struct api_metrics *metrics, const struct forecast_answer *answer)
{
    metrics->forecasts[answer->outcome]++;
    if (answer->is_available && answer->model != NULL)
        find_model(metrics, &answer->model->row.name)->forecasts++;
}

/* ---- jobs ---- */

static bool is_known_end(struct api_metrics *metrics, const struct job_row *job)
{
    for (size_t i = 0; i < ENDS_REMEMBERED && i < metrics->end_count; i++)
        if (metrics->ends[i].id == job->id && metrics->ends[i].attempt == job->attempt)
            return true;
    metrics->ends[metrics->end_count % ENDS_REMEMBERED].id = job->id;
    metrics->ends[metrics->end_count % ENDS_REMEMBERED].attempt = job->attempt;
    metrics->end_count++;
    return false;
}

void api_metrics_job(struct api_metrics *metrics, const struct job_row *job)
{
    if (!job_state_is_final(job->state))
        return;
    for (size_t i = 0; i < TASKS_COUNTED && task_at(i) != NULL; i++) {
        if (strcmp(task_at(i)->name, job->task) != 0)
            continue;
        if (is_known_end(metrics, job))
            return;
        metrics->tasks[i].ended[job->state]++;
        if (job->started_us != TIME_NONE && job->ended_us != TIME_NONE)
            histogram_add(&metrics->tasks[i].seconds, &metrics_job_scale,
                          (double)(job->ended_us - job->started_us) / 1e6);
        return;
    }
}

/* ---- the answer ---- */

static void cut(struct buffer *buffer, size_t size_bytes)
{
    buffer->size_bytes = size_bytes;
    buffer->data[size_bytes] = '\0';
}

static void write_metric(struct scrape *scrape, const struct metric *metric)
{
    struct buffer *out = scrape->out;
    size_t begin_bytes = out->size_bytes;
    scrape->name = metric->name;
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                  metric->type);
    size_t head_bytes = out->size_bytes;
    metric->write(scrape);
    if (out->size_bytes == head_bytes && out->failed == ERR_OK)
        cut(out, begin_bytes); /* no sample yet: not named at all */
}

enum err_code api_metrics(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    static const struct metric *const groups[] = {metrics_of_process, metrics_of_http, metrics_of_jobs,
                                                  metrics_of_models, metrics_of_features};
    struct api *api = context;
    struct scrape scrape = {
        .api = api, .out = &response->body, .features = feature_reader_counts(api->features)};
    (void)match;
    (void)err;
    process_usage(&scrape.usage);
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    for (size_t g = 0; g < sizeof(groups) / sizeof(*groups); g++)
        for (const struct metric *metric = groups[g]; metric->name != NULL; metric++)
            write_metric(&scrape, metric);
    return ERR_OK;
}
