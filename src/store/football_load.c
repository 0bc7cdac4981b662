/* Loading into frames.
 *
 * Everything: both large tables are scanned once in the order of their keys. Matches come out by id and are brought into
 * the order of time by one gather; prices come out by match id too, so finding the row of their match is a merge of two
 * ascending lists, not a look-up.
 *
 * From a day on: the key (league, day, ...) of the matches finds them league by league, so no index by day is needed (it
 * would cost every import), and prices are read match by match. */
#include "store/football_store.h"

#include "base/hash.h"
#include "base/text.h"
#include "store/attribute_store.h"
#include "store/fixture_store.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum match_column {
    ID,
    LEAGUE,
    DAY,
    KICKOFF,
    TIME_KNOWN,
    IS_NEUTRAL,
    STATE,
    SEASON,
    HOME,
    AWAY,
    NUMBERS,
    NUMBER_COUNT = 18
};
enum { SOURCE_ID = NUMBERS + NUMBER_COUNT, MATCH_COLUMNS };

/* The fields and the query name the same columns in the same order. */
static const struct frame_field match_fields[MATCH_COLUMNS] = {
    {"id", FRAME_I64},
    {"league", FRAME_TEXT},
    {"day", FRAME_I64},
    {"kickoff", FRAME_TIME},
    {"time_known", FRAME_I32},
    {"is_neutral", FRAME_I32},
    {"state", FRAME_I32},
    {"season", FRAME_I32},
    {"home", FRAME_I64},
    {"away", FRAME_I64},
    {"home_goals", FRAME_I32},
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
    {"home_xg_milli", FRAME_I32},
    {"away_xg_milli", FRAME_I32},
    {"source_id", FRAME_TEXT},
};
#define MATCH_SELECTED                                                                                       \
    "m.id, m.league, m.day, m.kickoff_us, m.time_known, m.is_neutral, m.state, m.season, m.home_id, "        \
    "m.away_id, m.home_goals, m.away_goals, m.home_half, m.away_half, m.home_shots, m.away_shots, "          \
    "m.home_shots_on_target, m.away_shots_on_target, m.home_corners, m.away_corners, m.home_fouls, "         \
    "m.away_fouls, m.home_yellows, m.away_yellows, m.home_reds, m.away_reds, m.home_xg_milli, "              \
    "m.away_xg_milli, "                                                                                      \
    "m.source_id "
static const char match_sql[] = "SELECT " MATCH_SELECTED "FROM match m ORDER BY m.id";

/* The leagues are found by leaping along the key, one look-up each. */
static const char match_since_sql[] =
    "WITH RECURSIVE present(league) AS (SELECT min(league) FROM match UNION ALL "
    "SELECT (SELECT min(o.league) FROM match o WHERE o.league > present.league) FROM present "
    "WHERE present.league IS NOT NULL) "
    "SELECT " MATCH_SELECTED
    "FROM present CROSS JOIN match m WHERE m.league = present.league AND m.day >= $1 ORDER BY m.id";

enum price_column {
    PRICE_MATCH,
    PRICE_MARKET,
    PRICE_BOOKMAKER,
    PRICE_LABEL,
    PRICE_1,
    PRICE_COLUMNS = PRICE_1 + 3
};
static const struct frame_field price_fields[PRICE_COLUMNS] = {
    {"match", FRAME_I64},   {"market", FRAME_TEXT}, {"bookmaker", FRAME_TEXT}, {"label", FRAME_TEXT},
    {"price_1", FRAME_F64}, {"price_2", FRAME_F64}, {"price_3", FRAME_F64},
};

/* A quote, by quote id: its codes in the dictionaries of the price frame. */
struct wanted_quote {
    bool is_wanted;
    int32_t market, bookmaker, label;
};

/* Matches by ascending id, and the row each has in the frame; -1 where it was left out. */
struct match_rows {
    int64_t *id;
    int64_t *row;
    size_t count;
};

/* ---- matches ---- */

static void set_match(struct frame_builder *builder, const struct query *query)
{
    for (int column = 0; column < MATCH_COLUMNS; column++) {
        if (match_fields[column].type == FRAME_TEXT) {
            const char *text = query_text(query, column);
            if (text[0] != '\0')
                frame_set_text(builder, (size_t)column, text_of(text));
            continue;
        }
        int64_t value = query_i64(query, column);
        if (value != 0 || column < NUMBERS || !query_is_null(query, column)) /* NULL reads as 0 */
            frame_set_i64(builder, (size_t)column, value);
    }
    frame_next_row(builder);
}

