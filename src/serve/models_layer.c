/* Layers. Read with the models, so a request never asks the store; whether the life is over is asked of the clock each time,
 * so an old layer ends by itself even when nothing is read again. */
#include "serve/models_layer.h"

#include "base/log.h"
#include "limits.h"
#include "store/retrain_store.h"

void layer_release(struct serving_layer *layer)
{
    calibrator_destroy(layer->calibrator);
    *layer = (struct serving_layer){0};
}

static enum err_code read_layer(const struct recalibration *row, const struct buffer *bytes, size_t classes,
                                struct serving_layer *out, struct err *err)
{
    struct calibrator *calibrator = NULL;
    enum err_code code = calibrator_load(bytes->data, bytes->size_bytes, &calibrator, err);
    if (code != ERR_OK)
        return code;
    if (calibrator_classes(calibrator) != classes) {
        code = err_set(err, ERR_CORRUPT, "it has %zu classes, the model has %zu",
                       calibrator_classes(calibrator), classes);
        calibrator_destroy(calibrator);
        return code;
    }
    *out = (struct serving_layer){calibrator, row->made_us, row->matches};
    return ERR_OK;
}

void layer_load(struct store *store, const char *version, int64_t trained_us, size_t classes,
                struct serving_layer *out)
{
    struct recalibration row;
    struct buffer bytes;
    struct err err = {0};
    *out = (struct serving_layer){0};
    buffer_init(&bytes, LIMIT_DESCRIPTION_BYTES);
    enum err_code code = retrain_store_recalibration(store->db, version, &row, &bytes, &err);
    /* a version that was cleared and trained again begins anew */
    if (code == ERR_OK && row.is_better && row.made_us >= trained_us)
        code = read_layer(&row, &bytes, classes, out, &err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        log_line(LOG_ERROR, "models", "the recalibration of version %s is not applied: %s", version,
                 err.text);
    buffer_release(&bytes);
}

bool layer_is_live(const struct serving_layer *layer, int64_t now_us)
{
    return layer->calibrator != NULL && now_us - layer->made_us < LAYER_LIFE_US;
}

bool layer_apply(const struct serving_layer *layer, int64_t now_us, double *p)
{
    if (!layer_is_live(layer, now_us))
        return false;
    calibrator_apply(layer->calibrator, p, 1);
    return true;
}
