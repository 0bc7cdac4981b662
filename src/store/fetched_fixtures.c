/* Fixtures that were fetched. A fixture is the match that has its source id, else the one of these sides on that day, else
 * one of these sides some days off that no source claims (a match moved for television). Then football_writer_save does what
 * it does for a file: it adds the match, or moves it, and notes what that changes. */
#include "store/fetched_store.h"

#include "base/text.h"
#include "store/football_notes.h"
#include "store/football_store.h"

#include <assert.h>
#include <stdlib.h>

enum { MOVED_DAYS = 4 }; /* further away it may be another meeting of the two */

enum column {
    DAY,
    KICKOFF,
    TIME_KNOWN,
    KICKOFF_TEXT,
    HOME,
    AWAY,
    SOURCE_ID,
    FIRST_STATISTIC,
    COLUMNS = FIRST_STATISTIC + 16
};
static const struct frame_field match_fields[COLUMNS] = {
    [DAY] = {"day", FRAME_I64},
    [KICKOFF] = {"kickoff", FRAME_TIME},
    [TIME_KNOWN] = {"time_known", FRAME_I32},
    [KICKOFF_TEXT] = {"kickoff_text", FRAME_TEXT},
    [HOME] = {"home", FRAME_TEXT},
    [AWAY] = {"away", FRAME_TEXT},
    [SOURCE_ID] = {"source_id", FRAME_TEXT},
    [FIRST_STATISTIC] = {"home_goals", FRAME_I32}, /* from here on nothing is known */
    {"away_goals", FRAME_I32},
    {"home_half", FRAME_I32},
    {"away_half", FRAME_I32},
    {"home_shots", FRAME_I32},
    {"away_shots", FRAME_I32},
    {"home_shots_on_target", FRAME_I32},
    {"away_shots_on_target", FRAME_I32},
    {"home_corners", FRAME_I32},
    {"away_corners", FRAME_I32},
    {"home_fouls", FRAME_I32},
    {"away_fouls", FRAME_I32},
    {"home_yellows", FRAME_I32},
    {"away_yellows", FRAME_I32},
    {"home_reds", FRAME_I32},
    {"away_reds", FRAME_I32},
};
static const struct frame_field price_fields[] = {
    {"match", FRAME_I64},   {"market", FRAME_TEXT},  {"bookmaker", FRAME_TEXT},
    {"label", FRAME_TEXT},  {"price_1", FRAME_F64},  {"price_2", FRAME_F64},
    {"price_3", FRAME_F64}, {"handicap", FRAME_F64}, {"is_flagged", FRAME_I32},
};

/* A stored match that a fixture may be; id 0: none. */
struct found {
    int64_t id, day, kickoff_us;
    int state;
    bool has_source_id;
    char league[16];
};

struct saving {
    struct db *db;
    struct football_notes notes;
    struct frame_builder *matches;
    const char **league, **country;
    int32_t *season;
    size_t rows;
    struct fetched_fixtures_saved *out;
};

/* ---- finding ---- */

#define SELECT_FOUND "SELECT id, day, kickoff_us, state, source_id IS NOT NULL, league FROM match "

static enum err_code take_found(struct query *query, struct found *out, struct err *err)
{
    bool has_row = false;
    *out = (struct found){0};
    enum err_code code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row) {
        *out = (struct found){.id = query_i64(query, 0),
                              .day = query_i64(query, 1),
                              .kickoff_us = query_i64(query, 2),
                              .state = (int)query_i64(query, 3),
                              .has_source_id = query_i64(query, 4) != 0};
        (void)text_copy(text_of(query_text(query, 5)), out->league, sizeof out->league);
    }
    query_reset(query);
    return code;
}

static enum err_code find_by_source(struct db *db, const struct fetched_fixture *fixture, struct found *out,
                                    struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db, SELECT_FOUND "WHERE source_id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, fixture->source_id);
    return take_found(query, out, err);
}

static void bind_sides(struct query *query, const struct fetched_fixture *fixture)
{
    query_bind_text(query, 1, fixture->league);
    query_bind_i64(query, 2, fixture->day);
    query_bind_i64(query, 3, fixture->home_id);
    query_bind_i64(query, 4, fixture->away_id);
}

static enum err_code find_on_day(struct db *db, const struct fetched_fixture *fixture, struct found *out,
                                 struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db, SELECT_FOUND "WHERE league = $1 AND day = $2 AND home_id = $3 AND away_id = $4", &query, err);
    if (code != ERR_OK)
        return code;
    bind_sides(query, fixture);
    return take_found(query, out, err);
}

static enum err_code find_near(struct db *db, const struct fetched_fixture *fixture, struct found *out,
                               struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db,
                 SELECT_FOUND "WHERE league = $1 AND day BETWEEN $2 - $5 AND $2 + $5 AND home_id = $3 AND "
                              "away_id = $4 AND state IN (0, 2) AND source_id IS NULL "
                              "ORDER BY abs(day - $2), day LIMIT 1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    bind_sides(query, fixture);
    query_bind_i64(query, 5, MOVED_DAYS);
    return take_found(query, out, err);
}

/* ---- changing what is stored ---- */

static enum err_code set_source(struct db *db, int64_t id, const char *source_id, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db, "UPDATE match SET source_id = $2 WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, id);
    query_bind_text(query, 2, source_id);
    return query_run(query, err);
}

