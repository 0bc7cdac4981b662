/* almanac report: the honest table of every model in production, as its holdout judged it. */
#include "cli/command.h"
#include "evaluate/scoresheet.h"
#include "limits.h"
#include "registry/registry.h"

#include <stdlib.h>

enum { VERSIONS_MAX = 4096 };

static enum err_code print_version(struct session *session, const struct version_row *row, struct buffer *out,
                                   struct err *err)
{
    struct buffer details;
    json_t *json = NULL;
    buffer_init(&details, LIMIT_RESULT_BYTES);
    enum err_code code = registry_details(&session->store, row->version, &details, err);
    if (code == ERR_OK)
        code = json_read(buffer_text(&details), details.size_bytes, &json, err);
    if (code == ERR_OK) {
        buffer_printf(out, "%s/%s/%s  version %s  (features: %s)\n", row->name.subject, row->name.variant,
                      row->name.bot, row->version, row->feature_set);
        scoresheet_print(json_object_get(json, "scores"), out);
        buffer_append_char(out, '\n');
    }
    json_decref(json);
    buffer_release(&details);
    return code;
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    static const struct model_name all = {"", "", ""};
    struct settings settings;
    struct session session = {0};
    struct buffer text;
    size_t count = VERSIONS_MAX;
    struct version_row *rows = calloc(VERSIONS_MAX, sizeof(*rows));
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = rows != NULL
                             ? command_parse(command, argc, argv, &settings, NULL, NULL, 0, NULL, err)
                             : err_nomem(err, VERSIONS_MAX * sizeof(*rows));
    if (code == ERR_OK)
        code = session_open(&session, &settings, DB_READ_WRITE, err);
    if (code == ERR_OK)
        code = registry_list(&session.store, &all, rows, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        if (rows[i].stage == STAGE_PRODUCTION)
            code = print_version(&session, &rows[i], &text, err);
    }
    if (code == ERR_OK)
        command_print(&text);
    buffer_release(&text);
    free(rows);
    session_close(&session);
    return code;
}

const struct command command_report = {
    .name = "report",
    .usage = "",
    .doc = "models in production beside baselines, bookmaker and closing price, as their holdout judged them",
    .run = run,
};
