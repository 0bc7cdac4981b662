/* Feature fetch: the way through Redis, in the background.
 *
 * One flight at a time: the keys that all waiting readers miss, each once, in one MGET by the reader's own thread. Who comes
 * meanwhile waits for the next flight; when it starts, memory is looked at again, so a key is never computed twice. What
 * Redis did not have is computed on the loop when the flight is back, answered, and then written to Redis in the background.
 *
 *   loop:   fetch -> waiting --start--> flight ................ land: answers, done(), the next flight
 *   thread:                              MGET                          PSETEX ...
 */
#include "serve/feature_reader_private.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 1 << 20, SLOT_COUNT = 2048 };
_Static_assert(SLOT_COUNT >= 4 * LIMIT_FEATURE_KEYS, "the table of a flight stays sparse");

struct fetch {
    struct fetch *next;
    const struct feature_key *keys;
    size_t count;
    struct feature_answer *answers;
    bool has_waited; /* for another flight, which may have filled memory */
    void (*done)(void *context);
    void *context;
};

/* A key of a flight: what Redis had of it, then its answer. */
struct item {
    struct feature_key key;
    struct buffer bytes;
    bool is_found;
    struct feature_answer answer;
};

struct flight {
    struct feature_reader *reader; /* NULL: it is gone */
    struct redis_tier *redis;
    struct fetch *fetches;
    size_t count;
    struct item *items;         /* [LIMIT_FEATURE_KEYS] */
    uint16_t slots[SLOT_COUNT]; /* item + 1 by hash of the key */
};

/* ---- what is written and removed ---- */

struct written {
    char key[FEATURE_KEY_BYTES];
    struct buffer bytes;
    int64_t ttl_ms;
};

struct errand {
    struct redis_tier *redis;
    char prefix[FEATURE_KEY_BYTES]; /* to remove, when there is nothing to write */
    size_t count;
    struct written written[];
};

static void run_errand(void *context)
{
    struct errand *errand = context;
    if (errand->count == 0)
        redis_tier_remove_prefix(errand->redis, errand->prefix);
    for (size_t i = 0; i < errand->count; i++) {
        struct written *written = &errand->written[i];
        redis_tier_put(errand->redis, written->key, written->bytes.data, written->bytes.size_bytes,
                       written->ttl_ms);
        buffer_release(&written->bytes);
    }
    free(errand);
}

/* Redis without it is only slower, so failures to do so are not told. */
static void send_errand(struct feature_reader *reader, struct errand *errand)
{
    struct err ignored;
    enum err_code code = pool_submit(reader->pool, NULL, run_errand, NULL, errand, &ignored);
    if (code == ERR_OK)
        return;
    for (size_t i = 0; i < errand->count; i++)
        buffer_release(&errand->written[i].bytes);
    free(errand);
}

void reader_redis_remove(struct feature_reader *reader, const char *prefix)
{
    if (reader->redis == NULL)
        return;
    struct errand *errand = calloc(1, sizeof(*errand));
    if (errand == NULL)
        return; /* values are checked when they are read */
    errand->redis = reader->redis;
    (void)text_copy(text_of(prefix), errand->prefix, sizeof(errand->prefix));
    send_errand(reader, errand);
}

/* ---- a flight ---- */

static struct item *find_item(struct flight *flight, const char *key, bool may_add)
{
    size_t slot = hash_u64(key, strlen(key), 0) % SLOT_COUNT;
    for (; flight->slots[slot] != 0; slot = (slot + 1) % SLOT_COUNT) {
        struct item *item = &flight->items[flight->slots[slot] - 1];
        if (strcmp(item->key.text, key) == 0)
            return item;
    }
    if (!may_add || flight->count == LIMIT_FEATURE_KEYS)
        return NULL;
    struct item *item = &flight->items[flight->count++];
    *item = (struct item){0};
    buffer_init(&item->bytes, VALUE_BYTES);
    feature_answer_init(&item->answer);
    flight->slots[slot] = (uint16_t)flight->count;
    return item;
}

static void destroy_flight(struct flight *flight)
{
    for (size_t i = 0; i < flight->count; i++) {
        buffer_release(&flight->items[i].bytes);
        feature_answer_release(&flight->items[i].answer);
    }
    free(flight->items);
    free(flight);
}

