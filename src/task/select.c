/* Selection: rows of a matrix that a model learns from, gathered into one dense dataset in time order. */
#include "task/prepare.h"

#include "base/time.h"
#include "football/league.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum err_code prepare_columns(const struct matrix *matrix, const char *const *names, size_t count,
                              uint32_t *columns, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        int column = dataset_column(matrix_names(matrix), matrix_columns(matrix), names[i]);
        if (column < 0)
            return err_set(err, ERR_CONFLICT,
                           "feature '%s' is not in the feature matrix; train the model again", names[i]);
        columns[i] = (uint32_t)column;
    }
    return ERR_OK;
}

static bool is_selected(const struct selection *selection, const struct matrix_row *row)
{
    if (row->label[selection->target] < 0)
        return false;
    if (selection->pool == POOL_LEAGUE && row->group != selection->league)
        return false;
    if (selection->pool == POOL_COUNTRY && row->stream != league_country((size_t)selection->league))
        return false;
    if (selection->from_us != TIME_NONE && row->start_us < selection->from_us)
        return false;
    return selection->to_us == TIME_NONE || row->start_us < selection->to_us;
}

static size_t list_rows(const struct matrix *matrix, const struct selection *selection, uint32_t *rows)
{
    const struct matrix_row *info = matrix_row_info(matrix);
    size_t count = 0;
    for (size_t i = 0; i < matrix_rows(matrix); i++) {
        if (is_selected(selection, &info[i]))
            rows[count++] = (uint32_t)i;
    }
    if (selection->last == 0 || selection->last >= count)
        return count;
    memmove(rows, rows + (count - selection->last), selection->last * sizeof(*rows));
    return selection->last;
}

static bool allocate(struct selected *selected, size_t rows, size_t columns)
{
    selected->x = malloc(rows * columns * sizeof(float) + 64);
    selected->label = malloc((rows + 1) * sizeof(int32_t));
    selected->group = malloc((rows + 1) * sizeof(int32_t));
    selected->time_us = malloc((rows + 1) * sizeof(int64_t));
    selected->block = malloc((rows + 1) * sizeof(int64_t));
    return selected->x != NULL && selected->label != NULL && selected->group != NULL &&
           selected->time_us != NULL && selected->block != NULL;
}

/* Blocks are local days; where time zones would let them step back in time order, the later day goes on. */
static void gather(const struct matrix *matrix, const struct selection *selection, const uint32_t *columns,
                   size_t column_count, size_t rows, struct selected *out)
{
    const struct matrix_row *info = matrix_row_info(matrix);
    const float *values = matrix_values(matrix);
    for (size_t i = 0; i < rows; i++) {
        const struct matrix_row *row = &info[out->row[i]];
        const float *from = values + (size_t)out->row[i] * matrix_columns(matrix);
        float *to = out->x + i * column_count;
        for (size_t c = 0; c < column_count; c++)
            to[c] = from[columns[c]];
        out->label[i] = row->label[selection->target];
        out->group[i] = row->group;
        out->time_us[i] = row->start_us;
        out->block[i] = i > 0 && out->block[i - 1] > row->day ? out->block[i - 1] : row->day;
    }
}

enum err_code prepare_select(const struct matrix *matrix, const struct selection *selection,
                             struct selected *out, struct err *err)
{
    size_t columns = feature_set_columns(selection->set);
    uint32_t *map = malloc((columns + 1) * sizeof(*map));
    *out = (struct selected){0};
    out->names = malloc((columns + 1) * sizeof(*out->names));
    out->row = malloc((matrix_rows(matrix) + 1) * sizeof(*out->row));
    enum err_code code = ERR_OK;
    if (map == NULL || out->names == NULL || out->row == NULL) {
        code = err_nomem(err, matrix_rows(matrix) * sizeof(*out->row));
        goto out;
    }
    feature_set_names(selection->set, out->names);
    code = prepare_columns(matrix, out->names, columns, map, err);
    if (code != ERR_OK)
        goto out;
    size_t rows = list_rows(matrix, selection, out->row);
    if (!allocate(out, rows, columns)) {
        code = err_nomem(err, rows * columns * sizeof(float));
        goto out;
    }
    gather(matrix, selection, map, columns, rows, out);
    out->data = (struct dataset){.x = out->x,
                                 .rows = rows,
                                 .columns = columns,
                                 .label = out->label,
                                 .classes = target_at(selection->target)->classes,
                                 .time_us = out->time_us,
                                 .block = out->block,
                                 .group = out->group,
                                 .names = out->names};
out:
    free(map);
    if (code != ERR_OK)
        prepare_selected_release(out);
    return code;
}

void prepare_selected_release(struct selected *selected)
{
    free(selected->row);
    free(selected->x);
    free(selected->label);
    free(selected->group);
    free(selected->time_us);
    free(selected->block);
    free((void *)selected->names);
    *selected = (struct selected){0};
}
