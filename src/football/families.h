/* The trackers of family_list.h: one file per family, see feature/tracker.h for what a tracker is. */
#ifndef ALMANAC_FOOTBALL_FAMILIES_H
#define ALMANAC_FOOTBALL_FAMILIES_H

#include "feature/tracker.h"

#define FAMILY(name)        extern const struct tracker tracker_##name;
#define EXTRA_FAMILY(name)  extern const struct tracker tracker_##name;
#define PRICED_FAMILY(name) extern const struct tracker tracker_##name;
#include "football/family_list.h"
#undef FAMILY
#undef EXTRA_FAMILY
#undef PRICED_FAMILY

#endif
