/* LightGBM's library: found once, kept. See lightgbm_library.h. */
#include "learn/lightgbm_library.h"
#include "os/library.h"

#include <stddef.h>

static const struct library_symbol symbols[] = {
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

static struct lightgbm_library functions; /* written once, by library_open */

static struct library library = {
    .title = "LightGBM",
    .file = "lib_lightgbm.so",
    .variable = "ALMANAC_LIGHTGBM_LIBRARY",
    .wanted = "LightGBM 4 (pip download --no-deps lightgbm)",
    .symbols = symbols,
    .symbol_count = sizeof symbols / sizeof symbols[0],
    .table = &functions,
    .lock = PTHREAD_MUTEX_INITIALIZER,
};

enum err_code lightgbm_library_open(const struct lightgbm_library **out, struct err *err)
{
    enum err_code code = library_open(&library, err);
    *out = code == ERR_OK ? &functions : NULL;
    return code;
}
