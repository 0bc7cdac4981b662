/* almanac features views | materialize | get | range | delete: the offline feature store. */
#include "base/time.h"
#include "cli/task_command.h"
#include "task/materialize.h"
#include "task/view_query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRINT_ROWS = 4096, PRINT_BYTES = 64 << 20 };
#define DUCK_MEMORY_BYTES ((size_t)2 << 30)

/* What most of these commands begin with. */
struct stored {
    struct settings settings;
    struct session session;
    char folder[FILE_PATH_BYTES];
    struct duck *duck;
    struct view_features features;
};

static enum err_code open_stored(struct stored *stored, const struct command *command, int argc, char **argv,
                                 void *options, const char **positional, bool needs_duck, struct err *err)
{
    size_t count = 0;
    *positional = "";
    enum err_code code =
        command_parse(command, argc, argv, &stored->settings, options, positional, 1, &count, err);
    if (code == ERR_OK)
        code = session_open(&stored->session, &stored->settings, DB_READ_ONLY, err);
    if (code == ERR_OK)
        code = materialize_folder(&stored->session.store, stored->folder, err);
    struct duck_options duck = {.threads = thread_processor_count(), .memory_bytes = DUCK_MEMORY_BYTES};
    return code == ERR_OK && needs_duck ? duck_open(&duck, &stored->duck, err) : code;
}

static void close_stored(struct stored *stored)
{
    duck_close(stored->duck);
    session_close(&stored->session);
    free(stored);
}

static enum err_code create_stored(struct stored **out, struct err *err)
{
    *out = calloc(1, sizeof(**out));
    return *out != NULL ? ERR_OK : err_nomem(err, sizeof(**out));
}

static void print_json(const json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2));
    command_printf("%s\n", text != NULL ? text : "null");
    free(text);
}

/* ---- views ---- */

static const char *text_of_member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static void print_views(const json_t *list)
{
    const json_t *meta;
    size_t index;
    json_array_foreach(list, index, meta)
    {
        command_printf("%-10s @%s  %-5s %4zu features %9lld rows  %.10s to %.10s %7.1f MB  %s\n",
                       text_of_member(meta, "name"), text_of_member(meta, "version"),
                       text_of_member(meta, "entity"), json_array_size(json_object_get(meta, "features")),
                       (long long)json_integer_value(json_object_get(meta, "rows")),
                       text_of_member(meta, "first_event"), text_of_member(meta, "last_event"),
                       (double)json_integer_value(json_object_get(meta, "bytes")) / 1e6,
                       text_of_member(meta, "description"));
    }
    if (index == 0)
        command_printf("no feature view is stored; write them first: almanac features materialize\n");
}

static void print_number(const json_t *statistics, const char *key)
{
    const json_t *value = json_object_get(statistics, key);
    if (json_is_number(value))
        command_printf(" %10.4g", json_number_value(value));
    else
        command_printf(" %10s", "-");
}

static void print_view(const json_t *meta)
{
    static const char *const columns[] = {"missing_share", "mean", "deviation", "min",
                                          "q05",           "q50",  "q95",       "max"};
    const json_t *feature;
    size_t index;
    command_printf(
        "%s@%s: %s\nentity %s, owner %s, %lld rows from %s to %s, source %.8s, written %s\n\n%-40s",
        text_of_member(meta, "name"), text_of_member(meta, "version"), text_of_member(meta, "description"),
        text_of_member(meta, "entity"), text_of_member(meta, "owner"),
        (long long)json_integer_value(json_object_get(meta, "rows")), text_of_member(meta, "first_event"),
        text_of_member(meta, "last_event"), text_of_member(meta, "source_hash"),
        text_of_member(meta, "created"), "feature");
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        command_printf(" %10s", i == 0 ? "missing" : columns[i]);
    command_printf("\n");
    json_array_foreach(json_object_get(meta, "features"), index, feature)
    {
        const char *name = text_of_member(feature, "name");
        const json_t *statistics = json_object_get(json_object_get(meta, "statistics"), name);
        command_printf("%-40s", name);
        for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
            print_number(statistics, columns[i]);
        command_printf("\n");
    }
}

static enum err_code run_views(const struct command *command, int argc, char **argv, struct err *err)
{
    const char *view;
    struct stored *stored;
    json_t *json = NULL;
    enum err_code code = create_stored(&stored, err);
    if (code != ERR_OK)
        return code;
    code = open_stored(stored, command, argc, argv, NULL, &view, false, err);
    if (code == ERR_OK && view[0] != '\0')
        code = offline_store_describe(stored->folder, view, &json, err);
    else if (code == ERR_OK)
        code = offline_store_list(stored->folder, &json, err);
    if (code == ERR_OK && stored->settings.json)
        print_json(json);
    else if (code == ERR_OK && view[0] != '\0')
        print_view(json);
    else if (code == ERR_OK)
        print_views(json);
    json_decref(json);
    close_stored(stored);
    return code;
}

