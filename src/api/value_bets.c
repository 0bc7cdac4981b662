/* GET /api/value-bets: what the newest scan (task/value_bets.h) has found, filtered and sorted here: a scan finds some hundred
 * rows at most. */
#include "api/value_bets.h"

#include "api/api.h"
#include "api/live.h"
#include "base/text.h"
#include "base/time.h"
#include "store/value_bet_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BETS_MAX = 5000, LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

struct wanted {
    const char *league, *target, *selection, *bookmaker;
    double min_edge;
    int64_t limit;
    size_t column; /* of `columns` */
    bool is_ascending, is_csv;
};

/* ---- sorting ---- */

static double edge_of(const struct value_bet *bet)
{
    return bet->edge;
}
static double kickoff_of(const struct value_bet *bet)
{
    return (double)bet->kickoff_us;
}
static double value_of(const struct value_bet *bet)
{
    return bet->value_flat;
}
static double odds_of(const struct value_bet *bet)
{
    return bet->odds;
}
static double p_of(const struct value_bet *bet)
{
    return bet->p;
}

static const struct {
    const char *name;
    double (*get)(const struct value_bet *bet);
} columns[] = {
    {"edge", edge_of}, {"kickoff", kickoff_of}, {"value", value_of}, {"odds", odds_of}, {"p", p_of}};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static int compare(const void *left, const void *right, void *context)
{
    const struct wanted *wanted = context;
    const struct value_bet *a = left, *b = right;
    double x = columns[wanted->column].get(a), y = columns[wanted->column].get(b);
    if (x == y) /* the same order every time */
        return a->match_id != b->match_id ? (a->match_id > b->match_id) - (a->match_id < b->match_id)
                                          : strcmp(a->bookmaker, b->bookmaker);
    return (x > y) == wanted->is_ascending ? 1 : -1;
}

/* ---- asking ---- */

static enum err_code choose(const struct http_request *request, const char *name, const char *const *names,
                            size_t count, size_t *out, struct err *err)
{
    const char *value = http_request_query(request, name);
    *out = 0;
    if (value == NULL)
        return ERR_OK;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(value, names[i]) == 0) {
            *out = i;
            return ERR_OK;
        }
    }
    return err_set_field(err, ERR_INVALID, name, "query parameter '%s' is not '%s' or another of its values",
                         name, names[0]);
}

static enum err_code read_edge(const struct http_request *request, double *out, struct err *err)
{
    const char *value = http_request_query(request, "min_edge");
    *out = -1;
    if (value == NULL)
        return ERR_OK;
    if (!text_parse_f64(text_of(value), out) || !isfinite(*out) || *out < -1 || *out > 10000)
        return err_set_field(err, ERR_INVALID, "min_edge",
                             "query parameter 'min_edge' is not a number from -1 to 10000, like 0.05");
    return ERR_OK;
}

static enum err_code read_wanted(const struct http_request *request, struct wanted *out, struct err *err)
{
    static const char *const orders[] = {"desc", "asc"}, *const formats[] = {"json", "csv"};
    const char *names[COLUMNS];
    size_t order = 0, format = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        names[i] = columns[i].name;
    *out =
        (struct wanted){http_request_query(request, "league"), http_request_query(request, "target"),
                        http_request_query(request, "selection"), http_request_query(request, "bookmaker")};
    enum err_code code = read_edge(request, &out->min_edge, err);
    if (code == ERR_OK)
        code = api_query_i64(request, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX, &out->limit, err);
    if (code == ERR_OK)
        code = choose(request, "sort", names, COLUMNS, &out->column, err);
    if (code == ERR_OK)
        code = choose(request, "order", orders, 2, &order, err);
    if (code == ERR_OK)
        code = choose(request, "format", formats, 2, &format, err);
    out->is_ascending = order == 1;
    out->is_csv = format == 1;
    return code;
}

static bool fits(const char *wanted, const char *value)
{
    return wanted == NULL || strcmp(wanted, value) == 0;
}

/* Keeps those that fit, in the order wanted; the count that is left. */
static size_t sift(struct value_bet *bets, size_t count, struct wanted *wanted)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (fits(wanted->league, bets[i].league) && fits(wanted->target, bets[i].target) &&
            fits(wanted->selection, bets[i].selection) && fits(wanted->bookmaker, bets[i].bookmaker) &&
            bets[i].edge >= wanted->min_edge)
            bets[kept++] = bets[i];
    }
    qsort_r(bets, kept, sizeof(*bets), compare, wanted);
    return kept < (size_t)wanted->limit ? kept : (size_t)wanted->limit;
}

/* ---- answering ---- */

static double age_s(const struct value_bet *bet, int64_t now_us)
{
    return bet->price_us == TIME_NONE ? (double)NAN : round((double)(now_us - bet->price_us) / 1e6);
}

