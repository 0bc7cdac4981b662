/* almanac models clear | archive | compare | report | decisions. A server on the same data directory notices what changes here
 * within half a second: what is cleared stops predicting. */
#include "api/model_object.h"
#include "cli/command.h"
#include "cli/models_who.h"
#include "limits.h"
#include "os/clock.h"
#include "registry/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct manage_options {
    char league[64], target[32], bot[32], why[256];
    bool all, confirm;
    int64_t limit;
};
#define MEMBER(name) OPTION_MEMBER(struct manage_options, name)
static const struct option_row clear_rows[] = {
    {"league", OPTION_TEXT, MEMBER(league), "", 0, 0, "", "clear models of this league"},
    {"target", OPTION_TEXT, MEMBER(target), "", 0, 0, "", "clear models of this target"},
    {"bot", OPTION_TEXT, MEMBER(bot), "", 0, 0, "", "clear models of this bot only"},
    {"all", OPTION_BOOL, MEMBER(all), "", 0, 0, "false", "clear every model; needs --confirm"},
    {"confirm", OPTION_BOOL, MEMBER(confirm), "", 0, 0, "false", "yes, clear every model"},
    {"why", OPTION_TEXT, MEMBER(why), "", 0, 0, "cleared by hand", "reason kept in the history"},
};
static const struct option_table clear_table = {"models_clear", clear_rows,
                                                sizeof(clear_rows) / sizeof(*clear_rows)};
static const struct option_row why_rows[] = {
    {"why", OPTION_TEXT, MEMBER(why), "", 0, 0, "by hand", "reason kept in the history"},
};
static const struct option_table why_table = {"models_archive", why_rows,
                                              sizeof(why_rows) / sizeof(*why_rows)};
static const struct option_row list_rows[] = {
    {"league", OPTION_TEXT, MEMBER(league), "", 0, 0, "", "only models of this league"},
    {"target", OPTION_TEXT, MEMBER(target), "", 0, 0, "", "only models of this target"},
    {"bot", OPTION_TEXT, MEMBER(bot), "", 0, 0, "", "only models of this bot"},
    {"limit", OPTION_INT, MEMBER(limit), "rows", 1, 100000, "1000", "at most so many, the newest"},
};
static const struct option_table list_table = {"models_list", list_rows,
                                               sizeof(list_rows) / sizeof(*list_rows)};

void models_who(char out[JOB_WHO_BYTES])
{
    const char *user = getenv("USER");
    (void)snprintf(out, JOB_WHO_BYTES, "cli:%.56s", user != NULL && user[0] != '\0' ? user : "unknown");
}

/* What every command here begins with. */
struct manage {
    struct settings settings;
    struct manage_options options;
    struct session session;
    struct model_name name;
    char who[JOB_WHO_BYTES];
    const char *arguments[2]; /* "" when not given */
    size_t count;
    struct buffer text;
};

static enum err_code begin(struct manage *manage, const struct command *command, int argc, char **argv,
                           size_t arguments, struct err *err)
{
    *manage = (struct manage){.arguments = {"", ""}};
    buffer_init(&manage->text, LIMIT_RESULT_BYTES);
    models_who(manage->who);
    enum err_code code = command_parse(command, argc, argv, &manage->settings, &manage->options,
                                       manage->arguments, 2, &manage->count, err);
    if (code == ERR_OK && manage->count < arguments)
        code = err_set(err, ERR_INVALID, "too few arguments: almanac %s %s", command->name, command->usage);
    if (code == ERR_OK)
        code = session_open(&manage->session, &manage->settings, DB_READ_WRITE, err);
    (void)snprintf(manage->name.subject, sizeof(manage->name.subject), "%s", manage->options.league);
    (void)snprintf(manage->name.variant, sizeof(manage->name.variant), "%s", manage->options.target);
    (void)snprintf(manage->name.bot, sizeof(manage->name.bot), "%s", manage->options.bot);
    return code;
}

static void end(struct manage *manage)
{
    buffer_release(&manage->text);
    session_close(&manage->session);
}

/* The text, with a line end. */
static void print(struct manage *manage)
{
    buffer_append_char(&manage->text, '\n');
    command_print(&manage->text);
}

/* ---- clear ---- */

/* What is meant is one version, the models of a league and target, or all; never all by leaving something out. */
static enum err_code check_extent(const struct manage *manage, struct err *err)
{
    bool has_name =
        manage->name.subject[0] != '\0' || manage->name.variant[0] != '\0' || manage->name.bot[0] != '\0';
    if (manage->options.all)
        return manage->count > 0 || has_name
                   ? err_set(err, ERR_INVALID, "--all clears every model: name none beside it")
               : !manage->options.confirm
                   ? err_set_field(err, ERR_INVALID, "confirm",
                                   "this would clear every model; say so: --all --confirm")
                   : ERR_OK;
    if (manage->count > 0)
        return has_name ? err_set(err, ERR_INVALID, "name a version or a model, not both") : ERR_OK;
    return manage->name.subject[0] == '\0' || manage->name.variant[0] == '\0'
               ? err_set(
                     err, ERR_INVALID,
                     "name what to clear: VERSION, or --league L --target T [--bot B], or --all --confirm")
               : ERR_OK;
}

