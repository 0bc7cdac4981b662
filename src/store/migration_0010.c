/* Schema step 10: what a list of models shows beside the scores, and cleared versions. A cleared version keeps its row; its
 * file is gone. config is {"options", "engine_options"} of the training, '' in rows of earlier programs (they have it in
 * their details). */
#include "store/migrations.h"

const char *const migration_0010[] = {
    "ALTER TABLE version ADD COLUMN job_id INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE version ADD COLUMN epochs INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE version ADD COLUMN rmse REAL",
    "ALTER TABLE version ADD COLUMN mae REAL",
    "ALTER TABLE version ADD COLUMN train_loss REAL",
    "ALTER TABLE version ADD COLUMN val_loss REAL",
    "ALTER TABLE version ADD COLUMN cleared_us INTEGER",
    "ALTER TABLE version ADD COLUMN config TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX version_by_time ON version(trained_us DESC, version)",
    NULL,
};
