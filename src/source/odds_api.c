/* Reading odds: JSON as a tree first (an answer is some hundred kB), then down the tree, each level with its own function.
 * Errors are put into words at the place where they are found and get the path in front on the way up:
 *     event 3, bookmaker 'pinnacle': 'markets' is missing */
#include "source/odds_api.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "limits.h"
#include "source/connector_league.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 2000, SETS_MAX = 200000 };

static const double GOAL_LINE = 2.5;

struct reading {
    struct odds_api_answer *out;
    size_t event_capacity, set_capacity;
    struct err *err;
};

void odds_api_release(struct odds_api_answer *answer)
{
    free(answer->events);
    free(answer->sets);
    *answer = (struct odds_api_answer){0};
}

/* The items with room for one more, perhaps at another place; NULL with the error set (then the old ones stay). */
static void *make_room(struct reading *reading, void *items, size_t *capacity, size_t count,
                       size_t item_bytes, size_t most)
{
    if (count < *capacity)
        return items;
    if (count >= most) {
        (void)err_set(reading->err, ERR_TOO_LARGE, "it has more than %zu rows", most);
        return NULL;
    }
    size_t more = *capacity == 0 ? 64 : 2 * *capacity;
    void *moved = realloc(items, more * item_bytes);
    if (moved == NULL)
        (void)err_nomem(reading->err, more * item_bytes);
    else
        *capacity = more;
    return moved;
}

/* ---- members ---- */

static enum err_code take_name(const json_t *object, const char *key, char *out, size_t out_bytes,
                               struct err *err)
{
    const char *text = NULL;
    enum err_code code = json_take_text(object, key, true, &text, err);
    if (code != ERR_OK)
        return code;
    struct text name = text_trim(text_of(text));
    if (name.size_bytes == 0 || !text_copy(name, out, out_bytes))
        return err_set_field(err, ERR_INVALID, key, "'%s' is empty or longer than %zu bytes", key,
                             out_bytes - 1);
    return ERR_OK;
}

static enum err_code take_time(const json_t *object, const char *key, bool required, int64_t *out_us,
                               struct err *err)
{
    const char *text = NULL;
    bool has_clock = false;
    *out_us = TIME_NONE;
    enum err_code code = json_take_text(object, key, required, &text, err);
    if (code != ERR_OK || text == NULL)
        return code;
    if (!time_parse_iso(text_of(text), out_us, &has_clock) || !has_clock)
        return err_set_field(err, ERR_INVALID, key, "'%s' is no time: '%.40s'", key, text);
    return ERR_OK;
}

static enum err_code take_array(const json_t *object, const char *key, const json_t **out, struct err *err)
{
    *out = json_is_object(object) ? json_object_get(object, key) : NULL;
    return json_is_array(*out) ? ERR_OK : err_set_field(err, ERR_INVALID, key, "'%s' is no array", key);
}

/* ---- a market ---- */

/* Which of the three prices an outcome of h2h is; -1 none. */
static int side_of(const struct odds_api_event *event, const char *name)
{
    struct text text = text_trim(text_of(name));
    if (text_equal_nocase(text, "Draw"))
        return 1;
    if (text_equal(text, event->home))
        return 0;
    return text_equal(text, event->away) ? 2 : -1;
}

static int half_of(const char *name)
{
    if (strcmp(name, "Under") == 0)
        return 0;
    return strcmp(name, "Over") == 0 ? 1 : -1;
}

/* Puts the outcome into its place; *is_other: of a line that is not kept. */
static enum err_code read_outcome(const struct odds_api_event *event, const json_t *outcome, bool is_totals,
                                  struct odds_api_set *set, bool *is_other, struct err *err)
{
    const char *name = NULL;
    double price = NAN, point = NAN;
    enum err_code code = json_take_text(outcome, "name", true, &name, err);
    if (code == ERR_OK)
        code = json_take_f64(outcome, "price", false, &price, err);
    if (code == ERR_OK)
        code = json_take_f64(outcome, "point", false, &point, err);
    if (code != ERR_OK)
        return code;
    *is_other |= is_totals && point != GOAL_LINE; /* a line is said exactly: NaN and 2.25 are others */
    int place = is_totals ? half_of(name) : side_of(event, name);
    if (place >= 0 && price > 1 && price < LIMIT_ODDS)
        set->prices[place] = price;
    return ERR_OK;
}

static bool is_complete(const struct odds_api_set *set, bool is_totals)
{
    return !isnan(set->prices[0]) && !isnan(set->prices[1]) && (is_totals || !isnan(set->prices[2]));
}

static bool is_there(const struct odds_api_answer *answer, size_t first, const struct odds_api_set *set)
{
    for (size_t index = first; index < answer->set_count; index++) {
        if (strcmp(answer->sets[index].market, set->market) == 0 &&
            strcmp(answer->sets[index].bookmaker, set->bookmaker) == 0)
            return true;
    }
    return false;
}

