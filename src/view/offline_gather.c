/* Offline store: which rows a join hits, and their features.
 *
 * Two passes over the Parquet. The first reads keys and times alone, keeps the rows of entities that are asked for
 * (an open hash table of those), and finds the newest row at each moment by binary search: what it remembers of a hit is
 * partition and row number. The second reads the features of the partitions that were hit; the engine hands them to
 * `put_values` in chunks and from all its threads, which copies the rows that were hit to their slots. So nothing wide is
 * joined or sorted: that took most of the time. A writer may put a new version in place between the passes: times are
 * compared, slots counted, and when they differ it all begins again. */
#include "view/offline_gather.h"

#include "base/time.h"
#include "os/folder.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS = 4,
    FEW_KEYS = 32,
    PARTS_MOST = 4096,
    CHUNK_ROWS = 2048,
    FIXED_ARGUMENTS = 2, /* of our functions: event_timestamp, file_row_number */
    FUNCTION_NAME_BYTES = 48
};

/* A year's file, and the slots of its rows. */
struct part {
    int64_t first_us, end_us;
    int32_t *slots; /* [slot_rows]; -1: not hit */
    size_t slot_rows;
    bool is_hit;
    char name[32]; /* "year=2001" */
};
/* A row of the store whose entity is asked for. */
struct candidate {
    int64_t event_us, row;
    int32_t part, group, slot;
};
struct gather {
    struct duck *duck;
    const struct offline_version *version;
    const struct offline_request *request;
    struct offline_gathered *out;
    struct part *parts; /* by year */
    size_t part_count, key_count;
    int32_t *table; /* [table_size]: an entity with this key; -1: empty */
    size_t table_size;
    int32_t *group_of; /* [count]: of an entity: its first with the same key */
    struct candidate *candidates;
    size_t candidate_count, candidate_capacity;
    size_t *group_first; /* [count + 1], into `order` */
    int32_t *order;      /* candidates by group, then time */
    int64_t *slot_us;    /* [slot] */
    struct buffer sql;
    pthread_mutex_t lock; /* of the candidates, in the first pass */
    bool is_out_of_memory, is_damaged;
    atomic_size_t filled; /* in the second */
    atomic_bool is_changed;
};

/* ---- partitions ---- */

static void add_part(struct gather *gather, const char *name, int64_t from_us, int64_t to_us)
{
    int64_t year;
    struct part *part = &gather->parts[gather->part_count];
    if (!text_starts(text_of(name), "year=") || !text_parse_i64(text_of(name + strlen("year=")), &year) ||
        strlen(name) >= sizeof(part->name))
        return;
    *part = (struct part){.first_us = time_day_from_civil((int)year, 1, 1) * TIME_DAY_US,
                          .end_us = time_day_from_civil((int)year + 1, 1, 1) * TIME_DAY_US};
    (void)snprintf(part->name, sizeof(part->name), "%s", name);
    gather->part_count += part->first_us <= to_us && part->end_us > from_us;
}

static int compare_parts(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    return x->first_us < y->first_us ? -1 : x->first_us > y->first_us;
}

/* Those that can be hit: from the first moment less the age to the last. */
static enum err_code find_parts(struct gather *gather, int64_t from_us, int64_t to_us, struct err *err)
{
    struct folder_list list;
    enum err_code code = folder_list_open(gather->version->path, &list, err);
    if (code != ERR_OK)
        return code;
    gather->parts = calloc(list.count + 1, sizeof(*gather->parts));
    if (gather->parts == NULL)
        code = err_nomem(err, list.count * sizeof(*gather->parts));
    if (code == ERR_OK && list.count > PARTS_MOST)
        code =
            err_set(err, ERR_CORRUPT, "'%s' has more than %d partitions", gather->version->path, PARTS_MOST);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        add_part(gather, list.names[i], from_us, to_us);
    folder_list_close(&list);
    if (code == ERR_OK && gather->part_count > 1)
        qsort(gather->parts, gather->part_count, sizeof(*gather->parts), compare_parts);
    return code;
}

/* read_parquet([...]) of all partitions, or of those that are hit. */
static void put_parts(struct gather *gather, bool hit_only)
{
    struct buffer path;
    const char *between = "";
    buffer_init(&path, FILE_PATH_BYTES + 64);
    buffer_append_text(&gather->sql, " FROM read_parquet([");
    for (size_t i = 0; i < gather->part_count; i++) {
        if (hit_only && !gather->parts[i].is_hit)
            continue;
        buffer_clear(&path);
        buffer_printf(&path, "%s/%s/rows.parquet", gather->version->path, gather->parts[i].name);
        buffer_append_text(&gather->sql, between);
        (void)duck_quote(&gather->sql, buffer_text(&path));
        between = ", ";
    }
    buffer_append_text(&gather->sql, "], hive_partitioning = false, file_row_number = true)");
    buffer_release(&path);
}

