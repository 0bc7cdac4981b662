/* Overround removal.
 *
 * Multiplicative, additive, and for two outcomes all but the power method, are closed forms. The others look
 * for the one parameter at which the probabilities sum to 1.
 *
 * - Power: sum of r^k = 1 for k > 0; r is below 1, so the sum falls in k.
 *
 * - Shin: sum of (sqrt(z^2 + 4(1-z) r^2/B) - z) / (2(1-z)) = 1 for z in [0, 1), the share of insiders. The sum falls
 *   in z. A book with a sum B below 1 has no solution (the share would be negative): false.
 *
 *   Both by Halley's step, kept inside a bracket and replaced by bisection when it would leave it: the root is found
 *   for every input for which there is one, in bounded time. Two trials do for nearly all books, as the last step is
 *   small enough to be taken on the probabilities themselves, by their Taylor series.
 *
 * - Odds ratio: sum of r / (c + r - c r) = sum of 1 / (1 + c s) = 1 for c > 0, the ratio of the bookmaker's odds to
 *   the fair ones, s = (1-r)/r. With common denominators that is e3 c^3 = e1 c + 2, e1 the sum and e3 the product of
 *   the s: one root, and no cancellation on the way to it. */
#include "football/overround.h"

#include <assert.h>
#include <math.h>

enum { OVERROUND_OUTCOMES = 3, OVERROUND_STEPS = 100 };
static const double OVERROUND_TOLERANCE = 1e-13; /* of the sum of the probabilities */
static const double OVERROUND_SMALL = 1e-5;      /* a step, as measured by its bend, whose cube is nothing */
static const double POWER_START_HIGH = 4;        /* no guess above it */

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

bool overround_book_init(struct overround_book *book, const float *odds, size_t n)
{
    assert(n == 2 || n == 3);
    book->n = n;
    book->sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (!(odds[i] > 1.0f)) /* also NaN */
            return false;
        book->odds[i] = (double)odds[i];
        book->sum += book->r[i] = 1 / book->odds[i];
    }
    return true;
}

/* Probabilities and their first two derivatives at a parameter. */
struct trial {
    double p[OVERROUND_OUTCOMES], slope[OVERROUND_OUTCOMES], curve[OVERROUND_OUTCOMES];
};
/* known[n]: what the method needs to know of each outcome */
typedef void trial_function(const double *known, size_t n, double x, struct trial *out);

/* Halley's step towards sum(x) = 1. *excess: what the sum is above it; *bend: the step's term of second order. */
static double trial_step(const struct trial *trial, size_t n, double *excess, double *bend)
{
    double sum = -1, slope = 0, curve = 0;
    for (size_t i = 0; i < n; i++) {
        sum += trial->p[i];
        slope += trial->slope[i];
        curve += trial->curve[i];
    }
    double step = -2 * sum * slope / (2 * slope * slope - sum * curve);
    *excess = sum;
    *bend = step * step * (1 + fabs(curve));
    return step;
}

/* Solves sum(x) = 1 for a sum that falls in x over [low, high], starting at x. */
static bool solve_sum(trial_function *try, const double *known, size_t n, double low, double high, double x,
                      double *p)
{
    for (int steps = 0; steps < OVERROUND_STEPS; steps++) {
        struct trial trial;
        double excess, bend;
        try(known, n, x, &trial);
        double step = trial_step(&trial, n, &excess, &bend), next = x + step;
        bool is_done = fabs(excess) < OVERROUND_TOLERANCE;
        if (excess > 0)
            low = x;
        else
            high = x;
        if (!(next > low && next < high)) {
            step = 0;
            next = isinf(high) ? 2 * x : (low + high) / 2;
            if (next == low || next == high) /* the bracket cannot shrink any more */
                is_done = is_done || fabs(excess) < 1e-9;
        } else if (bend < OVERROUND_SMALL * OVERROUND_SMALL)
            is_done = true;
        for (size_t i = 0; is_done && i < n; i++)
            p[i] = trial.p[i] + step * (trial.slope[i] + step / 2 * trial.curve[i]);
        if (is_done)
            return true;
        x = next;
    }
    return false;
}

static void trial_power(const double *log_r, size_t n, double k, struct trial *out)
{
    for (size_t i = 0; i < n; i++) {
        out->p[i] = exp(k * log_r[i]);
        out->slope[i] = out->p[i] * log_r[i];
        out->curve[i] = out->slope[i] * log_r[i];
    }
}

/* q = r^2/B. p = (root - z) / (2(1-z)): with t = 1/(1-z), p' = ((root' - 1)/2 + p) t and
 * p'' = (root''/2 + 2 p') t. */
static void trial_shin(const double *q, size_t n, double z, struct trial *out)
{
    double t = 1 / (1 - z);
    for (size_t i = 0; i < n; i++) {
        double root = sqrt(z * z + 4 * (1 - z) * q[i]), inverse = 1 / root, slope = (z - 2 * q[i]) * inverse;
        out->p[i] = (root - z) / 2 * t;
        out->slope[i] = ((slope - 1) / 2 + out->p[i]) * t;
        out->curve[i] = ((1 - slope * slope) * inverse / 2 + 2 * out->slope[i]) * t;
    }
}

