/* Schema step 8: the schedule. */
#include "store/migrations.h"

const char *const migration_0008[] = {
    NULL,
};
