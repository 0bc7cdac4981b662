/* League tables: a table is replaced as a whole. */
#include "store/standing_store.h"

#include "base/text.h"

static enum err_code remove_table(struct db *db, const char *league, int64_t season, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db, "DELETE FROM standing WHERE league = $1 AND season = $2", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, league);
    query_bind_i64(query, 2, season);
    return query_run(query, err);
}

static enum err_code insert_row(struct db *db, const char *league, int64_t season, int64_t number,
                                const struct standing *row, int64_t fetched_us, struct err *err)
{
    struct query *query;
    const int64_t numbers[] = {row->played,    row->won,           row->drawn,  row->lost,
                               row->goals_for, row->goals_against, row->points, fetched_us};
    enum err_code code =
        db_query(db,
                 "INSERT INTO standing(league, season, number, stage, \"group\", position, team_id, name, "
                 "played, won, drawn, lost, goals_for, goals_against, points, fetched_us) "
                 "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, league);
    query_bind_i64(query, 2, season);
    query_bind_i64(query, 3, number);
    query_bind_text(query, 4, row->stage);
    query_bind_text(query, 5, row->group);
    query_bind_i64(query, 6, row->position);
    if (row->team_id > 0)
        query_bind_i64(query, 7, row->team_id);
    else
        query_bind_null(query, 7);
    query_bind_text(query, 8, row->name);
    for (int index = 0; index < 8; index++)
        query_bind_i64(query, 9 + index, numbers[index]);
    return query_run(query, err);
}

enum err_code standing_store_replace(struct db *db, const char *league, int64_t season,
                                     const struct standing *rows, size_t count, int64_t fetched_us,
                                     struct err *err)
{
    enum err_code code = remove_table(db, league, season, err);
    for (size_t index = 0; index < count && code == ERR_OK; index++)
        code = insert_row(db, league, season, (int64_t)index + 1, &rows[index], fetched_us, err);
    return code;
}

static void take_row(const struct query *query, struct standing *out)
{
    *out = (struct standing){
        .season = query_i64(query, 0),
        .position = query_i64(query, 3),
        .team_id = query_i64(query, 4),
        .played = query_i64(query, 6),
        .won = query_i64(query, 7),
        .drawn = query_i64(query, 8),
        .lost = query_i64(query, 9),
        .goals_for = query_i64(query, 10),
        .goals_against = query_i64(query, 11),
        .points = query_i64(query, 12),
        .fetched_us = query_i64(query, 13),
    };
    (void)text_copy(text_of(query_text(query, 1)), out->stage, sizeof out->stage);
    (void)text_copy(text_of(query_text(query, 2)), out->group, sizeof out->group);
    (void)text_copy(text_of(query_text(query, 5)), out->name, sizeof out->name);
}

enum err_code standing_store_list(struct db *db, const char *league, struct standing *out, size_t *count,
                                  struct err *err)
{
    struct query *query;
    bool has_row = false;
    size_t filled = 0;
    enum err_code code =
        db_query(db,
                 "SELECT s.season, s.stage, s.\"group\", s.position, coalesce(s.team_id, 0), "
                 "coalesce(t.name, s.name), s.played, s.won, s.drawn, s.lost, s.goals_for, "
                 "s.goals_against, s.points, s.fetched_us FROM standing s LEFT JOIN team t "
                 "ON t.id = s.team_id WHERE s.league = $1 AND s.season = "
                 "(SELECT max(season) FROM standing WHERE league = $1) ORDER BY s.number LIMIT $2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, league);
    query_bind_i64(query, 2, (int64_t)*count);
    while (filled < *count && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        take_row(query, &out[filled++]);
    query_reset(query);
    *count = filled;
    return code;
}
