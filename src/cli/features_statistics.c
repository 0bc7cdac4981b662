/* almanac features statistics: the figures of task/statistics.h as a table, as CSV, or as they are kept. */
#include "cli/command.h"
#include "limits.h"
#include "task/statistics.h"

#include <math.h>
#include <string.h>

enum { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON };

struct options {
    struct statistics_options what;
    char family[64];
    int64_t limit;
    int format;
};
#define MEMBER(name) OPTION_MEMBER(struct options, name)
#define WHAT(name)   OPTION_MEMBER(struct options, what.name)
static const struct option_row rows[] = {
    STATISTICS_OPTION_ROWS(WHAT),
    {"family", OPTION_TEXT, MEMBER(family), "", 0, 0, "", "features of this family only"},
    {"limit", OPTION_INT, MEMBER(limit), "features", 0, 100000, "0",
     "only so many, the most drifted; 0: all"},
    {"format", OPTION_ENUM, MEMBER(format), "table|csv|json", 0, 0, "table", "how it is printed"},
};
static const struct option_table table = {"features statistics", rows, sizeof(rows) / sizeof(*rows)};

static const char *const numbers[] = {"count",
                                      "missing_share",
                                      "mean",
                                      "deviation",
                                      "low",
                                      "high",
                                      "reference_mean",
                                      "reference_deviation",
                                      "reference_missing_share",
                                      "recent_mean",
                                      "recent_deviation",
                                      "recent_missing_share",
                                      "psi",
                                      "ks",
                                      "js",
                                      "w1",
                                      "missing_change"};
enum { NUMBER_COUNT = sizeof(numbers) / sizeof(numbers[0]) };

static const char *text_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

static double number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void print_cell(struct buffer *out, const char *format, double value)
{
    if (isnan(value))
        buffer_printf(out, " %10s", "-");
    else
        buffer_printf(out, format, value);
}

static void print_window(const json_t *json, const char *name, struct buffer *out)
{
    const json_t *window = json_object_get(json, name), *model = json_object_get(window, "model");
    buffer_printf(out, "%s: %lld matches, %s to %s%s%.8s\n", name,
                  (long long)json_integer_value(json_object_get(window, "rows")), text_at(window, "from"),
                  text_at(window, "to"), json_is_string(model) ? ", learned from by version " : "",
                  json_is_string(model) ? json_string_value(model) : "");
}

static void print_table(const json_t *json, struct buffer *out)
{
    const json_t *feature;
    size_t index;
    buffer_printf(out, "%lld matches of %s, %s to %s\n", (long long)number_at(json, "rows"),
                  json_is_string(json_object_get(json, "league")) ? text_at(json, "league") : "all leagues",
                  text_at(json, "first"), text_at(json, "last"));
    print_window(json, "reference", out);
    print_window(json, "recent", out);
    buffer_printf(out, "\n%-44s %10s %10s %10s %10s %10s %10s %10s %10s %10s\n",
                  "feature, most drifted first", "PSI", "KS", "JS", "W1", "missing", "mean", "deviation",
                  "before", "recent");
    json_array_foreach(json_object_get(json, "features"), index, feature)
    {
        buffer_printf(out, "%-44s", text_at(feature, "name"));
        print_cell(out, " %10.4f", number_at(feature, "psi"));
        print_cell(out, " %10.4f", number_at(feature, "ks"));
        print_cell(out, " %10.4f", number_at(feature, "js"));
        print_cell(out, " %10.4f", number_at(feature, "w1"));
        print_cell(out, " %8.1f %%", 100 * number_at(feature, "missing_share"));
        print_cell(out, " %10.4g", number_at(feature, "mean"));
        print_cell(out, " %10.4g", number_at(feature, "deviation"));
        print_cell(out, " %10.4g", number_at(feature, "reference_mean"));
        print_cell(out, " %10.4g", number_at(feature, "recent_mean"));
        buffer_append_char(out, '\n');
    }
}

/* One row per feature; a figure that does not exist is empty. Names hold no comma. */
static void print_csv(const json_t *json, struct buffer *out)
{
    const json_t *feature, *levels = json_object_get(json, "quantile_levels"), *level;
    size_t index, k;
    buffer_append_text(out, "name,family,unit");
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        buffer_printf(out, ",%s", numbers[i]);
    json_array_foreach(levels, k, level) buffer_printf(out, ",q%02.0f", 100 * json_number_value(level));
    buffer_append_char(out, '\n');
    json_array_foreach(json_object_get(json, "features"), index, feature)
    {
        buffer_printf(out, "%s,%s,%s", text_at(feature, "name"), text_at(feature, "family"),
                      text_at(feature, "unit"));
        for (size_t i = 0; i < NUMBER_COUNT + json_array_size(levels); i++) {
            double value = i < NUMBER_COUNT ? number_at(feature, numbers[i])
                                            : json_number_value(json_array_get(
                                                  json_object_get(feature, "quantiles"), i - NUMBER_COUNT));
            buffer_append_char(out, ',');
            if (!isnan(value))
                buffer_printf(out, "%.12g", value);
        }
        buffer_append_char(out, '\n');
    }
}

static enum err_code print(const struct buffer *text, const struct options *options, int format,
                           struct err *err)
{
    struct json_writer writer;
    struct buffer out;
    json_t *json = NULL;
    enum err_code code = json_read(buffer_text(text), text->size_bytes, &json, err);
    buffer_init(&out, LIMIT_RESULT_BYTES);
    if (code == ERR_OK)
        code = statistics_select(json, options->family, (size_t)options->limit, err);
    if (code == ERR_OK && format == FORMAT_TABLE)
        print_table(json, &out);
    if (code == ERR_OK && format == FORMAT_CSV)
        print_csv(json, &out);
    if (code == ERR_OK && format == FORMAT_JSON) {
        json_writer_init(&writer, &out);
        json_put_value(&writer, json);
        buffer_append_char(&out, '\n');
    }
    if (code == ERR_OK)
        code = buffer_check(&out, "statistics", err);
    if (code == ERR_OK)
        command_print(&out);
    buffer_release(&out);
    json_decref(json);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct options options;
    struct session session = {0};
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = statistics_check(&options.what, err);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_ONLY, err);
    if (code == ERR_OK)
        code = statistics_make(&session.context, &options.what, &text, NULL, err);
    terminal_finish();
    if (code == ERR_OK)
        code = print(&text, &options, settings.json ? FORMAT_JSON : options.format, err);
    buffer_release(&text);
    session_close(&session);
    return code;
}

const struct command command_features_statistics = {
    .name = "features statistics",
    .usage = "[flags]",
    .doc = "mean, spread, missing share and drift of every feature, the most drifted first",
    .options = &table,
    .run = run,
};
