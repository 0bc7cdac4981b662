/* Reference: the published protocol on five rating systems and the closing price, as one JSON result: the proof that the
 * import, the ratings and the metrics are what they say. Figures to compare with: tests/reference/football_protocol.py. */
#ifndef ALMANAC_TASK_REFERENCE_H
#define ALMANAC_TASK_REFERENCE_H

#include "task/task.h"

struct reference_options {
    int64_t first_judged, first_fitted; /* seasons */
    char league[16];                    /* shown apart */
};
extern const struct task task_reference;

#endif
