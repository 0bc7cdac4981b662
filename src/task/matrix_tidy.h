/* Matrix tidy: removes feature matrices that nobody needs any more. Kept are those that a version in Production or Staging
 * was made from (`almanac models reproduce` needs them) and the newest few, whose rows the next ones grow from. */
#ifndef ALMANAC_TASK_MATRIX_TIDY_H
#define ALMANAC_TASK_MATRIX_TIDY_H

#include "base/err.h"
#include "store/store.h"

enum { MATRIX_TIDY_NEWEST = 3 };

/* Needs no write access to the store's tables. ERR_BUSY: another process writes a matrix; try at the next one. */
enum err_code matrix_tidy(struct store *store, struct err *err) CHECKED;

#endif