/* The part of a moment, tried first where the last one was; part_count: there is none. */
static size_t part_of(const struct gather *gather, int64_t event_us, size_t likely)
{
    for (size_t i = 0; i < gather->part_count; i++) {
        size_t at = (likely + i) % gather->part_count;
        if (event_us >= gather->parts[at].first_us && event_us < gather->parts[at].end_us)
            return at;
    }
    return gather->part_count;
}

/* ---- entities ---- */

static uint64_t mix(int64_t first, int64_t second)
{
    uint64_t hash = (uint64_t)first * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)second;
    hash = (hash ^ (hash >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return hash ^ (hash >> 32);
}

/* The place in the table where the key is, or would be. */
static size_t place_of(const struct gather *gather, int64_t first, int64_t second)
{
    const struct offline_request *request = gather->request;
    size_t mask = gather->table_size - 1, at = (size_t)mix(first, second) & mask;
    for (; gather->table[at] >= 0; at = (at + 1) & mask) {
        int32_t entity = gather->table[at];
        if (request->key[0][entity] == first && (gather->key_count == 1 || request->key[1][entity] == second))
            break;
    }
    return at;
}

/* Returns how many different keys there are. */
static enum err_code group_entities(struct gather *gather, size_t *out_count, struct err *err)
{
    const struct offline_request *request = gather->request;
    *out_count = 0;
    for (gather->table_size = 16; gather->table_size < request->count * 2;)
        gather->table_size *= 2;
    gather->table = malloc(gather->table_size * sizeof(*gather->table));
    gather->group_of = malloc(request->count * sizeof(*gather->group_of) + 1);
    if (gather->table == NULL || gather->group_of == NULL)
        return err_nomem(err, gather->table_size * sizeof(*gather->table));
    memset(gather->table, 0xff, gather->table_size * sizeof(*gather->table));
    for (size_t i = 0; i < request->count; i++) {
        size_t at = place_of(gather, request->key[0][i], gather->key_count > 1 ? request->key[1][i] : 0);
        if (gather->table[at] < 0) {
            gather->table[at] = (int32_t)i;
            ++*out_count;
        }
        gather->group_of[i] = gather->table[at];
    }
    return ERR_OK;
}

/* ---- the first pass ---- */

/* Room for `count` more candidates; the caller has the lock. */
static bool make_room(struct gather *gather, size_t count)
{
    size_t capacity = (gather->candidate_count + count) * 2;
    if (gather->candidate_count + count <= gather->candidate_capacity)
        return true;
    struct candidate *grown = realloc(gather->candidates, capacity * sizeof(*grown));
    if (grown == NULL)
        return false;
    gather->candidates = grown;
    gather->candidate_capacity = capacity;
    return true;
}

/* (event_timestamp, file_row_number, keys...): answers nothing of use. */
static void take_keys(void *context, const struct duck_call *call)
{
    struct gather *gather = context;
    const int64_t *event_us = call->arguments[0], *number = call->arguments[1], *first = call->arguments[2],
                  *second = gather->key_count > 1 ? call->arguments[3] : NULL;
    size_t part = 0;
    memset(call->out, 0, call->row_count * sizeof(int64_t));
    (void)pthread_mutex_lock(&gather->lock);
    bool has_room = make_room(gather, call->row_count);
    for (size_t i = 0; has_room && i < call->row_count; i++) {
        int32_t group = gather->table[place_of(gather, first[i], second != NULL ? second[i] : 0)];
        if (group < 0)
            continue;
        part = part_of(gather, event_us[i], part);
        if (part == gather->part_count)
            gather->is_damaged = true;
        else
            gather->candidates[gather->candidate_count++] =
                (struct candidate){event_us[i], number[i], (int32_t)part, group, -1};
    }
    gather->is_out_of_memory |= !has_room;
    (void)pthread_mutex_unlock(&gather->lock);
}

static const char *take_name(const struct gather *gather)
{
    return gather->key_count == 1 ? "offline_take_1" : "offline_take_2";
}

static enum err_code bind_take(struct gather *gather, struct err *err)
{
    static const enum duck_column_kind kinds[] = {DUCK_COLUMN_TIMESTAMP, DUCK_COLUMN_I64, DUCK_COLUMN_I64,
                                                  DUCK_COLUMN_I64};
    const struct duck_function function = {take_name(gather), kinds,     FIXED_ARGUMENTS + gather->key_count,
                                           DUCK_COLUMN_I64,   take_keys, gather};
    return duck_bind_function(gather->duck, &function, err);
}

static void put_key_question(struct gather *gather, size_t group_count)
{
    const char *const *keys = offline_key_names(gather->version->entity, &gather->key_count);
    struct buffer *sql = &gather->sql;
    buffer_printf(sql, "SELECT max(%s(event_timestamp, file_row_number", take_name(gather));
    for (size_t i = 0; i < gather->key_count; i++)
        buffer_printf(sql, ", \"%s\"", keys[i]);
    buffer_append_text(sql, "))");
    put_parts(gather, false);
    if (group_count > FEW_KEYS)
        return;
    buffer_printf(sql, " WHERE \"%s\" IN (NULL", keys[0]); /* so that the engine can leave out row groups */
    for (size_t i = 0; i < gather->request->count; i++) {
        if (gather->group_of[i] == (int32_t)i)
            buffer_printf(sql, ", %lld", (long long)gather->request->key[0][i]);
    }
    buffer_append_text(sql, ")");
}

static enum err_code read_keys(struct gather *gather, size_t group_count, struct err *err)
{
    enum err_code code = bind_take(gather, err);
    if (code != ERR_OK)
        return code;
    put_key_question(gather, group_count);
    code = offline_query(gather->duck, &gather->sql, NULL, err);
    duck_unbind_function(gather->duck, take_name(gather));
    if (code == ERR_OK && gather->is_out_of_memory)
        code = err_nomem(err, gather->candidate_capacity * sizeof(*gather->candidates));
    if (code == ERR_OK && gather->is_damaged)
        code = err_set(err, ERR_CORRUPT,
                       "rows of '%s' are not in the partition of their year; write the view again with "
                       "'features materialize --full'",
                       gather->version->path);
    return code;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->event_us != y->event_us)
        return x->event_us < y->event_us ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* By time. The engine's threads give the parts in any order, but nearly always each part in its own. */
static enum err_code sort_candidates(struct gather *gather, struct err *err)
{
    size_t first[PARTS_MOST + 1] = {0}, count = gather->candidate_count;
    struct candidate *sorted = calloc(count + 1, sizeof(*sorted));
    if (sorted == NULL)
        return err_nomem(err, count * sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        first[gather->candidates[i].part + 1]++;
    for (size_t i = 0; i < gather->part_count; i++)
        first[i + 1] += first[i];
    for (size_t i = 0; i < count; i++)
        sorted[first[gather->candidates[i].part]++] = gather->candidates[i];
    free(gather->candidates);
    gather->candidates = sorted;
    bool is_sorted = true;
    for (size_t i = 1; is_sorted && i < count; i++)
        is_sorted = sorted[i - 1].event_us <= sorted[i].event_us;
    if (!is_sorted)
        qsort(sorted, count, sizeof(*sorted), compare_candidates);
    return ERR_OK;
}

/* By counting they are put by group, and stay by time in each. */
static enum err_code order_candidates(struct gather *gather, struct err *err)
{
    size_t count = gather->request->count;
    gather->group_first = calloc(count + 2, sizeof(*gather->group_first));
    gather->order = malloc((gather->candidate_count + 1) * sizeof(*gather->order));
    if (gather->group_first == NULL || gather->order == NULL)
        return err_nomem(err, gather->candidate_count * sizeof(*gather->order));
    size_t *first = gather->group_first; /* of a group: counted two further on, filled one further on */
    for (size_t i = 0; i < gather->candidate_count; i++)
        first[gather->candidates[i].group + 2]++;
    for (size_t i = 1; i < count + 2; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i < gather->candidate_count; i++)
        gather->order[first[gather->candidates[i].group + 1]++] = (int32_t)i;
    return ERR_OK;
}

/* The newest candidate of the entity's group that is not after its moment, nor too old; NULL: none. */
static struct candidate *find_candidate(const struct gather *gather, size_t entity)
{
    size_t group = (size_t)gather->group_of[entity];
    int64_t moment_us = gather->request->moment_us[entity], max_age_us = gather->request->max_age_us;
    size_t low = gather->group_first[group], high = gather->group_first[group + 1], first = low;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gather->candidates[gather->order[middle]].event_us <= moment_us)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == first)
        return NULL;
    struct candidate *found = &gather->candidates[gather->order[low - 1]];
    return max_age_us > 0 && moment_us - found->event_us > max_age_us ? NULL : found;
}