static enum err_code query_matches(struct db *db, int64_t from_day, struct query **out, struct err *err)
{
    if (from_day == INT64_MIN)
        return db_query(db, match_sql, out, err);
    enum err_code code = db_query(db, match_since_sql, out, err);
    if (code == ERR_OK)
        query_bind_i64(*out, 1, from_day);
    return code;
}

static enum err_code scan_matches(struct db *db, int64_t from_day, struct frame **out, struct err *err)
{
    struct frame_builder *builder = NULL;
    struct query *query;
    bool has_row;

    enum err_code code = frame_builder_create(match_fields, MATCH_COLUMNS, 0, &builder, err);
    if (code == ERR_OK)
        code = query_matches(db, from_day, &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        set_match(builder, query);
    if (code == ERR_OK)
        code = frame_builder_finish(builder, out, err);
    frame_builder_destroy(builder);
    return code;
}

/* order[i]: which scanned match is row i; all of them, the last `max_matches` of which are wanted. */
static void fill_match_rows(const struct frame *scanned, const uint32_t *order, size_t left_out,
                            struct match_rows *out)
{
    memcpy(out->id, frame_i64(scanned, ID), out->count * sizeof *out->id);
    for (size_t place = 0; place < out->count; place++)
        out->row[order[place]] = place < left_out ? -1 : (int64_t)(place - left_out);
}

static enum err_code order_matches(const struct frame *scanned, size_t max_matches, struct frame **out,
                                   struct match_rows *rows, struct err *err)
{
    const size_t keys[] = {DAY, KICKOFF, ID};
    size_t count = frame_rows(scanned);
    size_t left_out = max_matches > 0 && max_matches < count ? count - max_matches : 0;

    rows->count = count;
    rows->id = calloc(count + 1, sizeof *rows->id);
    rows->row = calloc(count + 1, sizeof *rows->row);
    uint32_t *order = calloc(count + 1, sizeof *order);
    enum err_code code = ERR_OK;
    if (rows->id == NULL || rows->row == NULL || order == NULL)
        code = err_nomem(err, count * sizeof *rows->id);
    if (code == ERR_OK)
        code = frame_sort_order(scanned, keys, sizeof keys / sizeof keys[0], order, err);
    if (code == ERR_OK) {
        fill_match_rows(scanned, order, left_out, rows);
        code = frame_gather(scanned, order + left_out, count - left_out, out, err);
    }
    free(order);
    return code;
}

static enum err_code load_matches(struct db *db, int64_t from_day, size_t max_matches, struct frame **out,
                                  struct match_rows *rows, struct err *err)
{
    struct frame *scanned = NULL;

    enum err_code code = scan_matches(db, from_day, &scanned, err);
    if (code == ERR_OK)
        code = order_matches(scanned, max_matches, out, rows, err);
    frame_destroy(scanned);
    return code;
}

/* ---- prices ---- */

/* The averages and the best prices of two collectors of the same source: BbAv until 2019, Avg since. */
static const char *plain_name(const char *bookmaker)
{
    if (strcmp(bookmaker, "BbAv") == 0)
        return "Avg";
    return strcmp(bookmaker, "BbMx") == 0 ? "Max" : bookmaker;
}

static bool is_among(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0)
            return true;
    }
    return false;
}

/* Is the quote in the query's row asked for? Then, when there is a builder, its codes in the price frame. */
static struct wanted_quote take_quote(const struct query *query, const char *const *bookmakers,
                                      struct frame_builder *builder)
{
    static const char *const markets[] = {"1x2", "ou25", NULL}, *const labels[] = {"pre_close", "close",
                                                                                   NULL};
    const char *market = query_text(query, 1), *bookmaker = plain_name(query_text(query, 2)),
               *label = query_text(query, 3);

    if (!is_among(markets, market) || !is_among(bookmakers, bookmaker) || !is_among(labels, label))
        return (struct wanted_quote){0};
    if (builder == NULL)
        return (struct wanted_quote){.is_wanted = true};
    return (struct wanted_quote){true, frame_text_code(builder, PRICE_MARKET, text_of(market)),
                                 frame_text_code(builder, PRICE_BOOKMAKER, text_of(bookmaker)),
                                 frame_text_code(builder, PRICE_LABEL, text_of(label))};
}

