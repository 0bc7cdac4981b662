/* Bench: what one match-day more costs, against computing everything again; and opening the matrix, against the same.
 *
 *     bench_append_matrix FOLDER SCRATCH THREADS ROWS
 *
 * FOLDER is a data folder whose matrix is fresh and was extended by the last ROWS matches. Before anything is timed, that
 * matrix must have the bytes of a build from the first match. Then, in one JSON line:
 *
 *   build_ms         the whole build into memory: the fastest of three
 *   advance_us       the same state of the trackers, copied, advanced over the last ROWS outcomes, ROWS rows emitted
 *                    (median of many; the matches are in memory, as they are for the build)
 *   append_ms        the same with the rows appended to a matrix in SCRATCH, its new head written, all of it synced
 *   rebuild_ms       reading the store, building, writing the matrix: what the program does when nothing is kept
 *   open_us          opening the matrix file by its key and reading its first and last value (median)
 *   present_us       the same from the store: its key asked first, teams read
 */
#include "base/time.h"
#include "feature/builder.h"
#include "feature/matrix.h"
#include "football/feature_sets.h"
#include "history.h"
#include "os/clock.h"
#include "os/file.h"
#include "serve/present.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 5, BUILDS = 3, ADVANCES = 1001, OPENS = 101, ROWS_MAX = 10000, THREADS_MAX = 64 };

struct bench {
    const char *scratch;
    size_t rows, columns, new_rows;
    const struct feature_set *set;
    struct store store;
    struct pool *pool;
    struct history *all, *recent; /* recent: the days around the new rows, as an append reads them */
    struct live_state *before;    /* as of the start of the first new row */
    int64_t before_us;
    float *values; /* of the whole build */
    double build_ms, append_ms, rebuild_ms;
    int64_t advance_us, open_us, present_us;
};

static int compare_us(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median_us(int64_t *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare_us);
    return samples[count / 2];
}

static double ms_since(int64_t start_us)
{
    return (double)(clock_monotonic_us() - start_us) / 1e3;
}

static enum err_code build_all(struct bench *b, struct err *err)
{
    size_t size_bytes = b->rows * b->columns * sizeof(float);
    b->values = malloc(size_bytes + 1);
    if (b->values == NULL)
        return err_nomem(err, size_bytes);
    for (int i = 0; i < BUILDS; i++) {
        int64_t start_us = clock_monotonic_us();
        enum err_code code = builder_run(b->set, history_streams(b->all), history_stream_count(b->all),
                                         b->values, b->pool, NULL, NULL, err);
        if (code != ERR_OK)
            return code;
        double took_ms = ms_since(start_us);
        if (i == 0 || took_ms < b->build_ms)
            b->build_ms = took_ms;
    }
    return ERR_OK;
}

/* The matrix that the program keeps for this store is the one just built. */
static enum err_code check_kept(struct bench *b, struct err *err)
{
    struct present present = {0};
    struct present_request request = {
        .store = &b->store, .want_matrix = true, .only_open = true, .pool = b->pool};
    enum err_code code = present_open(&request, &present, err);
    if (code != ERR_OK)
        return code;
    if (matrix_rows(present.matrix) != b->rows || matrix_columns(present.matrix) != b->columns ||
        memcmp(matrix_values(present.matrix), b->values, b->rows * b->columns * sizeof(float)) != 0 ||
        memcmp(matrix_row_info(present.matrix), history_row_info(b->all),
               b->rows * sizeof(struct matrix_row)) != 0)
        code = err_set(err, ERR_CONFLICT, "the matrix in '%s' is not what a build from the first match gives",
                       b->store.matrix);
    present_release(&present);
    return code;
}

/* ---- one match-day more ---- */

static enum err_code state_before(struct bench *b, struct err *err)
{
    const struct matrix_row *info = history_row_info(b->all);
    b->before_us = info[b->rows - b->new_rows].start_us;
    if (info[b->rows - b->new_rows - 1].start_us >= b->before_us)
        return err_set(err, ERR_INVALID, "the last %zu matches do not begin after all others", b->new_rows);
    enum err_code code = bench_history(&b->store, time_day_of(b->before_us) - 2, &b->recent, err);
    if (code == ERR_OK)
        code =
            live_state_create(b->set, history_sizes(b->all), history_stream_count(b->all), &b->before, err);
    if (code == ERR_OK)
        code =
            builder_advance(b->before, history_streams(b->all), (struct build_span){INT64_MIN, b->before_us},
                            (struct build_target){0}, NULL, NULL, err);
    return code;
}

