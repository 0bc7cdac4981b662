/* Drift: what the files of drift and retraining share. */
#ifndef ALMANAC_API_DRIFT_H
#define ALMANAC_API_DRIFT_H

#include "base/err.h"
#include "base/json.h"
#include "http/router.h"
#include "store/job_store.h"
#include "store/retrain_store.h"

struct api;

/* The query parameters subject, variant and bot; "" where absent. ERR_INVALID: longer than a name can be. */
enum err_code api_watched_filter(const struct http_request *request, struct watched_model *out,
                                 struct err *err) CHECKED;
/* A look at the models has ended: tells those who follow the topic "drift". */
void api_drift_job_changed(const struct api *api, const struct job_row *job);

#endif
