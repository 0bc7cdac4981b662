/* The builder against a slow computation from the definition: before an event, exactly the outcomes known by its start. */
#include "feature/test_domain.h"

#include "os/test_folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Mean of a player over all outcomes of the stream known at `now`, straight from the definition. */
static float slow_mean(const struct test_data *data, size_t s, int32_t player, int64_t now)
{
    double sum = 0;
    int64_t count = 0;
    for (size_t i = 0; i < data->streams[s].count; i++) {
        if (data->known_us[s][i] > now)
            continue;
        if (data->fixtures[s][i].a == player) {
            sum += data->outcomes[s][i].score_a;
            count++;
        }
        if (data->fixtures[s][i].b == player) {
            sum += data->outcomes[s][i].score_b;
            count++;
        }
    }
    return count > 0 ? (float)(sum / (double)count) : NAN;
}

static float *build(const struct test_data *data, struct pool *pool, struct live_state **state)
{
    float *values = calloc(data->rows * 3, sizeof(*values));
    assert_int_equal(builder_run(&test_set, data->streams, TEST_STREAMS, values, pool, NULL, state, NULL),
                     ERR_OK);
    return values;
}

static void only_what_was_known_is_used(void **context)
{
    struct test_data data;
    (void)context;
    test_data_init(&data, 300, 1);
    data.known_us[1][7] = INT64_MAX;                   /* never played */
    data.known_us[1][20] = data.start_us[1][20] + 500; /* known late: out of order */
    float *values = build(&data, NULL, NULL);
    for (size_t s = 0; s < TEST_STREAMS; s++) {
        for (size_t i = 0; i < data.per_stream; i++) {
            float expected = slow_mean(&data, s, data.fixtures[s][i].a, data.start_us[s][i]);
            float got = values[data.row[s][i] * 3];
            assert_true(isnan(expected) ? isnan(got) : got == expected);
        }
    }
    free(values);
    test_data_release(&data);
}

static void threads_do_not_change_the_bytes(void **context)
{
    struct test_data data;
    struct pool *pool = NULL;
    (void)context;
    test_data_init(&data, 5000, 2);
    assert_int_equal(pool_create(3, &pool, NULL), ERR_OK);
    float *one = build(&data, NULL, NULL), *many = build(&data, pool, NULL);
    assert_memory_equal(one, many, data.rows * 3 * sizeof(*one));
    free(one);
    free(many);
    pool_destroy(pool);
    test_data_release(&data);
}

/* The state at the end serves the next event as a longer build would have. */
static void the_live_state_continues_the_build(void **context)
{
    struct test_data data;
    struct live_state *state = NULL, *shorter = NULL;
    float live[3];
    (void)context;
    test_data_init(&data, 400, 3);
    size_t last = data.per_stream - 1;
    data.start_us[0][last] += 1000; /* after everything else is known */
    data.known_us[0][last] += 1000;
    test_data_rows(&data);
    float *values = build(&data, NULL, &state);
    data.streams[0].count = last;
    assert_int_equal(builder_run(&test_set, data.streams, TEST_STREAMS, NULL, NULL, NULL, &shorter, NULL),
                     ERR_OK);
    live_state_emit(shorter, 0, &data.fixtures[0][last], live);
    assert_memory_equal(live, values + data.row[0][last] * 3, sizeof(live));
    live_state_apply(shorter, 0, &data.fixtures[0][last], &data.outcomes[0][last]);
    float a[3], b[3];
    live_state_emit(shorter, 0, &data.fixtures[0][5], a);
    live_state_emit(state, 0, &data.fixtures[0][5], b);
    assert_memory_equal(a, b, sizeof(a));
    free(values);
    live_state_destroy(state);
    live_state_destroy(shorter);
    test_data_release(&data);
}

static void a_state_file_is_bound_to_its_data(void **context)
{
    struct test_data data;
    struct test_folder folder;
    struct live_state *state = NULL, *opened = NULL;
    struct stream_size sizes[TEST_STREAMS] = {{TEST_PLAYERS, 1}, {TEST_PLAYERS, 1}, {TEST_PLAYERS, 1}};
    char path[FILE_PATH_BYTES];
    float a[3], b[3];
    (void)context;
    test_folder_create(&folder);
    assert_int_equal(file_join(folder.path, "x.state", path, NULL), ERR_OK);
    test_data_init(&data, 100, 4);
    free(build(&data, NULL, &state));
    assert_int_equal(live_state_save(state, "tag", path, NULL), ERR_OK);
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "other", path, &opened, NULL),
                     ERR_CONFLICT);
    sizes[1].entities++;
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "tag", path, &opened, NULL),
                     ERR_CONFLICT);
    sizes[1].entities--;
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "tag", path, &opened, NULL), ERR_OK);
    live_state_emit(state, 2, &data.fixtures[2][9], a);
    live_state_emit(opened, 2, &data.fixtures[2][9], b);
    assert_memory_equal(a, b, sizeof(a));
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -3, SEEK_END), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    live_state_destroy(opened);
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "tag", path, &opened, NULL),
                     ERR_CORRUPT);
    live_state_destroy(state);
    test_data_release(&data);
    test_folder_remove(&folder);
}

static bool always_stop(void *context)
{
    (void)context;
    return true;
}

static void count_progress(void *context, size_t done, size_t total)
{
    atomic_size_t *last = context;
    assert_true(done <= total);
    atomic_store(last, done);
}

static void a_build_reports_and_stops(void **context)
{
    struct test_data data;
    struct err err = {0};
    atomic_size_t last = 0;
    (void)context;
    test_data_init(&data, 4000, 5);
    struct build_watch stopping = {NULL, always_stop, NULL}, counting = {count_progress, NULL, &last};
    assert_int_equal(builder_run(&test_set, data.streams, TEST_STREAMS, NULL, NULL, &stopping, NULL, &err),
                     ERR_CANCELLED);
    assert_int_equal(builder_run(&test_set, data.streams, TEST_STREAMS, NULL, NULL, &counting, NULL, &err),
                     ERR_OK);
    assert_int_equal(atomic_load(&last), data.rows);
    test_data_release(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_known_is_used),
        cmocka_unit_test(threads_do_not_change_the_bytes),
        cmocka_unit_test(the_live_state_continues_the_build),
        cmocka_unit_test(a_state_file_is_bound_to_its_data),
        cmocka_unit_test(a_build_reports_and_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
