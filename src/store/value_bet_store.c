/* Value bets in the store. */
#include "store/value_bet_store.h"

#include "base/text.h"
#include "base/time.h"

static void text_at(const struct query *query, int column, char *out, size_t out_bytes)
{
    (void)text_copy(text_of(query_text(query, column)), out, out_bytes);
}

static int64_t time_at(const struct query *query, int column)
{
    return query_is_null(query, column) ? TIME_NONE : query_i64(query, column);
}

/* ---- writing ---- */

static void bind_bet(struct query *query, const struct value_bet *bet)
{
    const char *const texts[] = {bet->target, bet->selection, bet->bookmaker, bet->label};
    const double numbers[] = {bet->p,     bet->edge,       bet->min_edge,   bet->market_p,        bet->flat,
                              bet->kelly, bet->fractional, bet->value_flat, bet->value_fractional};
    query_bind_i64(query, 1, bet->match_id);
    for (int i = 0; i < 4; i++)
        query_bind_text(query, 2 + i, texts[i]);
    query_bind_f64(query, 6, bet->odds);
    if (bet->price_us == TIME_NONE)
        query_bind_null(query, 7);
    else
        query_bind_i64(query, 7, bet->price_us);
    for (int i = 0; i < 9; i++)
        query_bind_f64(query, 8 + i, numbers[i]);
    query_bind_text(query, 17, bet->currency);
    query_bind_text(query, 18, bet->bot);
    query_bind_text(query, 19, bet->version);
    query_bind_i64(query, 20, bet->found_us);
}

static enum err_code insert_bet(struct db *db, const struct value_bet *bet, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "INSERT INTO value_bet(match_id, target, selection, bookmaker, label, odds, price_us, p, edge, "
        "min_edge, market_p, flat, kelly, fractional, value_flat, value_fractional, currency, bot, version, "
        "found_us) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
        "$19, $20 FROM match WHERE id = $1 "
        "ON CONFLICT(match_id, target, bot, selection, bookmaker) DO NOTHING",
        &query, err);
    if (code != ERR_OK)
        return code;
    bind_bet(query, bet);
    return query_run(query, err);
}

static enum err_code delete_upcoming(struct db *db, const char *league, const char *bookmaker, int64_t now_us,
                                     struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db,
                                  "DELETE FROM value_bet WHERE ($3 = '' OR bookmaker = $3) AND match_id IN "
                                  "(SELECT id FROM match WHERE ($2 = '' OR league = $2) AND "
                                  "kickoff_us > CASE time_known WHEN 1 THEN $1 ELSE $1 - 86400000000 END)",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 2, league);
    query_bind_text(query, 3, bookmaker);
    query_bind_i64(query, 1, now_us);
    return query_run(query, err);
}

enum err_code value_bet_store_replace(struct db *db, const struct value_bet *bets, size_t count,
                                      const char *league, const char *bookmaker, int64_t now_us,
                                      struct err *err)
{
    enum err_code code = db_begin(db, err);
    if (code != ERR_OK)
        return code;
    code = delete_upcoming(db, league, bookmaker, now_us, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = insert_bet(db, &bets[i], err);
    if (code == ERR_OK)
        return db_commit(db, err);
    db_rollback(db);
    return code;
}

enum err_code value_bet_store_forget(struct db *db, int64_t found_before_us, int64_t now_us,
                                     int64_t *out_count, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db,
                                  "DELETE FROM value_bet WHERE found_us < $1 AND match_id IN "
                                  "(SELECT id FROM match WHERE kickoff_us < $2)",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, found_before_us);
    query_bind_i64(query, 2, now_us);
    code = query_run(query, err);
    *out_count = code == ERR_OK ? db_changes(db) : 0;
    return code;
}

/* ---- reading ---- */

