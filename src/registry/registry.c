/* Names, paths, recording and loading of versions. The place of a file follows from its name alone, so the store keeps no
 * paths and a data folder can be moved. */
#include "registry/registry.h"

#include "base/text.h"
#include "base/time.h"
#include "limits.h"
#include "os/clock.h"
#include "registry/registry_row.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const stage_names[STAGE_COUNT] = {
    [STAGE_NONE] = "None",
    [STAGE_STAGING] = "Staging",
    [STAGE_PRODUCTION] = "Production",
    [STAGE_ARCHIVED] = "Archived",
};

const char *stage_name(enum stage stage)
{
    assert((unsigned)stage < STAGE_COUNT);
    return stage_names[stage];
}

int stage_find(const char *name)
{
    for (int stage = 0; stage < STAGE_COUNT; stage++) {
        if (strcmp(stage_names[stage], name) == 0)
            return stage;
    }
    return -1;
}

/* ---- paths ---- */

static bool is_name(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return text[0] != '\0' && text[0] != '.' && text[strspn(text, allowed)] == '\0';
}

static bool is_version(const char *text)
{
    size_t size = strlen(text);

    return size > 0 && size < MODEL_VERSION_BYTES && strspn(text, "0123456789abcdef") == size;
}

static enum err_code check_name(const struct model_name *name, struct err *err)
{
    const char *const parts[] = {name->subject, name->variant, name->bot};
    static const char *const fields[] = {"subject", "variant", "bot"};

    for (size_t index = 0; index < sizeof parts / sizeof parts[0]; index++) {
        if (!is_name(parts[index]))
            return err_set_field(err, ERR_INVALID, fields[index],
                                 "%s '%s' is not a name: letters, digits and . _ - without a dot in front",
                                 fields[index], parts[index]);
    }
    return ERR_OK;
}

/* file: "" for the folder, or "/<version>.model" */
static enum err_code join_path(const struct store *store, const struct model_name *name, const char *file,
                               char out[FILE_PATH_BYTES], struct err *err)
{
    int length = snprintf(out, FILE_PATH_BYTES, "%s/%s/%s/%s%s", store->models, name->subject, name->variant,
                          name->bot, file);

    if (length < 0 || length >= FILE_PATH_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the path of a model is longer than %d bytes",
                       FILE_PATH_BYTES - 1);
    return ERR_OK;
}

enum err_code registry_place(const struct store *store, const struct model_name *name, const char *version,
                             char out[FILE_PATH_BYTES], struct err *err)
{
    char file[MODEL_VERSION_BYTES + 16];

    enum err_code code = check_name(name, err);
    if (code == ERR_OK && !is_version(version))
        code =
            err_set_field(err, ERR_INVALID, "version", "'%.40s' is not a version: 1 to %d hexadecimal digits",
                          version, MODEL_VERSION_BYTES - 1);
    if (code != ERR_OK)
        return code;
    (void)snprintf(file, sizeof file, "/%.16s.model", version);
    return join_path(store, name, file, out, err);
}

enum err_code registry_path(const struct store *store, const struct model_name *name, const char *version,
                            char out[FILE_PATH_BYTES], struct err *err)
{
    char folder[FILE_PATH_BYTES];

    enum err_code code = registry_place(store, name, version, out, err);
    if (code == ERR_OK)
        code = join_path(store, name, "", folder, err);
    return code == ERR_OK ? file_make_folders(folder, err) : code;
}

/* ---- rows ---- */

static int64_t time_at(const struct query *query, int column)
{
    return query_is_null(query, column) ? TIME_NONE : query_i64(query, column);
}

static void copy_text(const struct query *query, int column, char *out, size_t out_bytes)
{
    (void)text_copy(text_of(query_text(query, column)), out, out_bytes);
}

enum err_code registry_row_read(const struct store *store, const struct query *query, struct version_row *out,
                                struct err *err)
{
    int stage = stage_find(query_text(query, 4));

