/* Offline store: which rows a join hits.
 *
 * The engine reads keys and times alone and hands them to `take_keys`, which keeps the rows of entities that are asked for (an
 * open hash table of those); then the newest row at each moment is found by binary search. What is remembered of a hit is
 * partition and row number: the features of these rows, and of no others, are read then (offline_values.h). So nothing wide
 * is joined or sorted: that took most of the time. When a writer put a new version in place meanwhile it all begins again. */
#include "view/offline_gather.h"

#include "view/offline_values.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS = 4,
    FEW_KEYS = 32,
    FIXED_ARGUMENTS = 2 /* of the function that takes keys: event_timestamp, file_row_number */
};

/* A row of the store whose entity is asked for. */
struct candidate {
    int64_t event_us;
    int32_t row, part, group;
};
struct gather {
    struct duck *duck;
    const struct offline_version *version;
    const struct offline_request *request;
    struct offline_gathered *out;
    struct offline_parts parts;
    size_t key_count;
    int32_t *table; /* [table_size]: an entity with this key; -1: empty */
    size_t table_size;
    int32_t *group_of;            /* [count]: of an entity: its first with the same key */
    struct candidate *candidates; /* at last by group, then time */
    size_t candidate_count, candidate_capacity;
    size_t *group_first; /* [count + 1], into `candidates` */
    int64_t *slot_us;    /* [slot] */
    struct buffer sql;
    pthread_mutex_t lock; /* of the candidates */
    bool is_out_of_memory, is_damaged, is_changed;
};

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

/* ---- candidates ---- */

/* Room for `count` more candidates; the caller has the lock. */
static bool make_room(struct gather *gather, size_t count)
{
    size_t capacity = (gather->candidate_count + count) * 2;
    if (gather->candidate_count + count <= gather->candidate_capacity)
        return true;
    if (capacity > INT32_MAX) /* they are told by numbers of that size */
        return false;
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
        part = offline_parts_of(&gather->parts, event_us[i], part);
        if (part == gather->parts.count || number[i] < 0 || number[i] >= INT32_MAX)
            gather->is_damaged = true;
        else
            gather->candidates[gather->candidate_count++] =
                (struct candidate){event_us[i], (int32_t)number[i], (int32_t)part, group};
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
    offline_parts_put(&gather->parts, false, sql);
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
    if (code != ERR_OK)
        (void)err_prefix(err, "cannot read '%s'", gather->version->path);
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
    size_t first[OFFLINE_PARTS_MOST + 1] = {0}, count = gather->candidate_count;
    struct candidate *sorted = calloc(count + 1, sizeof(*sorted));
    if (sorted == NULL)
        return err_nomem(err, count * sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        first[gather->candidates[i].part + 1]++;
    for (size_t i = 0; i < gather->parts.count; i++)
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

/* By counting they are put by group, and stay by time in each: a search then stays in one place of memory. */
static enum err_code group_candidates(struct gather *gather, struct err *err)
{
    size_t count = gather->request->count;
    struct candidate *grouped = calloc(gather->candidate_count + 1, sizeof(*grouped));
    gather->group_first = calloc(count + 2, sizeof(*gather->group_first));
    if (grouped == NULL || gather->group_first == NULL) {
        free(grouped);
        return err_nomem(err, gather->candidate_count * sizeof(*grouped));
    }
    size_t *first = gather->group_first; /* of a group: counted two further on, filled one further on */
    for (size_t i = 0; i < gather->candidate_count; i++)
        first[gather->candidates[i].group + 2]++;
    for (size_t i = 1; i < count + 2; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i < gather->candidate_count; i++)
        grouped[first[gather->candidates[i].group + 1]++] = gather->candidates[i];
    free(gather->candidates);
    gather->candidates = grouped;
    return ERR_OK;
}

/* The newest candidate of the entity's group that is not after its moment, nor too old; -1: none. */
static int32_t find_candidate(const struct gather *gather, size_t entity)
{
    size_t group = (size_t)gather->group_of[entity];
    int64_t moment_us = gather->request->moment_us[entity], max_age_us = gather->request->max_age_us;
    size_t low = gather->group_first[group], high = gather->group_first[group + 1], first = low;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gather->candidates[middle].event_us <= moment_us)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == first)
        return -1;
    int64_t age_us = moment_us - gather->candidates[low - 1].event_us;
    return max_age_us > 0 && age_us > max_age_us ? -1 : (int32_t)(low - 1);
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
        int32_t found = out->slot_of[i] = find_candidate(gather, i);
        if (found >= 0)
            code = offline_part_hit(&gather->parts.items[gather->candidates[found].part],
                                    (size_t)gather->candidates[found].row, err);
        out->found += found >= 0;
    }
    if (code == ERR_OK)
        code = offline_parts_number(&gather->parts, &out->slot_count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        if (out->slot_of[i] < 0)
            continue;
        const struct candidate *candidate = &gather->candidates[out->slot_of[i]];
        out->slot_of[i] = gather->parts.items[candidate->part].slots[candidate->row];
        gather->slot_us[out->slot_of[i]] = candidate->event_us;
    }
    return code;
}

/* ---- both ---- */

static void release(struct gather *gather)
{
    offline_parts_release(&gather->parts);
    free(gather->table);
    free(gather->group_of);
    free(gather->candidates);
    free(gather->group_first);
    free(gather->slot_us);
    buffer_release(&gather->sql);
    (void)pthread_mutex_destroy(&gather->lock);
}

static enum err_code read_values(struct gather *gather, struct err *err)
{
    struct offline_gathered *out = gather->out;
    const struct offline_request *request = gather->request;
    size_t value_count = request->feature_count * out->slot_count;
    out->values = malloc(value_count * sizeof(*out->values) + 1);
    if (out->values == NULL)
        return err_nomem(err, value_count * sizeof(*out->values));
    const struct offline_wanted wanted = {.duck = gather->duck,
                                          .parts = &gather->parts,
                                          .slot_us = gather->slot_us,
                                          .slot_count = out->slot_count,
                                          .features = request->features,
                                          .feature_count = request->feature_count,
                                          .values = out->values};
    return offline_values_read(&wanted, &gather->is_changed, err);
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
        offline_parts_find(gather->version->path, is_bounded ? from_us - request->max_age_us : INT64_MIN,
                           to_us, &gather->parts, err);
    if (code == ERR_OK)
        code = group_entities(gather, &group_count, err);
    if (code == ERR_OK && gather->parts.count > 0)
        code = read_keys(gather, group_count, err);
    if (code == ERR_OK)
        code = sort_candidates(gather, err);
    if (code == ERR_OK)
        code = group_candidates(gather, err);
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
        bool is_changed = gather.is_changed;
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