/* Householder's step of third order from k = 1, where the sum and its derivatives are known without a power. */
static double power_start(const struct overround_book *book, const double *log_r)
{
    double excess = book->sum - 1, slope = 0, curve = 0, third = 0;
    for (size_t i = 0; i < book->n; i++) {
        double first = book->r[i] * log_r[i], second = first * log_r[i];
        slope += first;
        curve += second;
        third += second * log_r[i];
    }
    double above = 3 * excess * (2 * slope * slope - excess * curve);
    double below = slope * (6 * slope * slope - 6 * excess * curve) + excess * excess * third;
    double start = 1 - above / below;
    return start > 0 && start < POWER_START_HIGH ? start : 1;
}

static bool solve_power(const struct overround_book *book, double *p)
{
    double log_r[OVERROUND_OUTCOMES];
    for (size_t i = 0; i < book->n; i++)
        log_r[i] = log(book->r[i]);
    return solve_sum(trial_power, log_r, book->n, 0, INFINITY, power_start(book, log_r), p);
}

/* The c of three outcomes: the first guess takes c for 1 where that matters least; the slope is positive from there on. */
static double odds_ratio_of_three(const double s[OVERROUND_OUTCOMES])
{
    double e1 = s[0] + s[1] + s[2], e3 = s[0] * s[1] * s[2], c = sqrt((e1 + 2) / e3);
    for (int steps = 0; steps < OVERROUND_STEPS; steps++) {
        double square = e3 * c * c, value = (square - e1) * c - 2, slope = 3 * square - e1;
        double step = -2 * value * slope / (2 * slope * slope - value * 6 * e3 * c);
        c += step;
        if (fabs(step) < OVERROUND_SMALL * c)
            break;
    }
    return c;
}

/* (n = 2) c^2 = odds product of the book: p1/(1-p1) = r1/(c(1-r1)) and p1 + p2 = 1. */
static bool solve_odds_ratio(const struct overround_book *book, double *p)
{
    double s[OVERROUND_OUTCOMES];
    for (size_t i = 0; i < book->n; i++)
        s[i] = book->odds[i] - 1;
    double c = book->n == 2 ? 1 / sqrt(s[0] * s[1]) : odds_ratio_of_three(s);
    for (size_t i = 0; i < book->n; i++)
        p[i] = 1 / (1 + c * s[i]);
    return true;
}

static bool solve_additive(const struct overround_book *book, double *p)
{
    double share = (book->sum - 1) / (double)book->n;
    for (size_t i = 0; i < book->n; i++)
        p[i] = book->r[i] - share;
    return true;
}

/* (n = 3) Halley's step from z = 0, where root is 2 r/sqrt(B), on the sum of roots = 2 + z. */
static double shin_start(const struct overround_book *book)
{
    double root = sqrt(book->sum), curve = root / 2 * (book->odds[0] + book->odds[1] + book->odds[2] - 1);
    double start = 2 * (book->sum - 1) / fmax((root + 1) * (root + 1) - (root - 1) * curve, 1);
    return start < 0.5 ? start : 0.5;
}

static bool solve_shin(const struct overround_book *book, double *p)
{
    if (book->sum < 1)
        return false;
    if (book->n == 2) /* equal to the additive method (Jullien & Salanie 1994) */
        return solve_additive(book, p);
    double q[OVERROUND_OUTCOMES];
    for (size_t i = 0; i < book->n; i++)
        q[i] = book->r[i] * book->r[i] / book->sum;
    return solve_sum(trial_shin, q, book->n, 0, 1, shin_start(book), p);
}

static bool solve_multiplicative(const struct overround_book *book, double *p)
{
    for (size_t i = 0; i < book->n; i++)
        p[i] = book->r[i] / book->sum;
    return true;
}

static bool solve(const struct overround_book *book, enum overround_method method, double *p)
{
    switch (method) {
    case OVERROUND_MULTIPLICATIVE:
        return solve_multiplicative(book, p);
    case OVERROUND_ADDITIVE:
        return solve_additive(book, p);
    case OVERROUND_POWER:
        return solve_power(book, p);
    case OVERROUND_SHIN:
        return solve_shin(book, p);
    case OVERROUND_ODDS_RATIO:
        return solve_odds_ratio(book, p);
    default:
        assert(!"unknown method");
        return false;
    }
}

bool overround_book_remove(const struct overround_book *book, enum overround_method method, double *out)
{
    double p[OVERROUND_OUTCOMES];
    bool is_solved = solve(book, method, p);
    for (size_t i = 0; is_solved && i < book->n; i++)
        is_solved = p[i] > 0 && p[i] < 1;
    for (size_t i = 0; is_solved && i < book->n; i++)
        out[i] = p[i];
    return is_solved;
}

bool overround_remove(enum overround_method method, const float *odds, size_t n, double *out)
{
    struct overround_book book;
    return overround_book_init(&book, odds, n) && overround_book_remove(&book, method, out);
}
