/* Isotonic regression per class against the rest (Zadrozny & Elkan 2002) by pooling adjacent violators: rows
 * sorted by probability, equal probabilities pooled first, then neighbouring pools merged while their means
 * fall. The curve keeps both ends of every pool as knots and is linear between them, level outside, as
 * scikit-learn's IsotonicRegression(out_of_bounds="clip"). */
#include "learn/calibrate_kinds.h"

#include <assert.h>
#include <stdlib.h>

struct point {
    double p;
    int happened;
};

struct pool {
    double first, last; /* range of p */
    double sum, count;  /* of happened */
};

static int compare_points(const void *left, const void *right)
{
    const struct point *a = left, *b = right;
    return (a->p > b->p) - (a->p < b->p);
}

enum err_code isotonic_curve_create(size_t count, struct isotonic_curve *out, struct err *err)
{
    double *memory = malloc(2 * count * sizeof *memory);
    if (memory == NULL)
        return err_nomem(err, 2 * count * sizeof *memory);
    *out = (struct isotonic_curve){.count = count, .x = memory, .y = memory + count};
    return ERR_OK;
}

/* means fall when a.sum / a.count >= b.sum / b.count; counts are whole numbers, so the products are exact */
static int must_merge(const struct pool *a, const struct pool *b)
{
    return a->sum * b->count >= b->sum * a->count;
}

static struct pool merged(struct pool a, struct pool b)
{
    return (struct pool){a.first, b.last, a.sum + b.sum, a.count + b.count};
}

/* Sorted points to pools with rising means; returns how many. pools[rows]. */
static size_t pool_points(const struct point *points, size_t rows, struct pool *pools)
{
    size_t count = 0;
    for (size_t row = 0; row < rows;) {
        struct pool pool = {points[row].p, points[row].p, 0, 0};
        for (; row < rows && points[row].p == pool.first; row++) {
            pool.sum += points[row].happened;
            pool.count += 1;
        }
        while (count > 0 && must_merge(&pools[count - 1], &pool))
            pool = merged(pools[--count], pool);
        pools[count++] = pool;
    }
    return count;
}

static enum err_code curve_of_pools(const struct pool *pools, size_t count, struct isotonic_curve *out,
                                    struct err *err)
{
    size_t knots = 0;
    for (size_t index = 0; index < count; index++)
        knots += pools[index].first == pools[index].last ? 1 : 2;
    enum err_code code = isotonic_curve_create(knots, out, err);
    if (code != ERR_OK)
        return code;
    size_t knot = 0;
    for (size_t index = 0; index < count; index++) {
        double mean = pools[index].sum / pools[index].count;
        out->x[knot] = pools[index].first;
        out->y[knot++] = mean;
        if (pools[index].first == pools[index].last)
            continue;
        out->x[knot] = pools[index].last;
        out->y[knot++] = mean;
    }
    assert(knot == knots);
    return ERR_OK;
}

enum err_code calibrate_isotonic_fit(struct calibrator *calibrator, const double *p, const int32_t *label,
                                     size_t rows, struct err *err)
{
    size_t classes = calibrator->classes;
    enum err_code code = ERR_OK;
    struct point *points = malloc(rows * sizeof *points);
    struct pool *pools = malloc(rows * sizeof *pools);
    if (points == NULL || pools == NULL) {
        code = err_nomem(err, rows * (sizeof *points + sizeof *pools));
        goto out;
    }
    for (size_t class_index = 0; class_index < classes && code == ERR_OK; class_index++) {
        for (size_t row = 0; row < rows; row++)
            points[row] = (struct point){p[row * classes + class_index], (size_t)label[row] == class_index};
        qsort(points, rows, sizeof *points, compare_points);
        code = curve_of_pools(pools, pool_points(points, rows, pools), &calibrator->curves[class_index], err);
    }
out:
    free(points);
    free(pools);
    return code;
}

static double curve_at(const struct isotonic_curve *curve, double x)
{
    size_t low = 0, high = curve->count - 1;
    if (x <= curve->x[low])
        return curve->y[low];
    if (x >= curve->x[high])
        return curve->y[high];
    while (high - low > 1) { /* x[low] <= x < x[high] */
        size_t middle = low + (high - low) / 2;
        if (curve->x[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    double share = (x - curve->x[low]) / (curve->x[high] - curve->x[low]);
    return curve->y[low] + share * (curve->y[high] - curve->y[low]);
}

void calibrate_isotonic_map(const struct calibrator *calibrator, double *row)
{
    for (size_t index = 0; index < calibrator->classes; index++)
        row[index] = curve_at(&calibrator->curves[index], row[index]);
}
