/* Forest: trees of any engine as flat arrays, for prediction without the library that grew them.
 *
 * In a tree, children >= 0 are splits (parents come first), negative are ~leaf. A value goes left when
 * value <= threshold; NaN goes to the split's default side. Raw scores are summed tree by tree in order,
 * in double, so that the result equals LightGBM's bit for bit. Immutable after creation; any thread may
 * predict. */
#ifndef ALMANAC_LEARN_FOREST_H
#define ALMANAC_LEARN_FOREST_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>

struct forest;

/* Reads LightGBM's model text (format v4). Numerical splits only; anything unknown is refused, nothing is
 * guessed. */
enum err_code forest_read_lightgbm(struct text model, size_t columns, struct forest **out,
                                   struct err *err) CHECKED;
void forest_destroy(struct forest *forest);
size_t forest_tree_count(const struct forest *forest);
/* Trees are dealt round robin: tree t adds to output t % outputs. */
size_t forest_outputs(const struct forest *forest);
size_t forest_columns(const struct forest *forest);
/* out[rows][outputs] raw scores for x[rows][columns]. */
void forest_predict_raw(const struct forest *forest, const float *x, size_t rows, double *out);
void forest_gain(const struct forest *forest, double *out); /* out[columns] */
enum err_code forest_save(const struct forest *forest, struct buffer *out, struct err *err) CHECKED;
/* Checks every index and bound: a hostile file can neither crash nor loop. */
enum err_code forest_load(const void *data, size_t size_bytes, struct forest **out, struct err *err) CHECKED;

#endif
