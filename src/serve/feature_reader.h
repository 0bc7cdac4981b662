/* Feature reader: features of teams, pairs and matches as of now, from the cheapest level that has them:
 *
 *   memory   this process, bytes by key (cache/cache.h), as long as the view allows
 *   redis    the same bytes, shared by several servers; optional
 *   store    the live tracker state and the database: computed
 *   ...      connectors: a further row in the list of feature_levels.c, asked when the levels above it have nothing
 *
 * A value is used only for the code and the data it was made from: its header names both (feature_value.h). When another
 * tracker state goes live, what belongs to countries whose leagues changed is dropped, here and in Redis; rows of matches
 * are dropped whenever the store changed.
 * Cold reads of one key do the work once: what one thread computes is done before the next read begins, and while Redis is
 * asked, whoever wants the same keys joins. The loop never waits for Redis: it is asked by a thread of the reader's own, all
 * keys of all waiting readers in one MGET.
 * Threads: the loop's. Memory: keys and answers are the caller's. */
#ifndef ALMANAC_SERVE_FEATURE_READER_H
#define ALMANAC_SERVE_FEATURE_READER_H

#include "base/buffer.h"
#include "base/err.h"
#include "cache/cache.h"
#include "cache/redis_tier.h"
#include "feature/view.h"
#include "os/clock.h"
#include "os/loop.h"
#include "serve/feature_value.h"
#include "serve/online.h"
#include "store/store.h"
#include <stdbool.h>
#include <stdint.h>

struct feature_reader;

enum feature_source { FEATURE_FROM_MEMORY, FEATURE_FROM_REDIS, FEATURE_FROM_STORE, FEATURE_SOURCE_COUNT };
const char *feature_source_name(enum feature_source source); /* "memory" ... */

struct feature_reader_options {
    struct loop *loop;
    struct store *store;
    struct clock clock;
    size_t memory_bytes;
    const char *redis_url;    /* NULL or "": none */
    int64_t redis_timeout_ms; /* > 0 if there is one */
    /* The state that answers now (NULL: none yet), valid until the loop goes on; *changes is another number whenever it or
     * the store changed. */
    const struct online *(*online)(void *context, uint64_t *changes);
    void *context;
};

enum err_code feature_reader_create(const struct feature_reader_options *options, struct feature_reader **out,
                                    struct err *err) CHECKED;
/* Fetches that are not done are done now, with ERR_CANCELLED. NULL is fine. */
void feature_reader_destroy(struct feature_reader *reader);

/* ---- keys ---- */

enum { FEATURE_KEY_BYTES = 128 };
struct feature_key {
    size_t view;           /* as football_view_at */
    int64_t id[VIEW_KEYS]; /* as stored */
    size_t stream;         /* country; of no meaning for a match */
    char text[FEATURE_KEY_BYTES];
};
/* ERR_NOT_FOUND with a reason for what is not known (for a misspelt name: the nearest), ERR_INVALID for what cannot be
 * meant, ERR_BUSY while no state is live. A team is "England/Arsenal", "E0/Arsenal" or an own id; a match an own id or one
 * of its source. */
enum err_code feature_reader_team(struct feature_reader *reader, size_t view, const char *team,
                                  struct feature_key *out, struct err *err) CHECKED;
enum err_code feature_reader_pair(struct feature_reader *reader, size_t view, const char *home,
                                  const char *away, struct feature_key *out, struct err *err) CHECKED;
enum err_code feature_reader_match(struct feature_reader *reader, size_t view, const char *match,
                                   struct feature_key *out, struct err *err) CHECKED;

/* A match page in one read. */
enum feature_group {
    GROUP_HOME_FORM,
    GROUP_AWAY_FORM,
    GROUP_HOME_STANDINGS,
    GROUP_AWAY_STANDINGS,
    GROUP_H2H,
    GROUP_ODDS,
    GROUP_MATCH,
    FEATURE_GROUP_COUNT
};
const char *feature_group_name(enum feature_group group); /* "home_form" ... */
/* Keys of all groups of a match; or, with match NULL, of two sides: the match of theirs to come, or else the last one.
 * *has_match false: they have none, and the keys of odds and match are not set. */
enum err_code feature_reader_bundle(struct feature_reader *reader, const char *match, const char *home,
                                    const char *away, struct feature_key out[FEATURE_GROUP_COUNT],
                                    bool *has_match, struct err *err) CHECKED;

/* ---- reading ---- */

struct feature_answer {
    bool is_answered;
    enum err_code code; /* ERR_OK: there is a value */
    char *reason;       /* when there is none; may be NULL (no memory for it) */
    enum feature_source source;
    struct buffer value; /* see feature_value_read_own; always with JSON */
};
void feature_answer_init(struct feature_answer *answer);
void feature_answer_clear(struct feature_answer *answer); /* for the next read; keeps the buffer's memory */
void feature_answer_release(struct feature_answer *answer);

/* Answers what can be had without waiting: all of it, unless a Redis is configured and has to be asked. True: every answer
 * is_answered. The answers come fresh from init or clear. */
bool feature_reader_read(struct feature_reader *reader, const struct feature_key *keys, size_t count,
                         struct feature_answer *answers);
/* The rest, after feature_reader_read was false: done(context) is called once, later. Keys and answers stay until then. At
 * most LIMIT_FEATURE_KEYS. (Without memory for a flight, done may be called before this returns.) */
enum err_code feature_reader_fetch(struct feature_reader *reader, const struct feature_key *keys,
                                   size_t count, struct feature_answer *answers, void (*done)(void *context),
                                   void *context, struct err *err) CHECKED;

/* Columns of a view, in the order of its values. */
size_t feature_reader_columns(const struct feature_reader *reader, size_t view);
const char *feature_reader_column_name(const struct feature_reader *reader, size_t view, size_t column);

struct feature_reader_counts {
    struct cache_counts memory;
    bool has_redis;
    struct redis_counts redis;
    uint64_t loads;    /* rows computed by the levels below the caches */
    uint64_t waits;    /* reads that shared a load with another's */
    uint64_t rejected; /* values of Redis that were damaged, or of other code or data */
};
struct feature_reader_counts feature_reader_counts(const struct feature_reader *reader);
uint64_t feature_reader_reads(const struct feature_reader *reader, size_t view, enum feature_source source);
uint64_t feature_reader_failures(const struct feature_reader *reader, size_t view);

#endif
