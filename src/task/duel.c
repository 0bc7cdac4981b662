/* Duel of two versions. The rows are those of one matrix, the columns the widest set: each model takes its own from there,
 * as the forecaster does. */
#include "task/duel.h"

#include "base/text.h"
#include "base/time.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "learn/metric.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum err_code duel_predict(const struct model *model, const struct selected *rows, size_t begin, size_t end,
                           double *p, struct err *err)
{
    size_t columns = model_columns(model);
    float *x = malloc(((end - begin) * columns + 1) * sizeof(*x));
    if (x == NULL)
        return err_nomem(err, (end - begin) * columns * sizeof(*x));
    enum err_code code = ERR_OK;
    for (size_t c = 0; code == ERR_OK && c < columns; c++) {
        int from = dataset_column(rows->data.names, rows->data.columns, model_names(model)[c]);
        if (from < 0)
            code = err_set(err, ERR_CONFLICT, "feature '%s' no longer exists", model_names(model)[c]);
        for (size_t i = begin; code == ERR_OK && i < end; i++)
            x[(i - begin) * columns + c] = rows->x[i * rows->data.columns + (size_t)from];
    }
    if (code == ERR_OK)
        model_predict(model, x, end - begin, p);
    free(x);
    return code;
}

/* All that a duel holds. */
struct ring {
    struct matrix *matrix;
    struct selected rows;
    struct model *models[2];
    double *p[2];
};

static void ring_release(struct ring *ring)
{
    for (size_t i = 0; i < 2; i++) {
        model_destroy(ring->models[i]);
        free(ring->p[i]);
    }
    prepare_selected_release(&ring->rows);
    matrix_close(ring->matrix);
}

static enum err_code select_rows(struct ring *ring, const struct version_row *a, const struct version_row *b,
                                 struct err *err)
{
    int league = league_find(text_of(a->name.subject)), target = target_find(a->name.variant);
    int64_t learned_us = a->train_to_us > b->train_to_us ? a->train_to_us : b->train_to_us;
    if (strcmp(a->name.subject, b->name.subject) != 0 || strcmp(a->name.variant, b->name.variant) != 0)
        return err_set(err, ERR_INVALID, "they forecast different things");
    if (league < 0 || target < 0)
        return err_set(err, ERR_INVALID, "no league and target are called %s and %s", a->name.subject,
                       a->name.variant);
    struct selection selection = {.target = (enum target)target,
                                  .set = football_feature_set_widest(),
                                  .league = league,
                                  .pool = POOL_LEAGUE,
                                  .from_us = learned_us == TIME_NONE ? TIME_NONE : learned_us + 1,
                                  .to_us = TIME_NONE};
    enum err_code code = prepare_select(ring->matrix, &selection, &ring->rows, err);
    if (code == ERR_OK && ring->rows.data.rows < DUEL_ROWS_MIN)
        code = err_set(err, ERR_INVALID,
                       "only %zu matches lie after what both learned from; at least %d are needed",
                       ring->rows.data.rows, DUEL_ROWS_MIN);
    return code;
}

static enum err_code predict_both(struct ring *ring, const struct version_row *a, const struct version_row *b,
                                  struct err *err)
{
    const struct version_row *const rows[2] = {a, b};
    const struct dataset *data = &ring->rows.data;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < 2; i++) {
        ring->p[i] = malloc((data->rows * data->classes + 1) * sizeof(double));
        code = ring->p[i] != NULL ? registry_load(rows[i], &ring->models[i], err)
                                  : err_nomem(err, data->rows * data->classes * sizeof(double));
        if (code == ERR_OK && model_classes(ring->models[i]) != data->classes)
            code = err_set(err, ERR_CONFLICT, "version %s forecasts other classes", rows[i]->version);
        if (code == ERR_OK)
            code = duel_predict(ring->models[i], &ring->rows, 0, data->rows, ring->p[i], err);
    }
    return code;
}

static enum err_code measure(const struct ring *ring, enum metric metric, struct interval *out,
                             struct err *err)
{
    const struct dataset *data = &ring->rows.data;
    return metric_difference(metric, ring->p[1], ring->p[0], data->label, data->block, data->rows,
                             data->classes, DUEL_DRAWS, 1, out, err);
}

enum err_code duel_versions(struct task_context *context, const struct version_row *a,
                            const struct version_row *b, const char *key, struct duel *out, struct err *err)
{
    struct ring ring = {0};
    enum err_code code = prepare_matrix_by_key(context, key, &ring.matrix, err);
    if (code == ERR_OK)
        code = select_rows(&ring, a, b, err);
    if (code == ERR_OK)
        code = predict_both(&ring, a, b, err);
    if (code == ERR_OK)
        code = measure(&ring, METRIC_BRIER, &out->brier, err);
    if (code == ERR_OK)
        code = measure(&ring, METRIC_LOG_LOSS, &out->log_loss, err);
    if (code == ERR_OK) {
        out->matches = ring.rows.data.rows;
        out->from_us = ring.rows.data.time_us[0];
        out->to_us = ring.rows.data.time_us[out->matches - 1];
    }
    ring_release(&ring);
    return code;
}
