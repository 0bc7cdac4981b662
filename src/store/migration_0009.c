/* Schema step 9: forecasts and retraining. */
#include "store/migrations.h"

const char *const migration_0009[] = {
    NULL,
};
