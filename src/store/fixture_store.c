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

/* ---- fixtures ---- */

#define SELECT_FIXTURE                                                                                       \
    "SELECT id, day, kickoff_us, home_id, away_id, league, season, state, time_known, is_neutral, "          \
    "home_goals IS NOT NULL AND away_goals IS NOT NULL FROM match "
#define HAS_RESULT "state = 1 AND home_goals IS NOT NULL AND away_goals IS NOT NULL "

static void take_fixture(const struct query *query, struct stored_fixture *out)
{
    *out = (struct stored_fixture){
        .id = query_i64(query, 0),
        .day = query_i64(query, 1),
        .kickoff_us = query_i64(query, 2),
        .home_id = query_i64(query, 3),
        .away_id = query_i64(query, 4),
        .season = (int)query_i64(query, 6),
        .state = (int)query_i64(query, 7),
        .time_known = query_i64(query, 8) != 0,
        .is_neutral = query_i64(query, 9) != 0,
        .has_result = query_i64(query, 10) != 0,
    };
    (void)text_copy(text_of(query_text(query, 5)), out->league, sizeof(out->league));
}

static enum err_code first_fixture(struct query *query, struct stored_fixture *out, const char *what,
                                   struct err *err)
{
    bool has_row;
    enum err_code code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "no %s is stored", what);
    take_fixture(query, out);
    query_reset(query);
    return ERR_OK;
}

enum err_code football_store_fixture(struct db *db, int64_t match_id, struct stored_fixture *out,
                                     struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db, SELECT_FIXTURE "WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, match_id);
    return first_fixture(query, out, "such match", err);
}

/* Within a day by when the result was known: 135 minutes after the kick-off, else the end of the day (football/match.h; an
 * hour of daylight saving does not matter here: a team plays once a day, and only invented ones twice). */
#define KNOWN_ON_DAY "CASE WHEN time_known THEN kickoff_us + 8100000000 ELSE (day + 1) * 86400000000 END DESC"

/* The later of the last match at home and the last one away: each walks an index from its end. */
enum err_code football_store_last_match(struct db *db, int64_t team_id, struct stored_fixture *out,
                                        struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db,
                 "SELECT * FROM (SELECT * FROM (" SELECT_FIXTURE "WHERE home_id = $1 AND " HAS_RESULT
                 "ORDER BY day DESC, " KNOWN_ON_DAY " LIMIT 1) UNION ALL SELECT * FROM (" SELECT_FIXTURE
                 "WHERE away_id = $1 AND " HAS_RESULT "ORDER BY day DESC, " KNOWN_ON_DAY
                 " LIMIT 1)) ORDER BY day DESC, " KNOWN_ON_DAY " LIMIT 1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, team_id);
    return first_fixture(query, out, "result of the team", err);
}

enum err_code football_store_last_meeting(struct db *db, int64_t home_id, int64_t away_id,
                                          struct stored_fixture *out, struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db,
                 "SELECT * FROM (" SELECT_FIXTURE "WHERE home_id = $1 AND away_id = $2 AND " HAS_RESULT
                 "ORDER BY day DESC LIMIT 1) UNION ALL SELECT * FROM (" SELECT_FIXTURE
                 "WHERE home_id = $2 AND away_id = $1 AND " HAS_RESULT
                 "ORDER BY day DESC LIMIT 1) ORDER BY 2 DESC, 3 DESC LIMIT 1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, home_id);
    query_bind_i64(query, 2, away_id);
    return first_fixture(query, out, "earlier meeting of the two teams", err);
}

enum err_code football_store_meeting(struct db *db, int64_t home_id, int64_t away_id,
                                     struct stored_fixture *out, struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db,
                 "SELECT * FROM (" SELECT_FIXTURE "WHERE home_id = $1 AND away_id = $2 AND state = 0 "
                 "ORDER BY day LIMIT 1) UNION ALL SELECT * FROM (" SELECT_FIXTURE
                 "WHERE home_id = $1 AND away_id = $2 AND " HAS_RESULT
                 "ORDER BY day DESC LIMIT 1) ORDER BY 8 LIMIT 1", /* scheduled before played */
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, home_id);
    query_bind_i64(query, 2, away_id);
    return first_fixture(query, out, "match of these sides", err);
}
