/* What the files of /api/models share with the rest of api/. Threads: the loop's. */
#ifndef ALMANAC_API_MODELS_H
#define ALMANAC_API_MODELS_H

#include "api/api.h"
#include "registry/registry.h"

/* A training was committed: keeps what its job said of it, and tells the followers of "models". */
void api_models_trained(struct api *api, const struct job_row *job, const json_t *result);
/* Tells the followers of "models"; action: trained, promoted, archived, cleared. Nothing happens for an unknown version. */
void api_models_publish(struct api *api, const char *action, const char *version);
/* Submits the training that made a version once more, with the same settings. key: of idempotency, "" none. */
enum err_code api_models_retrain(struct api *api, const struct version_row *row, const char *key,
                                 const char *who, struct job_row *out, bool *out_is_new,
                                 struct err *err) CHECKED;

#endif