    assert(stage >= 0); /* the table's CHECK lets nothing else in */
    *out = (struct version_row){
        .stage = (enum stage)stage,
        .trained_us = query_i64(query, 5),
        .size_bytes = query_i64(query, 6),
        .duration_ms = query_i64(query, 7),
        .log_loss = query_f64(query, 9),
        .brier = query_f64(query, 10),
        .rps = query_f64(query, 11),
        .accuracy = query_f64(query, 12),
        .train_from_us = time_at(query, 13),
        .train_to_us = time_at(query, 14),
        .test_from_us = time_at(query, 15),
        .test_to_us = time_at(query, 16),
        .rows = query_i64(query, 17),
        .job_id = query_i64(query, 18),
        .epochs = query_i64(query, 19),
        .rmse = query_f64(query, 20),
        .mae = query_f64(query, 21),
        .train_loss = query_f64(query, 22),
        .val_loss = query_f64(query, 23),
        .cleared_us = time_at(query, 24),
    };
    copy_text(query, 0, out->version, sizeof out->version);
    copy_text(query, 1, out->name.subject, sizeof out->name.subject);
    copy_text(query, 2, out->name.variant, sizeof out->name.variant);
    copy_text(query, 3, out->name.bot, sizeof out->name.bot);
    copy_text(query, 8, out->feature_set, sizeof out->feature_set);
    return registry_place(store, &out->name, out->version, out->path, err);
}

enum err_code registry_rows_read(const struct store *store, struct query *query, struct version_row *out,
                                 size_t *count, struct err *err)
{
    bool has_row = true;
    size_t filled = 0;
    enum err_code code = ERR_OK;

    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        code = registry_row_read(store, query, &out[filled++], err);
        if (code != ERR_OK)
            break;
    }
    query_reset(query);
    *count = filled;
    return code;
}

/* ---- recording ---- */

static void bind_time(struct query *query, int index, int64_t time_us)
{
    if (time_us == TIME_NONE)
        query_bind_null(query, index);
    else
        query_bind_i64(query, index, time_us);
}

static void bind_row(struct query *query, const struct version_row *row, const char *details,
                     const char *config)
{
    query_bind_text(query, 1, row->version);
    query_bind_text(query, 2, row->name.subject);
    query_bind_text(query, 3, row->name.variant);
    query_bind_text(query, 4, row->name.bot);
    query_bind_text(query, 5, stage_name(STAGE_NONE));
    query_bind_i64(query, 6, row->trained_us);
    query_bind_i64(query, 7, row->size_bytes);
    query_bind_i64(query, 8, row->duration_ms);
    query_bind_text(query, 9, row->feature_set);
    query_bind_f64(query, 10, row->log_loss);
    query_bind_f64(query, 11, row->brier);
    query_bind_f64(query, 12, row->rps);
    query_bind_f64(query, 13, row->accuracy);
    bind_time(query, 14, row->train_from_us);
    bind_time(query, 15, row->train_to_us);
    bind_time(query, 16, row->test_from_us);
    bind_time(query, 17, row->test_to_us);
    query_bind_i64(query, 18, row->rows);
    query_bind_i64(query, 19, row->job_id);
    query_bind_i64(query, 20, row->epochs);
    query_bind_f64(query, 21, row->rmse);
    query_bind_f64(query, 22, row->mae);
    query_bind_f64(query, 23, row->train_loss);
    query_bind_f64(query, 24, row->val_loss);
    bind_time(query, 25, TIME_NONE);
    query_bind_text(query, 26, details);
    query_bind_text(query, 27, config);
}

static enum err_code insert_row(struct db *db, const struct version_row *row, const char *details,
                                const char *config, bool *out_is_new, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "INSERT INTO version(" REGISTRY_COLUMNS ", details, config) VALUES ($1, $2, $3, $4, $5, "
                 "$6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, "
                 "$24, $25, $26, $27) "
                 "ON CONFLICT (version) DO NOTHING",
                 &query, err);
    if (code != ERR_OK)
        return code;
    bind_row(query, row, details, config);
    code = query_run(query, err);
    *out_is_new = code == ERR_OK && db_changes(db) == 1;
    return code;
}

/* The first line of its history, or, when it was cleared, the first of its new life. */
static enum err_code insert_birth(struct db *db, const char *version, const char *from, const char *why,
                                  struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db,
                                  "INSERT INTO stage_history(version, at_us, from_stage, to_stage, who, why) "
                                  "VALUES ($1, $2, $3, $4, '', $5)",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_i64(query, 2, clock_now_us());
    query_bind_text(query, 3, from);
    query_bind_text(query, 4, stage_name(STAGE_NONE));
    query_bind_text(query, 5, why);
    return query_run(query, err);
}

/* A version names its recipe and data, so the same one of another model is a mistake of whoever made it. */
static enum err_code check_same_model(struct store *store, const struct version_row *row, struct err *err)
{
    struct version_row present;

