/* Drift alarm. The limits are quantiles of samples of which neighbours overlap, so they are worth fewer samples than are
 * drawn; drawing from all leagues the model has learned from, where there are several, makes up for it. */
#include "evaluate/drift_alarm.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_LEAST 1e-6

bool drift_sample_draw(struct random *random, size_t first, size_t rows, size_t window, size_t gap,
                       struct drift_sample *out)
{
    assert(window > 0);
    if (rows < 4 * window)
        return false;
    size_t earliest = rows / 3 > window ? rows / 3 : window;
    size_t begin = earliest + (size_t)random_below(random, rows - window - earliest + 1);
    size_t room = begin - earliest;
    size_t gap_most = gap < room ? gap : room;
    size_t end = begin - (size_t)random_below(random, gap_most + 1);
    *out = (struct drift_sample){
        first + (end > DRIFT_ALARM_REFERENCE_MOST ? end - DRIFT_ALARM_REFERENCE_MOST : 0), first + end,
        first + begin, first + begin + window};
    return true;
}

void drift_sample_measure(const float *values, const struct drift_sample *sample, float *scratch,
                          struct drift *out)
{
    size_t reference = sample->reference_end - sample->reference_begin, rows = sample->end - sample->begin;
    assert(reference <= DRIFT_ALARM_REFERENCE_MOST);
    memcpy(scratch, values + sample->reference_begin, reference * sizeof(*scratch));
    memcpy(scratch + reference, values + sample->begin, rows * sizeof(*scratch));
    drift_measure(scratch, reference, scratch + reference, rows, out);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double upper_quantile(double *values, size_t count, double rate)
{
    qsort(values, count, sizeof(*values), compare_numbers);
    double place = ceil((1 - rate) * (double)(count + 1)) - 1;
    return values[place < (double)count ? (size_t)place : count - 1];
}

static double limit_of(const struct drift *samples, size_t count, size_t offset, double level,
                       double *scratch)
{
    size_t present = 0;
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, (const char *)&samples[i] + offset, sizeof(value));
        if (!isnan(value))
            scratch[present++] = fabs(value);
    }
    return 2 * present > count ? upper_quantile(scratch, present, level) : INFINITY;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

void drift_limits(const struct drift *samples, size_t count, double level, double *scratch, struct drift *out)
{
#define LIMIT(measure) limit_of(samples, count, offsetof(struct drift, measure), level, scratch)
    out->psi = larger(LIMIT(psi), LIMIT_LEAST);
    out->ks = larger(LIMIT(ks), LIMIT_LEAST);
    out->js = larger(LIMIT(js), LIMIT_LEAST);
    out->w1 = larger(LIMIT(w1), LIMIT_LEAST);
    out->missing_change = larger(LIMIT(missing_change), DRIFT_MISSING_LEAST);
#undef LIMIT
}

bool drift_is_beyond(const struct drift *drift, const struct drift *limit)
{
    int beyond = (drift->psi > limit->psi) + (drift->ks > limit->ks) + (drift->js > limit->js) +
                 (drift->w1 > limit->w1); /* comparisons with NaN are false */
    return beyond >= 2 || fabs(drift->missing_change) > limit->missing_change;
}

double drift_share_limit(double *shares, size_t count, double rate)
{
    assert(count > 0);
    return upper_quantile(shares, count, rate);
}
