/* The builder against a slow computation from the definition: before an event, exactly the outcomes known by its start. */
#include "feature/live_state.h"
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
    int64_t at_us = 0;
    (void)context;
    test_folder_create(&folder);
    assert_int_equal(file_join(folder.path, "x.state", path, NULL), ERR_OK);
    test_data_init(&data, 100, 4);
    free(build(&data, NULL, &state));
    assert_int_equal(live_state_save(state, "tag", 77, path, NULL), ERR_OK);
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "other", path, &opened, &at_us, NULL),
                     ERR_CONFLICT);
    sizes[1].entities++;
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "tag", path, &opened, &at_us, NULL),
                     ERR_CONFLICT);
    sizes[1].entities--;
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "tag", path, &opened, &at_us, NULL),
                     ERR_OK);
    live_state_emit(state, 2, &data.fixtures[2][9], a);
    live_state_emit(opened, 2, &data.fixtures[2][9], b);
    assert_memory_equal(a, b, sizeof(a));
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long offset = 0; offset < 192; offset += 5) { /* every part of the header, the moment too */
        assert_int_equal(fseek(file, offset, SEEK_SET), 0);
        int byte = fgetc(file);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(fseek(file, offset, SEEK_SET), 0);
            assert_int_equal(fputc(round == 0 ? byte ^ 0x20 : byte, file), round == 0 ? byte ^ 0x20 : byte);
            assert_int_equal(fflush(file), 0);
            struct live_state *other = NULL;
            assert_int_equal(
                live_state_open(&test_set, sizes, TEST_STREAMS, "tag", path, &other, &at_us, NULL),
                round == 0 ? ERR_CORRUPT : ERR_OK);
            live_state_destroy(other);
        }
    }
    assert_int_equal(fseek(file, -3, SEEK_END), 0);
    assert_int_equal(fputc('x', file), 'x');
    assert_int_equal(fclose(file), 0);
    live_state_destroy(opened);
    assert_int_equal(live_state_open(&test_set, sizes, TEST_STREAMS, "tag", path, &opened, &at_us, NULL),
                     ERR_CORRUPT);
    live_state_destroy(state);
    test_data_release(&data);
    test_folder_remove(&folder);
}

/* Values of one run over [INT64_MIN, cut) and a second over [cut, INT64_MAX), with states after each. */
struct cut_run {
    float *values;
    struct live_state *before, *after;
};

static void run_span(const struct test_data *data, struct build_span span, float *values, struct pool *pool,
                     struct live_state *state)
{
    struct build_target target = {.values = values, .stride = TEST_PAIR_COLUMNS};
    assert_int_equal(builder_advance(state, data->streams, span, target, pool, NULL, NULL), ERR_OK);
}

static struct live_state *new_state(const struct feature_set *set)
{
    struct stream_size sizes[TEST_STREAMS] = {{TEST_PLAYERS, 1}, {TEST_PLAYERS, 1}, {TEST_PLAYERS, 1}};
    struct live_state *state = NULL;
    assert_int_equal(live_state_create(set, sizes, TEST_STREAMS, &state, NULL), ERR_OK);
    return state;
}

static struct cut_run run_cut(const struct test_data *data, int64_t cut_us, struct pool *pool)
{
    struct cut_run run = {.values = calloc(data->rows * TEST_PAIR_COLUMNS, sizeof(float))};
    run.before = new_state(&test_pair_set);
    run_span(data, (struct build_span){INT64_MIN, cut_us}, run.values, pool, run.before);
    assert_int_equal(live_state_copy(run.before, &run.after, NULL), ERR_OK);
    run_span(data, (struct build_span){cut_us, INT64_MAX}, run.values, pool, run.after);
    return run;
}

static void cut_run_release(struct cut_run *run)
{
    free(run->values);
    live_state_destroy(run->before);
    live_state_destroy(run->after);
}

static void assert_same_state(const struct live_state *a, const struct live_state *b)
{
    assert_int_equal(live_state_size_bytes(a), live_state_size_bytes(b));
    assert_memory_equal(a->block, b->block, a->block_bytes);
}

