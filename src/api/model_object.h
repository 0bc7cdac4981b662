/* Model objects: what lists of models show, for HTTP and for the terminal: versions, cleared ones included, and trainings
 * that failed and have not been made good since. Everything here only reads the store. Threads: as its connection. */
#ifndef ALMANAC_API_MODEL_OBJECT_H
#define ALMANAC_API_MODEL_OBJECT_H

#include "base/err.h"
#include "base/json.h"
#include "registry/registry.h"
#include "registry/status.h"
#include "store/job_store.h"
#include "store/store.h"

struct model_entry {
    struct version_row row; /* of a failed training: version "", trained_us its end, job_id the job */
    enum model_status status;
    char error[JOB_TEXT_BYTES]; /* of a failed training */
};
struct model_list {
    struct model_entry *items; /* [count], newest first, owned */
    size_t count;
};
struct model_query {
    struct model_name name; /* "" matches all */
    int stage, status;      /* -1 any */
    bool with_cleared, with_failed;
    /* Trainings that failed: all of the newest (true), or only those of models that have no newer version (false). */
    bool all_failures;
    size_t limit; /* at least 1 */
};
enum err_code model_object_list(struct store *store, const struct model_query *query, int64_t now_us,
                                struct model_list *out, struct err *err) CHECKED;
void model_object_list_release(struct model_list *list);

/* The model a training with these options makes: what POST /train takes. ERR_INVALID when they name none. */
enum err_code model_name_of_request(const json_t *options, struct model_name *out, struct err *err) CHECKED;
/* {"options", "engine_options"} of an entry, borrowed by nobody: json_decref. */
enum err_code model_object_config(struct store *store, const struct model_entry *entry, json_t **out,
                                  struct err *err) CHECKED;
/* The Model object of the API. */
enum err_code model_object_write(struct store *store, const struct model_entry *entry, int64_t now_us,
                                 struct json_writer *out, struct err *err) CHECKED;
/* The object of GET /api/models/training-history. */
enum err_code model_object_write_training(struct store *store, const struct model_entry *entry,
                                          struct json_writer *out, struct err *err) CHECKED;
/* A version as an entry. */
struct model_entry model_entry_of(const struct version_row *row, int64_t now_us);

/* {"total", "fresh", "stale", "failed", "archived", "cleared", "storage_bytes", "unique_symbols", "unique_timeframes",
 * "unique_bots", "models"}: total, storage and the unique ones are those of versions whose files are there; `limit`
 * bounds the list only. */
enum err_code model_object_write_report(struct store *store, int64_t now_us, size_t limit,
                                        struct json_writer *out, struct err *err) CHECKED;
/* Two versions side by side, see GET /api/models/compare. */
enum err_code model_object_write_comparison(struct store *store, const char *a, const char *b, int64_t now_us,
                                            struct json_writer *out, struct err *err) CHECKED;

#endif
