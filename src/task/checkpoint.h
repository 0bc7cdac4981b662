/* Checkpoint: fits that are done are kept in the folder of their job, so that a training that was stopped, or whose process
 * was killed, goes on where it was, and gives the bytes it would have given.
 *
 * A fit is a pure function of its data, engine, options and seed (learn/engine.h). The name of its file is a hash of all of
 * them, and of the program that made it, so a file is used where it is exactly what would be made again, and nowhere else. A
 * file is written beside its place, flushed and renamed; one that is damaged is ignored, with a line in the log. What
 * cannot be kept is made again: no failure here fails a fit.
 * Threads: load and save of different fits may run at once. Memory: the struct, which must not move while it is used. */
#ifndef ALMANAC_TASK_CHECKPOINT_H
#define ALMANAC_TASK_CHECKPOINT_H

#include "base/hash.h"
#include "job/report.h"
#include "learn/dataset.h"
#include "learn/engine.h"
#include "os/file.h"

#include <stdatomic.h>
#include <stdbool.h>

struct checkpoint {
    char folder[FILE_PATH_BYTES]; /* "": nothing is kept */
    char data[HASH_HEX_BYTES];    /* names the values of the rows, which the hash of a fit does not look at */
    const struct reporter *reporter;
    atomic_size_t reused, saved;
};

/* job_folder NULL: nothing is kept (outside a job). data: names matrix, columns and selection; rows are told apart here. */
void checkpoint_init(struct checkpoint *checkpoint, const char *job_folder, const char *data,
                     const struct reporter *reporter);

/* One fit: what makes it, and what came out. */
struct checkpoint_fit {
    const struct engine *engine;
    const void *options;
    uint64_t seed;
    const struct dataset *train;
    struct predictor *predictor;
    double loss;   /* training loss at the end, NaN when not known */
    size_t rounds; /* steps of the training; 0 not known */
};
/* True when an earlier attempt has made it: predictor, loss and rounds are set. */
bool checkpoint_load(struct checkpoint *checkpoint, struct checkpoint_fit *fit);
void checkpoint_save(struct checkpoint *checkpoint, const struct checkpoint_fit *fit);

#endif
