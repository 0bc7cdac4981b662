/* Model objects as JSON: the Model of /api/models, the row of the training history, the report. */
#include "api/model_object.h"

#include "base/time.h"
#include "limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void write_period(struct json_writer *out, const char *key, int64_t from_us, int64_t to_us)
{
    json_key(out, key);
    json_begin_object(out);
    json_field_time(out, "from", from_us);
    json_field_time(out, "to", to_us);
    json_end_object(out);
}

static bool has_file(const struct model_entry *entry)
{
    return entry->row.version[0] != '\0' && entry->row.cleared_us == TIME_NONE;
}

/* Zero stands for unknown. */
static void write_count(struct json_writer *out, const char *key, int64_t count)
{
    if (count > 0)
        json_field_i64(out, key, count);
    else
        json_field_null(out, key);
}

/* The options a failed training was asked for; those of the engine are in "parameters". */
static enum err_code request_config(struct store *store, int64_t job_id, struct buffer *out, struct err *err)
{
    buffer_append_text(out, "{\"options\":");
    enum err_code code = job_store_request(store->db, job_id, out, err);
    buffer_append_text(out, ",\"engine_options\":null}");
    return code;
}

enum err_code model_object_config(struct store *store, const struct model_entry *entry, json_t **out,
                                  struct err *err)
{
    struct buffer text;
    *out = NULL;
    buffer_init(&text, LIMIT_DESCRIPTION_BYTES);
    enum err_code code = entry->row.version[0] != '\0'
                             ? registry_config(store, entry->row.version, &text, err)
                             : request_config(store, entry->row.job_id, &text, err);
    if (code == ERR_OK)
        code = buffer_check(&text, "the settings of a model", err);
    if (code == ERR_OK)
        code = json_read(buffer_text(&text), text.size_bytes, out, err);
    buffer_release(&text);
    return code;
}

static const char *engine_of(const json_t *config)
{
    return json_string_value(json_object_get(json_object_get(config, "options"), "engine"));
}

static void write_holdout(struct json_writer *out, const struct version_row *row)
{
    json_key(out, "holdout");
    json_begin_object(out);
    json_field_time(out, "from", row->test_from_us);
    json_field_time(out, "to", row->test_to_us);
    json_field_f64(out, "log_loss", row->log_loss); /* NaN becomes null */
    json_field_f64(out, "brier", row->brier);
    json_field_f64(out, "rps", row->rps);
    json_field_f64(out, "accuracy", row->accuracy);
    json_field_f64(out, "rmse", row->rmse);
    json_field_f64(out, "mae", row->mae);
    json_end_object(out);
}

static void write_losses(struct json_writer *out, const struct version_row *row)
{
    json_key(out, "losses");
    json_begin_object(out);
    json_field_f64(out, "train", row->train_loss);
    json_field_f64(out, "validation", row->val_loss);
    json_end_object(out);
}

static void write_head(struct json_writer *out, const struct model_entry *entry, int64_t now_us)
{
    const struct version_row *row = &entry->row;
    json_field_text(out, "subject", row->name.subject);
    json_field_text(out, "variant", row->name.variant);
    json_field_text(out, "bot", row->name.bot);
    json_field_text_or_null(out, "version", row->version);
    json_field_text(out, "stage", row->version[0] != '\0' ? stage_name(row->stage) : NULL);
    json_field_text(out, "status", model_status_name(entry->status));
    json_field_text(out, "status_colour", model_status_colour(entry->status));
    json_field_time(out, "trained_at", row->trained_us);
    json_field_f64(out, "age_h", round((double)(now_us - row->trained_us) / 36e6) / 100);
    json_field_f64(out, "duration_s", (double)row->duration_ms / 1000);
    write_count(out, "data_points", row->rows);
    write_period(out, "period", row->train_from_us, row->train_to_us);
}

