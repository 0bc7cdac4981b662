/* For tests of store/ only: a database, jobs in it. */
#ifndef ALMANAC_STORE_TEST_JOB_STORE_H
#define ALMANAC_STORE_TEST_JOB_STORE_H

#include "base/time.h"
#include "os/test_folder.h"
#include "store/job_store.h"
#include "store/queue_store.h"

#include <assert.h>
#include <string.h>

struct test_jobs {
    struct test_folder folder;
    struct db *db;
};

static inline int test_jobs_set_up(void **state)
{
    static struct test_jobs jobs;

    test_folder_create(&jobs.folder);
    *state = &jobs;
    return db_open(test_folder_path(&jobs.folder, "a.db"), DB_READ_WRITE, &jobs.db, NULL);
}

static inline int test_jobs_tear_down(void **state)
{
    struct test_jobs *jobs = *state;

    db_close(jobs->db);
    test_folder_remove(&jobs->folder);
    return 0;
}

/* An order like this one, at time 1000. */
static inline int64_t test_jobs_add(struct db *db, struct job_order order)
{
    int64_t id = 0;
    struct err err = {0};

    if (order.task == NULL)
        order.task = "test";
    if (order.request_json == NULL)
        order.request_json = "{}";
    enum err_code code = job_store_add(db, &order, 1000, &id, NULL, &err);
    assert(code == ERR_OK);
    (void)code;
    return id;
}

static inline struct job_row test_jobs_get(struct db *db, int64_t id)
{
    struct job_row row;

    enum err_code code = job_store_get(db, id, &row, NULL);
    assert(code == ERR_OK);
    (void)code;
    return row;
}

static inline struct queue_row test_jobs_queue(struct db *db, const char *name)
{
    struct queue_row row;

    enum err_code code = queue_store_get(db, name, &row, NULL);
    assert(code == ERR_OK);
    (void)code;
    return row;
}

/* The next ready job of a queue at a time; 0: none. */
static inline int64_t test_jobs_next(struct db *db, const char *queue, int64_t now_us)
{
    int64_t id = 0;

    enum err_code code = job_store_next(db, queue, now_us, &id, NULL);
    assert(code == ERR_OK || code == ERR_NOT_FOUND);
    return code == ERR_OK ? id : 0;
}

static inline void test_jobs_start(struct db *db, int64_t id, const char *lease, int64_t now_us)
{
    struct job_change change = {.id = id,
                                .from = JOB_QUEUED,
                                .to = JOB_RUNNING,
                                .lease = lease,
                                .pid = 7,
                                .process = "p",
                                .now_us = now_us};

    enum err_code code = job_store_change(db, &change, NULL);
    assert(code == ERR_OK);
    (void)code;
}

static inline void test_jobs_end(struct db *db, int64_t id, enum job_state to, int64_t now_us)
{
    struct job_change change = {.id = id,
                                .from = JOB_RUNNING,
                                .to = to,
                                .result_json = to == JOB_SUCCEEDED ? "{}" : NULL,
                                .error = to == JOB_FAILED ? "broken" : NULL,
                                .now_us = now_us};

    enum err_code code = job_store_change(db, &change, NULL);
    assert(code == ERR_OK);
    (void)code;
}

#endif
