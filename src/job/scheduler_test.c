/* Tests of job/scheduler.h in simulated time: a clock that is set by hand, jobs that end when the test says so, a store in
 * memory that outlives the scheduler, as it outlives a server. */
#include "job/schedule_simulation.h"
#include "job/scheduler.h"

#include "base/text.h"
#include "base/time.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { ORDERS_MAX = 4096 };

struct world {
    struct db *db;
    struct scheduler *scheduler;
    int64_t now_us;
    size_t count; /* orders accepted */
    struct {
        char key[JOB_KEY_BYTES], options[256], who[64];
        int64_t at_us;
    } orders[ORDERS_MAX];
    struct job_row jobs[ORDERS_MAX]; /* jobs[id - 1] */
    bool ends_at_once, is_broken;
    const char *missing; /* task the program does not have */
    size_t told;
};

static int64_t now(void *context)
{
    const struct world *world = context;
    return world->now_us;
}

static enum err_code submit(void *context, const struct job_order *order, struct job_row *out,
                            struct err *err)
{
    struct world *world = context;
    if (world->is_broken)
        return err_set(err, ERR_IO, "the disk is full");
    for (size_t i = 0; i < world->count; i++) {
        if (strcmp(world->orders[i].key, order->key) == 0) {
            *out = world->jobs[i];
            return ERR_OK;
        }
    }
    assert_true(world->count < ORDERS_MAX);
    size_t index = world->count++;
    (void)text_copy(text_of(order->key), world->orders[index].key, sizeof world->orders[index].key);
    (void)text_copy(text_of(order->request_json), world->orders[index].options,
                    sizeof world->orders[index].options);
    (void)text_copy(text_of(order->who), world->orders[index].who, sizeof world->orders[index].who);
    world->orders[index].at_us = world->now_us;
    world->jobs[index] = (struct job_row){.id = (int64_t)index + 1,
                                          .state = world->ends_at_once ? JOB_SUCCEEDED : JOB_RUNNING,
                                          .created_us = world->now_us,
                                          .started_us = world->now_us,
                                          .ended_us = world->ends_at_once ? world->now_us : TIME_NONE};
    *out = world->jobs[index];
    return ERR_OK;
}

static enum err_code check(void *context, const char *task, const char *options, struct err *err)
{
    const struct world *world = context;
    if (world->missing != NULL && strcmp(task, world->missing) == 0)
        return err_set(err, ERR_NOT_FOUND, "no task is called '%s'", task);
    if (strstr(options, "bad") != NULL)
        return err_set_field(err, ERR_INVALID, "bad", "no option is called 'bad'");
    return ERR_OK;
}

static void changed(void *context, const struct schedule_task *task)
{
    struct world *world = context;
    assert_non_null(task->name);
    world->told++;
}

static void start(struct world *world)
{
    struct scheduler_options options = {.db = world->db,
                                        .clock = {now, now, world},
                                        .time_zone = "Europe/Berlin",
                                        .submit = submit,
                                        .check = check,
                                        .changed = changed,
                                        .context = world};
    struct err err = {0};
    if (scheduler_create(&options, &world->scheduler, &err) != ERR_OK)
        fail_msg("%s", err.text);
    scheduler_begin(world->scheduler);
}

static void restart(struct world *world)
{
    scheduler_destroy(world->scheduler);
    start(world);
    scheduler_run_due(world->scheduler);
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    return time_from_civil((struct civil){year, month, day, hour, minute, 0}, ZONE_UTC);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    assert_int_equal(db_open(":memory:", DB_READ_WRITE, &world->db, NULL), ERR_OK);
    world->now_us = at(2026, 1, 1, 0, 0) + 1;
    world->ends_at_once = true;
    start(world);
    scheduler_run_due(world->scheduler);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    scheduler_destroy(world->scheduler);
    db_close(world->db);
    free(world);
    return 0;
}

