/* What is told of the two teams of a fixture that is about to be played: the same look-up that gives a history its
 * attributes (football/attributes.h), over the rows of these two teams in the store. */
#ifndef ALMANAC_SERVE_FIXTURE_ATTRIBUTES_H
#define ALMANAC_SERVE_FIXTURE_ATTRIBUTES_H

#include "base/err.h"
#include "football/match.h"
#include "store/db.h"

/* Fills fixture->attributes as of its day and season; home_id and away_id are the store's ids of its teams. */
enum err_code fixture_attributes(struct db *db, int64_t home_id, int64_t away_id, struct fixture *fixture,
                                 struct err *err) CHECKED;

#endif
