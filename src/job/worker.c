/* The worker's side. Messages are composed in one buffer under a mutex and written with one call each, so lines of
 * several threads never mix. When the server is gone, writing fails; the task is then asked to stop like by SIGTERM,
 * in case the kernel's own signal (process_die_with_parent) should not come. */
#include "job/worker.h"

#include "base/json.h"
#include "base/log.h"
#include "job/job_folder.h"
#include "job/protocol.h"
#include "limits.h"
#include "os/clock.h"
#include "os/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRESS_PERIOD_US INT64_C(200000)
/* the options of a request are a body of the API; what is around them is small */
#define REQUEST_MAX_BYTES (LIMIT_BODY_BYTES + (64 << 10))

struct worker {
    struct buffer request;
    char result_path[FILE_PATH_BYTES]; /* where a completed run is kept; "": nowhere */
    struct reporter reporter;
    pthread_mutex_t mutex; /* guards what follows */
    struct buffer line;
    struct report_pace pace;
};

/* Set by the signal handler; process-wide as signals are. */
static atomic_bool stop_asked;

static void on_term(int number)
{
    (void)number;
    atomic_store(&stop_asked, true);
}

/* The handler serves once: a second SIGTERM finds the default and ends the process. */
static void listen_to_signals(void)
{
    struct sigaction action = {.sa_handler = on_term, .sa_flags = (int)SA_RESETHAND | SA_RESTART};

    atomic_store(&stop_asked, false);
    sigemptyset(&action.sa_mask);
    int result = sigaction(SIGTERM, &action, NULL);
    assert(result == 0);
    (void)result;
    (void)signal(SIGPIPE, SIG_IGN); /* write tells */
}

/* A pipe at the channel's number is what only a server gives: nothing else is ever written to. */
static enum err_code take_channel(struct err *err)
{
    struct stat info;

    if (fstat(PROCESS_CHANNEL, &info) != 0 || !S_ISFIFO(info.st_mode) ||
        fcntl(PROCESS_CHANNEL, F_SETFD, FD_CLOEXEC) != 0)
        return err_set(err, ERR_INVALID,
                       "descriptor %d is not a pipe: a worker is started by the server only",
                       PROCESS_CHANNEL);
    return ERR_OK;
}

static enum err_code read_request(struct buffer *out, struct err *err)
{
    char chunk[16384];

    for (;;) {
        ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, errno, "cannot read the request");
        if (got == 0)
            break;
        buffer_append(out, chunk, (size_t)got);
    }
    if (out->size_bytes == 0 && out->failed == ERR_OK)
        return err_set(err, ERR_INVALID, "the request is empty: the server ended before it sent one");
    return buffer_check(out, "the request", err);
}

/* A request without a place (job, attempt, data_dir) is one of a test. */
static enum err_code find_result_path(const json_t *root, char out[FILE_PATH_BYTES], struct err *err)
{
    const char *data_dir = "";
    int64_t job = 0, attempt = 0;

    enum err_code code = json_take_text(root, "data_dir", false, &data_dir, err);
    if (code == ERR_OK)
        code = json_take_i64(root, "job", false, &job, err);
    if (code == ERR_OK)
        code = json_take_i64(root, "attempt", false, &attempt, err);
    if (code != ERR_OK || data_dir[0] == '\0' || attempt == 0)
        return code;
    return job_folder_result_path(data_dir, job, attempt, out, err);
}

static enum err_code check_request(struct worker *worker, struct err *err)
{
    json_t *root = NULL;

    enum err_code code = json_read(worker->request.data, worker->request.size_bytes, &root, err);
    if (code == ERR_OK && !json_is_object(root))
        code = err_set(err, ERR_INVALID, "the request is not a JSON object");
    if (code == ERR_OK)
        code = find_result_path(root, worker->result_path, err);
    json_decref(root);
    return code;
}

/* Sends what is in worker->line; the caller holds the mutex or is alone. */
static enum err_code send_line(struct worker *worker, struct err *err)
{
    size_t sent = 0;
    enum err_code code = buffer_check(&worker->line, "a message to the server", err);

    while (code == ERR_OK && sent < worker->line.size_bytes) {
        ssize_t done = write(PROCESS_CHANNEL, worker->line.data + sent, worker->line.size_bytes - sent);
        if (done >= 0) {
            sent += (size_t)done;
        } else if (errno != EINTR) {
            code = err_set_errno(err, errno, "cannot write to the server");
            atomic_store(&stop_asked, true);
        }
    }
    buffer_clear(&worker->line);
    return code;
}

/* ---- the reporter ---- */

static void show_progress(struct worker *worker, int64_t now_us)
{
    char sentence[REPORT_LINE_BYTES];

    report_pace_format(&worker->pace, now_us, sentence);
    protocol_write_progress(&worker->line, worker->pace.phase, worker->pace.done, worker->pace.total);
    protocol_write_log(&worker->line, sentence);
    (void)send_line(worker, NULL);
}

static void on_progress(void *context, const char *phase, size_t done, size_t total)
{
    struct worker *worker = context;
    int64_t now_us = clock_monotonic_us();

    (void)pthread_mutex_lock(&worker->mutex);
    if (report_pace_step(&worker->pace, phase, done, total, now_us))
        show_progress(worker, now_us);
    (void)pthread_mutex_unlock(&worker->mutex);
}

