/* Jobs through the store, as the supervisor moves them: accepted, started, ended; nothing is run in between.
 *
 *     jobs FOLDER COUNT BATCH
 *
 * Accepts COUNT jobs, BATCH per call (1: each with its own wait for the disk), then starts and ends each in the order of the
 * queue. Accepting waits for the disk (synchronous FULL) before it returns; starts and ends are on the disk at the latest when
 * the last has ended, in the server within a second (job/supervisor_sync.c).
 * Prints one JSON object: seconds of each part, and what the rows say afterwards. */
#include "base/text.h"
#include "base/time.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/job_store.h"
#include "store/queue_store.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 1000 };

static enum err_code enqueue(struct db *db, int64_t count, int64_t batch, struct err *err)
{
    struct job_order orders[BATCH_MAX];
    int64_t ids[BATCH_MAX];
    enum err_code code = ERR_OK;

    for (int64_t index = 0; index < batch; index++)
        orders[index] = (struct job_order){.task = "empty", .request_json = "{}", .who = "bench"};
    for (int64_t done = 0; code == ERR_OK && done < count; done += batch) {
        int64_t now = count - done < batch ? count - done : batch;
        code = job_store_add_many(db, orders, (size_t)now, clock_now_us(), ids, NULL, err);
    }
    return code;
}

static enum err_code claim(struct db *db, int64_t *out_id, struct err *err)
{
    struct job_change change = {.from = JOB_QUEUED,
                                .to = JOB_RUNNING,
                                .lease = "bench",
                                .pid = 1,
                                .process = "none",
                                .may_wait = true,
                                .now_us = clock_now_us()};

    enum err_code code = job_store_next(db, "default", change.now_us, out_id, err);
    change.id = *out_id;
    return code == ERR_OK ? job_store_change(db, &change, err) : code;
}

static enum err_code finish(struct db *db, int64_t id, struct err *err)
{
    struct job_change change = {.id = id,
                                .from = JOB_RUNNING,
                                .to = JOB_SUCCEEDED,
                                .attempt = 1,
                                .lease = "bench",
                                .result_json = "{}",
                                .may_wait = true,
                                .now_us = clock_now_us()};

    return job_store_change(db, &change, err);
}

static enum err_code run_all(struct db *db, int64_t count, struct err *err)
{
    enum err_code code = ERR_OK;

    for (int64_t done = 0; code == ERR_OK && done < count; done++) {
        int64_t id = 0;
        code = claim(db, &id, err);
        if (code == ERR_OK)
            code = finish(db, id, err);
    }
    return code == ERR_OK ? db_sync(db, err) : code;
}

static enum err_code measure(struct store *store, int64_t count, int64_t batch, struct err *err)
{
    int64_t states[JOB_STATE_COUNT];
    struct queue_row queue = {0};
    int64_t begin_us = clock_monotonic_us();

    enum err_code code = enqueue(store->db, count, batch, err);
    int64_t accepted_us = clock_monotonic_us();
    if (code == ERR_OK)
        code = run_all(store->db, count, err);
    int64_t end_us = clock_monotonic_us();
    if (code == ERR_OK)
        code = job_store_count(store->db, states, err);
    if (code == ERR_OK)
        code = queue_store_get(store->db, "default", &queue, err);
    if (code != ERR_OK)
        return code;
    printf("{\"jobs\": %" PRId64
           ", \"enqueue_s\": %.6f, \"run_s\": %.6f, \"total_s\": %.6f, \"succeeded\": %" PRId64
           ", \"completed\": %" PRId64 "}\n",
           count, (double)(accepted_us - begin_us) / 1e6, (double)(end_us - accepted_us) / 1e6,
           (double)(end_us - begin_us) / 1e6, states[JOB_SUCCEEDED], queue.completed);
    return ERR_OK;
}

int main(int argc, char **argv)
{
    struct store store = {0};
    struct err err = {0};
    int64_t count = 0, batch = 0;

    if (argc != 4 || !text_parse_i64(text_of(argv[2]), &count) || !text_parse_i64(text_of(argv[3]), &batch) ||
        count < 1 || batch < 1 || batch > BATCH_MAX) {
        fprintf(stderr, "usage: jobs FOLDER COUNT BATCH\n");
        return 2;
    }
    enum err_code code = store_open(argv[1], DB_READ_WRITE, &store, &err);
    if (code == ERR_OK)
        code = measure(&store, count, batch, &err);
    store_close(&store);
    if (code != ERR_OK)
        fprintf(stderr, "%s\n", err.text);
    return err_exit_code(code);
}
