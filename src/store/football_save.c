/* Writing matches and prices. Almost every row of an import is new, so that is the path that is fast: ids are given out
 * here, an insert that meets its own key does nothing and tells so, and only then the stored row is looked up and
 * updated. Prices of a new match go in by ascending quote id, that is at the end of the tree.
 *
 * An update never forgets: COALESCE keeps what is stored where the source has nothing. It tells what the row became, and
 * only a row that became other than it was is noted in the change log. */
#include "store/football_store.h"

#include "store/football_notes.h"
#include "store/football_prices.h"
#include "store/football_teams.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of the match frame that are numbers of the same name in the table, in the order of $11 ... */
#define STATISTICS                                                                                           \
    "home_goals, away_goals, home_half, away_half, home_shots, away_shots, home_shots_on_target, "           \
    "away_shots_on_target, home_corners, away_corners, home_fouls, away_fouls, home_yellows, away_yellows, " \
    "home_reds, away_reds, home_xg_milli, away_xg_milli"

enum { STATISTIC_COUNT = 18, OPTIONAL_STATISTIC = 16, FIRST_STATISTIC = 11, QUOTES_PER_MATCH = 128 };

#define COLUMN_NONE SIZE_MAX /* measured expected goals need not be there at all */

static const char *const statistic_names[STATISTIC_COUNT] = {"home_goals",
                                                             "away_goals",
                                                             "home_half",
                                                             "away_half",
                                                             "home_shots",
                                                             "away_shots",
                                                             "home_shots_on_target",
                                                             "away_shots_on_target",
                                                             "home_corners",
                                                             "away_corners",
                                                             "home_fouls",
                                                             "away_fouls",
                                                             "home_yellows",
                                                             "away_yellows",
                                                             "home_reds",
                                                             "away_reds",
                                                             "home_xg_milli",
                                                             "away_xg_milli"};

static const char insert_match_sql[] =
    "INSERT INTO match(id, league, day, home_id, away_id, season, kickoff_us, time_known, kickoff_text, "
    "state, " STATISTICS
    ", source_id, file_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
    "$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30) ON CONFLICT DO NOTHING";

/* A known kick-off time is not replaced by an unknown one, a result not by its absence. */
static const char update_match_sql[] =
    "UPDATE match SET league = $2, day = $3, home_id = $4, away_id = $5, season = $6, "
    "kickoff_us = CASE WHEN $8 >= time_known OR day <> $3 THEN $7 ELSE kickoff_us END, "
    "kickoff_text = CASE WHEN $8 >= time_known OR day <> $3 THEN $9 ELSE kickoff_text END, "
    "time_known = CASE WHEN $8 >= time_known OR day <> $3 THEN $8 ELSE time_known END, "
    "state = CASE WHEN $10 = 1 OR state = 2 THEN $10 ELSE state END, "
    "home_goals = COALESCE($11, home_goals), away_goals = COALESCE($12, away_goals), "
    "home_half = COALESCE($13, home_half), away_half = COALESCE($14, away_half), "
    "home_shots = COALESCE($15, home_shots), away_shots = COALESCE($16, away_shots), "
    "home_shots_on_target = COALESCE($17, home_shots_on_target), "
    "away_shots_on_target = COALESCE($18, away_shots_on_target), "
    "home_corners = COALESCE($19, home_corners), away_corners = COALESCE($20, away_corners), "
    "home_fouls = COALESCE($21, home_fouls), away_fouls = COALESCE($22, away_fouls), "
    "home_yellows = COALESCE($23, home_yellows), away_yellows = COALESCE($24, away_yellows), "
    "home_reds = COALESCE($25, home_reds), away_reds = COALESCE($26, away_reds), "
    "home_xg_milli = COALESCE($27, home_xg_milli), away_xg_milli = COALESCE($28, away_xg_milli), "
    "source_id = COALESCE($29, source_id), file_id = COALESCE($30, file_id) WHERE id = $1 "
    "RETURNING " STORED_COLUMNS;