/* (*out)[0..*count) by quote id; builder may be NULL. *out is the caller's to free, on an error too. */
static enum err_code load_quotes(struct db *db, const char *const *bookmakers, struct frame_builder *builder,
                                 struct wanted_quote **out, size_t *count, struct err *err)
{
    struct query *query;
    bool has_row;

    *count = 0;
    enum err_code code =
        db_query(db, "SELECT id, market, bookmaker, label FROM quote ORDER BY id", &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        size_t id = (size_t)query_i64(query, 0);
        assert(id >= *count && id < UINT16_MAX); /* given out one by one; bookmakers are few */
        struct wanted_quote *more = realloc(*out, (id + 1) * sizeof *more);
        if (more == NULL)
            return err_nomem(err, (id + 1) * sizeof *more);
        *out = more;
        memset(more + *count, 0, (id + 1 - *count) * sizeof *more);
        more[id] = take_quote(query, bookmakers, builder);
        *count = id + 1;
    }
    return code;
}

static void set_price(struct frame_builder *builder, const struct query *query,
                      const struct wanted_quote *quote, int64_t row)
{
    frame_set_i64(builder, PRICE_MATCH, row);
    frame_set_code(builder, PRICE_MARKET, quote->market);
    frame_set_code(builder, PRICE_BOOKMAKER, quote->bookmaker);
    frame_set_code(builder, PRICE_LABEL, quote->label);
    for (int index = 0; index < 3; index++)
        frame_set_f64(builder, (size_t)PRICE_1 + (size_t)index, query_f64(query, 2 + index));
    frame_next_row(builder);
}

/* Merges the prices, ascending by match id, with the matches. */
static enum err_code merge_prices(struct query *query, const struct match_rows *matches,
                                  const struct wanted_quote *wanted, size_t wanted_count,
                                  struct frame_builder *builder, struct err *err)
{
    size_t place = 0;
    bool has_row;

    for (;;) {
        enum err_code code = query_next(query, &has_row, err);
        if (code != ERR_OK || !has_row)
            return code;
        size_t quote = (size_t)query_i64(query, 1);
        if (quote >= wanted_count || !wanted[quote].is_wanted)
            continue;
        int64_t match_id = query_i64(query, 0);
        while (place < matches->count && matches->id[place] < match_id)
            place++;
        if (place < matches->count && matches->id[place] == match_id && matches->row[place] >= 0)
            set_price(builder, query, &wanted[quote], matches->row[place]);
    }
}

/* How many wanted prices the matches [first, last] have. */
static enum err_code count_prices(struct db *db, int64_t first, int64_t last,
                                  const struct wanted_quote *wanted, size_t wanted_count, size_t *count,
                                  struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code =
        db_query(db, "SELECT quote_id FROM price WHERE match_id BETWEEN $1 AND $2", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, first);
    query_bind_i64(query, 2, last);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        size_t quote = (size_t)query_i64(query, 0);
        *count += quote < wanted_count && wanted[quote].is_wanted;
    }
    return code;
}

/* About how many prices there will be, from samples spread over the matches: a frame that is built at its size costs
 * a third less than one that grows to it. */
static enum err_code guess_prices(struct db *db, const struct match_rows *matches, size_t kept_matches,
                                  const struct wanted_quote *wanted, size_t wanted_count, size_t *out,
                                  struct err *err)
{
    enum { SAMPLES = 64, SAMPLE_MATCHES = 16 };
    size_t count = 0;

    *out = 0;
    if (matches->count < 4 * SAMPLES * SAMPLE_MATCHES)
        return ERR_OK;
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        size_t first = sample * (matches->count / SAMPLES), last = first + SAMPLE_MATCHES - 1;
        enum err_code code =
            count_prices(db, matches->id[first], matches->id[last], wanted, wanted_count, &count, err);
        if (code != ERR_OK)
            return code;
    }
    double per_match = (double)count / (SAMPLES * SAMPLE_MATCHES);
    *out = (size_t)(1.05 * per_match * (double)kept_matches);
    return ERR_OK;
}

