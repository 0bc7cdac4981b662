/* almanac reference football: the published protocol, reproduced from the store. */
#include "task/reference.h"
#include "cli/task_command.h"

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print(const json_t *result, struct buffer *out)
{
    const json_t *forecast;
    size_t index;
    buffer_printf(out, "%-34s %8s %7s %7s %7s %8s   %s: %7s %7s\n", "forecast", "matches", "logloss", "RPS",
                  "Brier", "correct", json_string_value(json_object_get(result, "league")), "logloss", "RPS");
    json_array_foreach(json_object_get(result, "forecasts"), index, forecast)
    {
        const json_t *all = json_object_get(forecast, "all"), *league = json_object_get(forecast, "league");
        buffer_printf(out, "%-34s %8lld %7.4f %7.4f %7.4f %6.2f %%   %5lld %7.4f %7.4f\n",
                      json_string_value(json_object_get(forecast, "title")),
                      (long long)json_integer_value(json_object_get(all, "matches")), number(all, "log_loss"),
                      number(all, "rps"), number(all, "brier"), 100 * number(all, "accuracy"),
                      (long long)json_integer_value(json_object_get(league, "matches")),
                      number(league, "log_loss"), number(league, "rps"));
    }
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_reference, print, argc, argv, err);
}

const struct command command_reference_football = {
    .name = "reference football",
    .usage = "[flags]",
    .doc = "reproduce the published figures of five ratings and the closing price on the imported matches",
    .task = &task_reference,
    .run = run,
};
