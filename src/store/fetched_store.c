/* Prices that were fetched, and the end of the transaction. Most sets are there already and change little, so each is looked
 * at by itself: football_prices_replace tells whether it became another. */
#include "store/fetched_store.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "store/football_notes.h"
#include "store/football_prices.h"
#include "store/football_store.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* ---- what there is ---- */

static void take_upcoming(const struct query *query, struct upcoming_match *out)
{
    *out = (struct upcoming_match){.id = query_i64(query, 0),
                                   .day = query_i64(query, 2),
                                   .kickoff_us = query_i64(query, 3),
                                   .home_id = query_i64(query, 4),
                                   .away_id = query_i64(query, 5),
                                   .time_known = query_i64(query, 6) != 0};
    (void)text_copy(text_of(query_text(query, 1)), out->league, sizeof out->league);
}

static enum err_code read_upcoming(struct query *query, struct upcoming_match **items, size_t *count,
                                   struct err *err)
{
    size_t capacity = 0;
    bool has_row = false;
    enum err_code code;
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        if (*count == capacity) {
            capacity = capacity == 0 ? 256 : 2 * capacity;
            struct upcoming_match *moved = realloc(*items, capacity * sizeof *moved);
            if (moved == NULL)
                return err_nomem(err, capacity * sizeof *moved);
            *items = moved;
        }
        take_upcoming(query, &(*items)[(*count)++]);
    }
    return code;
}

enum err_code fetched_store_upcoming(struct db *db, int64_t from_us, int64_t to_us,
                                     struct upcoming_match **out, size_t *out_count, struct err *err)
{
    struct query *query;
    struct upcoming_match *items = NULL;
    size_t count = 0;
    *out = NULL;
    *out_count = 0;
    enum err_code code =
        db_query(db,
                 "SELECT id, league, day, kickoff_us, home_id, away_id, time_known FROM match "
                 "WHERE state = 0 AND kickoff_us <= $2 AND "
                 "kickoff_us > CASE time_known WHEN 1 THEN $1 ELSE $1 - 86400000000 END "
                 "AND day BETWEEN $1 / 86400000000 - 2 AND $2 / 86400000000 + 1 ORDER BY kickoff_us, id",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, from_us);
    query_bind_i64(query, 2, to_us);
    code = read_upcoming(query, &items, &count, err);
    query_reset(query);
    if (code != ERR_OK) {
        free(items);
        return code;
    }
    *out = items;
    *out_count = count;
    return ERR_OK;
}

/* ---- prices ---- */

struct saving {
    struct db *db;
    struct football_prices *prices;
    struct football_notes notes;
    struct upcoming_match match; /* of the price before: sets of a match stand together */
    bool is_open;                /* it may get prices */
};

/* What the match is now: it may be gone, played or moved since the prices were asked for. */
static enum err_code look_at_match(struct saving *saving, const struct fetched_price *price, struct err *err)
{
    struct query *query;
    bool has_row = false;
    saving->match = (struct upcoming_match){.id = price->match_id};
    saving->is_open = false;
    enum err_code code = db_query(saving->db,
                                  "SELECT id, league, day, kickoff_us, home_id, away_id, time_known "
                                  "FROM match WHERE id = $1 AND state = 0",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, price->match_id);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row) {
        take_upcoming(query, &saving->match);
        saving->is_open = !saving->match.time_known || price->captured_us < saving->match.kickoff_us;
    }
    query_reset(query);
    return code;
}

static enum err_code stamp(struct db *db, const struct fetched_price *price, int64_t quote_id,
                           struct err *err)
{
    struct query *query;
    enum err_code code =
        db_query(db, "UPDATE price SET captured_at = $3 WHERE match_id = $1 AND quote_id = $2", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, price->match_id);
    query_bind_i64(query, 2, quote_id);
    query_bind_i64(query, 3, price->captured_us);
    return query_run(query, err);
}

static enum err_code save_price(struct saving *saving, const struct fetched_price *price,
                                struct fetched_prices_saved *out, struct err *err)
{
    const char *parts[3] = {price->market, price->bookmaker, "pre_close"};
    struct price row = {.match_id = price->match_id,
                        .prices = {price->prices[0], price->prices[1], price->prices[2]},
                        .handicap = NAN,
                        .is_flagged = price->is_flagged};
    bool is_changed = false;
    enum err_code code = football_prices_quote(saving->prices, parts, &row.quote_id, err);
    if (code == ERR_OK)
        code = football_prices_replace(saving->prices, &row, &is_changed, err);
    if (code == ERR_OK)
        code = stamp(saving->db, price, row.quote_id, err);
    if (code == ERR_OK && is_changed)
        code = football_notes_add(&saving->notes, saving->match.league, saving->match.day,
                                  saving->match.kickoff_us, err);
    out->changed += code == ERR_OK && is_changed;
    out->unchanged += code == ERR_OK && !is_changed;
    return code;
}

enum err_code fetched_store_prices(struct db *db, const struct fetched_price *prices, size_t count,
                                   struct fetched_prices_saved *out, struct err *err)
{
    struct saving saving = {.db = db};
    enum err_code code = football_prices_create(db, &saving.prices, err);
    for (size_t index = 0; index < count && code == ERR_OK; index++) {
        if (index == 0 || prices[index].match_id != saving.match.id)
            code = look_at_match(&saving, &prices[index], err);
        if (code != ERR_OK)
            break;
        if (saving.is_open)
            code = save_price(&saving, &prices[index], out, err);
        else
            out->late++;
    }
    if (code == ERR_OK)
        code = football_notes_flush(&saving.notes, db, err);
    football_notes_release(&saving.notes);
    football_prices_destroy(saving.prices);
    return code;
}

/* ---- the end ---- */

/* Something was noted for the state that has no name yet. */
static enum err_code has_notes(struct db *db, bool *out, struct err *err)
{
    struct query *query;
    bool has_row = false;
    enum err_code code = db_query(db,
                                  "SELECT 1 FROM football_change WHERE revision > "
                                  "(SELECT coalesce(max(revision), 0) FROM football_state) LIMIT 1",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    code = query_next(query, &has_row, err);
    *out = code == ERR_OK && has_row;
    query_reset(query);
    return code;
}

enum err_code fetched_store_finish(struct db *db, const char *salt, bool *out_changed, struct err *err)
{
    struct hash hash;
    char hex[HASH_HEX_BYTES];
    enum err_code code = has_notes(db, out_changed, err);
    if (code != ERR_OK || !*out_changed)
        return code;
    hash_init(&hash);
    hash_add_text(&hash, "fetched 1");
    hash_add_text(&hash, salt);
    hash_final_hex(&hash, hex);
    return football_store_chain(db, hex, err);
}