static enum err_code mark_slot(struct gather *gather, struct candidate *candidate, struct err *err)
{
    struct part *part = &gather->parts[candidate->part];
    size_t row = (size_t)candidate->row;
    if (row >= part->slot_rows) {
        size_t rows = row + row / 2 + 1024;
        int32_t *grown = realloc(part->slots, rows * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(err, rows * sizeof(*grown));
        memset(grown + part->slot_rows, 0xff, (rows - part->slot_rows) * sizeof(*grown));
        part->slots = grown;
        part->slot_rows = rows;
    }
    part->is_hit = true;
    part->slots[row] = candidate->slot;
    return ERR_OK;
}

static enum err_code find_slots(struct gather *gather, struct err *err)
{
    struct offline_gathered *out = gather->out;
    enum err_code code = ERR_OK;
    size_t count = gather->request->count;
    out->slot_of = malloc(count * sizeof(*out->slot_of) + 1);
    gather->slot_us = malloc(count * sizeof(*gather->slot_us) + 1);
    if (out->slot_of == NULL || gather->slot_us == NULL)
        return err_nomem(err, count * sizeof(*gather->slot_us));
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        struct candidate *candidate = find_candidate(gather, i);
        if (candidate != NULL && candidate->slot < 0) {
            candidate->slot = (int32_t)out->slot_count;
            gather->slot_us[out->slot_count++] = candidate->event_us;
            code = mark_slot(gather, candidate, err);
        }
        out->slot_of[i] = candidate != NULL ? candidate->slot : -1;
        out->found += candidate != NULL;
    }
    return code;
}

