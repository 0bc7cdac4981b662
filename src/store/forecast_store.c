/* Forecasts. */
#include "store/forecast_store.h"

#include "base/text.h"
#include "base/time.h"

#include <math.h>

#define FORECAST_COLUMNS                                                                                     \
    "f.version, f.subject, f.target, f.match_id, f.kickoff_us, f.made_us, f.source = 'served', f.p_1, "      \
    "f.p_2, f.p_3, f.settled_us, f.outcome, f.loss, f.layer_us"
enum { COLUMN_COUNT = 14 };

static void bind_forecast(struct query *query, const struct stored_forecast *forecast)
{
    query_bind_text(query, 1, forecast->version);
    query_bind_i64(query, 2, forecast->match_id);
    query_bind_text(query, 3, forecast->subject);
    query_bind_text(query, 4, forecast->target);
    query_bind_i64(query, 5, forecast->kickoff_us);
    query_bind_i64(query, 6, forecast->made_us);
    query_bind_text(query, 7, forecast->is_served ? "served" : "replayed");
    query_bind_f64(query, 8, forecast->p[0]);
    query_bind_f64(query, 9, forecast->p[1]);
    query_bind_f64(query, 10, forecast->classes > 2 ? forecast->p[2] : NAN);
    if (forecast->settled_us == TIME_NONE) {
        query_bind_null(query, 11);
        query_bind_null(query, 12);
    } else {
        query_bind_i64(query, 11, forecast->settled_us);
        query_bind_i64(query, 12, forecast->outcome);
    }
    query_bind_f64(query, 13, forecast->settled_us == TIME_NONE ? NAN : forecast->loss);
    if (forecast->layer_us != 0)
        query_bind_i64(query, 14, forecast->layer_us);
    else
        query_bind_null(query, 14);
}

enum err_code forecast_store_put(struct db *db, const struct stored_forecast *forecast, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "INSERT INTO forecast(version, match_id, subject, target, kickoff_us, made_us, source, p_1, p_2, "
        "p_3, settled_us, outcome, loss, layer_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
        "$12, $13, $14) "
        "ON CONFLICT(version, match_id) DO UPDATE SET kickoff_us = excluded.kickoff_us, "
        "made_us = excluded.made_us, source = excluded.source, p_1 = excluded.p_1, p_2 = excluded.p_2, "
        "p_3 = excluded.p_3, settled_us = excluded.settled_us, outcome = excluded.outcome, "
        "loss = excluded.loss, layer_us = excluded.layer_us "
        "WHERE forecast.settled_us IS NULL AND (forecast.source = 'replayed' OR excluded.source = 'served')",
        &query, err);
    if (code != ERR_OK)
        return code;
    bind_forecast(query, forecast);
    return query_run(query, err);
}

enum err_code forecast_store_settle(struct db *db, const char *version, int64_t match_id, int outcome,
                                    double loss, int64_t settled_us, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "UPDATE forecast SET outcome = $3, loss = $4, settled_us = $5 WHERE version = $1 AND match_id = $2 "
        "AND settled_us IS NULL",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_i64(query, 2, match_id);
    query_bind_i64(query, 3, outcome);
    query_bind_f64(query, 4, loss);
    query_bind_i64(query, 5, settled_us);
    return query_run(query, err);
}

static void take_forecast(const struct query *query, struct stored_forecast *out)
{
    *out = (struct stored_forecast){
        .match_id = query_i64(query, 3),
        .kickoff_us = query_i64(query, 4),
        .made_us = query_i64(query, 5),
        .is_served = query_i64(query, 6) != 0,
        .classes = query_is_null(query, 9) ? 2 : 3,
        .p = {query_f64(query, 7), query_f64(query, 8), query_f64(query, 9)},
        .settled_us = query_is_null(query, 10) ? TIME_NONE : query_i64(query, 10),
        .outcome = query_is_null(query, 11) ? -1 : (int)query_i64(query, 11),
        .loss = query_f64(query, 12),
        .layer_us = query_i64(query, 13),
    };
    (void)text_copy(text_of(query_text(query, 0)), out->version, sizeof(out->version));
    (void)text_copy(text_of(query_text(query, 1)), out->subject, sizeof(out->subject));
    (void)text_copy(text_of(query_text(query, 2)), out->target, sizeof(out->target));
}

enum err_code forecast_store_list(struct db *db, const char *version, int64_t from_us, int64_t to_us,
                                  struct stored_forecast *out, size_t *count, struct err *err)
{
    struct query *query;
    size_t capacity = *count;
    bool has_row = true;
    *count = 0;
    enum err_code code = db_query(db,
                                  "SELECT " FORECAST_COLUMNS
                                  " FROM forecast f WHERE f.kickoff_us >= $1 AND f.kickoff_us < $2 AND "
                                  "($3 IS NULL OR f.version = $3) ORDER BY f.kickoff_us, f.match_id LIMIT $4",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, from_us);
    query_bind_i64(query, 2, to_us);
    query_bind_text(query, 3, version);
    query_bind_i64(query, 4, (int64_t)capacity);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        take_forecast(query, &out[(*count)++]);
    return code;
}

static int goals_at(const struct query *query, int column)
{
    return query_is_null(query, column) ? -1 : (int)query_i64(query, column);
}

enum err_code forecast_store_open(struct db *db, int64_t before_us, struct stored_forecast *out,
                                  int (*goals)[2], size_t *count, struct err *err)
{
    struct query *query;
    size_t capacity = *count;
    bool has_row = true;
    *count = 0;
    enum err_code code = db_query(
        db,
        "SELECT " FORECAST_COLUMNS ", CASE m.state WHEN 1 THEN m.home_goals END, "
        "CASE m.state WHEN 1 THEN m.away_goals END FROM forecast f LEFT JOIN match m ON m.id = f.match_id "
        "WHERE f.settled_us IS NULL AND f.source = 'served' AND f.kickoff_us < $1 ORDER BY f.kickoff_us "
        "LIMIT $2",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, before_us);
    query_bind_i64(query, 2, (int64_t)capacity);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        take_forecast(query, &out[*count]);
        goals[*count][0] = goals_at(query, COLUMN_COUNT);
        goals[(*count)++][1] = goals_at(query, COLUMN_COUNT + 1);
    }
    return code;
}

enum err_code forecast_store_prune(struct db *db, int64_t before_us, int64_t *out_count, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db, "DELETE FROM forecast WHERE kickoff_us < $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, before_us);
    code = query_run(query, err);
    *out_count = code == ERR_OK ? db_changes(db) : 0;
    return code;
}

enum err_code forecast_store_count(struct db *db, int64_t *out_total, int64_t *out_settled, struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code = db_query(db, "SELECT count(*), count(settled_us) FROM forecast", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out_total = query_i64(query, 0);
    *out_settled = query_i64(query, 1);
    query_reset(query);
    return ERR_OK;
}
