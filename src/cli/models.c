/* almanac models list | current | dump | reproduce | promote | rollback | history. */
#include "base/time.h"
#include "cli/command.h"
#include "cli/models_who.h"
#include "limits.h"
#include "registry/registry.h"
#include "task/reproduce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_MAX = 4096 };

/* Flags that name a model, empty ones match all; and why it changes its stage. */
struct name_options {
    char league[64], target[32], bot[32], why[256];
};
#define MEMBER(name) OPTION_MEMBER(struct name_options, name)
static const struct option_row name_rows[] = {
    {"league", OPTION_TEXT, MEMBER(league), "", 0, 0, "", "only models of this league"},
    {"target", OPTION_TEXT, MEMBER(target), "", 0, 0, "", "only models of this target"},
    {"bot", OPTION_TEXT, MEMBER(bot), "", 0, 0, "", "only models of this bot"},
};
static const struct option_row why_rows[] = {
    {"why", OPTION_TEXT, MEMBER(why), "", 0, 0, "by hand", "reason kept in the history"},
};
static const struct option_table name_table = {"models", name_rows, sizeof(name_rows) / sizeof(*name_rows)};
static const struct option_table why_table = {"models_promote", why_rows,
                                              sizeof(why_rows) / sizeof(*why_rows)};

/* What every command here begins with: one positional (or none), a session, the name. */
struct models {
    struct settings settings;
    struct name_options options;
    struct session session;
    struct model_name name;
    const char *argument; /* "" when not given */
};

static enum err_code open_models(struct models *models, const struct command *command, int argc, char **argv,
                                 enum db_mode mode, bool needs_argument, struct err *err)
{
    const char *positionals[1] = {""};
    size_t count = 0;
    *models = (struct models){0};
    enum err_code code =
        command_parse(command, argc, argv, &models->settings, &models->options, positionals, 1, &count, err);
    if (code == ERR_OK && needs_argument && count == 0)
        code = err_set(err, ERR_INVALID, "name a version: almanac %s %s", command->name, command->usage);
    if (code == ERR_OK)
        code = session_open(&models->session, &models->settings, mode, err);
    models->argument = count > 0 ? positionals[0] : "";
    (void)snprintf(models->name.subject, sizeof(models->name.subject), "%s", models->options.league);
    (void)snprintf(models->name.variant, sizeof(models->name.variant), "%s", models->options.target);
    (void)snprintf(models->name.bot, sizeof(models->name.bot), "%s", models->options.bot);
    return code;
}

static void print_row(const struct version_row *row)
{
    char trained[TIME_TEXT_BYTES];
    time_format_iso(row->trained_us - row->trained_us % TIME_SECOND_US, trained);
    command_printf("%-16s  %-6s %-5s %-18s %-10s  log loss %.4f  Brier %.4f  correct %.2f %%  %s\n",
                   row->version, row->name.subject, row->name.variant, row->name.bot, stage_name(row->stage),
                   row->log_loss, row->brier, 100 * row->accuracy, trained);
}

static enum err_code list(const struct command *command, int argc, char **argv, bool only_production,
                          struct err *err)
{
    struct models models;
    size_t count = VERSIONS_MAX, shown = 0;
    struct version_row *rows = calloc(VERSIONS_MAX, sizeof(*rows));
    enum err_code code = rows != NULL ? open_models(&models, command, argc, argv, DB_READ_WRITE, false, err)
                                      : err_nomem(err, VERSIONS_MAX * sizeof(*rows));
    if (rows == NULL)
        return code;
    if (code == ERR_OK)
        code = registry_list(&models.session.store, &models.name, rows, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        if (only_production && rows[i].stage != STAGE_PRODUCTION)
            continue;
        print_row(&rows[i]);
        shown++;
    }
    if (code == ERR_OK && only_production && shown == 0)
        code = err_set(err, ERR_NOT_FOUND, "no such model is in production; train one: almanac train");
    session_close(&models.session);
    free(rows);
    return code;
}

static enum err_code run_list(const struct command *command, int argc, char **argv, struct err *err)
{
    return list(command, argc, argv, false, err);
}

static enum err_code run_current(const struct command *command, int argc, char **argv, struct err *err)
{
    return list(command, argc, argv, true, err);
}