static void set(struct world *world, const char *name, struct schedule_change change)
{
    struct err err = {0};
    if (scheduler_set(world->scheduler, name, &change, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static const struct schedule_change none = {.jitter_s = -1, .is_enabled = -1};

/* All off but one, without jitter. */
static void only(struct world *world, const char *name, const char *cron, const char *missed)
{
    for (size_t i = 0; i < scheduler_count(world->scheduler); i++) {
        struct schedule_change change = none;
        const char *other = scheduler_at(world->scheduler, i)->name;
        change.is_enabled = strcmp(other, name) == 0;
        if (change.is_enabled) {
            change.cron = cron;
            change.missed = missed;
            change.jitter_s = 0;
        }
        set(world, other, change);
    }
}

static const struct schedule_task *task_of(const struct world *world, const char *name)
{
    const struct schedule_task *task = NULL;
    assert_int_equal(scheduler_find(world->scheduler, name, &task, NULL), ERR_OK);
    return task;
}

/* As a server's timer does: looks twice a second. */
static void pass(struct world *world, int64_t until_us)
{
    while (world->now_us < until_us) {
        world->now_us += TIME_SECOND_US / 2;
        scheduler_run_due(world->scheduler);
    }
}

/* From start to start. */
static void jump(struct world *world, int64_t until_us)
{
    for (int64_t next_us;
         (next_us = scheduler_next_us(world->scheduler)) != TIME_NONE && next_us <= until_us;) {
        if (next_us > world->now_us)
            world->now_us = next_us;
        scheduler_run_due(world->scheduler);
    }
    world->now_us = until_us;
}

static struct schedule_run newest_run(struct world *world, const char *name)
{
    struct schedule_run run;
    size_t count = 1;
    assert_int_equal(schedule_store_runs(world->db, name, &run, &count, NULL), ERR_OK);
    assert_int_equal(count, 1);
    return run;
}

static void test_shipped_cadences(void **state)
{
    struct world *world = *state;
    const struct {
        const char *name, *cron;
    } expected[] = {{"calibrate", "*/3 * * * *"}, {"fetch_odds", "*/5 * * * *"},
                    {"retrain", "0 2 * * *"},     {"value_bets", "0 * * * *"},
                    {"clean_up", "0 3 * * *"},    {"performance", "*/15 * * * *"},
                    {"standings", "0 */2 * * *"}};
    assert_int_equal(scheduler_count(world->scheduler), sizeof expected / sizeof *expected);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct schedule_task *task = task_of(world, expected[i].name);
        assert_string_equal(task->cron, expected[i].cron);
        assert_string_equal(task->time_zone, "Europe/Berlin");
        assert_true(task->row.is_enabled && task->is_available && task->next_us > world->now_us);
    }
}

static void test_fires_at_its_times_and_only_once(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "*/2 * * * *", "skip");
    pass(world, at(2026, 1, 1, 0, 7));
    assert_int_equal(world->count, 3);
    assert_string_equal(world->orders[0].key, "schedule:retrain:2026-01-01T00:02:00Z");
    assert_string_equal(world->orders[0].who, "schedule");
    assert_true(world->orders[0].at_us - at(2026, 1, 1, 0, 2) < TIME_SECOND_US);
    assert_int_equal(task_of(world, "retrain")->row.runs, 3);
    assert_string_equal(task_of(world, "retrain")->row.last_outcome, "succeeded");
}

static void test_clock_changes_of_a_year(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "30 2 * * *", "once");
    jump(world, at(2026, 12, 31, 23, 0));
    assert_int_equal(world->count, 365);
    size_t found = 0;
    for (size_t i = 0; i < world->count; i++) {
        found += world->orders[i].at_us == at(2026, 3, 29, 1, 0);   /* skipped: at the change */
        found += world->orders[i].at_us == at(2026, 10, 25, 0, 30); /* twice: the first */
        found += world->orders[i].at_us == at(2026, 7, 1, 0, 30);
        assert_true(world->orders[i].at_us != at(2026, 10, 25, 1, 30));
    }
    assert_int_equal(found, 3);
}

