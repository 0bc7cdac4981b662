/* Schema step 12: what is fetched from other sources. Times are UTC microseconds. No table holds a key or an address that
 * has one in it.
 *
 * connector         one row per source: when it may be asked again (it may have said Retry-After), when it was asked last
 * connector_answer  the newest answer of each resource that was stored: its validators, for If-None-Match and
 *                   If-Modified-Since. request: hash of the address without its key
 * standing          league tables as the source has them; team_id NULL where its name is none of ours */
#include "store/migrations.h"

const char *const migration_0012[] = {
    "CREATE TABLE connector("
    "name TEXT PRIMARY KEY, not_before_us INTEGER NOT NULL, asked_us INTEGER NOT NULL) WITHOUT ROWID",

    "CREATE TABLE connector_answer("
    "connector TEXT NOT NULL, resource TEXT NOT NULL, request TEXT NOT NULL, etag TEXT NOT NULL, "
    "last_modified TEXT NOT NULL, fetched_us INTEGER NOT NULL, "
    "PRIMARY KEY(connector, resource)) WITHOUT ROWID",

    "CREATE TABLE standing("
    "league TEXT NOT NULL, season INTEGER NOT NULL, number INTEGER NOT NULL, stage TEXT NOT NULL, "
    "\"group\" TEXT NOT NULL, position INTEGER NOT NULL, team_id INTEGER REFERENCES team(id), "
    "name TEXT NOT NULL, played INTEGER NOT NULL, won INTEGER NOT NULL, drawn INTEGER NOT NULL, "
    "lost INTEGER NOT NULL, goals_for INTEGER NOT NULL, goals_against INTEGER NOT NULL, "
    "points INTEGER NOT NULL, fetched_us INTEGER NOT NULL, "
    "PRIMARY KEY(league, season, number)) WITHOUT ROWID",
    NULL,
};