static void on_metric(void *context, const char *name, double value, size_t step)
{
    struct worker *worker = context;

    (void)pthread_mutex_lock(&worker->mutex);
    protocol_write_metric(&worker->line, name, value, step);
    (void)send_line(worker, NULL);
    (void)pthread_mutex_unlock(&worker->mutex);
}

static void on_log(void *context, const char *line)
{
    struct worker *worker = context;

    (void)pthread_mutex_lock(&worker->mutex);
    protocol_write_log(&worker->line, line);
    (void)send_line(worker, NULL);
    (void)pthread_mutex_unlock(&worker->mutex);
}

static bool on_is_stopped(void *context)
{
    (void)context;
    return atomic_load(&stop_asked);
}

/* ---- life ---- */

static enum err_code make_worker(struct worker **out, struct err *err)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL)
        return err_nomem(err, sizeof *worker);
    buffer_init(&worker->request, REQUEST_MAX_BYTES);
    buffer_init(&worker->line, LIMIT_WORKER_LINE_BYTES);
    int failure = pthread_mutex_init(&worker->mutex, NULL);
    assert(failure == 0); /* a default mutex asks for nothing */
    (void)failure;
    report_pace_init(&worker->pace, PROGRESS_PERIOD_US);
    worker->reporter = (struct reporter){.progress = on_progress,
                                         .metric = on_metric,
                                         .log = on_log,
                                         .is_stopped = on_is_stopped,
                                         .context = worker};
    *out = worker;
    return ERR_OK;
}

enum err_code worker_open(struct worker **out, const char **request, size_t *size_bytes, struct err *err)
{
    struct worker *worker = NULL;

    *out = NULL;
    enum err_code code = take_channel(err);
    if (code != ERR_OK)
        return code;
    /* a server that died before this line is noticed by the hello, whose pipe nobody reads any more */
    process_die_with_parent(getppid());
    listen_to_signals();
    code = make_worker(&worker, err);
    if (code != ERR_OK)
        return code;
    code = read_request(&worker->request, err);
    if (code == ERR_OK)
        code = check_request(worker, err);
    if (code == ERR_OK) {
        protocol_write_hello(&worker->line, getpid());
        code = send_line(worker, err);
    }
    if (code != ERR_OK) {
        worker_close(worker);
        return code;
    }
    *out = worker;
    *request = worker->request.data;
    *size_bytes = worker->request.size_bytes;
    return ERR_OK;
}

const struct reporter *worker_reporter(struct worker *worker)
{
    return &worker->reporter;
}

/* From here on the run is completed: a server that finds the file does not run the job again, whoever is killed now. A file
 * that cannot be written (full disk) leaves the result to the channel alone. */
static void keep_result(const struct worker *worker, const json_t *result)
{
    struct err err = {0};

    if (worker->result_path[0] == '\0')
        return;
    char *text = json_dumps(result, JSON_COMPACT);
    enum err_code code =
        text == NULL ? err_nomem(&err, 0) : file_write_atomic(worker->result_path, text, strlen(text), &err);
    if (code != ERR_OK)
        log_line(LOG_WARN, "worker", "the result is only sent, not kept: %s", err.text);
    free(text);
}

/* Written anew from its values, because a result may be spread over lines. */
static enum err_code send_result(struct worker *worker, const struct buffer *result, struct err *err)
{
    json_t *root = NULL;
    enum err_code code = ERR_OK;

    if (result == NULL || result->size_bytes == 0) {
        root = json_object();
        if (root == NULL)
            return err_nomem(err, 0);
    } else {
        code = json_read(result->data, result->size_bytes, &root, err);
        if (code == ERR_OK && !json_is_object(root))
            code = err_set(err, ERR_INTERNAL, "it is not a JSON object");
    }
    if (code == ERR_OK) {
        protocol_write_result(&worker->line, root);
        code = buffer_check(&worker->line, "a message to the server", err);
        if (code == ERR_OK)
            keep_result(worker, root);
        if (code == ERR_OK)
            code = send_line(worker, err);
        else
            buffer_clear(&worker->line);
    }
    json_decref(root);
    return code;
}

void worker_finish(struct worker *worker, enum err_code code, const struct buffer *result,
                   const struct err *err)
{
    struct err failure = {0};

    (void)pthread_mutex_lock(&worker->mutex);
    if (worker->pace.has_news)
        show_progress(worker, clock_monotonic_us());
    if (code == ERR_OK) {
        code = send_result(worker, result, &failure);
        if (code != ERR_OK)
            (void)err_prefix(&failure, "cannot send the result of the task");
        err = &failure;
    }
    if (code != ERR_OK) {
        const char *message = err != NULL && err->text[0] != '\0' ? err->text : err_sentence(code);
        protocol_write_failed(&worker->line, code, message, err == NULL ? "" : err->field);
        (void)send_line(worker, NULL);
    }
    (void)pthread_mutex_unlock(&worker->mutex);
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    buffer_release(&worker->request);
    buffer_release(&worker->line);
    (void)pthread_mutex_destroy(&worker->mutex);
    free(worker);
}
