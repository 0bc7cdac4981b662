/* Judge: gathers forecasts by row, keeps to the rows that all of them cover, and hands those to the score sheet. Comparing
 * forecasts over different matches is the most common way to fool oneself, so there is no way to do it here. */
#include "task/judge.h"

#include "evaluate/scoresheet.h"
#include "football/bookmaker.h"
#include "football/overround.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code judge_init(struct judge *judge, enum target target, const struct dataset *data,
                         const uint32_t *row, struct err *err)
{
    *judge = (struct judge){.target = target, .classes = data->classes, .rows = data->rows, .closing = -1};
    judge->label = malloc((data->rows + 1) * sizeof(*judge->label));
    judge->block = malloc((data->rows + 1) * sizeof(*judge->block));
    judge->row = malloc((data->rows + 1) * sizeof(*judge->row));
    if (judge->label == NULL || judge->block == NULL || judge->row == NULL) {
        judge_release(judge);
        return err_nomem(err, data->rows * sizeof(*judge->block));
    }
    memcpy(judge->label, data->label, data->rows * sizeof(*judge->label));
    memcpy(judge->block, data->block, data->rows * sizeof(*judge->block));
    memcpy(judge->row, row, data->rows * sizeof(*judge->row));
    return ERR_OK;
}

void judge_release(struct judge *judge)
{
    free(judge->label);
    free(judge->block);
    free(judge->row);
    for (size_t i = 0; i < judge->forecast_count; i++)
        free(judge->p[i]);
    *judge = (struct judge){0};
}

enum err_code judge_add(struct judge *judge, const char *name, size_t *out_index, struct err *err)
{
    assert(judge->forecast_count < JUDGE_FORECASTS_MAX);
    size_t count = judge->rows * judge->classes;
    double *p = malloc((count + 1) * sizeof(*p));
    if (p == NULL)
        return err_nomem(err, count * sizeof(*p));
    for (size_t i = 0; i < count; i++)
        p[i] = NAN;
    *out_index = judge->forecast_count++;
    judge->p[*out_index] = p;
    (void)snprintf(judge->names[*out_index], JUDGE_NAME_BYTES, "%s", name);
    return ERR_OK;
}

static size_t fill_closing(const struct judge *judge, const struct history *history, enum bookmaker bookmaker,
                           double *p)
{
    size_t filled = 0;
    for (size_t i = 0; i < judge->rows; i++) {
        const float *odds = target_prices(judge->target, history_close(history, judge->row[i]), bookmaker);
        double fair[3];
        if (!overround_remove(OVERROUND_MULTIPLICATIVE, odds, judge->classes, fair))
            continue;
        memcpy(p + i * judge->classes, fair, judge->classes * sizeof(*p));
        filled++;
    }
    return filled;
}

enum err_code judge_add_closing(struct judge *judge, const struct history *history, struct err *err)
{
    static const enum bookmaker order[] = {BOOKMAKER_PINNACLE, BOOKMAKER_AVERAGE};
    size_t index;
    enum err_code code = judge_add(judge, "", &index, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
        /* one bookmaker for all rows: never a silent mix; half the rows must have it, and the score sheet says how many
         * matches it is about */
        if (fill_closing(judge, history, order[i], judge->p[index]) * 2 < judge->rows || judge->rows == 0) {
            for (size_t j = 0; j < judge->rows * judge->classes; j++)
                judge->p[index][j] = NAN;
            continue;
        }
        (void)snprintf(judge->names[index], JUDGE_NAME_BYTES, "closing price (%s)",
                       bookmaker_title(order[i]));
        judge->closing = (int)index;
        return ERR_OK;
    }
    free(judge->p[index]);
    judge->forecast_count--;
    return ERR_OK;
}

static bool covers_any(const struct judge *judge, size_t forecast, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        if (!isnan(judge->p[forecast][i * judge->classes]))
            return true;
    }
    return false;
}

static bool is_common(const struct judge *judge, const bool *used, size_t row)
{
    for (size_t f = 0; f < judge->forecast_count; f++) {
        if (used[f] && isnan(judge->p[f][row * judge->classes]))
            return false;
    }
    return true;
}

static void list_used(const struct judge *judge, size_t begin, size_t end, bool *used)
{
    for (size_t f = 0; f < judge->forecast_count; f++)
        used[f] = covers_any(judge, f, begin, end);
}

size_t judge_common_rows(const struct judge *judge, size_t begin, size_t end)
{
    bool used[JUDGE_FORECASTS_MAX];
    size_t count = 0;
    list_used(judge, begin, end, used);
    for (size_t i = begin; i < end; i++)
        count += is_common(judge, used, i);
    return count;
}

/* Dense copies of the common rows of every used forecast. */
struct common {
    double *p[JUDGE_FORECASTS_MAX];
    struct forecast forecasts[JUDGE_FORECASTS_MAX];
    int32_t *label;
    int64_t *block;
    size_t count, rows;
    int reference;
};

static bool common_allocate(struct common *common, const struct judge *judge, const bool *used, size_t rows)
{
    *common = (struct common){.reference = -1};
    common->label = malloc((rows + 1) * sizeof(*common->label));
    common->block = malloc((rows + 1) * sizeof(*common->block));
    bool ok = common->label != NULL && common->block != NULL;
    for (size_t f = 0; f < judge->forecast_count; f++) {
        if (!used[f])
            continue;
        if ((int)f == judge->closing)
            common->reference = (int)common->count;
        common->p[common->count] = malloc((rows * judge->classes + 1) * sizeof(double));
        ok = ok && common->p[common->count] != NULL;
        common->forecasts[common->count] = (struct forecast){judge->names[f], common->p[common->count]};
        common->count++;
    }
    return ok;
}

static void common_release(struct common *common)
{
    for (size_t i = 0; i < common->count; i++)
        free(common->p[i]);
    free(common->label);
    free(common->block);
}

static void common_fill(struct common *common, const struct judge *judge, const bool *used, size_t begin,
                        size_t end)
{
    size_t classes = judge->classes;
    for (size_t i = begin; i < end; i++) {
        if (!is_common(judge, used, i))
            continue;
        for (size_t f = 0, c = 0; f < judge->forecast_count; f++) {
            if (used[f])
                memcpy(common->p[c++] + common->rows * classes, judge->p[f] + i * classes,
                       classes * sizeof(double));
        }
        common->label[common->rows] = judge->label[i];
        common->block[common->rows++] = judge->block[i];
    }
}

enum err_code judge_write(const struct judge *judge, size_t begin, size_t end, struct json_writer *out,
                          struct err *err)
{
    assert(begin <= end && end <= judge->rows);
    bool used[JUDGE_FORECASTS_MAX];
    struct common common;
    list_used(judge, begin, end, used);
    enum err_code code = ERR_OK;
    if (!common_allocate(&common, judge, used, end - begin)) {
        code = err_nomem(err, (end - begin) * judge->classes * sizeof(double));
        goto out;
    }
    common_fill(&common, judge, used, begin, end);
    if (common.rows == 0) {
        code = err_set(err, ERR_INVALID, "no match is covered by every forecast; nothing can be compared");
        goto out;
    }
    struct scoresheet sheet = {.forecasts = common.forecasts,
                               .forecast_count = common.count,
                               .reference = common.reference,
                               .label = common.label,
                               .block = common.block,
                               .rows = common.rows,
                               .classes = judge->classes,
                               .draws = JUDGE_DRAWS,
                               .seed = 1};
    code = scoresheet_write_json(&sheet, out, err);
out:
    common_release(&common);
    return code;
}
