/* History: prices. The price frame is long (a row per match, market, bookmaker and label), so its three text
 * columns are turned into small numbers once per dictionary entry, and each row is then one store. Other
 * markets, labels and bookmakers are passed over. Closing prices belong to the outcome: a match without one
 * has none. */
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

static void put_price(struct loading *loading, size_t row, int market, int label, int book)
{
    struct history *history = loading->history;
    uint32_t event = loading->event_of_match[loading->prices.match[row]];
    if (event == EVENT_NONE || (label == LABEL_CLOSE && history->outcomes[event].known_us == INT64_MAX))
        return;
    struct prices *prices =
        label == LABEL_CLOSE ? &history->outcomes[event].close : &history->fixtures[event].pre_close;
    float *odds = market == MARKET_1X2 ? prices->home_draw_away[book] : prices->under_over[book];
    for (size_t i = 0; i < (market == MARKET_1X2 ? 3 : 2); i++) {
        double price = loading->prices.price[i][row];
        odds[i] = price > 1 && price <= LIMIT_ODDS ? (float)price : NAN;
    }
}

enum err_code history_load_prices(struct loading *loading, struct err *err)
{
    const struct price_columns *p = &loading->prices;
    int *market = NULL, *label = NULL, *book = NULL;
    enum err_code code = map_codes(p->frame, p->market_column, market_names, &market, err);
    if (code == ERR_OK)
        code = map_codes(p->frame, p->label_column, label_names, &label, err);
    if (code == ERR_OK)
        code = map_codes(p->frame, p->bookmaker_column, bookmaker_names(), &book, err);
    size_t matches = frame_rows(loading->matches.frame);
    for (size_t row = 0; code == ERR_OK && row < frame_rows(p->frame); row++) {
        if (p->match[row] < 0 || (uint64_t)p->match[row] >= matches)
            code = err_set(err, ERR_INVALID, "price row %zu names match row %lld of %zu", row,
                           (long long)p->match[row], matches);
        else if (p->market[row] >= 0 && p->label[row] >= 0 && p->bookmaker[row] >= 0 &&
                 market[p->market[row]] >= 0 && label[p->label[row]] >= 0 && book[p->bookmaker[row]] >= 0)
            put_price(loading, row, market[p->market[row]], label[p->label[row]], book[p->bookmaker[row]]);
    }
    free(market);
    free(label);
    free(book);
    return code;
}
