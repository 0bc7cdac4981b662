/* almanac backtest: the task of the same name, in this terminal. */
#include "task/backtest.h"
#include "cli/task_command.h"
#include "evaluate/scoresheet.h"

#include <math.h>
#include <string.h>

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

/* One line a season: the log loss of every forecast. */
static void print_seasons(const json_t *result, struct buffer *out)
{
    size_t index, column;
    const json_t *season, *forecast, *seasons = json_object_get(result, "seasons");
    const json_t *heads = json_object_get(json_object_get(result, "total"), "forecasts");
    buffer_printf(out, "\nlog loss per season\n  %-9s %7s", "season", "matches");
    json_array_foreach(heads, column, forecast) buffer_printf(out, "  %s", text(forecast, "name"));
    buffer_append_char(out, '\n');
    json_array_foreach(seasons, index, season)
    {
        const json_t *scores = json_object_get(season, "scores");
        int year = (int)number(season, "season");
        buffer_printf(out, "  %d-%02d   %7lld", year, (year + 1) % 100,
                      (long long)json_integer_value(json_object_get(scores, "rows")));
        json_array_foreach(heads, column, forecast)
        {
            size_t width = strlen(text(forecast, "name")), position;
            const json_t *same, *found = NULL;
            json_array_foreach(json_object_get(scores, "forecasts"), position, same)
            {
                if (strcmp(text(same, "name"), text(forecast, "name")) == 0)
                    found = same;
            }
            buffer_printf(out, "  %*.4f", (int)width, number(json_object_get(found, "log_loss"), "value"));
        }
        buffer_append_char(out, '\n');
    }
}

static void print_plan(const json_t *plan, struct buffer *out)
{
    const json_t *roi = json_object_get(plan, "roi"), *clv = json_object_get(plan, "clv");
    const json_t *control = json_object_get(plan, "random_pick_control");
    buffer_printf(out,
                  "    %-17s %5lld bets  ROI %+6.2f %% [%+.2f, %+.2f]  CLV %+5.2f %%  bankroll %.0f -> %.1f  "
                  "drawdown %.0f %%  "
                  "random picks %+.2f %% (better than %.0f %% of them)\n",
                  text(plan, "staking"), (long long)json_integer_value(json_object_get(plan, "bets")),
                  100 * number(roi, "value"), 100 * number(roi, "low"), 100 * number(roi, "high"),
                  100 * number(clv, "value"), number(plan, "bankroll_start"), number(plan, "bankroll_end"),
                  100 * number(plan, "drawdown_share"), 100 * number(control, "roi_mean"),
                  100 * number(control, "percentile"));
}

static void print_model(const json_t *model, struct buffer *out)
{
    const json_t *betting = json_object_get(model, "betting"), *plan;
    size_t index;
    buffer_printf(out, "\n%s: %s%s\n", text(model, "name"),
                  json_is_true(json_object_get(model, "trust_alarm")) ? "TRUST ALARM, probably a leak: " : "",
                  text(model, "trust_sentence"));
    buffer_printf(out, "  bets at %s's prices (%s)%s%s\n", text(betting, "bookmaker"),
                  text(betting, "price_label"),
                  json_is_string(json_object_get(betting, "warning")) ? ": WARNING, " : "",
                  json_is_string(json_object_get(betting, "warning")) ? text(betting, "warning") : "");
    json_array_foreach(json_object_get(betting, "plans"), index, plan) print_plan(plan, out);
}

static void print(const json_t *result, struct buffer *out)
{
    const json_t *options = json_object_get(result, "options"), *model;
    size_t index;
    buffer_printf(out, "%s/%s, %lld refits (%s)\n", text(options, "league"), text(options, "target"),
                  (long long)json_integer_value(json_object_get(result, "refits")), text(options, "refit"));
    scoresheet_print(json_object_get(result, "total"), out);
    print_seasons(result, out);
    json_array_foreach(json_object_get(result, "models"), index, model) print_model(model, out);
    buffer_printf(out, "\nforecasts of every match: %s\n", text(result, "predictions"));
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_backtest, print, argc, argv, err);
}

const struct command command_backtest = {
    .name = "backtest",
    .usage = "[flags]",
    .doc = "walk through the past, refit as it goes, judge against baselines and the closing price",
    .task = &task_backtest,
    .run = run,
};
