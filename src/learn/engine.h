/* Engine: one way of making a classifier. One file per engine, one row in engine_list.h.
 *
 * train() makes a predictor from the rows of a dataset (labels 0..classes-1, time order); the predictor
 * must be a pure function of (data, options, seed, threads): the same call gives the same bytes (save).
 * predict() writes probabilities, rows x classes, each row summing to 1. save()/load() turn a predictor to
 * bytes and back; load must treat the bytes as hostile. Threads: a predictor is immutable after training
 * and may predict from any thread. */
#ifndef ALMANAC_LEARN_ENGINE_H
#define ALMANAC_LEARN_ENGINE_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/option.h"
#include "learn/dataset.h"
#include <stdbool.h>
#include <stdint.h>

/* How a training reports and is asked to stop. Any member may be NULL. */
struct training_watch {
    void (*progress)(void *context, size_t done, size_t total, double loss); /* loss NaN when not known */
    bool (*stop)(void *context); /* true: give up with ERR_CANCELLED soon */
    void *context;
};

struct training {
    const struct dataset *data;
    const void *options; /* the engine's own options struct */
    uint64_t seed;
    int threads;
    struct training_watch watch;
};

enum engine_capability {
    ENGINE_IS_BASELINE = 1, /* what any model must beat; not calibrated */
    ENGINE_NEEDS_PRICES = 2,
    ENGINE_IS_YARDSTICK = 8, /* fitted in an instant: shown beside every other model */
    ENGINE_IS_FOREST = 4,    /* predictor holds a struct forest (SHAP, ONNX) */
};

struct predictor; /* struct predictor { const struct engine *engine; ... } defined by each engine */

struct engine {
    const char *name; /* the bot: "lightgbm", "elo_logit", ... */
    const char *doc;
    int version; /* raise when the same data and options give other bytes: part of every model's version */
    unsigned capabilities;
    const struct option_table *options;
    size_t options_bytes;
    enum err_code (*train)(const struct training *training, struct predictor **out, struct err *err);
    /* x[rows][columns], out[rows][classes]. Never fails: everything was checked by train or load. */
    void (*predict)(const struct predictor *predictor, const float *x, size_t rows, double *out);
    enum err_code (*save)(const struct predictor *predictor, struct buffer *out, struct err *err);
    enum err_code (*load)(const void *data, size_t size_bytes, const char *const *names, size_t columns,
                          size_t classes, struct predictor **out, struct err *err);
    void (*destroy)(struct predictor *predictor); /* NULL is allowed */
    /* gain per feature, out[columns], or NULL when the engine has none */
    void (*importance)(const struct predictor *predictor, double *out);
};

enum { ENGINE_OPTIONS_BYTES = 1024 }; /* every options struct fits; checked at start */

#define ENGINE(symbol) extern const struct engine engine_##symbol;
#include "learn/engine_list.h"
#undef ENGINE

const struct engine *engine_find(const char *name); /* NULL if unknown */
const struct engine *engine_at(size_t index);       /* NULL past the end */

#endif
