/* The football pack's feature sets: declared data. */
#ifndef ALMANAC_FOOTBALL_FEATURE_SETS_H
#define ALMANAC_FOOTBALL_FEATURE_SETS_H

#include "feature/set.h"

const struct feature_set *
football_feature_set(const char *name); /* "no_prices", "with_prices"; NULL unknown */
const struct feature_set *football_feature_set_at(size_t index); /* NULL past the end */
/* The set that holds the columns of all others: the one matrix and the one live state are made of it. */
const struct feature_set *football_feature_set_widest(void);

#endif
