/* What option.c, option_flags.c and option_print.c share: how one row is found, named and described in words.
 * Private to the three. */
#ifndef ALMANAC_BASE_OPTION_ROW_H
#define ALMANAC_BASE_OPTION_ROW_H

#include "base/option.h"
#include "base/text.h"
#include <stddef.h>

enum { OPTION_VARIABLE_BYTES = 96 };

/* The row of that name ('-' and '_' are the same), or NULL. */
const struct option_row *option_find(const struct option_table *table, struct text name);
/* "ALMANAC_DATA_DIR" */
void option_variable_name(const struct option_row *row, char out[OPTION_VARIABLE_BYTES]);
/* One value from text; with target NULL it is only checked. */
enum err_code option_take(const struct option_row *row, void *target, const char *value,
                          struct err *err) CHECKED;
/* "an integer in 1..65535", "one of a, b", ...: fits behind "must be". Cut when too long. */
void option_describe(const struct option_row *row, char *out, size_t out_bytes);

#endif
