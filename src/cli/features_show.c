/* almanac features list | show | sets: the rows of the features, from the tables of the program. Nothing is opened. */
#include "base/text_distance.h"
#include "cli/command.h"
#include "football/feature_sets.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON };
enum { NEAREST_COUNT = 3 };

struct list_options {
    char family[32];
    int set;
    int format;
};
#define MEMBER(name) OPTION_MEMBER(struct list_options, name)
static const struct option_row list_rows[] = {
    {"family", OPTION_TEXT, MEMBER(family), "", 0, 0, "", "features of this family only"},
    {"set", OPTION_ENUM, MEMBER(set), FEATURE_SET_CHOICES, 0, 0, "all", "features of this set only"},
    {"format", OPTION_ENUM, MEMBER(format), "table|csv|json", 0, 0, "table", "how they are written"},
};
static const struct option_table list_table = {"features list", list_rows,
                                               sizeof(list_rows) / sizeof(*list_rows)};

/* ---- one row in three dresses ---- */

static void write_table_row(const struct feature *feature, const struct tracker *family, struct buffer *out)
{
    buffer_printf(out, "%-44s %-12s %-12s %8g %8g  %-18s %-36s %s\n", feature->name, family->family,
                  feature->unit[0] != '\0' ? feature->unit : "-", feature->low, feature->high,
                  feature_time_name(feature->available), family->source, feature->doc);
}

static void write_csv_text(const char *text, struct buffer *out)
{
    buffer_append_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, *text);
    }
    buffer_append_char(out, '"');
}

static void write_csv_row(const struct feature *feature, const struct tracker *family, struct buffer *out)
{
    buffer_printf(out, "%s,%s,%s,%.17g,%.17g,", feature->name, family->family, feature->unit, feature->low,
                  feature->high);
    write_csv_text(feature_time_name(feature->available), out);
    buffer_append_char(out, ',');
    write_csv_text(family->source, out);
    buffer_append_char(out, ',');
    write_csv_text(feature->doc, out);
    buffer_append_char(out, '\n');
}

static void write_json_row(const struct feature *feature, const struct tracker *family,
                           struct json_writer *out)
{
    json_begin_object(out);
    json_field_text(out, "name", feature->name);
    json_field_text(out, "family", family->family);
    json_field_i64(out, "family_version", family->version);
    json_field_text(out, "unit", feature->unit);
    json_field_f64(out, "low", feature->low);
    json_field_f64(out, "high", feature->high);
    json_field_text(out, "available_at", feature_time_name(feature->available));
    json_field_text(out, "source", family->source);
    json_field_text(out, "meaning", feature->doc);
    json_end_object(out);
}

/* ---- list ---- */

static enum err_code check_family(const char *family, struct err *err)
{
    const struct feature_set *all = football_feature_set_widest();
    char known[512] = "";
    size_t used = 0;
    for (size_t t = 0; all->trackers[t] != NULL; t++) {
        const char *name = all->trackers[t]->family;
        if (family[0] == '\0' || strcmp(name, family) == 0)
            return ERR_OK;
        size_t size_bytes = strlen(name);
        if (used + size_bytes + 3 > sizeof(known))
            continue;
        memcpy(known + used, t > 0 ? ", " : "  ", 2);
        memcpy(known + used + 2, name, size_bytes + 1);
        used += size_bytes + 2;
    }
    return err_set_field(err, ERR_NOT_FOUND, "family", "no feature family is called '%s'; there are%s",
                         family, known + 1);
}

static void write_list(const struct list_options *options, int format, struct buffer *out)
{
    const struct feature_set *set = football_feature_set_at((size_t)options->set);
    struct json_writer json;
    json_writer_init(&json, out);
    if (format == FORMAT_JSON)
        json_begin_array(&json);
    if (format == FORMAT_CSV)
        buffer_append_text(out, "name,family,unit,low,high,available_at,source,meaning\n");
    for (size_t i = 0; i < feature_set_columns(set); i++) {
        const struct feature *feature = feature_set_at(set, i);
        const struct tracker *family = football_feature_family(feature);
        if (options->family[0] != '\0' && strcmp(options->family, family->family) != 0)
            continue;
        if (format == FORMAT_JSON)
            write_json_row(feature, family, &json);
        else if (format == FORMAT_CSV)
            write_csv_row(feature, family, out);
        else
            write_table_row(feature, family, out);
    }
    if (format == FORMAT_JSON) {
        json_end_array(&json);
        buffer_append_char(out, '\n');
    }
}

static enum err_code print(struct buffer *text, struct err *err)
{
    enum err_code code = buffer_check(text, "features", err);
    if (code == ERR_OK)
        command_print(text);
    buffer_release(text);
    return code;
}

