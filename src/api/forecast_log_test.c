/* Forecast log: what is kept, that the same answer again costs no writing, that a full table forgets what is written and
 * nothing else. Written when the log ends, as every second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/forecast_log.h"
#include "base/time.h"
#include "os/test_folder.h"
#include "store/forecast_store.h"

static struct test_folder folder;
static struct loop *loop;
static struct store store;
static struct forecast_log *forecasts;
static int64_t now_us;

static int64_t tell_now(void *context)
{
    (void)context;
    return now_us;
}

static int open_log(void **state)
{
    struct clock clock = {.now_us = tell_now, .monotonic_us = tell_now};
    (void)state;
    test_folder_create(&folder);
    now_us = 1000 * TIME_SECOND_US;
    return loop_create(&loop, NULL) == ERR_OK &&
                   store_open(test_folder_path(&folder, "data"), DB_READ_WRITE, &store, NULL) == ERR_OK &&
                   forecast_log_create(loop, &store, clock, &forecasts, NULL) == ERR_OK
               ? 0
               : -1;
}

static int close_log(void **state)
{
    (void)state;
    forecast_log_destroy(forecasts);
    store_close(&store);
    loop_destroy(loop);
    test_folder_remove(&folder);
    return 0;
}

static struct serving_model model = {
    .row = {.version = "00112233aabbccdd", .name = {.subject = "E0", .variant = "1x2", .bot = "lightgbm"}}};

static struct forecast_answer answer_of(int64_t match_id, double home)
{
    struct forecast_answer answer = {.is_available = true,
                                     .classes = 3,
                                     .p = {home, 0.3, 0.7 - home},
                                     .own = {home, 0.3, 0.7 - home},
                                     .model = &model,
                                     .match_id = match_id,
                                     .kickoff_us = now_us + TIME_HOUR_US};
    return answer;
}

static void note(struct forecast_answer answer)
{
    static const struct forecast_request request = {.target = TARGET_1X2};
    forecast_log_note(forecasts, &request, &answer);
}

/* Ends the log and counts the rows it has left. */
static size_t written(struct stored_forecast *out, size_t capacity)
{
    size_t count = capacity;
    forecast_log_destroy(forecasts);
    forecasts = NULL;
    assert_int_equal(forecast_store_list(store.db, NULL, INT64_MIN, INT64_MAX, out, &count, NULL), ERR_OK);
    return count;
}

static void the_newest_of_a_match_is_written(void **state)
{
    struct stored_forecast rows[4];
    uint64_t noted, dropped;
    (void)state;
    note(answer_of(7, 0.4));
    note(answer_of(7, 0.4));
    now_us += 5;
    note(answer_of(7, 0.5));
    note(answer_of(8, 0.4));
    forecast_log_counts(forecasts, &noted, &dropped);
    assert_true(noted == 3 && dropped == 0);
    assert_int_equal(written(rows, 4), 2);
    assert_true(rows[0].match_id == 7 && rows[0].p[0] == 0.5 && rows[0].made_us == now_us);
    assert_true(rows[0].is_served && rows[0].settled_us == TIME_NONE && rows[0].classes == 3);
    assert_string_equal(rows[0].version, "00112233aabbccdd");
    assert_string_equal(rows[0].target, "1x2");
}

struct heard {
    size_t calls, count, total;
    int64_t match_id;
};

static void hear(void *context, const struct stored_forecast *const *rows, size_t count, size_t total)
{
    struct heard *heard = context;
    heard->calls++;
    heard->count = count;
    heard->total = total;
    heard->match_id = rows[0]->match_id;
}

/* A burst is told in one piece of bounded size; nothing written is nothing told. */
static void what_is_written_is_told(void **state)
{
    static struct stored_forecast rows[400];
    struct heard heard = {0};
    (void)state;
    forecast_log_tell(forecasts, hear, &heard);
    for (int64_t id = 1; id <= 300; id++)
        note(answer_of(id, 0.4));
    note(answer_of(300, 0.4));
    assert_int_equal(heard.calls, 0); /* not while somebody waits for his forecast */
    assert_int_equal(written(rows, 400), 300);
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.count, FORECAST_NEWS_MAX);
    assert_int_equal(heard.total, 300);
    assert_in_range(heard.match_id, 1, 300);
}