enum err_code model_object_write(struct store *store, const struct model_entry *entry, int64_t now_us,
                                 struct json_writer *out, struct err *err)
{
    const struct version_row *row = &entry->row;
    json_t *config = NULL;
    enum err_code code = model_object_config(store, entry, &config, err);
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    write_head(out, entry, now_us);
    write_holdout(out, row);
    json_field_text_or_null(out, "features", row->feature_set);
    json_field_text(out, "engine", engine_of(config));
    write_count(out, "epochs", row->epochs);
    write_losses(out, row);
    json_field_text(out, "path", has_file(entry) ? row->path : NULL);
    json_field_i64(out, "size_bytes", has_file(entry) ? row->size_bytes : 0);
    json_field_text_or_null(out, "error", entry->error);
    write_count(out, "job_id", row->job_id);
    json_field_time(out, "cleared_at", row->cleared_us);
    json_key(out, "config");
    json_put_value(out, config);
    json_end_object(out);
    json_decref(config);
    return ERR_OK;
}

enum err_code model_object_write_training(struct store *store, const struct model_entry *entry,
                                          struct json_writer *out, struct err *err)
{
    const struct version_row *row = &entry->row;
    json_t *config = NULL;
    enum err_code code = model_object_config(store, entry, &config, err);
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    json_field_text(out, "symbol", row->name.subject);
    json_field_text(out, "timeframe", row->name.variant);
    json_field_text(out, "bot_name", row->name.bot);
    json_field_time(out, "trained_at", row->trained_us);
    json_field_f64(out, "duration_s", (double)row->duration_ms / 1000);
    write_count(out, "data_points", row->rows);
    write_period(out, "period", row->train_from_us, row->train_to_us);
    write_count(out, "epochs", row->epochs);
    json_field_f64(out, "train_loss", row->train_loss);
    json_field_f64(out, "val_loss", row->val_loss);
    json_field_f64(out, "rmse", row->rmse);
    json_field_f64(out, "mae", row->mae);
    json_field_f64(out, "brier", row->brier);
    json_field_text(out, "model_path", has_file(entry) ? row->path : NULL);
    json_field_i64(out, "model_size_bytes", has_file(entry) ? row->size_bytes : 0);
    json_field_text(out, "status", model_status_name(entry->status));
    json_field_text_or_null(out, "error", entry->error);
    json_key(out, "config");
    json_put_value(out, config);
    json_field_text_or_null(out, "version", row->version);
    write_count(out, "job_id", row->job_id);
    json_end_object(out);
    json_decref(config);
    return ERR_OK;
}

/* ---- report ---- */

static void write_summary(const struct registry_summary *summary, int64_t failed, struct json_writer *out)
{
    json_field_i64(out, "total", summary->active + summary->stale + summary->archived);
    json_field_i64(out, "fresh", summary->active);
    json_field_i64(out, "stale", summary->stale);
    json_field_i64(out, "failed", failed);
    json_field_i64(out, "archived", summary->archived);
    json_field_i64(out, "cleared", summary->cleared);
    json_field_i64(out, "storage_bytes", summary->storage_bytes);
    json_field_i64(out, "unique_symbols", summary->subjects);
    json_field_i64(out, "unique_timeframes", summary->variants);
    json_field_i64(out, "unique_bots", summary->bots);
}

enum err_code model_object_write_report(struct store *store, int64_t now_us, size_t limit,
                                        struct json_writer *out, struct err *err)
{
    struct model_query query = {.stage = -1, .status = -1, .with_failed = true, .limit = limit};
    struct registry_summary summary;
    struct model_list list = {0};
    int64_t failed = 0;
    enum err_code code = registry_summarise(store, now_us - MODEL_FRESH_US, &summary, err);
    if (code == ERR_OK)
        code = model_object_list(store, &query, now_us, &list, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < list.count; i++)
        failed += list.items[i].status == MODEL_FAILED;
    json_begin_object(out);
    write_summary(&summary, failed, out);
    json_key(out, "models");
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        code = model_object_write(store, &list.items[i], now_us, out, err);
    if (code == ERR_OK) {
        json_end_array(out);
        json_end_object(out);
    }
    model_object_list_release(&list);
    return code;
}
