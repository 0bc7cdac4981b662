/* Layer: a recalibration of a version in production, fitted on what was settled lately (task/calibrate.c, SPEC D5).
 *
 *   served probabilities = layer(the model's own, already calibrated probabilities)
 *
 * Model files are immutable and are what was judged, so a layer is a row beside the version (table recalibration) and is put
 * over what the file says. The newest finding about a version counts: a refused one removes the layer before it. A layer is
 * applied until its life is over, and only to the version it was fitted for, as that was last trained. Without a layer
 * everything is as the file says. Immutable once loaded; memory: layer_release. */
#ifndef ALMANAC_SERVE_MODELS_LAYER_H
#define ALMANAC_SERVE_MODELS_LAYER_H

#include "base/time.h"
#include "learn/calibrate.h"
#include "store/store.h"
#include <stdbool.h>

/* What was settled in the last day says little about the day after tomorrow. A layer that still helps is found again long
 * before. */
#define LAYER_LIFE_US (48 * TIME_HOUR_US)

struct serving_layer {
    struct calibrator *calibrator; /* NULL: there is none */
    int64_t made_us, matches;      /* moment and settled forecasts it was fitted on */
};

void layer_release(struct serving_layer *layer);
/* The layer of a version for forecasts of so many classes, or none. Whatever cannot be used (damaged, of other classes,
 * older than trained_us, refused by a later look, store not readable) is none, and logged where it is a fault. */
void layer_load(struct store *store, const char *version, int64_t trained_us, size_t classes,
                struct serving_layer *out);
/* Is it to be applied at this moment? */
bool layer_is_live(const struct serving_layer *layer, int64_t now_us);
/* p[classes] of the layer, in place; they stay probabilities. False, and p is left alone, when it is not live. */
bool layer_apply(const struct serving_layer *layer, int64_t now_us, double *p);

#endif
