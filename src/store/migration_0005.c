/* Schema step 5: the matches of a team in order of their days: the online feature store asks for the last one played, and
 * for the last meeting of two teams (store/fixture_store.h). */
#include "store/migrations.h"

const char *const migration_0005[] = {
    "CREATE INDEX match_by_home ON match(home_id, day, away_id)",
    "CREATE INDEX match_by_away ON match(away_id, day)",
    NULL,
};
