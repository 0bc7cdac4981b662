/* Metrics text: samples in the text format of Prometheus, version 0.0.4, and histograms that count as it wants them
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Threads: one at a time. */
#ifndef ALMANAC_API_METRICS_TEXT_H
#define ALMANAC_API_METRICS_TEXT_H

#include "base/buffer.h"
#include <stddef.h>
#include <stdint.h>

/* `name{label="value",...} 1.5\n`; labels as name, value, ..., NULL. Values of labels are escaped (backslash, quote, line
 * feed). NaN and the infinities are written as Prometheus names them. */
void metrics_sample(struct buffer *out, const char *name, double value, ...) __attribute__((sentinel));

enum { HISTOGRAM_BOUNDS = 20 };

/* Upper bounds, ascending; the bound +Inf is not listed. */
struct histogram_scale {
    double bounds[HISTOGRAM_BOUNDS];
    size_t count;
};
struct histogram {
    uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* not cumulative; the last used one is beyond all bounds */
    double sum;
};
void histogram_add(struct histogram *histogram, const struct histogram_scale *scale, double value);
uint64_t histogram_count(const struct histogram *histogram);
/* name_bucket{label="value",le="..."} with cumulative counts, name_sum, name_count. */
void metrics_histogram(struct buffer *out, const char *name, const struct histogram *histogram,
                       const struct histogram_scale *scale, const char *label, const char *value);

#endif