static void print_cleared(struct manage *manage, const struct cleared *cleared)
{
    struct json_writer out;
    json_writer_init(&out, &manage->text);
    json_begin_object(&out);
    json_field_i64(&out, "cleared", (int64_t)cleared->count);
    json_key(&out, "versions");
    json_begin_array(&out);
    for (size_t i = 0; i < cleared->count; i++)
        json_put_text(&out, cleared->versions[i]);
    json_end_array(&out);
    json_field_i64(&out, "freed_bytes", cleared->freed_bytes);
    json_end_object(&out);
    if (manage->settings.json)
        print(manage);
    else
        command_printf("cleared %zu version%s, %.1f kB freed\n", cleared->count,
                       cleared->count == 1 ? "" : "s", (double)cleared->freed_bytes / 1e3);
}

static enum err_code run_clear(const struct command *command, int argc, char **argv, struct err *err)
{
    struct manage manage;
    struct version_row row = {0};
    struct cleared cleared = {0};
    enum err_code code = begin(&manage, command, argc, argv, 0, err);
    if (code == ERR_OK)
        code = check_extent(&manage, err);
    if (code == ERR_OK && manage.count > 0) {
        code = registry_find(&manage.session.store, manage.arguments[0], &row, err);
        manage.name = row.name;
    }
    if (code == ERR_OK)
        code = registry_clear(&manage.session.store, &manage.name, row.version, manage.who,
                              manage.options.why, &cleared, err);
    if (code == ERR_OK)
        print_cleared(&manage, &cleared);
    registry_cleared_release(&cleared);
    end(&manage);
    return code;
}

/* ---- archive ---- */

static enum err_code run_archive(const struct command *command, int argc, char **argv, struct err *err)
{
    struct manage manage;
    struct version_row row;
    enum err_code code = begin(&manage, command, argc, argv, 1, err);
    if (code == ERR_OK)
        code = registry_find(&manage.session.store, manage.arguments[0], &row, err);
    if (code == ERR_OK)
        code = registry_move(&manage.session.store, row.version, STAGE_ARCHIVED, manage.who,
                             manage.options.why, err);
    if (code == ERR_OK)
        command_printf("%s of %s/%s/%s is archived\n", row.version, row.name.subject, row.name.variant,
                       row.name.bot);
    end(&manage);
    return code;
}

/* ---- compare ---- */

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : 0;
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "-";
}

static void print_value(struct buffer *out, const json_t *value)
{
    char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    buffer_printf(out, "%s", shown != NULL ? shown : "");
    free(shown);
}

static void print_metrics(const json_t *json, struct buffer *out)
{
    size_t index;
    const json_t *metric;
    json_array_foreach(json_object_get(json, "metrics"), index, metric)
    {
        buffer_printf(out, "  %-10s %10.5f  %10.5f", text(metric, "name"), number(metric, "a"),
                      number(metric, "b"));
        if (json_is_number(json_object_get(metric, "difference")))
            buffer_printf(out, "  %+.5f  %s better", number(metric, "difference"), text(metric, "better"));
        buffer_append_char(out, '\n');
    }
}

static void print_paired(const json_t *json, struct buffer *out)
{
    static const char *const keys[] = {"brier", "log_loss"}, *const names[] = {"Brier", "log loss"};
    const json_t *paired = json_object_get(json, "paired");
    if (!json_is_object(paired)) {
        buffer_printf(out, "not compared match by match: %s\n", text(json, "paired_reason"));
        return;
    }
    buffer_printf(out, "b minus a on %.0f matches that neither learned from:\n", number(paired, "matches"));
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const json_t *interval = json_object_get(paired, keys[i]);
        buffer_printf(out, "  %-10s %+.5f [%+.5f, %+.5f]\n", names[i], number(interval, "difference"),
                      number(interval, "low"), number(interval, "high"));
    }
}

static void print_comparison(const json_t *json, struct buffer *out)
{
    const json_t *a = json_object_get(json, "a"), *b = json_object_get(json, "b"), *row;
    size_t index;
    buffer_printf(out, "a  %s  %s/%s/%s  %s\n", text(a, "version"), text(a, "subject"), text(a, "variant"),
                  text(a, "bot"), text(a, "stage"));
    buffer_printf(out, "b  %s  %s/%s/%s  %s\n", text(b, "version"), text(b, "subject"), text(b, "variant"),
                  text(b, "bot"), text(b, "stage"));
    buffer_printf(out, "judged on %s\n",
                  json_is_true(json_object_get(json, "same_window"))
                      ? "the same matches"
                      : "different matches: the figures do not say which is better");
    print_metrics(json, out);
    print_paired(json, out);
    json_array_foreach(json_object_get(json, "options"), index, row)
    {
        buffer_printf(out, "  %s: ", text(row, "name"));
        print_value(out, json_object_get(row, "a"));
        buffer_append_text(out, " | ");
        print_value(out, json_object_get(row, "b"));
        buffer_append_char(out, '\n');
    }
}

