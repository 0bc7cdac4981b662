/* Drift. Everything is read off two sorted samples: quantiles are places in them, the share of a bin is the difference of
 * two places, and the distance of two distribution functions is one merge over both. So sorting is the cost, and it is done
 * in place: floats are turned into integers of the same order and dealt out by their highest byte, then by the next one
 * (American flag sort: McIlroy, Bostic & McIlroy 1993), which is several times faster than comparing and needs no memory.
 *
 * Many features are counts or flags, where one value spans several deciles. Bins between equal borders would be empty and
 * such a value would share its bin with everything above it; so a value that spans two deciles or more gets a bin of its own:
 * below it, exactly it, above it. There are never more than ten bins. */
#include "evaluate/drift.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BINS = 10, INSERTION_COUNT = 48, DIGITS = 256 };

static const double EMPTY_SHARE = 1e-4;

const double feature_quantile_levels[FEATURE_QUANTILES] = {.01, .05, .25, .5, .75, .95, .99};

/* ---- sorting ---- */

/* The key of a float has the order of the floats; NaN goes behind everything. */
static uint32_t key_of(float value)
{
    uint32_t bits;
    if (isnan(value))
        return UINT32_MAX;
    memcpy(&bits, &value, sizeof(bits));
    return (bits & UINT32_C(0x80000000)) != 0 ? ~bits : bits | UINT32_C(0x80000000);
}

static float value_of(uint32_t key)
{
    float value;
    uint32_t bits = (key & UINT32_C(0x80000000)) != 0 ? key & UINT32_C(0x7fffffff) : ~key;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void insertion_sort(uint32_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t key = keys[i];
        size_t place = i;
        for (; place > 0 && keys[place - 1] > key; place--)
            keys[place] = keys[place - 1];
        keys[place] = key;
    }
}

/* Deals the keys out by the byte at `shift`; end[d] is where digit d ends. */
static void deal(uint32_t *keys, size_t count, unsigned shift, size_t end[DIGITS])
{
    size_t next[DIGITS] = {0};
    memset(end, 0, DIGITS * sizeof(*end));
    for (size_t i = 0; i < count; i++)
        end[(keys[i] >> shift) & 0xff]++;
    for (size_t d = 1; d < DIGITS; d++) {
        next[d] = end[d - 1];
        end[d] += end[d - 1];
    }
    for (size_t d = 0; d < DIGITS; d++) {
        while (next[d] < end[d]) {
            uint32_t key = keys[next[d]];
            for (size_t at = (key >> shift) & 0xff; at != d; at = (key >> shift) & 0xff) {
                uint32_t other = keys[next[at]];
                keys[next[at]++] = key;
                key = other;
            }
            keys[next[d]++] = key;
        }
    }
}

/* Depth is at most four: one call per byte of the key. */
static void sort_keys(uint32_t *keys, size_t count, unsigned shift)
{
    size_t end[DIGITS];
    if (count <= INSERTION_COUNT) {
        insertion_sort(keys, count);
        return;
    }
    deal(keys, count, shift, end);
    for (size_t d = 0, begin = 0; shift > 0 && d < DIGITS; begin = end[d++])
        sort_keys(keys + begin, end[d] - begin, shift - 8);
}

/* Ascending, NaN last; returns how many are not NaN. Floats are exchanged with their keys in place, byte by byte copies of
 * the same size, so the array is its own scratch. */
static size_t sort_values(float *values, size_t count)
{
    uint32_t *keys = (uint32_t *)(void *)values; /* -fno-strict-aliasing, and only through memcpy below */
    size_t present = 0;
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, &keys[i], sizeof(value));
        present += !isnan(value);
        keys[i] = key_of(value);
    }
    sort_keys(keys, count, 24);
    for (size_t i = 0; i < present; i++) {
        float value = value_of(keys[i]);
        memcpy(&values[i], &value, sizeof(value));
    }
    for (size_t i = present; i < count; i++)
        values[i] = NAN;
    return present;
}

/* ---- what sorted values say ---- */

/* Type 7: between the two nearest of n - 1 steps. */
static double quantile(const float *sorted, size_t count, double level)
{
    double place = (double)(count - 1) * level, whole = floor(place);
    size_t low = (size_t)whole, high = low + 1 < count ? low + 1 : low;
    return (double)sorted[low] + ((double)sorted[high] - (double)sorted[low]) * (place - whole);
}

static double mean_of(const float *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    return sum / (double)count;
}

static double deviation_of(const float *values, size_t count, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)values[i] - mean) * ((double)values[i] - mean);
    return count > 1 ? sqrt(sum / (double)(count - 1)) : NAN;
}

/* How many are < border, or <= border. */
static size_t count_below(const float *sorted, size_t count, double border, int is_inclusive)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        double value = (double)sorted[middle];
        if (value < border || (is_inclusive && value == border))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where a bin ends: before the border, or behind it. */
