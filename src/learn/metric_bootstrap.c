/* Intervals of metrics: each match day becomes one row of metric sums, learn/bootstrap.h draws the days. */
#include "learn/metric.h"
#include "learn/metric_sums.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct figure {
    enum metric metric;
    size_t classes;
};

static double finish_figure(const double *total, const void *context)
{
    const struct figure *figure = context;
    return metric_sums_finish(figure->metric, total, figure->classes);
}

enum err_code metric_interval(enum metric metric, const double *p, const int32_t *label, const int64_t *block,
                              size_t rows, size_t classes, size_t draws, uint64_t seed, struct interval *out,
                              struct err *err)
{
    assert(metric < METRIC_COUNT);
    size_t width = metric_sums_width(metric, classes), blocks = bootstrap_block_count(block, rows);
    if (blocks == 0)
        return err_set(err, ERR_INVALID, "no rows to judge: '%s' needs at least one", metric_name(metric));
    double *sums = calloc(blocks, width * sizeof *sums);
    if (sums == NULL)
        return err_nomem(err, blocks * width * sizeof *sums);
    double *one = sums;
    for (size_t row = 0; row < rows; row++) {
        if (row > 0 && block[row] != block[row - 1])
            one += width;
        metric_sums_add(metric, p + row * classes, classes, label[row], 1, one);
    }
    struct figure figure = {metric, classes};
    enum err_code code =
        bootstrap_interval(sums, blocks, width, finish_figure, &figure, draws, seed, out, err);
    /* Resampling adds sampling noise once more, and noise only ever adds to a calibration error: the percentile interval
     * lies too high and can miss the figure itself. Its lower end is therefore mirrored at the figure. */
    if (code == ERR_OK && metric == METRIC_ECE)
        out->low = fmax(0, fmin(out->low, 2 * out->value - out->high));
    free(sums);
    return code;
}

enum err_code metric_difference(enum metric metric, const double *a, const double *b, const int32_t *label,
                                const int64_t *block, size_t rows, size_t classes, size_t draws,
                                uint64_t seed, struct interval *out, struct err *err)
{
    assert(metric_is_row_mean(metric));
    if (rows == 0)
        return err_set(err, ERR_INVALID, "no rows to compare: '%s' needs at least one", metric_name(metric));
    double *difference = malloc(rows * sizeof *difference);
    if (difference == NULL)
        return err_nomem(err, rows * sizeof *difference);
    for (size_t row = 0; row < rows; row++)
        difference[row] = metric_row(metric, a + row * classes, classes, label[row]) -
                          metric_row(metric, b + row * classes, classes, label[row]);
    enum err_code code = bootstrap_ratio(difference, NULL, block, rows, draws, seed, out, err);
    free(difference);
    return code;
}
