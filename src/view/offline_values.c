/* Offline store: features of rows. See offline_values.h.
 *
 * They are taken out of the mapped files where they lie (parquet_pick.h), partitions in parallel. Files that cannot be read
 * so, as those of older programs are compressed, are left to the engine: `find_slots_of` answers with the slot of each row,
 * the engine leaves out the rows that have none and hands the others to `put_values`, in chunks and from all its threads. A
 * writer may put a new version in place after the hits were found: times are compared and rows counted. */
#include "view/offline_values.h"

#include "os/thread.h"
#include "view/parquet_pick.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_ROWS = 32, FUNCTION_NAME_BYTES = 48 };
static const char SLOT_NAME[] = "offline_slot";

struct reading {
    const struct offline_wanted *wanted;
    struct buffer sql;
    atomic_size_t filled; /* by the engine */
    atomic_bool is_changed;
};

/* ---- in the files ---- */

static bool pick_columns(struct reading *reading, const struct offline_part *part,
                         const struct parquet_file *file)
{
    const struct offline_wanted *wanted = reading->wanted;
    int64_t *event_us = malloc(part->hit_count * sizeof(*event_us));
    bool is_read =
        event_us != NULL && parquet_pick_i64(file, "event_timestamp", part->hits, part->hit_count, event_us);
    for (size_t i = 0; is_read && i < part->hit_count; i++) {
        if (event_us[i] != wanted->slot_us[part->first_slot + i])
            atomic_store(&reading->is_changed, true);
    }
    free(event_us);
    for (size_t f = 0; is_read && f < wanted->feature_count; f++)
        is_read = parquet_pick_f32(file, wanted->features[f], part->hits, part->hit_count,
                                   wanted->values + f * wanted->slot_count + part->first_slot);
    return is_read;
}

/* Whatever goes wrong here is the engine's: it reads more, and knows what to say. */
static void pick_part(void *context, size_t index)
{
    struct reading *reading = context;
    struct offline_part *part = &reading->wanted->parts->items[index];
    struct parquet_file *file = NULL;
    char path[FILE_PATH_BYTES];
    if (part->hit_count == 0)
        return;
    int length = snprintf(path, sizeof(path), "%s/%s/rows.parquet", reading->wanted->parts->path, part->name);
    part->is_for_engine =
        length < 0 || (size_t)length >= sizeof(path) || parquet_file_open(path, &file, NULL) != ERR_OK;
    if (part->is_for_engine)
        return;
    if ((size_t)part->hits[part->hit_count - 1] < parquet_file_rows(file))
        part->is_for_engine = !pick_columns(reading, part, file);
    else
        atomic_store(&reading->is_changed, true);
    parquet_file_close(file);
}

static enum err_code pick_values(struct reading *reading, struct err *err)
{
    struct pool *pool;
    enum err_code code = pool_create(reading->wanted->slot_count > FEW_ROWS ? 0 : 1, &pool, err);
    if (code != ERR_OK)
        return code;
    pool_for(pool, reading->wanted->parts->count, pick_part, reading);
    pool_destroy(pool);
    return ERR_OK;
}

/* ---- by the engine ---- */

/* (event_timestamp, file_row_number): the slot of the row; -1: not hit. */
static void find_slots_of(void *context, const struct duck_call *call)
{
    struct reading *reading = context;
    const int64_t *event_us = call->arguments[0], *number = call->arguments[1];
    const struct offline_parts *parts = reading->wanted->parts;
    int32_t *slots = call->out;
    size_t part = 0;
    for (size_t i = 0; i < call->row_count; i++) {
        slots[i] = -1;
        part = offline_parts_of(parts, event_us[i], part);
        if (part == parts->count || number[i] < 0 || (size_t)number[i] >= parts->items[part].slot_rows)
            continue;
        slots[i] = parts->items[part].slots[number[i]];
        if (slots[i] >= 0 && reading->wanted->slot_us[slots[i]] != event_us[i])
            atomic_store(&reading->is_changed, true);
    }
}

/* (slot, features...) of rows that are hit: answers nothing of use. */
static void put_values(void *context, const struct duck_call *call)
{
    struct reading *reading = context;
    const int32_t *slots = call->arguments[0];
    memset(call->out, 0, call->row_count * sizeof(int64_t));
    for (size_t f = 0; f < reading->wanted->feature_count; f++) {
        const float *source = call->arguments[1 + f];
        const uint64_t *is_set = call->is_set[1 + f];
        float *values = reading->wanted->values + f * reading->wanted->slot_count;
        for (size_t i = 0; i < call->row_count; i++) {
            bool is_there = is_set == NULL || (is_set[i / 64] >> (i % 64) & 1) != 0;
            values[slots[i]] = is_there ? source[i] : NAN;
        }
    }
    (void)atomic_fetch_add(&reading->filled, call->row_count);
}

