/* For tests of job/ only: the test program started again as a worker. options.play names what it does. It prints on
 * purpose, as a library inside a worker might: that is what the log pipe is for. */
#ifndef ALMANAC_JOB_TEST_WORKER_H
#define ALMANAC_JOB_TEST_WORKER_H

#include "base/json.h"
#include "job/protocol.h"
#include "job/worker.h"
#include "limits.h"
#include "os/clock.h"
#include "os/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct test_play {
    struct worker *worker;
    const struct reporter *reporter;
    const char *play, *path;
    int64_t count, period_ms;
    int64_t job;
};

static inline void test_sleep_ms(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}

static inline const char *test_program(void)
{
    static char path[4096];

    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    assert(size > 0);
    path[size] = '\0';
    return path;
}

static inline void test_channel(const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t done = write(PROCESS_CHANNEL, text, left);
        if (done < 0)
            abort();
        text += done;
        left -= (size_t)done;
    }
}

static inline void test_result(struct test_play *play)
{
    struct buffer result;

    buffer_init(&result, 4096);
    buffer_printf(&result, "{\n  \"answer\": 42,\n  \"job\": %" PRId64 "\n}", play->job);
    worker_finish(play->worker, ERR_OK, &result, NULL);
    buffer_release(&result);
}

/* The pid of a process of the same group that sleeps for ever. */
static inline pid_t test_spawn_sleeper(void)
{
    const char *const argv[] = {"sleep", "1000", NULL};
    pid_t pid = -1;

    int failure = posix_spawnp(&pid, "sleep", NULL, NULL, (char *const *)(uintptr_t)argv, environ);
    assert(failure == 0);
    (void)failure;
    return pid;
}

static inline int test_play_steps(struct test_play *play)
{
    for (int64_t step = 0; step <= play->count; step++) {
        report_progress(play->reporter, "building features", (size_t)step, (size_t)play->count);
        if (report_is_stopped(play->reporter)) {
            struct err err;
            worker_finish(play->worker, err_set(&err, ERR_CANCELLED, "stopped"), NULL, &err);
            return 0;
        }
        test_sleep_ms(play->period_ms);
    }
    test_result(play);
    return 0;
}

/* Numbered lines, each with the time it was written, past the protocol. */
static inline int test_play_lines(struct test_play *play)
{
    FILE *out = stdout;

    for (int64_t index = 0; index < play->count; index++) {
        fprintf(out, "line %" PRId64 " %" PRId64 "\n", index, clock_monotonic_us());
        if (play->period_ms > 0) {
            fflush(out);
            test_sleep_ms(play->period_ms);
        }
    }
    fflush(out);
    test_result(play);
    return 0;
}

static inline int test_play_log(struct test_play *play)
{
    for (int64_t index = 0; index < play->count; index++)
        report_log(play->reporter, "line %" PRId64 " %" PRId64, index, clock_monotonic_us());
    test_result(play);
    return 0;
}

static inline void *test_play_one_thread(void *context)
{
    struct test_play *play = context;

    for (int index = 0; index < 200; index++) {
        report_log(play->reporter, "thread line");
        report_metric(play->reporter, "loss", 0.5, (size_t)index);
        report_progress(play->reporter, "together", (size_t)index, 0);
        (void)report_is_stopped(play->reporter);
    }
    return NULL;
}

static inline int test_play_threads(struct test_play *play)
{
    pthread_t threads[4];

    for (int index = 0; index < 4; index++) {
        int failure = pthread_create(&threads[index], NULL, test_play_one_thread, play);
        assert(failure == 0);
        (void)failure;
    }
    for (int index = 0; index < 4; index++)
        (void)pthread_join(threads[index], NULL);
    test_result(play);
    return 0;
}

static inline void test_play_crash(struct test_play *play)
{
    report_log(play->reporter, "by the protocol");
    dprintf(STDOUT_FILENO, "on stdout\n");
    dprintf(STDERR_FILENO, "about to crash\nwithout an end of line");
    abort();
}

/* The first attempt leaves a mark and never ends, the second succeeds. */
static inline int test_play_once(struct test_play *play)
{
    int descriptor = open(play->path, O_CREAT | O_EXCL | O_WRONLY, 0600);

    if (descriptor < 0) {
        test_result(play);
        return 0;
    }
    (void)signal(SIGTERM, SIG_IGN);
    if (strcmp(play->play, "once_orphan") == 0) /* outlives its server, as no worker should */
        (void)prctl(PR_SET_PDEATHSIG, 0);
    char text[32];
    int length = snprintf(text, sizeof text, "%d", (int)getpid());
    if (write(descriptor, text, (size_t)length) != length)
        return 97;
    close(descriptor);
    for (;;)
        pause();
}

static inline int test_play_misbehave(struct test_play *play)
{
    if (strcmp(play->play, "garbage") == 0) {
        test_channel("this is not JSON\n");
    } else if (strcmp(play->play, "long_message") == 0) {
        for (int index = 0; index < 3 * 16; index++) {
            char piece[(64 << 10) + 1];
            memset(piece, 'x', sizeof piece - 1);
            piece[sizeof piece - 1] = '\0';
            test_channel(piece);
        }
    } else if (strcmp(play->play, "second_end") == 0) {
        test_result(play);
        test_channel("{\"type\":\"result\",\"result\":{}}\n");
    } else if (strcmp(play->play, "second_hello") == 0) {
        test_channel("{\"type\":\"hello\",\"version\":1,\"pid\":1}\n");
    } else { /* half a message */
        test_channel("{\"type\":\"result\",\"result\":{");
        return 0;
    }
    for (;;)
        pause();
}