/* Prints the JSON in manage->text as it is, or by `show`. */
static enum err_code print_json(struct manage *manage, void (*show)(const json_t *json, struct buffer *out),
                                struct err *err)
{
    json_t *json = NULL;
    if (manage->settings.json) {
        print(manage);
        return ERR_OK;
    }
    enum err_code code = json_read(buffer_text(&manage->text), manage->text.size_bytes, &json, err);
    buffer_clear(&manage->text);
    if (code == ERR_OK) {
        show(json, &manage->text);
        command_print(&manage->text);
    }
    json_decref(json);
    return code;
}

static enum err_code run_compare(const struct command *command, int argc, char **argv, struct err *err)
{
    struct manage manage;
    struct json_writer out;
    enum err_code code = begin(&manage, command, argc, argv, 2, err);
    json_writer_init(&out, &manage.text);
    if (code == ERR_OK)
        code = model_object_write_comparison(&manage.session.store, manage.arguments[0], manage.arguments[1],
                                             clock_now_us(), &out, err);
    if (code == ERR_OK)
        code = print_json(&manage, print_comparison, err);
    end(&manage);
    return code;
}

/* ---- report ---- */

static void print_model(const json_t *model, struct buffer *out)
{
    const json_t *holdout = json_object_get(model, "holdout");
    buffer_printf(out,
                  "%-8s  %-16s  %-6s %-5s %-18s %-10s %8.1f h  Brier %.4f  %8.0f matches  %7.1f kB%s%s\n",
                  text(model, "status"), text(model, "version"), text(model, "subject"),
                  text(model, "variant"), text(model, "bot"), text(model, "stage"), number(model, "age_h"),
                  number(holdout, "brier"), number(model, "data_points"), number(model, "size_bytes") / 1e3,
                  json_is_string(json_object_get(model, "error")) ? "  " : "",
                  json_is_string(json_object_get(model, "error")) ? text(model, "error") : "");
}

static void print_report(const json_t *json, struct buffer *out)
{
    const json_t *model;
    size_t index;
    buffer_printf(
        out,
        "%.0f models: %.0f fresh, %.0f stale, %.0f archived, %.0f failed; %.1f kB; %.0f leagues, %.0f "
        "targets, %.0f bots\n",
        number(json, "total"), number(json, "fresh"), number(json, "stale"), number(json, "archived"),
        number(json, "failed"), number(json, "storage_bytes") / 1e3, number(json, "unique_symbols"),
        number(json, "unique_timeframes"), number(json, "unique_bots"));
    json_array_foreach(json_object_get(json, "models"), index, model)
    {
        print_model(model, out);
    }
}

static enum err_code run_report(const struct command *command, int argc, char **argv, struct err *err)
{
    struct manage manage;
    struct json_writer out;
    enum err_code code = begin(&manage, command, argc, argv, 0, err);
    json_writer_init(&out, &manage.text);
    if (code == ERR_OK)
        code = model_object_write_report(&manage.session.store, clock_now_us(), (size_t)manage.options.limit,
                                         &out, err);
    if (code == ERR_OK)
        code = print_json(&manage, print_report, err);
    end(&manage);
    return code;
}

static enum err_code run_decisions(const struct command *command, int argc, char **argv, struct err *err)
{
    struct manage manage;
    enum err_code code = begin(&manage, command, argc, argv, 0, err);
    if (code == ERR_OK)
        code = registry_model_decisions(&manage.session.store, &manage.name, manage.options.limit,
                                        &manage.text, err);
    if (code == ERR_OK)
        print(&manage);
    end(&manage);
    return code;
}

const struct command command_models_clear = {
    .name = "models clear",
    .usage = "VERSION | --league L --target T [--bot B] | --all --confirm",
    .doc = "remove model files and archive their records; what is cleared stops predicting",
    .options = &clear_table,
    .run = run_clear};
const struct command command_models_archive = {.name = "models archive",
                                               .usage = "VERSION [--why TEXT]",
                                               .doc = "take a version out of use; its file stays",
                                               .options = &why_table,
                                               .run = run_archive};
const struct command command_models_compare = {
    .name = "models compare",
    .usage = "VERSION VERSION",
    .doc = "two versions side by side: metrics, the paired difference, options that differ",
    .run = run_compare};
const struct command command_models_report = {
    .name = "models report",
    .usage = "[--limit N]",
    .doc = "how many models there are, fresh and stale, and what they take",
    .options = &list_table,
    .run = run_report};
const struct command command_models_decisions = {.name = "models decisions",
                                                 .usage = "[flags]",
                                                 .doc = "what promotions were decided on, as JSON",
                                                 .options = &list_table,
                                                 .run = run_decisions};
