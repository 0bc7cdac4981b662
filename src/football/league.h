/* Leagues: codes, names, countries. One row per league in league_list.h. */
#ifndef ALMANAC_FOOTBALL_LEAGUE_H
#define ALMANAC_FOOTBALL_LEAGUE_H

#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

struct league {
    const char *code;    /* "E0" as in football-data; the extra leagues: "JPN" ... */
    const char *country; /* "England": teams of a country share a stream */
    const char *name;    /* "Premier League" */
    int tier;            /* 1 highest */
    bool calendar_year;  /* season = calendar year */
    /* extra layout's Country and League (spellings separated by '|'); NULL for the main layout */
    const char *source_country, *source_league;
};

size_t league_count(void);
const struct league *league_at(size_t index);
int league_find(struct text code);                                   /* -1 unknown */
int league_find_extra(struct text country, struct text league_name); /* -1 unknown */
size_t league_country_count(void);
int league_country(size_t league); /* dense index of its country = stream */
const char *league_country_name(size_t index);
/* Season (start year) of a local date in this league: July to June, or the calendar year. */
int league_season(const struct league *league, int year, int month);

#endif
