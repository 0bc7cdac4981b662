/* Bench: the feature build of `almanac features build --rebuild`, of the families that the peer (peer_matrix/) computes
 * as well: the same builder, streams and trackers, fewer of them. Reading the store is timed apart.
 *
 *     bench_build_matrix FOLDER THREADS REPEATS FAMILY...|all
 *
 * One JSON line; first_ms pays for the pages of a fresh allocation, build_ms is the fastest of the later builds, hash is
 * of the values, so that two runs can be compared. */
#include "base/hash.h"
#include "feature/builder.h"
#include "football/families.h"
#include "history.h"
#include "os/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FAMILY = 4, REPEATS_MAX = 1000 };

static const struct tracker *const trackers[] = {
#define FAMILY(name)        &tracker_##name,
#define EXTRA_FAMILY(name)  &tracker_##name,
#define PRICED_FAMILY(name) &tracker_##name,
#include "football/family_list.h"
#undef FAMILY
#undef EXTRA_FAMILY
#undef PRICED_FAMILY
};
enum { TRACKER_COUNT = sizeof(trackers) / sizeof(trackers[0]) };

/* The named families, in the order of the list; "all" alone names every one. */
static enum err_code choose(char **names, const struct tracker *chosen[TRACKER_COUNT + 1], struct err *err)
{
    size_t wanted = 0, count = 0;
    while (names[wanted] != NULL)
        wanted++;
    if (wanted == 1 && strcmp(names[0], "all") == 0) {
        memcpy(chosen, trackers, sizeof(trackers));
        chosen[TRACKER_COUNT] = NULL;
        return ERR_OK;
    }
    for (size_t i = 0; i < TRACKER_COUNT; i++) {
        for (size_t k = 0; k < wanted; k++) {
            if (strcmp(names[k], trackers[i]->family) == 0) {
                chosen[count++] = trackers[i];
                break;
            }
        }
    }
    chosen[count] = NULL;
    return count == wanted && count > 0
               ? ERR_OK
               : err_set(err, ERR_NOT_FOUND, "%zu of %zu families found", count, wanted);
}

static enum err_code load_history(const char *folder, struct history **out, struct err *err)
{
    struct store store = {0};
    enum err_code code = store_open(folder, DB_READ_ONLY, &store, err);
    if (code != ERR_OK)
        return code;
    code = bench_history(&store, INT64_MIN, out, err);
    store_close(&store);
    return code;
}

struct measured {
    double first_ms, build_ms;
    char hash[HASH_HEX_BYTES];
};

static enum err_code measure(const struct feature_set *set, const struct history *history, struct pool *pool,
                             long repeats, struct measured *out, struct err *err)
{
    unsigned char digest[HASH_BYTES];
    size_t size_bytes = history_rows(history) * feature_set_columns(set) * sizeof(float);
    float *values = malloc(size_bytes + 1);
    enum err_code code = values != NULL ? ERR_OK : err_nomem(err, size_bytes);
    for (long i = 0; code == ERR_OK && i < repeats; i++) {
        int64_t start_us = clock_monotonic_us();
        code = builder_run(set, history_streams(history), history_stream_count(history), values, pool, NULL,
                           NULL, err);
        double elapsed_ms = (double)(clock_monotonic_us() - start_us) / 1e3;
        if (i == 0)
            out->first_ms = elapsed_ms;
        if (i <= 1 || elapsed_ms < out->build_ms)
            out->build_ms = elapsed_ms;
    }
    if (code == ERR_OK) {
        hash_bytes(values, size_bytes, digest);
        for (size_t i = 0; i < HASH_BYTES; i++)
            (void)snprintf(out->hash + 2 * i, 3, "%02x", digest[i]);
    }
    free(values);
    return code;
}

static enum err_code run(char **argv, struct err *err)
{
    const struct tracker *chosen[TRACKER_COUNT + 1];
    struct feature_set set = {"bench", "the families of the peer", chosen};
    struct history *history = NULL;
    struct pool *pool = NULL;
    struct measured measured = {0};
    long threads = strtol(argv[2], NULL, 10), repeats = strtol(argv[3], NULL, 10);
    if (threads < 1 || threads > 64 || repeats < 1 || repeats > REPEATS_MAX)
        return err_set(err, ERR_INVALID, "threads are 1 to 64, repeats 1 to %d", REPEATS_MAX);
    enum err_code code = choose(argv + FIRST_FAMILY, chosen, err);
    int64_t start_us = clock_monotonic_us();
    if (code == ERR_OK)
        code = load_history(argv[1], &history, err);
    int64_t loaded_us = clock_monotonic_us();
    if (code == ERR_OK)
        code = pool_create((size_t)threads, &pool, err);
    if (code == ERR_OK)
        code = measure(&set, history, pool, repeats, &measured, err);
    if (code == ERR_OK)
        (void)printf(
            "{\"rows\": %zu, \"columns\": %zu, \"load_ms\": %.1f, \"first_ms\": %.1f, \"build_ms\": %.1f, "
            "\"hash\": \"%s\"}\n",
            history_rows(history), feature_set_columns(&set), (double)(loaded_us - start_us) / 1e3,
            measured.first_ms, measured.build_ms, measured.hash);
    if (pool != NULL)
        pool_destroy(pool);
    history_destroy(history);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc <= FIRST_FAMILY) {
        (void)fprintf(stderr, "usage: %s FOLDER THREADS REPEATS FAMILY...|all\n", argv[0]);
        return 2;
    }
    enum err_code code = run(argv, &err);
    if (code != ERR_OK)
        (void)fprintf(stderr, "bench_build_matrix: %s\n", err.text);
    return err_exit_code(code);
}
