/* Feature reader: see feature_reader.h. This file holds the memory level, what is computed by the levels below, and what
 * happens when data changes; feature_keys.c the names, feature_fetch.c the way through Redis.
 *
 * What memory keeps is the value and, behind it, the JSON that answers it: a hit is one look-up and one copy. */
#include "serve/feature_reader_private.h"

#include "base/json.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "store/change_store.h"
#include "store/football_store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REDIS_THREADS =
        2, /* so that what is read does not wait for what is removed; they take turns at the connection */
    VALUE_BYTES = 1 << 20,    /* of one row with its JSON; the widest has 20 kB */
    CLOCK_SKEW_US = 60000000, /* of another server that put a value into Redis */
};
static const char redis_key_prefix[] = "almanac:";

const char *feature_source_name(enum feature_source source)
{
    static const char *const names[FEATURE_SOURCE_COUNT] = {"memory", "redis", "store"};
    return names[source];
}

/* ---- life ---- */

static enum err_code create_view(const struct feature_view *view, struct served_view *out, struct err *err)
{
    unsigned char hash_of_view[HASH_BYTES];
    struct hash hash;
    out->view = view;
    enum err_code code = view_plan_create(view, &out->plan, err);
    if (code != ERR_OK)
        return code;
    hash_init(&hash);
    feature_view_hash(view, football_feature_set_widest(), &hash);
    hash_final(&hash, hash_of_view);
    memcpy(out->schema, hash_of_view, FEATURE_SCHEMA_BYTES);
    (void)snprintf(out->name, sizeof(out->name), "%.32s@%02x%02x%02x%02x", view->name, hash_of_view[0],
                   hash_of_view[1], hash_of_view[2], hash_of_view[3]);
    out->is_of_prices = true;
    for (size_t i = 0; i < view_plan_columns(out->plan); i++)
        out->needs_side[view_plan_column(out->plan, i)->side] = true;
    for (size_t i = 0; i < view_plan_columns(out->plan); i++)
        out->is_of_prices =
            out->is_of_prices && view_plan_column(out->plan, i)->feature->available == FEATURE_PRE_CLOSE;
    return ERR_OK;
}

static enum err_code create_views(struct feature_reader *reader, struct err *err)
{
    size_t count = 0, widest = 0;
    while (football_view_at(count) != NULL)
        count++;
    reader->views = calloc(count, sizeof(*reader->views));
    if (reader->views == NULL)
        return err_nomem(err, count * sizeof(*reader->views));
    for (; reader->view_count < count; reader->view_count++) {
        struct served_view *view = &reader->views[reader->view_count];
        enum err_code code = create_view(football_view_at(reader->view_count), view, err);
        if (code != ERR_OK)
            return code;
        if (view_plan_columns(view->plan) > widest)
            widest = view_plan_columns(view->plan);
    }
    reader->row = malloc((widest + 1) * sizeof(*reader->row));
    return reader->row == NULL ? err_nomem(err, widest * sizeof(*reader->row)) : ERR_OK;
}

static enum err_code create_countries(struct feature_reader *reader, struct err *err)
{
    size_t count = league_country_count();
    reader->countries = calloc(count + 1, sizeof(*reader->countries));
    if (reader->countries == NULL)
        return err_nomem(err, count * sizeof(*reader->countries));
    for (; reader->country_count < count; reader->country_count++)
        reader->countries[reader->country_count] = league_country_name(reader->country_count);
    return ERR_OK;
}

static enum err_code create_redis(struct feature_reader *reader, struct err *err)
{
    const struct feature_reader_options *options = &reader->options;
    if (options->redis_url == NULL || options->redis_url[0] == '\0')
        return ERR_OK;
    enum err_code code = redis_tier_create(options->redis_url, redis_key_prefix, options->redis_timeout_ms,
                                           options->clock, &reader->redis, err);
    return code == ERR_OK ? pool_create(REDIS_THREADS, &reader->pool, err) : code;
}