static struct flight *create_flight(struct feature_reader *reader)
{
    struct flight *flight = calloc(1, sizeof(*flight));
    if (flight == NULL)
        return NULL;
    flight->items = malloc(LIMIT_FEATURE_KEYS * sizeof(*flight->items));
    if (flight->items == NULL) {
        free(flight);
        return NULL;
    }
    flight->reader = reader;
    flight->redis = reader->redis;
    return flight;
}

/* On the reader's thread. */
static void ask_redis(void *context)
{
    struct flight *flight = context;
    const char *keys[LIMIT_FEATURE_KEYS];
    struct buffer values[LIMIT_FEATURE_KEYS];
    bool found[LIMIT_FEATURE_KEYS];
    for (size_t i = 0; i < flight->count; i++) {
        keys[i] = flight->items[i].key.text;
        values[i] = flight->items[i].bytes;
    }
    redis_tier_get_many(flight->redis, keys, flight->count, values, found);
    for (size_t i = 0; i < flight->count; i++) {
        flight->items[i].bytes = values[i];
        flight->items[i].is_found = found[i];
    }
}

/* ---- answers ---- */

static void finish_fetch(struct fetch *fetch)
{
    void (*done)(void *context) = fetch->done;
    void *context = fetch->context;
    free(fetch);
    done(context);
}

/* Whoever misses something that the flight does not hold stays unanswered. */
static void answer_from(struct feature_reader *reader, struct flight *flight, const struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->count; i++) {
        struct feature_answer *answer = &fetch->answers[i];
        const struct item *item = answer->is_answered ? NULL : find_item(flight, fetch->keys[i].text, false);
        if (item == NULL)
            continue;
        if (item->answer.code != ERR_OK) {
            struct err err;
            (void)err_set(&err, item->answer.code, "%s",
                          item->answer.reason != NULL ? item->answer.reason : "");
            reader_fail(answer, &err);
            reader_count(reader, &fetch->keys[i], answer);
            continue;
        }
        buffer_append(&answer->value, item->answer.value.data, item->answer.value.size_bytes);
        answer->is_answered = true;
        answer->source = item->answer.source;
        answer->code = answer->value.failed;
        reader_count(reader, &fetch->keys[i], answer);
    }
}

/* Without Redis: no memory for a flight, or no thread. */
static void answer_alone(struct feature_reader *reader, const struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->count; i++) {
        struct feature_answer *answer = &fetch->answers[i];
        if (answer->is_answered)
            continue;
        reader_take_store(reader, &fetch->keys[i], answer, NULL);
        reader_count(reader, &fetch->keys[i], answer);
    }
}

static void write_back(struct feature_reader *reader, struct flight *flight)
{
    size_t count = 0;
    struct errand *errand = calloc(1, sizeof(*errand) + flight->count * sizeof(*errand->written));
    if (errand == NULL)
        return;
    for (size_t i = 0; i < flight->count; i++) {
        struct item *item = &flight->items[i];
        if (item->answer.code != ERR_OK || item->answer.source != FEATURE_FROM_STORE)
            continue;
        struct written *written = &errand->written[count++];
        memcpy(written->key, item->key.text, sizeof(written->key));
        written->bytes = item->bytes;
        written->ttl_ms = reader->views[item->key.view].view->ttl_ms;
        item->bytes = (struct buffer){0};
    }
    errand->redis = reader->redis;
    errand->count = count;
    if (count == 0)
        free(errand);
    else
        send_errand(reader, errand);
}

static void start_flight(struct feature_reader *reader);

static void land(void *context)
{
    struct flight *flight = context;
    struct feature_reader *reader = flight->reader;
    if (reader == NULL) {
        destroy_flight(flight);
        return;
    }
    reader_refresh(reader);
    for (size_t i = 0; i < flight->count; i++) {
        struct item *item = &flight->items[i];
        if (item->is_found && reader_take_redis(reader, &item->key, &item->bytes, &item->answer))
            continue;
        buffer_clear(&item->bytes);
        buffer_clear(&item->answer.value);
        reader_take_store(reader, &item->key, &item->answer, &item->bytes);
    }
    struct fetch *fetches = flight->fetches, *next;
    for (const struct fetch *fetch = fetches; fetch != NULL; fetch = fetch->next)
        answer_from(reader, flight, fetch);
    write_back(reader, flight);
    destroy_flight(flight);
    reader->flight = NULL;
    start_flight(reader); /* before the callbacks, which may start another read */
    for (struct fetch *fetch = fetches; fetch != NULL; fetch = next) {
        next = fetch->next;
        finish_fetch(fetch);
    }
}

