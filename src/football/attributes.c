/* Attributes in memory: all values in one array in the order (team, attribute, season, day known), and per team where
 * those of each attribute begin. A look-up halves over the teams, then over the seasons of one attribute; from the end
 * of the season it walks back to the first value that was known in time, which is nearly always the first it sees.
 *
 * The audit's cut: a value is taken to be known at the end of the day it became known, as a match of that day may not use
 * it. What comes later is dropped or replaced before anything is looked up. */
#include "football/attributes.h"

#include "base/random.h"
#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct value {
    int64_t team;
    int32_t known_day;
    int16_t season, attribute;
    float value;
};

/* values[begin[a] .. begin[a + 1]) are those of attribute a. */
struct team_values {
    int64_t team;
    uint32_t begin[ATTRIBUTE_COUNT + 1];
};

struct attributes {
    struct value *values;
    struct team_values *teams; /* ascending */
    size_t count, team_count;
};

static const struct attribute_info infos[ATTRIBUTE_COUNT] = {
#define ATTRIBUTE(symbol, name, unit, low, high, doc) {name, unit, low, high, doc},
#include "football/attribute_list.h"
#undef ATTRIBUTE
};

const struct attribute_info *attribute_at(enum attribute attribute)
{
    assert((unsigned)attribute < ATTRIBUTE_COUNT);
    return &infos[attribute];
}

int attribute_find(struct text name)
{
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        if (text_equal_nocase(name, infos[i].name))
            return i;
    }
    return -1;
}

/* ---- making ---- */

struct attribute_columns {
    const int64_t *team, *season, *known_day;
    const int32_t *name;
    const double *value;
    int32_t name_count;
    int *attribute_of_name; /* by dictionary code; -1 unknown */
};

static enum err_code find(const struct frame *frame, const char *name, enum frame_type type, size_t *out,
                          struct err *err)
{
    int column = frame_find(frame, name);
    if (column < 0 || frame_column_type(frame, (size_t)column) != type)
        return err_set(err, ERR_INVALID, "the frame of attributes has no column '%s' of the right type",
                       name);
    *out = (size_t)column;
    return ERR_OK;
}

static enum err_code find_columns(const struct frame *frame, struct attribute_columns *out, struct err *err)
{
    static const char *const long_names[] = {"team", "season", "known_day"};
    const int64_t **longs[] = {&out->team, &out->season, &out->known_day};
    size_t column = 0;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < 3; i++) {
        code = find(frame, long_names[i], FRAME_I64, &column, err);
        if (code == ERR_OK)
            *longs[i] = frame_i64(frame, column);
    }
    if (code == ERR_OK)
        code = find(frame, "value", FRAME_F64, &column, err);
    if (code != ERR_OK)
        return code;
    out->value = frame_f64(frame, column);
    code = find(frame, "name", FRAME_TEXT, &column, err);
    if (code != ERR_OK)
        return code;
    out->name = frame_i32(frame, column);
    out->name_count = frame_dictionary_count(frame, column);
    out->attribute_of_name = malloc(((size_t)out->name_count + 1) * sizeof(*out->attribute_of_name));
    if (!out->attribute_of_name)
        return err_nomem(err, (size_t)out->name_count * sizeof(*out->attribute_of_name));
    for (int32_t i = 0; i < out->name_count; i++)
        out->attribute_of_name[i] = attribute_find(text_of(frame_dictionary_text(frame, column, i)));
    return ERR_OK;
}

static bool is_known_at_cut(const struct history_options *options, int64_t known_day)
{
    struct civil civil = {0};
    if (options->future == HISTORY_WHOLE)
        return true;
    time_civil_from_day(known_day + 1, &civil.year, &civil.month, &civil.day);
    return time_from_civil(civil, ZONE_LONDON) <= options->cut_us;
}

/* Another value of the range: a half of it further, around the end, and some of it at random. */
static float other_value(float value, const struct value *at, uint64_t seed)
{
    const struct attribute_info *info = &infos[at->attribute];
    double span = info->high - info->low;
    struct random random;
    random_init(&random, seed ^ (uint64_t)at->team * UINT64_C(0x9e3779b97f4a7c15) ^
                             (uint64_t)at->known_day << 20 ^ (uint64_t)at->attribute);
    double moved = (double)value - info->low + span * (0.25 + 0.5 * random_uniform(&random));
    return (float)(info->low + (moved < span ? moved : moved - span));
}

