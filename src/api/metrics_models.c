/* Metrics of models: what they answered, and how far the world has moved from what they learned. */
#include "api/metrics.h"

#include "store/metrics_store.h"

#include <math.h>

static void write_models(struct scrape *scrape)
{
    scrape_sample(scrape, forecaster_models(scrape->api->forecaster)->count, NULL);
}

static void write_forecasts(struct scrape *scrape)
{
    for (int i = 0; i < FORECAST_OUTCOME_COUNT; i++)
        scrape_sample(scrape, scrape->api->metrics->forecasts[i], "outcome",
                      forecast_outcome_name((enum forecast_outcome)i), NULL);
}

static void write_answers(struct scrape *scrape)
{
    const struct api_metrics *metrics = scrape->api->metrics;
    for (size_t i = 0; i < metrics->model_count; i++)
        scrape_sample(scrape, metrics->models[i].forecasts, "subject", metrics->models[i].name.subject,
                      "variant", metrics->models[i].name.variant, "bot", metrics->models[i].name.bot, NULL);
}

/* One figure of the newest look at each model in production; a model nobody has looked at, or a figure that is not known,
 * has no sample. */
static void write_figure(struct scrape *scrape, double (*figure)(const struct drift_figures *drift))
{
    const struct serving_models *models = forecaster_models(scrape->api->forecaster);
    for (size_t i = 0; i < models->count && i < MODELS_COUNTED; i++) {
        const struct version_row *row = &models->items[i].row;
        struct drift_figures drift;
        struct err ignored;
        if (metrics_store_drift(scrape->api->store->db, row->version, &drift, &ignored) != ERR_OK)
            continue;
        double value = figure(&drift);
        if (!isnan(value))
            scrape_sample(scrape, value, "subject", row->name.subject, "variant", row->name.variant, "bot",
                          row->name.bot, NULL);
    }
}

#define FIGURE(name, expression)                                                                             \
    static double figure_##name(const struct drift_figures *drift)                                           \
    {                                                                                                        \
        return (double)(expression);                                                                         \
    }                                                                                                        \
    static void write_##name(struct scrape *scrape)                                                          \
    {                                                                                                        \
        write_figure(scrape, figure_##name);                                                                 \
    }
FIGURE(psi, drift->psi_max)
FIGURE(share, drift->share_drifted)
FIGURE(loss, drift->loss)
FIGURE(page_hinkley, drift->page_hinkley)
FIGURE(score, drift->score)
FIGURE(alarm, drift->is_alarm)
FIGURE(looked, (double)drift->at_us / 1e6)
#undef FIGURE

const struct metric metrics_of_models[] = {
    {"almanac_models_in_production", "gauge", write_models, "Versions that answer."},
    {"almanac_predictions_total", "counter", write_forecasts, "Predictions asked for, by what came of them."},
    {"almanac_model_predictions_total", "counter", write_answers, "Predictions answered, by model."},
    {"almanac_drift_psi_max", "gauge", write_psi, "Population stability index of the most drifted feature."},
    {"almanac_drift_features_share", "gauge", write_share, "Share of the features that have drifted."},
    {"almanac_drift_live_loss", "gauge", write_loss,
     "Mean log loss of the forecasts that were settled lately."},
    {"almanac_drift_page_hinkley", "gauge", write_page_hinkley, "Page-Hinkley statistic of the live loss."},
    {"almanac_performance_score", "gauge", write_score,
     "Performance against what was promised, 1 as promised."},
    {"almanac_drift_alarm", "gauge", write_alarm, "1 when the newest look raised the alarm."},
    {"almanac_drift_checked_timestamp_seconds", "gauge", write_looked,
     "The moment that was looked at last, since 1970 in UTC."},
    {NULL},
};
