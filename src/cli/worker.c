/* almanac worker: the child that runs one job; started by the server, never by hand (docs/protocols/worker.md). */
#include "job/worker.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/connectors.h"
#include "job/job_folder.h"
#include "limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct order {
    const struct task *task;
    char data_dir[FILE_PATH_BYTES], job_folder[FILE_PATH_BYTES];
    _Alignas(16) unsigned char options[TASK_OPTIONS_BYTES];
};

static enum err_code read_order(const char *request, size_t size_bytes, struct order *out, struct err *err)
{
    json_t *json = NULL;
    const char *name = NULL, *folder = NULL;
    int64_t job = 0;
    enum err_code code = json_read(request, size_bytes, &json, err);
    if (code != ERR_OK)
        return code;
    code = json_take_text(json, "task", true, &name, err);
    if (code == ERR_OK)
        code = json_take_text(json, "data_dir", true, &folder, err);
    if (code == ERR_OK)
        code = json_take_i64(json, "job", true, &job, err);
    if (code == ERR_OK)
        code = job_folder_path(folder, job, out->job_folder, err);
    if (code == ERR_OK && (out->task = task_find(name)) == NULL)
        code = err_set_field(err, ERR_INVALID, "task", "no task is called '%s'", name);
    if (code == ERR_OK && !text_copy(text_of(folder), out->data_dir, sizeof(out->data_dir)))
        code = err_set_field(err, ERR_INVALID, "data_dir", "the path is too long");
    if (code == ERR_OK) {
        assert(out->task->options_bytes <= sizeof(out->options));
        option_defaults(out->task->options, out->options);
        code =
            option_read_json(out->task->options, out->options, json_object_get(json, "options"), true, err);
    }
    json_decref(json);
    return code;
}

static enum err_code run_order(const struct order *order, const struct reporter *reporter,
                               struct buffer *result, struct err *err)
{
    struct store store = {0};
    struct pool *pool = NULL;
    struct connector_settings connectors;
    enum err_code code = connectors_read_environment(&connectors, err);
    if (code == ERR_OK)
        code = store_open(order->data_dir, DB_READ_ONLY, &store, err);
    if (code == ERR_OK)
        code = pool_create(0, &pool, err);
    struct task_context context = {.store = &store,
                                   .pool = pool,
                                   .reporter = reporter,
                                   .job_folder = order->job_folder,
                                   .connectors = &connectors};
    if (code == ERR_OK)
        code = order->task->run(&context, order->options, result, err);
    if (pool != NULL)
        pool_destroy(pool);
    store_close(&store);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    static struct order order;
    struct worker *worker = NULL;
    struct buffer result;
    const char *request = NULL;
    size_t size_bytes = 0;
    (void)command;
    (void)argc;
    (void)argv;
    enum err_code code = worker_open(&worker, &request, &size_bytes, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&result, LIMIT_RESULT_BYTES);
    code = read_order(request, size_bytes, &order, err);
    if (code == ERR_OK) { /* before there are threads; for what a task may start */
        (void)setenv("ALMANAC_JOB_FOLDER", order.job_folder, 1);
        code = run_order(&order, worker_reporter(worker), &result, err);
    }
    worker_finish(worker, code, &result, err);
    buffer_release(&result);
    worker_close(worker);
    return code;
}

const struct command command_worker = {
    .name = "worker",
    .usage = "",
    .doc = "run one job of the server; started by it, not by hand",
    .run = run,
};
