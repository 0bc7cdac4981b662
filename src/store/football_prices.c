/* Prices of a writer. */
#include "store/football_prices.h"

#include "base/names.h"
#include "limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSERT_PRICES                                                                                        \
    "INSERT INTO price(match_id, quote_id, price_1, price_2, price_3, handicap, is_flagged) VALUES "
#define PRICE_ROW(a, b, c, d, e, f, g) "($" #a ", $" #b ", $" #c ", $" #d ", $" #e ", $" #f ", $" #g ")"
enum { PRICE_PARAMETERS = 7, MANY_PRICES = 32 };

static const char insert_price_sql[] = INSERT_PRICES PRICE_ROW(1, 2, 3, 4, 5, 6, 7);

static const char upsert_price_sql[] = INSERT_PRICES PRICE_ROW(
    1, 2, 3, 4, 5, 6,
    7) " ON CONFLICT(match_id, quote_id) DO UPDATE SET price_1 = excluded.price_1, price_2 = "
       "excluded.price_2, "
       "price_3 = excluded.price_3, handicap = excluded.handicap, is_flagged = excluded.is_flagged, "
       "captured_at = NULL " /* that of the price before; who knows the new one's writes it */
       "WHERE price.price_1 IS NOT excluded.price_1 OR price.price_2 IS NOT excluded.price_2 OR "
       "price.price_3 IS NOT excluded.price_3 OR price.handicap IS NOT excluded.handicap OR "
       "price.is_flagged <> excluded.is_flagged";

/* One statement for many rows: starting a statement costs SQLite as much as two rows of it. */
/* clang-format off */
static const char insert_many_prices_sql[] =
    INSERT_PRICES PRICE_ROW(1, 2, 3, 4, 5, 6, 7) ","
    PRICE_ROW(8, 9, 10, 11, 12, 13, 14) ","
    PRICE_ROW(15, 16, 17, 18, 19, 20, 21) ","
    PRICE_ROW(22, 23, 24, 25, 26, 27, 28) ","
    PRICE_ROW(29, 30, 31, 32, 33, 34, 35) ","
    PRICE_ROW(36, 37, 38, 39, 40, 41, 42) ","
    PRICE_ROW(43, 44, 45, 46, 47, 48, 49) ","
    PRICE_ROW(50, 51, 52, 53, 54, 55, 56) ","
    PRICE_ROW(57, 58, 59, 60, 61, 62, 63) ","
    PRICE_ROW(64, 65, 66, 67, 68, 69, 70) ","
    PRICE_ROW(71, 72, 73, 74, 75, 76, 77) ","
    PRICE_ROW(78, 79, 80, 81, 82, 83, 84) ","
    PRICE_ROW(85, 86, 87, 88, 89, 90, 91) ","
    PRICE_ROW(92, 93, 94, 95, 96, 97, 98) ","
    PRICE_ROW(99, 100, 101, 102, 103, 104, 105) ","
    PRICE_ROW(106, 107, 108, 109, 110, 111, 112) ","
    PRICE_ROW(113, 114, 115, 116, 117, 118, 119) ","
    PRICE_ROW(120, 121, 122, 123, 124, 125, 126) ","
    PRICE_ROW(127, 128, 129, 130, 131, 132, 133) ","
    PRICE_ROW(134, 135, 136, 137, 138, 139, 140) ","
    PRICE_ROW(141, 142, 143, 144, 145, 146, 147) ","
    PRICE_ROW(148, 149, 150, 151, 152, 153, 154) ","
    PRICE_ROW(155, 156, 157, 158, 159, 160, 161) ","
    PRICE_ROW(162, 163, 164, 165, 166, 167, 168) ","
    PRICE_ROW(169, 170, 171, 172, 173, 174, 175) ","
    PRICE_ROW(176, 177, 178, 179, 180, 181, 182) ","
    PRICE_ROW(183, 184, 185, 186, 187, 188, 189) ","
    PRICE_ROW(190, 191, 192, 193, 194, 195, 196) ","
    PRICE_ROW(197, 198, 199, 200, 201, 202, 203) ","
    PRICE_ROW(204, 205, 206, 207, 208, 209, 210) ","
    PRICE_ROW(211, 212, 213, 214, 215, 216, 217) ","
    PRICE_ROW(218, 219, 220, 221, 222, 223, 224);
/* clang-format on */

struct football_prices {
    struct db *db;
    struct names *quotes; /* "market\nbookmaker\nlabel" */
    int64_t *ids;         /* by id of `quotes` */
    size_t id_capacity;
    int64_t next_id;
    struct query *insert_one, *insert_many, *replace_one;
    struct price pending[MANY_PRICES];
    size_t pending_count;
};

/* ---- quotes ---- */

static enum err_code remember_quote(struct football_prices *prices, const char *key, int64_t id,
                                    struct err *err)
{
    int32_t place = names_add(prices->quotes, text_of(key));

    if (place == NAMES_NONE)
        return err_nomem(err, strlen(key));
    if ((size_t)place >= prices->id_capacity) {
        size_t capacity = prices->id_capacity == 0 ? 128 : 2 * prices->id_capacity;
        int64_t *ids = realloc(prices->ids, capacity * sizeof *ids);
        if (ids == NULL)
            return err_nomem(err, capacity * sizeof *ids);
        prices->ids = ids;
        prices->id_capacity = capacity;
    }
    assert(prices->ids != NULL);
    prices->ids[place] = id;
    if (id >= prices->next_id)
        prices->next_id = id + 1;
    return ERR_OK;
}