static enum err_code advance(struct bench *b, struct live_state *state, float *values, struct err *err)
{
    struct build_target target = {values, history_rows(b->recent) - b->new_rows, b->columns, NULL};
    return builder_advance(state, history_streams(b->recent), (struct build_span){b->before_us, INT64_MAX},
                           target, NULL, NULL, err);
}

static const float *last_rows(const struct bench *b)
{
    return b->values + (b->rows - b->new_rows) * b->columns;
}

static enum err_code measure_advance(struct bench *b, struct err *err)
{
    size_t size_bytes = b->new_rows * b->columns * sizeof(float);
    float *values = malloc(size_bytes);
    int64_t *samples = calloc(ADVANCES, sizeof(*samples));
    enum err_code code = values != NULL && samples != NULL ? ERR_OK : err_nomem(err, size_bytes);
    for (size_t i = 0; code == ERR_OK && i < ADVANCES; i++) {
        struct live_state *state = NULL;
        memset(values, 0, size_bytes);
        code = live_state_copy(b->before, &state, err);
        int64_t start_us = clock_monotonic_us();
        if (code == ERR_OK)
            code = advance(b, state, values, err);
        samples[i] = clock_monotonic_us() - start_us;
        live_state_destroy(state);
        if (code == ERR_OK && memcmp(values, last_rows(b), size_bytes) != 0)
            code =
                err_set(err, ERR_CONFLICT, "the appended rows are not those of a build from the first match");
    }
    if (code == ERR_OK)
        b->advance_us = median_us(samples, ADVANCES);
    free(samples);
    free(values);
    return code;
}

/* A matrix of all rows but the new ones. */
static enum err_code write_base(struct bench *b, struct matrix **out, struct err *err)
{
    struct matrix_build build = {0};
    size_t rows = b->rows - b->new_rows;
    enum err_code code = matrix_build_start(b->scratch, "before", b->set, NULL, 0, rows, &build, err);
    if (code != ERR_OK)
        return code;
    memcpy(build.rows, history_row_info(b->all), rows * sizeof(*build.rows));
    memcpy(build.values, b->values, rows * b->columns * sizeof(float));
    code = matrix_build_finish(&build, b->pool, out, err);
    matrix_build_abandon(&build);
    return code;
}

static enum err_code measure_append(struct bench *b, struct err *err)
{
    struct matrix *base = NULL, *appended = NULL;
    struct matrix_build build = {0};
    struct live_state *state = NULL;
    enum err_code code = write_base(b, &base, err);
    if (code == ERR_OK)
        code = live_state_copy(b->before, &state, err);
    int64_t start_us = clock_monotonic_us();
    if (code == ERR_OK)
        code = matrix_build_start(b->scratch, "after", b->set, base, b->rows - b->new_rows, b->rows, &build,
                                  err);
    if (code == ERR_OK) {
        memcpy(build.rows, history_row_info(b->all) + b->rows - b->new_rows,
               b->new_rows * sizeof(*build.rows));
        code = advance(b, state, build.values, err);
    }
    if (code == ERR_OK)
        code = matrix_build_finish(&build, b->pool, &appended, err);
    b->append_ms = ms_since(start_us);
    matrix_build_abandon(&build);
    if (code == ERR_OK &&
        (matrix_rows(appended) != b->rows ||
         memcmp(matrix_values(appended), b->values, b->rows * b->columns * sizeof(float)) != 0))
        code = err_set(err, ERR_CONFLICT, "the appended matrix is not that of a build from the first match");
    matrix_close(appended);
    matrix_close(base);
    live_state_destroy(state);
    return code;
}

/* ---- opening, rebuilding ---- */

static float first_and_last(const struct matrix *matrix)
{
    return matrix_values(matrix)[0] + matrix_values(matrix)[matrix_rows(matrix) * matrix_columns(matrix) - 1];
}

