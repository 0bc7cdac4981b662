/* Reproduce. The options that made the version are in the file itself; the data are named by the key of its feature matrix,
 * which is opened by that key, so that matches imported since do not matter as long as the matrix file is kept. */
#include "task/reproduce.h"

#include "limits.h"
#include "os/file.h"
#include "task/prepare.h"
#include "task/train.h"

#include <stdio.h>
#include <string.h>

/* Options of the training, with the matrix fixed. Text of the engine's options comes back as "name=value,...". */
static enum err_code read_options(const struct model *model, struct train_options *out, struct err *err)
{
    json_t *description = NULL;
    const char *text = model_description(model), *matrix = NULL;
    enum err_code code = json_read(text, strlen(text), &description, err);
    if (code != ERR_OK)
        return code;
    option_defaults(task_train.options, out);
    code = option_read_json(task_train.options, out, json_object_get(description, "options"), true, err);
    if (code == ERR_OK)
        code = json_take_text(description, "matrix", true, &matrix, err);
    if (code == ERR_OK)
        (void)snprintf(out->matrix, sizeof(out->matrix), "%s", matrix);
    json_decref(description);
    return code;
}

/* The matrix by key; when its file is gone, that of the present data if it has this key. */
static enum err_code check_matrix(struct task_context *context, const char *key, struct err *err)
{
    struct matrix *matrix = NULL;
    enum err_code code = prepare_matrix_by_key(context, key, &matrix, NULL);
    if (code != ERR_OK) {
        code = prepare_matrix(context, &matrix, err);
        if (code == ERR_OK && strcmp(matrix_key_of(matrix), key) != 0)
            code = err_set(err, ERR_NOT_FOUND,
                           "the data have changed and the feature matrix %.8s of this version is gone", key);
    }
    if (code == ERR_OK)
        code = matrix_verify(matrix, context->pool, err);
    matrix_close(matrix);
    return code;
}

static void compare(const struct file_map *kept, const struct buffer *made, struct reproduction *out)
{
    size_t common = kept->size_bytes < made->size_bytes ? kept->size_bytes : made->size_bytes;
    out->size_bytes = made->size_bytes;
    out->first_difference = 0;
    while (out->first_difference < common &&
           kept->data[out->first_difference] == made->data[out->first_difference])
        out->first_difference++;
    out->is_equal = out->first_difference == kept->size_bytes && kept->size_bytes == made->size_bytes;
}

enum err_code reproduce_version(struct task_context *context, const struct version_row *row,
                                struct reproduction *out, struct err *err)
{
    struct model *model = NULL;
    struct train_options options;
    struct file_map kept = {0};
    struct buffer made;
    buffer_init(&made, LIMIT_MODEL_BYTES);
    enum err_code code = registry_load(row, &model, err);
    if (code == ERR_OK)
        code = read_options(model, &options, err);
    if (code == ERR_OK)
        code = check_matrix(context, options.matrix, err);
    if (code == ERR_OK)
        code = train_bytes(context, &options, &made, out->version, err);
    if (code == ERR_OK)
        code = file_map_open(row->path, LIMIT_MODEL_BYTES, &kept, err);
    if (code == ERR_OK) {
        compare(&kept, &made, out);
        file_map_close(&kept);
    }
    model_destroy(model);
    buffer_release(&made);
    return code;
}
