/* Betting: gathers prices by row and hands them to evaluate/staking. */
#include "task/betting.h"

#include "evaluate/scoresheet.h"
#include "evaluate/staking.h"
#include "football/bookmaker.h"

#include <math.h>
#include <stdlib.h>

enum { CURVE_POINTS_MAX = 400 };

/* Evenly thinned to what a chart can show; the last point always. */
static void write_curve(struct json_writer *out, const struct staking_result *result)
{
    size_t step = result->curve_count / CURVE_POINTS_MAX + 1;
    json_key(out, "curve");
    json_begin_array(out);
    for (size_t i = 0; i < result->curve_count; i++) {
        if (i % step != 0 && i + 1 != result->curve_count)
            continue;
        json_begin_array(out);
        json_put_i64(out, result->curve[i].block);
        json_put_f64(out, result->curve[i].bankroll);
        json_end_array(out);
    }
    json_end_array(out);
}

static void write_plan(struct json_writer *out, const struct staking_plan *plan,
                       const struct staking_result *result)
{
    json_begin_object(out);
    json_field_text(out, "staking", staking_name(plan->kind));
    json_field_f64(out, "min_edge", plan->min_edge);
    json_field_i64(out, "bets", (int64_t)result->bet_count);
    json_field_i64(out, "won", (int64_t)result->won_count);
    json_field_f64(out, "staked", result->staked);
    json_field_f64(out, "profit", result->profit);
    scoresheet_write_interval(out, "roi", &result->roi);
    scoresheet_write_interval(out, "clv", &result->clv);
    json_field_f64(out, "bankroll_start", plan->bankroll);
    json_field_f64(out, "bankroll_end", result->bankroll);
    json_field_f64(out, "drawdown", result->drawdown);
    json_field_f64(out, "drawdown_share", result->drawdown_share);
    json_key(out, "random_pick_control");
    json_begin_object(out);
    json_field_i64(out, "replicates", (int64_t)result->control.replicates);
    json_field_f64(out, "roi_mean", result->control.roi_mean);
    json_field_f64(out, "roi_low", result->control.roi_low);
    json_field_f64(out, "roi_high", result->control.roi_high);
    json_field_f64(out, "percentile", result->control.percentile);
    json_end_object(out);
    write_curve(out, result);
    json_end_object(out);
}

static void gather_odds(const struct judge *judge, const struct history *history,
                        const struct betting *betting, double *odds)
{
    for (size_t i = 0; i < judge->rows; i++) {
        const struct prices *prices = betting->at_close ? history_close(history, judge->row[i])
                                                        : &history_fixture(history, judge->row[i])->pre_close;
        const float *quoted = target_prices(judge->target, prices, betting->bookmaker);
        for (size_t c = 0; c < judge->classes; c++)
            odds[i * judge->classes + c] = (double)quoted[c];
    }
}

static enum err_code run_plans(const struct staking_input *input, const struct betting *betting,
                               struct json_writer *out, struct err *err)
{
    static const enum staking_kind kinds[] = {STAKING_FLAT, STAKING_FRACTIONAL, STAKING_JOINT};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof(kinds) / sizeof(*kinds); i++) {
        struct staking_plan plan = staking_plan_default(kinds[i]);
        struct staking_result result = {0};
        plan.min_edge = betting->min_edge;
        plan.fraction = betting->fraction;
        plan.cap = betting->cap;
        code = staking_simulate(input, &plan, &result, err);
        if (code == ERR_OK) {
            write_plan(out, &plan, &result);
            staking_release(&result);
        }
    }
    return code;
}

enum err_code betting_write(const struct judge *judge, size_t index, const struct history *history,
                            const struct betting *betting, struct json_writer *out, struct err *err)
{
    double *odds = malloc((judge->rows * judge->classes + 1) * sizeof(*odds));
    if (odds == NULL)
        return err_nomem(err, judge->rows * judge->classes * sizeof(*odds));
    gather_odds(judge, history, betting, odds);
    struct staking_input input = {.rows = judge->rows,
                                  .classes = judge->classes,
                                  .p = judge->p[index],
                                  .odds = odds,
                                  .closing = judge->closing >= 0 ? judge->p[judge->closing] : NULL,
                                  .outcome = judge->label,
                                  .block = judge->block};
    json_begin_object(out);
    json_field_text(out, "bookmaker", bookmaker_title(betting->bookmaker));
    json_field_text(out, "price_label", betting->at_close ? "close" : "pre_close");
    json_field_text(out, "warning",
                    betting->at_close
                        ? "bets are picked with closing prices, which nobody knows in time: this "
                          "result cannot be achieved"
                        : NULL);
    json_key(out, "plans");
    json_begin_array(out);
    enum err_code code = run_plans(&input, betting, out, err);
    json_end_array(out);
    json_end_object(out);
    free(odds);
    return code;
}