static void test_jitter_is_the_same_each_time(void **state)
{
    struct world *world = *state;
    int64_t most = 0, least = INT64_MAX;
    for (int i = 0; i < 2000; i++) {
        int64_t due_us = at(2026, 1, 1, 0, 0) + i * TIME_HOUR_US;
        int64_t jitter_us = schedule_jitter_us("retrain", due_us, 60);
        assert_int_equal(jitter_us, schedule_jitter_us("retrain", due_us, 60));
        assert_int_equal(jitter_us % TIME_SECOND_US, 0);
        most = jitter_us > most ? jitter_us : most;
        least = jitter_us < least ? jitter_us : least;
    }
    assert_int_equal(most, 60 * TIME_SECOND_US);
    assert_int_equal(least, 0);
    assert_int_equal(schedule_jitter_us("retrain", 0, 0), 0);
    only(world, "retrain", "0 5 * * *", "skip");
    struct schedule_change change = none;
    change.jitter_s = 3600;
    set(world, "retrain", change);
    const struct schedule_task *task = task_of(world, "retrain");
    int64_t due_us = at(2026, 1, 1, 4, 0);
    assert_int_equal(task->due_us, due_us);
    assert_int_equal(task->next_us, due_us + schedule_jitter_us("retrain", due_us, 3600));
    jump(world, at(2026, 1, 1, 5, 1));
    assert_int_equal(world->count, 1);
    assert_int_equal(newest_run(world, "retrain").due_us, due_us);
}

static void test_no_overlap(void **state)
{
    struct world *world = *state;
    struct job_row job;
    struct err err = {0};
    only(world, "retrain", "*/10 * * * *", "skip");
    world->ends_at_once = false;
    jump(world, at(2026, 1, 1, 0, 25));
    assert_int_equal(world->count, 1);
    struct schedule_run run = newest_run(world, "retrain");
    assert_string_equal(run.outcome, "skipped");
    assert_string_equal(run.note, "the run before (job 1) has not ended");
    assert_string_equal(task_of(world, "retrain")->row.last_outcome, "running");
    assert_int_equal(scheduler_run_now(world->scheduler, "retrain", "me", &job, &err), ERR_CONFLICT);
    /* a restart does not forget that it runs */
    assert_int_equal(job_store_add(world->db, &(struct job_order){.task = "retrain", .request_json = "{}"}, 1,
                                   &job.id, NULL, NULL),
                     ERR_OK);
    restart(world);
    jump(world, at(2026, 1, 1, 0, 35));
    assert_int_equal(world->count, 1);
    world->jobs[0].state = JOB_FAILED;
    world->jobs[0].ended_us = world->now_us;
    (void)text_copy(text_of("no data"), world->jobs[0].error, sizeof world->jobs[0].error);
    scheduler_job_changed(world->scheduler, &world->jobs[0]);
    const struct schedule_row *row = &task_of(world, "retrain")->row;
    assert_string_equal(row->last_outcome, "failed");
    assert_string_equal(row->last_note, "no data");
    assert_int_equal(row->failures, 1);
    assert_int_equal(row->last_duration_us, at(2026, 1, 1, 0, 35) - at(2026, 1, 1, 0, 10));
    jump(world, at(2026, 1, 1, 0, 45));
    assert_int_equal(world->count, 2);
}

/* down for some hours */
static void sleep_until(struct world *world, int64_t until_us)
{
    scheduler_destroy(world->scheduler);
    world->now_us = until_us;
    start(world);
    scheduler_run_due(world->scheduler);
}

