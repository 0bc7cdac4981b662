/* almanac jobs logs: what a job has said, and with -f what it says until it ends. Of the server, or from the file when no
 * server answers. */
#include "base/text.h"
#include "cli/jobs.h"
#include "job/log_reader.h"
#include "limits.h"
#include "store/job_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 64, PAGE_LINES = 5000, TAIL_MAX = 10000, FOUND_MAX = 1000 };

struct logs_options {
    bool follow;
    int64_t tail;
    char search[200];
};
#define MEMBER(name) OPTION_MEMBER(struct logs_options, name)
static const struct option_row rows[] = {
    {"follow", OPTION_BOOL, MEMBER(follow), "", 0, 0, "false",
     "go on until the job ends, with its state as exit status; also -f"},
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
    char state[16]; /* the job's, once it has ended */
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

static bool on_event(void *context, const char *name, struct text data)
{
    struct logs *logs = context;
    if (strcmp(name, "log") == 0) {
        command_printf("%.*s\n", (int)data.size_bytes, data.data);
        (void)fflush(stdout);
        return true;
    }
    (void)text_copy(data, logs->state, sizeof(logs->state));
    return false;
}

static enum err_code follow(struct logs *logs, struct err *err)
{
    char path[96], name[32];
    json_t *answer = NULL;
    (void)snprintf(path, sizeof(path), "/api/jobs/%" PRId64 "/logs", logs->id);
    if (logs->options.tail >= 0)
        (void)snprintf(path, sizeof(path), "/api/jobs/%" PRId64 "/logs?tail=%" PRId64, logs->id,
                       logs->options.tail);
    enum err_code code = server_client_events(logs->client, path, on_event, logs, err);
    if (code == ERR_OK && logs->state[0] == '\0')
        code = err_set(err, ERR_IO,
                       "the server ended before the job did; job %" PRId64 " goes on with the next one",
                       logs->id);
    if (code == ERR_OK)
        code = jobs_ask(logs->client, logs->id, &answer, err);
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
    struct logs logs = {0};
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

const struct command command_jobs_logs = {
    "jobs logs", "[-f] ID", "the log of a job; -f goes on until it ends", &table, NULL, run};
