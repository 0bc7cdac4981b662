/* Registry: versions of models, their stages, and the decisions about them.
 *
 * Invariant: at most one Production version per model (subject/variant/bot); a unique index in the store holds it.
 * Files are written first, then the row: a file without a row is an orphan. Clearing goes the other way round: the row
 * says "cleared" first, then the file goes. So a row that is not cleared never lacks its file, and what a crash leaves
 * behind is an orphan that registry_sweep removes. A cleared version keeps its row, history and decisions for ever; it is
 * Archived, and nothing serves it, falls back to it or promotes it. Training the very same version again revives it.
 * What writes is for the owner of the store (server or CLI); what reads also works on a read-only store, e.g. in a worker.
 * Each function that writes is one transaction of its own. Threads: as the store's connection. */
#ifndef ALMANAC_REGISTRY_REGISTRY_H
#define ALMANAC_REGISTRY_REGISTRY_H

#include "base/buffer.h"
#include "base/err.h"
#include "learn/model.h"
#include "os/file.h"
#include "store/store.h"

enum stage { STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED, STAGE_COUNT };
const char *stage_name(enum stage stage); /* "None", "Staging", "Production", "Archived" */
int stage_find(const char *name);         /* -1 unknown */

struct model_name {
    char subject[64], variant[32], bot[32]; /* E0 / 1x2 / lightgbm */
};
struct version_row {
    struct model_name name;
    char version[MODEL_VERSION_BYTES];
    enum stage stage;
    int64_t trained_us;
    int64_t size_bytes;
    int64_t duration_ms;
    char path[FILE_PATH_BYTES]; /* below the store's folder, as that was named */
    char feature_set[32];
    double log_loss, brier, rps, accuracy; /* on the untouched holdout; NaN unknown */
    int64_t train_from_us, train_to_us, test_from_us, test_to_us, rows;
    int64_t job_id;              /* that trained it; 0: trained in a terminal, or by an earlier program */
    int64_t epochs;              /* rounds, trees or iterations of the training; 0 unknown */
    double rmse, mae;            /* of the probabilities (learn/probability_error.h); NaN unknown */
    double train_loss, val_loss; /* last loss on what was learned from, and on what was not; NaN unknown */
    int64_t cleared_us;          /* TIME_NONE: the file is there */
};
struct cleared {
    char (*versions)[MODEL_VERSION_BYTES]; /* [count], owned */
    size_t count;
    int64_t freed_bytes; /* of the files that were removed */
};
struct version_filter {
    struct model_name name; /* "" in a part matches all */
    int stage;              /* -1: any */
    bool with_cleared;
};
struct decision {
    bool promoted;
    char reason[512]; /* with the numbers */
};

/* <models>/<subject>/<variant>/<bot>/<version>.model; makes the folders, for whoever writes the file. Names are 1 or more
 * of A-Z a-z 0-9 . _ - and do not begin with a dot; versions are hexadecimal digits. ERR_INVALID otherwise: no name leaves
 * the folder. */
enum err_code registry_path(const struct store *store, const struct model_name *name, const char *version,
                            char out[FILE_PATH_BYTES], struct err *err) CHECKED;
/* Records a version whose file already lies at registry_path (ERR_NOT_FOUND otherwise). It begins in stage None; stage,
 * path and cleared_us of the row are not looked at. The same version of the same model again is no error: only the moment
 * and the length of its training move on, and a cleared one is there again, in stage None; of another model: ERR_CONFLICT.
 * details: JSON. */
enum err_code registry_add(struct store *store, const struct version_row *row, const char *details,
                           struct err *err) CHECKED;
/* Moves a version to a stage; a former Production version goes to Archived. The stage it has: nothing happens. who, why:
 * history. ERR_CONFLICT: it was cleared. */
enum err_code registry_move(struct store *store, const char *version, enum stage stage, const char *who,
                            const char *why, struct err *err) CHECKED;
/* Production again what was Production before (the first of registry_previous); the present one is archived and is not
 * rolled back to, unless it is promoted again. out: the row now in Production. ERR_NOT_FOUND: there was none. */
enum err_code registry_rollback(struct store *store, const struct model_name *name, const char *who,
                                struct version_row *out, struct err *err) CHECKED;
enum err_code registry_get(struct store *store, const char *version, struct version_row *out,
                           struct err *err) CHECKED;
