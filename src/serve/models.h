/* Models in production, loaded. One table, refreshed from the registry: a version whose file is damaged is refused and the
 * version that was in production before it serves instead. Belongs to the loop's thread. */
#ifndef ALMANAC_SERVE_MODELS_H
#define ALMANAC_SERVE_MODELS_H

#include "base/err.h"
#include "learn/model.h"
#include "registry/registry.h"
#include "serve/models_layer.h"
#include "store/store.h"

struct serving_model {
    struct version_row row;
    struct model *model;
    uint32_t *columns;          /* of the widest feature set, [model_columns] */
    bool needs_prices;          /* some of its features come from prices */
    bool is_fallback;           /* an earlier version, as the file of the present one is damaged */
    struct serving_layer layer; /* put over what the model says of matches to come, while it is live */
};
struct serving_models {
    struct serving_model *items;
    size_t count;
};

void serving_models_release(struct serving_models *models);
/* Loads what is new, drops what is gone; the old table stays when this fails. Layers are read anew each time. */
enum err_code serving_models_refresh(struct serving_models *models, struct store *store,
                                     struct err *err) CHECKED;
/* The model to use: of this bot if given, else the one with the least log loss on its holdout among those whose features
 * are at hand. NULL when there is none. */
const struct serving_model *serving_models_choose(const struct serving_models *models, const char *subject,
                                                  const char *variant, const char *bot, bool has_prices);
/* What is told about a match to come: the model's own probabilities (own[classes]) of a row of its features
 * (x[model_columns]), and those with the layer that is live at now_us (p[classes]); that layer, or NULL: p is own. */
const struct serving_layer *serving_model_predict(const struct serving_model *item, const float *x,
                                                  int64_t now_us, double *own, double *p);

#endif
