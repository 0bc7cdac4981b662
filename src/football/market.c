/* Market family: what the prices before the close say of this match. No state; pre_close prices only, closing
 * prices are not in the fixture at all.
 *
 * Which book: the average of the market, else Bet365, else Pinnacle: the first of them that has all prices of
 * the market and a sum of inverse odds strictly inside (0.97, 1.30). Never a mix, and `market_price_source`
 * says which. The five ways to take the overround out are overround.h's; a method without a solution gives
 * NaN. */
#include "football/families.h"
#include "football/match.h"
#include "football/overround.h"

#include <assert.h>
#include <math.h>

#define BOOKSUM_LOW   0.97
#define BOOKSUM_HIGH  1.30
#define DISAGREE_HIGH 10.0
#define TOTAL_HIGH    20.0

static const enum bookmaker source_order[] = {BOOKMAKER_AVERAGE, BOOKMAKER_BET365, BOOKMAKER_PINNACLE};
enum { SOURCE_COUNT = sizeof(source_order) / sizeof(source_order[0]) };

enum {
    MARKET_FAIR, /* [OVERROUND_COUNT][3], in the order of enum overround_method */
    MARKET_BOOKSUM = MARKET_FAIR + 3 * OVERROUND_COUNT,
    MARKET_SOURCE,
    MARKET_DISAGREE,                                /* [3] */
    MARKET_OU_MULTIPLICATIVE = MARKET_DISAGREE + 3, /* [2] */
    MARKET_OU_SHIN = MARKET_OU_MULTIPLICATIVE + 2,  /* [2] */
    MARKET_OU_BOOKSUM = MARKET_OU_SHIN + 2,
    MARKET_OU_SOURCE,
    MARKET_OU_DISAGREE, /* [2] */
    MARKET_TOTAL = MARKET_OU_DISAGREE + 2,
    MARKET_FEATURES
};

#define MARKET_BOOK "market average (else Bet365, else Pinnacle), before the close"
#define MARKET_PROBABILITY(name, text)                                                                       \
    {                                                                                                        \
        "market_" name, "probability", 0, 1, FEATURE_PRE_CLOSE,                                              \
            text " from the prices of the " MARKET_BOOK "."                                                  \
    }
#define MARKET_METHOD(name, text)                                                                            \
    MARKET_PROBABILITY(name "_home", "Fair probability of a home win, " text),                               \
        MARKET_PROBABILITY(name "_draw", "Fair probability of a draw, " text),                               \
        MARKET_PROBABILITY(name "_away", "Fair probability of an away win, " text)
#define MARKET_DISAGREEMENT(name, text)                                                                      \
    {                                                                                                        \
        "market_" name, "ratio", -1, DISAGREE_HIGH, FEATURE_PRE_CLOSE,                                       \
            "Best price over average price, minus 1, for " text ": disagreement of the bookmakers."          \
    }
#define MARKET_SUM(name, text)                                                                               \
    {                                                                                                        \
        "market_" name, "", BOOKSUM_LOW, BOOKSUM_HIGH, FEATURE_PRE_CLOSE,                                    \
            "Sum of the inverse " text " prices used."                                                       \
    }
#define MARKET_WHICH(name, text)                                                                             \
    {                                                                                                        \
        "market_" name, "", 0, SOURCE_COUNT - 1, FEATURE_PRE_CLOSE,                                          \
            "Whose " text " prices are used: 0 the average, 1 Bet365, 2 Pinnacle."                           \
    }

static const struct feature market_features[MARKET_FEATURES] = {
    MARKET_METHOD("multiplicative", "multiplicative method"),
    MARKET_METHOD("additive", "additive method"),
    MARKET_METHOD("power", "power method (Clarke, Kovalchik & Ingram 2017)"),
    MARKET_METHOD("shin", "Shin's method (Shin 1993)"),
    MARKET_METHOD("odds_ratio", "odds-ratio method (Cheung 2015)"),
    MARKET_SUM("booksum", "1x2"),
    MARKET_WHICH("price_source", "1x2"),
    MARKET_DISAGREEMENT("disagreement_home", "a home win"),
    MARKET_DISAGREEMENT("disagreement_draw", "a draw"),
    MARKET_DISAGREEMENT("disagreement_away", "an away win"),
    MARKET_PROBABILITY("ou_multiplicative_under",
                       "Fair probability of under 2.5 goals, multiplicative method"),
    MARKET_PROBABILITY("ou_multiplicative_over", "Fair probability of over 2.5 goals, multiplicative method"),
    MARKET_PROBABILITY("ou_shin_under", "Fair probability of under 2.5 goals, Shin's method (Shin 1993)"),
    MARKET_PROBABILITY("ou_shin_over", "Fair probability of over 2.5 goals, Shin's method (Shin 1993)"),
    MARKET_SUM("ou_booksum", "over/under"),
    MARKET_WHICH("ou_price_source", "over/under"),
    MARKET_DISAGREEMENT("disagreement_under", "under 2.5 goals"),
    MARKET_DISAGREEMENT("disagreement_over", "over 2.5 goals"),
    {"market_expected_total", "goals", 0, TOTAL_HIGH, FEATURE_PRE_CLOSE,
     "Mean of the Poisson distribution that is at most 2 with the fair probability of under 2.5 goals."},
};

