/* Metrics store: see metrics_store.h. */
#include "store/metrics_store.h"

#include "base/text.h"
#include "base/time.h"

static int64_t time_or_none(const struct query *query, int column)
{
    return query_is_null(query, column) ? TIME_NONE : query_i64(query, column);
}

enum err_code metrics_store_schedule(struct db *db, struct schedule_figures *out, size_t *count,
                                     struct err *err)
{
    struct query *query;
    bool has_row = false;
    size_t capacity = *count;
    *count = 0;
    enum err_code code = db_query(
        db,
        "SELECT name, runs, failures, last_us, (SELECT ended_us FROM schedule_run r WHERE r.name = s.name "
        "AND r.outcome = 'succeeded' AND r.ended_us IS NOT NULL ORDER BY r.id DESC LIMIT 1) "
        "FROM schedule s ORDER BY name LIMIT $1",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, (int64_t)capacity);
    for (code = query_next(query, &has_row, err); code == ERR_OK && has_row && *count < capacity;
         code = query_next(query, &has_row, err)) {
        struct schedule_figures *row = &out[(*count)++];
        (void)text_copy(text_of(query_text(query, 0)), row->name, sizeof(row->name));
        row->runs = query_i64(query, 1);
        row->failures = query_i64(query, 2);
        row->last_us = time_or_none(query, 3);
        row->last_success_us = time_or_none(query, 4);
    }
    query_reset(query);
    return code;
}

enum err_code metrics_store_drift(struct db *db, const char *version, struct drift_figures *out,
                                  struct err *err)
{
    struct query *query;
    bool has_row = false;
    enum err_code code = db_query(db,
                                  "SELECT psi_max, share_drifted, loss, page_hinkley, score, is_alarm, at_us "
                                  "FROM drift_check WHERE version = $1 ORDER BY at_us DESC, id DESC LIMIT 1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row)
        *out = (struct drift_figures){.psi_max = query_f64(query, 0),
                                      .share_drifted = query_f64(query, 1),
                                      .loss = query_f64(query, 2),
                                      .page_hinkley = query_f64(query, 3),
                                      .score = query_f64(query, 4),
                                      .is_alarm = query_i64(query, 5) != 0,
                                      .at_us = query_i64(query, 6)};
    query_reset(query);
    if (code == ERR_OK && !has_row)
        return err_set(err, ERR_NOT_FOUND, "nobody has looked at the drift of '%s' yet", version);
    return code;
}

enum err_code metrics_store_deliveries(struct db *db, struct delivery_figures *out, size_t *count,
                                       struct err *err)
{
    struct query *query;
    bool has_row = false;
    size_t capacity = *count;
    *count = 0;
    enum err_code code =
        db_query(db, "SELECT channel, state, count(*) FROM delivery GROUP BY channel, state ORDER BY 1, 2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    for (code = query_next(query, &has_row, err); code == ERR_OK && has_row && *count < capacity;
         code = query_next(query, &has_row, err)) {
        struct delivery_figures *row = &out[(*count)++];
        (void)text_copy(text_of(query_text(query, 0)), row->channel, sizeof(row->channel));
        (void)text_copy(text_of(query_text(query, 1)), row->state, sizeof(row->state));
        row->count = query_i64(query, 2);
    }
    query_reset(query);
    return code;
}
