/* Schema step 3: what changed in the football tables (store/change_store.h).
 *
 * football_state   names of the states the tables were in (football_store_hash of then), numbered as they came. One state
 *                  may have two names, when a new program reads the same tables otherwise.
 * football_change  one row per state and league: the earliest local day on which a match of that league is other than in
 *                  the state before. */
#include "store/migrations.h"

const char *const migration_0003[] = {
    "CREATE TABLE football_state("
    "revision INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY(revision, hash)) WITHOUT ROWID",
    "CREATE INDEX football_state_by_hash ON football_state(hash)",

    "CREATE TABLE football_change("
    "revision INTEGER NOT NULL, league TEXT NOT NULL, from_day INTEGER NOT NULL, "
    "PRIMARY KEY(revision, league)) WITHOUT ROWID",
    NULL,
};