static enum err_code run_list(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct list_options options;
    struct buffer text;
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = check_family(options.family, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    write_list(&options, settings.json ? FORMAT_JSON : options.format, &text);
    return print(&text, err);
}

const struct command command_features_list = {
    .name = "features list",
    .usage = "[--family F] [--set S] [--format table|csv|json]",
    .doc = "every feature: name, family, unit, range, when it is known, what it is computed from, meaning",
    .options = &list_table,
    .run = run_list,
};

/* ---- show ---- */

static const struct feature *find_feature(const char *name)
{
    const struct feature_set *all = football_feature_set_widest();
    for (size_t i = 0; i < feature_set_columns(all); i++) {
        if (strcmp(feature_set_at(all, i)->name, name) == 0)
            return feature_set_at(all, i);
    }
    return NULL;
}

/* A name that holds the other is near, however much longer it is. */
static size_t name_distance(const char *wanted, const char *known)
{
    return strstr(known, wanted) != NULL ? 1 : text_distance(wanted, known);
}

static enum err_code refuse_unknown(const char *name, struct err *err)
{
    const struct feature_set *all = football_feature_set_widest();
    const char *nearest[NEAREST_COUNT] = {0};
    size_t distance[NEAREST_COUNT] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < feature_set_columns(all); i++) {
        const char *known = feature_set_at(all, i)->name;
        size_t far = name_distance(name, known), place = NEAREST_COUNT;
        while (place > 0 && far < distance[place - 1])
            place--;
        if (place == NEAREST_COUNT)
            continue;
        memmove(nearest + place + 1, nearest + place, (NEAREST_COUNT - 1 - place) * sizeof(*nearest));
        memmove(distance + place + 1, distance + place, (NEAREST_COUNT - 1 - place) * sizeof(*distance));
        nearest[place] = known;
        distance[place] = far;
    }
    return err_set_field(err, ERR_NOT_FOUND, "feature",
                         "no feature is called '%.100s'; the nearest are '%s', '%s', '%s'", name, nearest[0],
                         nearest[1], nearest[2]);
}

static bool has_feature(const struct feature_set *set, const struct feature *feature)
{
    for (size_t i = 0; i < feature_set_columns(set); i++) {
        if (feature_set_at(set, i) == feature)
            return true;
    }
    return false;
}

static void write_feature(const struct feature *feature, struct buffer *out)
{
    const struct tracker *family = football_feature_family(feature);
    buffer_printf(out, "%s\n  %s\n", feature->name, feature->doc);
    buffer_printf(out, "  family        %s, version %d: %s\n", family->family, family->version, family->doc);
    buffer_printf(out, "  unit          %s\n", feature->unit[0] != '\0' ? feature->unit : "-");
    buffer_printf(out, "  range         %g to %g, or missing\n", feature->low, feature->high);
    buffer_printf(out, "  available at  %s\n", feature_time_name(feature->available));
    buffer_printf(out, "  source        %s\n  sets         ", family->source);
    for (size_t i = 0; football_feature_set_at(i) != NULL; i++) {
        if (has_feature(football_feature_set_at(i), feature))
            buffer_printf(out, " %s", football_feature_set_at(i)->name);
    }
    buffer_append_char(out, '\n');
}

static enum err_code run_show(const struct command *command, int argc, char **argv, struct err *err)
{
    const char *name = NULL;
    struct settings settings;
    struct buffer text;
    struct json_writer json;
    size_t count = 0;
    enum err_code code = command_parse(command, argc, argv, &settings, NULL, &name, 1, &count, err);
    if (code == ERR_OK && count == 0)
        code = err_set(err, ERR_INVALID, "name a feature: almanac %s %s", command->name, command->usage);
    if (code != ERR_OK)
        return code;
    const struct feature *feature = find_feature(name);
    if (feature == NULL)
        return refuse_unknown(name, err);
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_writer_init(&json, &text);
    if (settings.json) {
        write_json_row(feature, football_feature_family(feature), &json);
        buffer_append_char(&text, '\n');
    } else {
        write_feature(feature, &text);
    }
    return print(&text, err);
}

const struct command command_features_show = {
    .name = "features show",
    .usage = "NAME",
    .doc = "one feature: what it means, its unit and range, when it is known, what it is computed from, its "
           "sets",
    .run = run_show,
};

/* ---- sets ---- */

static void write_set(const struct feature_set *set, struct buffer *out)
{
    buffer_printf(out, "%-14s %4zu features  %s\n               ", set->name, feature_set_columns(set),
                  set->doc);
    for (size_t t = 0; set->trackers[t] != NULL; t++)
        buffer_printf(out, " %s", set->trackers[t]->family);
    buffer_append_char(out, '\n');
}

static void write_set_json(const struct feature_set *set, struct json_writer *out)
{
    json_begin_object(out);
    json_field_text(out, "name", set->name);
    json_field_text(out, "doc", set->doc);
    json_field_i64(out, "features", (int64_t)feature_set_columns(set));
    json_field_bool(out, "has_prices", football_feature_set_has_prices(set));
    json_key(out, "families");
    json_begin_array(out);
    for (size_t t = 0; set->trackers[t] != NULL; t++)
        json_put_text(out, set->trackers[t]->family);
    json_end_array(out);
    json_end_object(out);
}

static enum err_code run_sets(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct buffer text;
    struct json_writer json;
    enum err_code code = command_parse(command, argc, argv, &settings, NULL, NULL, 0, NULL, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    json_writer_init(&json, &text);
    if (settings.json)
        json_begin_array(&json);
    for (size_t i = 0; football_feature_set_at(i) != NULL; i++) {
        if (settings.json)
            write_set_json(football_feature_set_at(i), &json);
        else
            write_set(football_feature_set_at(i), &text);
    }
    if (settings.json) {
        json_end_array(&json);
        buffer_append_char(&text, '\n');
    }
    return print(&text, err);
}

const struct command command_features_sets = {
    .name = "features sets",
    .usage = "",
    .doc = "the feature sets that models can use, with their families",
    .run = run_sets,
};
