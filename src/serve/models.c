/* Models in production. */
#include "serve/models.h"

#include "base/log.h"
#include "base/time.h"
#include "football/feature_sets.h"
#include "learn/dataset.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_MAX = 4096, PREVIOUS_MAX = 16 };

static void release_item(struct serving_model *item)
{
    model_destroy(item->model);
    free(item->columns);
    layer_release(&item->layer);
}

void serving_models_release(struct serving_models *models)
{
    for (size_t i = 0; i < models->count; i++)
        release_item(&models->items[i]);
    free(models->items);
    *models = (struct serving_models){0};
}

static enum err_code map_columns(struct serving_model *item, struct err *err)
{
    const struct feature_set *set = football_feature_set_widest();
    size_t wide = feature_set_columns(set), count = model_columns(item->model);
    const char **names = malloc((wide + 1) * sizeof(*names));
    item->columns = malloc((count + 1) * sizeof(*item->columns));
    enum err_code code =
        names != NULL && item->columns != NULL ? ERR_OK : err_nomem(err, count * sizeof(*item->columns));
    if (code == ERR_OK)
        feature_set_names(set, names);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        int column = dataset_column(names, wide, model_names(item->model)[i]);
        if (column < 0) {
            code = err_set(err, ERR_CONFLICT, "feature '%s' of version %s no longer exists; train again",
                           model_names(item->model)[i], item->row.version);
            break;
        }
        item->columns[i] = (uint32_t)column;
        item->needs_prices |= feature_set_at(set, (size_t)column)->available == FEATURE_PRE_CLOSE;
    }
    free((void *)names);
    return code;
}

static enum err_code load_item(const struct version_row *row, struct serving_model *item, struct err *err)
{
    *item = (struct serving_model){.row = *row};
    enum err_code code = registry_load(row, &item->model, err);
    if (code == ERR_OK)
        code = map_columns(item, err);
    if (code != ERR_OK)
        release_item(item);
    return code;
}

/* The production version, else the newest of its predecessors that is whole. */
static bool load_or_fall_back(struct store *store, const struct version_row *row, struct serving_model *item)
{
    struct err err = {0};
    if (load_item(row, item, &err) == ERR_OK)
        return true;
    log_line(LOG_ERROR, "models", "version %s of %s/%s/%s is refused: %s", row->version, row->name.subject,
             row->name.variant, row->name.bot, err.text);
    struct version_row *previous = calloc(PREVIOUS_MAX, sizeof(*previous));
    size_t count = previous != NULL ? PREVIOUS_MAX : 0;
    bool is_loaded = false;
    if (count > 0 && registry_previous(store, &row->name, previous, &count, &err) != ERR_OK)
        count = 0;
    for (size_t i = 0; i < count && !is_loaded; i++) {
        is_loaded = load_item(&previous[i], item, &err) == ERR_OK;
        if (is_loaded)
            log_line(LOG_WARN, "models", "version %s serves instead", previous[i].version);
    }
    item->is_fallback = is_loaded;
    free(previous);
    return is_loaded;
}

/* Moves an item with this version out of the old table. */
static bool take_loaded(struct serving_models *old, const struct version_row *row, struct serving_model *item)
{
    for (size_t i = 0; i < old->count; i++) {
        if (strcmp(old->items[i].row.version, row->version) == 0 && !old->items[i].is_fallback &&
            old->items[i].model != NULL) {
            *item = old->items[i];
            item->row = *row; /* it may have been trained again since */
            old->items[i].layer = (struct serving_layer){0};
            old->items[i].model = NULL;
            old->items[i].columns = NULL;
            return true;
        }
    }
    return false;
}

/* Another version that stands in has no layer: what was found is about the one that cannot be read. */
static void refresh_layer(struct store *store, struct serving_model *item)
{
    layer_release(&item->layer);
    if (!item->is_fallback)
        layer_load(store, item->row.version, item->row.trained_us, model_classes(item->model), &item->layer);
}

enum err_code serving_models_refresh(struct serving_models *models, struct store *store, struct err *err)
{
    static const struct version_filter filter = {.stage = STAGE_PRODUCTION};
    size_t count = VERSIONS_MAX;
    struct version_row *rows = calloc(VERSIONS_MAX, sizeof(*rows));
    struct serving_models fresh = {calloc(VERSIONS_MAX, sizeof(*fresh.items)), 0};
    enum err_code code =
        rows != NULL && fresh.items != NULL ? ERR_OK : err_nomem(err, VERSIONS_MAX * sizeof(*rows));
    if (code == ERR_OK)
        code = registry_search(store, &filter, TIME_NONE, "", rows, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        struct serving_model *item = &fresh.items[fresh.count];
        if (take_loaded(models, &rows[i], item) || load_or_fall_back(store, &rows[i], item))
            fresh.count++;
    }
    free(rows);
    if (code != ERR_OK) {
        serving_models_release(&fresh);
        return code;
    }
    for (size_t i = 0; i < fresh.count; i++)
        refresh_layer(store, &fresh.items[i]);
    serving_models_release(models);
    *models = fresh;
    return ERR_OK;
}

const struct serving_model *serving_models_choose(const struct serving_models *models, const char *subject,
                                                  const char *variant, const char *bot, bool has_prices)
{
    const struct serving_model *best = NULL;
    for (size_t i = 0; i < models->count; i++) {
        const struct serving_model *item = &models->items[i];
        if (strcmp(item->row.name.subject, subject) != 0 || strcmp(item->row.name.variant, variant) != 0)
            continue;
        if (bot[0] != '\0' ? strcmp(item->row.name.bot, bot) != 0 : item->needs_prices && !has_prices)
            continue;
        if (best == NULL || item->row.log_loss < best->row.log_loss)
            best = item;
    }
    return best;
}

const struct serving_layer *serving_model_predict(const struct serving_model *item, const float *x,
                                                  int64_t now_us, double *own, double *p)
{
    model_predict(item->model, x, 1, own);
    memcpy(p, own, model_classes(item->model) * sizeof(*p));
    return layer_apply(&item->layer, now_us, p) ? &item->layer : NULL;
}