/* Any unique prefix of at least 4 digits. ERR_CONFLICT: several begin so. */
enum err_code registry_find(struct store *store, const char *prefix, struct version_row *out,
                            struct err *err) CHECKED;
/* The settings of a training as a JSON object {"options", "engine_options"}; members null where not known. */
enum err_code registry_config(struct store *store, const char *version, struct buffer *out,
                              struct err *err) CHECKED;
enum err_code registry_details(struct store *store, const char *version, struct buffer *out,
                               struct err *err) CHECKED;
/* The Production version; ERR_NOT_FOUND. bot may be "" (any: the newest promoted). */
enum err_code registry_production(struct store *store, const struct model_name *name, struct version_row *out,
                                  struct err *err) CHECKED;
/* Which job trained a version, and what that said of itself: epochs 0 and a loss of NaN change nothing. */
enum err_code registry_set_training(struct store *store, const char *version, int64_t job_id, int64_t epochs,
                                    double train_loss, struct err *err) CHECKED;
/* Versions whose files are there, newest trained first; *count in: capacity, out: filled. subject/variant/bot "" match
 * all. */
enum err_code registry_list(struct store *store, const struct model_name *name, struct version_row *out,
                            size_t *count, struct err *err) CHECKED;
/* The same by more than a name; before_us, before: only what was trained before the last row of the page in hand (its
 * trained_us and version), TIME_NONE and "": from the newest. */
enum err_code registry_search(struct store *store, const struct version_filter *filter, int64_t before_us,
                              const char *before, struct version_row *out, size_t *count,
                              struct err *err) CHECKED;
/* Versions that were promoted before the current one, newest first: what serving falls back to when a file is bad. With
 * nothing in production: all that ever were. *count as above; name complete. */
enum err_code registry_previous(struct store *store, const struct model_name *name, struct version_row *out,
                                size_t *count, struct err *err) CHECKED;
/* Numbers over all versions whose files are there; cleared: how many there are beside them. */
struct registry_summary {
    int64_t active, stale, archived; /* active: trained after fresh_after_us */
    int64_t cleared;
    int64_t storage_bytes;
    int64_t subjects, variants, bots; /* different ones */
};
enum err_code registry_summarise(struct store *store, int64_t fresh_after_us, struct registry_summary *out,
                                 struct err *err) CHECKED;
/* Clears what fits: archives the rows in one transaction, then removes the files. version "" : all that fit the name; else
 * this one only. What is cleared already is left out; nothing that fits: count 0. A training of the same model that is
 * under way is not touched: it may record its version afterwards. out is released with registry_cleared_release. */
enum err_code registry_clear(struct store *store, const struct model_name *name, const char *version,
                             const char *who, const char *why, struct cleared *out, struct err *err) CHECKED;
void registry_cleared_release(struct cleared *cleared);
/* Removes the model files that no row owns (clearing or recording was cut short) and that were last written before
 * before_us: the file of a training that is about to be recorded is younger than an hour. Only reads the store. */
enum err_code registry_sweep(struct store *store, int64_t before_us, size_t *out_files, int64_t *out_bytes,
                             struct err *err) CHECKED;
/* Keeps a promotion decision and its numbers. */
enum err_code registry_record_decision(struct store *store, const char *version,
                                       const struct decision *decision, const char *numbers_json,
                                       struct err *err) CHECKED;
/* The decisions about a version as a JSON array of {at, promoted, reason, numbers}, oldest first. */
enum err_code registry_decisions(struct store *store, const char *version, struct buffer *out,
                                 struct err *err) CHECKED;
/* Reads and checks the file: ERR_CORRUPT when it is damaged, or another version than the row says. */
enum err_code registry_load(const struct version_row *row, struct model **out, struct err *err) CHECKED;
/* The newest `limit` decisions about versions of a model, newest first, as above with subject, variant, bot, version. */
enum err_code registry_model_decisions(struct store *store, const struct model_name *name, int64_t limit,
                                       struct buffer *out, struct err *err) CHECKED;
/* The newest `limit` rows of the history below, newest first; version "": all that fit the name. */
enum err_code registry_recent_history(struct store *store, const struct model_name *name, const char *version,
                                      int64_t limit, struct buffer *out, struct err *err) CHECKED;
/* History of stages as a JSON array of {at, subject, variant, bot, version, from, to, rollback, who, why}, oldest first;
 * from null: the version was recorded. "" in a name matches all. */
enum err_code registry_history(struct store *store, const struct model_name *name, struct buffer *out,
                               struct err *err) CHECKED;

#endif