static enum err_code load_quotes(struct football_prices *prices, struct err *err)
{
    struct query *query;
    bool has_row;
    char key[3 * LIMIT_NAME_BYTES];

    enum err_code code =
        db_query(prices->db, "SELECT id, market, bookmaker, label FROM quote ORDER BY id", &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        (void)snprintf(key, sizeof key, "%s\n%s\n%s", query_text(query, 1), query_text(query, 2),
                       query_text(query, 3));
        code = remember_quote(prices, key, query_i64(query, 0), err);
    }
    return code;
}

static enum err_code insert_quote(struct football_prices *prices, const char *key, const char *const parts[3],
                                  int64_t *out_id, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        prices->db, "INSERT INTO quote(id, market, bookmaker, label) VALUES ($1, $2, $3, $4)", &query, err);
    if (code != ERR_OK)
        return code;
    *out_id = prices->next_id;
    query_bind_i64(query, 1, *out_id);
    for (int index = 0; index < 3; index++)
        query_bind_text(query, 2 + index, parts[index]);
    code = query_run(query, err);
    return code == ERR_OK ? remember_quote(prices, key, *out_id, err) : code;
}

enum err_code football_prices_quote(struct football_prices *prices, const char *const parts[3],
                                    int64_t *out_id, struct err *err)
{
    char key[3 * LIMIT_NAME_BYTES];

    int length = snprintf(key, sizeof key, "%s\n%s\n%s", parts[0], parts[1], parts[2]);
    if (length < 0 || (size_t)length >= sizeof key)
        return err_set(err, ERR_TOO_LARGE, "the name of bookmaker '%.40s...' is too long", parts[1]);
    int32_t place = names_find(prices->quotes, text_of(key));
    if (place == NAMES_NONE)
        return insert_quote(prices, key, parts, out_id, err);
    *out_id = prices->ids[place];
    return ERR_OK;
}

/* ---- prices ---- */

static void bind_price(struct query *query, size_t place, const struct price *price)
{
    int first = (int)place * PRICE_PARAMETERS;

    query_bind_i64(query, first + 1, price->match_id);
    query_bind_i64(query, first + 2, price->quote_id);
    for (int index = 0; index < 3; index++)
        query_bind_f64(query, first + 3 + index, price->prices[index]);
    query_bind_f64(query, first + 6, price->handicap);
    query_bind_i64(query, first + 7, price->is_flagged);
}

enum err_code football_prices_flush(struct football_prices *prices, struct err *err)
{
    size_t count = prices->pending_count;

    prices->pending_count = 0;
    if (count == MANY_PRICES) {
        for (size_t index = 0; index < count; index++)
            bind_price(prices->insert_many, index, &prices->pending[index]);
        return query_run(prices->insert_many, err);
    }
    for (size_t index = 0; index < count; index++) {
        bind_price(prices->insert_one, 0, &prices->pending[index]);
        enum err_code code = query_run(prices->insert_one, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code football_prices_add(struct football_prices *prices, const struct price *price, struct err *err)
{
    prices->pending[prices->pending_count++] = *price;
    return prices->pending_count == MANY_PRICES ? football_prices_flush(prices, err) : ERR_OK;
}

enum err_code football_prices_replace(struct football_prices *prices, const struct price *price,
                                      bool *out_changed, struct err *err)
{
    enum err_code code = football_prices_flush(prices, err);

    if (code != ERR_OK)
        return code;
    bind_price(prices->replace_one, 0, price);
    code = query_run(prices->replace_one, err);
    if (code == ERR_OK && db_changes(prices->db) > 0)
        *out_changed = true;
    return code;
}

/* ---- the object ---- */

static enum err_code prepare(struct football_prices *prices, struct err *err)
{
    prices->quotes = names_create();
    if (prices->quotes == NULL)
        return err_nomem(err, sizeof *prices);
    enum err_code code = load_quotes(prices, err);
    if (code == ERR_OK)
        code = db_query(prices->db, insert_price_sql, &prices->insert_one, err);
    if (code == ERR_OK)
        code = db_query(prices->db, insert_many_prices_sql, &prices->insert_many, err);
    if (code == ERR_OK)
        code = db_query(prices->db, upsert_price_sql, &prices->replace_one, err);
    return code;
}

enum err_code football_prices_create(struct db *db, struct football_prices **out, struct err *err)
{
    *out = NULL;
    struct football_prices *prices = calloc(1, sizeof *prices);
    if (prices == NULL)
        return err_nomem(err, sizeof *prices);
    prices->db = db;
    prices->next_id = 1;
    enum err_code code = prepare(prices, err);
    if (code != ERR_OK) {
        football_prices_destroy(prices);
        return code;
    }
    *out = prices;
    return ERR_OK;
}

void football_prices_destroy(struct football_prices *prices)
{
    if (prices == NULL)
        return;
    names_destroy(prices->quotes);
    free(prices->ids);
    free(prices);
}
