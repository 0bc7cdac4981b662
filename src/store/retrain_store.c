/* The watch's rows. */
#include "store/retrain_store.h"

#include "base/text.h"
#include "base/time.h"

#include <string.h>

/* ---- limits ---- */

enum err_code retrain_store_limits(struct db *db, const char *version, const char *key, struct buffer *out,
                                   struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code =
        db_query(db, "SELECT text FROM alarm_limits WHERE version = $1 AND key = $2", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_text(query, 2, key);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "the limits of version %s are still to be made", version);
    buffer_append_text(out, query_text(query, 0));
    query_reset(query);
    return buffer_check(out, "limits", err);
}

enum err_code retrain_store_put_limits(struct db *db, const char *version, const char *key, int64_t made_us,
                                       const char *text, struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db,
                 "INSERT INTO alarm_limits(version, made_us, key, text) VALUES ($1, $2, $3, $4) "
                 "ON CONFLICT(version) DO UPDATE SET made_us = excluded.made_us, key = excluded.key, "
                 "text = excluded.text",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_i64(query, 2, made_us);
    query_bind_text(query, 3, key);
    query_bind_text(query, 4, text);
    return query_run(query, err);
}

/* ---- checks ---- */

static enum err_code forget_checks(struct db *db, const struct drift_check *check, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "DELETE FROM drift_check WHERE version = $1 AND (at_us = $2 OR id <= (SELECT id FROM drift_check "
        "WHERE version = $1 ORDER BY id DESC LIMIT 1 OFFSET $3))",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, check->model.version);
    query_bind_i64(query, 2, check->at_us);
    query_bind_i64(query, 3, CHECKS_KEPT - 1);
    code = query_run(query, err);
    if (code == ERR_OK) /* details are kept of the newest only */
        code =
            db_query(db, "UPDATE drift_check SET text = '' WHERE version = $1 AND text <> ''", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, check->model.version);
    return query_run(query, err);
}

static void bind_model(struct query *query, int first, const struct watched_model *model)
{
    query_bind_text(query, first, model->version);
    query_bind_text(query, first + 1, model->subject);
    query_bind_text(query, first + 2, model->variant);
    query_bind_text(query, first + 3, model->bot);
}

enum err_code retrain_store_put_check(struct db *db, const struct drift_check *check, const char *text,
                                      struct err *err)
{
    struct query *query;
    enum err_code code = forget_checks(db, check, err);
    if (code == ERR_OK)
        code = db_query(
            db,
            "INSERT INTO drift_check(at_us, made_us, version, subject, variant, bot, psi_max, share_drifted, "
            "loss, page_hinkley, score, is_alarm, text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
            "$11, $12, $13)",
            &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, check->at_us);
    query_bind_i64(query, 2, check->made_us);
    bind_model(query, 3, &check->model);
    query_bind_f64(query, 7, check->psi_max);
    query_bind_f64(query, 8, check->share_drifted);
    query_bind_f64(query, 9, check->loss);
    query_bind_f64(query, 10, check->page_hinkley);
    query_bind_f64(query, 11, check->score);
    query_bind_i64(query, 12, check->is_alarm);
    query_bind_text(query, 13, text);
    return query_run(query, err);
}

static void take_model(const struct query *query, int first, struct watched_model *out)
{
    (void)text_copy(text_of(query_text(query, first)), out->version, sizeof(out->version));
    (void)text_copy(text_of(query_text(query, first + 1)), out->subject, sizeof(out->subject));
    (void)text_copy(text_of(query_text(query, first + 2)), out->variant, sizeof(out->variant));
    (void)text_copy(text_of(query_text(query, first + 3)), out->bot, sizeof(out->bot));
}

static void bind_filter(struct query *query, const struct watched_model *filter, size_t limit)
{
    query_bind_text(query, 1, filter->subject);
    query_bind_text(query, 2, filter->variant);
    query_bind_text(query, 3, filter->bot);
    query_bind_i64(query, 4, (int64_t)limit);
}
#define FILTER "WHERE ($1 = '' OR subject = $1) AND ($2 = '' OR variant = $2) AND ($3 = '' OR bot = $3) "

