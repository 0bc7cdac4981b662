/* Subscribers: every line once, whatever lies between old and new. The file is written here, by the same log file as the
 * supervisor's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "job/log_feed.h"
#include "job/log_file.h"
#include "os/test_folder.h"

#include <inttypes.h>
#include <string.h>

#define NOW_US INT64_C(1772366400123456)
enum { HEAD_BYTES = 28, JOB = 5 };

struct fixture {
    struct test_folder folder;
    struct loop *loop;
    struct log_feed *feed;
    struct log_file file;
    int64_t next_line; /* number of the next line that is written */
};

struct listener {
    struct fixture *fixture;
    struct log_subscriber *subscriber;
    int64_t next_line, offset, leave_at;
    size_t lines, ends;
    enum job_state state;
    bool leaves_at_end;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.next_line = 0};
    test_folder_create(&fixture.folder);
    assert_int_equal(loop_create(&fixture.loop, NULL), ERR_OK);
    assert_int_equal(log_feed_create(fixture.loop, fixture.folder.path, &fixture.feed, NULL), ERR_OK);
    fixture.file.descriptor = -1;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    log_file_close(&fixture->file);
    log_feed_destroy(fixture->feed);
    loop_destroy(fixture->loop);
    test_folder_remove(&fixture->folder);
    return 0;
}

static void open_file(struct fixture *fixture)
{
    char path[FILE_PATH_BYTES];

    assert_int_equal(log_feed_path(fixture->feed, JOB, path, NULL), ERR_OK);
    assert_int_equal(log_file_open(&fixture->file, path, 64 << 20, NULL), ERR_OK);
}

static void on_written(void *context, int64_t begin, const char *data, size_t size_bytes)
{
    struct fixture *fixture = context;

    log_feed_written(fixture->feed, JOB, begin, data, size_bytes);
}

static void write_lines(struct fixture *fixture, int count)
{
    char text[64];

    for (int index = 0; index < count; index++) {
        int length = snprintf(text, sizeof text, "line %" PRId64, fixture->next_line++);
        log_file_add(&fixture->file, NOW_US, text, (size_t)length);
    }
    log_file_flush(&fixture->file, on_written, fixture);
}

static void on_line(void *context, int64_t next_offset, const char *text, size_t size_bytes)
{
    struct listener *listener = context;
    char expected[64];

    int length = snprintf(expected, sizeof expected, "line %" PRId64, listener->next_line);
    assert_int_equal(size_bytes, HEAD_BYTES + length);
    assert_memory_equal(text + HEAD_BYTES, expected, length);
    assert_int_equal(next_offset, listener->offset + (int64_t)size_bytes + 1);
    listener->offset = next_offset;
    listener->next_line++;
    listener->lines++;
    if (listener->leave_at > 0 && listener->next_line == listener->leave_at) {
        log_feed_remove(listener->fixture->feed, listener->subscriber);
        listener->subscriber = NULL;
    }
}

static void on_end(void *context, enum job_state state)
{
    struct listener *listener = context;

    listener->ends++;
    listener->state = state;
    if (listener->leaves_at_end) {
        log_feed_remove(listener->fixture->feed, listener->subscriber);
        listener->subscriber = NULL;
    }
}

static enum err_code subscribe(struct listener *listener, enum job_state state)
{
    struct log_subscription subscription = {.id = JOB,
                                            .offset = listener->offset,
                                            .state = state,
                                            .line = on_line,
                                            .end = on_end,
                                            .context = listener};