static void the_model_is_kept_without_its_layer(void **state)
{
    struct serving_layer layer = {.made_us = 77};
    struct forecast_answer answer = answer_of(7, 0.5);
    struct stored_forecast rows[2];
    uint64_t noted, dropped;
    (void)state;
    note(answer);
    answer.layer = &layer; /* the layer alone is news */
    answer.p[0] = 0.4;
    answer.p[1] = 0.4;
    note(answer);
    note(answer);
    forecast_log_counts(forecasts, &noted, &dropped);
    assert_int_equal(noted, 2);
    assert_int_equal(written(rows, 2), 1);
    assert_true(rows[0].p[0] == 0.5 && rows[0].p[1] == 0.3 && rows[0].layer_us == 77);
}

static void what_is_no_forecast_is_left_out(void **state)
{
    struct stored_forecast rows[4];
    struct forecast_request priced = {.target = TARGET_1X2, .has_prices = true};
    struct forecast_answer answer = answer_of(0, 0.4); /* no stored match */
    (void)state;
    note(answer);
    answer = answer_of(1, 0.4);
    answer.is_played = true;
    note(answer);
    answer = answer_of(2, 0.4);
    answer.is_available = false;
    note(answer);
    answer = answer_of(3, 0.4);
    answer.kickoff_us = now_us; /* it has begun */
    note(answer);
    answer = answer_of(4, 0.4);
    answer.used_prices = true; /* those of the client */
    forecast_log_note(forecasts, &priced, &answer);
    assert_int_equal(written(rows, 4), 0);
    forecast_log_note(NULL, &priced, &answer);
}

/* Prices that a client gives do not matter to a model that looks at none. */
static void a_model_without_prices_is_logged_whatever_is_given(void **state)
{
    struct stored_forecast rows[4];
    struct forecast_request priced = {.target = TARGET_1X2, .has_prices = true};
    struct forecast_answer answer = answer_of(4, 0.4);
    (void)state;
    forecast_log_note(forecasts, &priced, &answer);
    assert_int_equal(written(rows, 4), 1);
}

static void stop(void *context)
{
    (void)context;
    loop_stop(loop);
}

static void more_than_fit_wait_for_the_writing(void **state)
{
    static struct stored_forecast rows[9000];
    struct loop_timer *timer;
    uint64_t noted, dropped;
    (void)state;
    for (int64_t id = 1; id <= 7000; id++)
        note(answer_of(id, 0.4));
    forecast_log_counts(forecasts, &noted, &dropped);
    assert_true(noted == 6144 && dropped == 7000 - 6144);
    assert_int_equal(loop_timer_add(loop, 1300, 1300, stop, NULL, &timer, NULL), ERR_OK);
    assert_int_equal(loop_run(loop, NULL), ERR_OK); /* written, and the table emptied */
    loop_timer_remove(loop, timer);
    for (int64_t id = 6145; id <= 7000; id++)
        note(answer_of(id, 0.4));
    assert_int_equal(written(rows, 9000), 7000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_of_a_match_is_written, open_log, close_log),
        cmocka_unit_test_setup_teardown(what_is_written_is_told, open_log, close_log),
        cmocka_unit_test_setup_teardown(the_model_is_kept_without_its_layer, open_log, close_log),
        cmocka_unit_test_setup_teardown(what_is_no_forecast_is_left_out, open_log, close_log),
        cmocka_unit_test_setup_teardown(a_model_without_prices_is_logged_whatever_is_given, open_log,
                                        close_log),
        cmocka_unit_test_setup_teardown(more_than_fit_wait_for_the_writing, open_log, close_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
