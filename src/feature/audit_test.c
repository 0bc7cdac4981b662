/* The audit passes an honest tracker and names every planted leak: a result read ahead, a result of the same moment, a
 * target encoding over the whole history prepared before the build, and a peek at the data through a pointer. What it compares
 * with is what was built. */
#include "feature/audit.h"
#include "feature/test_domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum leak { LEAK_NONE, LEAK_TARGET_ENCODING };

struct source {
    enum leak leak;
    size_t per_stream;
};

/* What a careless tracker might hold on to: the data of the present build, of which each thread has one at a time. */
static _Thread_local const struct test_data *present;

/* The future of a cut is dropped or scrambled as a domain would do it: on the rows, before anything is derived. */
static void change_future(struct test_data *data, enum audit_mode mode, int64_t cut_us, uint64_t seed)
{
    struct random random;
    random_init(&random, seed);
    for (size_t s = 0; s < TEST_STREAMS && mode != AUDIT_WHOLE; s++) {
        size_t kept = 0;
        for (size_t i = 0; i < data->per_stream; i++) {
            if (data->start_us[s][i] <= cut_us)
                kept = i + 1;
            if (data->known_us[s][i] <= cut_us)
                continue;
            if (mode == AUDIT_TRUNCATED)
                data->known_us[s][i] = INT64_MAX;
            data->outcomes[s][i] = (struct test_outcome){20 + (int32_t)random_below(&random, 9), 40};
        }
        if (mode == AUDIT_TRUNCATED)
            data->streams[s].count = kept;
    }
    data->rows = 0;
    for (size_t s = 0; s < TEST_STREAMS; s++)
        data->rows += data->streams[s].count;
    test_data_rows(data);
}

/* Mean score over the whole stream, written into every fixture: "target encoding". */
static void encode_target(struct test_data *data)
{
    for (size_t s = 0; s < TEST_STREAMS; s++) {
        double sum = 0;
        for (size_t i = 0; i < data->streams[s].count; i++)
            sum += data->outcomes[s][i].score_a;
        for (size_t i = 0; i < data->streams[s].count; i++)
            data->fixtures[s][i].leaked = (float)(sum / (double)data->streams[s].count);
    }
}

static enum err_code open_variant(void *context, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                                  struct audit_variant *out, struct err *err)
{
    const struct source *source = context;
    struct test_data *data = calloc(1, sizeof(*data));
    (void)err;
    test_data_init(data, source->per_stream, 7);
    change_future(data, mode, cut_us, seed);
    if (source->leak == LEAK_TARGET_ENCODING)
        encode_target(data);
    present = data;
    *out = (struct audit_variant){data->streams, TEST_STREAMS, data->info, data->rows, data};
    return ERR_OK;
}

static void close_variant(struct audit_variant *variant)
{
    test_data_release(variant->owner);
    free(variant->owner);
}

static enum err_code audit_with(const struct tracker *tracker, enum leak leak, struct pool *pool,
                                struct audit_report *report, struct err *err)
{
    const struct tracker *const trackers[] = {&test_tracker, tracker, NULL};
    struct feature_set set = {"audited", "", trackers};
    struct source context = {leak, 300};
    struct audit_source source = {open_variant, close_variant, &context};
    return audit_run(&set, &source, NULL, 6, 1, pool, NULL, report, err);
}

static enum err_code audit(const struct tracker *tracker, enum leak leak, struct audit_report *report,
                           struct err *err)
{
    return audit_with(tracker, leak, NULL, report, err);
}

static const struct feature planted_feature[] = {
    {"planted_leak", "", 0, 100, FEATURE_BEFORE_START, "a leak"}};

static void emit_encoding(const void *state, const void *fixture, float *out)
{
    (void)state;
    out[0] = ((const struct test_fixture *)fixture)->leaked;
}

/* The own result of the event, through a pointer to the data. */
static void emit_own_result(const void *state, const void *fixture, float *out)
{
    const struct test_fixture *event = fixture;
    size_t index = (size_t)(event->id - 1) % present->per_stream,
           s = (size_t)(event->id - 1) / present->per_stream;
    (void)state;
    out[0] = present->known_us[s][index] == INT64_MAX ? NAN : (float)present->outcomes[s][index].score_a;
}

/* The result of the event before, which may have started at the same moment and not be over. */
static void emit_neighbour(const void *state, const void *fixture, float *out)
{
    struct test_fixture before = *(const struct test_fixture *)fixture;
    if ((size_t)(before.id - 1) % present->per_stream > 0)
        before.id--;
    emit_own_result(state, &before, out);
}

