/* Model: owns a predictor, its calibrator and its texts. See model.h; the file is in model_file.c. */
#include "learn/model.h"
#include "base/json.h"
#include "base/text.h"
#include "learn/model_parts.h"
#include "limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
    size_t size_bytes = strlen(text) + 1;
    char *out = malloc(size_bytes);
    if (out)
        memcpy(out, text, size_bytes);
    return out;
}

static void destroy_list(const char **list, size_t count)
{
    for (size_t i = 0; list && i < count; i++)
        free((char *)list[i]);
    free(list);
}

/* NULL when out of memory. */
static const char **copy_list(const char *const *list, size_t count)
{
    const char **out = calloc(count, sizeof *out);
    for (size_t i = 0; out && i < count; i++) {
        out[i] = copy(list[i]);
        if (!out[i]) {
            destroy_list(out, count);
            return NULL;
        }
    }
    return out;
}

static bool is_hex(const char *text)
{
    size_t size_bytes = strlen(text);
    return size_bytes > 0 && size_bytes < MODEL_VERSION_BYTES &&
           strspn(text, "0123456789abcdef") == size_bytes;
}

static enum err_code check_names(const char *const *names, size_t count, size_t most, const char *what,
                                 struct err *err)
{
    if (count < 1 || count > most)
        return err_set(err, ERR_INVALID, "model of %zu %s, 1 to %zu are possible", count, what, most);
    for (size_t i = 0; i < count; i++) {
        struct text name = text_of(names[i]);
        if (name.size_bytes < 1 || name.size_bytes >= LIMIT_NAME_BYTES || !text_is_utf8(name))
            return err_set(err, ERR_INVALID,
                           "name %zu of the model's %s is empty, longer than %d bytes or not UTF-8", i, what,
                           LIMIT_NAME_BYTES - 1);
    }
    return ERR_OK;
}

static enum err_code check_description(const char *description, struct err *err)
{
    json_t *value = NULL;
    enum err_code code = json_read(description, strlen(description), &value, err);
    if (!code && !json_is_object(value))
        code = err_set(err, ERR_INVALID, "it is not a JSON object");
    json_decref(value);
    return code ? err_prefix(err, "model description") : ERR_OK;
}

static enum err_code check_parts(const struct model_parts *parts, struct err *err)
{
    assert(parts->engine && parts->predictor);
    assert(!parts->calibrator || calibrator_classes(parts->calibrator) == parts->classes);
    if (!is_hex(parts->version))
        return err_set(err, ERR_INVALID, "model version '%.40s' is not 1 to %d hexadecimal digits",
                       parts->version, MODEL_VERSION_BYTES - 1);
    enum err_code code = check_names(parts->names, parts->columns, LIMIT_FEATURES, "features", err);
    if (!code)
        code = check_names(parts->class_names, parts->classes, MODEL_CLASSES, "classes", err);
    if (!code && parts->classes < 2)
        code = err_set(err, ERR_INVALID, "model of one class");
    return code ? code : check_description(parts->description, err);
}

enum err_code model_create(struct model_parts parts, struct model **out, struct err *err)
{
    *out = NULL;
    enum err_code code = check_parts(&parts, err);
    if (code)
        return code;
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        return err_nomem(err, sizeof *model);
    model->columns = parts.columns;
    model->classes = parts.classes;
    model->names = copy_list(parts.names, parts.columns);
    model->class_names = copy_list(parts.class_names, parts.classes);
    model->description = copy(parts.description);
    (void)text_copy(text_of(parts.version), model->version, sizeof model->version);
    if (!model->names || !model->class_names || !model->description) {
        model_destroy(model); /* has no predictor yet: the caller keeps it */
        return err_nomem(err, parts.columns * sizeof *model->names);
    }
    model->engine = parts.engine;
    model->predictor = parts.predictor;
    model->calibrator = parts.calibrator;
    *out = model;
    return ERR_OK;
}

void model_destroy(struct model *model)
{
    if (!model)
        return;
    if (model->engine)
        model->engine->destroy(model->predictor);
    if (model->calibrator)
        calibrator_destroy(model->calibrator);
    destroy_list(model->names, model->columns);
    destroy_list(model->class_names, model->classes);
    free(model->description);
    free(model);
}

const char *model_version(const struct model *model)
{
    return model->version;
}

const struct engine *model_engine(const struct model *model)
{
    return model->engine;
}

const struct predictor *model_predictor(const struct model *model)
{
    return model->predictor;
}

const struct calibrator *model_calibrator(const struct model *model)
{
    return model->calibrator;
}

size_t model_columns(const struct model *model)
{
    return model->columns;
}

const char *const *model_names(const struct model *model)
{
    return model->names;
}

size_t model_classes(const struct model *model)
{
    return model->classes;
}

const char *const *model_class_names(const struct model *model)
{
    return model->class_names;
}

const char *model_description(const struct model *model)
{
    return model->description;
}

void model_predict(const struct model *model, const float *x, size_t rows, double *out)
{
    model->engine->predict(model->predictor, x, rows, out);
    if (model->calibrator)
        calibrator_apply(model->calibrator, out, rows);
}
