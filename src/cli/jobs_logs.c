/* almanac jobs logs: what a job has said, and with -f what it says until it ends. Of the server, or from the file when no
 * server answers.
 *
 * A follower outlives its server: each line comes with the place behind it in the log, and the next server is asked to go on
 * from there, so that no line is lost or told twice. */
#include "base/text.h"
#include "cli/jobs.h"
#include "job/log_reader.h"
#include "limits.h"
#include "os/clock.h"
#include "store/job_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARGUMENTS_MAX = 64, PAGE_LINES = 5000, TAIL_MAX = 10000, FOUND_MAX = 1000 };
enum { PAUSE_FIRST_MS = 200, PAUSE_MOST_MS = 2000 };

struct logs_options {
    bool follow;
    int64_t tail, reconnect_s;
    char search[200];
};
#define MEMBER(name) OPTION_MEMBER(struct logs_options, name)
static const struct option_row rows[] = {
    {"follow", OPTION_BOOL, MEMBER(follow), "", 0, 0, "false",
     "go on until the job ends, with its state as exit status; also -f"},
    {"reconnect_s", OPTION_INT, MEMBER(reconnect_s), "s", 0, 86400, "60",
     "with -f: how long to look for a server that went away; 0: not at all"},
    {"tail", OPTION_INT, MEMBER(tail), "lines", -1, TAIL_MAX, "-1", "only the last lines; -1: all"},
    {"search", OPTION_TEXT, MEMBER(search), "", 0, 0, "",
     "only lines that hold this text, in upper or lower case; the newest 1000"},
};
#undef MEMBER
static const struct option_table table = {"jobs_logs", rows, sizeof(rows) / sizeof(*rows)};

struct logs {
    struct settings settings;
    struct logs_options options;
    int64_t id;
    struct server_client *client;
    int64_t offset;    /* where to follow on: behind the last line that was told */
    bool has_place;    /* false: the server does not say where its lines are */
    char state[16];    /* the job's, once it has ended */
    char failure[200]; /* of the server, instead */
};

/* "-f" is what everybody types; the rest of the program has long flags only. */
static enum err_code parse(struct logs *logs, const struct command *command, int argc, char **argv,
                           struct err *err)
{
    static char follow[] = "--follow";
    const char *positionals[1] = {""};
    char *arguments[ARGUMENTS_MAX];
    size_t count = 0;
    if (argc > ARGUMENTS_MAX)
        return err_set(err, ERR_INVALID, "there are more than %d arguments", ARGUMENTS_MAX);
    for (int i = 0; i < argc; i++)
        arguments[i] = strcmp(argv[i], "-f") == 0 ? follow : argv[i];
    enum err_code code =
        command_parse(command, argc, arguments, &logs->settings, &logs->options, positionals, 1, &count, err);
    if (code == ERR_OK && logs->options.follow && logs->options.search[0] != '\0')
        return err_set(err, ERR_INVALID, "--follow and --search do not go together");
    return code == ERR_OK ? jobs_read_id(positionals[0], &logs->id, err) : code;
}

static void print_line(const char *at, const char *text)
{
    command_printf("%s%s%s\n", at, at[0] != '\0' ? " " : "", text);
}

static void print_lines(const json_t *answer)
{
    const json_t *line;
    size_t index;
    json_array_foreach(json_object_get(answer, "lines"), index, line)
        print_line(jobs_text(line, "at"), jobs_text(line, "text"));
    (void)fflush(stdout);
}

/* ---- of the server ---- */

static bool on_event(void *context, int64_t id, const char *name, struct text data)
{
    struct logs *logs = context;
    if (strcmp(name, "log") == 0) {
        command_printf("%.*s\n", (int)data.size_bytes, data.data);
        (void)fflush(stdout);
        logs->has_place = id >= 0;
        logs->offset = id >= 0 ? id : 0;
        return true;
    }
    if (strcmp(name, "end") == 0)
        (void)text_copy(data, logs->state, sizeof(logs->state));
    else
        (void)text_copy(data, logs->failure, sizeof(logs->failure));
    return false;
}

