/* almanac clean-up, almanac value-bets: two tasks of the schedule, run in this terminal. */
#include "cli/task_command.h"
#include "task/clean_up.h"
#include "task/value_bets.h"

static long long number(const json_t *result, const char *key)
{
    return (long long)json_integer_value(json_object_get(result, key));
}

static void print_clean_up(const json_t *result, struct buffer *out)
{
    buffer_printf(
        out, "%s %lld forecasts, %lld value bets, %lld jobs, %lld model files, %lld logs, %lld job folders, ",
        json_is_true(json_object_get(result, "dry_run")) ? "would remove" : "removed",
        number(result, "forecasts"), number(result, "value_bets"), number(result, "jobs"),
        number(result, "model_files"), number(result, "log_files"), number(result, "job_folders"));
    buffer_printf(out, "%lld temporary files: %lld bytes\n", number(result, "temporary_files"),
                  number(result, "freed_bytes"));
}

static void print_value_bets(const json_t *result, struct buffer *out)
{
    const json_t *bet;
    size_t index;
    const char *note = json_string_value(json_object_get(result, "note"));
    buffer_printf(out, "%lld matches, %lld with a price and a model%s%s\n", number(result, "matches"),
                  number(result, "priced"), note != NULL ? ": " : "", note != NULL ? note : "");
    json_array_foreach(json_object_get(result, "value_bets"), index, bet)
    {
        buffer_printf(
            out, "match %-8lld %-5s %-5s %-6s %-4s odds %6.2f  p %.3f  edge %+.1f %%  stake %.0f %s\n",
            number(bet, "match_id"), json_string_value(json_object_get(bet, "league")),
            json_string_value(json_object_get(bet, "target")),
            json_string_value(json_object_get(bet, "selection")),
            json_string_value(json_object_get(bet, "bookmaker")),
            json_number_value(json_object_get(bet, "odds")), json_number_value(json_object_get(bet, "p")),
            100 * json_number_value(json_object_get(bet, "edge")),
            json_number_value(json_object_get(bet, "flat")),
            json_string_value(json_object_get(bet, "currency")));
    }
}

static enum err_code run_clean_up(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_clean_up, print_clean_up, argc, argv, err);
}

static enum err_code run_value_bets(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_value_bets, print_value_bets, argc, argv, err);
}

const struct command command_clean_up = {
    .name = "clean-up",
    .usage = "[flags]",
    .doc = "remove old forecasts and jobs, and files that belong to nothing",
    .task = &task_clean_up,
    .run = run_clean_up,
};
const struct command command_value_bets = {
    .name = "value-bets",
    .usage = "[flags]",
    .doc = "prices of the next 24 hours that are higher than the model in production thinks",
    .task = &task_value_bets,
    .run = run_value_bets,
};
