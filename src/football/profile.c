/* League profiles: rows by league code; a handful, walked through. */
#include "football/profile.h"

#include "football/feature_sets.h"
#include "football/league.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *league, *features;
} profiles[] = {
#define PROFILE(league, features) {league, features},
#include "football/profile_list.h"
#undef PROFILE
};

const struct feature_set *profile_feature_set(size_t league)
{
    const char *features = "no_prices";
    for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++) {
        if (strcmp(profiles[i].league, league_at(league)->code) == 0)
            features = profiles[i].features;
    }
    const struct feature_set *set = football_feature_set(features);
    assert(set != NULL);
    return set;
}
