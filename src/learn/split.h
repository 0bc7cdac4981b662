/* Split: the only place that cuts time. Training rows always come before the rows judged, and a block (match
 * day) is never cut in two. Purge and embargo drop training rows whose outcome was not known when the judged
 * rows began. */
#ifndef ALMANAC_LEARN_SPLIT_H
#define ALMANAC_LEARN_SPLIT_H

#include "base/err.h"
#include "learn/dataset.h"

struct split {
    size_t train_begin, train_end; /* [begin, end) */
    size_t test_begin, test_end;   /* train_end <= test_begin */
};

/* The last `test_share` (0..1) of the rows, moved to a block border. embargo_us: training rows less than this
 * before the first judged row are dropped. ERR_INVALID when a side would be empty. */
enum err_code split_holdout(const struct dataset *data, double test_share, int64_t embargo_us,
                            struct split *out, struct err *err) CHECKED;
/* `folds` expanding windows: the rows are cut in folds + 1 equal parts at block borders; fold k trains on
 * parts 0..k and is judged on part k + 1. out[folds]. */
enum err_code split_expanding(const struct dataset *data, size_t folds, int64_t embargo_us, struct split *out,
                              struct err *err) CHECKED;

#endif
