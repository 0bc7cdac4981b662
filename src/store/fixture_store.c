/* Small reads for serving. */
#include "store/fixture_store.h"

#include "base/time.h"

#include <math.h>

static const struct frame_field team_fields[] = {
    {"id", FRAME_I64}, {"country", FRAME_TEXT}, {"name", FRAME_TEXT}};
static const struct frame_field price_fields[] = {
    {"match", FRAME_I64},   {"market", FRAME_TEXT}, {"bookmaker", FRAME_TEXT}, {"label", FRAME_TEXT},
    {"price_1", FRAME_F64}, {"price_2", FRAME_F64}, {"price_3", FRAME_F64},
};

enum err_code football_store_load_teams(struct db *db, struct frame **out, struct err *err)
{
    struct frame_builder *builder = NULL;
    struct query *query;
    bool has_row;
    enum err_code code = frame_builder_create(team_fields, 3, 0, &builder, err);
    if (code == ERR_OK)
        code = db_query(db, "SELECT id, country, name FROM team ORDER BY id", &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        frame_set_i64(builder, 0, query_i64(query, 0));
        frame_set_text(builder, 1, text_of(query_text(query, 1)));
        frame_set_text(builder, 2, text_of(query_text(query, 2)));
        frame_next_row(builder);
    }
    if (code == ERR_OK)
        code = frame_builder_finish(builder, out, err);
    frame_builder_destroy(builder);
    return code;
}

enum err_code football_store_last_kickoff(struct db *db, int64_t *out_us, struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code = db_query(db, "SELECT max(kickoff_us) FROM match WHERE state = 1", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out_us = query_is_null(query, 0) ? TIME_NONE : query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

enum err_code football_store_match_id(struct db *db, const char *league, int64_t day, int64_t home_id,
                                      int64_t away_id, int64_t *out, struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code =
        db_query(db, "SELECT id FROM match WHERE league = $1 AND day = $2 AND home_id = $3 AND away_id = $4",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, league);
    query_bind_i64(query, 2, day);
    query_bind_i64(query, 3, home_id);
    query_bind_i64(query, 4, away_id);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "no such match is stored");
    *out = query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

static void add_price(struct frame_builder *builder, const struct query *query)
{
    frame_set_i64(builder, 0, 0);
    for (int column = 0; column < 3; column++)
        frame_set_text(builder, (size_t)column + 1, text_of(query_text(query, column)));
    for (int column = 3; column < 6; column++) {
        if (!query_is_null(query, column))
            frame_set_f64(builder, (size_t)column + 1, query_f64(query, column));
    }
    frame_next_row(builder);
}

enum err_code football_store_match_prices(struct db *db, int64_t match_id, struct frame **out,
                                          struct err *err)
{
    struct frame_builder *builder = NULL;
    struct query *query;
    bool has_row;
    enum err_code code =
        frame_builder_create(price_fields, sizeof(price_fields) / sizeof(*price_fields), 0, &builder, err);
    if (code == ERR_OK)
        code = db_query(
            db,
            "SELECT q.market, q.bookmaker, q.label, p.price_1, p.price_2, p.price_3 FROM price p "
            "JOIN quote q ON q.id = p.quote_id WHERE p.match_id = $1 AND q.market IN ('1x2', 'ou25') "
            "ORDER BY q.id",
            &query, err);
    if (code == ERR_OK)
        query_bind_i64(query, 1, match_id);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        add_price(builder, query);
    if (code == ERR_OK)
        code = frame_builder_finish(builder, out, err);
    frame_builder_destroy(builder);
    return code;
}
