/* Materialize: rows of the feature views written to the offline store, from the replayed history (teams, pairs) and the
 * feature matrix (matches). Only the years from the first change of the data on are written again. */
#ifndef ALMANAC_TASK_MATERIALIZE_H
#define ALMANAC_TASK_MATERIALIZE_H

#include "task/task.h"

struct materialize_options {
    char view[64]; /* "" all */
    bool full;
};

/* <data>/features: where the offline store is. */
enum err_code materialize_folder(const struct store *store, char out[FILE_PATH_BYTES],
                                 struct err *err) CHECKED;
extern const struct task task_materialize;

#endif