/* ---- the second pass ---- */

/* Of the rows of one chunk, those that are hit, and their slots. */
static size_t find_hits(struct gather *gather, const struct duck_call *call, size_t first, uint16_t *rows,
                        int32_t *slots)
{
    const int64_t *event_us = call->arguments[0], *number = call->arguments[1];
    size_t count = 0, part = 0;
    for (size_t i = first; i < call->row_count && i < first + CHUNK_ROWS; i++) {
        part = part_of(gather, event_us[i], part);
        if (part == gather->part_count || number[i] < 0 || (size_t)number[i] >= gather->parts[part].slot_rows)
            continue;
        int32_t slot = gather->parts[part].slots[number[i]];
        if (slot < 0)
            continue;
        if (gather->slot_us[slot] != event_us[i])
            atomic_store(&gather->is_changed, true);
        rows[count] = (uint16_t)(i - first);
        slots[count++] = slot;
    }
    return count;
}

/* (event_timestamp, file_row_number, features...): answers nothing of use. */
static void put_values(void *context, const struct duck_call *call)
{
    struct gather *gather = context;
    uint16_t rows[CHUNK_ROWS];
    int32_t slots[CHUNK_ROWS];
    memset(call->out, 0, call->row_count * sizeof(int64_t));
    for (size_t first = 0; first < call->row_count; first += CHUNK_ROWS) {
        size_t count = find_hits(gather, call, first, rows, slots);
        for (size_t f = 0; f < gather->request->feature_count; f++) {
            const float *source = (const float *)call->arguments[FIXED_ARGUMENTS + f] + first;
            const uint64_t *is_set = call->is_set[FIXED_ARGUMENTS + f];
            float *values = gather->out->values + f * gather->out->slot_count;
            for (size_t i = 0; i < count; i++) {
                size_t row = first + rows[i];
                bool is_there = is_set == NULL || (is_set[row / 64] >> (row % 64) & 1) != 0;
                values[slots[i]] = is_there ? source[rows[i]] : NAN;
            }
        }
        (void)atomic_fetch_add(&gather->filled, count);
    }
}

/* A function for each number of features: an engine keeps what a name stands for. */
static enum err_code bind_put(struct gather *gather, char name[FUNCTION_NAME_BYTES], struct err *err)
{
    size_t count = FIXED_ARGUMENTS + gather->request->feature_count;
    enum duck_column_kind *kinds = malloc(count * sizeof(*kinds));
    if (kinds == NULL)
        return err_nomem(err, count * sizeof(*kinds));
    for (size_t i = 0; i < count; i++)
        kinds[i] = i >= FIXED_ARGUMENTS ? DUCK_COLUMN_F32 : DUCK_COLUMN_I64;
    kinds[0] = DUCK_COLUMN_TIMESTAMP;
    (void)snprintf(name, FUNCTION_NAME_BYTES, "offline_put_%zu", gather->request->feature_count);
    const struct duck_function function = {name, kinds, count, DUCK_COLUMN_I64, put_values, gather};
    enum err_code code = duck_bind_function(gather->duck, &function, err);
    free(kinds);
    return code;
}