struct football_writer {
    struct db *db;
    struct football_teams *teams;
    struct football_prices *prices;
    struct football_notes notes;
    int64_t next_match_id;
    struct query *insert_match, *update_match;
};

/* Where the columns are in the frames of one call. */
struct columns {
    size_t day, kickoff, time_known, kickoff_text, home, away, source_id;
    size_t statistics[STATISTIC_COUNT];
    size_t match, market, bookmaker, label, price_1, price_2, price_3, handicap, is_flagged;
};

struct save {
    struct football_writer *writer;
    const struct football_rows *rows;
    struct columns at;
    int64_t *quote_ids; /* by market, bookmaker and label code of this frame; 0 not looked up yet */
    size_t bookmakers, labels;
    struct football_saved *out;
};

/* ---- the writer ---- */

static enum err_code load_next_match(struct football_writer *writer, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(writer->db, "SELECT COALESCE(max(id), 0) + 1 FROM match", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    assert(has_row);
    writer->next_match_id = query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

static enum err_code prepare_writer(struct football_writer *writer, struct err *err)
{
    enum err_code code = football_teams_create(writer->db, &writer->teams, err);

    if (code == ERR_OK)
        code = football_prices_create(writer->db, &writer->prices, err);
    if (code == ERR_OK)
        code = load_next_match(writer, err);
    if (code == ERR_OK)
        code = db_query(writer->db, insert_match_sql, &writer->insert_match, err);
    if (code == ERR_OK)
        code = db_query(writer->db, update_match_sql, &writer->update_match, err);
    return code;
}

enum err_code football_writer_create(struct db *db, struct football_writer **out, struct err *err)
{
    *out = NULL;
    struct football_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return err_nomem(err, sizeof *writer);
    writer->db = db;
    enum err_code code = prepare_writer(writer, err);
    if (code != ERR_OK) {
        football_writer_destroy(writer);
        return code;
    }
    *out = writer;
    return ERR_OK;
}

void football_writer_destroy(struct football_writer *writer)
{
    if (writer == NULL)
        return;
    football_teams_destroy(writer->teams);
    football_prices_destroy(writer->prices);
    football_notes_release(&writer->notes);
    free(writer);
}

enum err_code football_writer_team(struct football_writer *writer, const char *country, struct text name,
                                   int64_t day, int64_t *out_id, struct err *err)
{
    return football_teams_id(writer->teams, country, name, day, out_id, err);
}

/* ---- matches ---- */

static void bind_optional_text(struct query *query, int index, const struct frame *frame, size_t column,
                               size_t row)
{
    query_bind_text(query, index,
                    frame_is_present(frame, column, row) ? frame_text(frame, column, row) : NULL);
}

static void bind_match(const struct save *save, struct query *query, size_t row, int64_t id,
                       const int64_t teams[2])
{
    const struct frame *matches = save->rows->matches;
    const struct columns *at = &save->at;
    bool is_played = frame_is_present(matches, at->statistics[0], row) &&
                     frame_is_present(matches, at->statistics[1], row);

    query_bind_i64(query, 1, id);
    query_bind_text(query, 2, save->rows->league[row]);
    query_bind_i64(query, 3, frame_i64(matches, at->day)[row]);
    query_bind_i64(query, 4, teams[0]);
    query_bind_i64(query, 5, teams[1]);
    query_bind_i64(query, 6, save->rows->season[row]);
    query_bind_i64(query, 7, frame_i64(matches, at->kickoff)[row]);
    query_bind_i64(query, 8, frame_i32(matches, at->time_known)[row]);
    bind_optional_text(query, 9, matches, at->kickoff_text, row);
    query_bind_i64(query, 10, is_played ? MATCH_PLAYED : MATCH_SCHEDULED);
    for (int index = 0; index < STATISTIC_COUNT; index++) {
        size_t column = at->statistics[index];
        if (column != COLUMN_NONE && frame_is_present(matches, column, row))
            query_bind_i64(query, FIRST_STATISTIC + index, frame_i32(matches, column)[row]);
        else
            query_bind_null(query, FIRST_STATISTIC + index);
    }
    bind_optional_text(query, FIRST_STATISTIC + STATISTIC_COUNT, matches, at->source_id, row);
    if (save->rows->file_id > 0)
        query_bind_i64(query, FIRST_STATISTIC + STATISTIC_COUNT + 1, save->rows->file_id);
    else
        query_bind_null(query, FIRST_STATISTIC + STATISTIC_COUNT + 1);
}

/* The stored match that the row is: by natural key, else by source id (a match that was moved to another day). */
static enum err_code find_stored(const struct save *save, size_t row, const int64_t teams[2], int64_t *out_id,
                                 struct stored_values *out, struct err *err)
{
    struct query *query;
    bool has_row;
    const struct frame *matches = save->rows->matches;

    enum err_code code = db_query(
        save->writer->db,
        "SELECT id, " STORED_COLUMNS " FROM match WHERE league = $1 AND day = $2 AND home_id = $3 AND "
        "away_id = $4 UNION ALL SELECT id, " STORED_COLUMNS " FROM match WHERE source_id = $5",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, save->rows->league[row]);
    query_bind_i64(query, 2, frame_i64(matches, save->at.day)[row]);
    query_bind_i64(query, 3, teams[0]);
    query_bind_i64(query, 4, teams[1]);
    bind_optional_text(query, 5, matches, save->at.source_id, row);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    assert(has_row); /* the insert met it in this transaction */
    *out_id = query_i64(query, 0);
    stored_values_read(query, 1, out);
    query_reset(query);
    return ERR_OK;
}

static enum err_code note_row(const struct save *save, size_t row, struct err *err)
{
    const struct frame *matches = save->rows->matches;
    return football_notes_add(&save->writer->notes, save->rows->league[row],
                              frame_i64(matches, save->at.day)[row],
                              frame_i64(matches, save->at.kickoff)[row], err);
}

/* The update, and the note of what it changed. */
static enum err_code update_match(const struct save *save, const struct stored_values *before,
                                  struct err *err)
{
    struct query *query = save->writer->update_match;
    struct stored_values after;
    bool has_row;

    save->out->matches_updated++;
    enum err_code code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    assert(has_row); /* it was found in this transaction */
    stored_values_read(query, 0, &after);
    code = query_run(query, err);
    return code == ERR_OK ? football_notes_compare(&save->writer->notes, before, &after, err) : code;
}

static enum err_code save_match(struct save *save, size_t row, int64_t *out_id, bool *out_is_new,
                                struct err *err)
{
    struct football_writer *writer = save->writer;
    const struct frame *matches = save->rows->matches;
    const char *country = save->rows->country[row];
    int64_t day = frame_i64(matches, save->at.day)[row], teams[2];

    enum err_code code = football_teams_id(
        writer->teams, country, text_of(frame_text(matches, save->at.home, row)), day, &teams[0], err);
    if (code == ERR_OK)
        code = football_teams_id(writer->teams, country, text_of(frame_text(matches, save->at.away, row)),
                                 day, &teams[1], err);
    if (code != ERR_OK)
        return code;
    bind_match(save, writer->insert_match, row, writer->next_match_id, teams);
    code = query_run(writer->insert_match, err);
    if (code != ERR_OK)
        return code;
    *out_is_new = db_changes(writer->db) > 0;
    if (*out_is_new) {
        *out_id = writer->next_match_id++;
        save->out->matches_new++;
        return note_row(save, row, err);
    }
    struct stored_values before;
    code = find_stored(save, row, teams, out_id, &before, err);
    if (code != ERR_OK)
        return code;
    bind_match(save, writer->update_match, row, *out_id, teams);
    return update_match(save, &before, err);
}

/* ---- prices ---- */

/* The id of the quote in a row of the price frame. */
static enum err_code quote_of(struct save *save, size_t row, int64_t *out_id, struct err *err)
{
    const struct frame *prices = save->rows->prices;
    size_t columns[3] = {save->at.market, save->at.bookmaker, save->at.label};
    const char *parts[3];
    int32_t codes[3];

    for (int index = 0; index < 3; index++) {
        codes[index] = frame_i32(prices, columns[index])[row];
        assert(codes[index] >= 0); /* every price has all three */
    }
    int64_t *known =
        &save->quote_ids[((size_t)codes[0] * save->bookmakers + (size_t)codes[1]) * save->labels +
                         (size_t)codes[2]];
    *out_id = *known;
    if (*out_id != 0)
        return ERR_OK;
    for (int index = 0; index < 3; index++)
        parts[index] = frame_dictionary_text(prices, columns[index], codes[index]);
    enum err_code code = football_prices_quote(save->writer->prices, parts, out_id, err);
    *known = *out_id;
    return code;
}

static struct price read_price(const struct save *save, int64_t match_id, int64_t quote_id, size_t row)
{
    const struct frame *prices = save->rows->prices;
    const struct columns *at = &save->at;

    return (struct price){
        .match_id = match_id,
        .quote_id = quote_id,
        .prices = {frame_f64(prices, at->price_1)[row], frame_f64(prices, at->price_2)[row],
                   frame_f64(prices, at->price_3)[row]},
        .handicap = frame_f64(prices, at->handicap)[row],
        .is_flagged = frame_i32(prices, at->is_flagged)[row] != 0,
    };
}

struct ordered_quote {
    int64_t quote_id;
    size_t row;
};

/* Insertion sort: some thirty items, nearly in order. */
static void sort_quotes(struct ordered_quote *quotes, size_t count)
{
    for (size_t index = 1; index < count; index++) {
        struct ordered_quote item = quotes[index];
        size_t place = index;
        for (; place > 0 && quotes[place - 1].quote_id > item.quote_id; place--)
            quotes[place] = quotes[place - 1];
        quotes[place] = item;
    }
}

/* The price rows [first, end) of one match; *out_changed becomes true when a stored match has other prices now. */
static enum err_code save_prices(struct save *save, int64_t match_id, bool is_new, size_t first, size_t end,
                                 bool *out_changed, struct err *err)
{
    struct ordered_quote quotes[QUOTES_PER_MATCH];
    /* more sets than fit are saved in several rounds; a set may then stand in two of them */
    bool may_repeat = !is_new || end - first > QUOTES_PER_MATCH;

    while (first < end) {
        size_t count = 0;
        for (; first < end && count < QUOTES_PER_MATCH; first++, count++) {
            quotes[count].row = first;
            enum err_code code = quote_of(save, first, &quotes[count].quote_id, err);
            if (code != ERR_OK)
                return code;
        }
        sort_quotes(quotes, count);
        for (size_t index = 0; index < count; index++) {
            struct price price = read_price(save, match_id, quotes[index].quote_id, quotes[index].row);
            enum err_code code = may_repeat
                                     ? football_prices_replace(save->writer->prices, &price, out_changed, err)
                                     : football_prices_add(save->writer->prices, &price, err);
            if (code != ERR_OK)
                return code;
        }
        save->out->prices += (int64_t)count;
    }
    return ERR_OK;
}

/* ---- a file ---- */

static enum err_code find_column(const struct frame *frame, const char *name, enum frame_type type,
                                 size_t *out, struct err *err)
{
    int column = frame_find(frame, name);

    if (column < 0 || frame_column_type(frame, (size_t)column) != type)
        return err_set(err, ERR_INVALID, "the frame to be stored has no column '%s' of the right type", name);
    *out = (size_t)column;
    return ERR_OK;
}

static enum err_code find_columns(struct save *save, struct err *err)
{
    struct columns *at = &save->at;
    const struct frame *matches = save->rows->matches, *prices = save->rows->prices;
    const struct {
        const struct frame *frame;
        const char *name;
        enum frame_type type;
        size_t *out;
    } wanted[] = {
        {matches, "day", FRAME_I64, &at->day},
        {matches, "kickoff", FRAME_TIME, &at->kickoff},
        {matches, "time_known", FRAME_I32, &at->time_known},
        {matches, "kickoff_text", FRAME_TEXT, &at->kickoff_text},
        {matches, "home", FRAME_TEXT, &at->home},
        {matches, "away", FRAME_TEXT, &at->away},
        {matches, "source_id", FRAME_TEXT, &at->source_id},
        {prices, "match", FRAME_I64, &at->match},
        {prices, "market", FRAME_TEXT, &at->market},
        {prices, "bookmaker", FRAME_TEXT, &at->bookmaker},
        {prices, "label", FRAME_TEXT, &at->label},
        {prices, "price_1", FRAME_F64, &at->price_1},
        {prices, "price_2", FRAME_F64, &at->price_2},
        {prices, "price_3", FRAME_F64, &at->price_3},
        {prices, "handicap", FRAME_F64, &at->handicap},
        {prices, "is_flagged", FRAME_I32, &at->is_flagged},
    };
    for (size_t index = 0; index < sizeof wanted / sizeof wanted[0]; index++) {
        enum err_code code =
            find_column(wanted[index].frame, wanted[index].name, wanted[index].type, wanted[index].out, err);
        if (code != ERR_OK)
            return code;
    }
    for (int index = 0; index < STATISTIC_COUNT; index++) {
        at->statistics[index] = COLUMN_NONE;
        if (index >= OPTIONAL_STATISTIC && frame_find(matches, statistic_names[index]) < 0)
            continue;
        enum err_code code =
            find_column(matches, statistic_names[index], FRAME_I32, &at->statistics[index], err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code make_quote_table(struct save *save, struct err *err)
{
    const struct frame *prices = save->rows->prices;
    size_t markets = (size_t)frame_dictionary_count(prices, save->at.market);

    save->bookmakers = (size_t)frame_dictionary_count(prices, save->at.bookmaker);
    save->labels = (size_t)frame_dictionary_count(prices, save->at.label);
    size_t count = markets * save->bookmakers * save->labels;
    save->quote_ids = calloc(count + 1, sizeof *save->quote_ids);
    return save->quote_ids == NULL ? err_nomem(err, count * sizeof *save->quote_ids) : ERR_OK;
}

static enum err_code save_rows(struct save *save, struct err *err)
{
    const struct football_rows *rows = save->rows;
    const int64_t *price_match = frame_i64(rows->prices, save->at.match);
    size_t price_count = frame_rows(rows->prices), first = 0;

    for (size_t row = 0; row < frame_rows(rows->matches); row++) {
        int64_t match_id = 0;
        bool is_new = false;
        size_t end = first;
        while (end < price_count && price_match[end] == (int64_t)row)
            end++;
        if (rows->league[row] != NULL) {
            bool prices_changed = false;
            enum err_code code = save_match(save, row, &match_id, &is_new, err);
            if (code == ERR_OK)
                code = save_prices(save, match_id, is_new, first, end, &prices_changed, err);
            if (code == ERR_OK && prices_changed)
                code = note_row(save, row, err);
            if (code != ERR_OK)
                return code;
        }
        first = end;
    }
    assert(first == price_count); /* prices come in the order of their matches */
    return ERR_OK;
}

enum err_code football_writer_save(struct football_writer *writer, const struct football_rows *rows,
                                   struct football_saved *out, struct err *err)
{
    struct save save = {.writer = writer, .rows = rows, .out = out};

    enum err_code code = find_columns(&save, err);
    if (code == ERR_OK)
        code = make_quote_table(&save, err);
    if (code == ERR_OK)
        code = save_rows(&save, err);
    if (code == ERR_OK)
        code = football_prices_flush(writer->prices, err);
    if (code == ERR_OK)
        code = football_notes_flush(&writer->notes, writer->db, err);
    free(save.quote_ids);
    return code;
}