/* All prices, in one scan. */
static enum err_code scan_prices(struct db *db, const struct match_rows *matches,
                                 const struct wanted_quote *wanted, size_t wanted_count,
                                 struct frame_builder *builder, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "SELECT match_id, quote_id, price_1, price_2, price_3 FROM price ORDER BY match_id, quote_id",
        &query, err);
    return code == ERR_OK ? merge_prices(query, matches, wanted, wanted_count, builder, err) : code;
}

/* Those of the matches, one look-up each. */
static enum err_code find_prices(struct db *db, const struct match_rows *matches,
                                 const struct wanted_quote *wanted, size_t wanted_count,
                                 struct frame_builder *builder, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(db,
                                  "SELECT match_id, quote_id, price_1, price_2, price_3 FROM price WHERE "
                                  "match_id = $1 ORDER BY quote_id",
                                  &query, err);
    for (size_t place = 0; place < matches->count && code == ERR_OK; place++) {
        query_bind_i64(query, 1, matches->id[place]);
        while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
            size_t quote = (size_t)query_i64(query, 1);
            if (quote < wanted_count && wanted[quote].is_wanted)
                set_price(builder, query, &wanted[quote], matches->row[place]);
        }
    }
    return code;
}

static enum err_code load_prices(struct db *db, const char *const *bookmakers, bool is_part,
                                 const struct match_rows *matches, size_t kept_matches, struct frame **out,
                                 struct err *err)
{
    struct wanted_quote *wanted = NULL;
    struct frame_builder *builder = NULL;
    size_t wanted_count = 0, guessed = 0;
    enum err_code code = ERR_OK;

    if (!is_part)
        code = load_quotes(db, bookmakers, NULL, &wanted, &wanted_count, err);
    if (code == ERR_OK && !is_part)
        code = guess_prices(db, matches, kept_matches, wanted, wanted_count, &guessed, err);
    if (code == ERR_OK)
        code = frame_builder_create(price_fields, PRICE_COLUMNS, guessed, &builder, err);
    if (code == ERR_OK)
        code = load_quotes(db, bookmakers, builder, &wanted, &wanted_count, err);
    if (code == ERR_OK)
        code = is_part ? find_prices(db, matches, wanted, wanted_count, builder, err)
                       : scan_prices(db, matches, wanted, wanted_count, builder, err);
    if (code == ERR_OK)
        code = frame_builder_finish(builder, out, err);
    frame_builder_destroy(builder);
    free(wanted);
    return code;
}

/* ---- all ---- */

static enum err_code load(struct db *db, const char *const *bookmakers, int64_t from_day, size_t max_matches,
                          struct football_frames *out, struct err *err)
{
    struct match_rows rows = {0};

    enum err_code code = load_matches(db, from_day, max_matches, &out->matches, &rows, err);
    if (code == ERR_OK)
        code = load_prices(db, bookmakers, from_day != INT64_MIN, &rows, frame_rows(out->matches),
                           &out->prices, err);
    if (code == ERR_OK)
        code = attribute_store_load(db, &out->attributes, err);
    free(rows.id);
    free(rows.row);
    return code;
}

enum err_code football_store_load(struct db *db, const char *const *bookmakers, size_t max_matches,
                                  struct football_frames *out, struct err *err)
{
    *out = (struct football_frames){0};
    /* one transaction: all tables of the same moment */
    enum err_code code = db_execute(db, "BEGIN", err);
    if (code != ERR_OK)
        return code;
    code = football_store_load_teams(db, &out->teams, err);
    if (code == ERR_OK)
        code = load(db, bookmakers, INT64_MIN, max_matches, out, err);
    db_rollback(db);
    if (code != ERR_OK)
        football_frames_release(out);
    return code;
}

enum err_code football_store_load_since(struct db *db, const char *const *bookmakers, int64_t from_day,
                                        struct football_frames *out, struct err *err)
{
    *out = (struct football_frames){0};
    enum err_code code = load(db, bookmakers, from_day, 0, out, err);
    if (code != ERR_OK)
        football_frames_release(out);
    return code;
}

void football_frames_release(struct football_frames *frames)
{
    frame_destroy(frames->teams);
    frame_destroy(frames->matches);
    frame_destroy(frames->prices);
    frame_destroy(frames->attributes);
    *frames = (struct football_frames){0};
}
