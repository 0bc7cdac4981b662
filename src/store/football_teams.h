/* Inside store/ only: team names to ids, for a writer. Holds all teams and aliases of the database in memory (some
 * thousand), so that a look-up per match costs no query. */
#ifndef ALMANAC_STORE_FOOTBALL_TEAMS_H
#define ALMANAC_STORE_FOOTBALL_TEAMS_H

#include "base/err.h"
#include "base/text.h"
#include "limits.h"
#include "store/db.h"

struct football_teams;

enum { TEAM_KEY_BYTES = 2 * LIMIT_NAME_BYTES + 2 };

enum err_code football_teams_create(struct db *db, struct football_teams **out, struct err *err) CHECKED;
void football_teams_destroy(struct football_teams *teams);
/* The id, made if new. ERR_INVALID for an empty or too long name. */
enum err_code football_teams_id(struct football_teams *teams, const char *country, struct text name,
                                int64_t day, int64_t *out_id, struct err *err) CHECKED;

/* Lower-case ASCII letters, the rest as it is: what names are compared by. False when it does not fit. */
bool football_name_key(struct text name, char *out, size_t out_bytes);
/* The name that a shipped alias stands for, or NULL. */
const char *football_shipped_name(const char *country, struct text alias);

#endif
