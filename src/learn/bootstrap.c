/* The draws: `blocks` indices with replacement, their sums added, finished, sorted. Quantiles interpolate
 * linearly between order statistics (type 7, numpy's default). Indices come by multiplication and shift from
 * the upper 32 bits of a random number instead of random_below: with at most 2^32 blocks the bias is below
 * blocks / 2^32, which is nothing beside the noise of the draws, and it makes the inner loop two
 * instructions. */
#include "learn/bootstrap.h"

#include "base/random.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t bootstrap_block_count(const int64_t *block, size_t rows)
{
    size_t count = rows > 0;
    for (size_t row = 1; row < rows; row++) {
        assert(block[row - 1] <= block[row]);
        count += block[row] != block[row - 1];
    }
    return count;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile_of_sorted(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

static double deviation(const double *values, size_t count)
{
    double mean = 0, squares = 0;
    for (size_t index = 0; index < count; index++)
        mean += values[index];
    mean /= (double)count;
    for (size_t index = 0; index < count; index++)
        squares += (values[index] - mean) * (values[index] - mean);
    return count < 2 ? 0 : sqrt(squares / (double)(count - 1));
}

/* total[width] = the sums of `blocks` blocks drawn with replacement. */
static void draw_total(const double *sums, size_t blocks, size_t width, struct random *random, double *total)
{
    memset(total, 0, width * sizeof *total);
    for (size_t drawn = 0; drawn < blocks; drawn++) {
        size_t index = (size_t)(((random_u64(random) >> 32) * (uint64_t)blocks) >> 32);
        const double *one = sums + index * width;
        for (size_t column = 0; column < width; column++)
            total[column] += one[column];
    }
}

static void sum_of_all(const double *sums, size_t blocks, size_t width, double *total)
{
    memset(total, 0, width * sizeof *total);
    for (size_t index = 0; index < blocks; index++)
        for (size_t column = 0; column < width; column++)
            total[column] += sums[index * width + column];
}

/* Quantiles and deviation of the draws that had a figure. */
static void interval_of_draws(double *values, size_t count, struct interval *out)
{
    out->low = out->high = out->standard_error = NAN;
    if (count == 0)
        return;
    qsort(values, count, sizeof *values, compare_doubles);
    out->low = quantile_of_sorted(values, count, 0.025);
    out->high = quantile_of_sorted(values, count, 0.975);
    out->standard_error = deviation(values, count);
}

enum err_code bootstrap_interval(const double *sums, size_t blocks, size_t width, bootstrap_finish *finish,
                                 const void *context, size_t draws, uint64_t seed, struct interval *out,
                                 struct err *err)
{
    assert(draws >= 1 && width >= 1 && blocks <= UINT32_MAX);
    if (blocks == 0)
        return err_set(err, ERR_INVALID, "no rows to judge: an interval needs at least one");
    double *total = malloc((width + draws) * sizeof *total);
    if (total == NULL)
        return err_nomem(err, (width + draws) * sizeof *total);
    double *values = total + width;
    struct random random;
    random_init(&random, seed);
    sum_of_all(sums, blocks, width, total);
    out->value = finish(total, context);
    size_t count = 0;
    for (size_t draw = 0; draw < draws && !isnan(out->value); draw++) {
        draw_total(sums, blocks, width, &random, total);
        double value = finish(total, context);
        if (!isnan(value))
            values[count++] = value;
    }
    interval_of_draws(values, count, out);
    free(total);
    return ERR_OK;
}

static double finish_ratio(const double *total, const void *context)
{
    (void)context;
    return total[1] != 0 ? total[0] / total[1] : NAN;
}

enum err_code bootstrap_ratio(const double *numerator, const double *denominator, const int64_t *block,
                              size_t rows, size_t draws, uint64_t seed, struct interval *out, struct err *err)
{
    size_t blocks = bootstrap_block_count(block, rows);
    if (blocks == 0)
        return err_set(err, ERR_INVALID, "no rows to judge: an interval needs at least one");
    double *sums = calloc(blocks, 2 * sizeof *sums);
    if (sums == NULL)
        return err_nomem(err, blocks * 2 * sizeof *sums);
    double *one = sums;
    for (size_t row = 0; row < rows; row++) {
        if (row > 0 && block[row] != block[row - 1])
            one += 2;
        one[0] += numerator[row];
        one[1] += denominator != NULL ? denominator[row] : 1;
    }
    enum err_code code = bootstrap_interval(sums, blocks, 2, finish_ratio, NULL, draws, seed, out, err);
    free(sums);
    return code;
}
