/* Dataset: the rows a model learns from or is judged on. Borrowed memory only.
 *
 * x is row-major float32, rows x columns, NaN for missing. Rows are in time order (time_us never
 * decreases): every split relies on it and asserts it. Threads: read-only. */
#ifndef ALMANAC_LEARN_DATASET_H
#define ALMANAC_LEARN_DATASET_H

#include <stddef.h>
#include <stdint.h>

struct dataset {
    const float *x; /* [rows][columns] */
    size_t rows, columns;
    const int32_t *label;     /* [rows], 0..classes-1 */
    size_t classes;           /* 3 for 1x2 (home, draw, away), 2 for ou25 (under, over) */
    const int64_t *time_us;   /* [rows], kick-off */
    const int64_t *block;     /* [rows], bootstrap block: the match day (days since 1970); never decreases */
    const int32_t *group;     /* [rows], subject (league) index; base rates are per group */
    const char *const *names; /* [columns] feature names */
};

/* Rows first..first+count-1 of `whole`. */
struct dataset dataset_slice(const struct dataset *whole, size_t first, size_t count);
/* The column called `name`, or -1. */
int dataset_column(const char *const *names, size_t columns, const char *name);

#endif
