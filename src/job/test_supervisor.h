/* For tests of job/ only: a store, a loop and a supervisor whose workers are this program. */
#ifndef ALMANAC_JOB_TEST_SUPERVISOR_H
#define ALMANAC_JOB_TEST_SUPERVISOR_H

#include "job/supervisor.h"
#include "os/test_folder.h"

#include "job/test_worker.h"

enum { TEST_WAIT_MS = 60000, TEST_CHANGES_MAX = 4096 };

struct test_server {
    struct test_folder folder;
    struct store store;
    struct loop *loop;
    struct supervisor *supervisor;
    size_t parallel;
    int64_t grace_ms;
    bool keeps_folder;
    int64_t retry_ms;
    int64_t ahead_us; /* of both clocks: time that has passed for the supervisor only */

    enum err_code finish_code; /* what finish answers */
    size_t finish_count;
    int64_t finish_answer;
    struct {
        int64_t id;
        enum job_state state;
    } changes[TEST_CHANGES_MAX];
    size_t change_count;
};

static inline enum err_code test_on_finish(void *context, const struct job_row *job, const json_t *result,
                                           struct err *err)
{
    struct test_server *server = context;

    assert(job->state == JOB_RUNNING);
    server->finish_count++;
    server->finish_answer = json_integer_value(json_object_get(result, "answer"));
    if (server->finish_code != ERR_OK)
        return err_set(err, server->finish_code, "the registry says no");
    return ERR_OK;
}

static inline void test_on_changed(void *context, const struct job_row *job)
{
    struct test_server *server = context;

    if (server->change_count < TEST_CHANGES_MAX) {
        server->changes[server->change_count].id = job->id;
        server->changes[server->change_count++].state = job->state;
    }
}

static inline int64_t test_now_us(void *context)
{
    return clock_now_us() + ((struct test_server *)context)->ahead_us;
}

static inline int64_t test_monotonic_us(void *context)
{
    return clock_monotonic_us() + ((struct test_server *)context)->ahead_us;
}

static inline enum err_code test_server_start(struct test_server *server, struct err *err)
{
    struct supervisor_options options = {.program = test_program(),
                                         .parallel = {server->parallel, server->parallel},
                                         .grace_ms = server->grace_ms,
                                         .retry_ms = server->retry_ms,
                                         .finish = test_on_finish,
                                         .changed = test_on_changed,
                                         .context = server};

    struct clock clock = {.now_us = test_now_us, .monotonic_us = test_monotonic_us, .context = server};

    return supervisor_create(server->loop, &server->store, clock, options, &server->supervisor, err);
}

/* The folder exists. */
static inline void test_server_open(struct test_server *server)
{
    struct err err = {0};

    enum err_code code = loop_create(&server->loop, &err);
    if (code == ERR_OK)
        code = store_open(server->folder.path, DB_READ_WRITE, &server->store, &err);
    if (code != ERR_OK)
        dprintf(STDERR_FILENO, "%s\n", err.text);
    assert(code == ERR_OK);
}

static inline void test_server_close(struct test_server *server)
{
    supervisor_destroy(server->supervisor);
    server->supervisor = NULL;
    store_close(&server->store);
    loop_destroy(server->loop);
}

/* ---- running the loop until something holds ---- */

struct test_wait {
    struct test_server *server;
    bool (*holds)(struct test_server *server, int64_t value);
    int64_t value, end_us;
    bool is_met;
};

static inline void test_on_tick(void *context)
{
    struct test_wait *wait = context;

    wait->is_met = wait->holds(wait->server, wait->value);
    if (wait->is_met || clock_monotonic_us() > wait->end_us)
        loop_stop(wait->server->loop);
}

static inline bool test_wait_for(struct test_server *server, bool (*holds)(struct test_server *, int64_t),
                                 int64_t value, int64_t timeout_ms)
{
    struct test_wait wait = {.server = server, .holds = holds, .value = value};
    struct loop_timer *timer;

    wait.end_us = clock_monotonic_us() + timeout_ms * 1000;
    enum err_code code = loop_timer_add(server->loop, 0, 2, test_on_tick, &wait, &timer, NULL);
    assert(code == ERR_OK);
    code = loop_run(server->loop, NULL);
    assert(code == ERR_OK);
    loop_timer_remove(server->loop, timer);
    return wait.is_met;
}

static inline struct job_row test_job(struct test_server *server, int64_t id)
{
    struct job_row row;

    enum err_code code = job_store_get(server->store.db, id, &row, NULL);
    assert(code == ERR_OK);
    return row;
}

static inline bool test_has_ended(struct test_server *server, int64_t id)
{
    return job_state_is_final(test_job(server, id).state);
}

static inline bool test_is_running(struct test_server *server, int64_t id)
{
    return test_job(server, id).state == JOB_RUNNING;
}

static inline bool test_never(struct test_server *server, int64_t value)
{
    (void)server;
    (void)value;
    return false;
}

/* The log of a job, without times. */
static inline void test_read_log(struct test_server *server, int64_t id, struct buffer *out)
{
    char path[FILE_PATH_BYTES];
    struct buffer raw;

    buffer_init(&raw, 128 << 20);
    buffer_clear(out);
    (void)snprintf(path, sizeof path, "%.3000s/%" PRId64 ".log", server->store.logs, id);
    enum err_code code = file_read(path, &raw, NULL);
    assert(code == ERR_OK || code == ERR_NOT_FOUND);
    for (const char *at = buffer_text(&raw); *at != '\0';) {
        const char *end = strchr(at, '\n');
        assert(end != NULL && end - at >= 28 && at[26] == 'Z' && at[27] == ' ');
        buffer_append(out, at + 28, (size_t)(end + 1 - at - 28));
        at = end + 1;
    }
    buffer_release(&raw);
}

static inline bool test_log_has(struct test_server *server, int64_t id, const char *text)
{
    struct buffer log;

    buffer_init(&log, 128 << 20);
    test_read_log(server, id, &log);
    bool found = strstr(buffer_text(&log), text) != NULL;
    buffer_release(&log);
    return found;
}

static inline bool test_log_is_ready(struct test_server *server, int64_t id)
{
    return test_log_has(server, id, "ready\n");
}

static inline int64_t test_submit(struct test_server *server, const char *options)
{
    struct job_row row;
    struct err err = {0};

    struct job_order order = {.task = "test", .request_json = options};
    enum err_code code = supervisor_submit(server->supervisor, &order, &row, NULL, &err);
    if (code != ERR_OK)
        dprintf(STDERR_FILENO, "%s\n", err.text);
    assert(code == ERR_OK);
    return row.id;
}

#endif
