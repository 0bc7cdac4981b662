/* League profiles: rows by league code; a handful, walked through. */
#include "football/profile.h"

#include "football/feature_sets.h"
#include "football/league.h"

#include <assert.h>
#include <string.h>

struct profile {
    const char *league, *features;
    struct profile_betting betting;
};
static const struct profile profiles[] = {
#define PROFILE(league, features, min_edge, currency, unit_stake)                                            \
    {league, features, {min_edge, currency, unit_stake}},
#include "football/profile_list.h"
#undef PROFILE
};

static const struct profile *profile_of(size_t league)
{
    static const struct profile others = PROFILE_OTHERS;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++) {
        if (strcmp(profiles[i].league, league_at(league)->code) == 0)
            return &profiles[i];
    }
    return &others;
}

const struct feature_set *profile_feature_set(size_t league)
{
    const struct feature_set *set = football_feature_set(profile_of(league)->features);
    assert(set != NULL);
    return set;
}

struct profile_betting profile_betting(size_t league)
{
    return profile_of(league)->betting;
}
