/* The task that tests the job system. How often it was tried is kept in a file of the job's folder, as a checkpoint is: that
 * is how it succeeds at the third attempt, and how it goes on behind the steps that an attempt before has done. */
#include "task/selftest.h"

#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum selftest_ending { END_SUCCEED, END_FAIL, END_FAIL_BUSY, END_CRASH };

#define MEMBER(name) OPTION_MEMBER(struct selftest_options, name)
static const struct option_row rows[] = {
    {"steps", OPTION_INT, MEMBER(steps), "", 0, 1000000, "10", "steps of progress"},
    {"step_ms", OPTION_INT, MEMBER(step_ms), "ms", 0, 600000, "10", "length of a step"},
    {"lines", OPTION_INT, MEMBER(lines), "", 0, 100000, "0", "lines of the log per step"},
    {"epochs", OPTION_INT, MEMBER(epochs), "", 0, 1000000, "0",
     "reports the metric loss at each step, as of this many epochs"},
    {"memory_mb", OPTION_INT, MEMBER(memory_mb), "MB", 0, 1 << 20, "0", "memory to take and use"},
    {"spins", OPTION_BOOL, MEMBER(spins), "", 0, 0, "false", "uses the processor instead of waiting"},
    {"prints", OPTION_BOOL, MEMBER(prints), "", 0, 0, "false",
     "prints a line per step to standard output and one to standard error"},
    {"ignores_term", OPTION_BOOL, MEMBER(ignores_term), "", 0, 0, "false", "does not end when asked to"},
    {"ending", OPTION_ENUM, MEMBER(ending), "succeed|fail|fail_busy|crash", 0, 0, "succeed",
     "how it ends; fail_busy is a failure that can be retried, crash a signal"},
    {"bad_attempts", OPTION_INT, MEMBER(bad_attempts), "", 0, 100, "0",
     "it ends like that at its first so many attempts and then succeeds; 0: always"},
    {"mark", OPTION_TEXT, MEMBER(mark), "", 0, 0, "",
     "a word that is written to selftest/marks for each completed run"},
    {"then", OPTION_TEXT, MEMBER(then), "", 0, 0, "", "task that follows"},
};
static const struct option_table table = {"selftest", rows, sizeof(rows) / sizeof(*rows)};

static enum err_code check_options(const void *context, struct err *err)
{
    const struct selftest_options *options = context;
    for (const char *at = options->mark; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~')
            return err_set_field(err, ERR_INVALID, "mark",
                                 "'mark' has blanks or other characters that do not print");
    }
    if (options->then[0] != '\0' && task_find(options->then) == NULL)
        return err_set_field(err, ERR_INVALID, "then", "no task is called '%s'", options->then);
    return ERR_OK;
}

/* ---- what was done before ---- */

struct record {
    int64_t attempts, steps;
};

static enum err_code record_path(const struct task_context *context, char out[FILE_PATH_BYTES],
                                 struct err *err)
{
    return file_join(context->job_folder, "selftest.txt", out, err);
}

/* Nothing outside of a job, or at its first attempt. */
static void read_record(const struct task_context *context, struct record *out)
{
    char path[FILE_PATH_BYTES];
    struct buffer text;
    struct text rest, part;
    *out = (struct record){0};
    if (context->job_folder == NULL || record_path(context, path, NULL) != ERR_OK)
        return;
    buffer_init(&text, 256);
    if (file_read(path, &text, NULL) == ERR_OK) {
        rest = text_of(buffer_text(&text));
        if (text_split(&rest, ' ', &part) && text_parse_i64(part, &out->attempts))
            (void)text_parse_i64(rest, &out->steps);
    }
    buffer_release(&text);
}

static enum err_code write_record(const struct task_context *context, const struct record *record,
                                  struct err *err)
{
    char path[FILE_PATH_BYTES], text[64];
    if (context->job_folder == NULL)
        return ERR_OK;
    int size = snprintf(text, sizeof(text), "%" PRId64 " %" PRId64, record->attempts, record->steps);
    enum err_code code = record_path(context, path, err);
    return code == ERR_OK ? file_write_atomic(path, text, (size_t)size, err) : code;
}

/* ---- the steps ---- */

static void wait_ms(int64_t ms, bool spins)
{
    int64_t end_us = clock_monotonic_us() + ms * 1000;
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    if (!spins)
        (void)nanosleep(&time, NULL); /* a signal may cut it short: then it is asked to stop */
    while (spins && clock_monotonic_us() < end_us) {
    }
}

static void report_step(const struct task_context *context, const struct selftest_options *options,
                        int64_t step)
{
    const struct reporter *reporter = context->reporter;
    report_progress(reporter, "selftest", (size_t)step, (size_t)options->steps);
    for (int64_t line = 0; line < options->lines; line++)
        report_log(reporter, "step %" PRId64 " line %" PRId64 " at %" PRId64 " us", step, line,
                   clock_now_us());
    if (options->prints) {
        dprintf(STDOUT_FILENO, "stdout of step %" PRId64 "\n", step);
        dprintf(STDERR_FILENO, "stderr of step %" PRId64 "\n", step);
    }
    if (options->epochs > 0)
        report_metric(reporter, "loss", 1.0 / (1.0 + (double)step), (size_t)step);
}