enum err_code feature_reader_create(const struct feature_reader_options *options, struct feature_reader **out,
                                    struct err *err)
{
    struct feature_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return err_nomem(err, sizeof(*reader));
    reader->options = *options;
    reader->waiting_end = &reader->waiting;
    buffer_init(&reader->text, VALUE_BYTES);
    enum err_code code = cache_create(options->memory_bytes, options->clock, &reader->memory, err);
    if (code == ERR_OK)
        code = create_views(reader, err);
    if (code == ERR_OK)
        code = create_countries(reader, err);
    if (code == ERR_OK)
        code = emitted_teams_create(&reader->emitted, err);
    if (code == ERR_OK)
        code = create_redis(reader, err);
    reader->options.redis_url = NULL; /* the caller's, and may hold a password */
    if (code != ERR_OK) {
        feature_reader_destroy(reader);
        return code;
    }
    *out = reader;
    return ERR_OK;
}

void feature_reader_destroy(struct feature_reader *reader)
{
    if (reader == NULL)
        return;
    reader_fetch_cancel(reader);
    if (reader->pool != NULL)
        pool_destroy(reader->pool);
    redis_tier_destroy(reader->redis);
    for (size_t i = 0; i < reader->view_count; i++)
        view_plan_destroy(reader->views[i].plan);
    emitted_teams_release(&reader->emitted);
    cache_destroy(reader->memory);
    buffer_release(&reader->text);
    free(reader->views);
    free(reader->countries);
    free(reader->row);
    free(reader);
}

/* ---- changes ---- */

static void drop(struct feature_reader *reader, const char *prefix)
{
    (void)cache_invalidate_prefix(reader->memory, prefix);
    reader_redis_remove(reader, prefix);
}

/* has_changed[country] since `data_hash`; false: the store cannot say. */
static bool find_changed(struct feature_reader *reader, const char *data_hash,
                         bool has_changed[LIMIT_LEAGUES])
{
    struct league_change *changes = NULL;
    size_t count = 0;
    struct err err;
    enum err_code code = change_store_since(reader->options.store->db, data_hash, &changes, &count, &err);
    if (code != ERR_OK)
        return false;
    memset(has_changed, 0, LIMIT_LEAGUES * sizeof(*has_changed));
    bool is_known = true;
    for (size_t i = 0; i < count; i++) {
        int league = league_find(text_of(changes[i].league));
        if (league < 0)
            is_known = false;
        else
            has_changed[league_country((size_t)league)] = true;
    }
    free(changes);
    return is_known;
}

