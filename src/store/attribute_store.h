/* Attributes of teams: what is told of a team for a season, each value with the day from which on it may be used. What
 * the names mean is football/attribute_list.h; the store does not know.
 *
 * Frame of attributes, in order of (team, season, name, known_day):
 *   team I64 (id), season I64, known_day I64 (local date, days since 1970), name TEXT, value F64 */
#ifndef ALMANAC_STORE_ATTRIBUTE_STORE_H
#define ALMANAC_STORE_ATTRIBUTE_STORE_H

#include "base/err.h"
#include "frame/frame.h"
#include "store/db.h"

struct stored_attribute {
    int64_t team_id, season, known_day;
    const char *name;
    double value; /* finite */
};

/* In a transaction of the caller's, who chains football_store_chain when anything changed. The same team, season, name
 * and day again: the new value holds. *out_changed: the row is new or has another value than before. */
enum err_code attribute_store_save(struct db *db, const struct stored_attribute *attribute, int64_t file_id,
                                   bool *out_changed, struct err *err) CHECKED;
/* All of them; in one query, so of one moment. */
enum err_code attribute_store_load(struct db *db, struct frame **out, struct err *err) CHECKED;

#endif
