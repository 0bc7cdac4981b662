/* almanac features build | audit. */
#include "base/time.h"
#include "cli/command.h"
#include "cli/matrix_names.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "os/clock.h"
#include "task/prepare.h"

#include <stdio.h>
#include <stdlib.h>

struct build_options {
    bool rebuild, csv, parquet;
};
#define MEMBER(name) OPTION_MEMBER(struct build_options, name)
static const struct option_row build_rows[] = {
    {"rebuild", OPTION_BOOL, MEMBER(rebuild), "", 0, 0, "false",
     "compute again even if the matrix is cached, and measure"},
    {"csv", OPTION_BOOL, MEMBER(csv), "", 0, 0, "false", "also write feature_matrix_last.csv"},
    {"parquet", OPTION_BOOL, MEMBER(parquet), "", 0, 0, "false", "also write feature_matrix_last.parquet"},
};
static const struct option_table build_table = {"features build", build_rows,
                                                sizeof(build_rows) / sizeof(*build_rows)};

static enum err_code write_csv(const struct session *session, const struct matrix *matrix, struct err *err)
{
    char path[FILE_PATH_BYTES];
    const char **names = malloc(league_count() * sizeof(*names));
    if (names == NULL)
        return err_nomem(err, league_count() * sizeof(*names));
    for (size_t i = 0; i < league_count(); i++)
        names[i] = league_at(i)->code;
    enum err_code code = file_join(session->store.folder, "feature_matrix_last.csv", path, err);
    if (code == ERR_OK)
        code = matrix_write_csv(matrix, names, path, err);
    free((void *)names);
    return code;
}

static enum err_code write_parquet(const struct session *session, const struct matrix *matrix,
                                   struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct matrix_names names = {0};
    enum err_code code = file_join(session->store.folder, "feature_matrix_last.parquet", path, err);
    if (code == ERR_OK)
        code = matrix_names_create(&names, err);
    if (code == ERR_OK)
        code = matrix_write_parquet(matrix, &names, path, err);
    matrix_names_release(&names);
    return code;
}

/* Into memory, twice: the first build pays for the pages of a fresh allocation, the second is the machine's pace. */
static enum err_code measure(struct session *session, struct err *err)
{
    struct history *history = NULL;
    int64_t start_us = clock_monotonic_us();
    enum err_code code = prepare_history(&session->context, (struct history_options){0}, &history, err);
    if (code != ERR_OK)
        return code;
    const struct feature_set *set = football_feature_set_widest();
    size_t columns = feature_set_columns(set), rows = history_rows(history);
    int64_t load_us = clock_monotonic_us() - start_us, build_us[2] = {0};
    float *values = malloc(rows * columns * sizeof(*values) + 1);
    code = values != NULL ? ERR_OK : err_nomem(err, rows * columns * sizeof(*values));
    for (int i = 0; code == ERR_OK && i < 2; i++) {
        start_us = clock_monotonic_us();
        code = builder_run(set, history_streams(history), history_stream_count(history), values,
                           session->pool, NULL, NULL, err);
        build_us[i] = clock_monotonic_us() - start_us;
    }
    if (code == ERR_OK)
        command_printf("{\"rows\": %zu, \"columns\": %zu, \"load_ms\": %.1f, \"build_first_ms\": %.1f, "
                       "\"build_ms\": %.1f, "
                       "\"threads\": %zu}\n",
                       rows, columns, (double)load_us / 1e3, (double)build_us[0] / 1e3,
                       (double)build_us[1] / 1e3, pool_thread_count(session->pool));
    free(values);
    history_destroy(history);
    return code;
}

static enum err_code run_build(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct build_options options;
    struct session session = {0};
    struct matrix *matrix = NULL;
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_ONLY, err);
    if (code == ERR_OK && options.rebuild)
        code = measure(&session, err);
    if (code == ERR_OK && options.rebuild && (options.csv || options.parquet))
        code = prepare_matrix_anew(&session.context, &matrix, err);
    else if (code == ERR_OK && !options.rebuild)
        code = prepare_matrix(&session.context, &matrix, err);
    if (code == ERR_OK && options.csv)
        code = write_csv(&session, matrix, err);
    if (code == ERR_OK && options.parquet)
        code = write_parquet(&session, matrix, err);
    matrix_close(matrix);
    session_close(&session);
    return code;
}

const struct command command_features_build = {
    .name = "features build",
    .usage = "[--rebuild] [--csv] [--parquet]",
    .doc = "build the feature matrix of all matches, or open it when it is cached",
    .options = &build_table,
    .run = run_build,
};

struct audit_options {
    bool full;
    int64_t cuts, seed;
};
#undef MEMBER
#define MEMBER(name) OPTION_MEMBER(struct audit_options, name)
static const struct option_row audit_rows[] = {
    {"full", OPTION_BOOL, MEMBER(full), "", 0, 0, "false", "100 cuts"},
    {"cuts", OPTION_INT, MEMBER(cuts), "cuts", 1, 100000, "5",
     "moments at which the future is cut off and scrambled"},
    {"seed", OPTION_INT, MEMBER(seed), "", 0, 2147483647, "1", "places the cuts"},
};
static const struct option_table audit_table = {"features audit", audit_rows,
                                                sizeof(audit_rows) / sizeof(*audit_rows)};

static enum err_code run_audit(const struct command *command, int argc, char **argv, struct err *err)
{
    enum { FULL_CUTS = 100 };
    struct settings settings;
    struct audit_options options;
    struct session session = {0};
    struct audit_source source = {0};
    struct audit_report report;
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_ONLY, err);
    if (code == ERR_OK)
        code = prepare_audit_open(&session.context, &source, err);
    if (code == ERR_OK) {
        code = audit_run(football_feature_set_widest(), &source, NULL,
                         options.full ? FULL_CUTS : (size_t)options.cuts, (uint64_t)options.seed,
                         session.pool, NULL, &report, err);
        prepare_audit_close(&source);
    }
    if (code == ERR_OK)
        command_printf("leak audit passed: %zu features, %zu cuts, each with the future cut off and with it "
                       "scrambled; %zu rows "
                       "byte-equal\n",
                       report.features, report.cuts, report.rows_compared);
    session_close(&session);
    return code;
}

const struct command command_features_audit = {
    .name = "features audit",
    .usage = "[--full | --cuts N]",
    .doc =
        "prove that no feature depends on the future: rebuild without it and with another one, compare bytes",
    .options = &audit_table,
    .run = run_audit,
};