/* The state at a moment by its definition: exactly the outcomes known by then, in order of (known, event). */
static struct live_state *slow_state(const struct test_data *data, int64_t at_us)
{
    struct live_state *state = new_state(&test_pair_set);
    for (size_t s = 0; s < TEST_STREAMS; s++) {
        int64_t now_us = INT64_MIN;
        for (;;) { /* all outcomes of the next moment at which any became known */
            int64_t next_us = INT64_MAX;
            for (size_t i = 0; i < data->per_stream; i++) {
                if (data->known_us[s][i] > now_us && data->known_us[s][i] < next_us)
                    next_us = data->known_us[s][i];
            }
            if (next_us == INT64_MAX || next_us > at_us)
                break;
            for (size_t i = 0; i < data->per_stream; i++) {
                if (data->known_us[s][i] == next_us)
                    live_state_apply(state, s, &data->fixtures[s][i], &data->outcomes[s][i]);
            }
            now_us = next_us;
        }
    }
    return state;
}

/* Late knowledge, events never played, and knowledge at the very start of another event. */
static void disturb(struct test_data *data, uint64_t seed)
{
    struct random random;
    random_init(&random, seed);
    for (size_t s = 0; s < TEST_STREAMS; s++) {
        for (size_t i = 0; i < data->per_stream; i++) {
            uint64_t kind = random_below(&random, 10);
            if (kind == 0)
                data->known_us[s][i] += (int64_t)random_below(&random, 400);
            else if (kind == 1)
                data->known_us[s][i] = INT64_MAX;
            else if (kind <= 4) /* starts are multiples of 10: a tie with a later start */
                data->known_us[s][i] = data->start_us[s][i] + 10 * (1 + (int64_t)random_below(&random, 4));
        }
    }
}

static void check_cut(const struct test_data *data, int64_t cut_us, struct pool *pool, const float *whole,
                      const struct live_state *end)
{
    struct cut_run run = run_cut(data, cut_us, pool);
    assert_memory_equal(run.values, whole, data->rows * TEST_PAIR_COLUMNS * sizeof(*whole));
    assert_same_state(run.after, end);
    struct live_state *slow = slow_state(data, cut_us);
    assert_same_state(run.before, slow);
    live_state_destroy(slow);
    cut_run_release(&run);
}

static float *run_whole(const struct test_data *data, struct live_state **end)
{
    float *values = calloc(data->rows * TEST_PAIR_COLUMNS, sizeof(*values));
    assert_int_equal(builder_run(&test_pair_set, data->streams, TEST_STREAMS, values, NULL, NULL, end, NULL),
                     ERR_OK);
    return values;
}

static void a_cut_anywhere_changes_nothing(void **context)
{
    (void)context;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct test_data data;
        struct live_state *end = NULL;
        struct random random;
        test_data_init(&data, 60, seed);
        disturb(&data, seed);
        random_init(&random, seed);
        float *whole = run_whole(&data, &end);
        for (size_t s = 0; s < TEST_STREAMS; s++) {
            for (size_t i = 0; i < data.per_stream; i++) {
                check_cut(&data, data.start_us[s][i], NULL, whole, end);
                if (data.known_us[s][i] < INT64_MAX)
                    check_cut(&data, data.known_us[s][i], NULL, whole, end);
            }
        }
        for (size_t i = 0; i < 200; i++)
            check_cut(&data, 900 + (int64_t)random_below(&random, 1500), NULL, whole, end);
        check_cut(&data, INT64_MIN, NULL, whole, end);
        check_cut(&data, INT64_MAX, NULL, whole, end);
        free(whole);
        live_state_destroy(end);
        test_data_release(&data);
    }
}

static void cuts_on_several_threads(void **context)
{
    struct test_data data;
    struct live_state *end = NULL, *state = new_state(&test_pair_set);
    struct pool *pool = NULL;
    struct random random;
    (void)context;
    test_data_init(&data, 3000, 9);
    disturb(&data, 9);
    random_init(&random, 9);
    assert_int_equal(pool_create(3, &pool, NULL), ERR_OK);
    float *whole = run_whole(&data, &end), *values = calloc(data.rows * TEST_PAIR_COLUMNS, sizeof(*values));
    int64_t from_us = INT64_MIN, until_us = 1000; /* many spans, one after the other */
    while (from_us < INT64_MAX) {
        until_us = until_us < 40000 ? until_us + (int64_t)random_below(&random, 6000) : INT64_MAX;
        run_span(&data, (struct build_span){from_us, until_us}, values, pool, state);
        from_us = until_us;
    }
    assert_memory_equal(values, whole, data.rows * TEST_PAIR_COLUMNS * sizeof(*whole));
    assert_same_state(state, end);
    free(whole);
    free(values);
    live_state_destroy(end);
    live_state_destroy(state);
    pool_destroy(pool);
    test_data_release(&data);
}