static void test_missed_runs_are_skipped(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "0 * * * *", "skip");
    sleep_until(world, at(2026, 1, 1, 5, 30));
    assert_int_equal(world->count, 0);
    struct schedule_run run = newest_run(world, "retrain");
    assert_string_equal(run.outcome, "skipped");
    assert_string_equal(run.note, "5 earlier runs were missed while no scheduler ran");
    assert_int_equal(run.due_us, at(2026, 1, 1, 5, 0));
    jump(world, at(2026, 1, 1, 6, 30));
    assert_int_equal(world->count, 1);
    assert_string_equal(world->orders[0].key, "schedule:retrain:2026-01-01T06:00:00Z");
}

static void test_missed_runs_are_made_up_for_once(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "0 * * * *", "once");
    sleep_until(world, at(2026, 1, 1, 5, 30));
    assert_int_equal(world->count, 1);
    assert_string_equal(world->orders[0].key, "schedule:retrain:2026-01-01T01:00:00Z");
    assert_string_equal(newest_run(world, "retrain").note,
                        "5 earlier runs were missed while no scheduler ran");
    restart(world);
    assert_int_equal(world->count, 1); /* dealt with */
    jump(world, at(2026, 1, 1, 6, 30));
    assert_int_equal(world->count, 2);
    /* the machine slept while the program ran: the same rule; the due time that has just come counts as on time */
    world->now_us = at(2026, 1, 1, 9, 0) + 20 * TIME_SECOND_US;
    scheduler_run_due(world->scheduler);
    assert_int_equal(world->count, 3);
    assert_string_equal(world->orders[2].key, "schedule:retrain:2026-01-01T09:00:00Z");
}

static void test_a_due_time_that_could_not_be_noted_is_the_same_job(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "0 * * * *", "once");
    struct schedule_row before = task_of(world, "retrain")->row;
    jump(world, at(2026, 1, 1, 1, 0));
    assert_int_equal(world->count, 1);
    /* the server was killed after the job was accepted: the store is as it was before */
    assert_int_equal(
        db_execute(world->db, "DELETE FROM schedule_run; UPDATE schedule SET seen_us = NULL", NULL), ERR_OK);
    assert_int_equal(schedule_store_note(world->db, &before, NULL, NULL), ERR_OK);
    sleep_until(world, at(2026, 1, 1, 1, 0) + 5 * TIME_MINUTE_US);
    assert_int_equal(world->count, 1);
    assert_int_equal(newest_run(world, "retrain").job_id, 1);
    assert_string_equal(task_of(world, "retrain")->row.last_outcome, "succeeded");
}

static void test_users_win_over_restarts(void **state)
{
    struct world *world = *state;
    struct schedule_change change = {.cron = "15 4 * * mon-fri",
                                     .time_zone = "America/New_York",
                                     .missed = "once",
                                     .options = "{\"days\": 10}",
                                     .jitter_s = 7,
                                     .is_enabled = 0};
    set(world, "clean_up", change);
    restart(world);
    const struct schedule_task *task = task_of(world, "clean_up");
    assert_string_equal(task->cron, "15 4 * * mon-fri");
    assert_string_equal(task->time_zone, "America/New_York");
    assert_string_equal(task->options, "{\"days\": 10}");
    assert_true(task->missed == SCHEDULE_ONCE && task->jitter_s == 7 && !task->row.is_enabled);
    assert_int_equal(task->next_us, TIME_NONE);
    /* back to what is shipped, one by one */
    change = none;
    change.cron = "";
    change.is_enabled = 1;
    set(world, "clean_up", change);
    assert_string_equal(task->cron, "0 3 * * *");
    assert_string_equal(task->time_zone, "America/New_York");
    assert_true(task->next_us != TIME_NONE);
}

static void test_enabling_does_not_make_up(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "0 * * * *", "once");
    struct schedule_change change = none;
    change.is_enabled = 0;
    set(world, "retrain", change);
    jump(world, at(2026, 1, 1, 5, 30));
    change.is_enabled = 1;
    set(world, "retrain", change);
    scheduler_run_due(world->scheduler);
    restart(world);
    assert_int_equal(world->count, 0);
    jump(world, at(2026, 1, 1, 6, 0));
    assert_int_equal(world->count, 1);
}

