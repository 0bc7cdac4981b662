/* Leagues: league_list.h as an array, and look-ups over its few dozen rows by walking through them. Only the country of a
 * league is asked for with every request, so that is remembered.
 *
 * Countries are numbered in the order in which the list first names them. */
#include "football/league.h"

#include "limits.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

static const struct league leagues[] = {
#define LEAGUE(code, country, name, tier, calendar_year, source_country, source_leagues)                     \
    {code, country, name, tier, calendar_year, source_country, source_leagues},
#include "football/league_list.h"
#undef LEAGUE
};

enum { LEAGUE_COUNT = sizeof(leagues) / sizeof(leagues[0]) };

size_t league_count(void)
{
    return LEAGUE_COUNT;
}

const struct league *league_at(size_t index)
{
    assert(index < LEAGUE_COUNT);
    return &leagues[index];
}

int league_find(struct text code)
{
    for (int i = 0; i < LEAGUE_COUNT; i++) {
        if (text_equal(code, leagues[i].code))
            return i;
    }
    return -1;
}

/* Is `name` one of the spellings in `list`? */
static bool spelling_is_listed(const char *list, struct text name)
{
    struct text rest = text_of(list), part;
    char spelling[LIMIT_NAME_BYTES];
    while (text_split(&rest, '|', &part)) {
        text_copy(part, spelling, sizeof(spelling));
        if (text_equal_nocase(name, spelling))
            return true;
    }
    return false;
}

int league_find_extra(struct text country, struct text league_name)
{
    country = text_trim(country);
    league_name = text_trim(league_name);
    for (int i = 0; i < LEAGUE_COUNT; i++) {
        const struct league *league = &leagues[i];
        if (league->source_country && text_equal_nocase(country, league->source_country) &&
            spelling_is_listed(league->source_league, league_name))
            return i;
    }
    return -1;
}

/* Is this the first row of its country? */
static bool country_begins(size_t league)
{
    for (size_t i = 0; i < league; i++) {
        if (strcmp(leagues[i].country, leagues[league].country) == 0)
            return false;
    }
    return true;
}

static size_t count_countries(void)
{
    size_t count = 0;
    for (size_t i = 0; i < LEAGUE_COUNT; i++)
        count += country_begins(i);
    return count;
}

size_t league_country_count(void)
{
    static atomic_size_t known; /* 0: not yet counted; any thread may be the one that does */
    size_t count = atomic_load_explicit(&known, memory_order_relaxed);
    if (count == 0) {
        count = count_countries();
        atomic_store_explicit(&known, count, memory_order_relaxed);
    }
    return count;
}

static int find_country(size_t league)
{
    int country = -1;
    for (size_t i = 0; i < LEAGUE_COUNT; i++) {
        country += country_begins(i);
        if (strcmp(leagues[i].country, leagues[league].country) == 0)
            break;
    }
    return country;
}

int league_country(size_t league)
{
    static atomic_int known[LEAGUE_COUNT]; /* country + 1 */
    assert(league < LEAGUE_COUNT);
    int country = atomic_load_explicit(&known[league], memory_order_relaxed) - 1;
    if (country < 0) {
        country = find_country(league);
        atomic_store_explicit(&known[league], country + 1, memory_order_relaxed);
    }
    return country;
}

const char *league_country_name(size_t index)
{
    size_t country = 0;
    for (size_t i = 0; i < LEAGUE_COUNT; i++) {
        if (country_begins(i) && country++ == index)
            return leagues[i].country;
    }
    assert(!"country index out of range");
    return "";
}

int league_season(const struct league *league, int year, int month)
{
    if (league->calendar_year)
        return year;
    /* The pandemic's season 2019-20 was played to its end in July 2020, in Italy and Spain in August; Mexico,
     * which had cancelled its spring, began the next one in July as ever. */
    if (year == 2020 && month == 7 && strcmp(league->country, "Mexico") != 0)
        return 2019;
    if (year == 2020 && month == 8 &&
        (strcmp(league->country, "Italy") == 0 || strcmp(league->country, "Spain") == 0))
        return 2019;
    return month >= 7 ? year : year - 1;
}
