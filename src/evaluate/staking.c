/* First every selection with enough edge is listed as a bet without stake; then the days are played in order,
 * which fills stakes and profits; bets that got no stake are dropped; last come the summaries. */
#include "evaluate/staking.h"

#include "evaluate/kelly.h"
#include "evaluate/staking_control.h"
#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

const char *staking_name(enum staking_kind kind)
{
    static const char *const names[STAKING_KIND_COUNT] = {"flat", "kelly", "fractional_kelly", "joint_kelly"};
    assert(kind < STAKING_KIND_COUNT);
    return names[kind];
}

struct staking_plan staking_plan_default(enum staking_kind kind)
{
    return (struct staking_plan){.kind = kind,
                                 .min_edge = 0.042,
                                 .bankroll = 100,
                                 .fraction = 0.25,
                                 .cap = 0.02,
                                 .day_cap = 0.2,
                                 .draws = 2000,
                                 .replicates = 1000,
                                 .seed = 1};
}

static bool is_share(double value)
{
    return value > 0 && value <= 1;
}

static enum err_code check_plan(const struct staking_plan *plan, struct err *err)
{
    if (!(plan->min_edge >= -1 && plan->min_edge < 1e6))
        return err_set_field(err, ERR_INVALID, "min_edge", "the least edge %g is below -1 or not a number",
                             plan->min_edge);
    if (!(plan->bankroll > 0 && plan->bankroll < 1e15))
        return err_set_field(err, ERR_INVALID, "bankroll", "the bankroll %g is not between 0 and 1e15",
                             plan->bankroll);
    if (!is_share(plan->fraction))
        return err_set_field(err, ERR_INVALID, "fraction",
                             "the Kelly fraction %g is not above 0 and at most 1", plan->fraction);
    if (!is_share(plan->cap))
        return err_set_field(err, ERR_INVALID, "cap", "the cap %g is not above 0 and at most 1", plan->cap);
    if (!is_share(plan->day_cap))
        return err_set_field(err, ERR_INVALID, "day_cap", "the day cap %g is not above 0 and at most 1",
                             plan->day_cap);
    if (plan->draws == 0)
        return err_set_field(err, ERR_INVALID, "draws", "the bootstrap needs at least one draw");
    return ERR_OK;
}

static enum err_code check_input(const struct staking_input *input, struct err *err)
{
    assert(input->classes >= 2);
    for (size_t row = 0; row < input->rows; row++) {
        assert(row == 0 || input->block[row - 1] <= input->block[row]);
        if (input->outcome[row] < 0 || (size_t)input->outcome[row] >= input->classes)
            return err_set(err, ERR_INVALID, "cannot settle row %zu: outcome %d of %zu classes", row,
                           input->outcome[row], input->classes);
        double sum = 0;
        for (size_t index = 0; index < input->classes; index++) {
            double p = input->p[row * input->classes + index];
            if (!(p >= 0 && p <= 1))
                return err_set(err, ERR_INVALID, "cannot stake on row %zu: probability %g of class %zu", row,
                               p, index);
            sum += p;
        }
        if (sum > 1 + 1e-6)
            return err_set(err, ERR_INVALID, "cannot stake on row %zu: its probabilities sum to %g", row,
                           sum);
    }
    return ERR_OK;
}

static bool is_candidate(const struct staking_input *input, const struct staking_plan *plan, size_t index)
{
    return staking_is_quoted(input->odds[index]) &&
           input->p[index] * input->odds[index] - 1 >= plan->min_edge;
}

/* Allocates and lists the candidates, without stakes. */
static enum err_code list_candidates(const struct staking_input *input, const struct staking_plan *plan,
                                     struct staking_result *out, struct err *err)
{
    size_t count = 0;
    for (size_t index = 0; index < input->rows * input->classes; index++)
        count += is_candidate(input, plan, index);
    out->bets = calloc(count + 1, sizeof *out->bets); /* never of size 0 */
    if (out->bets == NULL)
        return err_nomem(err, (count + 1) * sizeof *out->bets);
    for (size_t index = 0; index < input->rows * input->classes; index++) {
        if (!is_candidate(input, plan, index))
            continue;
        double odds = input->odds[index];
        out->bets[out->bet_count++] = (struct staking_bet){
            .row = index / input->classes,
            .selection = index % input->classes,
            .odds = odds,
            .edge = input->p[index] * odds - 1,
            .clv = input->closing != NULL ? odds * input->closing[index] - 1 : NAN,
        };
    }
    return ERR_OK;
}

