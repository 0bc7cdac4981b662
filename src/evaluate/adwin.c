/* ADWIN. The bound is solved for delta: with y = sqrt(L), (2r/3) y^2 + sqrt(2 s^2 r) y = |mu0 - mu1| has one positive root,
 * and delta = 2 ln n exp(-y^2) is the value from which on the border is cut. So looking for a cut and measuring how near
 * the window is to one are the same walk over the borders, and calibration needs one pass per stream instead of one per
 * candidate of delta. */
#include "evaluate/adwin.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void adwin_init(struct adwin *adwin, double delta)
{
    assert(delta >= 0 && delta < 1);
    memset(adwin, 0, sizeof(*adwin));
    adwin->delta = delta;
    adwin->row_count = 1;
}

/* Sum of squared deviations of two parts together (Chan, Golub & LeVeque 1979), less those of the parts. */
static double between(double count_a, double total_a, double count_b, double total_b)
{
    if (count_a == 0 || count_b == 0)
        return 0;
    double gap = total_a / count_a - total_b / count_b;
    return count_a * count_b / (count_a + count_b) * gap * gap;
}

static double size_of(size_t row)
{
    return ldexp(1, (int)row);
}

static void remove_first(struct adwin_row *row, size_t count)
{
    row->count -= count;
    memmove(row->buckets, row->buckets + count, row->count * sizeof(*row->buckets));
}

/* A row that is too full gives its two oldest, as one, to the next. */
static void compress(struct adwin *adwin)
{
    for (size_t k = 0; adwin->rows[k].count > ADWIN_BUCKETS; k++) {
        assert(k + 1 < ADWIN_ROWS);
        struct adwin_row *row = &adwin->rows[k], *next = &adwin->rows[k + 1];
        struct adwin_bucket a = row->buckets[0], b = row->buckets[1];
        next->buckets[next->count++] = (struct adwin_bucket){
            a.total + b.total, a.variance + b.variance + between(size_of(k), a.total, size_of(k), b.total)};
        remove_first(row, 2);
        if (k + 1 == adwin->row_count)
            adwin->row_count++;
    }
}

void adwin_fill(struct adwin *adwin, double value)
{
    struct adwin_row *row = &adwin->rows[0];
    adwin->variance += between(adwin->count, adwin->total, 1, value);
    adwin->count++;
    adwin->total += value;
    row->buckets[row->count++] = (struct adwin_bucket){value, 0};
    compress(adwin);
}

static void drop_oldest(struct adwin *adwin)
{
    size_t k = adwin->row_count - 1;
    struct adwin_bucket oldest = adwin->rows[k].buckets[0];
    adwin->count -= size_of(k);
    adwin->total -= oldest.total;
    adwin->variance -= oldest.variance + between(size_of(k), oldest.total, adwin->count, adwin->total);
    if (adwin->variance < 0)
        adwin->variance = 0; /* rounding */
    remove_first(&adwin->rows[k], 1);
    while (adwin->row_count > 1 && adwin->rows[adwin->row_count - 1].count == 0)
        adwin->row_count--;
}

/* y of a border: the larger, the smaller is the delta that cuts it. */
static double strength_of(double gap, double variance, double r)
{
    double a = 2 * r / 3, b = sqrt(2 * variance * r);
    return (sqrt(b * b + 4 * a * gap) - b) / (2 * a);
}

/* The least delta over all borders, of those where the mean rose or fell. */
struct borders {
    double rose, fell;
};

static struct borders measure(const struct adwin *adwin)
{
    double rose = 0, fell = 0, n0 = 0, total0 = 0, variance = adwin->variance / adwin->count;
    for (size_t k = adwin->row_count; k-- > 0;) {
        for (size_t i = 0; i < adwin->rows[k].count; i++) {
            n0 += size_of(k);
            total0 += adwin->rows[k].buckets[i].total;
            double n1 = adwin->count - n0;
            if (n0 < ADWIN_SIDE_LEAST || n1 < ADWIN_SIDE_LEAST)
                continue;
            double gap = (adwin->total - total0) / n1 - total0 / n0;
            double *side = gap > 0 ? &rose : &fell;
            double strength = strength_of(fabs(gap), variance, 1 / n0 + 1 / n1);
            *side = strength > *side ? strength : *side;
        }
    }
    double most = 2 * log(adwin->count);
    return (struct borders){fmin(most * exp(-rose * rose), 1), fmin(most * exp(-fell * fell), 1)};
}

enum adwin_change adwin_add(struct adwin *adwin, double value)
{
    enum adwin_change change = ADWIN_NONE;
    adwin_fill(adwin, value);
    while (adwin->count >= 2 * ADWIN_SIDE_LEAST) {
        struct borders least = measure(adwin);
        if (least.rose >= adwin->delta && least.fell >= adwin->delta)
            break;
        if (change == ADWIN_NONE)
            change = least.rose < least.fell ? ADWIN_ROSE : ADWIN_FELL;
        drop_oldest(adwin);
    }
    return change;
}

double adwin_count(const struct adwin *adwin)
{
    return adwin->count;
}

double adwin_mean(const struct adwin *adwin)
{
    return adwin->count > 0 ? adwin->total / adwin->count : NAN;
}

double adwin_least_delta(const struct adwin *adwin)
{
    return adwin->count >= 2 * ADWIN_SIDE_LEAST ? measure(adwin).rose : 1;
}