static void no_apply(void *state, const void *fixture, const void *outcome)
{
    (void)state;
    (void)fixture;
    (void)outcome;
}

static struct tracker plant(void (*emit)(const void *state, const void *fixture, float *out))
{
    return (struct tracker){"planted",        "",        1,    planted_feature, 1,
                            test_state_bytes, test_init, emit, no_apply};
}

static void an_honest_tracker_passes(void **context)
{
    struct audit_report report;
    (void)context;
    assert_int_equal(audit(NULL, LEAK_NONE, &report, NULL), ERR_OK);
    assert_int_equal(report.cuts, 6);
    assert_int_equal(report.features, 3);
    assert_true(report.rows_compared > 1000);
}

static void expect_caught(void (*emit)(const void *, const void *, float *), enum leak leak)
{
    struct tracker planted = plant(emit);
    struct audit_report report;
    struct err err = {0};
    assert_int_equal(audit(&planted, leak, &report, &err), ERR_LEAK);
    assert_non_null(strstr(err.text, "planted_leak"));
}

static void target_encoding_is_caught(void **context)
{
    (void)context;
    expect_caught(emit_encoding, LEAK_TARGET_ENCODING);
}

static void the_own_result_is_caught(void **context)
{
    (void)context;
    expect_caught(emit_own_result, LEAK_NONE);
}

static void a_result_of_the_same_moment_is_caught(void **context)
{
    (void)context;
    expect_caught(emit_neighbour, LEAK_NONE);
}

static void threads_change_no_word(void **context)
{
    struct tracker planted = plant(emit_encoding);
    struct audit_report alone, report;
    struct err err_alone = {0}, err = {0};
    struct pool *pool = NULL;
    (void)context;
    assert_int_equal(pool_create(3, &pool, NULL), ERR_OK);
    assert_int_equal(audit(NULL, LEAK_NONE, &alone, NULL), ERR_OK);
    assert_int_equal(audit_with(NULL, LEAK_NONE, pool, &report, NULL), ERR_OK);
    assert_int_equal(report.rows_compared, alone.rows_compared);
    assert_int_equal(report.cuts, alone.cuts);
    assert_int_equal(audit(&planted, LEAK_TARGET_ENCODING, &alone, &err_alone), ERR_LEAK);
    assert_int_equal(audit_with(&planted, LEAK_TARGET_ENCODING, pool, &report, &err), ERR_LEAK);
    assert_string_equal(err.text, err_alone.text);
    pool_destroy(pool);
}

struct forgotten {
    size_t calls, end;
};

static void note_forgotten(void *context, size_t begin, size_t end)
{
    struct forgotten *forgotten = context;
    assert_true(begin < end);
    forgotten->calls++;
    forgotten->end = end > forgotten->end ? end : forgotten->end;
}

/* One bit of a row that was built is other than it should be: said, and not called a look into the future. */
static void what_was_built_is_what_is_compared(void **context)
{
    enum { CUTS = 6, BAD_ROW = 10 };
    struct test_data data;
    struct source parameters = {LEAK_NONE, 300};
    struct audit_source source = {open_variant, close_variant, &parameters};
    struct audit_report report;
    struct forgotten forgotten = {0};
    struct err err = {0};
    (void)context;
    test_data_init(&data, parameters.per_stream, 7);
    float *values = malloc(data.rows * 3 * sizeof(*values));
    assert_int_equal(builder_run(&test_set, data.streams, TEST_STREAMS, values, NULL, NULL, NULL, NULL),
                     ERR_OK);
    struct audit_built built = {data.info, values, data.rows, note_forgotten, &forgotten};
    assert_int_equal(audit_run(&test_set, &source, &built, CUTS, 1, NULL, NULL, &report, &err), ERR_OK);
    assert_int_equal(report.cuts, CUTS);
    assert_int_equal(forgotten.calls, 2 * CUTS);
    assert_true(forgotten.end <= data.rows && report.rows_compared >= 2 * forgotten.end);
    ((unsigned char *)&values[BAD_ROW * 3 + 2])[0] ^= 1;
    assert_int_equal(audit_run(&test_set, &source, &built, CUTS, 1, NULL, NULL, &report, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, "differ from one build to the next"));
    assert_int_equal(report.cuts, 0);
    free(values);
    test_data_release(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_tracker_passes), cmocka_unit_test(target_encoding_is_caught),
        cmocka_unit_test(the_own_result_is_caught), cmocka_unit_test(a_result_of_the_same_moment_is_caught),
        cmocka_unit_test(threads_change_no_word),   cmocka_unit_test(what_was_built_is_what_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