static int compare_values(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    if (x->team != y->team)
        return x->team < y->team ? -1 : 1;
    if (x->attribute != y->attribute)
        return x->attribute < y->attribute ? -1 : 1;
    if (x->season != y->season)
        return x->season < y->season ? -1 : 1;
    return (x->known_day > y->known_day) - (x->known_day < y->known_day);
}

/* Values of other attributes than ours, of an older or a newer program, are passed over. */
static void read_values(struct attributes *attributes, const struct attribute_columns *columns, size_t rows,
                        const struct history_options *options)
{
    for (size_t row = 0; row < rows; row++) {
        int attribute = columns->name[row] < 0 ? -1 : columns->attribute_of_name[columns->name[row]];
        if (attribute < 0 || isnan(columns->value[row]))
            continue;
        bool is_known = is_known_at_cut(options, columns->known_day[row]);
        if (!is_known && options->future == HISTORY_TRUNCATED)
            continue;
        struct value *value = &attributes->values[attributes->count++];
        *value =
            (struct value){columns->team[row], (int32_t)columns->known_day[row],
                           (int16_t)columns->season[row], (int16_t)attribute, (float)columns->value[row]};
        if (!is_known)
            value->value = other_value(value->value, value, options->seed);
    }
    if (attributes->count > 0)
        qsort(attributes->values, attributes->count, sizeof(*attributes->values), compare_values);
}

static void index_teams(struct attributes *attributes)
{
    for (size_t begin = 0, end; begin < attributes->count; begin = end) {
        struct team_values *team = &attributes->teams[attributes->team_count++];
        team->team = attributes->values[begin].team;
        end = begin;
        for (int a = 0; a < ATTRIBUTE_COUNT; a++) {
            team->begin[a] = (uint32_t)end;
            while (end < attributes->count && attributes->values[end].team == team->team &&
                   attributes->values[end].attribute == a)
                end++;
        }
        team->begin[ATTRIBUTE_COUNT] = (uint32_t)end;
    }
}

enum err_code attributes_create(const struct frame *frame, const struct history_options *options,
                                struct attributes **out, struct err *err)
{
    struct attribute_columns columns = {0};
    struct attributes *attributes = NULL;
    size_t rows = frame_rows(frame);
    enum err_code code = find_columns(frame, &columns, err);
    if (code != ERR_OK)
        goto out;
    attributes = calloc(1, sizeof(*attributes));
    if (attributes) {
        attributes->values = malloc((rows + 1) * sizeof(*attributes->values));
        attributes->teams = malloc((rows + 1) * sizeof(*attributes->teams));
    }
    if (!attributes || !attributes->values || !attributes->teams) {
        code = err_nomem(err, rows * (sizeof(*attributes->values) + sizeof(*attributes->teams)));
        goto out;
    }
    read_values(attributes, &columns, rows, options);
    index_teams(attributes);
out:
    free(columns.attribute_of_name);
    if (code != ERR_OK) {
        attributes_destroy(attributes);
        return code;
    }
    *out = attributes;
    return ERR_OK;
}

void attributes_destroy(struct attributes *attributes)
{
    if (!attributes)
        return;
    free(attributes->values);
    free(attributes->teams);
    free(attributes);
}

/* ---- looking up ---- */

void attributes_clear(float out[ATTRIBUTE_COUNT])
{
    for (size_t a = 0; a < ATTRIBUTE_COUNT; a++)
        out[a] = NAN;
}

static const struct team_values *find_team(const struct attributes *attributes, int64_t team)
{
    size_t low = 0, high = attributes->team_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (attributes->teams[middle].team < team)
            low = middle + 1;
        else
            high = middle;
    }
    return low < attributes->team_count && attributes->teams[low].team == team ? &attributes->teams[low]
                                                                               : NULL;
}

static float find_value(const struct value *values, size_t begin, size_t end, int season, int64_t day)
{
    size_t low = begin, high = end; /* low becomes the end of the seasons up to this one */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle].season <= season)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > begin && values[low - 1].known_day >= day)
        low--;
    return low > begin ? values[low - 1].value : NAN;
}

void attributes_fill(const struct attributes *attributes, int64_t team, int season, int64_t day,
                     float out[ATTRIBUTE_COUNT])
{
    const struct team_values *own = attributes->team_count > 0 ? find_team(attributes, team) : NULL;
    attributes_clear(out);
    for (size_t a = 0; own && a < ATTRIBUTE_COUNT; a++)
        out[a] = find_value(attributes->values, own->begin[a], own->begin[a + 1], season, day);
}