static enum err_code bind_slot(struct reading *reading, struct err *err)
{
    static const enum duck_column_kind kinds[] = {DUCK_COLUMN_TIMESTAMP, DUCK_COLUMN_I64};
    const struct duck_function function = {SLOT_NAME, kinds, 2, DUCK_COLUMN_I32, find_slots_of, reading};
    return duck_bind_function(reading->wanted->duck, &function, err);
}

/* A function for each number of features: an engine keeps what a name stands for. */
static enum err_code bind_put(struct reading *reading, char name[FUNCTION_NAME_BYTES], struct err *err)
{
    size_t count = 1 + reading->wanted->feature_count;
    enum duck_column_kind *kinds = malloc(count * sizeof(*kinds));
    if (kinds == NULL)
        return err_nomem(err, count * sizeof(*kinds));
    kinds[0] = DUCK_COLUMN_I32;
    for (size_t i = 1; i < count; i++)
        kinds[i] = DUCK_COLUMN_F32;
    (void)snprintf(name, FUNCTION_NAME_BYTES, "offline_put_%zu", reading->wanted->feature_count);
    const struct duck_function function = {name, kinds, count, DUCK_COLUMN_I64, put_values, reading};
    enum err_code code = duck_bind_function(reading->wanted->duck, &function, err);
    free(kinds);
    return code;
}

/* Of few rows the engine need not read all values of their years. */
static void put_moments(struct reading *reading)
{
    if (reading->wanted->slot_count > FEW_ROWS)
        return;
    buffer_append_text(&reading->sql, " WHERE event_timestamp IN (NULL");
    for (size_t i = 0; i < reading->wanted->slot_count; i++)
        buffer_printf(&reading->sql, ", make_timestamp(%lld)", (long long)reading->wanted->slot_us[i]);
    buffer_append_text(&reading->sql, ")");
}

static void put_feature_names(struct reading *reading)
{
    for (size_t i = 0; i < reading->wanted->feature_count; i++) {
        buffer_append_text(&reading->sql, ", ");
        (void)duck_quote_name(&reading->sql, reading->wanted->features[i]);
    }
}

/* The slot is a column of the inner statement, so that it is asked for once. */
static enum err_code ask_values(struct reading *reading, const char *name, struct err *err)
{
    buffer_printf(&reading->sql, "SELECT max(%s(slot", name);
    put_feature_names(reading);
    buffer_printf(&reading->sql, ")) FROM (SELECT %s(event_timestamp, file_row_number) AS slot", SLOT_NAME);
    put_feature_names(reading);
    offline_parts_put(reading->wanted->parts, true, &reading->sql);
    put_moments(reading);
    buffer_append_text(&reading->sql, ") WHERE slot >= 0");
    return offline_query(reading->wanted->duck, &reading->sql, NULL, err);
}

static enum err_code read_by_engine(struct reading *reading, struct err *err)
{
    char name[FUNCTION_NAME_BYTES];
    enum err_code code = bind_slot(reading, err);
    if (code == ERR_OK)
        code = bind_put(reading, name, err);
    if (code != ERR_OK)
        return code;
    code = ask_values(reading, name, err);
    duck_unbind_function(reading->wanted->duck, name);
    duck_unbind_function(reading->wanted->duck, SLOT_NAME);
    const struct offline_parts *parts = reading->wanted->parts;
    if (code != ERR_OK)
        (void)err_prefix(err, "cannot read '%s'", parts->path);
    size_t left_count = 0;
    for (size_t i = 0; i < parts->count; i++)
        left_count += parts->items[i].is_for_engine ? parts->items[i].hit_count : 0;
    if (code == ERR_OK && atomic_load(&reading->filled) != left_count)
        atomic_store(&reading->is_changed, true);
    return code;
}

static enum err_code read_values(struct reading *reading, struct err *err)
{
    const struct offline_parts *parts = reading->wanted->parts;
    bool has_left = false;
    enum err_code code = pick_values(reading, err);
    for (size_t i = 0; i < parts->count; i++)
        has_left = has_left || parts->items[i].is_for_engine;
    return code == ERR_OK && has_left ? read_by_engine(reading, err) : code;
}

enum err_code offline_values_read(const struct offline_wanted *wanted, bool *out_is_changed, struct err *err)
{
    struct reading reading = {.wanted = wanted};
    buffer_init(&reading.sql, OFFLINE_SQL_BYTES);
    enum err_code code = wanted->slot_count > 0 ? read_values(&reading, err) : ERR_OK;
    *out_is_changed = atomic_load(&reading.is_changed);
    buffer_release(&reading.sql);
    return code;
}
