/* almanac doctor: looks at everything the program needs and says how to mend what is missing. */
#include "cli/command.h"
#include "duck/duck.h"
#include "learn/lightgbm_library.h"
#include "registry/registry.h"
#include "store/fixture_store.h"

#include <stdlib.h>
#include <string.h>

static bool say(const char *what, enum err_code code, const struct err *err, const char *good)
{
    command_printf("%-22s %s\n", what, code == ERR_OK ? good : err->text);
    return code == ERR_OK;
}

static enum err_code check_models(struct session *session, size_t *count, struct err *err)
{
    static const struct model_name all = {"", "", ""};
    enum { VERSIONS_MAX = 4096 };
    struct version_row *rows = calloc(VERSIONS_MAX, sizeof(*rows));
    size_t listed = VERSIONS_MAX;
    enum err_code code = rows != NULL ? registry_list(&session->store, &all, rows, &listed, err)
                                      : err_nomem(err, VERSIONS_MAX * sizeof(*rows));
    for (size_t i = 0; code == ERR_OK && i < listed; i++) {
        struct model *model = NULL;
        if (rows[i].stage != STAGE_PRODUCTION)
            continue;
        code = registry_load(&rows[i], &model, err);
        model_destroy(model);
        ++*count;
    }
    free(rows);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct session session = {0};
    struct err problem = {0};
    const struct lightgbm_library *library;
    size_t models = 0;
    int64_t last_us = 0;
    enum err_code code = command_parse(command, argc, argv, &settings, NULL, NULL, 0, NULL, err);
    if (code != ERR_OK)
        return code;
    bool is_well = say("lightgbm library", lightgbm_library_open(&library, &problem), &problem, "found");
    const char *duckdb = "";
    code = duck_probe(&duckdb, &problem);
    is_well &= say("duckdb library", code, &problem, duckdb);
    code = session_open(&session, &settings, DB_READ_WRITE, &problem);
    is_well &= say("data directory", code, &problem, settings.data_dir);
    if (code == ERR_OK) {
        is_well &= say("matches", football_store_last_kickoff(session.store.db, &last_us, &problem), &problem,
                       "readable");
        is_well &=
            say("models in production", check_models(&session, &models, &problem), &problem, "all whole");
    }
    session_close(&session);
    return is_well ? ERR_OK : err_set(err, ERR_UNAVAILABLE, "something is missing, see above");
}

const struct command command_doctor = {
    .name = "doctor",
    .usage = "",
    .doc = "check what the program needs, and say how to mend it",
    .run = run,
};
