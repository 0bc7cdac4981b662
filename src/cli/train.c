/* almanac train: the task of the same name, in this terminal. */
#include "task/train.h"
#include "cli/task_command.h"
#include "evaluate/scoresheet.h"

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

static void print(const json_t *result, struct buffer *out)
{
    const json_t *calibration = json_object_get(json_object_get(result, "description"), "calibration");
    buffer_printf(
        out, "%s/%s/%s  version %s  (features: %s, calibration: %s, learned from %lld matches in %.1f s)\n",
        text(result, "subject"), text(result, "variant"), text(result, "bot"), text(result, "version"),
        text(result, "feature_set"), text(calibration, "kind"),
        (long long)json_integer_value(json_object_get(result, "rows")),
        (double)json_integer_value(json_object_get(result, "duration_ms")) / 1000);
    scoresheet_print(json_object_get(result, "scores"), out);
    buffer_printf(out, "  %s\n", text(json_object_get(result, "decision"), "reason"));
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_train, print, argc, argv, err);
}

const struct command command_train = {
    .name = "train",
    .usage = "[flags]",
    .doc = "train a model of one league and target, judge it, promote it if it is better",
    .task = &task_train,
    .run = run,
};