enum err_code retrain_store_checks(struct db *db, const struct watched_model *filter, struct drift_check *out,
                                   size_t *count, struct err *err)
{
    struct query *query;
    size_t capacity = *count;
    bool has_row = true;
    *count = 0;
    enum err_code code = db_query(
        db,
        "SELECT * FROM (SELECT at_us, made_us, version, subject, variant, bot, psi_max, share_drifted, loss, "
        "page_hinkley, score, is_alarm, id FROM drift_check " FILTER
        "ORDER BY at_us DESC, id DESC LIMIT $4) ORDER BY at_us, id",
        &query, err);
    if (code != ERR_OK)
        return code;
    bind_filter(query, filter, capacity);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        struct drift_check *check = &out[(*count)++];
        *check = (struct drift_check){.at_us = query_i64(query, 0),
                                      .made_us = query_i64(query, 1),
                                      .psi_max = query_f64(query, 6),
                                      .share_drifted = query_f64(query, 7),
                                      .loss = query_f64(query, 8),
                                      .page_hinkley = query_f64(query, 9),
                                      .score = query_f64(query, 10),
                                      .is_alarm = query_i64(query, 11) != 0};
        take_model(query, 2, &check->model);
    }
    return code;
}

enum err_code retrain_store_last_check(struct db *db, const char *version, struct buffer *out,
                                       struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code = db_query(
        db, "SELECT text FROM drift_check WHERE version = $1 AND text <> '' ORDER BY id DESC LIMIT 1", &query,
        err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "version %s was not looked at yet", version);
    buffer_append_text(out, query_text(query, 0));
    query_reset(query);
    return buffer_check(out, "check", err);
}

static enum err_code take_time(struct query *query, int64_t *out_us, struct err *err)
{
    bool has_row;
    enum err_code code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out_us = has_row && !query_is_null(query, 0) ? query_i64(query, 0) : TIME_NONE;
    query_reset(query);
    return ERR_OK;
}

enum err_code retrain_store_last_checked(struct db *db, int64_t *out_us, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db, "SELECT max(made_us) FROM drift_check", &query, err);
    return code == ERR_OK ? take_time(query, out_us, err) : code;
}

/* ---- decisions ---- */

enum err_code retrain_store_put_event(struct db *db, const struct retraining_event *event,
                                      const char *details, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "INSERT INTO retraining_event(at_us, made_us, version, subject, variant, bot, cause, decision, "
        "reason, job_key, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, event->at_us);
    query_bind_i64(query, 2, event->made_us);
    bind_model(query, 3, &event->model);
    query_bind_text(query, 7, event->cause);
    query_bind_text(query, 8, event->decision);
    query_bind_text(query, 9, event->reason);
    query_bind_text(query, 10, event->job_key);
    query_bind_text(query, 11, details);
    return query_run(query, err);
}

static void take_event(const struct query *query, struct retraining_event *out)
{
    *out = (struct retraining_event){
        .id = query_i64(query, 0), .at_us = query_i64(query, 1), .made_us = query_i64(query, 2)};
    take_model(query, 3, &out->model);
    (void)text_copy(text_of(query_text(query, 7)), out->cause, sizeof(out->cause));
    (void)text_copy(text_of(query_text(query, 8)), out->decision, sizeof(out->decision));
    (void)text_copy(text_of(query_text(query, 9)), out->reason, sizeof(out->reason));
    (void)text_copy(text_of(query_text(query, 10)), out->job_key, sizeof(out->job_key));
    out->job_id = query_is_null(query, 11) ? 0 : query_i64(query, 11);
}

enum err_code retrain_store_events(struct db *db, const struct watched_model *filter,
                                   struct retraining_event *out, size_t *count, struct err *err)
{
    struct query *query;
    size_t capacity = *count;
    bool has_row = true;
    *count = 0;
    enum err_code code =
        db_query(db,
                 "SELECT id, at_us, made_us, version, subject, variant, bot, cause, decision, reason, "
                 "job_key, (SELECT j.id FROM job j WHERE job_key <> '' AND j.key = job_key) "
                 "FROM retraining_event " FILTER "ORDER BY id DESC LIMIT $4",
                 &query, err);
    if (code != ERR_OK)
        return code;
    bind_filter(query, filter, capacity);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        take_event(query, &out[(*count)++]);
    return code;
}

