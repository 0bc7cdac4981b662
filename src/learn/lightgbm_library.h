/* LightGBM's shared library, loaded when first needed: Almanac starts, serves and tests without it.
 *
 * The few functions of its C API (LightGBM 4, include/LightGBM/c_api.h) that training and its tests use, as
 * members of one table. It stays loaded until the process ends: OpenMP's threads do not survive unloading.
 * Threads: opening is safe from any; LightGBM keeps its thread count per process, so one training at a time.
 */
#ifndef ALMANAC_LEARN_LIGHTGBM_LIBRARY_H
#define ALMANAC_LEARN_LIGHTGBM_LIBRARY_H

#include "base/err.h"
#include <stdint.h>

enum { LIGHTGBM_FLOAT32 = 0 };                        /* C_API_DTYPE_FLOAT32 */
enum { LIGHTGBM_NORMAL = 0, LIGHTGBM_RAW_SCORE = 1 }; /* C_API_PREDICT_* */

/* Every function answers 0, or -1 with a text in last_error(). Handles are freed by the matching *_free. */
struct lightgbm_library {
    const char *(*last_error)(void);
    int (*register_log_callback)(void (*callback)(const char *text)); /* for the calling thread */
    int (*dataset_create_from_mat)(const void *data, int data_type, int32_t rows, int32_t columns,
                                   int is_row_major, const char *parameters, const void *reference,
                                   void **out);
    int (*dataset_set_field)(void *dataset, const char *name, const void *data, int count, int data_type);
    int (*dataset_free)(void *dataset);
    int (*booster_create)(const void *dataset, const char *parameters, void **out);
    int (*booster_update_one_iter)(void *booster, int *is_finished);
    int (*booster_get_eval_counts)(void *booster, int *out_count);
    int (*booster_get_eval)(void *booster, int dataset_index, int *out_count, double *out_results);
    int (*booster_save_model_to_string)(void *booster, int start_iteration, int iteration_count,
                                        int importance_type, int64_t buffer_bytes, int64_t *out_bytes,
                                        char *out_text);
    int (*booster_predict_for_mat)(void *booster, const void *data, int data_type, int32_t rows,
                                   int32_t columns, int is_row_major, int predict_type, int start_iteration,
                                   int iteration_count, const char *parameters, int64_t *out_count,
                                   double *out_result);
    int (*booster_free)(void *booster);
};

/* The library, borrowed until the process ends. Looks at $ALMANAC_LIGHTGBM_LIBRARY (alone, if set), then
 * <program>/lib, <program>/../lib/almanac, and the system's places for lib_lightgbm.so.
 * ERR_UNAVAILABLE says what was tried and what to do. */
enum err_code lightgbm_library_open(const struct lightgbm_library **out, struct err *err) CHECKED;

#endif
