/* Counting for a clean-up. */
#include "store/clean_store.h"

#include "base/time.h"

static enum err_code read_one(struct query *query, int64_t *out, struct err *err)
{
    bool has_row = false;
    *out = TIME_NONE;
    enum err_code code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row && !query_is_null(query, 0))
        *out = query_i64(query, 0);
    query_reset(query);
    return code;
}

static enum err_code count_forecasts(struct db *db, int64_t before_us, int64_t *out, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db, "SELECT count(*) FROM forecast WHERE kickoff_us < $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, before_us);
    return read_one(query, out, err);
}

static enum err_code count_bets(struct db *db, int64_t before_us, int64_t now_us, int64_t *out,
                                struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db,
                                  "SELECT count(*) FROM value_bet v JOIN match m ON m.id = v.match_id "
                                  "WHERE v.found_us < $1 AND m.kickoff_us < $2",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, before_us);
    query_bind_i64(query, 2, now_us);
    return read_one(query, out, err);
}

static enum err_code count_jobs(struct db *db, int64_t before_us, int64_t *out, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db, "SELECT count(*) FROM job WHERE state IN ('succeeded', 'failed', 'stopped') AND ended_us < $1",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, before_us);
    return read_one(query, out, err);
}

enum err_code clean_store_count(struct db *db, int64_t forecast_us, int64_t job_us, int64_t now_us,
                                struct clean_counts *out, struct err *err)
{
    enum err_code code = count_forecasts(db, forecast_us, &out->forecasts, err);
    if (code == ERR_OK)
        code = count_bets(db, forecast_us, now_us, &out->value_bets, err);
    if (code == ERR_OK)
        code = count_jobs(db, job_us, &out->jobs, err);
    return code;
}

enum err_code clean_store_oldest_job(struct db *db, int64_t *out_us, struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db, "SELECT min(started_us) FROM job WHERE state IN ('running', 'stopping')", &query, err);
    return code == ERR_OK ? read_one(query, out_us, err) : code;
}
