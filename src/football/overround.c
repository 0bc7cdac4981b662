/* Overround removal.
 *
 * Multiplicative, additive, and for two outcomes all but the power method, are closed forms. The others look
 * for the one parameter at which the probabilities sum to 1. Each sum falls monotonically in its parameter,
 * so Newton's step (three to five of them) is kept inside a bracket and replaced by bisection when it would
 * leave it: the root is found for every input for which there is one, in bounded time.
 *
 * - Power: sum of r^k = 1 for k > 0; r is below 1, so the sum falls in k.
 *
 * - Odds ratio: sum of r / (c + r - c r) = 1 for c > 0, the ratio of the bookmaker's odds to the fair ones.
 *
 * - Shin: sum of (sqrt(z^2 + 4(1-z) r^2/B) - z) / (2(1-z)) = 1 for z in [0, 1), the share of insiders. A book
 *   with a sum B below 1 has no solution (the share would be negative): false. */
#include "football/overround.h"

#include <assert.h>
#include <math.h>

enum { OVERROUND_OUTCOMES = 3, OVERROUND_STEPS = 100 };
static const double OVERROUND_TOLERANCE = 1e-13; /* of the sum of the probabilities */

const char *overround_name(enum overround_method method)
{
    static const char *const names[OVERROUND_COUNT] = {"multiplicative", "additive", "power", "shin",
                                                       "odds_ratio"};
    assert((size_t)method < OVERROUND_COUNT);
    return names[method];
}

double overround_booksum(const float *odds, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(odds[i] > 1.0f)) /* also NaN */
            return NAN;
        sum += 1.0 / (double)odds[i];
    }
    return sum;
}

/* The inverse odds of one book, with what the methods need of them. */
struct book {
    size_t n;
    double r[OVERROUND_OUTCOMES], sum;
    double log_r[OVERROUND_OUTCOMES]; /* power only */
};

/* Probabilities at the parameter x, their sum and its derivative. */
typedef void trial_function(const struct book *book, double x, double *p, double *sum, double *slope);

/* Solves sum(x) = 1 for a sum that falls in x over [low, high], starting at x. */
static bool book_solve(const struct book *book, trial_function *trial, double low, double high, double x,
                       double *p)
{
    for (int step = 0; step < OVERROUND_STEPS; step++) {
        double sum, slope;
        trial(book, x, p, &sum, &slope);
        if (fabs(sum - 1) < OVERROUND_TOLERANCE)
            return true;
        if (sum > 1)
            low = x;
        else
            high = x;
        double next = x - (sum - 1) / slope;
        if (!(next > low && next < high)) {
            next = isinf(high) ? 2 * x : (low + high) / 2;
            if (next == low || next == high) /* the bracket cannot shrink any more */
                return fabs(sum - 1) < 1e-9;
        }
        x = next;
    }
    return false;
}

static void trial_power(const struct book *book, double k, double *p, double *sum, double *slope)
{
    *sum = *slope = 0;
    for (size_t i = 0; i < book->n; i++) {
        p[i] = exp(k * book->log_r[i]);
        *sum += p[i];
        *slope += p[i] * book->log_r[i];
    }
}

static void trial_odds_ratio(const struct book *book, double c, double *p, double *sum, double *slope)
{
    *sum = *slope = 0;
    for (size_t i = 0; i < book->n; i++) {
        double below = 1 / (c + book->r[i] - c * book->r[i]);
        p[i] = book->r[i] * below;
        *sum += p[i];
        *slope -= p[i] * below * (1 - book->r[i]);
    }
}

static void trial_shin(const struct book *book, double z, double *p, double *sum, double *slope)
{
    double below = 1 / (2 * (1 - z));
    *sum = *slope = 0;
    for (size_t i = 0; i < book->n; i++) {
        double q = book->r[i] * book->r[i] / book->sum;
        double root = sqrt(z * z + 4 * (1 - z) * q);
        p[i] = (root - z) * below;
        *sum += p[i];
        *slope += ((z - 2 * q) / root - 1) * below + p[i] * 2 * below;
    }
}

/* (n = 2) c^2 = odds product of the book: p1/(1-p1) = r1/(c(1-r1)) and p1 + p2 = 1. */
static double odds_ratio_of_two(const struct book *book)
{
    return sqrt(book->r[0] * book->r[1] / ((1 - book->r[0]) * (1 - book->r[1])));
}

static bool solve_power(struct book *book, double *p)
{
    double entropy = 0;
    for (size_t i = 0; i < book->n; i++) {
        book->log_r[i] = log(book->r[i]);
        entropy -= book->r[i] * book->log_r[i];
    }
    /* first step of Newton from k = 1, where the sum is known */
    double start = 1 + (book->sum - 1) / entropy;
    return book_solve(book, trial_power, 0, INFINITY, start > 0 ? start : 0.5, p);
}

static bool solve_odds_ratio(const struct book *book, double *p)
{
    if (book->n == 2) {
        double sum, slope;
        trial_odds_ratio(book, odds_ratio_of_two(book), p, &sum, &slope);
        return true;
    }
    return book_solve(book, trial_odds_ratio, 0, INFINITY, 1, p);
}

static bool solve_additive(const struct book *book, double *p)
{
    double share = (book->sum - 1) / (double)book->n;
    for (size_t i = 0; i < book->n; i++)
        p[i] = book->r[i] - share;
    return true;
}

static bool solve_shin(const struct book *book, double *p)
{
    if (book->sum < 1)
        return false;
    if (book->n == 2) /* equal to the additive method (Jullien & Salanie 1994) */
        return solve_additive(book, p);
    return book_solve(book, trial_shin, 0, 1, book->sum > 1 ? (book->sum - 1) / 2 : 0, p);
}

static void solve_multiplicative(const struct book *book, double *p)
{
    for (size_t i = 0; i < book->n; i++)
        p[i] = book->r[i] / book->sum;
}

bool overround_remove(enum overround_method method, const float *odds, size_t n, double *out)
{
    assert(n == 2 || n == 3);
    struct book book = {.n = n, .sum = overround_booksum(odds, n)};
    if (!isfinite(book.sum))
        return false;
    for (size_t i = 0; i < n; i++)
        book.r[i] = 1.0 / (double)odds[i];
    double p[OVERROUND_OUTCOMES];
    bool is_solved = true;
    switch (method) {
    case OVERROUND_MULTIPLICATIVE:
        solve_multiplicative(&book, p);
        break;
    case OVERROUND_ADDITIVE:
        is_solved = solve_additive(&book, p);
        break;
    case OVERROUND_POWER:
        is_solved = solve_power(&book, p);
        break;
    case OVERROUND_SHIN:
        is_solved = solve_shin(&book, p);
        break;
    case OVERROUND_ODDS_RATIO:
        is_solved = solve_odds_ratio(&book, p);
        break;
    default:
        assert(!"unknown method");
    }
    for (size_t i = 0; is_solved && i < n; i++)
        is_solved = p[i] > 0 && p[i] < 1;
    for (size_t i = 0; is_solved && i < n; i++)
        out[i] = p[i];
    return is_solved;
}
