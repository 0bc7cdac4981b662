/* History: prices. The price frame is long (a row per match, market, bookmaker and label), so its three text
 * columns are turned into small numbers once per dictionary entry, and each row is then one store. Other
 * markets, labels and bookmakers are passed over. Closing prices are known with the outcome: a match without
 * one has none. */
#include "football/history_private.h"

#include "football/bookmaker.h"
#include "limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each dictionary code of a text column stands for: an index into `names`, or -1. */
static enum err_code map_codes(const struct frame *frame, size_t column, const char *const *names, int **out,
                               struct err *err)
{
    int32_t count = frame_dictionary_count(frame, column);
    int *map = malloc(((size_t)count + 1) * sizeof(*map));
    if (!map)
        return err_nomem(err, (size_t)count * sizeof(*map));
    for (int32_t i = 0; i < count; i++) {
        map[i] = -1;
        for (int k = 0; names[k]; k++) {
            if (strcmp(names[k], frame_dictionary_text(frame, column, i)) == 0)
                map[i] = k;
        }
    }
    *out = map;
    return ERR_OK;
}

static const char *const market_names[] = {"1x2", "ou25", NULL};
static const char *const label_names[] = {"pre_close", "close", NULL};
enum { MARKET_1X2, MARKET_OU25 };
enum { LABEL_PRE_CLOSE, LABEL_CLOSE };

/* The dictionary codes of the three text columns, as indices of the lists above and of the bookmakers; -1 other. */
struct price_codes {
    int *market, *label, *book;
};

static enum err_code codes_create(const struct price_columns *columns, struct price_codes *out,
                                  struct err *err)
{
    *out = (struct price_codes){0};
    enum err_code code = map_codes(columns->frame, columns->market_column, market_names, &out->market, err);
    if (code == ERR_OK)
        code = map_codes(columns->frame, columns->label_column, label_names, &out->label, err);
    if (code == ERR_OK)
        code = map_codes(columns->frame, columns->bookmaker_column, bookmaker_names(), &out->book, err);
    return code;
}

static void codes_release(struct price_codes *codes)
{
    free(codes->market);
    free(codes->label);
    free(codes->book);
}

/* The label of a row; -1 when the row is of no interest. */
static int label_of_row(const struct price_columns *columns, const struct price_codes *codes, size_t row)
{
    int32_t market = columns->market[row], label = columns->label[row], book = columns->bookmaker[row];
    bool is_read =
        market >= 0 && label >= 0 && book >= 0 && codes->market[market] >= 0 && codes->book[book] >= 0;
    return is_read ? codes->label[label] : -1;
}

static void put_price(const struct price_columns *columns, const struct price_codes *codes, size_t row,
                      struct prices *out)
{
    int book = codes->book[columns->bookmaker[row]];
    bool is_result = codes->market[columns->market[row]] == MARKET_1X2;
    float *odds = is_result ? out->home_draw_away[book] : out->under_over[book];
    for (size_t i = 0; i < (is_result ? 3 : 2); i++) {
        double price = columns->price[i][row];
        odds[i] = price > 1 && price <= LIMIT_ODDS ? (float)price : NAN;
    }
}

/* Where the prices of a row belong; NULL: nowhere. */
static struct prices *prices_of_row(struct loading *loading, size_t row, int label)
{
    struct history *history = loading->history;
    uint32_t event = loading->event_of_match[loading->prices.match[row]];
    if (event == EVENT_NONE)
        return NULL;
    if (label == LABEL_PRE_CLOSE)
        return &history->fixtures[event].pre_close;
    if (history->closes == NULL || history->outcomes[event].known_us == INT64_MAX)
        return NULL;
    return &history->closes[event];
}

enum err_code history_load_prices(struct loading *loading, struct err *err)
{
    const struct price_columns *columns = &loading->prices;
    size_t matches = frame_rows(loading->matches.frame), rows = frame_rows(columns->frame);
    struct price_codes codes;
    enum err_code code = codes_create(columns, &codes, err);
    for (size_t row = 0; code == ERR_OK && row < rows; row++) {
        if (columns->match[row] < 0 || (uint64_t)columns->match[row] >= matches) {
            code = err_set(err, ERR_INVALID, "price row %zu names match row %lld of %zu", row,
                           (long long)columns->match[row], matches);
            break;
        }
        int label = label_of_row(columns, &codes, row);
        struct prices *out = label >= 0 ? prices_of_row(loading, row, label) : NULL;
        if (out)
            put_price(columns, &codes, row, out);
    }
    codes_release(&codes);
    return code;
}

enum err_code history_read_prices(const struct frame *prices, struct prices *out, struct err *err)
{
    struct price_columns columns;
    enum err_code code = price_columns_find(prices, &columns, err);
    if (code != ERR_OK)
        return code;
    struct price_codes codes;
    code = codes_create(&columns, &codes, err);
    for (size_t row = 0; code == ERR_OK && row < frame_rows(prices); row++) {
        if (label_of_row(&columns, &codes, row) == LABEL_PRE_CLOSE)
            put_price(&columns, &codes, row, out);
    }
    codes_release(&codes);
    return code;
}
