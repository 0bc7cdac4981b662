/* For every day with bets the selections quoted on it stand in one run of `open`; a replicate moves as many
 * random ones as there were bets to the front of that run (the first steps of a Fisher-Yates shuffle) and
 * stakes them in order. The runs stay shuffled between replicates, which changes nothing: any order is as
 * good a start. */
#include "evaluate/staking_control.h"

#include "base/random.h"
#include "limits.h"
#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct control {
    const struct staking_input *input;
    const struct staking_result *result;
    size_t *open;  /* quoted selections as row * classes + class, of days with bets only */
    size_t *count; /* [bets]: at the first bet of a day the length of its run, else 0 */
    struct random random;
};

bool staking_is_quoted(double odds)
{
    return odds > 1 && odds <= LIMIT_ODDS;
}

static void fill_open(struct control *control)
{
    const struct staking_input *input = control->input;
    const struct staking_bet *bets = control->result->bets;
    size_t row = 0, used = 0;
    for (size_t bet = 0; bet < control->result->bet_count; bet++) {
        int64_t day = input->block[bets[bet].row];
        control->count[bet] = 0;
        if (bet > 0 && input->block[bets[bet - 1].row] == day)
            continue;
        while (input->block[row] < day)
            row++;
        for (; row < input->rows && input->block[row] == day; row++)
            for (size_t index = row * input->classes; index < (row + 1) * input->classes; index++)
                if (staking_is_quoted(input->odds[index])) {
                    control->open[used++] = index;
                    control->count[bet]++;
                }
    }
}

static double profit_of(const struct staking_input *input, size_t selection, double stake)
{
    size_t row = selection / input->classes;
    bool is_won = selection % input->classes == (size_t)input->outcome[row];
    return is_won ? stake * (input->odds[selection] - 1) : -stake;
}

/* Profit of one replicate. */
static double replicate(struct control *control)
{
    double profit = 0;
    size_t *run = control->open, length = 0, taken = 0;
    for (size_t bet = 0; bet < control->result->bet_count; bet++) {
        if (control->count[bet] > 0) { /* a new day */
            run += length;
            length = control->count[bet];
            taken = 0;
        }
        assert(taken < length); /* every bet of the day is itself quoted */
        size_t other = taken + random_below(&control->random, length - taken), selection = run[other];
        run[other] = run[taken];
        run[taken++] = selection;
        profit += profit_of(control->input, selection, control->result->bets[bet].stake);
    }
    return profit;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static struct staking_control summary(double *roi, size_t count, double ours)
{
    struct staking_control out = {.replicates = count};
    qsort(roi, count, sizeof *roi, compare_doubles);
    for (size_t index = 0; index < count; index++) {
        out.roi_mean += roi[index] / (double)count;
        double ahead = ours - roi[index]; /* the same bets in another order differ by rounding only: a tie */
        out.percentile += (fabs(ahead) < 1e-12 ? 0.5 : ahead > 0) / (double)count;
    }
    out.roi_low = roi[(size_t)(0.025 * (double)(count - 1) + 0.5)];
    out.roi_high = roi[(size_t)(0.975 * (double)(count - 1) + 0.5)];
    return out;
}

enum err_code staking_control_run(const struct staking_input *input, size_t replicates, uint64_t seed,
                                  struct staking_result *result, struct err *err)
{
    result->control = (struct staking_control){0, NAN, NAN, NAN, NAN};
    if (replicates == 0 || result->bet_count == 0)
        return ERR_OK;
    enum err_code code = ERR_OK;
    struct control control = {.input = input, .result = result};
    double *roi = malloc(replicates * sizeof *roi);
    control.open = malloc(input->rows * input->classes * sizeof *control.open);
    control.count = malloc(result->bet_count * sizeof *control.count);
    if (roi == NULL || control.open == NULL || control.count == NULL) {
        code = err_nomem(err, input->rows * input->classes * sizeof *control.open);
        goto out;
    }
    fill_open(&control);
    random_init(&control.random, seed);
    for (size_t index = 0; index < replicates; index++)
        roi[index] = replicate(&control) / result->staked;
    result->control = summary(roi, replicates, result->roi.value);
out:
    free(roi);
    free(control.open);
    free(control.count);
    return code;
}
