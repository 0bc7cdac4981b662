/* Feature sets: the families of family_list.h, with and without those that read prices. */
#include "football/feature_sets.h"

#include "football/families.h"

#include <string.h>

static const struct tracker *const without_prices[] = {
#define FAMILY(name) &tracker_##name,
#define PRICED_FAMILY(name)
#include "football/family_list.h"
#undef FAMILY
#undef PRICED_FAMILY
    NULL,
};

static const struct tracker *const with_prices[] = {
#define FAMILY(name)        &tracker_##name,
#define PRICED_FAMILY(name) &tracker_##name,
#include "football/family_list.h"
#undef FAMILY
#undef PRICED_FAMILY
    NULL,
};

static const struct feature_set sets[] = {
    {"no_prices", "ratings, form, meetings, tables, match statistics, calendar: nothing a bookmaker said",
     without_prices},
    {"with_prices", "no_prices and what the prices before the close imply", with_prices},
};
enum { SET_COUNT = sizeof(sets) / sizeof(sets[0]) };

const struct feature_set *football_feature_set(const char *name)
{
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    }
    return NULL;
}

const struct feature_set *football_feature_set_at(size_t index)
{
    return index < SET_COUNT ? &sets[index] : NULL;
}

const struct feature_set *football_feature_set_widest(void)
{
    const struct feature_set *widest = &sets[0];
    for (size_t i = 1; i < SET_COUNT; i++) {
        if (feature_set_columns(&sets[i]) > feature_set_columns(widest))
            widest = &sets[i];
    }
    return widest;
}
