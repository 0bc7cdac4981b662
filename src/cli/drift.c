/* almanac drift: looks at the models in production now, or as of a date; and the two detectors of it over a file of numbers,
 * for whoever has a stream of his own or wants to check them. */
#include "base/text.h"
#include "cli/task_command.h"
#include "evaluate/adwin.h"
#include "evaluate/page_hinkley.h"
#include "limits.h"
#include "os/file.h"
#include "task/performance.h"

#include <math.h>
#include <string.h>

enum { FEATURES_SHOWN = 12 };

static double number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

static void print_features(const json_t *model, struct buffer *out)
{
    const json_t *feature;
    size_t index;
    json_array_foreach(json_object_get(model, "features"), index, feature)
    {
        if (index == 0)
            buffer_printf(out, "  %-44s %9s %9s %9s %9s %9s\n", "feature, nearest to its limit first", "PSI",
                          "limit", "KS", "JS", "W1");
        if (index >= FEATURES_SHOWN)
            return;
        buffer_printf(out, "  %-44s %9.4f %9.4f %9.4f %9.4f %9.4f%s\n", text_at(feature, "name"),
                      number_at(feature, "psi"), number_at(feature, "threshold"), number_at(feature, "ks"),
                      number_at(feature, "js"), number_at(feature, "w1"),
                      json_is_true(json_object_get(feature, "is_drifted")) ? "  drifted" : "");
    }
}

static void print_models(const json_t *result, struct buffer *out)
{
    const json_t *item;
    size_t index;
    json_array_foreach(json_object_get(result, "points"), index, item)
        buffer_printf(out, "%.10s  %s\n", text_at(item, "at"), text_at(item, "reason"));
    json_array_foreach(json_object_get(result, "models"), index, item)
    {
        buffer_printf(out, "%s/%s/%s %s: %s\n  %s\n", text_at(item, "subject"), text_at(item, "variant"),
                      text_at(item, "bot"), text_at(item, "version"), text_at(item, "decision"),
                      text_at(item, "reason"));
        print_features(item, out);
    }
    json_array_foreach(json_object_get(result, "failed"), index, item)
        buffer_printf(out, "%s: %s\n", text_at(item, "version"), text_at(item, "reason"));
    buffer_printf(out, "%s\n", text_at(result, "note"));
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_performance, print_models, argc, argv, err);
}

const struct command command_drift = {
    .name = "drift",
    .usage = "[flags]",
    .doc = "look at the models in production: drift of their features, live loss, alarms",
    .task = &task_performance,
    .run = run,
};

/* ---- the detectors alone ---- */

struct detect_options {
    double delta, lambda, adwin_delta;
    int64_t warm;
};
#define MEMBER(name) OPTION_MEMBER(struct detect_options, name)
static const struct option_row rows[] = {
    {"delta", OPTION_REAL, MEMBER(delta), "", 0, 1e9, "0.005", "Page-Hinkley: rise that does not matter"},
    {"lambda", OPTION_REAL, MEMBER(lambda), "", 1e-9, 1e9, "50", "Page-Hinkley: evidence asked for"},
    {"adwin_delta", OPTION_REAL, MEMBER(adwin_delta), "", 0, 0.999, "0.002",
     "ADWIN: confidence; 0: never cut"},
    {"warm", OPTION_INT, MEMBER(warm), "values", 0, 1e9, "0", "first values that are only learned from"},
};
static const struct option_table table = {"drift detect", rows, sizeof(rows) / sizeof(*rows)};

struct detection {
    struct page_hinkley page_hinkley;
    struct adwin adwin;
    int64_t count, warm;
    struct json_writer out;
};

static void take_value(struct detection *detection, double value)
{
    if (detection->count++ < detection->warm) {
        page_hinkley_learn(&detection->page_hinkley, value);
        adwin_fill(&detection->adwin, value);
        return;
    }
    static const char *const changes[] = {"none", "rose", "fell"};
    bool is_alarm = page_hinkley_add(&detection->page_hinkley, value);
    enum adwin_change change = adwin_add(&detection->adwin, value);
    json_begin_object(&detection->out);
    json_field_i64(&detection->out, "index", detection->count - 1);
    json_field_f64(&detection->out, "page_hinkley", page_hinkley_statistic(&detection->page_hinkley));
    json_field_bool(&detection->out, "page_hinkley_alarm", is_alarm);
    json_field_text(&detection->out, "adwin", changes[change]);
    json_field_f64(&detection->out, "adwin_width", adwin_count(&detection->adwin));
    json_field_f64(&detection->out, "adwin_mean", adwin_mean(&detection->adwin));
    json_field_f64(&detection->out, "adwin_least_delta", adwin_least_delta(&detection->adwin));
    json_end_object(&detection->out);
}

static enum err_code detect(const struct buffer *text, struct detection *detection, struct err *err)
{
    struct text rest = {buffer_text(text), text->size_bytes}, line;
    int64_t number = 0;
    while (text_split(&rest, '\n', &line)) {
        double value;
        number++;
        if (text_is_blank(line))
            continue;
        if (!text_parse_f64(text_trim(line), &value) || !isfinite(value))
            return err_set(err, ERR_INVALID, "line %lld is no number", (long long)number);
        take_value(detection, value);
    }
    return ERR_OK;
}

static enum err_code run_detect(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct detect_options options;
    struct detection detection = {0};
    const char *path[1] = {NULL};
    size_t count = 0;
    struct buffer text, output;
    buffer_init(&text, LIMIT_CSV_FILE_BYTES);
    buffer_init(&output, LIMIT_RESULT_BYTES);
    enum err_code code = command_parse(command, argc, argv, &settings, &options, path, 1, &count, err);
    if (code == ERR_OK && count == 0)
        code = err_set(err, ERR_INVALID, "name a file of numbers, one in a line");
    if (code == ERR_OK)
        code = file_read(path[0], &text, err);
    if (code == ERR_OK) {
        page_hinkley_init(&detection.page_hinkley, options.delta, options.lambda);
        adwin_init(&detection.adwin, options.adwin_delta);
        detection.warm = options.warm;
        json_writer_init(&detection.out, &output);
        json_begin_array(&detection.out);
        code = detect(&text, &detection, err);
        json_end_array(&detection.out);
        buffer_append_char(&output, '\n');
    }
    if (code == ERR_OK)
        code = buffer_check(&output, "detections", err);
    if (code == ERR_OK)
        command_print(&output);
    buffer_release(&text);
    buffer_release(&output);
    return code;
}

const struct command command_drift_detect = {
    .name = "drift detect",
    .usage = "FILE [--delta N] [--lambda N] [--adwin-delta N] [--warm N]",
    .doc = "run Page-Hinkley and ADWIN over a file of numbers, one in a line; JSON, an object per value",
    .options = &table,
    .run = run_detect,
};