static enum err_code run_steps(const struct task_context *context, const struct selftest_options *options,
                               struct record *record, struct err *err)
{
    if (options->epochs > 0)
        report_metric(context->reporter, "epochs", (double)options->epochs, 0);
    if (record->steps > 0)
        report_log(context->reporter, "goes on behind step %" PRId64, record->steps);
    while (record->steps < options->steps) {
        if (!options->ignores_term && report_is_stopped(context->reporter)) {
            enum err_code code = write_record(context, record, err);
            return code == ERR_OK ? err_set(err, ERR_CANCELLED, "stopped behind step %" PRId64, record->steps)
                                  : code;
        }
        wait_ms(options->step_ms, options->spins);
        report_step(context, options, ++record->steps);
    }
    return ERR_OK;
}

/* ---- the end ---- */

static enum err_code end_badly(const struct selftest_options *options, struct err *err)
{
    switch ((enum selftest_ending)options->ending) {
    case END_FAIL:
        return err_set(err, ERR_CONFLICT, "it was asked to fail");
    case END_FAIL_BUSY:
        return err_set(err, ERR_BUSY, "it was asked to fail in a way that can be retried");
    case END_CRASH:
        (void)raise(SIGSEGV);
        return err_set(err, ERR_INTERNAL, "a signal did not end it");
    case END_SUCCEED:
    default:
        return ERR_OK;
    }
}

static void write_result(const struct selftest_options *options, const struct record *record,
                         struct buffer *result)
{
    struct json_writer out;
    char run[64];
    (void)snprintf(run, sizeof(run), "%d-%" PRId64, (int)getpid(), clock_now_us());
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_field_text(&out, "mark", options->mark);
    json_field_text(&out, "run", run);
    json_field_i64(&out, "attempts", record->attempts);
    json_field_i64(&out, "steps", record->steps);
    if (options->then[0] != '\0') {
        json_key(&out, "then");
        json_begin_array(&out);
        json_begin_object(&out);
        json_field_text(&out, "task", options->then);
        json_field_text(&out, "label", "follows a selftest");
        json_end_object(&out);
        json_end_array(&out);
    }
    json_end_object(&out);
}

/* Pages that are only reserved are not used: each is written to. */
static enum err_code take_memory(int64_t memory_mb, char **out, struct err *err)
{
    size_t size = (size_t)memory_mb << 20;
    *out = NULL;
    if (size == 0)
        return ERR_OK;
    *out = malloc(size);
    if (*out == NULL)
        return err_nomem(err, size);
    for (size_t at = 0; at < size; at += 4096)
        ((volatile char *)*out)[at] = (char)at;
    return ERR_OK;
}

static enum err_code work(struct task_context *context, const struct selftest_options *options,
                          struct buffer *result, struct err *err)
{
    struct record record;
    read_record(context, &record);
    record.attempts++;
    enum err_code code = write_record(context, &record, err);
    if (code == ERR_OK)
        code = run_steps(context, options, &record, err);
    if (code == ERR_OK && (options->bad_attempts == 0 || record.attempts <= options->bad_attempts)) {
        record.steps = 0; /* a bad end is one of all steps: the next attempt does them again */
        code = write_record(context, &record, err);
        if (code == ERR_OK)
            code = end_badly(options, err);
        record.steps = options->steps;
    }
    if (code == ERR_OK)
        write_result(options, &record, result);
    return code;
}

static enum err_code selftest_run(struct task_context *context, const void *chosen, struct buffer *result,
                                  struct err *err)
{
    const struct selftest_options *options = chosen;
    char path[FILE_PATH_BYTES], *memory = NULL;
    int lock = -1;
    if (options->ignores_term)
        (void)signal(SIGTERM, SIG_IGN);
    enum err_code code = ERR_OK;
    if (context->job_folder != NULL) {
        code = file_join(context->job_folder, "selftest.lock", path, err);
        if (code == ERR_OK)
            code = folder_lock(path, &lock, err);
        if (code == ERR_BUSY)
            return err_set(err, ERR_INTERNAL, "this job runs already: '%s' is locked", path);
    }
    if (code == ERR_OK)
        code = take_memory(options->memory_mb, &memory, err);
    if (code == ERR_OK)
        code = work(context, options, result, err);
    free(memory);
    if (lock >= 0)
        folder_unlock(lock);
    return code;
}

/* ---- the mark ---- */

static enum err_code append_line(const char *path, const char *line, struct err *err)
{
    size_t size = strlen(line);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    ssize_t done = write(descriptor, line, size);
    int failure = done == (ssize_t)size ? 0 : done < 0 ? errno : ENOSPC;
    close(descriptor);
    return failure == 0 ? ERR_OK : err_set_errno(err, failure, "cannot write to '%s'", path);
}

/* The same result may be committed twice, around the end of a server: the same line then. */
static enum err_code commit(struct store *store, const json_t *result, struct err *err)
{
    char folder[FILE_PATH_BYTES], path[FILE_PATH_BYTES], line[160];
    const char *mark = "", *run = "";
    enum err_code code = json_take_text(result, "mark", true, &mark, err);
    if (code == ERR_OK)
        code = json_take_text(result, "run", true, &run, err);
    if (code != ERR_OK || mark[0] == '\0')
        return code;
    (void)snprintf(line, sizeof(line), "%.64s %.64s\n", mark, run);
    code = file_join(store->folder, "selftest", folder, err);
    if (code == ERR_OK)
        code = file_make_folders(folder, err);
    if (code == ERR_OK)
        code = file_join(folder, "marks", path, err);
    return code == ERR_OK ? append_line(path, line, err) : code;
}

const struct task task_selftest = {
    .name = "selftest",
    .doc = "nothing but behave, well or badly: tries out the job system of an installation",
    .options = &table,
    .options_bytes = sizeof(struct selftest_options),
    .check = check_options,
    .run = selftest_run,
    .commit = commit,
};
