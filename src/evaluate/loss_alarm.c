/* Loss alarm. A run of the calibration and the watching of a real stream are the same walk (`watch`): the first notes the
 * extremes of the three statistics, the second compares them with the limits. Up to the first alarm ADWIN's window is never
 * cut, so a walk without cuts measures exactly what a walk with a limit would have met. */
#include "evaluate/loss_alarm.h"

#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DELTA_DEVIATIONS 0.2 /* the rise of the mean that does not matter */
#define LEAST_P          1e-15

struct loss_row loss_row_make(const double *p, size_t classes, int32_t label, int64_t block, int64_t time_us)
{
    struct loss_row row = {.block = block, .time_us = time_us};
    assert(label >= 0 && (size_t)label < classes);
    for (size_t k = 0; k < classes; k++) {
        double q = p[k] > LEAST_P ? p[k] : LEAST_P;
        row.expected -= q * log(q);
        row.variance += q * log(q) * log(q);
        if (k == (size_t)label)
            row.loss = -log(q);
    }
    row.variance -= row.expected * row.expected;
    return row;
}

/* bound INFINITY: as it is */
static double surprise(const struct loss_row *row, double bound)
{
    return fmin(fmax(row->loss - row->expected, -bound), bound);
}

/* ---- one walk ---- */

struct watch {
    struct page_hinkley page_hinkley;
    struct adwin adwin;
    double bound;
    double score_least, score_last;
    double page_hinkley_most, adwin_least;
    int64_t page_hinkley_us, adwin_us;
};

static void watch_init(struct watch *watch, const struct loss_alarm_limits *limits, double lambda)
{
    *watch = (struct watch){.bound = limits->deviation > 0 ? LOSS_ALARM_BOUND * limits->deviation : INFINITY,
                            .score_least = INFINITY,
                            .score_last = NAN,
                            .adwin_least = 1,
                            .page_hinkley_us = INT64_MIN,
                            .adwin_us = INT64_MIN};
    page_hinkley_init(&watch->page_hinkley, limits->delta > 0 ? limits->delta : 0, lambda);
    adwin_init(&watch->adwin, 0);
}

static void watch_learn(struct watch *watch, const struct loss_row *row)
{
    page_hinkley_learn(&watch->page_hinkley, surprise(row, watch->bound));
    adwin_fill(&watch->adwin, surprise(row, watch->bound));
}

/* live[0..at] are there. */
static double score_at(const struct loss_row *live, size_t at, size_t window, double bound)
{
    double loss = 0, expected = 0;
    for (size_t i = at + 1 - window; i <= at; i++) {
        loss += live[i].expected + surprise(&live[i], bound);
        expected += live[i].expected;
    }
    return loss > expected ? expected / loss : 1;
}

static void watch_step(struct watch *watch, const struct loss_row *live, size_t at, size_t window,
                       double adwin_delta)
{
    double value = surprise(&live[at], watch->bound);
    bool is_alarm = page_hinkley_add(&watch->page_hinkley, value);
    double statistic = page_hinkley_statistic(&watch->page_hinkley);
    if (statistic > watch->page_hinkley_most)
        watch->page_hinkley_most = statistic;
    if (is_alarm && watch->page_hinkley_us == INT64_MIN)
        watch->page_hinkley_us = live[at].time_us;
    adwin_fill(&watch->adwin, value);
    double least = adwin_least_delta(&watch->adwin);
    if (least < watch->adwin_least)
        watch->adwin_least = least;
    if (least < adwin_delta && watch->adwin_us == INT64_MIN)
        watch->adwin_us = live[at].time_us;
    if (at + 1 < window)
        return;
    watch->score_last = score_at(live, at, window, watch->bound);
    if (watch->score_last < watch->score_least)
        watch->score_least = watch->score_last;
}

/* ---- calibration ---- */

struct blocks {
    size_t *begin; /* [count + 1] */
    size_t count;
};

static enum err_code find_blocks(const struct loss_alarm_plan *plan, struct blocks *out, struct err *err)
{
    out->begin = malloc((plan->rows + 1) * sizeof(*out->begin));
    if (out->begin == NULL)
        return err_nomem(err, plan->rows * sizeof(*out->begin));
    for (size_t i = 0; i < plan->rows; i++) {
        assert(i == 0 || plan->reference[i].block >= plan->reference[i - 1].block);
        if (i == 0 || plan->reference[i].block != plan->reference[i - 1].block)
            out->begin[out->count++] = i;
    }
    out->begin[out->count] = plan->rows;
    return out->count > 1 ? ERR_OK
                          : err_set(err, ERR_INVALID, "the reference is one match day; nothing can be drawn");
}

