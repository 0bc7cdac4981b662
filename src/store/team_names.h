/* Team names: which team of a country a name from another source means. Looked up exactly (case apart) by name, alias and
 * shipped alias, then folded: accents, punctuation, numbers and words such as "FC" do not count, and the names of
 * team_spelling_list.h are known too. A folded name that two teams share is nobody's. Never makes a team.
 * Threads: one at a time while it is opened, any number for look-ups. Memory: all teams of one country. */
#ifndef ALMANAC_STORE_TEAM_NAMES_H
#define ALMANAC_STORE_TEAM_NAMES_H

#include "base/err.h"
#include "store/db.h"

#include <stdint.h>

struct team_names;
struct team_name {
    int64_t id;
    char name[128]; /* as stored */
};

/* day: for dated aliases, those that hold on it count. */
enum err_code team_names_open(struct db *db, const char *country, int64_t day, struct team_names **out,
                              struct err *err) CHECKED;
void team_names_close(struct team_names *names);
/* NULL: none, or not clear which. Valid until the close. */
const struct team_name *team_names_find(const struct team_names *names, const char *name);
/* What is left of a name when it is folded: "1. FC K\u00f6ln" -> "koln". Cut to fit. */
void team_names_fold(const char *name, char *out, size_t out_bytes);

#endif
