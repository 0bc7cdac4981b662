/* Job folder: <data>/jobs/<id>, made when a job starts, removed when it has succeeded. In it a task keeps its checkpoints, and
 * the worker the result of each completed attempt, written before it is sent:
 *   result-<attempt>.json     whole or not there (file_write_atomic)
 * Threads: any. */
#ifndef ALMANAC_JOB_JOB_FOLDER_H
#define ALMANAC_JOB_JOB_FOLDER_H

#include "base/err.h"
#include "base/json.h"
#include "os/file.h"
#include "store/store.h"
#include <stdbool.h>
#include <stdint.h>

/* data_dir: of the store. */
enum err_code job_folder_path(const char *data_dir, int64_t id, char out[FILE_PATH_BYTES],
                              struct err *err) CHECKED;
enum err_code job_folder_result_path(const char *data_dir, int64_t id, int64_t attempt,
                                     char out[FILE_PATH_BYTES], struct err *err) CHECKED;
enum err_code job_folder_make(const struct store *store, int64_t id, struct err *err) CHECKED;
void job_folder_remove(const struct store *store, int64_t id); /* what cannot be removed is logged */
/* For a server that starts: removes the folders of jobs that have succeeded or are no more. */
void job_folder_sweep(const struct store *store);
/* True when this attempt was completed; *out is the caller's to release. */
bool job_folder_read_result(const struct store *store, int64_t id, int64_t attempt, json_t **out);

#endif
