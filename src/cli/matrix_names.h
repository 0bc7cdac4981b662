/* The football pack's names for what a matrix row holds by number, for SQL and Parquet. */
#ifndef ALMANAC_CLI_MATRIX_NAMES_H
#define ALMANAC_CLI_MATRIX_NAMES_H

#include "view/matrix_parquet.h"

enum err_code matrix_names_create(struct matrix_names *out, struct err *err) CHECKED;
void matrix_names_release(struct matrix_names *names); /* safe on a zeroed one */

#endif
