/* Schema step 7: the queue. */
#include "store/migrations.h"

const char *const migration_0007[] = {
    NULL,
};