/* A version by prefix, or a path of a file. */
static enum err_code run_dump(const struct command *command, int argc, char **argv, struct err *err)
{
    struct models models;
    struct version_row row = {0};
    struct file_map map = {0};
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = open_models(&models, command, argc, argv, DB_READ_WRITE, true, err);
    if (code == ERR_OK && file_exists(models.argument))
        (void)snprintf(row.path, sizeof(row.path), "%s", models.argument);
    else if (code == ERR_OK)
        code = registry_find(&models.session.store, models.argument, &row, err);
    if (code == ERR_OK)
        code = file_map_open(row.path, LIMIT_MODEL_BYTES, &map, err);
    if (code == ERR_OK) {
        model_dump(map.data, map.size_bytes, &text);
        command_print(&text);
        file_map_close(&map);
    }
    buffer_release(&text);
    session_close(&models.session);
    return code;
}

static enum err_code run_reproduce(const struct command *command, int argc, char **argv, struct err *err)
{
    struct models models;
    struct version_row row;
    struct reproduction made;
    enum err_code code = open_models(&models, command, argc, argv, DB_READ_WRITE, true, err);
    if (code == ERR_OK)
        code = registry_find(&models.session.store, models.argument, &row, err);
    if (code == ERR_OK)
        code = reproduce_version(&models.session.context, &row, &made, err);
    terminal_finish();
    if (code == ERR_OK && strcmp(made.version, row.version) != 0)
        code = err_set(
            err, ERR_CONFLICT,
            "version %s was made by an earlier program; this one calls the same recipe %s: train it again",
            row.version, made.version);
    if (code == ERR_OK && !made.is_equal)
        code = err_set(err, ERR_CORRUPT, "version %s was made again as %s and differs from byte %zu on",
                       row.version, made.version, made.first_difference);
    if (code == ERR_OK)
        command_printf("%s reproduced: %zu bytes, all equal\n", row.version, made.size_bytes);
    session_close(&models.session);
    return code;
}

static enum err_code run_promote(const struct command *command, int argc, char **argv, struct err *err)
{
    struct models models;
    struct version_row row;
    char who[JOB_WHO_BYTES];
    models_who(who);
    enum err_code code = open_models(&models, command, argc, argv, DB_READ_WRITE, true, err);
    if (code == ERR_OK)
        code = registry_find(&models.session.store, models.argument, &row, err);
    if (code == ERR_OK)
        code =
            registry_move(&models.session.store, row.version, STAGE_PRODUCTION, who, models.options.why, err);
    if (code == ERR_OK)
        code = registry_get(&models.session.store, row.version, &row, err);
    if (code == ERR_OK)
        print_row(&row);
    session_close(&models.session);
    return code;
}

static enum err_code run_rollback(const struct command *command, int argc, char **argv, struct err *err)
{
    struct models models;
    struct version_row row;
    char who[JOB_WHO_BYTES];
    models_who(who);
    enum err_code code = open_models(&models, command, argc, argv, DB_READ_WRITE, false, err);
    if (code == ERR_OK &&
        (models.name.subject[0] == '\0' || models.name.variant[0] == '\0' || models.name.bot[0] == '\0'))
        code = err_set(err, ERR_INVALID, "name the model: --league, --target and --bot");
    if (code == ERR_OK)
        code = registry_rollback(&models.session.store, &models.name, who, &row, err);
    if (code == ERR_OK)
        print_row(&row);
    session_close(&models.session);
    return code;
}

static enum err_code run_history(const struct command *command, int argc, char **argv, struct err *err)
{
    struct models models;
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = open_models(&models, command, argc, argv, DB_READ_WRITE, false, err);
    if (code == ERR_OK)
        code = registry_history(&models.session.store, &models.name, &text, err);
    if (code == ERR_OK) {
        buffer_append_char(&text, '\n');
        command_print(&text);
    }
    buffer_release(&text);
    session_close(&models.session);
    return code;
}

const struct command command_models_list = {"models list", "[flags]", "every version, newest first",
                                            &name_table,   NULL,      run_list};
const struct command command_models_current = {
    "models current", "[flags]", "the versions in production; fails when there is none",
    &name_table,      NULL,      run_current};
const struct command command_models_dump = {
    "models dump", "VERSION|FILE", "what is in a model file, section by section", NULL, NULL, run_dump};
const struct command command_models_reproduce = {
    "models reproduce", "VERSION", "make a version again and compare the bytes", NULL, NULL, run_reproduce};
const struct command command_models_promote = {
    "models promote", "VERSION [--why TEXT]", "put a version into production by hand", &why_table, NULL,
    run_promote};
const struct command command_models_rollback = {"models rollback",
                                                "--league L --target T --bot B",
                                                "put the version that was in production before back",
                                                &name_table,
                                                NULL,
                                                run_rollback};
const struct command command_models_history = {"models history", "[flags]", "changes of stage, as JSON",
                                               &name_table,      NULL,      run_history};