static void write_bet(struct json_writer *out, const struct value_bet *bet, int64_t now_us)
{
    json_begin_object(out);
    json_field_i64(out, "match_id", bet->match_id);
    json_field_text(out, "league", bet->league);
    json_field_text(out, "home", bet->home);
    json_field_text(out, "away", bet->away);
    json_field_time(out, "kickoff", bet->kickoff_us);
    json_field_text(out, "target", bet->target);
    json_field_text(out, "selection", bet->selection);
    json_field_text(out, "bookmaker", bet->bookmaker);
    json_field_f64(out, "odds", bet->odds);
    json_field_time(out, "price_at", bet->price_us);
    json_field_f64(out, "price_age_s", age_s(bet, now_us));
    json_field_f64(out, "p", bet->p);
    json_field_f64(out, "market_p", bet->market_p);
    json_field_f64(out, "edge", bet->edge);
    json_field_f64(out, "min_edge", bet->min_edge);
    json_field_f64(out, "stake_flat", bet->flat);
    json_field_f64(out, "value_flat", bet->value_flat);
    json_field_text(out, "currency", bet->currency);
    json_field_f64(out, "kelly", bet->kelly);
    json_field_f64(out, "stake_fraction", bet->fractional);
    json_field_f64(out, "value_fraction", bet->value_fractional);
    json_field_text(out, "bot", bet->bot);
    json_field_text(out, "version", bet->version);
    json_field_time(out, "found_at", bet->found_us);
    json_end_object(out);
}

/* A name in quotes: names have no quotes of their own but may have commas. A leading sign that a spreadsheet would take for
 * a formula is defused by a space. */
static void put_name(struct buffer *out, const char *name)
{
    buffer_append_char(out, '"');
    if (strchr("=+-@", name[0]) != NULL && name[0] != '\0')
        buffer_append_char(out, ' ');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, *name);
    }
    buffer_append_text(out, "\",");
}

static void write_csv(struct http_response *response, const struct value_bet *bets, size_t count)
{
    char kickoff[TIME_TEXT_BYTES], price[TIME_TEXT_BYTES], found[TIME_TEXT_BYTES];
    struct buffer *out = &response->body;
    response->content_type = "text/csv; charset=utf-8";
    (void)text_copy(text_of("value-bets.csv"), response->attachment, sizeof(response->attachment));
    buffer_append_text(
        out, "match_id,league,home,away,kickoff,target,selection,bookmaker,odds,price_at,p,market_p,edge,"
             "min_edge,stake_flat,value_flat,currency,kelly,stake_fraction,bot,version,found_at\n");
    for (size_t i = 0; i < count; i++) {
        const struct value_bet *bet = &bets[i];
        time_format_iso(bet->kickoff_us, kickoff);
        time_format_iso(bet->price_us, price);
        time_format_iso(bet->found_us, found);
        buffer_printf(out, "%lld,%s,", (long long)bet->match_id, bet->league);
        put_name(out, bet->home);
        put_name(out, bet->away);
        buffer_printf(out, "%s,%s,%s,%s,%.4g,%s,%.6f,", kickoff, bet->target, bet->selection, bet->bookmaker,
                      bet->odds, price, bet->p);
        if (!isnan(bet->market_p))
            buffer_printf(out, "%.6f", bet->market_p);
        buffer_printf(out, ",%.6f,%.4f,%.2f,%.4f,%s,%.6f,%.6f,%s,%s,%s\n", bet->edge, bet->min_edge,
                      bet->flat, bet->value_flat, bet->currency, bet->kelly, bet->fractional, bet->bot,
                      bet->version, found);
    }
}

static void write_json(struct http_response *response, const struct value_bet *bets, size_t count,
                       int64_t now_us)
{
    struct json_writer out;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_key(&out, "value_bets");
    json_begin_array(&out);
    for (size_t i = 0; i < count; i++)
        write_bet(&out, &bets[i], now_us);
    json_end_array(&out);
    json_field_time(&out, "now", now_us);
    json_end_object(&out);
}

enum err_code api_value_bets(void *context, const struct route_match *match, struct http_response *response,
                             struct err *err);
enum err_code api_value_bets(void *context, const struct route_match *match, struct http_response *response,
                             struct err *err)
{
    const struct api *api = context;
    struct wanted wanted;
    size_t count = BETS_MAX;
    int64_t now_us = api->clock.now_us(api->clock.context);
    enum err_code code = read_wanted(match->request, &wanted, err);
    if (code != ERR_OK)
        return code;
    struct value_bet *bets = calloc(count, sizeof(*bets));
    if (bets == NULL)
        return err_nomem(err, count * sizeof(*bets));
    code = value_bet_store_list(api->store->db, now_us, bets, &count, err);
    if (code == ERR_OK) {
        count = sift(bets, count, &wanted);
        if (wanted.is_csv)
            write_csv(response, bets, count);
        else
            write_json(response, bets, count, now_us);
    }
    free(bets);
    return code;
}

/* ---- news ---- */

struct news {
    const struct value_bet *bets;
    size_t count;
    int64_t now_us;
};

static void write_news(void *context, struct json_writer *out)
{
    const struct news *news = context;
    json_begin_object(out);
    json_field_i64(out, "count", (int64_t)news->count);
    json_key(out, "value_bets");
    json_begin_array(out);
    for (size_t i = 0; i < news->count && i < LIMIT_DEFAULT; i++)
        write_bet(out, &news->bets[i], news->now_us);
    json_end_array(out);
    json_end_object(out);
}

void api_value_bets_job_changed(const struct api *api, const struct job_row *job)
{
    struct news news = {NULL, BETS_MAX, api->clock.now_us(api->clock.context)};
    if (job->state != JOB_SUCCEEDED || strcmp(job->task, "value_bets") != 0 ||
        !live_has_subscribers(api->live, "value_bets"))
        return;
    struct value_bet *bets = calloc(BETS_MAX, sizeof(*bets));
    if (bets != NULL &&
        value_bet_store_list(api->store->db, news.now_us, bets, &news.count, NULL) == ERR_OK) {
        news.bets = bets;
        live_publish(api->live, "value_bets", write_news, &news);
    }
    free(bets);
}