static void read_bet(const struct query *query, struct value_bet *out)
{
    *out = (struct value_bet){.match_id = query_i64(query, 0),
                              .odds = query_f64(query, 5),
                              .price_us = time_at(query, 6),
                              .p = query_f64(query, 7),
                              .edge = query_f64(query, 8),
                              .min_edge = query_f64(query, 9),
                              .market_p = query_f64(query, 10),
                              .flat = query_f64(query, 11),
                              .kelly = query_f64(query, 12),
                              .fractional = query_f64(query, 13),
                              .value_flat = query_f64(query, 14),
                              .value_fractional = query_f64(query, 15),
                              .found_us = query_i64(query, 19),
                              .kickoff_us = query_i64(query, 23)};
    text_at(query, 1, out->target, sizeof(out->target));
    text_at(query, 2, out->selection, sizeof(out->selection));
    text_at(query, 3, out->bookmaker, sizeof(out->bookmaker));
    text_at(query, 4, out->label, sizeof(out->label));
    text_at(query, 16, out->currency, sizeof(out->currency));
    text_at(query, 17, out->bot, sizeof(out->bot));
    text_at(query, 18, out->version, sizeof(out->version));
    text_at(query, 20, out->league, sizeof(out->league));
    text_at(query, 21, out->home, sizeof(out->home));
    text_at(query, 22, out->away, sizeof(out->away));
}

enum err_code value_bet_store_list(struct db *db, int64_t from_us, struct value_bet *out, size_t *count,
                                   struct err *err)
{
    struct query *query;
    size_t filled = 0;
    bool has_row = true;
    enum err_code code =
        db_query(db,
                 "SELECT v.match_id, v.target, v.selection, v.bookmaker, v.label, v.odds, v.price_us, v.p, "
                 "v.edge, v.min_edge, v.market_p, v.flat, v.kelly, v.fractional, v.value_flat, "
                 "v.value_fractional, v.currency, v.bot, v.version, v.found_us, m.league, h.name, a.name, "
                 "m.kickoff_us FROM value_bet v JOIN match m ON m.id = v.match_id "
                 "JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id "
                 "WHERE m.kickoff_us >= CASE m.time_known WHEN 1 THEN $1 ELSE $1 - 86400000000 END "
                 "ORDER BY v.edge DESC, v.id LIMIT $2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, from_us);
    query_bind_i64(query, 2, (int64_t)*count);
    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        read_bet(query, &out[filled++]);
    query_reset(query);
    *count = filled;
    return code;
}

enum err_code value_bet_store_upcoming(struct db *db, int64_t from_us, int64_t to_us, int64_t *out_ids,
                                       size_t *count, struct err *err)
{
    struct query *query;
    size_t filled = 0;
    bool has_row = true;
    enum err_code code = db_query(db,
                                  "SELECT id FROM match WHERE state = 0 AND kickoff_us <= $2 AND "
                                  "kickoff_us > CASE time_known WHEN 1 THEN $1 ELSE $1 - 86400000000 END "
                                  "AND day BETWEEN $1 / 86400000000 - 2 AND $2 / 86400000000 + 1 "
                                  "ORDER BY kickoff_us, id LIMIT $3",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, from_us);
    query_bind_i64(query, 2, to_us);
    query_bind_i64(query, 3, (int64_t)*count);
    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        out_ids[filled++] = query_i64(query, 0);
    query_reset(query);
    *count = filled;
    return code;
}

enum err_code value_bet_store_price_time(struct db *db, int64_t match_id, const char *market,
                                         const char *bookmaker, int64_t *out_us, struct err *err)
{
    struct query *query;
    bool has_row = false;
    *out_us = TIME_NONE;
    enum err_code code = db_query(
        db,
        "SELECT coalesce(p.captured_at, f.imported_us) FROM price p JOIN quote q ON q.id = p.quote_id "
        "JOIN match m ON m.id = p.match_id LEFT JOIN import_file f ON f.id = m.file_id "
        "WHERE p.match_id = $1 AND q.market = $2 AND q.label = 'pre_close' AND (q.bookmaker = $3 "
        "OR ($3 = 'Max' AND q.bookmaker = 'BbMx') OR ($3 = 'Avg' AND q.bookmaker = 'BbAv')) "
        "ORDER BY 1 DESC LIMIT 1",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, match_id);
    query_bind_text(query, 2, market);
    query_bind_text(query, 3, bookmaker);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row)
        *out_us = time_at(query, 0);
    query_reset(query);
    return code;
}
