/* What the files of the registry share: the columns of table `version` and their reading. Inside registry/ only.
 *   registry.c        names, paths, recording, loading
 *   registry_stage.c  moves between stages, rollback, decisions
 *   registry_read.c   everything that only looks */
#ifndef ALMANAC_REGISTRY_REGISTRY_ROW_H
#define ALMANAC_REGISTRY_REGISTRY_ROW_H

#include "registry/registry.h"

/* In this order first in every query whose rows registry_row_read reads. */
#define REGISTRY_COLUMNS                                                                                     \
    "version, subject, variant, bot, stage, trained_us, size_bytes, duration_ms, feature_set, log_loss, "    \
    "brier, "                                                                                                \
    "rps, accuracy, train_from_us, train_to_us, test_from_us, test_to_us, row_count"

/* registry_path without making anything: a read-only store reads. */
enum err_code registry_place(const struct store *store, const struct model_name *name, const char *version,
                             char out[FILE_PATH_BYTES], struct err *err) CHECKED;
enum err_code registry_row_read(const struct store *store, const struct query *query, struct version_row *out,
                                struct err *err) CHECKED;
/* Rows of a bound query, at most *count of them. */
enum err_code registry_rows_read(const struct store *store, struct query *query, struct version_row *out,
                                 size_t *count, struct err *err) CHECKED;

#endif
