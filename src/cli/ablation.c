/* almanac ablation: the task of the same name, in this terminal. */
#include "task/ablation.h"
#include "cli/task_command.h"

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

static void print_variant(const json_t *variant, struct buffer *out)
{
    const json_t *loss = json_object_get(variant, "log_loss"),
                 *difference = json_object_get(variant, "difference");
    buffer_printf(out, "  %-34s %5lld  %.5f  %.5f  %.5f", text(variant, "name"),
                  (long long)json_integer_value(json_object_get(variant, "columns")), number(loss, "value"),
                  number(variant, "rps"), number(variant, "brier"));
    if (difference != NULL)
        buffer_printf(out, "  %+.5f [%+.5f, %+.5f]  %s", number(difference, "value"),
                      number(difference, "low"), number(difference, "high"), text(variant, "verdict"));
    buffer_append_char(out, '\n');
}

static void print_kind(const json_t *result, const char *key, const char *title, struct buffer *out)
{
    const json_t *variants = json_object_get(result, key), *variant;
    size_t index;
    if (json_array_size(variants) == 0)
        return;
    buffer_printf(out, "\n  %s\n", title);
    json_array_foreach(variants, index, variant) print_variant(variant, out);
}

static void print(const json_t *result, struct buffer *out)
{
    const json_t *options = json_object_get(result, "options"), *control = json_object_get(result, "control");
    buffer_printf(out, "%s/%s by %s: %lld matches, %lld refits (%s), %.0f s\n\n", text(options, "league"),
                  text(options, "target"), text(options, "engine"), (long long)number(result, "matches"),
                  (long long)number(result, "refits"), text(options, "refit"), number(result, "took_s"));
    buffer_printf(out, "  %-34s %5s  %-7s  %-7s  %-7s  difference in log loss to the full set [95 %%]\n",
                  "features", "", "logloss", "RPS", "Brier");
    print_variant(json_object_get(result, "full"), out);
    if (json_is_object(control))
        print_variant(control, out);
    print_kind(result, "against", "other sets", out);
    print_kind(result, "drop_one", "one family left out: above zero the family is of use", out);
    print_kind(result, "only_one", "one family alone", out);
    if (json_is_object(control))
        buffer_printf(out,
                      "\nGrowing the trees by another seed moved the loss by %.5f: a difference of that size "
                      "says nothing.\n",
                      fabs(number(json_object_get(control, "difference"), "value")));
    buffer_printf(out, "kept: %s\nforecasts of every match: %s\n", text(result, "kept"),
                  text(result, "predictions"));
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_ablation, print, argc, argv, err);
}

const struct command command_ablation = {
    .name = "ablation",
    .usage = "[flags]",
    .doc = "what each feature family is worth: the same walk through the past with and without it",
    .task = &task_ablation,
    .run = run,
};