static void refuse(struct world *world, struct schedule_change change, const char *field)
{
    struct err err = {0};
    struct schedule_row before = task_of(world, "retrain")->row;
    assert_int_equal(scheduler_set(world->scheduler, "retrain", &change, &err), ERR_INVALID);
    assert_string_equal(err.field, field);
    assert_true(err.text[0] != '\0');
    assert_memory_equal(&before, &task_of(world, "retrain")->row, sizeof before);
}

static void test_bad_values_change_nothing(void **state)
{
    struct world *world = *state;
    struct err err = {0};
    refuse(world, (struct schedule_change){.cron = "61 * * * *", .jitter_s = 5, .is_enabled = 0}, "cron");
    refuse(world, (struct schedule_change){.cron = "0 0 30 2 *", .jitter_s = -1, .is_enabled = -1}, "cron");
    refuse(world, (struct schedule_change){.time_zone = "../x", .jitter_s = -1, .is_enabled = -1},
           "time_zone");
    refuse(world, (struct schedule_change){.missed = "twice", .jitter_s = -1, .is_enabled = -1}, "missed");
    refuse(world, (struct schedule_change){.jitter_s = 4000, .is_enabled = -1}, "jitter_s");
    refuse(world, (struct schedule_change){.jitter_s = -2, .is_enabled = -1}, "jitter_s");
    refuse(world, (struct schedule_change){.options = "{\"bad\": 1}", .jitter_s = -1, .is_enabled = -1},
           "options");
    assert_int_equal(scheduler_set(world->scheduler, "nothing", &none, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "calibrate"));
}

static void test_a_task_that_is_missing_never_fires(void **state)
{
    struct world *world = *state;
    struct job_row job;
    struct err err = {0};
    world->missing = "standings";
    only(world, "standings", "* * * * *", "once");
    jump(world, at(2026, 1, 1, 3, 0));
    restart(world);
    const struct schedule_task *task = task_of(world, "standings");
    assert_int_equal(world->count, 0);
    assert_true(!task->is_available && task->next_us == TIME_NONE);
    assert_string_equal(task->trouble, "task not available");
    assert_int_equal(scheduler_run_now(world->scheduler, "standings", "me", &job, &err), ERR_CONFLICT);
}

static void test_run_now(void **state)
{
    struct world *world = *state;
    struct job_row job;
    only(world, "clean_up", "0 3 * * *", "skip");
    assert_int_equal(scheduler_run_now(world->scheduler, "retrain", "cli:ann", &job, NULL),
                     ERR_OK); /* disabled */
    assert_string_equal(world->orders[0].who, "cli:ann");
    assert_int_equal(task_of(world, "retrain")->row.runs, 1);
    int64_t next_us = task_of(world, "clean_up")->next_us;
    world->now_us++;
    assert_int_equal(scheduler_run_now(world->scheduler, "clean_up", "me", &job, NULL), ERR_OK);
    assert_int_equal(task_of(world, "clean_up")->next_us, next_us);
    assert_true(world->told > 0);
}

static void test_a_job_that_is_not_accepted(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "0 * * * *", "once");
    world->is_broken = true;
    jump(world, at(2026, 1, 1, 1, 0));
    assert_string_equal(task_of(world, "retrain")->row.last_outcome, "failed");
    assert_string_equal(newest_run(world, "retrain").note, "the disk is full");
    world->is_broken = false;
    jump(world, at(2026, 1, 1, 2, 0));
    assert_int_equal(world->count, 1);
    assert_string_equal(task_of(world, "retrain")->row.last_outcome, "succeeded");
}

