/* Folders of jobs. */
#include "job/job_folder.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/text.h"
#include "limits.h"
#include "os/folder.h"
#include "store/job_store.h"

#include <inttypes.h>
#include <stdio.h>

enum err_code job_folder_path(const char *data_dir, int64_t id, char out[FILE_PATH_BYTES], struct err *err)
{
    char name[40];

    (void)snprintf(name, sizeof name, "jobs/%" PRId64, id);
    return file_join(data_dir, name, out, err);
}

enum err_code job_folder_result_path(const char *data_dir, int64_t id, int64_t attempt,
                                     char out[FILE_PATH_BYTES], struct err *err)
{
    char name[80];

    (void)snprintf(name, sizeof name, "jobs/%" PRId64 "/result-%" PRId64 ".json", id, attempt);
    return file_join(data_dir, name, out, err);
}

enum err_code job_folder_make(const struct store *store, int64_t id, struct err *err)
{
    char path[FILE_PATH_BYTES];

    enum err_code code = job_folder_path(store->folder, id, path, err);
    return code == ERR_OK ? file_make_folders(path, err) : code;
}

void job_folder_remove(const struct store *store, int64_t id)
{
    char path[FILE_PATH_BYTES];
    struct err err = {0};

    enum err_code code = job_folder_path(store->folder, id, path, &err);
    if (code == ERR_OK)
        code = folder_remove(path, &err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        log_line(LOG_WARN, "jobs", "the folder of job %" PRId64 " stays: %s", id, err.text);
}

static bool is_left_over(const struct store *store, const char *name, int64_t *out_id)
{
    struct job_row row;

    if (!text_parse_i64(text_of(name), out_id) || *out_id < 1)
        return false;
    enum err_code code = job_store_get(store->db, *out_id, &row, NULL);
    return code == ERR_NOT_FOUND || (code == ERR_OK && row.state == JOB_SUCCEEDED);
}

void job_folder_sweep(const struct store *store)
{
    struct folder_list list;
    struct err err = {0};
    int64_t id;

    if (folder_list_open(store->jobs, &list, &err) != ERR_OK) {
        log_line(LOG_WARN, "jobs", "folders of jobs that ended are not looked for: %s", err.text);
        return;
    }
    for (size_t index = 0; index < list.count; index++) {
        if (is_left_over(store, list.names[index], &id))
            job_folder_remove(store, id);
    }
    folder_list_close(&list);
}

bool job_folder_read_result(const struct store *store, int64_t id, int64_t attempt, json_t **out)
{
    char path[FILE_PATH_BYTES];
    struct buffer text;
    json_t *root = NULL;

    buffer_init(&text, LIMIT_RESULT_BYTES);
    bool is_read = job_folder_result_path(store->folder, id, attempt, path, NULL) == ERR_OK &&
                   file_read(path, &text, NULL) == ERR_OK &&
                   json_read(text.data, text.size_bytes, &root, NULL) == ERR_OK && json_is_object(root);
    buffer_release(&text);
    if (is_read)
        *out = root;
    else
        json_decref(root);
    return is_read;
}
