/* What the sources that are asked over HTTP call our leagues and bookmakers; the lists are connector_league_list.h and
 * connector_bookmaker_list.h. Constant; any thread. */
#ifndef ALMANAC_SOURCE_CONNECTOR_LEAGUE_H
#define ALMANAC_SOURCE_CONNECTOR_LEAGUE_H

#include <stddef.h>

struct connector_league {
    const char *code;        /* "E0" */
    const char *sport;       /* The Odds API: "soccer_epl"; "" not there */
    const char *competition; /* football-data.org: "PL"; "" not there */
};

const struct connector_league *connector_league_at(size_t index);            /* NULL past the end */
const struct connector_league *connector_league_find(const char *code);      /* NULL unknown */
const struct connector_league *connector_league_of(const char *competition); /* NULL unknown */
/* football-data's name of a bookmaker of The Odds API, or the key itself. */
const char *connector_bookmaker(const char *key);

#endif
