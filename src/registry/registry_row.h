/* What the files of the registry share: the columns of table `version` and their reading. Inside registry/ only.
 *   registry.c        names, paths, recording, loading
 *   registry_stage.c  moves between stages, rollback, decisions
 *   registry_clear.c  clearing, and sweeping of orphans
 *   registry_read.c   everything that only looks
 *   registry_json.c   history, decisions and settings as JSON */
#ifndef ALMANAC_REGISTRY_REGISTRY_ROW_H
#define ALMANAC_REGISTRY_REGISTRY_ROW_H

#include "registry/registry.h"

/* In this order first in every query whose rows registry_row_read reads. */
#define REGISTRY_COLUMNS                                                                                     \
    "version, subject, variant, bot, stage, trained_us, size_bytes, duration_ms, feature_set, log_loss, "    \
    "brier, "                                                                                                \
    "rps, accuracy, train_from_us, train_to_us, test_from_us, test_to_us, row_count, job_id, epochs, rmse, " \
    "mae, train_loss, val_loss, cleared_us"

/* registry_path without making anything: a read-only store reads. */
enum err_code registry_place(const struct store *store, const struct model_name *name, const char *version,
                             char out[FILE_PATH_BYTES], struct err *err) CHECKED;
enum err_code registry_row_read(const struct store *store, const struct query *query, struct version_row *out,
                                struct err *err) CHECKED;
/* Rows of a bound query, at most *count of them. */
enum err_code registry_rows_read(const struct store *store, struct query *query, struct version_row *out,
                                 size_t *count, struct err *err) CHECKED;

/* {"options", "engine_options"} out of the details of a version. */
enum err_code registry_config_of(const char *details, struct buffer *out, struct err *err) CHECKED;
void registry_bind_name(struct query *query, const struct model_name *name); /* as $1, $2, $3 */
enum err_code registry_refuse_unknown(const char *version, struct err *err); /* ERR_NOT_FOUND */
/* A row of history, inside a transaction. */
enum err_code registry_insert_history(struct db *db, const char *version, enum stage from, enum stage to,
                                      bool is_rollback, const char *who, const char *why,
                                      struct err *err) CHECKED;
/* Commits, or rolls back when code is an error; returns what became of it. */
enum err_code registry_end(struct store *store, enum err_code code, struct err *err) CHECKED;

#endif