const struct command command_features_views = {
    .name = "features views",
    .usage = "[VIEW] [--json]",
    .doc = "feature views in the offline store, or one view with its features and statistics",
    .run = run_views,
};

/* ---- materialize ---- */

static void print_materialized(const json_t *result, struct buffer *out)
{
    const json_t *view;
    size_t index;
    json_array_foreach(json_object_get(result, "views"), index, view)
    {
        const char *written = text_of_member(view, "written");
        buffer_printf(out, "%-20s ", text_of_member(view, "view"));
        if (strcmp(written, "nothing") == 0)
            buffer_append_text(out, "already there\n");
        else
            buffer_printf(out, "%9lld rows written%s%s\n",
                          (long long)json_integer_value(json_object_get(view, "rows")),
                          strcmp(written, "years") == 0 ? " from " : "", text_of_member(view, "from"));
    }
    buffer_printf(out, "in %.1f s below %s\n", json_number_value(json_object_get(result, "seconds")),
                  text_of_member(result, "folder"));
}

static enum err_code run_materialize(const struct command *command, int argc, char **argv, struct err *err)
{
    return task_command_run(command, &task_materialize, print_materialized, argc, argv, err);
}

const struct command command_features_materialize = {
    .name = "features materialize",
    .usage = "[--view VIEW] [--full]",
    .doc = "write the feature views to the offline store (Parquet), those years that changed",
    .task = &task_materialize,
    .run = run_materialize,
};

/* ---- get ---- */

struct get_options {
    char view[OFFLINE_NAME_BYTES], entities[FILE_PATH_BYTES], output[FILE_PATH_BYTES];
    char features[VIEW_FEATURES_BYTES];
    double max_age_days;
    bool allow_unknown;
};
#define MEMBER(name) OPTION_MEMBER(struct get_options, name)
static const struct option_row get_rows[] = {
    {"view", OPTION_TEXT, MEMBER(view), "", 0, 0, "form", "view, or view@version"},
    {"entities", OPTION_TEXT, MEMBER(entities), "", 0, 0, "",
     "CSV or Parquet file with event_timestamp and match, team, or home and away (ids, or Country/Name)"},
    {"output", OPTION_TEXT, MEMBER(output), "", 0, 0, "-",
     "file ending in .csv or .parquet; -: CSV to stdout"},
    {"features", OPTION_TEXT, MEMBER(features), "", 0, 0, "", "only these, separated by commas; empty: all"},
    {"max_age_days", OPTION_REAL, MEMBER(max_age_days), "days", 0, 100000, "0",
     "leave out features older than this; 0: any age"},
    {"allow_unknown", OPTION_BOOL, MEMBER(allow_unknown), "", 0, 0, "false",
     "names that the store does not know have no features instead of being an error"},
};
static const struct option_table get_table = {"features get", get_rows, sizeof(get_rows) / sizeof(*get_rows)};

static enum err_code get(struct stored *stored, const struct get_options *options, struct err *err)
{
    struct offline_joined joined;
    enum err_code code = view_features_read(&stored->features, options->features, err);
    if (code != ERR_OK)
        return code;
    struct offline_join join = {.view = options->view,
                                .entities = options->entities,
                                .output = options->output,
                                .features = stored->features.chosen,
                                .max_age_us = (int64_t)llround(options->max_age_days * (double)TIME_DAY_US),
                                .resolver = view_resolver(stored->session.store.db),
                                .allow_unknown = options->allow_unknown};
    code = offline_store_join(stored->folder, stored->duck, &join, &joined, err);
    if (code == ERR_OK && strcmp(options->output, "-") != 0)
        command_printf("%lld rows, %lld with features: %s\n", (long long)joined.rows, (long long)joined.found,
                       options->output);
    return code;
}

static enum err_code run_get(const struct command *command, int argc, char **argv, struct err *err)
{
    const char *positional;
    struct stored *stored;
    enum err_code code = create_stored(&stored, err);
    struct get_options *options = calloc(1, sizeof(*options));
    if (code != ERR_OK || options == NULL) {
        free(options);
        free(stored);
        return err_nomem(err, sizeof(*options));
    }
    code = open_stored(stored, command, argc, argv, options, &positional, true, err);
    if (code == ERR_OK && options->entities[0] == '\0')
        code = err_set_field(err, ERR_INVALID, "entities", "name a file of entities: --entities FILE");
    if (code == ERR_OK)
        code = get(stored, options, err);
    free(options);
    close_stored(stored);
    return code;
}

const struct command command_features_get = {
    .name = "features get",
    .usage = "--view VIEW --entities FILE [--features a,b] [--max-age-days N] [--output FILE]",
    .doc = "features as of the moments in a file: for each row what was known at its event_timestamp",
    .options = &get_table,
    .run = run_get,
};

/* ---- range ---- */

