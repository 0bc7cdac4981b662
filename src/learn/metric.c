/* Metrics as functions of sums over rows (metric_sums.h). A new metric is one row in metric_list.h and,
 * unless it is a row mean, a case in the three metric_sums functions. */
#include "learn/metric.h"

#include "learn/metric_sums.h"
#include <assert.h>
#include <math.h>
#include <string.h>

enum { SUMS_WIDTH_MAX = 1024 }; /* of metric_value's stack: macro F1 of 340 classes */

static const struct {
    const char *name, *doc;
    int is_row_mean, lower_is_better;
} metrics[METRIC_COUNT] = {
#define METRIC(symbol, name, is_row_mean, lower_is_better, doc) {name, doc, is_row_mean, lower_is_better},
#include "learn/metric_list.h"
#undef METRIC
};

const char *metric_name(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return metrics[metric].name;
}

const char *metric_doc(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return metrics[metric].doc;
}

int metric_is_row_mean(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return metrics[metric].is_row_mean;
}

int metric_lower_is_better(enum metric metric)
{
    assert(metric < METRIC_COUNT);
    return metrics[metric].lower_is_better;
}

static size_t most_probable(const double *p, size_t classes)
{
    size_t best = 0;
    for (size_t index = 1; index < classes; index++)
        if (p[index] > p[best])
            best = index;
    return best;
}

static double row_brier(const double *p, size_t classes, int32_t label)
{
    double sum = 0;
    for (size_t index = 0; index < classes; index++) {
        double miss = p[index] - (index == (size_t)label);
        sum += miss * miss;
    }
    return sum;
}

/* Epstein 1969; cumulated over the classes in order, the last term is 0. */
static double row_rps(const double *p, size_t classes, int32_t label)
{
    double cumulated = 0, sum = 0;
    for (size_t index = 0; index + 1 < classes; index++) {
        cumulated += p[index] - (index == (size_t)label);
        sum += cumulated * cumulated;
    }
    return sum / (double)(classes - 1);
}

double metric_row(enum metric metric, const double *p, size_t classes, int32_t label)
{
    assert(metric_is_row_mean(metric) && classes >= 2 && label >= 0 && (size_t)label < classes);
    switch (metric) {
    case METRIC_LOG_LOSS:
        return -log(p[label] > 1e-15 ? p[label] : 1e-15);
    case METRIC_BRIER:
        return row_brier(p, classes, label);
    case METRIC_RPS:
        return row_rps(p, classes, label);
    case METRIC_ACCURACY:
        return most_probable(p, classes) == (size_t)label;
    default:
        assert(!"a row mean of metric_list.h has no case in metric_row");
        return NAN;
    }
}

static size_t bin_of(double p, size_t bins)
{
    assert(p >= 0 && p < 2); /* NaN and logits are bugs; a sum a little above 1 is not */
    size_t bin = (size_t)(p * (double)bins);
    return bin < bins ? bin : bins - 1;
}

size_t metric_sums_width(enum metric metric, size_t classes)
{
    switch (metric) {
    case METRIC_MACRO_F1:
        return 1 + 3 * classes;
    case METRIC_ECE:
        return 1 + METRIC_ECE_BINS;
    default:
        return 2;
    }
}

static void sums_add_f1(const double *p, size_t classes, int32_t label, double weight, double *sums)
{
    size_t predicted = most_probable(p, classes), happened = (size_t)label;
    if (predicted == happened)
        sums[1 + 3 * happened] += weight;
    sums[1 + 3 * predicted + 1] += weight;
    sums[1 + 3 * happened + 2] += weight;
}

static void sums_add_ece(const double *p, size_t classes, int32_t label, double weight, double *sums)
{
    for (size_t index = 0; index < classes; index++)
        sums[1 + bin_of(p[index], METRIC_ECE_BINS)] += weight * (p[index] - (index == (size_t)label));
}