/* Where the last lines begin, as a place that is still the same for the next server. */
static enum err_code find_tail(struct logs *logs, struct err *err)
{
    char path[128];
    json_t *answer = NULL;
    (void)snprintf(path, sizeof(path), "/api/jobs/%" PRId64 "/logs/lines?limit=1&tail=%" PRId64, logs->id,
                   logs->options.tail);
    enum err_code code = server_client_call(logs->client, "GET", path, NULL, &answer, err);
    const json_t *line = json_array_get(json_object_get(answer, "lines"), 0);
    if (code == ERR_OK)
        logs->offset = line != NULL ? json_integer_value(json_object_get(line, "offset"))
                                    : json_integer_value(json_object_get(answer, "next_offset"));
    json_decref(answer);
    return code;
}

static bool is_away(enum err_code code)
{
    return code == ERR_UNAVAILABLE || code == ERR_IO;
}

/* One stream, from where the last one ended. ERR_OK: there was one; *out: the job, when it has ended, NULL: the server has
 * gone first. */
static enum err_code hear(struct logs *logs, json_t **out, struct err *err)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "/api/jobs/%" PRId64 "/logs?offset=%" PRId64, logs->id, logs->offset);
    logs->state[0] = logs->failure[0] = '\0';
    enum err_code code = server_client_events(logs->client, path, on_event, logs, err);
    if (code == ERR_OK && logs->failure[0] != '\0')
        return err_set(err, ERR_IO, "%s", logs->failure);
    if (code == ERR_OK && logs->state[0] != '\0') {
        code = jobs_ask(logs->client, logs->id, out, err);
        if (is_away(code)) /* meanwhile: the next one tells the end again */
            code = ERR_OK;
    }
    return code;
}

/* The server went away: the same of the next one. */
static enum err_code hear_next(struct logs *logs, json_t **out, struct err *err)
{
    int64_t end_us = clock_monotonic_us() + logs->options.reconnect_s * 1000000, pause_ms = PAUSE_FIRST_MS;
    enum err_code code;
    (void)fprintf(stderr, "the server went away; looking for it for %" PRId64 " s\n",
                  logs->options.reconnect_s);
    do {
        struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000};
        (void)nanosleep(&pause, NULL);
        pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
        code = hear(logs, out, err);
    } while (is_away(code) && clock_monotonic_us() < end_us);
    if (code == ERR_UNAVAILABLE) /* run() would read the file, and tell all lines again */
        code = err_set(err, ERR_IO,
                       "the server went away and did not come back within %" PRId64 " s; job %" PRId64
                       " goes on with the next one",
                       logs->options.reconnect_s, logs->id);
    return code;
}

static enum err_code follow(struct logs *logs, struct err *err)
{
    char name[32];
    json_t *answer = NULL;
    enum err_code code = logs->options.tail >= 0 ? find_tail(logs, err) : ERR_OK;
    if (code == ERR_OK)
        code = hear(logs, &answer, err);
    while (code == ERR_OK && answer == NULL && logs->has_place && logs->options.reconnect_s > 0)
        code = hear_next(logs, &answer, err);
    if (code == ERR_OK && answer == NULL)
        code = err_set(err, ERR_IO,
                       "the server ended before the job did; job %" PRId64 " goes on with the next one",
                       logs->id);
    if (code == ERR_OK) {
        (void)snprintf(name, sizeof(name), "%" PRId64, logs->id);
        code = jobs_outcome(name, logs->state, jobs_text(json_object_get(answer, "job"), "error"), err);
    }
    json_decref(answer);
    return code;
}

/* Text of a query: everything but letters and digits as %XX. */
static void escape(const char *text, struct buffer *out)
{
    for (const unsigned char *byte = (const unsigned char *)text; *byte != '\0'; byte++) {
        bool is_plain = (*byte >= '0' && *byte <= '9') || (*byte >= 'A' && *byte <= 'Z') ||
                        (*byte >= 'a' && *byte <= 'z');
        buffer_printf(out, is_plain ? "%c" : "%%%02X", *byte);
    }
}

static enum err_code search(struct logs *logs, struct err *err)
{
    struct buffer path;
    json_t *answer = NULL;
    buffer_init(&path, 4096);
    buffer_printf(&path, "/api/jobs/%" PRId64 "/logs/search?limit=%d&q=", logs->id, FOUND_MAX);
    escape(logs->options.search, &path);
    enum err_code code = server_client_call(logs->client, "GET", buffer_text(&path), NULL, &answer, err);
    if (code == ERR_OK)
        print_lines(answer);
    json_decref(answer);
    buffer_release(&path);
    return code;
}

