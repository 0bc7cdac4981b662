/* Overround removal: fair probabilities from decimal odds by five methods (Clarke, Kovalchik & Ingram 2017;
 * Shin 1993; Cheung 2015 for the odds ratio). odds[n] > 1, n 2 or 3; out[n] sums to 1. False when odds are
 * missing or not above 1, or the method has no solution in (0,1) (additive can fall below 0). */
#ifndef ALMANAC_FOOTBALL_OVERROUND_H
#define ALMANAC_FOOTBALL_OVERROUND_H

#include <stdbool.h>
#include <stddef.h>

enum overround_method {
    OVERROUND_MULTIPLICATIVE,
    OVERROUND_ADDITIVE,
    OVERROUND_POWER,
    OVERROUND_SHIN,
    OVERROUND_ODDS_RATIO,
    OVERROUND_COUNT
};

/* One bookmaker's prices of a match. */
struct overround_book {
    size_t n;
    double odds[3], r[3], sum; /* r: inverse odds; sum: of them */
};

/* False when odds are missing or not above 1: the book is not to be used. */
bool overround_book_init(struct overround_book *book, const float *odds, size_t n);
/* As overround_remove, for several methods on one book. */
bool overround_book_remove(const struct overround_book *book, enum overround_method method, double *out);
const char *overround_name(enum overround_method method);
bool overround_remove(enum overround_method method, const float *odds, size_t n, double *out);
double overround_booksum(const float *odds, size_t n); /* sum of 1/odds; NaN when a price is missing */

#endif
