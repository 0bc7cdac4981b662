/* Schema step 4: attributes of teams (wages, minutes of the young, ...), one row per team, season, attribute and day it
 * became known; told again later in the season it is a row of its own, so that what was known before stays known.
 * Which names there are is football/attribute_list.h. The rows of a team stand together: that is how serving reads. */
#include "store/migrations.h"

const char *const migration_0004[] = {
    "CREATE TABLE team_attribute("
    "team_id INTEGER NOT NULL REFERENCES team(id), season INTEGER NOT NULL, name TEXT NOT NULL, "
    "known_day INTEGER NOT NULL, value REAL NOT NULL, file_id INTEGER NOT NULL, "
    "PRIMARY KEY(team_id, season, name, known_day)) WITHOUT ROWID",
    NULL,
};
