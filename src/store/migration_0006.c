/* Schema step 6: measured expected goals of a match, in thousandths of a goal (whole numbers, as all of a match is); NULL
 * where the source has none, which is nearly everywhere. */
#include "store/migrations.h"

const char *const migration_0006[] = {
    "ALTER TABLE match ADD COLUMN home_xg_milli INTEGER",
    "ALTER TABLE match ADD COLUMN away_xg_milli INTEGER",
    NULL,
};
