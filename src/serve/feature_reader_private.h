/* Feature reader, inside view: shared by feature_reader.c (reading, levels, changes), feature_keys.c (names to keys) and
 * feature_fetch.c (the way through Redis). */
#ifndef ALMANAC_SERVE_FEATURE_READER_PRIVATE_H
#define ALMANAC_SERVE_FEATURE_READER_PRIVATE_H

#include "serve/feature_levels.h"
#include "serve/feature_reader.h"

#include "limits.h"
#include "os/thread.h"

enum { KNOWN_DATA_COUNT = 8 };

/* What is known of values made from other data: which countries changed since. */
struct known_data {
    bool is_set, is_known; /* not known: everything may differ */
    unsigned char data[HASH_BYTES];
    bool has_changed[LIMIT_LEAGUES]; /* by country */
};

struct fetch;
struct flight;

struct feature_reader {
    struct feature_reader_options options;
    struct cache *memory;
    struct served_view *views;
    size_t view_count;
    struct emitted_teams emitted;
    float *row;             /* of the widest view */
    struct buffer text;     /* scratch of rendering */
    const char **countries; /* [country_count]: league.h finds them by walking its table */
    size_t country_count;
    const struct online *online;
    uint64_t changes;
    char data_hash[HASH_HEX_BYTES]; /* of the state that answers; "" none yet */
    unsigned char data[HASH_BYTES];
    unsigned char
        match_data[HASH_BYTES]; /* of that state and of the store as it is now: prices come from there */
    struct known_data known[KNOWN_DATA_COUNT];
    size_t known_next;
    uint64_t loads, waits, rejected;
    /* Redis */
    struct redis_tier *redis; /* NULL: none */
    struct pool *pool;        /* for Redis alone */
    struct fetch *waiting, **waiting_end;
    struct flight *flight; /* NULL: Redis is not being asked */
};

/* Takes in what changed since the last call; every entry point begins with it. */
void reader_refresh(struct feature_reader *reader);
/* ERR_BUSY while no state is live. */
enum err_code reader_check(struct feature_reader *reader, struct err *err) CHECKED;
/* From memory into the answer; false: not there. */
bool reader_take_memory(struct feature_reader *reader, const struct feature_key *key,
                        struct feature_answer *answer);
/* Computes, keeps in memory and answers; *out_bytes (may be NULL) receives what Redis should keep. */
void reader_take_store(struct feature_reader *reader, const struct feature_key *key,
                       struct feature_answer *answer, struct buffer *out_bytes);
/* Keeps and answers what Redis had; false: it may not be used. */
bool reader_take_redis(struct feature_reader *reader, const struct feature_key *key,
                       const struct buffer *bytes, struct feature_answer *answer);
void reader_fail(struct feature_answer *answer, const struct err *err);
/* Once for every answer of a caller. */
void reader_count(struct feature_reader *reader, const struct feature_key *key,
                  const struct feature_answer *answer);

/* Redis, in the background. */
void reader_redis_remove(struct feature_reader *reader, const char *prefix);
void reader_fetch_cancel(struct feature_reader *reader);

#endif
