/* League profiles: what is particular to a league, as data (profile_list.h). */
#ifndef ALMANAC_FOOTBALL_PROFILE_H
#define ALMANAC_FOOTBALL_PROFILE_H

#include "feature/set.h"

/* The set that models of a league (index of league_list.h) use unless they are told otherwise. */
const struct feature_set *profile_feature_set(size_t league);

/* How bets on a league are judged and counted. */
struct profile_betting {
    double min_edge;      /* p * odds - 1 from which a price counts as value: 0.042 is 4.2 % */
    const char *currency; /* "NGN" */
    double unit_stake;    /* a flat stake, in that currency */
};
struct profile_betting profile_betting(size_t league);

#endif
