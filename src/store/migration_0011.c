/* Schema step 11: notifications. */
#include "store/migrations.h"

const char *const migration_0011[] = {
    NULL,
};