/* Whole days until there are `count` rows; the last day is cut. */
static void draw(const struct loss_alarm_plan *plan, const struct blocks *blocks, struct random *random,
                 struct loss_row *out, size_t count)
{
    for (size_t done = 0; done < count;) {
        size_t block = (size_t)random_below(random, blocks->count);
        size_t rows = blocks->begin[block + 1] - blocks->begin[block];
        rows = rows < count - done ? rows : count - done;
        memcpy(out + done, plan->reference + blocks->begin[block], rows * sizeof(*out));
        done += rows;
    }
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The value that at most `rate` of the runs, and one more, exceed. */
static double upper_limit(double *values, size_t count, double rate)
{
    qsort(values, count, sizeof(*values), compare_numbers);
    double place = ceil((1 - rate) * (double)(count + 1)) - 1;
    return values[place < (double)count ? (size_t)place : count - 1];
}

static double lower_limit(double *values, size_t count, double rate)
{
    for (size_t i = 0; i < count; i++)
        values[i] = -values[i];
    return -upper_limit(values, count, rate);
}

static void measure_reference(const struct loss_alarm_plan *plan, struct loss_alarm_limits *out)
{
    double n = (double)plan->rows, variance = 0;
    *out = (struct loss_alarm_limits){0};
    for (size_t i = 0; i < plan->rows; i++) {
        out->loss += plan->reference[i].loss / n;
        out->expected += plan->reference[i].expected / n;
        variance += plan->reference[i].variance / n;
    }
    out->surprise = out->loss - out->expected;
    /* what the forecasts expect, not what happened: outcomes that were called impossible would widen it without bound */
    out->deviation = sqrt(variance);
    out->delta = DELTA_DEVIATIONS * out->deviation;
}

/* One world in which nothing changed. stream[rows + horizon] is scratch. */
static void simulate(const struct loss_alarm_plan *plan, const struct blocks *blocks,
                     const struct loss_alarm_limits *limits, struct random random, struct loss_row *stream,
                     struct watch *watch)
{
    watch_init(watch, limits, INFINITY);
    draw(plan, blocks, &random, stream, plan->rows);
    draw(plan, blocks, &random, stream + plan->rows, plan->horizon);
    for (size_t i = 0; i < plan->rows; i++)
        watch_learn(watch, &stream[i]);
    for (size_t i = 0; i < plan->horizon; i++)
        watch_step(watch, stream + plan->rows, i, plan->score_window, 0);
}

enum err_code loss_alarm_calibrate(const struct loss_alarm_plan *plan, struct loss_alarm_limits *out,
                                   struct err *err)
{
    struct blocks blocks = {0};
    struct random base;
    assert(plan->runs > 0 && plan->horizon > 0 && plan->score_window > 0 && plan->rate > 0 && plan->rate < 1);
    if (plan->rows < LOSS_ALARM_REFERENCE_LEAST)
        return err_set(err, ERR_INVALID, "only %zu judged matches; limits need at least %d", plan->rows,
                       LOSS_ALARM_REFERENCE_LEAST);
    struct loss_row *stream = malloc((plan->rows + plan->horizon) * sizeof(*stream));
    double *extremes = malloc(3 * plan->runs * sizeof(*extremes));
    enum err_code code = stream != NULL && extremes != NULL
                             ? find_blocks(plan, &blocks, err)
                             : err_nomem(err, (plan->rows + plan->horizon) * sizeof(*stream));
    if (code != ERR_OK)
        goto out;
    measure_reference(plan, out);
    random_init(&base, plan->seed);
    for (size_t run = 0; run < plan->runs; run++) {
        struct watch watch;
        simulate(plan, &blocks, out, random_fork(&base, run), stream, &watch);
        extremes[run] = watch.page_hinkley_most;
        extremes[plan->runs + run] = watch.adwin_least;
        extremes[2 * plan->runs + run] = watch.score_least;
    }
    out->lambda = upper_limit(extremes, plan->runs, plan->rate);
    out->adwin_delta = lower_limit(extremes + plan->runs, plan->runs, plan->rate);
    out->score = lower_limit(extremes + 2 * plan->runs, plan->runs, plan->rate);
out:
    free(blocks.begin);
    free(extremes);
    free(stream);
    return code;
}

/* ---- watching ---- */

void loss_alarm_run(const struct loss_row *reference, size_t reference_rows, const struct loss_row *live,
                    size_t live_rows, size_t score_window, const struct loss_alarm_limits *limits,
                    struct loss_alarm *out)
{
    struct watch watch;
    *out = (struct loss_alarm){.count = live_rows, .loss = NAN, .expected = NAN};
    watch_init(&watch, limits, limits->lambda > 0 ? limits->lambda : INFINITY);
    for (size_t i = 0; i < reference_rows; i++)
        watch_learn(&watch, &reference[i]);
    for (size_t i = 0; i < live_rows; i++) {
        out->loss = (i == 0 ? 0 : out->loss) + live[i].loss;
        out->expected = (i == 0 ? 0 : out->expected) + live[i].expected;
        watch_step(&watch, live, i, score_window, limits->adwin_delta);
    }
    out->loss /= (double)live_rows;
    out->expected /= (double)live_rows;
    out->page_hinkley = page_hinkley_statistic(&watch.page_hinkley);
    out->page_hinkley_most = watch.page_hinkley_most;
    out->adwin_least = watch.adwin_least;
    out->score = watch.score_last;
    out->page_hinkley_us = watch.page_hinkley_us;
    out->adwin_us = watch.adwin_us;
}
