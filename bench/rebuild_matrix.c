/* Bench: `almanac features build` with nothing kept, without the leak audit that the program makes of it: reads the store,
 * builds, writes the matrix.
 *
 *     bench_rebuild_matrix FOLDER THREADS
 *
 * One JSON line. A process of its own, so that its peak of memory is that of the build. */
#include "serve/present.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARGUMENTS = 3, THREADS_MAX = 64 };

static enum err_code run(char **argv, struct err *err)
{
    struct store store = {0};
    struct pool *pool = NULL;
    struct present present = {0};
    long threads = strtol(argv[2], NULL, 10);
    if (threads < 1 || threads > THREADS_MAX)
        return err_set(err, ERR_INVALID, "threads are 1 to %d", THREADS_MAX);
    enum err_code code = store_open(argv[1], DB_READ_ONLY, &store, err);
    if (code != ERR_OK)
        return code;
    code = pool_create((size_t)threads, &pool, err);
    if (code == ERR_OK) {
        struct present_request request = {
            .store = &store, .want_matrix = true, .from_scratch = true, .pool = pool};
        code = present_open(&request, &present, err);
    }
    if (code == ERR_OK)
        (void)printf("{\"rows\": %zu, \"columns\": %zu, \"took_ms\": %.1f}\n", matrix_rows(present.matrix),
                     matrix_columns(present.matrix), (double)present.took_us / 1e3);
    present_release(&present);
    if (pool != NULL)
        pool_destroy(pool);
    store_close(&store);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != ARGUMENTS) {
        (void)fprintf(stderr, "usage: %s FOLDER THREADS\n", argv[0]);
        return 2;
    }
    enum err_code code = run(argv, &err);
    if (code != ERR_OK)
        (void)fprintf(stderr, "bench_rebuild_matrix: %s\n", err.text);
    return err_exit_code(code);
}