/* Puts what the fetch still misses on board; false when there is no room for all of it. */
static bool board(struct feature_reader *reader, struct flight *flight, struct fetch *fetch,
                  bool *is_complete)
{
    *is_complete = true;
    for (size_t i = 0; i < fetch->count; i++) {
        struct feature_answer *answer = &fetch->answers[i];
        if (answer->is_answered)
            continue;
        if (fetch->has_waited && reader_take_memory(reader, &fetch->keys[i], answer)) {
            reader->waits++;
            reader_count(reader, &fetch->keys[i], answer);
            continue;
        }
        buffer_clear(&answer->value);
        struct item *item = find_item(flight, fetch->keys[i].text, true);
        if (item == NULL)
            return false;
        reader->waits += item->key.text[0] != '\0';
        item->key = fetch->keys[i];
        *is_complete = false;
    }
    return true;
}

static struct fetch *take_first(struct feature_reader *reader)
{
    struct fetch *fetch = reader->waiting;
    reader->waiting = fetch->next;
    if (reader->waiting == NULL)
        reader->waiting_end = &reader->waiting;
    fetch->next = NULL;
    return fetch;
}

static void finish_all(struct fetch *fetch)
{
    for (struct fetch *next; fetch != NULL; fetch = next) {
        next = fetch->next;
        finish_fetch(fetch);
    }
}

/* All that wait and fit; who is answered by memory meanwhile is done after the flight has left. */
static void start_flight(struct feature_reader *reader)
{
    struct fetch *answered = NULL, **answered_end = &answered, **aboard_end;
    struct err ignored;
    if (reader->flight != NULL || reader->waiting == NULL)
        return;
    struct flight *flight = create_flight(reader);
    while (reader->waiting != NULL) {
        bool is_complete = flight == NULL;
        if (flight == NULL)
            answer_alone(reader, reader->waiting);
        else if (!board(reader, flight, reader->waiting, &is_complete))
            break;
        struct fetch *fetch = take_first(reader);
        aboard_end = is_complete ? answered_end : &flight->fetches;
        if (!is_complete)
            while (*aboard_end != NULL)
                aboard_end = &(*aboard_end)->next;
        *aboard_end = fetch;
        if (is_complete)
            answered_end = &fetch->next;
    }
    reader->flight = flight;
    if (flight != NULL && flight->fetches == NULL) {
        destroy_flight(flight);
        reader->flight = NULL;
    } else if (flight != NULL &&
               pool_submit(reader->pool, reader->options.loop, ask_redis, land, flight, &ignored) != ERR_OK) {
        land(flight); /* nothing was found */
    }
    finish_all(answered);
}

enum err_code feature_reader_fetch(struct feature_reader *reader, const struct feature_key *keys,
                                   size_t count, struct feature_answer *answers, void (*done)(void *context),
                                   void *context, struct err *err)
{
    assert(count <= LIMIT_FEATURE_KEYS && reader->redis != NULL);
    struct fetch *fetch = malloc(sizeof(*fetch));
    if (fetch == NULL)
        return err_nomem(err, sizeof(*fetch));
    *fetch = (struct fetch){.keys = keys,
                            .count = count,
                            .answers = answers,
                            .has_waited = reader->flight != NULL,
                            .done = done,
                            .context = context};
    *reader->waiting_end = fetch;
    reader->waiting_end = &fetch->next;
    start_flight(reader);
    return ERR_OK;
}

static void cancel(struct feature_reader *reader, struct fetch *fetch)
{
    struct err err;
    (void)err_set(&err, ERR_CANCELLED, "the server is stopping");
    for (struct fetch *next; fetch != NULL; fetch = next) {
        next = fetch->next;
        for (size_t i = 0; i < fetch->count; i++) {
            if (fetch->answers[i].is_answered)
                continue;
            reader_fail(&fetch->answers[i], &err);
            reader_count(reader, &fetch->keys[i], &fetch->answers[i]);
        }
        finish_fetch(fetch);
    }
}

void reader_fetch_cancel(struct feature_reader *reader)
{
    struct fetch *waiting = reader->waiting;
    reader->waiting = NULL;
    reader->waiting_end = &reader->waiting;
    if (reader->flight != NULL) {
        struct fetch *aboard = reader->flight->fetches;
        reader->flight->fetches = NULL;
        reader->flight->reader = NULL; /* it frees itself when it lands */
        cancel(reader, aboard);
    }
    cancel(reader, waiting);
}