static enum err_code measure_opens(struct bench *b, struct err *err)
{
    int64_t files_us[OPENS], presents_us[OPENS];
    char key[HASH_HEX_BYTES];
    volatile float seen = 0;
    enum err_code code = present_key(&b->store, key, err);
    for (size_t i = 0; code == ERR_OK && i < OPENS; i++) {
        struct matrix *matrix = NULL;
        struct present present = {0};
        struct present_request request = {.store = &b->store, .want_matrix = true, .only_open = true};
        int64_t start_us = clock_monotonic_us();
        code = matrix_open(b->store.matrix, key, &matrix, err);
        if (code == ERR_OK)
            seen = first_and_last(matrix);
        files_us[i] = clock_monotonic_us() - start_us;
        matrix_close(matrix);
        start_us = clock_monotonic_us();
        if (code == ERR_OK)
            code = present_open(&request, &present, err);
        if (code == ERR_OK)
            seen = first_and_last(present.matrix);
        presents_us[i] = clock_monotonic_us() - start_us;
        present_release(&present);
    }
    (void)seen;
    if (code == ERR_OK) {
        b->open_us = median_us(files_us, OPENS);
        b->present_us = median_us(presents_us, OPENS);
    }
    return code;
}

static enum err_code measure_rebuild(struct bench *b, struct err *err)
{
    struct present present = {0};
    struct present_request request = {
        .store = &b->store, .want_matrix = true, .from_scratch = true, .pool = b->pool};
    int64_t start_us = clock_monotonic_us();
    enum err_code code = present_open(&request, &present, err);
    b->rebuild_ms = ms_since(start_us);
    present_release(&present);
    return code;
}

static enum err_code measure(struct bench *b, struct err *err)
{
    enum err_code code = build_all(b, err);
    if (code == ERR_OK)
        code = check_kept(b, err);
    if (code == ERR_OK)
        code = state_before(b, err);
    if (code == ERR_OK)
        code = measure_advance(b, err);
    if (code == ERR_OK)
        code = measure_append(b, err);
    if (code == ERR_OK)
        code = measure_opens(b, err);
    if (code == ERR_OK)
        code = measure_rebuild(b, err);
    if (code == ERR_OK)
        (void)printf(
            "{\"rows\": %zu, \"columns\": %zu, \"new_rows\": %zu, \"build_ms\": %.1f, \"advance_us\": %lld, "
            "\"append_ms\": %.3f, \"rebuild_ms\": %.1f, \"open_us\": %lld, \"present_us\": %lld}\n",
            b->rows, b->columns, b->new_rows, b->build_ms, (long long)b->advance_us, b->append_ms,
            b->rebuild_ms, (long long)b->open_us, (long long)b->present_us);
    return code;
}

static enum err_code run(char **argv, struct err *err)
{
    struct bench b = {.scratch = argv[2], .set = football_feature_set_widest()};
    long threads = strtol(argv[3], NULL, 10), new_rows = strtol(argv[4], NULL, 10);
    if (threads < 1 || threads > THREADS_MAX || new_rows < 1 || new_rows > ROWS_MAX)
        return err_set(err, ERR_INVALID, "threads are 1 to %d, rows 1 to %d", THREADS_MAX, ROWS_MAX);
    b.new_rows = (size_t)new_rows;
    enum err_code code = store_open(argv[1], DB_READ_ONLY, &b.store, err);
    if (code != ERR_OK)
        return code;
    code = pool_create((size_t)threads, &b.pool, err);
    if (code == ERR_OK)
        code = bench_history(&b.store, INT64_MIN, &b.all, err);
    if (code == ERR_OK) {
        b.rows = history_rows(b.all);
        b.columns = feature_set_columns(b.set);
        code = b.rows > b.new_rows ? measure(&b, err)
                                   : err_set(err, ERR_INVALID, "the store holds %zu matches only", b.rows);
    }
    live_state_destroy(b.before);
    history_destroy(b.recent);
    history_destroy(b.all);
    free(b.values);
    if (b.pool != NULL)
        pool_destroy(b.pool);
    store_close(&b.store);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != ARGUMENTS) {
        (void)fprintf(stderr, "usage: %s FOLDER SCRATCH THREADS ROWS\n", argv[0]);
        return 2;
    }
    enum err_code code = run(argv, &err);
    if (code != ERR_OK)
        (void)fprintf(stderr, "bench_append_matrix: %s\n", err.text);
    return err_exit_code(code);
}
