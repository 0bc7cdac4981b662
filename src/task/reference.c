/* Reference protocol.
 *
 * Matches in day order, one rating pool per country, every team from the same start; all matches of a day are predicted
 * before any of them is learned. The ordered logit on the rating difference (one slope, two cuts) is fitted before each
 * season on all matches of the seasons from first_fitted to the one before, priced or not. Judged: seasons from
 * first_judged on, matches with all three of Pinnacle's closing prices and a sum of 1/price strictly inside (0.97, 1.30).
 * The five settings and the fits are independent, so they are spread over the pool. */
#include "task/reference.h"

#include "football/league.h"
#include "football/overround.h"
#include "football/reference.h"
#include "learn/metric.h"
#include "learn/ordered_logit.h"
#include "task/prepare.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 3, SEASON_LAST = 2200 };
#define BOOKSUM_LOW  0.97
#define BOOKSUM_HIGH 1.30

#define MEMBER(name) OPTION_MEMBER(struct reference_options, name)
static const struct option_row rows[] = {
    {"first_judged", OPTION_INT, MEMBER(first_judged), "season", 1900, 2200, "2012", "first season judged"},
    {"first_fitted", OPTION_INT, MEMBER(first_fitted), "season", 1900, 2200, "1997",
     "first season the logits learn from"},
    {"league", OPTION_TEXT, MEMBER(league), "", 0, 0, "E0", "league shown apart"},
};
static const struct option_table reference_table = {"reference", rows, sizeof(rows) / sizeof(*rows)};

struct reference {
    const struct reference_options *options;
    struct history *history;
    size_t rows;
    int32_t *label;   /* [rows] */
    int16_t *season;  /* [rows] */
    uint32_t *judged; /* matrix rows judged, in order */
    size_t judged_count;
    int32_t *judged_label;
    double *close_p;                   /* [judged][3] */
    double *rating_p[REFERENCE_COUNT]; /* [judged][3] */
    enum err_code codes[REFERENCE_COUNT];
    struct err errs[REFERENCE_COUNT];
};

static void release(struct reference *reference)
{
    history_destroy(reference->history);
    free(reference->label);
    free(reference->season);
    free(reference->judged);
    free(reference->judged_label);
    free(reference->close_p);
    for (size_t i = 0; i < REFERENCE_COUNT; i++)
        free(reference->rating_p[i]);
}

static bool close_of(const struct reference *reference, size_t row, double *p)
{
    const float *odds = history_close(reference->history, row)->home_draw_away[BOOKMAKER_PINNACLE];
    double sum = overround_booksum(odds, CLASSES);
    return sum > BOOKSUM_LOW && sum < BOOKSUM_HIGH &&
           overround_remove(OVERROUND_MULTIPLICATIVE, odds, CLASSES, p);
}

static enum err_code list_rows(struct reference *reference, struct err *err)
{
    size_t n = reference->rows = history_rows(reference->history);
    reference->label = malloc((n + 1) * sizeof(*reference->label));
    reference->season = malloc((n + 1) * sizeof(*reference->season));
    reference->judged = malloc((n + 1) * sizeof(*reference->judged));
    reference->judged_label = malloc((n + 1) * sizeof(*reference->judged_label));
    reference->close_p = malloc((n + 1) * CLASSES * sizeof(double));
    for (size_t i = 0; i < REFERENCE_COUNT; i++)
        reference->rating_p[i] = malloc((n + 1) * CLASSES * sizeof(double));
    if (reference->label == NULL || reference->season == NULL || reference->judged == NULL ||
        reference->judged_label == NULL || reference->close_p == NULL ||
        reference->rating_p[REFERENCE_COUNT - 1] == NULL)
        return err_nomem(err, n * sizeof(double));
    for (size_t row = 0; row < n; row++) {
        const struct fixture *fixture = history_fixture(reference->history, row);
        reference->label[row] = target_label(TARGET_1X2, history_outcome(reference->history, row));
        reference->season[row] = fixture->season;
        double *p = reference->close_p + reference->judged_count * CLASSES;
        if (reference->label[row] < 0 || fixture->season < reference->options->first_judged ||
            !close_of(reference, row, p))
            continue;
        reference->judged_label[reference->judged_count] = reference->label[row];
        reference->judged[reference->judged_count++] = (uint32_t)row;
    }
    return ERR_OK;
}

/* Fit on seasons [first_fitted, season), standardised by the deviation of those rows. */
static enum err_code fit_season(const struct reference *reference, const double *x, int season, double *z,
                                int32_t *label, struct ordered_logit *logit, double *scale, struct err *err)
{
    size_t count = 0;
    double sum = 0, squares = 0, loss;
    for (size_t row = 0; row < reference->rows; row++) {
        if (reference->label[row] < 0 || reference->season[row] < reference->options->first_fitted ||
            reference->season[row] >= season)
            continue;
        z[count] = x[row];
        label[count++] = reference->label[row];
        sum += x[row];
        squares += x[row] * x[row];
    }
    if (count == 0)
        return err_set(err, ERR_NOT_FOUND, "no match of the seasons %lld to %d to learn from",
                       (long long)reference->options->first_fitted, season - 1);
    double mean = sum / (double)count;
    *scale = 1 / sqrt(squares / (double)count - mean * mean);
    for (size_t i = 0; i < count; i++)
        z[i] *= *scale;
    return ordered_logit_fit(z, label, count, 1, CLASSES, NULL, NULL, logit, &loss, err);
}