struct cut {
    double border;
    int is_behind;
};

/* A value at two or more deciles is a bin: a cut before it and one behind it. */
static size_t place_cuts(const float *reference, size_t count, struct cut cuts[BINS])
{
    double decile[BINS];
    size_t placed = 0;
    for (size_t k = 1; k < BINS; k++)
        decile[k] = quantile(reference, count, (double)k / BINS);
    for (size_t k = 1, next; k < BINS; k = next) {
        for (next = k + 1; next < BINS && decile[next] == decile[k]; next++)
            ;
        cuts[placed++] = (struct cut){decile[k], 0};
        if (next - k > 1)
            cuts[placed++] = (struct cut){decile[k], 1};
    }
    return placed;
}

/* share[cut_count + 1] of the sample in each bin. */
static void bin_shares(const float *sorted, size_t count, const struct cut *cuts, size_t cut_count,
                       double *share)
{
    size_t before = 0;
    for (size_t k = 0; k <= cut_count; k++) {
        size_t end = k < cut_count ? count_below(sorted, count, cuts[k].border, cuts[k].is_behind) : count;
        share[k] = (double)(end - before) / (double)count;
        before = end;
    }
}

static double stability_index(const double *expected, const double *actual, size_t bins)
{
    double sum = 0;
    for (size_t k = 0; k < bins; k++) {
        double e = expected[k] > 0 ? expected[k] : EMPTY_SHARE, a = actual[k] > 0 ? actual[k] : EMPTY_SHARE;
        sum += (a - e) * log(a / e);
    }
    return sum;
}

static double divergence(const double *p, const double *q, size_t bins)
{
    double sum = 0;
    for (size_t k = 0; k < bins; k++) {
        double m = (p[k] + q[k]) / 2;
        sum += (p[k] > 0 ? p[k] * log(p[k] / m) : 0) + (q[k] > 0 ? q[k] * log(q[k] / m) : 0);
    }
    return sum > 0 ? sum / 2 : 0; /* rounding may leave -1e-17 */
}

/* One merge over both samples: the largest gap of the distribution functions, and the area between them. */
static void compare_functions(const float *a, size_t a_count, const float *b, size_t b_count, double *out_ks,
                              double *out_area)
{
    size_t i = 0, j = 0;
    double ks = 0, area = 0, gap = 0, before = 0;
    while (i < a_count || j < b_count) {
        float value = j == b_count || (i < a_count && a[i] <= b[j]) ? a[i] : b[j];
        area += gap * ((double)value - before);
        for (; i < a_count && a[i] == value; i++)
            ;
        for (; j < b_count && b[j] == value; j++)
            ;
        gap = fabs((double)i / (double)a_count - (double)j / (double)b_count);
        ks = gap > ks ? gap : ks;
        before = (double)value;
    }
    *out_ks = ks;
    *out_area = area;
}

void drift_measure(float *reference, size_t reference_count, float *current, size_t current_count,
                   struct drift *out)
{
    *out = (struct drift){NAN, NAN, NAN, NAN, NAN};
    size_t e = sort_values(reference, reference_count), a = sort_values(current, current_count);
    if (reference_count > 0 && current_count > 0)
        out->missing_change = (double)(current_count - a) / (double)current_count -
                              (double)(reference_count - e) / (double)reference_count;
    if (e < 2 || a < 2)
        return;
    struct cut cuts[BINS];
    double expected[BINS + 1], actual[BINS + 1], area;
    size_t cut_count = place_cuts(reference, e, cuts);
    bin_shares(reference, e, cuts, cut_count, expected);
    bin_shares(current, a, cuts, cut_count, actual);
    out->psi = stability_index(expected, actual, cut_count + 1);
    out->js = divergence(expected, actual, cut_count + 1);
    compare_functions(reference, e, current, a, &out->ks, &area);
    double deviation = deviation_of(reference, e, mean_of(reference, e));
    out->w1 = area == 0 ? 0 : deviation > 0 ? area / deviation : NAN;
}

void feature_summarise(float *values, size_t count, struct feature_summary *out)
{
    size_t present = sort_values(values, count);
    *out = (struct feature_summary){
        .count = count, .missing = count - present, .mean = NAN, .deviation = NAN, .low = NAN, .high = NAN};
    for (size_t k = 0; k < FEATURE_QUANTILES; k++)
        out->quantile[k] = present > 0 ? quantile(values, present, feature_quantile_levels[k]) : NAN;
    if (present == 0)
        return;
    out->mean = mean_of(values, present);
    out->deviation = deviation_of(values, present, out->mean);
    out->low = (double)values[0];
    out->high = (double)values[present - 1];
}