struct range_options {
    char view[OFFLINE_NAME_BYTES], match[32], team[160], opponent[160], features[VIEW_FEATURES_BYTES];
    int64_t from_us, to_us, limit;
    int format;
};
#undef MEMBER
#define MEMBER(name) OPTION_MEMBER(struct range_options, name)
static const struct option_row range_rows[] = {
    {"view", OPTION_TEXT, MEMBER(view), "", 0, 0, "form", "view, or view@version"},
    {"match", OPTION_TEXT, MEMBER(match), "", 0, 0, "", "id of a match (views of matches)"},
    {"team", OPTION_TEXT, MEMBER(team), "", 0, 0, "", "a team: id, or Country/Name; empty: all"},
    {"opponent", OPTION_TEXT, MEMBER(opponent), "", 0, 0, "", "the away team (views of two teams)"},
    {"from", OPTION_DATE, MEMBER(from_us), "", 0, 0, "", "first moment"},
    {"to", OPTION_DATE, MEMBER(to_us), "", 0, 0, "", "first moment left out"},
    {"limit", OPTION_INT, MEMBER(limit), "rows", 1, 100000000, "1000", "the newest so many"},
    {"features", OPTION_TEXT, MEMBER(features), "", 0, 0, "", "only these, separated by commas; empty: all"},
    {"format", OPTION_ENUM, MEMBER(format), "csv|json", 0, 0, "csv", "of the answer"},
};
static const struct option_table range_table = {"features range", range_rows,
                                                sizeof(range_rows) / sizeof(*range_rows)};

static enum err_code print_result(struct duck_result *result, bool as_json, int64_t limit, struct err *err)
{
    struct buffer text;
    bool has_more = false;
    buffer_init(&text, PRINT_BYTES);
    enum err_code code = as_json ? duck_result_write_json(result, &text, (size_t)limit, &has_more, err)
                                 : duck_result_write_csv(result, &text, (size_t)limit, &has_more, err);
    if (code == ERR_OK)
        code = buffer_check(&text, "the answer", err);
    if (code == ERR_OK)
        command_print(&text);
    if (code == ERR_OK && as_json)
        command_printf("\n");
    buffer_release(&text);
    return code;
}

static enum err_code range(struct stored *stored, const struct range_options *options, struct err *err)
{
    struct view_entity_text given = {options->match, options->team, options->opponent};
    struct duck_result *result = NULL;
    int64_t keys[VIEW_KEYS];
    bool has_keys;
    enum view_entity entity;
    json_t *meta = NULL;
    enum err_code code = offline_store_describe(stored->folder, options->view, &meta, err);
    if (code == ERR_OK)
        code = offline_entity(meta, &entity, err);
    if (code == ERR_OK)
        code = view_entity_keys(stored->session.store.db, entity, &given, keys, &has_keys, err);
    json_decref(meta);
    if (code == ERR_OK)
        code = view_features_read(&stored->features, options->features, err);
    if (code != ERR_OK)
        return code;
    struct offline_range asked = {.view = options->view,
                                  .keys = has_keys ? keys : NULL,
                                  .features = stored->features.chosen,
                                  .from_us = options->from_us == TIME_NONE ? INT64_MIN : options->from_us,
                                  .to_us = options->to_us == TIME_NONE ? INT64_MAX : options->to_us,
                                  .limit = options->limit};
    code = offline_store_range(stored->folder, stored->duck, &asked, &result, err);
    if (code == ERR_OK)
        code = print_result(result, options->format == 1 || stored->settings.json, options->limit, err);
    duck_result_destroy(result);
    return code;
}

static enum err_code run_range(const struct command *command, int argc, char **argv, struct err *err)
{
    const char *positional;
    struct stored *stored;
    enum err_code code = create_stored(&stored, err);
    struct range_options *options = calloc(1, sizeof(*options));
    if (code != ERR_OK || options == NULL) {
        free(options);
        free(stored);
        return err_nomem(err, sizeof(*options));
    }
    code = open_stored(stored, command, argc, argv, options, &positional, true, err);
    if (code == ERR_OK)
        code = range(stored, options, err);
    free(options);
    close_stored(stored);
    return code;
}

const struct command command_features_range = {
    .name = "features range",
    .usage = "--view VIEW [--team Country/Name] [--from DATE] [--to DATE] [--limit N]",
    .doc = "rows of one entity of a view over time",
    .options = &range_table,
    .run = run_range,
};

/* ---- delete ---- */

static enum err_code run_delete(const struct command *command, int argc, char **argv, struct err *err)
{
    const char *view;
    struct stored *stored;
    enum err_code code = create_stored(&stored, err);
    if (code != ERR_OK)
        return code;
    code = open_stored(stored, command, argc, argv, NULL, &view, false, err);
    if (code == ERR_OK && view[0] == '\0')
        code = err_set(err, ERR_INVALID, "name a view: almanac features delete form@1a2b3c4d");
    if (code == ERR_OK)
        code = offline_store_delete(stored->folder, view, err);
    if (code == ERR_OK)
        command_printf("deleted %s\n", view);
    close_stored(stored);
    return code;
}

const struct command command_features_delete = {
    .name = "features delete",
    .usage = "VIEW[@VERSION]",
    .doc = "delete one version of a view from the offline store",
    .run = run_delete,
};