static void test_a_task_that_had_nothing_to_do(void **state)
{
    struct world *world = *state;
    struct job_row job;
    int64_t id;
    only(world, "calibrate", "0 * * * *", "skip");
    assert_int_equal(job_store_add(world->db, &(struct job_order){.task = "calibrate", .request_json = "{}"},
                                   world->now_us, &id, NULL, NULL),
                     ERR_OK);
    assert_int_equal(id, 1); /* as the next order of this world will be */
    assert_int_equal(db_execute(world->db,
                                "UPDATE job SET state = 'succeeded', result = '{\"outcome\": \"skipped\", "
                                "\"note\": \"12 settled forecasts, 20 needed\"}'",
                                NULL),
                     ERR_OK);
    jump(world, at(2026, 1, 1, 1, 0));
    const struct schedule_row *row = &task_of(world, "calibrate")->row;
    assert_string_equal(row->last_outcome, "skipped");
    assert_string_equal(row->last_note, "12 settled forecasts, 20 needed");
    assert_string_equal(newest_run(world, "calibrate").outcome, "skipped");
    (void)job;
}

static void test_the_clock_is_set_back(void **state)
{
    struct world *world = *state;
    only(world, "retrain", "0 * * * *", "skip");
    jump(world, at(2026, 1, 1, 5, 30));
    assert_int_equal(world->count, 5);
    world->now_us = at(2026, 1, 1, 3, 30);
    scheduler_run_due(world->scheduler);
    jump(world, at(2026, 1, 1, 5, 30));
    assert_int_equal(world->count, 5); /* 04:00 and 05:00 came again: the same keys, the same jobs */
    jump(world, at(2026, 1, 1, 6, 0));
    assert_int_equal(world->count, 6);
}

/* ---- a year of everything ---- */

struct tally {
    size_t count;
    int64_t last_us;
};

static void count_start(void *context, const struct schedule_task *task, int64_t due_us, int64_t start_us)
{
    struct tally *tally = context;
    assert_true(start_us >= tally->last_us && start_us >= due_us);
    assert_true(start_us - due_us <= task->jitter_s * TIME_SECOND_US);
    tally->count++;
    tally->last_us = start_us;
}

static void test_a_year_in_seconds(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    struct schedule_simulation simulation = {.time_zone = "Europe/Berlin",
                                             .from_us = at(2026, 1, 1, 0, 0),
                                             .to_us = at(2027, 1, 1, 0, 0),
                                             .fired = count_start,
                                             .context = &tally};
    assert_int_equal(schedule_simulate(&simulation, NULL), ERR_OK);
    clock_gettime(CLOCK_MONOTONIC, &end);
    /* intervals by real time: 8760 hours; standings in even hours of the wall clock: that of the change in spring is gone,
     * that of autumn comes twice; value_bets, retrain and clean_up are times of the wall */
    size_t standings = 365 * 12, expected = 8760 * 20 + 8760 * 12 + 8760 * 4 + standings + 8760 + 365 + 365;
    printf("%zu starts in %.1f s\n", tally.count,
           (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    assert_in_range(tally.count, expected - 2, expected + 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_shipped_cadences),
        TEST(test_fires_at_its_times_and_only_once),
        TEST(test_clock_changes_of_a_year),
        TEST(test_jitter_is_the_same_each_time),
        TEST(test_no_overlap),
        TEST(test_missed_runs_are_skipped),
        TEST(test_missed_runs_are_made_up_for_once),
        TEST(test_a_due_time_that_could_not_be_noted_is_the_same_job),
        TEST(test_users_win_over_restarts),
        TEST(test_enabling_does_not_make_up),
        TEST(test_bad_values_change_nothing),
        TEST(test_a_task_that_is_missing_never_fires),
        TEST(test_run_now),
        TEST(test_a_job_that_is_not_accepted),
        TEST(test_a_task_that_had_nothing_to_do),
        TEST(test_the_clock_is_set_back),
        cmocka_unit_test(test_a_year_in_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