static enum err_code set_state(struct saving *saving, const struct found *match, int state, struct err *err)
{
    struct query *query;
    if (match->state == state)
        return ERR_OK;
    enum err_code code = db_query(saving->db, "UPDATE match SET state = $2 WHERE id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, match->id);
    query_bind_i64(query, 2, state);
    code = query_run(query, err);
    saving->out->called_off++;
    return code == ERR_OK
               ? football_notes_add(&saving->notes, match->league, match->day, match->kickoff_us, err)
               : code;
}

/* The fixture as a row for the writer. With a source id the writer finds a match that was moved to another day. */
static void add_row(struct saving *saving, const struct fetched_fixture *fixture, bool with_source)
{
    struct frame_builder *matches = saving->matches;
    assert(saving->league != NULL && saving->country != NULL && saving->season != NULL);
    frame_set_i64(matches, DAY, fixture->day);
    frame_set_i64(matches, KICKOFF, fixture->kickoff_us);
    frame_set_i64(matches, TIME_KNOWN, fixture->time_known);
    frame_set_text(matches, KICKOFF_TEXT, text_of(fixture->kickoff_text));
    frame_set_text(matches, HOME, text_of(fixture->home));
    frame_set_text(matches, AWAY, text_of(fixture->away));
    if (with_source)
        frame_set_text(matches, SOURCE_ID, text_of(fixture->source_id));
    frame_next_row(matches);
    saving->league[saving->rows] = fixture->league;
    saving->country[saving->rows] = fixture->country;
    saving->season[saving->rows++] = fixture->season;
}

/* ---- one fixture ---- */

static enum err_code find_both(struct saving *saving, const struct fetched_fixture *fixture,
                               struct found *by_source, struct found *match, struct err *err)
{
    enum err_code code = find_by_source(saving->db, fixture, by_source, err);
    if (code == ERR_OK)
        code = find_on_day(saving->db, fixture, match, err);
    if (code == ERR_OK && by_source->id == 0 && match->id == 0)
        code = find_near(saving->db, fixture, match, err);
    return code;
}

static enum err_code schedule_fixture(struct saving *saving, const struct fetched_fixture *fixture,
                                      struct err *err)
{
    struct found by_source = {0}, match = {0};
    enum err_code code = find_both(saving, fixture, &by_source, &match, err);
    if (code != ERR_OK || by_source.state == MATCH_PLAYED || match.state == MATCH_PLAYED)
        return code;
    if (by_source.id != 0 && match.id != 0 && by_source.id != match.id) {
        /* the source moved it onto a day for which another source has it already: that row stays */
        code = set_source(saving->db, by_source.id, NULL, err);
        if (code == ERR_OK)
            code = set_state(saving, &by_source, MATCH_VOID, err);
        by_source.id = 0;
    }
    bool is_claimed = by_source.id == 0 && match.has_source_id; /* by another source, which keeps it */
    if (code == ERR_OK && by_source.id == 0 && match.id != 0 && !is_claimed)
        code = set_source(saving->db, match.id, fixture->source_id, err);
    saving->out->known += by_source.id != 0 || match.id != 0;
    saving->out->added += by_source.id == 0 && match.id == 0;
    if (code == ERR_OK)
        add_row(saving, fixture, !is_claimed);
    return code;
}

static enum err_code call_off_fixture(struct saving *saving, const struct fetched_fixture *fixture,
                                      struct err *err)
{
    struct found by_source = {0}, match = {0};
    enum err_code code = find_both(saving, fixture, &by_source, &match, err);
    const struct found *stored = by_source.id != 0 ? &by_source : &match;
    if (code != ERR_OK || stored->id == 0 || stored->state == MATCH_PLAYED)
        return code;
    return set_state(saving, stored, fixture->state, err);
}

/* ---- all of them ---- */

static enum err_code write_rows(struct saving *saving, struct err *err)
{
    struct frame *matches = NULL, *prices = NULL;
    struct frame_builder *builder = NULL;
    struct football_writer *writer = NULL;
    struct football_saved saved = {0};
    enum err_code code = frame_builder_finish(saving->matches, &matches, err);
    if (code == ERR_OK)
        code =
            frame_builder_create(price_fields, sizeof price_fields / sizeof *price_fields, 0, &builder, err);
    if (code == ERR_OK)
        code = frame_builder_finish(builder, &prices, err);
    if (code == ERR_OK)
        code = football_writer_create(saving->db, &writer, err);
    struct football_rows rows = {.matches = matches,
                                 .prices = prices,
                                 .league = saving->league,
                                 .country = saving->country,
                                 .season = saving->season};
    if (code == ERR_OK)
        code = football_writer_save(writer, &rows, &saved, err);
    football_writer_destroy(writer);
    frame_builder_destroy(builder);
    frame_destroy(prices);
    frame_destroy(matches);
    return code;
}

enum err_code fetched_store_fixtures(struct db *db, const struct fetched_fixture *fixtures, size_t count,
                                     struct fetched_fixtures_saved *out, struct err *err)
{
    struct saving saving = {.db = db, .out = out};
    enum err_code code = frame_builder_create(match_fields, COLUMNS, count, &saving.matches, err);
    saving.league = calloc(count + 1, sizeof *saving.league);
    saving.country = calloc(count + 1, sizeof *saving.country);
    saving.season = calloc(count + 1, sizeof *saving.season);
    if (code == ERR_OK && (saving.league == NULL || saving.country == NULL || saving.season == NULL))
        code = err_nomem(err, count * sizeof *saving.league);
    for (size_t index = 0; index < count && code == ERR_OK; index++)
        code = fixtures[index].state == MATCH_SCHEDULED ? schedule_fixture(&saving, &fixtures[index], err)
                                                        : call_off_fixture(&saving, &fixtures[index], err);
    if (code == ERR_OK)
        code = football_notes_flush(&saving.notes, db, err);
    if (code == ERR_OK)
        code = write_rows(&saving, err);
    football_notes_release(&saving.notes);
    frame_builder_destroy(saving.matches);
    free(saving.league);
    free(saving.country);
    free(saving.season);
    return code;
}