/* What cannot be done with a worker that was opened properly. */
static inline void test_play_unopened(const char *play)
{
    char request[4096];

    while (read(STDIN_FILENO, request, sizeof request) > 0) {
    }
    if (strcmp(play, "old_version") == 0)
        test_channel("{\"type\":\"hello\",\"version\":99,\"pid\":1}\n");
    else
        test_channel("{\"type\":\"log\",\"line\":\"no hello\"}\n");
    for (;;)
        pause();
}

static inline int test_play_more(struct test_play *play)
{
    struct err err;

    if (strcmp(play->play, "ignore_term") == 0) {
        (void)signal(SIGTERM, SIG_IGN);
        report_log(play->reporter, "ready");
        for (;;)
            pause();
    }
    if (strcmp(play->play, "exit") == 0) {
        dprintf(STDOUT_FILENO, "the last words\n\n");
        return 3;
    }
    if (strcmp(play->play, "fail") == 0) {
        err_set_field(&err, ERR_INVALID, "league", "league 'XX' is unknown");
        worker_finish(play->worker, ERR_INVALID, NULL, &err);
        return 2;
    }
    if (strcmp(play->play, "fail_busy") == 0) {
        err_set(&err, ERR_BUSY, "somebody else has it");
        worker_finish(play->worker, ERR_BUSY, NULL, &err);
        return 2;
    }
    if (strcmp(play->play, "hang_after_result") == 0) {
        test_result(play);
        for (;;)
            pause();
    }
    if (strcmp(play->play, "leave_sleeper") == 0) {
        report_log(play->reporter, "sleeper %d", (int)test_spawn_sleeper());
        test_result(play);
        return 0;
    }
    if (strcmp(play->play, "sleeper_ignores_term") == 0) {
        void (*handler)(int) = signal(SIGTERM, SIG_IGN); /* inherited */
        pid_t sleeper = test_spawn_sleeper();
        struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND};
        (void)sigaction(SIGTERM, &action, NULL);
        report_log(play->reporter, "sleeper %d", (int)sleeper);
        for (;;)
            pause();
    }
    if (strcmp(play->play, "bad_result") == 0) {
        struct buffer result;
        buffer_init(&result, 64);
        buffer_append_text(&result, "[1, 2");
        worker_finish(play->worker, ERR_OK, &result, NULL);
        buffer_release(&result);
        return 0;
    }
    if (strcmp(play->play, "large_result") == 0) {
        struct buffer result;
        buffer_init(&result, 4 << 20);
        buffer_append_text(&result, "{\"text\":\"");
        memset(buffer_extend(&result, LIMIT_WORKER_LINE_BYTES), 'x', LIMIT_WORKER_LINE_BYTES);
        buffer_append_text(&result, "\"}");
        worker_finish(play->worker, ERR_OK, &result, NULL);
        buffer_release(&result);
        return 0;
    }
    return test_play_misbehave(play);
}

static inline int test_play(struct test_play *play)
{
    if (strcmp(play->play, "succeed") == 0) {
        report_log(play->reporter, "working for job %" PRId64, play->job);
        test_result(play);
        return 0;
    }
    if (strcmp(play->play, "steps") == 0)
        return test_play_steps(play);
    if (strcmp(play->play, "lines") == 0)
        return test_play_lines(play);
    if (strcmp(play->play, "log") == 0)
        return test_play_log(play);
    if (strcmp(play->play, "threads") == 0)
        return test_play_threads(play);
    if (strcmp(play->play, "crash") == 0)
        test_play_crash(play);
    if (strncmp(play->play, "once", 4) == 0)
        return test_play_once(play);
    return test_play_more(play);
}

static inline enum err_code test_read_play(const json_t *root, struct test_play *play, struct err *err)
{
    const json_t *options = json_object_get(root, "options");

    enum err_code code = json_take_text(options, "play", true, &play->play, err);
    if (code == ERR_OK)
        code = json_take_text(options, "path", false, &play->path, err);
    if (code == ERR_OK)
        code = json_take_i64(options, "count", false, &play->count, err);
    if (code == ERR_OK)
        code = json_take_i64(options, "period_ms", false, &play->period_ms, err);
    return code == ERR_OK ? json_take_i64(root, "job", true, &play->job, err) : code;
}

/* main() of a test calls this when argv[1] is "worker". */
static inline int test_worker_main(void)
{
    struct test_play play = {.play = "", .path = "", .count = 10, .period_ms = 0};
    const char *request = NULL, *unopened = getenv("ALMANAC_TEST_UNOPENED");
    size_t size_bytes = 0;
    struct err err = {0};
    json_t *root = NULL;
    int status = 99;

    if (unopened != NULL && unopened[0] != '\0')
        test_play_unopened(unopened);
    enum err_code code = worker_open(&play.worker, &request, &size_bytes, &err);
    if (code == ERR_OK)
        code = json_read(request, size_bytes, &root, &err);
    if (code == ERR_OK)
        code = test_read_play(root, &play, &err);
    if (code == ERR_OK) {
        play.reporter = worker_reporter(play.worker);
        status = test_play(&play);
    } else {
        dprintf(STDERR_FILENO, "%s\n", err.text);
    }
    worker_close(play.worker);
    json_decref(root);
    return status;
}

#endif