    enum err_code code = registry_get(store, row->version, &present, err);
    if (code != ERR_OK)
        return code;
    if (strcmp(present.name.subject, row->name.subject) == 0 &&
        strcmp(present.name.variant, row->name.variant) == 0 && strcmp(present.name.bot, row->name.bot) == 0)
        return ERR_OK;
    return err_set(err, ERR_CONFLICT, "version %s is one of %s/%s/%s already", row->version,
                   present.name.subject, present.name.variant, present.name.bot);
}

/* The same recipe over the same data, trained once more: equal bytes, so only when is new, and that the file is there. */
static enum err_code renew_row(struct store *store, const struct version_row *row, struct err *err)
{
    struct version_row present;
    struct query *query;

    enum err_code code = registry_get(store, row->version, &present, err);
    if (code == ERR_OK)
        code = db_query(store->db,
                        "UPDATE version SET trained_us = $2, duration_ms = $3, cleared_us = NULL, "
                        "epochs = CASE WHEN $4 > 0 THEN $4 ELSE epochs END, rmse = coalesce($5, rmse), "
                        "mae = coalesce($6, mae), train_loss = coalesce($7, train_loss), "
                        "val_loss = coalesce($8, val_loss), "
                        "stage = CASE WHEN cleared_us IS NULL THEN stage ELSE 'None' END WHERE version = $1 "
                        "AND (trained_us < $2 OR cleared_us IS NOT NULL)",
                        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, row->version);
    query_bind_i64(query, 2, row->trained_us);
    query_bind_i64(query, 3, row->duration_ms);
    query_bind_i64(query, 4, row->epochs);
    query_bind_f64(query, 5, row->rmse);
    query_bind_f64(query, 6, row->mae);
    query_bind_f64(query, 7, row->train_loss);
    query_bind_f64(query, 8, row->val_loss);
    code = query_run(query, err);
    if (code == ERR_OK && present.cleared_us != TIME_NONE)
        code = insert_birth(store->db, row->version, stage_name(STAGE_ARCHIVED), "trained again", err);
    return code;
}

static enum err_code check_file(const struct store *store, const struct version_row *row, struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct file_info info;

    enum err_code code = registry_place(store, &row->name, row->version, path, err);
    if (code != ERR_OK)
        return code;
    code = file_stat(path, &info, err);
    if (code != ERR_OK)
        (void)err_prefix(err, "version %s cannot be recorded", row->version);
    return code;
}

static enum err_code add_row(struct store *store, const struct version_row *row, const char *details,
                             const char *config, struct err *err)
{
    bool is_new = false;

    enum err_code code = insert_row(store->db, row, details, config, &is_new, err);
    if (code != ERR_OK)
        return code;
    if (is_new)
        return insert_birth(store->db, row->version, NULL, "recorded", err);
    code = check_same_model(store, row, err);
    return code == ERR_OK ? renew_row(store, row, err) : code;
}

enum err_code registry_add(struct store *store, const struct version_row *row, const char *details,
                           struct err *err)
{
    struct buffer config;

    buffer_init(&config, LIMIT_DESCRIPTION_BYTES);
    enum err_code code = check_file(store, row, err);
    if (code == ERR_OK)
        code = registry_config_of(details, &config, err);
    if (code == ERR_OK)
        code = db_begin(store->db, err);
    if (code == ERR_OK)
        code = registry_end(store, add_row(store, row, details, buffer_text(&config), err), err);
    buffer_release(&config);
    return code;
}

enum err_code registry_set_training(struct store *store, const char *version, int64_t job_id, int64_t epochs,
                                    double train_loss, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(store->db,
                                  "UPDATE version SET job_id = $2, epochs = CASE WHEN $3 > 0 THEN $3 ELSE "
                                  "epochs END, train_loss = coalesce($4, train_loss) WHERE version = $1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_i64(query, 2, job_id);
    query_bind_i64(query, 3, epochs);
    query_bind_f64(query, 4, train_loss);
    return query_run(query, err);
}

/* ---- loading ---- */

enum err_code registry_load(const struct version_row *row, struct model **out, struct err *err)
{
    struct file_map map;

    *out = NULL;
    enum err_code code = file_map_open(row->path, LIMIT_MODEL_BYTES, &map, err);
    if (code != ERR_OK)
        return code;
    code = model_read(map.data, map.size_bytes, row->path, out, err);
    file_map_close(&map);
    if (code == ERR_OK && strcmp(model_version(*out), row->version) != 0) {
        code = err_set(err, ERR_CORRUPT, "'%s' holds version %s, not %s", row->path, model_version(*out),
                       row->version);
        model_destroy(*out);
        *out = NULL;
    }
    return code;
}
