/* Schema step 10: cleared models. */
#include "store/migrations.h"

const char *const migration_0010[] = {
    NULL,
};
