/* almanac serve: the server. Prints one line with its address when it answers. */
#include "api/api.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/connectors.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/loop.h"
#include "os/process.h"

#include <stdio.h>
#include <string.h>

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

/* The program's own path: workers are started from it. */
static enum err_code own_path(char out[FILE_PATH_BYTES], struct err *err)
{
    char folder[FILE_PATH_BYTES];
    enum err_code code = file_program_folder(folder, err);
    return code == ERR_OK ? file_join(folder, "almanac", out, err) : code;
}

static struct api_options api_options_of(const struct settings *settings, const char *program)
{
    int64_t memory_bytes = settings->job_memory_mb << 20;
    if (memory_bytes == 0)
        memory_bytes = process_machine_memory_bytes() / 4 * 3;
    return (struct api_options){.address = settings->address,
                                .port = (uint16_t)settings->port,
                                .program = program,
                                .parallel_jobs = (size_t)settings->parallel_jobs,
                                .parallel_training = (size_t)settings->parallel_training,
                                .job_grace_ms = settings->job_grace_ms,
                                .job_time_ms = settings->job_time_s * 1000,
                                .job_warn_ms = settings->job_warn_s * 1000,
                                .job_memory_bytes = memory_bytes,
                                .job_cpu_s = settings->job_cpu_s,
                                .job_retry_ms = settings->job_retry_ms,
                                .time_zone = settings->time_zone,
                                .schedule = settings->schedule,
                                .online_cache_bytes = (size_t)settings->online_cache_mb << 20,
                                .redis_url = settings->redis_url,
                                .redis_timeout_ms = settings->redis_timeout_ms,
                                .mail = {.url = settings->smtp_url,
                                         .user = settings->smtp_user,
                                         .password = settings->smtp_password,
                                         .from = settings->smtp_from,
                                         .to = settings->smtp_to,
                                         .events = settings->smtp_events},
                                .notify_retry_ms = settings->notify_retry_ms,
                                .notify_attempts = settings->notify_attempts,
                                .notify_timeout_ms = settings->notify_timeout_ms};
}

static enum err_code serve(const struct settings *settings, struct loop *loop, struct pool *pool,
                           struct store *store, struct err *err)
{
    char program[FILE_PATH_BYTES];
    struct api *api = NULL;
    process_raise_open_files();
    enum err_code code = own_path(program, err);
    if (code != ERR_OK)
        return code;
    struct api_options options = api_options_of(settings, program);
    code = api_create(loop, pool, store, clock_system(), options, &api, err);
    if (code != ERR_OK)
        return code;
    command_printf("listening on http://%s:%u\n", settings->address, (unsigned)listener_port(api->listener));
    (void)fflush(stdout);
    code = loop_run(loop, err);
    log_line(LOG_INFO, "server", "stopping");
    api_destroy(api);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct store store = {0};
    struct loop *loop = NULL;
    struct pool *pool = NULL;
    enum err_code code = command_parse(command, argc, argv, &settings, NULL, NULL, 0, NULL, err);
    if (code == ERR_OK && !is_loopback(settings.address))
        code = err_set_field(err, ERR_FORBIDDEN, "address",
                             "'%s' is not a loopback address; put a reverse proxy with "
                             "authentication in front, as this server has no tokens yet",
                             settings.address);
    if (code == ERR_OK)
        code = connectors_write_environment(&settings.connectors, err);
    if (code == ERR_OK)
        code = loop_create(&loop, err);
    if (code == ERR_OK)
        code = loop_stop_on_signals(loop, err);
    if (code == ERR_OK)
        code = store_open(settings.data_dir, DB_READ_WRITE, &store, err);
    if (code == ERR_OK)
        code = pool_create(2, &pool, err);
    if (code == ERR_OK)
        code = serve(&settings, loop, pool, &store, err);
    if (pool != NULL)
        pool_destroy(pool);
    if (loop != NULL) {
        loop_drain(loop);
        loop_destroy(loop);
    }
    store_close(&store);
    return code;
}

const struct command command_serve = {
    .name = "serve",
    .usage = "[flags]",
    .doc = "answer over HTTP: predictions, models, jobs",
    .run = run,
};
