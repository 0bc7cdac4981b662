/* Bench: how fast this machine copies memory: the floor under the time of anything that writes so many bytes.
 *
 *     bench_memcpy_rate MEGABYTES THREADS REPEATS
 *
 * Each thread copies its share of a block into another; both were touched before, so no page is new. One JSON line: the
 * fastest of the repeats, in bytes copied (read once and written once) per second. */
#include "os/clock.h"
#include "os/thread.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 4, MEGABYTES_MAX = 16384, THREADS_MAX = 64, REPEATS_MAX = 1000 };

struct copying {
    unsigned char *to;
    const unsigned char *from;
    size_t share_bytes;
};

static void copy_share(void *context, size_t index)
{
    const struct copying *copying = context;
    memcpy(copying->to + index * copying->share_bytes, copying->from + index * copying->share_bytes,
           copying->share_bytes);
}

static int64_t fastest_us(struct pool *pool, struct copying *copying, size_t threads, long repeats)
{
    int64_t fastest = INT64_MAX;
    for (long i = 0; i < repeats; i++) {
        int64_t start_us = clock_monotonic_us();
        pool_for(pool, threads, copy_share, copying);
        int64_t took_us = clock_monotonic_us() - start_us;
        fastest = took_us < fastest ? took_us : fastest;
    }
    return fastest > 0 ? fastest : 1;
}

static enum err_code run(char **argv, struct err *err)
{
    long megabytes = strtol(argv[1], NULL, 10), threads = strtol(argv[2], NULL, 10),
         repeats = strtol(argv[3], NULL, 10);
    if (megabytes < 1 || megabytes > MEGABYTES_MAX || threads < 1 || threads > THREADS_MAX || repeats < 1 ||
        repeats > REPEATS_MAX)
        return err_set(err, ERR_INVALID, "megabytes are 1 to %d, threads 1 to %d, repeats 1 to %d",
                       MEGABYTES_MAX, THREADS_MAX, REPEATS_MAX);
    struct pool *pool = NULL;
    size_t share_bytes = (size_t)megabytes * 1000000 / (size_t)threads,
           size_bytes = share_bytes * (size_t)threads;
    unsigned char *from = malloc(size_bytes), *to = malloc(size_bytes);
    enum err_code code = from != NULL && to != NULL ? ERR_OK : err_nomem(err, size_bytes);
    if (code == ERR_OK)
        code = pool_create((size_t)threads, &pool, err);
    if (code == ERR_OK) {
        memset(from, 1, size_bytes);
        memset(to, 2, size_bytes);
        struct copying copying = {to, from, share_bytes};
        int64_t took_us = fastest_us(pool, &copying, (size_t)threads, repeats);
        if (to[size_bytes - 1] != 1)
            code = err_set(err, ERR_INTERNAL, "the copy is not what was copied");
        else
            (void)printf("{\"bytes\": %zu, \"threads\": %ld, \"bytes_per_s\": %.0f}\n", size_bytes, threads,
                         (double)size_bytes * 1e6 / (double)took_us);
    }
    if (pool != NULL)
        pool_destroy(pool);
    free(from);
    free(to);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != ARGUMENTS) {
        (void)fprintf(stderr, "usage: %s MEGABYTES THREADS REPEATS\n", argv[0]);
        return 2;
    }
    enum err_code code = run(argv, &err);
    if (code != ERR_OK)
        (void)fprintf(stderr, "bench_memcpy_rate: %s\n", err.text);
    return err_exit_code(code);
}