    return log_feed_add(listener->fixture->feed, subscription, &listener->subscriber, NULL);
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void turn(struct fixture *fixture, int64_t ms)
{
    assert_int_equal(loop_timer_add(fixture->loop, ms, 0, on_stop, fixture->loop, NULL, NULL), ERR_OK);
    assert_int_equal(loop_run(fixture->loop, NULL), ERR_OK);
}

static void test_old_then_live_then_end(void **state)
{
    struct fixture *fixture = *state;
    struct listener listener = {.fixture = fixture};

    open_file(fixture);
    write_lines(fixture, 5000); /* 190 kB: three slices */
    assert_int_equal(subscribe(&listener, JOB_RUNNING), ERR_OK);
    assert_int_equal(listener.lines, 0); /* not from inside */
    write_lines(fixture, 10);            /* while it is behind */
    assert_int_equal(listener.lines, 0);
    turn(fixture, 50);
    assert_int_equal(listener.lines, 5010);
    write_lines(fixture, 1); /* live: at once */
    assert_int_equal(listener.lines, 5011);
    assert_int_equal(listener.ends, 0);
    log_feed_ended(fixture->feed, JOB, JOB_FAILED);
    log_feed_ended(fixture->feed, JOB + 1, JOB_SUCCEEDED);
    turn(fixture, 20);
    assert_int_equal(listener.ends, 1);
    assert_int_equal(listener.state, JOB_FAILED);
    turn(fixture, 20);
    assert_int_equal(listener.ends, 1); /* and the subscriber has gone: the feed is released without it */
}

static void test_before_the_file_exists(void **state)
{
    struct fixture *fixture = *state;
    struct listener listener = {.fixture = fixture};

    assert_int_equal(subscribe(&listener, JOB_QUEUED), ERR_OK);
    turn(fixture, 20);
    assert_int_equal(listener.lines, 0);
    open_file(fixture);
    write_lines(fixture, 3);
    assert_int_equal(listener.lines, 3);
}

static void test_ended_job(void **state)
{
    struct fixture *fixture = *state;
    struct listener whole = {.fixture = fixture, .leaves_at_end = true}, rest = {.fixture = fixture};
    struct listener beyond = {.fixture = fixture}, negative = {.fixture = fixture, .offset = -1};
    struct listener at_end = {.fixture = fixture};

    open_file(fixture);
    write_lines(fixture, 100);
    rest.next_line = 10;
    rest.offset = 10 * (HEAD_BYTES + 7);
    at_end.offset = fixture->file.size_bytes;
    beyond.offset = fixture->file.size_bytes + 1;
    assert_int_equal(subscribe(&whole, JOB_SUCCEEDED), ERR_OK);
    assert_int_equal(subscribe(&rest, JOB_STOPPED), ERR_OK);
    assert_int_equal(subscribe(&at_end, JOB_SUCCEEDED), ERR_OK);
    assert_int_equal(subscribe(&beyond, JOB_SUCCEEDED), ERR_INVALID);
    assert_int_equal(subscribe(&negative, JOB_SUCCEEDED), ERR_INVALID);
    turn(fixture, 30);
    assert_int_equal(whole.lines, 100);
    assert_int_equal(whole.ends, 1);
    assert_null(whole.subscriber);
    assert_int_equal(rest.lines, 90);
    assert_int_equal(rest.state, JOB_STOPPED);
    assert_int_equal(at_end.lines, 0);
    assert_int_equal(at_end.ends, 1);
}

/* The last bytes of a server that was killed have no end of line: they are told, once. */
static void test_unended_line(void **state)
{
    struct fixture *fixture = *state;
    struct listener listener = {.fixture = fixture};
    char path[FILE_PATH_BYTES];
    const char text[] = "2026-03-01T12:00:00.123456Z line 0\n2026-03-01T12:00:00.123456Z line 1";

    assert_int_equal(log_feed_path(fixture->feed, JOB, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, text, sizeof text - 1, NULL), ERR_OK);
    listener.fixture = fixture;
    assert_int_equal(subscribe(&listener, JOB_QUEUED), ERR_OK);
    turn(fixture, 20);
    assert_int_equal(listener.lines, 1);
    log_feed_ended(fixture->feed, JOB, JOB_STOPPED);
    listener.offset--; /* it has no end of line to count */
    turn(fixture, 20);
    assert_int_equal(listener.lines, 2);
    assert_int_equal(listener.ends, 1);
}

static void test_leaving_inside_a_call(void **state)
{
    struct fixture *fixture = *state;
    struct listener old = {.fixture = fixture, .leave_at = 50}, live = {.fixture = fixture, .leave_at = 120};
    struct listener stays = {.fixture = fixture};

    open_file(fixture);
    write_lines(fixture, 100);
    assert_int_equal(subscribe(&old, JOB_RUNNING), ERR_OK);
    assert_int_equal(subscribe(&live, JOB_RUNNING), ERR_OK);
    assert_int_equal(subscribe(&stays, JOB_RUNNING), ERR_OK);
    turn(fixture, 20);
    write_lines(fixture, 100);
    assert_int_equal(old.lines, 50);
    assert_int_equal(live.lines, 120);
    assert_int_equal(stays.lines, 200);
}

/* Lines are written and subscribers come at random, some go on where others were. */
static void test_random_order(void **state)
{
    enum { LISTENERS = 40 };
    struct fixture *fixture = *state;
    static struct listener listeners[LISTENERS];
    struct random random;
    size_t count = 0;

    random_init(&random, 7);
    memset(listeners, 0, sizeof listeners);
    open_file(fixture);
    while (count < LISTENERS) {
        uint64_t choice = random_below(&random, 10);
        if (choice < 5) {
            write_lines(fixture, (int)random_below(&random, 1500));
        } else if (choice < 7) {
            turn(fixture, (int64_t)random_below(&random, 3));
        } else {
            struct listener *listener = &listeners[count];
            listener->fixture = fixture;
            if (count > 0 && choice == 9) { /* from where another one is */
                listener->offset = listeners[count / 2].offset;
                listener->next_line = listeners[count / 2].next_line;
            }
            assert_int_equal(subscribe(listener, JOB_RUNNING), ERR_OK);
            count++;
        }
    }
    log_feed_ended(fixture->feed, JOB, JOB_SUCCEEDED);
    turn(fixture, 2000);
    for (size_t index = 0; index < LISTENERS; index++) {
        assert_int_equal(listeners[index].next_line, fixture->next_line);
        assert_int_equal(listeners[index].offset, fixture->file.size_bytes);
        assert_int_equal(listeners[index].ends, 1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_old_then_live_then_end), TEST(test_before_the_file_exists), TEST(test_ended_job),
        TEST(test_unended_line),           TEST(test_leaving_inside_a_call),  TEST(test_random_order),
    };

    return cmocka_run_group_tests_name("log feed", tests, NULL, NULL);
}
