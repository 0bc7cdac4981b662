/* Feature sets: the rows of feature_set_list.h become lists of trackers. */
#include "football/feature_sets.h"

#include "football/families.h"

#include <assert.h>
#include <string.h>

/* The three lists that follow from family_list.h. */
static const struct tracker *const plain_families[] = {
#define FAMILY(name) &tracker_##name,
#define EXTRA_FAMILY(name)
#define PRICED_FAMILY(name)
#include "football/family_list.h"
#undef FAMILY
#undef EXTRA_FAMILY
#undef PRICED_FAMILY
    NULL,
};

static const struct tracker *const priced_families[] = {
#define FAMILY(name) &tracker_##name,
#define EXTRA_FAMILY(name)
#define PRICED_FAMILY(name) &tracker_##name,
#include "football/family_list.h"
#undef FAMILY
#undef EXTRA_FAMILY
#undef PRICED_FAMILY
    NULL,
};

static const struct tracker *const all_families[] = {
#define FAMILY(name)        &tracker_##name,
#define EXTRA_FAMILY(name)  &tracker_##name,
#define PRICED_FAMILY(name) &tracker_##name,
#include "football/family_list.h"
#undef FAMILY
#undef EXTRA_FAMILY
#undef PRICED_FAMILY
    NULL,
};

/* The lists that rows spell out. */
#define F(name) &tracker_##name,
#define FEATURE_SET(name, families, doc)                                                                     \
    static const struct tracker *const families_of_##name[] = {families NULL};
#define PLAIN_FEATURE_SET(name, doc)
#define PRICED_FEATURE_SET(name, doc)
#define WHOLE_FEATURE_SET(name, doc)
#include "football/feature_set_list.h"
#undef FEATURE_SET
#undef PLAIN_FEATURE_SET
#undef PRICED_FEATURE_SET
#undef WHOLE_FEATURE_SET

static const struct feature_set sets[] = {
#define FEATURE_SET(name, families, doc) {#name, doc, families_of_##name},
#define PLAIN_FEATURE_SET(name, doc)     {#name, doc, plain_families},
#define PRICED_FEATURE_SET(name, doc)    {#name, doc, priced_families},
#define WHOLE_FEATURE_SET(name, doc)     {#name, doc, all_families},
#include "football/feature_set_list.h"
#undef FEATURE_SET
#undef PLAIN_FEATURE_SET
#undef PRICED_FEATURE_SET
#undef WHOLE_FEATURE_SET
};
enum { SET_COUNT = sizeof(sets) / sizeof(sets[0]) };

#define FEATURE_SET(name, families, doc) "|" #name
#define PLAIN_FEATURE_SET(name, doc)     "|" #name
#define PRICED_FEATURE_SET(name, doc)    "|" #name
#define WHOLE_FEATURE_SET(name, doc)     "|" #name
const char football_feature_set_bars[] =
#include "football/feature_set_list.h"
    ;

#undef FEATURE_SET /* the same again: an include is taken for a repeated one unless a macro changed */
#define FEATURE_SET(name, families, doc) "|" #name
const char football_feature_set_bars_and_both[] =
#include "football/feature_set_list.h"
    "|both";

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
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (sets[i].trackers == all_families)
            return &sets[i];
    }
    assert(!"feature_set_list.h has no WHOLE_FEATURE_SET");
    return NULL;
}

bool football_feature_set_has_prices(const struct feature_set *set)
{
    for (size_t i = 0; i < feature_set_columns(set); i++) {
        if (feature_set_at(set, i)->available == FEATURE_PRE_CLOSE)
            return true;
    }
    return false;
}

const struct tracker *football_feature_family(const struct feature *feature)
{
    for (size_t t = 0; all_families[t] != NULL; t++) {
        const struct tracker *tracker = all_families[t];
        if (feature >= tracker->features && feature < tracker->features + tracker->feature_count)
            return tracker;
    }
    assert(!"a feature of no family");
    return NULL;
}
