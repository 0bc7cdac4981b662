/* Attributes: what is told of teams for a season (attribute_list.h), looked up as of the day of a match.
 *
 * The one rule, for history and server alike: the value of the newest season up to that of the match, of those that were
 * known strictly before its day; told twice for one season, the later word holds. A value that became known on the day
 * of the match is not used. Immutable; any thread may read. */
#ifndef ALMANAC_FOOTBALL_ATTRIBUTES_H
#define ALMANAC_FOOTBALL_ATTRIBUTES_H

#include "base/err.h"
#include "base/text.h"
#include "football/history.h"
#include "football/match.h"
#include "frame/frame.h"

struct attributes;

struct attribute_info {
    const char *name, *unit;
    double low, high;
    const char *doc;
};
const struct attribute_info *attribute_at(enum attribute attribute);
int attribute_find(struct text name); /* -1 unknown */

/* Frame of attributes as in store/football_store.h. Of the options only the audited future is read: values that were not
 * yet known at its cut are dropped, or replaced by others. */
enum err_code attributes_create(const struct frame *frame, const struct history_options *options,
                                struct attributes **out, struct err *err) CHECKED;
void attributes_destroy(struct attributes *attributes);
/* What was known of a team (its id in the store) before `day`; NaN where nothing was. */
void attributes_fill(const struct attributes *attributes, int64_t team, int season, int64_t day,
                     float out[ATTRIBUTE_COUNT]);
/* Nothing is known. */
void attributes_clear(float out[ATTRIBUTE_COUNT]);

#endif