/* The stream of an append: only events that start at the cut or later, or whose outcomes were not known by it. */
static void the_later_part_is_enough(void **context)
{
    enum { CUT_US = 1300 };
    struct test_data data, later;
    struct live_state *end = NULL;
    (void)context;
    test_data_init(&data, 60, 4);
    disturb(&data, 4);
    float *whole = run_whole(&data, &end);
    struct cut_run run = run_cut(&data, CUT_US, NULL);
    memset(run.values, 0, data.rows * TEST_PAIR_COLUMNS * sizeof(float));
    test_data_init(&later, 60, 4);
    size_t first_row = data.rows;
    for (size_t s = 0; s < TEST_STREAMS; s++) {
        size_t count = 0;
        for (size_t i = 0; i < data.per_stream; i++) {
            bool is_new = data.start_us[s][i] >= CUT_US;
            if (!is_new && (data.known_us[s][i] <= CUT_US || data.known_us[s][i] == INT64_MAX))
                continue;
            later.start_us[s][count] = data.start_us[s][i];
            later.known_us[s][count] = data.known_us[s][i];
            later.fixtures[s][count] = data.fixtures[s][i];
            later.outcomes[s][count] = data.outcomes[s][i];
            later.row[s][count++] = data.row[s][i];
            if (is_new && data.row[s][i] < first_row)
                first_row = data.row[s][i];
        }
        later.streams[s].count = count;
    }
    assert_true(first_row > 0 && first_row < data.rows);
    struct build_target target = {.values = run.values, .first_row = first_row, .stride = TEST_PAIR_COLUMNS};
    assert_int_equal(builder_advance(run.before, later.streams, (struct build_span){CUT_US, INT64_MAX},
                                     target, NULL, NULL, NULL),
                     ERR_OK);
    assert_memory_equal(run.values, whole + first_row * TEST_PAIR_COLUMNS,
                        (data.rows - first_row) * TEST_PAIR_COLUMNS * sizeof(float));
    assert_same_state(run.before, end);
    free(whole);
    live_state_destroy(end);
    cut_run_release(&run);
    test_data_release(&data);
    test_data_release(&later);
}

/* One family alone, into its own columns of a wider matrix, and its state joined with that of the others. */
static void a_family_fills_its_columns(void **context)
{
    static const struct tracker *const alone_trackers[] = {&test_last_tracker, NULL};
    static const struct feature_set alone = {"alone", "", alone_trackers};
    enum { FIRST_COLUMN = 3 };
    struct test_data data;
    struct live_state *end = NULL, *rest = NULL, *joined = NULL, *state = new_state(&alone);
    const size_t offsets[] = {FIRST_COLUMN};
    (void)context;
    test_data_init(&data, 200, 6);
    disturb(&data, 6);
    float *whole = run_whole(&data, &end), *values = calloc(data.rows * TEST_PAIR_COLUMNS, sizeof(*values));
    struct build_target target = {.values = values, .stride = TEST_PAIR_COLUMNS, .offsets = offsets};
    assert_int_equal(builder_advance(state, data.streams, BUILD_WHOLE, target, NULL, NULL, NULL), ERR_OK);
    for (size_t row = 0; row < data.rows; row++) {
        for (size_t i = 0; i < FIRST_COLUMN; i++)
            assert_true(values[row * TEST_PAIR_COLUMNS + i] == 0.0F);
        assert_memory_equal(&values[row * TEST_PAIR_COLUMNS + FIRST_COLUMN],
                            &whole[row * TEST_PAIR_COLUMNS + FIRST_COLUMN], 2 * sizeof(float));
    }
    assert_int_equal(builder_run(&test_set, data.streams, TEST_STREAMS, NULL, NULL, NULL, &rest, NULL),
                     ERR_OK);
    const struct live_state *const parts[] = {state, rest};
    struct err err = {0};
    assert_int_equal(live_state_join(&test_pair_set, parts, 2, &joined, NULL), ERR_OK);
    assert_same_state(joined, end);
    live_state_destroy(joined);
    assert_int_equal(live_state_join(&test_pair_set, parts, 1, &joined, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "'mean'"));
    free(whole);
    free(values);
    live_state_destroy(end);
    live_state_destroy(rest);
    live_state_destroy(state);
    test_data_release(&data);
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
        cmocka_unit_test(a_cut_anywhere_changes_nothing),
        cmocka_unit_test(cuts_on_several_threads),
        cmocka_unit_test(the_later_part_is_enough),
        cmocka_unit_test(a_family_fills_its_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