static size_t market_state_bytes(const struct stream_size *size)
{
    (void)size;
    return 0;
}

static void market_init(void *memory, const struct stream_size *size)
{
    (void)memory;
    (void)size;
}

/* The first usable book; -1 when there is none. */
static int choose_source(const struct prices *prices, size_t outcomes, struct overround_book *book)
{
    for (int i = 0; i < SOURCE_COUNT; i++) {
        enum bookmaker source = source_order[i];
        const float *odds = outcomes == 3 ? prices->home_draw_away[source] : prices->under_over[source];
        if (overround_book_init(book, odds, outcomes) && book->sum > BOOKSUM_LOW && book->sum < BOOKSUM_HIGH)
            return i;
    }
    return -1;
}

static void emit_fair(const struct overround_book *book, enum overround_method method, float *out)
{
    double p[3];
    bool is_solved = overround_book_remove(book, method, p);
    for (size_t i = 0; i < book->n; i++)
        out[i] = is_solved ? (float)p[i] : NAN;
}

static void emit_disagreement(const float *best, const float *average, size_t outcomes, float *out)
{
    for (size_t i = 0; i < outcomes; i++) {
        float ratio =
            average[i] > 1 ? best[i] / average[i] - 1 : NAN; /* a missing price is NaN all the way */
        out[i] = ratio > (float)DISAGREE_HIGH ? (float)DISAGREE_HIGH : ratio;
    }
}

/* Solves e^-m (1 + m + m^2/2) = p by Newton's method inside a bracket; the left side falls from 1 to 0. */
static double expected_total(double p_under)
{
    double low = 0, high = TOTAL_HIGH, m = 2.674 - (p_under - 0.5) / 0.2465; /* the tangent at p = 1/2 */
    for (int step = 0; step < 50; step++) {
        if (!(m > low && m < high))
            m = (low + high) / 2;
        double decay = exp(-m), excess = decay * (1 + m + m * m / 2) - p_under;
        if (fabs(excess) < 1e-10)
            break;
        if (excess > 0)
            low = m;
        else
            high = m;
        m += excess / (decay * m * m / 2);
    }
    return m;
}

static void emit_result(const struct prices *prices, float *out)
{
    struct overround_book book;
    int source = choose_source(prices, 3, &book);
    if (source >= 0) {
        for (int method = 0; method < OVERROUND_COUNT; method++)
            emit_fair(&book, (enum overround_method)method, out + MARKET_FAIR + 3 * method);
        out[MARKET_BOOKSUM] = (float)book.sum;
        out[MARKET_SOURCE] = (float)source;
    }
    emit_disagreement(prices->home_draw_away[BOOKMAKER_MAXIMUM], prices->home_draw_away[BOOKMAKER_AVERAGE], 3,
                      out + MARKET_DISAGREE);
}

static void emit_goals(const struct prices *prices, float *out)
{
    struct overround_book book;
    int source = choose_source(prices, 2, &book);
    if (source >= 0) {
        emit_fair(&book, OVERROUND_MULTIPLICATIVE, out + MARKET_OU_MULTIPLICATIVE);
        emit_fair(&book, OVERROUND_SHIN, out + MARKET_OU_SHIN);
        out[MARKET_OU_BOOKSUM] = (float)book.sum;
        out[MARKET_OU_SOURCE] = (float)source;
        out[MARKET_TOTAL] = (float)expected_total((double)out[MARKET_OU_MULTIPLICATIVE]);
    }
    emit_disagreement(prices->under_over[BOOKMAKER_MAXIMUM], prices->under_over[BOOKMAKER_AVERAGE], 2,
                      out + MARKET_OU_DISAGREE);
}

static void market_emit(const void *memory, const void *event, float *out)
{
    (void)memory;
    const struct fixture *fixture = event;
    for (size_t i = 0; i < MARKET_FEATURES; i++)
        out[i] = NAN;
    emit_result(&fixture->pre_close, out);
    emit_goals(&fixture->pre_close, out);
}

static void market_apply(void *memory, const void *event, const void *result)
{
    (void)memory;
    (void)event;
    (void)result;
}

const struct tracker tracker_market = {
    .family = "market",
    .doc = "Fair probabilities by five methods, overround, disagreement and expected goals from prices "
           "before the close.",
    .source = "prices before the close",
    .version = 1,
    .features = market_features,
    .feature_count = MARKET_FEATURES,
    .state_bytes = market_state_bytes,
    .init = market_init,
    .emit = market_emit,
    .apply = market_apply,
};