static int compare_falling(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a < b) - (a > b);
}

/* The edge from which on KELLY_BETS_MAX bets remain; of equal ones at the border the earlier stay
 * (joint_shares). */
static enum err_code least_joint_edge(const struct staking_bet *bets, size_t count, double *edge,
                                      struct err *err)
{
    *edge = -INFINITY;
    if (count <= KELLY_BETS_MAX)
        return ERR_OK;
    double *edges = malloc(count * sizeof *edges);
    if (edges == NULL)
        return err_nomem(err, count * sizeof *edges);
    for (size_t index = 0; index < count; index++)
        edges[index] = bets[index].edge;
    qsort(edges, count, sizeof *edges, compare_falling);
    *edge = edges[KELLY_BETS_MAX - 1];
    free(edges);
    return ERR_OK;
}

/* Shares of the bankroll into bets[].stake, jointly. */
static enum err_code joint_shares(const struct staking_plan *plan, const struct staking_input *input,
                                  struct staking_bet *bets, size_t count, size_t *left_out, struct err *err)
{
    struct kelly_bet chosen[KELLY_BETS_MAX] = {{0}};
    size_t place[KELLY_BETS_MAX], used = 0;
    double share[KELLY_BETS_MAX], least;
    enum err_code code = least_joint_edge(bets, count, &least, err);
    if (code != ERR_OK)
        return code;
    size_t above = 0;
    for (size_t index = 0; index < count; index++)
        above += bets[index].edge > least;
    size_t room_for_equal = KELLY_BETS_MAX - (above < KELLY_BETS_MAX ? above : KELLY_BETS_MAX);
    for (size_t index = 0; index < count; index++) {
        if (bets[index].edge < least || (bets[index].edge == least && room_for_equal == 0))
            continue;
        room_for_equal -= bets[index].edge == least;
        double p = input->p[bets[index].row * input->classes + bets[index].selection];
        chosen[used] = (struct kelly_bet){bets[index].row, p, bets[index].odds};
        place[used++] = index;
    }
    *left_out += count - used;
    kelly_joint(chosen, used, plan->cap / plan->fraction, plan->day_cap / plan->fraction, share);
    for (size_t index = 0; index < used; index++)
        bets[place[index]].stake = plan->fraction * share[index];
    return ERR_OK;
}

/* Shares of the bankroll into bets[].stake, each bet for itself, then scaled to the day's cap. */
static void single_shares(const struct staking_plan *plan, const struct staking_input *input,
                          struct staking_bet *bets, size_t count)
{
    bool is_fraction = plan->kind == STAKING_FRACTIONAL;
    double total = 0;
    for (size_t index = 0; index < count; index++) {
        double p = input->p[bets[index].row * input->classes + bets[index].selection];
        double share = kelly_fraction(p, bets[index].odds);
        bets[index].stake = is_fraction ? fmin(plan->fraction * share, plan->cap) : share;
        total += bets[index].stake;
    }
    for (size_t index = 0; total > plan->day_cap && index < count; index++)
        bets[index].stake *= plan->day_cap / total;
}

/* Stakes in units for one day's bets, from the bankroll of the morning. */
static enum err_code stake_day(const struct staking_plan *plan, const struct staking_input *input,
                               double bankroll, struct staking_bet *bets, size_t count, size_t *left_out,
                               struct err *err)
{
    if (plan->kind == STAKING_FLAT) {
        for (size_t index = 0; index < count; index++)
            bets[index].stake = 1;
        return ERR_OK;
    }
    if (plan->kind == STAKING_JOINT) {
        enum err_code code = joint_shares(plan, input, bets, count, left_out, err);
        if (code != ERR_OK)
            return code;
    } else {
        single_shares(plan, input, bets, count);
    }
    for (size_t index = 0; index < count; index++)
        bets[index].stake *= bankroll;
    return ERR_OK;
}

static double settle(const struct staking_input *input, struct staking_bet *bets, size_t count)
{
    double profit = 0;
    for (size_t index = 0; index < count; index++) {
        bool is_won = (size_t)input->outcome[bets[index].row] == bets[index].selection;
        bets[index].profit = is_won ? bets[index].stake * (bets[index].odds - 1) : -bets[index].stake;
        profit += bets[index].profit;
    }
    return profit;
}