void metric_sums_add(enum metric metric, const double *p, size_t classes, int32_t label, double weight,
                     double *sums)
{
    assert(classes >= 2 && label >= 0 && (size_t)label < classes);
    sums[0] += weight;
    switch (metric) {
    case METRIC_MACRO_F1:
        sums_add_f1(p, classes, label, weight, sums);
        return;
    case METRIC_ECE:
        sums_add_ece(p, classes, label, weight, sums);
        return;
    default:
        sums[1] += weight * metric_row(metric, p, classes, label);
    }
}

static double sums_finish_f1(const double *sums, size_t classes)
{
    double sum = 0;
    size_t seen = 0;
    for (size_t index = 0; index < classes; index++) {
        const double *one = sums + 1 + 3 * index; /* hits, predicted, happened */
        if (one[1] + one[2] <= 0)
            continue;
        sum += 2 * one[0] / (one[1] + one[2]);
        seen++;
    }
    return sum / (double)seen;
}

static double sums_finish_ece(const double *sums, size_t classes)
{
    double sum = 0;
    for (size_t bin = 0; bin < METRIC_ECE_BINS; bin++)
        sum += fabs(sums[1 + bin]);
    return sum / (sums[0] * (double)classes);
}

double metric_sums_finish(enum metric metric, const double *sums, size_t classes)
{
    if (!(sums[0] > 0))
        return NAN;
    switch (metric) {
    case METRIC_MACRO_F1:
        return sums_finish_f1(sums, classes);
    case METRIC_ECE:
        return sums_finish_ece(sums, classes);
    default:
        return sums[1] / sums[0];
    }
}

double metric_value(enum metric metric, const double *p, const int32_t *label, const double *weight,
                    size_t rows, size_t classes)
{
    double sums[SUMS_WIDTH_MAX] = {0};
    assert(metric < METRIC_COUNT && metric_sums_width(metric, classes) <= SUMS_WIDTH_MAX);
    for (size_t row = 0; row < rows; row++)
        metric_sums_add(metric, p + row * classes, classes, label[row], weight != NULL ? weight[row] : 1,
                        sums);
    return metric_sums_finish(metric, sums, classes);
}

static void bins_start(struct reliability_bin *out, size_t bins)
{
    for (size_t bin = 0; bin < bins; bin++)
        out[bin] = (struct reliability_bin){.low = (double)bin / (double)bins,
                                            .high = (double)(bin + 1) / (double)bins};
}

static void bins_add(struct reliability_bin *out, size_t bins, double p, int happened)
{
    struct reliability_bin *bin = &out[bin_of(p, bins)];
    bin->mean_p += p;
    bin->mean_o += happened;
    bin->count++;
}

static void bins_finish(struct reliability_bin *out, size_t bins)
{
    for (size_t bin = 0; bin < bins; bin++) {
        out[bin].mean_p = out[bin].count > 0 ? out[bin].mean_p / (double)out[bin].count : NAN;
        out[bin].mean_o = out[bin].count > 0 ? out[bin].mean_o / (double)out[bin].count : NAN;
    }
}

void metric_reliability(const double *p, const int32_t *label, size_t rows, size_t classes, size_t bins,
                        struct reliability_bin *out)
{
    assert(bins >= 1);
    bins_start(out, bins);
    for (size_t row = 0; row < rows; row++)
        for (size_t index = 0; index < classes; index++)
            bins_add(out, bins, p[row * classes + index], index == (size_t)label[row]);
    bins_finish(out, bins);
}

void metric_reliability_class(const double *p, const int32_t *label, size_t rows, size_t classes,
                              size_t class_index, size_t bins, struct reliability_bin *out)
{
    assert(bins >= 1 && class_index < classes);
    bins_start(out, bins);
    for (size_t row = 0; row < rows; row++)
        bins_add(out, bins, p[row * classes + class_index], class_index == (size_t)label[row]);
    bins_finish(out, bins);
}
