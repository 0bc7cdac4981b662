/* League profiles: what is particular to a league, as data (profile_list.h). */
#ifndef ALMANAC_FOOTBALL_PROFILE_H
#define ALMANAC_FOOTBALL_PROFILE_H

#include "feature/set.h"

/* The set that models of a league (index of league_list.h) use unless they are told otherwise. */
const struct feature_set *profile_feature_set(size_t league);

#endif
