/* The football pack's feature sets: declared data, feature_set_list.h. */
#ifndef ALMANAC_FOOTBALL_FEATURE_SETS_H
#define ALMANAC_FOOTBALL_FEATURE_SETS_H

#include "feature/set.h"

#include <stdbool.h>

const struct feature_set *football_feature_set(const char *name); /* NULL unknown */
const struct feature_set *football_feature_set_at(size_t index);  /* NULL past the end */
/* The set that holds the columns of all others: the one matrix and the one live state are made of it. */
const struct feature_set *football_feature_set_widest(void);
/* Does a feature of the set need prices captured before the start? */
bool football_feature_set_has_prices(const struct feature_set *set);
/* The family that a feature of the widest set belongs to. */
const struct tracker *football_feature_family(const struct feature *feature);

/* Names of the sets, each after a bar; the second ends in "|both". Without the first bar they are the choices of an option,
 * a choice being the index of its set; "both" are no_prices and with_prices, one after the other. */
extern const char football_feature_set_bars[], football_feature_set_bars_and_both[];
#define FEATURE_SET_CHOICES          (football_feature_set_bars + 1)
#define FEATURE_SET_CHOICES_AND_BOTH (football_feature_set_bars_and_both + 1)

#endif