/* Another state answers: only what changed with it is dropped. */
static void take_data(struct feature_reader *reader, const struct present *present)
{
    bool has_changed[LIMIT_LEAGUES];
    char prefix[FEATURE_KEY_BYTES];
    if (reader->data_hash[0] != '\0' && find_changed(reader, reader->data_hash, has_changed)) {
        for (size_t i = 0; i < reader->country_count; i++) {
            (void)snprintf(prefix, sizeof(prefix), "%s/", reader->countries[i]);
            if (has_changed[i])
                drop(reader, prefix);
        }
    } else if (reader->data_hash[0] != '\0') {
        drop(reader, "");
    }
    memcpy(reader->data_hash, present->data_hash, sizeof(reader->data_hash));
    for (size_t i = 0; i < HASH_BYTES; i++) {
        char pair[3] = {reader->data_hash[2 * i], reader->data_hash[2 * i + 1], '\0'};
        reader->data[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
}

/* Rows of matches are made of the live state and of the prices in the store, which may be newer than the state. A store
 * that cannot be read gives a name that no other server has. */
static void name_match_data(struct feature_reader *reader)
{
    char store_hash[HASH_HEX_BYTES];
    struct hash hash;
    struct err err;
    hash_init(&hash);
    hash_add_text(&hash, reader->data_hash);
    enum err_code code = football_store_hash(reader->options.store->db, store_hash, &err);
    if (code == ERR_OK)
        hash_add_text(&hash, store_hash);
    else
        hash_add_i64(&hash, reader->options.clock.now_us(reader->options.clock.context));
    hash_final(&hash, reader->match_data);
}

void reader_refresh(struct feature_reader *reader)
{
    uint64_t changes = 0;
    reader->online = reader->options.online(reader->options.context, &changes);
    if (changes == reader->changes)
        return;
    if (reader->changes != 0)
        drop(reader, "match/"); /* prices, postponements, new results */
    reader->changes = changes;
    memset(reader->known, 0, sizeof(reader->known));
    emitted_teams_forget(&reader->emitted);
    if (reader->online != NULL && strcmp(reader->online->present.data_hash, reader->data_hash) != 0)
        take_data(reader, &reader->online->present);
    name_match_data(reader);
}

enum err_code reader_check(struct feature_reader *reader, struct err *err)
{
    reader_refresh(reader);
    if (reader->online == NULL)
        return err_set(err, ERR_BUSY,
                       "no features are at hand: the store holds no matches, or they are still being built");
    return ERR_OK;
}

/* ---- values of Redis ---- */

static const struct known_data *know(struct feature_reader *reader, const unsigned char data[HASH_BYTES])
{
    char hex[HASH_HEX_BYTES];
    for (size_t i = 0; i < KNOWN_DATA_COUNT; i++) {
        if (reader->known[i].is_set && memcmp(reader->known[i].data, data, HASH_BYTES) == 0)
            return &reader->known[i];
    }
    struct known_data *known = &reader->known[reader->known_next++ % KNOWN_DATA_COUNT];
    for (size_t i = 0; i < HASH_BYTES; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", data[i]);
    memcpy(known->data, data, HASH_BYTES);
    known->is_known = find_changed(reader, hex, known->has_changed);
    known->is_set = true;
    return known;
}

/* Made by the present code from data that, for this entity, is still the present. Rows of matches change with prices, so
 * they must be of exactly the present data. */
static bool is_valid(struct feature_reader *reader, const struct feature_key *key,
                     const struct feature_value *value)
{
    const struct served_view *view = &reader->views[key->view];
    if (memcmp(value->schema, view->schema, FEATURE_SCHEMA_BYTES) != 0 ||
        value->count != view_plan_columns(view->plan))
        return false;
    if (view->view->entity == VIEW_MATCH)
        return memcmp(value->data, reader->match_data, HASH_BYTES) == 0;
    if (memcmp(value->data, reader->data, HASH_BYTES) == 0)
        return true;
    const struct known_data *known = know(reader, value->data);
    return known->is_known && !known->has_changed[key->stream];
}

/* ---- JSON ---- */

static void write_team(struct json_writer *out, const char *key, struct feature_reader *reader, int64_t id)
{
    size_t stream = 0;
    int32_t dense = teams_dense(reader->online->present.teams, id, &stream);
    json_key(out, key);
    json_begin_object(out);
    json_field_i64(out, "id", id);
    json_field_text(out, "name", dense < 0 ? NULL : teams_name(reader->online->present.teams, stream, dense));
    json_field_text(out, "country", dense < 0 ? NULL : reader->countries[stream]);
    json_end_object(out);
}

static void write_match(struct json_writer *out, struct feature_reader *reader, int64_t id)
{
    struct stored_fixture stored;
    struct err err;
    json_field_i64(out, "match", id);
    enum err_code code = football_store_fixture(reader->options.store->db, id, &stored, &err);
    if (code != ERR_OK)
        return; /* it goes with the next change */
    json_field_text(out, "league", stored.league);
    write_team(out, "home", reader, stored.home_id);
    write_team(out, "away", reader, stored.away_id);
    json_field_time(out, "kickoff", stored.kickoff_us);
}

static void write_entity(struct json_writer *out, struct feature_reader *reader,
                         const struct feature_key *key)
{
    json_key(out, "entity");
    json_begin_object(out);
    switch (reader->views[key->view].view->entity) {
    case VIEW_TEAM:
        write_team(out, "team", reader, key->id[0]);
        break;
    case VIEW_PAIR:
        write_team(out, "home", reader, key->id[0]);
        write_team(out, "away", reader, key->id[1]);
        break;
    default:
        write_match(out, reader, key->id[0]);
    }
    json_end_object(out);
}

/* `"entity":{...},"event_timestamp":"...","features":{...}`, without the braces around. */
static void append_json(struct feature_reader *reader, const struct feature_key *key,
                        const struct feature_value *value, struct buffer *out)
{
    const struct served_view *view = &reader->views[key->view];
    struct json_writer writer;
    buffer_clear(&reader->text);
    json_writer_init(&writer, &reader->text);
    json_begin_object(&writer);
    write_entity(&writer, reader, key);
    json_field_time(&writer, "event_timestamp", value->event_us);
    json_key(&writer, "features");
    json_begin_object(&writer);
    for (size_t i = 0; i < value->count; i++) {
        if (i > 0)
            buffer_append_char(&reader->text, ',');
        buffer_append_char(&reader->text, '"');
        buffer_append_text(&reader->text, view_plan_column(view->plan, i)->name); /* letters, digits, '_' */
        buffer_append(&reader->text, "\":", 2);
        feature_value_write_number(&reader->text, value->values[i]);
    }
    json_end_object(&writer);
    json_end_object(&writer);
    if (reader->text.failed == ERR_OK)
        buffer_append(out, reader->text.data + 1, reader->text.size_bytes - 2);
    else
        out->failed = reader->text.failed;
}

/* ---- answers ---- */

void feature_answer_init(struct feature_answer *answer)
{
    *answer = (struct feature_answer){0};
    buffer_init(&answer->value, VALUE_BYTES);
}

void feature_answer_clear(struct feature_answer *answer)
{
    free(answer->reason);
    answer->reason = NULL;
    answer->is_answered = false;
    answer->code = ERR_OK;
    buffer_clear(&answer->value);
}

void feature_answer_release(struct feature_answer *answer)
{
    free(answer->reason);
    buffer_release(&answer->value);
}

static void succeed(struct feature_answer *answer, enum feature_source source)
{
    answer->is_answered = true;
    answer->code = ERR_OK;
    answer->source = source;
}

void reader_count(struct feature_reader *reader, const struct feature_key *key,
                  const struct feature_answer *answer)
{
    struct served_view *view = &reader->views[key->view];
    if (answer->code == ERR_OK)
        view->reads[answer->source]++;
    else
        view->failures++;
}

void reader_fail(struct feature_answer *answer, const struct err *err)
{
    answer->is_answered = true;
    answer->code = err->code;
    free(answer->reason);
    answer->reason = strdup(err->text);
    buffer_clear(&answer->value);
}

bool reader_take_memory(struct feature_reader *reader, const struct feature_key *key,
                        struct feature_answer *answer)
{
    if (!cache_get(reader->memory, key->text, &answer->value) || answer->value.failed != ERR_OK)
        return false;
    succeed(answer, FEATURE_FROM_MEMORY);
    return true;
}

/* Behind the bytes of the value their JSON, and the whole into memory. */
static void finish(struct feature_reader *reader, const struct feature_key *key,
                   const struct feature_value *value, int64_t ttl_ms, enum feature_source source,
                   struct feature_answer *answer)
{
    struct err err;
    append_json(reader, key, value, &answer->value);
    enum err_code code = buffer_check(&answer->value, "a row of features", &err);
    if (code != ERR_OK) {
        err.code = code;
        reader_fail(answer, &err);
        return;
    }
    cache_put(reader->memory, key->text, answer->value.data, answer->value.size_bytes, ttl_ms);
    succeed(answer, source);
}

static int64_t now_us(const struct feature_reader *reader)
{
    return reader->options.clock.now_us(reader->options.clock.context);
}

bool reader_take_redis(struct feature_reader *reader, const struct feature_key *key,
                       const struct buffer *bytes, struct feature_answer *answer)
{
    struct feature_value value;
    if (reader->online == NULL || !feature_value_read(bytes->data, bytes->size_bytes, &value) ||
        !is_valid(reader, key, &value)) {
        reader->rejected++;
        return false;
    }
    int64_t age_us = now_us(reader) - value.made_us;
    if (age_us < -CLOCK_SKEW_US)
        return false;
    int64_t left_ms = reader->views[key->view].view->ttl_ms - (age_us < 0 ? 0 : age_us / 1000);
    if (left_ms <= 0)
        return false;
    buffer_append(&answer->value, bytes->data, bytes->size_bytes);
    finish(reader, key, &value, left_ms, FEATURE_FROM_REDIS, answer);
    return answer->code == ERR_OK;
}

void reader_take_store(struct feature_reader *reader, const struct feature_key *key,
                       struct feature_answer *answer, struct buffer *out_bytes)
{
    struct served_view *view = &reader->views[key->view];
    struct feature_row row = {.values = reader->row};
    struct feature_level_input input = {.store = reader->options.store,
                                        .emitted = &reader->emitted,
                                        .memory = reader->memory,
                                        .view = view,
                                        .key = key};
    struct err err;
    enum err_code code = reader_check(reader, &err);
    reader->loads++;
    input.online = reader->online;
    if (code == ERR_OK)
        code = feature_levels_load(&input, &row, &err);
    if (code != ERR_OK) {
        err.code = code;
        reader_fail(answer, &err);
        return;
    }
    struct feature_value value = {.event_us = row.event_us,
                                  .made_us = now_us(reader),
                                  .origin = row.origin,
                                  .count = view_plan_columns(view->plan),
                                  .values = row.values};
    memcpy(value.schema, view->schema, FEATURE_SCHEMA_BYTES);
    memcpy(value.data, view->view->entity == VIEW_MATCH ? reader->match_data : reader->data, HASH_BYTES);
    feature_value_write(&value, &answer->value);
    if (out_bytes != NULL)
        buffer_append(out_bytes, answer->value.data, answer->value.size_bytes);
    finish(reader, key, &value, view->view->ttl_ms, FEATURE_FROM_STORE, answer);
}

bool feature_reader_read(struct feature_reader *reader, const struct feature_key *keys, size_t count,
                         struct feature_answer *answers)
{
    bool is_complete = true;
    reader_refresh(reader);
    for (size_t i = 0; i < count; i++) {
        if (!reader_take_memory(reader, &keys[i], &answers[i])) {
            buffer_clear(&answers[i].value);
            if (reader->redis == NULL)
                reader_take_store(reader, &keys[i], &answers[i], NULL);
        }
        if (answers[i].is_answered)
            reader_count(reader, &keys[i], &answers[i]);
        else
            is_complete = false;
    }
    return is_complete;
}

/* ---- what is asked about the reader ---- */

size_t feature_reader_columns(const struct feature_reader *reader, size_t view)
{
    return view_plan_columns(reader->views[view].plan);
}

const char *feature_reader_column_name(const struct feature_reader *reader, size_t view, size_t column)
{
    return view_plan_column(reader->views[view].plan, column)->name;
}

struct feature_reader_counts feature_reader_counts(const struct feature_reader *reader)
{
    struct feature_reader_counts counts = {.memory = cache_counts(reader->memory),
                                           .has_redis = reader->redis != NULL,
                                           .loads = reader->loads,
                                           .waits = reader->waits,
                                           .rejected = reader->rejected};
    if (reader->redis != NULL)
        counts.redis = redis_tier_counts(reader->redis);
    return counts;
}

uint64_t feature_reader_reads(const struct feature_reader *reader, size_t view, enum feature_source source)
{
    return reader->views[view].reads[source];
}

uint64_t feature_reader_failures(const struct feature_reader *reader, size_t view)
{
    return reader->views[view].failures;
}