/* Of few rows the engine need not read all values of their years. */
static void put_moments(struct gather *gather)
{
    if (gather->out->slot_count > FEW_KEYS)
        return;
    buffer_append_text(&gather->sql, " WHERE event_timestamp IN (NULL");
    for (size_t i = 0; i < gather->out->slot_count; i++)
        buffer_printf(&gather->sql, ", make_timestamp(%lld)", (long long)gather->slot_us[i]);
    buffer_append_text(&gather->sql, ")");
}

static enum err_code read_values(struct gather *gather, struct err *err)
{
    struct offline_gathered *out = gather->out;
    const struct offline_request *request = gather->request;
    char name[FUNCTION_NAME_BYTES];
    out->values = malloc(request->feature_count * out->slot_count * sizeof(*out->values) + 1);
    if (out->values == NULL)
        return err_nomem(err, request->feature_count * out->slot_count * sizeof(*out->values));
    if (out->slot_count == 0)
        return ERR_OK;
    enum err_code code = bind_put(gather, name, err);
    if (code != ERR_OK)
        return code;
    buffer_printf(&gather->sql, "SELECT max(%s(event_timestamp, file_row_number", name);
    for (size_t i = 0; i < request->feature_count; i++) {
        buffer_append_text(&gather->sql, ", ");
        (void)duck_quote_name(&gather->sql, request->features[i]);
    }
    buffer_append_text(&gather->sql, "))");
    put_parts(gather, true);
    put_moments(gather);
    code = offline_query(gather->duck, &gather->sql, NULL, err);
    duck_unbind_function(gather->duck, name);
    if (code == ERR_OK && atomic_load(&gather->filled) != out->slot_count)
        atomic_store(&gather->is_changed, true);
    return code;
}

/* ---- both ---- */

static void release(struct gather *gather)
{
    for (size_t i = 0; i < gather->part_count; i++)
        free(gather->parts[i].slots);
    free(gather->parts);
    free(gather->table);
    free(gather->group_of);
    free(gather->candidates);
    free(gather->group_first);
    free(gather->order);
    free(gather->slot_us);
    buffer_release(&gather->sql);
    (void)pthread_mutex_destroy(&gather->lock);
}

static enum err_code gather_all(struct gather *gather, struct err *err)
{
    const struct offline_request *request = gather->request;
    int64_t from_us = INT64_MAX, to_us = INT64_MIN;
    size_t group_count;
    (void)offline_key_names(gather->version->entity, &gather->key_count);
    for (size_t i = 0; i < request->count; i++) {
        from_us = request->moment_us[i] < from_us ? request->moment_us[i] : from_us;
        to_us = request->moment_us[i] > to_us ? request->moment_us[i] : to_us;
    }
    bool is_bounded = request->max_age_us > 0 && from_us > INT64_MIN + request->max_age_us;
    enum err_code code =
        find_parts(gather, is_bounded ? from_us - request->max_age_us : INT64_MIN, to_us, err);
    if (code == ERR_OK)
        code = group_entities(gather, &group_count, err);
    if (code == ERR_OK && gather->part_count > 0)
        code = read_keys(gather, group_count, err);
    if (code == ERR_OK)
        code = sort_candidates(gather, err);
    if (code == ERR_OK)
        code = order_candidates(gather, err);
    if (code == ERR_OK)
        code = find_slots(gather, err);
    return code == ERR_OK ? read_values(gather, err) : code;
}

enum err_code offline_gather(struct duck *duck, const struct offline_version *version,
                             const struct offline_request *request, struct offline_gathered *out,
                             struct err *err)
{
    assert(request->count <= INT32_MAX);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct gather gather = {.duck = duck, .version = version, .request = request, .out = out};
        *out = (struct offline_gathered){0};
        buffer_init(&gather.sql, OFFLINE_SQL_BYTES);
        (void)pthread_mutex_init(&gather.lock, NULL);
        enum err_code code = gather_all(&gather, err);
        bool is_changed = atomic_load(&gather.is_changed);
        release(&gather);
        if (code == ERR_OK && !is_changed)
            return ERR_OK;
        offline_gathered_release(out);
        if (code != ERR_OK)
            return code;
    }
    return err_set(err, ERR_CONFLICT, "the view '%s' is being written again and again: ask later",
                   strrchr(version->path, '/') + 1);
}

void offline_gathered_release(struct offline_gathered *gathered)
{
    free(gathered->slot_of);
    free(gathered->values);
    *gathered = (struct offline_gathered){0};
}
