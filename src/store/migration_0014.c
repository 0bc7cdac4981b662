/* Schema step 14: which recalibration was put over a forecast when it was told. p_1.. stay what the model itself said; what
 * was told is made of them and recalibration(version, made_us = layer_us). NULL: none, they are the same. */
#include "store/migrations.h"

const char *const migration_0014[] = {
    "ALTER TABLE forecast ADD COLUMN layer_us INTEGER",
    NULL,
};
