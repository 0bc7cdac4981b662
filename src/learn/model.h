/* Model: what is trained, written, served: one member predictor, its calibrator, the names of its
 * features, and a JSON description (metrics, ranges, options, seed, lineage). File form in
 * docs/formats/model.md; checksummed.
 *
 * The version is the first 16 hex digits of BLAKE2b over the matrix' key (data and features), league, target, engine and
 * its version, options and seed (task/train.c): the same recipe on the same data has the same name, and
 * `almanac models reproduce` proves that it has the same bytes. Nothing in the file depends on the clock:
 * created-at times live in the registry. Immutable; any thread may predict. */
#ifndef ALMANAC_LEARN_MODEL_H
#define ALMANAC_LEARN_MODEL_H

#include "base/err.h"
#include "learn/calibrate.h"
#include "learn/engine.h"

struct model;

enum { MODEL_VERSION_BYTES = 17 };

/* Takes predictor and calibrator (may be NULL), on success only; copies names and texts. classes names
 * e.g. {"home","draw","away"}. description is a JSON object as text. */
struct model_parts {
    const struct engine *engine;
    struct predictor *predictor;
    struct calibrator *calibrator;
    const char *const *names;
    size_t columns;
    const char *const *class_names;
    size_t classes;
    const char *version;     /* hex */
    const char *description; /* JSON object */
};
enum err_code model_create(struct model_parts parts, struct model **out, struct err *err) CHECKED;
void model_destroy(struct model *model);
const char *model_version(const struct model *model);
const struct engine *model_engine(const struct model *model);
const struct predictor *model_predictor(const struct model *model);
const struct calibrator *model_calibrator(const struct model *model); /* NULL: none */
size_t model_columns(const struct model *model);
const char *const *model_names(const struct model *model);
size_t model_classes(const struct model *model);
const char *const *model_class_names(const struct model *model);
const char *model_description(const struct model *model);
/* Calibrated probabilities out[rows][classes] for x[rows][columns]. */
void model_predict(const struct model *model, const float *x, size_t rows, double *out);
/* The file's bytes. */
enum err_code model_write(const struct model *model, struct buffer *out, struct err *err) CHECKED;
/* Refuses with ERR_CORRUPT whatever fails its checksum, bounds or format. `name` is used in messages. */
enum err_code model_read(const void *data, size_t size_bytes, const char *name, struct model **out,
                         struct err *err) CHECKED;
/* A readable account of the file, section by section with offsets, for `almanac models dump`; also of a
 * damaged file, as far as it goes. */
void model_dump(const void *data, size_t size_bytes, struct buffer *out);

#endif
