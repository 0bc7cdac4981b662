/* Frequency: how often each class happens, smoothed; what an engine says when it knows nothing about a row.
 */
#ifndef ALMANAC_LEARN_FREQUENCY_H
#define ALMANAC_LEARN_FREQUENCY_H

#include "base/buffer.h"
#include "learn/dataset.h"
#include "learn/reader.h"

enum { FREQUENCY_CLASSES = 64 };

/* out[classes] sums to 1: (count + smoothing) / (rows + classes * smoothing), Laplace's rule for smoothing 1.
 * With no rows and no smoothing all classes are equally likely. */
void frequency_of(const struct dataset *data, double smoothing, double *out);
void frequency_save(const double *frequency, size_t classes, struct buffer *out); /* classes numbers */
/* False unless there are `classes` probabilities that sum to 1. */
bool frequency_load(struct reader *in, size_t classes, double *out);

#endif