static enum err_code judge_rating(struct reference *reference, size_t index, const double *x, double *z,
                                  int32_t *label, struct err *err)
{
    struct ordered_logit logit = {0};
    double scale = 1;
    int fitted = -1;
    enum err_code code = ERR_OK;
    for (int season = (int)reference->options->first_judged; code == ERR_OK && season <= SEASON_LAST;
         season++) {
        bool is_last = true;
        for (size_t i = 0; code == ERR_OK && i < reference->judged_count; i++) {
            size_t row = reference->judged[i];
            is_last = is_last && reference->season[row] <= season;
            if (reference->season[row] != season)
                continue;
            if (fitted != season)
                code = fit_season(reference, x, season, z, label, &logit, &scale, err);
            fitted = season;
            double value = x[row] * scale;
            if (code == ERR_OK)
                ordered_logit_predict(&logit, &value, reference->rating_p[index] + i * CLASSES);
        }
        if (is_last)
            break;
    }
    return code;
}

static void rate(void *context, size_t index)
{
    struct reference *reference = context;
    double *x = malloc((reference->rows + 1) * sizeof(*x)), *z = malloc((reference->rows + 1) * sizeof(*z));
    int32_t *label = malloc((reference->rows + 1) * sizeof(*label));
    enum err_code code = x != NULL && z != NULL && label != NULL
                             ? ERR_OK
                             : err_nomem(&reference->errs[index], reference->rows * 20);
    if (code == ERR_OK)
        code = reference_differences(reference->history, reference_at(index), x, &reference->errs[index]);
    if (code == ERR_OK)
        code = judge_rating(reference, index, x, z, label, &reference->errs[index]);
    reference->codes[index] = code;
    free(x);
    free(z);
    free(label);
}

/* ---- result ---- */

static void write_metrics(const struct reference *reference, const double *p, int league,
                          struct json_writer *out)
{
    static const enum metric metrics[] = {METRIC_LOG_LOSS, METRIC_RPS, METRIC_BRIER, METRIC_ACCURACY};
    double sum[4] = {0};
    size_t count = 0;
    for (size_t i = 0; i < reference->judged_count; i++) {
        if (league >= 0 && history_fixture(reference->history, reference->judged[i])->league != league)
            continue;
        for (size_t m = 0; m < 4; m++)
            sum[m] += metric_row(metrics[m], p + i * CLASSES, CLASSES, reference->judged_label[i]);
        count++;
    }
    json_begin_object(out);
    json_field_i64(out, "matches", (int64_t)count);
    for (size_t m = 0; m < 4; m++)
        json_field_f64(out, metric_name(metrics[m]), sum[m] / (double)count);
    json_end_object(out);
}

static void write_forecast(const struct reference *reference, const char *name, const char *title,
                           const double *p, struct json_writer *out)
{
    json_begin_object(out);
    json_field_text(out, "name", name);
    json_field_text(out, "title", title);
    json_key(out, "all");
    write_metrics(reference, p, -1, out);
    json_key(out, "league");
    write_metrics(reference, p, league_find(text_of(reference->options->league)), out);
    json_end_object(out);
}

static enum err_code reference_run(struct task_context *context, const void *options, struct buffer *result,
                                   struct err *err)
{
    struct reference reference = {.options = options};
    struct json_writer out;
    enum err_code code = prepare_history(
        context, (struct history_options){.by_day = true, .with_close = true}, &reference.history, err);
    if (code == ERR_OK)
        code = list_rows(&reference, err);
    if (code == ERR_OK && reference.judged_count == 0)
        code = err_set(err, ERR_NOT_FOUND, "no match has Pinnacle's closing prices from season %lld on",
                       (long long)reference.options->first_judged);
    if (code == ERR_OK) {
        report_progress(context->reporter, "rating and fitting", 0, 0);
        pool_for(context->pool, REFERENCE_COUNT, rate, &reference);
    }
    for (size_t i = 0; code == ERR_OK && i < REFERENCE_COUNT; i++) {
        if (reference.codes[i] != ERR_OK)
            code = err_set(err, reference.codes[i], "%s: %s", reference_at(i)->title, reference.errs[i].text);
    }
    if (code == ERR_OK) {
        json_writer_init(&out, result);
        json_begin_object(&out);
        json_field_i64(&out, "matches", (int64_t)reference.rows);
        json_field_i64(&out, "judged", (int64_t)reference.judged_count);
        json_field_text(&out, "league", reference.options->league);
        json_key(&out, "forecasts");
        json_begin_array(&out);
        write_forecast(&reference, "pinnacle_close", "Pinnacle close, multiplicative", reference.close_p,
                       &out);
        for (size_t i = 0; i < REFERENCE_COUNT; i++)
            write_forecast(&reference, reference_at(i)->name, reference_at(i)->title, reference.rating_p[i],
                           &out);
        json_end_array(&out);
        json_end_object(&out);
        code = buffer_check(result, "reference result", err);
    }
    release(&reference);
    return code;
}

const struct task task_reference = {
    .name = "reference",
    .doc = "the published protocol on five rating systems and the closing price",
    .options = &reference_table,
    .options_bytes = sizeof(struct reference_options),
    .run = reference_run,
};