/* Page by page, up to where the log ends now. */
static enum err_code print_all(struct logs *logs, struct err *err)
{
    char path[128];
    int64_t offset = 0, end = INT64_MAX;
    enum err_code code = ERR_OK;
    for (bool is_first = true; code == ERR_OK && offset < end; is_first = false) {
        json_t *answer = NULL;
        bool has_tail = is_first && logs->options.tail >= 0;
        (void)snprintf(path, sizeof(path), "/api/jobs/%" PRId64 "/logs/lines?limit=%d&%s=%" PRId64, logs->id,
                       has_tail ? TAIL_MAX : PAGE_LINES, has_tail ? "tail" : "offset",
                       has_tail ? logs->options.tail : offset);
        code = server_client_call(logs->client, "GET", path, NULL, &answer, err);
        if (code == ERR_OK) {
            int64_t before = offset;
            print_lines(answer);
            offset = json_integer_value(json_object_get(answer, "next_offset"));
            end = json_integer_value(json_object_get(answer, "size_bytes"));
            if (offset <= before) /* a line in the making */
                end = offset;
        }
        json_decref(answer);
    }
    return code;
}

/* ---- from the file ---- */

static bool on_file_line(void *context, const struct log_line *line)
{
    (void)context;
    command_printf("%.*s%s%.*s\n", (int)line->at.size_bytes, line->at.data,
                   line->at.size_bytes > 0 ? " " : "", (int)line->text.size_bytes, line->text.data);
    return true;
}

static bool on_found_line(void *context, const struct log_line *line)
{
    (void)on_file_line(context, line);
    return false;
}

static enum err_code print_found(const struct logs *logs, const struct log_reader *reader, struct err *err)
{
    int64_t offsets[FOUND_MAX];
    size_t count = 0;
    bool has_more = false;
    enum err_code code =
        log_reader_search(reader, logs->options.search, 0, offsets, FOUND_MAX, &count, &has_more, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = log_reader_lines(reader, offsets[i], on_found_line, NULL, err);
    return code;
}

static enum err_code print_file(const struct logs *logs, const struct store *store, struct err *err)
{
    struct job_row job;
    char path[FILE_PATH_BYTES];
    struct log_reader reader;
    int64_t offset = 0;
    enum err_code code = job_store_get(store->db, logs->id, &job, err);
    if (code == ERR_OK && logs->options.follow && !job_state_is_final(job.state))
        return err_set(err, ERR_UNAVAILABLE,
                       "job %" PRId64 " is %s, and no server answers that would run it: start one with "
                       "'almanac serve'",
                       logs->id, job_state_name(job.state));
    if (code == ERR_OK)
        code = log_reader_path(store->logs, logs->id, path, err);
    if (code == ERR_OK)
        code = log_reader_open(path, LIMIT_JOB_LOG_BYTES, &reader, err);
    reader.takes_rest = true;
    if (code == ERR_OK && logs->options.search[0] != '\0')
        return print_found(logs, &reader, err);
    if (code == ERR_OK && logs->options.tail >= 0)
        code = log_reader_tail(&reader, (size_t)logs->options.tail, &offset, err);
    if (code == ERR_OK)
        code = log_reader_lines(&reader, offset, on_file_line, NULL, err);
    if (code == ERR_OK && logs->options.follow) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%" PRId64, logs->id);
        code = jobs_outcome(name, job_state_name(job.state), job.error, err);
    }
    return code;
}

static enum err_code print_store(const struct logs *logs, struct err *err)
{
    struct store store = {0};
    enum err_code code = store_open(logs->settings.data_dir, DB_READ_ONLY, &store, err);
    if (code == ERR_OK)
        code = print_file(logs, &store, err);
    store_close(&store);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    struct logs logs = {.has_place = true};
    enum err_code code = parse(&logs, command, argc, argv, err);
    if (code == ERR_OK)
        code = server_client_create(&logs.settings, &logs.client, err);
    if (code == ERR_OK && logs.options.follow)
        code = follow(&logs, err);
    else if (code == ERR_OK && logs.options.search[0] != '\0')
        code = search(&logs, err);
    else if (code == ERR_OK)
        code = print_all(&logs, err);
    bool has_client = logs.client != NULL;
    server_client_destroy(logs.client);
    return code == ERR_UNAVAILABLE && has_client ? print_store(&logs, err) : code;
}

const struct command command_jobs_logs = {"jobs logs",
                                          "[-f] [--tail N | --search TEXT] ID",
                                          "the log of a job; -f goes on until it ends",
                                          &table,
                                          NULL,
                                          run};
