/* LightGBM's library: found once, kept. See lightgbm_library.h. */
#include "learn/lightgbm_library.h"
#include "os/file.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY_NAME "lib_lightgbm.so"

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"LGBM_GetLastError", offsetof(struct lightgbm_library, last_error)},
    {"LGBM_RegisterLogCallback", offsetof(struct lightgbm_library, register_log_callback)},
    {"LGBM_DatasetCreateFromMat", offsetof(struct lightgbm_library, dataset_create_from_mat)},
    {"LGBM_DatasetSetField", offsetof(struct lightgbm_library, dataset_set_field)},
    {"LGBM_DatasetFree", offsetof(struct lightgbm_library, dataset_free)},
    {"LGBM_BoosterCreate", offsetof(struct lightgbm_library, booster_create)},
    {"LGBM_BoosterUpdateOneIter", offsetof(struct lightgbm_library, booster_update_one_iter)},
    {"LGBM_BoosterGetEvalCounts", offsetof(struct lightgbm_library, booster_get_eval_counts)},
    {"LGBM_BoosterGetEval", offsetof(struct lightgbm_library, booster_get_eval)},
    {"LGBM_BoosterSaveModelToString", offsetof(struct lightgbm_library, booster_save_model_to_string)},
    {"LGBM_BoosterPredictForMat", offsetof(struct lightgbm_library, booster_predict_for_mat)},
    {"LGBM_BoosterFree", offsetof(struct lightgbm_library, booster_free)},
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lightgbm_library library; /* written once under `lock`, before is_open */
static int is_open;

static enum err_code load_symbols(void *handle, const char *path, struct err *err)
{
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(handle, symbols[i].name);
        if (!symbol)
            return err_set(err, ERR_UNAVAILABLE,
                           "'%s' lacks '%s': install LightGBM 4 (pip download --no-deps lightgbm) instead",
                           path, symbols[i].name);
        /* copied as bytes: ISO C has no cast from an object's to a function's pointer */
        memcpy((char *)&library + symbols[i].offset, &symbol, sizeof symbol);
    }
    return ERR_OK;
}

/* ERR_NOT_FOUND when there is nothing to load under `path`, with the loader's reason. */
static enum err_code try_path(const char *path, struct err *err)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        return err_set(err, ERR_NOT_FOUND, "%s", reason ? reason : path);
    }
    enum err_code code = load_symbols(handle, path, err);
    if (code)
        dlclose(handle);
    return code;
}

static enum err_code try_below_program(const char *below, struct err *err)
{
    char folder[FILE_PATH_BYTES], path[FILE_PATH_BYTES];
    enum err_code code = file_program_folder(folder, err);
    if (!code)
        code = file_join(folder, below, path, err);
    if (!code && !file_exists(path))
        code = err_set(err, ERR_NOT_FOUND, "%s: not there", path);
    if (code)
        return code;
    /* it is what somebody installed: when it cannot be used, that is the news, not that the system has no
     * other */
    code = try_path(path, err);
    return code == ERR_NOT_FOUND ? ERR_UNAVAILABLE : code;
}

/* The first of the usual places. */
static enum err_code search(struct err *err)
{
    const char *chosen = getenv("ALMANAC_LIGHTGBM_LIBRARY");
    if (chosen && *chosen)
        return try_path(chosen, err);
    enum err_code code = try_below_program("lib/" LIBRARY_NAME, err);
    if (code == ERR_NOT_FOUND)
        code = try_below_program("../lib/almanac/" LIBRARY_NAME, err);
    if (code == ERR_NOT_FOUND)
        code = try_path(LIBRARY_NAME, err);
    return code;
}

enum err_code lightgbm_library_open(const struct lightgbm_library **out, struct err *err)
{
    enum err_code code = ERR_OK;
    struct err cause = {.code = ERR_OK};
    *out = NULL;
    pthread_mutex_lock(&lock);
    if (!is_open)
        code = search(&cause);
    is_open = is_open || !code;
    pthread_mutex_unlock(&lock);
    if (code)
        return err_set(
            err, ERR_UNAVAILABLE,
            "cannot load LightGBM (%s): run tools/install.sh, or set ALMANAC_LIGHTGBM_LIBRARY to the path "
            "of " LIBRARY_NAME,
            cause.text);
    *out = &library;
    return ERR_OK;
}
