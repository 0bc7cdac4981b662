/* Prices: the truth, seen with an error, sold with a margin.
 *
 * Errors are added to the logits. All bookmakers share one error (the market's: news not known yet, money), each has a
 * smaller one of its own. Closing prices carry a third of the market's first error and little of their own. The margin
 * is laid on in proportion to q (1 - q), as bookmakers lay more of it on outsiders, which is why removing it
 * multiplicatively does not quite give q back. Prices are rounded to hundredths. */
#include "football/simulation_private.h"

#include <assert.h>

enum { CLASSES_MAX = 3, PRICE_LEAST = 101 };

#define MARKET_ERROR_EARLY 0.07
#define MARKET_ERROR_KEPT  0.35 /* of the early one, at the close */
#define MARKET_ERROR_LATE  0.025

/* The bookmakers that make prices of their own. */
static const struct seller {
    double margin, error_early, error_late;
} sellers[] = {
    [SIMULATED_B365] = {SIMULATED_MARGIN_B365, 0.025, 0.015},
    [SIMULATED_PS] = {SIMULATED_MARGIN_PS, 0.015, 0.008},
};
enum { SELLERS = sizeof sellers / sizeof *sellers };

/* q = p with `errors` on its logits, and `own` times a fresh error each. */
static void see(struct random *random, const double *p, size_t classes, const double *errors, double own,
                double *q)
{
    double sum = 0;
    for (size_t i = 0; i < classes; i++) {
        q[i] = p[i] * simulation_exp(errors[i] + own * random_normal(random));
        sum += q[i];
    }
    for (size_t i = 0; i < classes; i++)
        q[i] /= sum;
}

static void sell(const double *q, size_t classes, double margin, int32_t *out)
{
    double spread = 0;
    for (size_t i = 0; i < classes; i++)
        spread += q[i] * (1 - q[i]);
    for (size_t i = 0; i < classes; i++) {
        double inverse = q[i] + margin * q[i] * (1 - q[i]) / spread;
        int32_t price = (int32_t)(100 / inverse + 0.5);
        out[i] = price < PRICE_LEAST ? PRICE_LEAST : price;
    }
}

static double inverse_sum(const int32_t *prices, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < classes; i++)
        sum += 100.0 / prices[i];
    return sum;
}

/* Best and mean of what the sellers ask. */
static void summarise(size_t classes, int32_t *rows[SIMULATED_BOOKMAKERS])
{
    for (size_t i = 0; i < classes; i++) {
        int32_t most = 0, sum = 0;
        for (size_t s = 0; s < SELLERS; s++) {
            sum += rows[s][i];
            most = rows[s][i] > most ? rows[s][i] : most;
        }
        rows[SIMULATED_MAX][i] = most;
        rows[SIMULATED_AVG][i] = (2 * sum + SELLERS) / (2 * SELLERS); /* to the nearest, halves up */
    }
}

static void sell_all(struct random *random, const double *p, size_t classes, const double *errors,
                     bool is_late, int32_t *rows[SIMULATED_BOOKMAKERS])
{
    double q[CLASSES_MAX] = {0};
    for (size_t s = 0; s < SELLERS; s++) {
        see(random, p, classes, errors, is_late ? sellers[s].error_late : sellers[s].error_early, q);
        sell(q, classes, sellers[s].margin, rows[s]);
    }
    summarise(classes, rows);
    if (inverse_sum(rows[SIMULATED_MAX], classes) >= 1)
        return;
    /* a sure win across two bookmakers does not last: the larger margin follows the smaller one's opinion (q) */
    sell(q, classes, sellers[SIMULATED_B365].margin, rows[SIMULATED_B365]);
    summarise(classes, rows);
}

/* One market, before and at the close. */
static void price_market(struct random *random, const double *p, size_t classes,
                         int32_t *early_rows[SIMULATED_BOOKMAKERS], int32_t *late_rows[SIMULATED_BOOKMAKERS])
{
    double early[CLASSES_MAX], late[CLASSES_MAX];
    for (size_t i = 0; i < classes; i++) {
        early[i] = MARKET_ERROR_EARLY * random_normal(random);
        late[i] = MARKET_ERROR_KEPT * early[i] + MARKET_ERROR_LATE * random_normal(random);
    }
    sell_all(random, p, classes, early, false, early_rows);
    sell_all(random, p, classes, late, true, late_rows);
}

void simulation_price(struct random *random, struct simulated_match *match)
{
    _Static_assert(SIMULATED_PS == SELLERS - 1, "the last q is Pinnacle's");
    int32_t *early[SIMULATED_BOOKMAKERS], *late[SIMULATED_BOOKMAKERS];
    double goals[2] = {1 - match->p_over, match->p_over};
    for (size_t b = 0; b < SIMULATED_BOOKMAKERS; b++) {
        early[b] = match->pre_close.home_draw_away[b];
        late[b] = match->close.home_draw_away[b];
    }
    price_market(random, match->p, 3, early, late);
    for (size_t b = 0; b < SIMULATED_BOOKMAKERS; b++) {
        early[b] = match->pre_close.under_over[b];
        late[b] = match->close.under_over[b];
    }
    price_market(random, goals, 2, early, late);
}