/* Plays the days in order; fills stakes, profits and the curve. */
static enum err_code play(const struct staking_input *input, const struct staking_plan *plan,
                          struct staking_result *out, struct err *err)
{
    double bankroll = plan->bankroll;
    size_t bet = 0;
    for (size_t row = 0; row < input->rows;) {
        int64_t day = input->block[row];
        while (row < input->rows && input->block[row] == day)
            row++;
        size_t first = bet;
        while (bet < out->bet_count && out->bets[bet].row < row)
            bet++;
        enum err_code code =
            stake_day(plan, input, bankroll, out->bets + first, bet - first, &out->left_out, err);
        if (code != ERR_OK)
            return code;
        bankroll += settle(input, out->bets + first, bet - first);
        out->curve[out->curve_count++] = (struct staking_point){day, bankroll};
    }
    out->bankroll = bankroll;
    return ERR_OK;
}

static void drop_unstaked(struct staking_result *out)
{
    size_t kept = 0;
    for (size_t index = 0; index < out->bet_count; index++)
        if (out->bets[index].stake > 0)
            out->bets[kept++] = out->bets[index];
    out->bet_count = kept;
}

static void sum_up(const struct staking_input *input, double start, struct staking_result *out)
{
    for (size_t index = 0; index < out->bet_count; index++) {
        const struct staking_bet *bet = &out->bets[index];
        out->staked += bet->stake;
        out->profit += bet->profit;
        out->won_count += (size_t)input->outcome[bet->row] == bet->selection;
        out->clv_count += !isnan(bet->clv);
    }
    double peak = start;
    for (size_t index = 0; index < out->curve_count; index++) {
        double fall = peak - out->curve[index].bankroll;
        out->drawdown = fmax(out->drawdown, fall);
        out->drawdown_share = fmax(out->drawdown_share, fall / peak);
        peak = fmax(peak, out->curve[index].bankroll);
    }
}

/* ROI and mean CLV with their intervals over the days that had bets. */
static enum err_code intervals(const struct staking_input *input, const struct staking_plan *plan,
                               struct staking_result *out, struct err *err)
{
    out->roi = out->clv = (struct interval){NAN, NAN, NAN, NAN};
    if (out->bet_count == 0)
        return ERR_OK;
    size_t count = out->bet_count;
    double *gain = malloc(4 * count * sizeof *gain);
    int64_t *block = malloc(count * sizeof *block);
    enum err_code code = ERR_OK;
    if (gain == NULL || block == NULL) {
        code = err_nomem(err, 5 * count * sizeof *gain);
        goto out;
    }
    double *stake = gain + count, *clv = stake + count, *known = clv + count;
    for (size_t index = 0; index < count; index++) {
        const struct staking_bet *bet = &out->bets[index];
        block[index] = input->block[bet->row];
        gain[index] = bet->profit;
        stake[index] = bet->stake;
        known[index] = !isnan(bet->clv);
        clv[index] = isnan(bet->clv) ? 0 : bet->clv;
    }
    code = bootstrap_ratio(gain, stake, block, count, plan->draws, plan->seed, &out->roi, err);
    if (code == ERR_OK)
        code = bootstrap_ratio(clv, known, block, count, plan->draws, plan->seed, &out->clv, err);
out:
    free(gain);
    free(block);
    return code;
}

enum err_code staking_simulate(const struct staking_input *input, const struct staking_plan *plan,
                               struct staking_result *out, struct err *err)
{
    assert(plan->kind < STAKING_KIND_COUNT);
    *out = (struct staking_result){0};
    enum err_code code = check_plan(plan, err);
    if (code == ERR_OK)
        code = check_input(input, err);
    if (code == ERR_OK)
        code = list_candidates(input, plan, out, err);
    if (code != ERR_OK)
        goto out;
    out->curve = calloc(bootstrap_block_count(input->block, input->rows) + 1, sizeof *out->curve);
    if (out->curve == NULL) {
        code = err_nomem(err, input->rows * sizeof *out->curve);
        goto out;
    }
    code = play(input, plan, out, err);
    if (code != ERR_OK)
        goto out;
    drop_unstaked(out);
    sum_up(input, plan->bankroll, out);
    code = intervals(input, plan, out, err);
    if (code == ERR_OK)
        code = staking_control_run(input, plan->replicates, plan->seed, out, err);
out:
    if (code != ERR_OK)
        staking_release(out);
    return code;
}

void staking_release(struct staking_result *result)
{
    free(result->bets);
    free(result->curve);
    *result = (struct staking_result){0};
}
