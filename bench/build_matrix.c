/* Bench: the feature build of `almanac features build --rebuild`, of the families that the peer (peer_matrix/) computes
 * as well: the same builder, streams and trackers, fewer of them. Reading the store is timed apart.
 *
 *     bench_build_matrix FOLDER THREADS REPEATS FAMILY...
 *
 * One JSON line; first_ms pays for the pages of a fresh allocation, build_ms is the fastest of the later builds. */
#include "feature/builder.h"
#include "football/bookmaker.h"
#include "football/families.h"
#include "football/history.h"
#include "os/clock.h"
#include "store/football_store.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FAMILY = 4, REPEATS_MAX = 1000 };

static const struct tracker *const trackers[] = {
#define FAMILY(name)        &tracker_##name,
#define PRICED_FAMILY(name) &tracker_##name,
#include "football/family_list.h"
#undef FAMILY
#undef PRICED_FAMILY
};
enum { TRACKER_COUNT = sizeof(trackers) / sizeof(trackers[0]) };

/* The named families, in the order of the list. */
static enum err_code choose(char **names, const struct tracker *chosen[TRACKER_COUNT + 1], struct err *err)
{
    size_t wanted = 0, count = 0;
    while (names[wanted] != NULL)
        wanted++;
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
    struct football_frames frames = {0};
    enum err_code code = store_open(folder, DB_READ_ONLY, &store, err);
    if (code != ERR_OK)
        return code;
    code = football_store_load(store.db, bookmaker_names(), 0, &frames, err);
    if (code == ERR_OK)
        code = history_create(frames.teams, frames.matches, frames.prices, (struct history_options){0}, out,
                              err);
    football_frames_release(&frames);
    store_close(&store);
    return code;
}

static enum err_code measure(const struct feature_set *set, const struct history *history, struct pool *pool,
                             long repeats, double *first_ms, double *build_ms, struct err *err)
{
    size_t size_bytes = history_rows(history) * feature_set_columns(set) * sizeof(float);
    float *values = malloc(size_bytes + 1);
    enum err_code code = values != NULL ? ERR_OK : err_nomem(err, size_bytes);
    for (long i = 0; code == ERR_OK && i < repeats; i++) {
        int64_t start_us = clock_monotonic_us();
        code = builder_run(set, history_streams(history), history_stream_count(history), values, pool, NULL,
                           NULL, err);
        double elapsed_ms = (double)(clock_monotonic_us() - start_us) / 1e3;
        if (i == 0)
            *first_ms = elapsed_ms;
        if (i <= 1 || elapsed_ms < *build_ms)
            *build_ms = elapsed_ms;
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
    double first_ms = 0, build_ms = 0;
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
        code = measure(&set, history, pool, repeats, &first_ms, &build_ms, err);
    if (code == ERR_OK)
        (void)printf(
            "{\"rows\": %zu, \"columns\": %zu, \"load_ms\": %.1f, \"first_ms\": %.1f, \"build_ms\": %.1f}\n",
            history_rows(history), feature_set_columns(&set), (double)(loaded_us - start_us) / 1e3, first_ms,
            build_ms);
    if (pool != NULL)
        pool_destroy(pool);
    history_destroy(history);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc <= FIRST_FAMILY) {
        (void)fprintf(stderr, "usage: %s FOLDER THREADS REPEATS FAMILY...\n", argv[0]);
        return 2;
    }
    enum err_code code = run(argv, &err);
    if (code != ERR_OK)
        (void)fprintf(stderr, "bench_build_matrix: %s\n", err.text);
    return err_exit_code(code);
}
