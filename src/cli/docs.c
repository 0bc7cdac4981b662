/* almanac docs: writes docs/generated from the tables of the program: options, routes (as a table and as OpenAPI), errors,
 * features, import issues.
 * The build fails when what is kept differs from what this writes. */
#include "api/api.h"
#include "api/openapi.h"
#include "cli/command.h"
#include "football/attributes.h"
#include "football/feature_sets.h"
#include "learn/engine.h"
#include "os/file.h"
#include "source/issue.h"

#include <string.h>

struct docs_options {
    char out[FILE_PATH_BYTES];
};
static const struct option_row rows[] = {
    {"out", OPTION_TEXT, OPTION_MEMBER(struct docs_options, out), "", 0, 0, "docs/generated",
     "folder to write to"},
};
static const struct option_table docs_table = {"docs", rows, sizeof(rows) / sizeof(*rows)};

static void write_options(struct buffer *out)
{
    buffer_append_text(
        out, "# Options\n\nWritten by `almanac docs`. Precedence, lowest first: default, configuration file, "
             "environment, flag or JSON.\n\n## For every command\n\n");
    option_write_markdown(&settings_table, out);
    for (size_t i = 0; command_at(i) != NULL; i++) {
        const struct command *command = command_at(i);
        buffer_printf(out, "\n## almanac %s %s\n\n%s\n", command->name, command->usage, command->doc);
        if (command_options(command) == NULL)
            continue;
        buffer_append_char(out, '\n');
        option_write_markdown(command_options(command), out);
    }
    for (size_t i = 0; engine_at(i) != NULL; i++) {
        buffer_printf(out, "\n## Parameters of the engine %s\n\n%s\n", engine_at(i)->name, engine_at(i)->doc);
        if (engine_at(i)->options == NULL)
            continue;
        buffer_append_char(out, '\n');
        option_write_markdown(engine_at(i)->options, out);
    }
}

static void write_api(struct buffer *out)
{
    buffer_append_text(out, "# HTTP API\n\nWritten by `almanac docs`. Errors have one shape: `{\"error\": "
                            "{\"code\", \"message\", "
                            "\"field\"}}`.\n\n| method | path | what |\n| --- | --- | --- |\n");
    for (size_t i = 0; api_routes[i].method != NULL; i++)
        buffer_printf(out, "| %s | `%s` | %s |\n", api_routes[i].method, api_routes[i].pattern,
                      api_routes[i].doc);
}

static void write_openapi(struct buffer *out)
{
    struct err err;
    enum err_code code = openapi_write(api_routes, &asset_table_schema, true, out, NULL, &err);
    if (code != ERR_OK && out->failed == ERR_OK)
        out->failed = code;
}

static void write_errors(struct buffer *out)
{
    buffer_append_text(out, "# Errors\n\nWritten by `almanac docs`.\n\n| code | HTTP status | exit status | "
                            "worth retrying | meaning |\n"
                            "| --- | --- | --- | --- | --- |\n");
    for (int i = 1; i < ERR_ORDINAL_COUNT; i++) {
        enum err_code code = (enum err_code) - i;
        buffer_printf(out, "| `%s` | %d | %d | %s | %s |\n", err_name(code), err_http_status(code),
                      err_exit_code(code), err_is_retryable(code) ? "yes" : "no", err_sentence(code));
    }
}

static void write_sets(struct buffer *out)
{
    buffer_append_text(out, "## Sets\n\n| set | features | families | for |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; football_feature_set_at(i) != NULL; i++) {
        const struct feature_set *set = football_feature_set_at(i);
        buffer_printf(out, "| `%s` | %zu |", set->name, feature_set_columns(set));
        for (size_t t = 0; set->trackers[t] != NULL; t++)
            buffer_printf(out, " %s", set->trackers[t]->family);
        buffer_printf(out, " | %s |\n", set->doc);
    }
}

static void write_families(const struct feature_set *set, struct buffer *out)
{
    buffer_append_text(out, "\n## Families\n\n| family | version | features | computed from | what |\n"
                            "| --- | --- | --- | --- | --- |\n");
    for (size_t t = 0; set->trackers[t] != NULL; t++) {
        const struct tracker *family = set->trackers[t];
        buffer_printf(out, "| %s | %d | %zu | %s | %s |\n", family->family, family->version,
                      family->feature_count, family->source, family->doc);
    }
}

static void write_features(struct buffer *out)
{
    const struct feature_set *set = football_feature_set_widest();
    buffer_printf(out,
                  "# Features of a football match\n\nWritten by `almanac docs`. %zu features in the set "
                  "`%s`, which is the "
                  "matrix; a model uses one of the sets. Every value lies in its range or is missing.\n\n",
                  feature_set_columns(set), set->name);
    write_sets(out);
    write_families(set, out);
    buffer_append_text(out,
                       "\n## Features\n\n| name | family | unit | from | to | available at | computed from | "
                       "meaning |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < feature_set_columns(set); i++) {
        const struct feature *feature = feature_set_at(set, i);
        const struct tracker *family = football_feature_family(feature);
        buffer_printf(out, "| `%s` | %s | %s | %g | %g | %s | %s | %s |\n", feature->name, family->family,
                      feature->unit, feature->low, feature->high, feature_time_name(feature->available),
                      family->source, feature->doc);
    }
}

static void write_attributes(struct buffer *out)
{
    buffer_append_text(
        out, "# Attributes of teams\n\nWritten by `almanac docs`. Columns of a file for `almanac import "
             "attributes FILE.csv`, beside country (or league), team, season and known_from: the day "
             "from which on the row may be used.\n\n| column | unit | from | to | meaning |\n| --- | "
             "--- | --- | --- | --- |\n");
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_info *info = attribute_at((enum attribute)i);
        buffer_printf(out, "| `%s` | %s | %g | %g | %s |\n", info->name, info->unit, info->low, info->high,
                      info->doc);
    }
}

static void write_issues(struct buffer *out)
{
    buffer_append_text(out, "# Import issues\n\nWritten by `almanac docs`.\n\n| reason | the row is | "
                            "meaning |\n| --- | --- | --- |\n");
    for (int i = 0; i < ISSUE_COUNT; i++)
        buffer_printf(out, "| `%s` | %s | %s |\n", issue_name((enum issue_reason)i),
                      issue_rejects((enum issue_reason)i) ? "left out" : "kept",
                      issue_doc((enum issue_reason)i));
}

static enum err_code write_file(const char *folder, const char *name, void (*write)(struct buffer *out),
                                struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct buffer text;
    buffer_init(&text, 1 << 22);
    write(&text);
    enum err_code code = buffer_check(&text, name, err);
    if (code == ERR_OK)
        code = file_join(folder, name, path, err);
    if (code == ERR_OK)
        code = file_write_atomic(path, text.data, text.size_bytes, err);
    buffer_release(&text);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    static const struct {
        const char *name;
        void (*write)(struct buffer *out);
    } files[] = {{"options.md", write_options},   {"api.md", write_api},
                 {"openapi.json", write_openapi}, {"errors.md", write_errors},
                 {"features.md", write_features}, {"attributes.md", write_attributes},
                 {"issues.md", write_issues}};
    struct settings settings;
    struct docs_options options;
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = file_make_folders(options.out, err);
    for (size_t i = 0; code == ERR_OK && i < sizeof(files) / sizeof(*files); i++)
        code = write_file(options.out, files[i].name, files[i].write, err);
    return code;
}

const struct command command_docs = {
    .name = "docs",
    .usage = "[--out DIR]",
    .doc = "write the generated documentation",
    .options = &docs_table,
    .run = run,
};
