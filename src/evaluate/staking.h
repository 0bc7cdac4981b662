/* Staking: what a bettor who follows the forecasts would have won, day by day (REFERENCE: Kelly, CLV).
 *
 * A selection (match, class) is a bet when the named bookmaker quotes it and its edge p * odds - 1 is at
 * least min_edge. All bets of one block (match day) are placed at once from the bankroll of that morning and
 * settled together. flat         1 unit on every such selection, whatever the bankroll (which may fall below
 * 0) kelly        (p * odds - 1) / (odds - 1) of the bankroll on each, scaled down together when a day
 * exceeds day_cap fractional   the same times `fraction`, each at most `cap`, then scaled down as above joint
 * shares that maximise E ln W over the day (evaluate/kelly.h), each at most cap / fraction and in sum at most
 * day_cap / fraction, times `fraction`; of a day with more than KELLY_BETS_MAX selections the ones with the
 * largest edge (left_out counts the others) The result says nothing of limits, taxes or prices moving against
 * the bettor, and it is only as honest as the odds: the caller passes prices stamped no later than the
 * decision. Invariant: nothing of a day influences its own stakes. Threads: pure functions, seeded. Memory:
 * malloc, staking_release. */
#ifndef ALMANAC_EVALUATE_STAKING_H
#define ALMANAC_EVALUATE_STAKING_H

#include "base/err.h"
#include "learn/bootstrap.h"
#include <stddef.h>
#include <stdint.h>

enum staking_kind { STAKING_FLAT, STAKING_KELLY, STAKING_FRACTIONAL, STAKING_JOINT, STAKING_KIND_COUNT };

const char *staking_name(enum staking_kind kind); /* "flat", "kelly", "fractional_kelly", "joint_kelly" */

/* The matches, in time order. Borrowed. */
struct staking_input {
    size_t rows, classes;
    const double *p;        /* [rows][classes] forecast */
    const double *odds;     /* [rows][classes] decimal; NaN, not above 1 or above LIMIT_ODDS: not quoted */
    const double *closing;  /* [rows][classes] fair closing probabilities, NaN: unknown; NULL: none known */
    const int32_t *outcome; /* [rows] class that happened */
    const int64_t *block;   /* [rows] match day, never decreases */
};

struct staking_plan {
    enum staking_kind kind;
    double min_edge; /* 0.042 = 4.2 %; -1 takes every quoted selection (flat only: Kelly never bets without
                        edge) */
    double bankroll; /* units at the start, > 0 */
    double fraction; /* of Kelly, 0 < fraction <= 1; fractional and joint */
    double cap;      /* largest share of the bankroll on one selection, 0 < cap <= 1; fractional and joint */
    double day_cap;  /* largest share at risk in one day, 0 < day_cap <= 1; all but flat */
    size_t draws;    /* of the bootstrap, >= 1 */
    size_t replicates; /* of the random-pick control; 0: none */
    uint64_t seed;
};

/* Edge 4.2 %, bankroll 100, quarter Kelly, cap 2 %, day cap 20 %, 2,000 draws, 1,000 replicates, seed 1. */
struct staking_plan staking_plan_default(enum staking_kind kind);

struct staking_bet {
    size_t row, selection;
    double odds, edge;
    double stake, profit; /* units */
    double clv;           /* odds * fair closing probability - 1; NaN: unknown */
};

struct staking_point {
    int64_t block;
    double bankroll; /* units, in the evening */
};

/* The same stakes, day by day, on selections drawn without replacement from all that were quoted on that day:
 * what betting as much without any skill would have given. */
struct staking_control {
    size_t replicates;
    double roi_mean, roi_low,
        roi_high;      /* mean, 2.5 % and 97.5 % quantile over the replicates; NaN: no bets */
    double percentile; /* share of replicates below our ROI, ties half; 0..1 */
};

struct staking_result {
    struct staking_bet *bets; /* [bet_count], stake > 0, in time order */
    size_t bet_count, won_count, left_out;
    double staked, profit; /* units */
    struct interval roi;   /* profit / staked, block bootstrap over days with bets; NaN: no bets */
    struct interval clv;   /* mean of the known clv; NaN: none known */
    size_t clv_count;
    struct staking_point *curve; /* [curve_count], one per block of the input */
    size_t curve_count;
    double bankroll;       /* at the end */
    double drawdown;       /* largest fall below the highest bankroll so far, units */
    double drawdown_share; /* largest such fall as a share of that peak; above 1 possible with flat stakes */
    struct staking_control control;
};

/* ERR_INVALID: a plan or a row out of range. No bets is a result, not an error. */
enum err_code staking_simulate(const struct staking_input *input, const struct staking_plan *plan,
                               struct staking_result *out, struct err *err) CHECKED;
void staking_release(struct staking_result *result);

#endif