enum err_code retrain_store_event_details(struct db *db, int64_t id, struct buffer *out, struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code = db_query(db, "SELECT details FROM retraining_event WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "no decision has the id %lld", (long long)id);
    buffer_append_text(out, query_text(query, 0));
    query_reset(query);
    return buffer_check(out, "details", err);
}

enum err_code retrain_store_last_training(struct db *db, const struct watched_model *model, int64_t at_us,
                                          int64_t *out_us, struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db,
                 "SELECT max(at_us) FROM retraining_event WHERE subject = $1 AND variant = $2 AND bot = $3 "
                 "AND decision = 'train' AND at_us <= $4",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, model->subject);
    query_bind_text(query, 2, model->variant);
    query_bind_text(query, 3, model->bot);
    query_bind_i64(query, 4, at_us);
    return take_time(query, out_us, err);
}

/* ---- on or off ---- */

enum err_code retrain_store_is_on(struct db *db, bool *out, struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code =
        db_query(db, "SELECT value = 'on' FROM retraining_state WHERE key = 'pipeline'", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out = !has_row || query_i64(query, 0) != 0;
    query_reset(query);
    return ERR_OK;
}

enum err_code retrain_store_switch(struct db *db, bool is_on, const char *who, int64_t at_us, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "INSERT INTO retraining_state(key, value, who, at_us) VALUES ('pipeline', $1, $2, $3) "
        "ON CONFLICT(key) DO UPDATE SET value = excluded.value, who = excluded.who, at_us = excluded.at_us",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, is_on ? "on" : "off");
    query_bind_text(query, 2, who);
    query_bind_i64(query, 3, at_us);
    return query_run(query, err);
}

/* ---- refreshed calibrations ---- */

static enum err_code forget_recalibrations(struct db *db, const struct recalibration *newest, struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db, "DELETE FROM recalibration WHERE version = $1 AND made_us < $2", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, newest->version);
    query_bind_i64(query, 2, newest->made_us - RECALIBRATION_KEPT_DAYS * TIME_DAY_US);
    return query_run(query, err);
}

enum err_code retrain_store_put_recalibration(struct db *db, const struct recalibration *row,
                                              const void *layer, size_t layer_bytes, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "INSERT INTO recalibration(version, made_us, matches, is_better, reason, loss_before, loss_after, "
        "layer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT(version, made_us) DO UPDATE SET "
        "matches = excluded.matches, is_better = excluded.is_better, reason = excluded.reason, "
        "loss_before = excluded.loss_before, loss_after = excluded.loss_after, layer = excluded.layer",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, row->version);
    query_bind_i64(query, 2, row->made_us);
    query_bind_i64(query, 3, row->matches);
    query_bind_i64(query, 4, row->is_better);
    query_bind_text(query, 5, row->reason);
    query_bind_f64(query, 6, row->loss_before);
    query_bind_f64(query, 7, row->loss_after);
    if (layer_bytes > 0)
        query_bind_blob(query, 8, layer, layer_bytes);
    else
        query_bind_null(query, 8);
    code = query_run(query, err);
    return code == ERR_OK ? forget_recalibrations(db, row, err) : code;
}

/* SQL gives a blob as digits. */
static void append_digits(const char *digits, struct buffer *out)
{
    for (size_t i = 0; digits[i] != '\0' && digits[i + 1] != '\0'; i += 2) {
        int high = digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'A' + 10;
        int low = digits[i + 1] <= '9' ? digits[i + 1] - '0' : digits[i + 1] - 'A' + 10;
        buffer_append_char(out, (char)(high * 16 + low));
    }
}

enum err_code retrain_store_recalibration(struct db *db, const char *version, struct recalibration *out,
                                          struct buffer *layer, struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code = db_query(
        db,
        "SELECT made_us, matches, is_better, reason, loss_before, loss_after, hex(layer) FROM recalibration "
        "WHERE version = $1 ORDER BY made_us DESC LIMIT 1",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "version %s was not calibrated again", version);
    *out = (struct recalibration){.made_us = query_i64(query, 0),
                                  .matches = query_i64(query, 1),
                                  .is_better = query_i64(query, 2) != 0,
                                  .loss_before = query_f64(query, 4),
                                  .loss_after = query_f64(query, 5)};
    (void)text_copy(text_of(version), out->version, sizeof(out->version));
    (void)text_copy(text_of(query_text(query, 3)), out->reason, sizeof(out->reason));
    if (layer != NULL)
        append_digits(query_text(query, 6), layer);
    query_reset(query);
    return layer != NULL ? buffer_check(layer, "calibration", err) : ERR_OK;
}