static enum err_code keep_set(struct reading *reading, size_t first, struct odds_api_set *set, bool is_totals)
{
    struct odds_api_answer *answer = reading->out;
    if (!is_complete(set, is_totals)) {
        answer->incomplete++;
        return ERR_OK;
    }
    if (is_there(answer, first, set)) {
        answer->repeated++;
        return ERR_OK;
    }
    double sum = 1 / set->prices[0] + 1 / set->prices[1] + (is_totals ? 0 : 1 / set->prices[2]);
    set->is_flagged = sum < LIMIT_OVERROUND_MIN || sum > LIMIT_OVERROUND_MAX;
    struct odds_api_set *sets =
        make_room(reading, answer->sets, &reading->set_capacity, answer->set_count, sizeof *sets, SETS_MAX);
    if (sets == NULL)
        return reading->err->code;
    answer->sets = sets;
    sets[answer->set_count++] = *set;
    return ERR_OK;
}

static enum err_code read_market(struct reading *reading, const struct odds_api_event *event,
                                 const char *bookmaker, int64_t updated_us, const json_t *market)
{
    const char *key = NULL;
    const json_t *outcomes = NULL, *outcome;
    size_t index;
    bool is_other = false;
    struct odds_api_set set = {.prices = {NAN, NAN, NAN}};
    enum err_code code = json_take_text(market, "key", true, &key, reading->err);
    if (code == ERR_OK)
        code = take_array(market, "outcomes", &outcomes, reading->err);
    if (code == ERR_OK)
        code = take_time(market, "last_update", false, &set.updated_us, reading->err);
    if (code != ERR_OK)
        return code;
    bool is_totals = strcmp(key, "totals") == 0;
    set.market = is_totals ? "ou25" : "1x2";
    set.updated_us = set.updated_us == TIME_NONE ? updated_us : set.updated_us;
    (void)text_copy(text_of(connector_bookmaker(bookmaker)), set.bookmaker, sizeof set.bookmaker);
    if (!is_totals && strcmp(key, "h2h") != 0) {
        reading->out->other++;
        return ERR_OK;
    }
    json_array_foreach(outcomes, index, outcome)
    {
        code = read_outcome(event, outcome, is_totals, &set, &is_other, reading->err);
        if (code != ERR_OK)
            return err_prefix(reading->err, "market '%.20s', outcome %zu", key, index + 1);
    }
    if (is_other) {
        reading->out->other++;
        return ERR_OK;
    }
    return keep_set(reading, event->first, &set, is_totals);
}

/* ---- bookmakers and events ---- */

static enum err_code read_bookmaker(struct reading *reading, const struct odds_api_event *event,
                                    const json_t *bookmaker)
{
    char key[ODDS_API_BOOKMAKER_BYTES];
    const json_t *markets = NULL, *market;
    int64_t updated_us = TIME_NONE;
    size_t index;
    enum err_code code = take_name(bookmaker, "key", key, sizeof key, reading->err);
    if (code != ERR_OK)
        return code;
    code = take_time(bookmaker, "last_update", false, &updated_us, reading->err);
    if (code == ERR_OK)
        code = take_array(bookmaker, "markets", &markets, reading->err);
    if (code == ERR_OK) {
        json_array_foreach(markets, index, market)
        {
            code = read_market(reading, event, key, updated_us, market);
            if (code != ERR_OK)
                break;
        }
    }
    return code == ERR_OK ? ERR_OK : err_prefix(reading->err, "bookmaker '%s'", key);
}

static enum err_code read_event(struct reading *reading, const json_t *json)
{
    struct odds_api_event event = {.first = reading->out->set_count};
    const json_t *bookmakers = NULL, *bookmaker;
    size_t index;
    enum err_code code = take_name(json, "id", event.id, sizeof event.id, reading->err);
    if (code == ERR_OK)
        code = take_name(json, "home_team", event.home, sizeof event.home, reading->err);
    if (code == ERR_OK)
        code = take_name(json, "away_team", event.away, sizeof event.away, reading->err);
    if (code == ERR_OK)
        code = take_time(json, "commence_time", true, &event.start_us, reading->err);
    if (code == ERR_OK)
        code = take_array(json, "bookmakers", &bookmakers, reading->err);
    if (code != ERR_OK)
        return code;
    json_array_foreach(bookmakers, index, bookmaker)
    {
        code = read_bookmaker(reading, &event, bookmaker);
        if (code != ERR_OK)
            return code;
    }
    event.end = reading->out->set_count;
    struct odds_api_event *events = make_room(reading, reading->out->events, &reading->event_capacity,
                                              reading->out->event_count, sizeof *events, EVENTS_MAX);
    if (events == NULL)
        return reading->err->code;
    reading->out->events = events;
    events[reading->out->event_count++] = event;
    return ERR_OK;
}

enum err_code odds_api_read(const char *data, size_t size_bytes, struct odds_api_answer *out, struct err *err)
{
    struct err unread; /* err may be NULL for the caller, not here */
    json_t *json = NULL;
    const json_t *event;
    size_t index;
    *out = (struct odds_api_answer){0};
    struct reading reading = {.out = out, .err = err != NULL ? err : &unread};
    enum err_code code = json_read(data, size_bytes, &json, reading.err);
    if (code != ERR_OK)
        return code;
    if (!json_is_array(json))
        code = err_set(reading.err, ERR_INVALID, "it is no array of events");
    json_array_foreach(json, index, event)
    {
        if (code == ERR_OK && (code = read_event(&reading, event)) != ERR_OK)
            (void)err_prefix(reading.err, "event %zu", index + 1);
    }
    json_decref(json);
    if (code != ERR_OK)
        odds_api_release(out);
    return code;
}
