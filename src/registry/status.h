/* Status: what a person sees of a model (SPEC, "Words"): active while its training is less than a day old, stale after,
 * failed when the training failed, archived when it is out of use or cleared. Threads: any. */
#ifndef ALMANAC_REGISTRY_STATUS_H
#define ALMANAC_REGISTRY_STATUS_H

#include "base/time.h"
#include "registry/registry.h"

enum model_status {
#define MODEL_STATUS(symbol, name, colour) MODEL_##symbol,
#include "registry/status_list.h"
#undef MODEL_STATUS
    MODEL_STATUS_COUNT
};
#define MODEL_FRESH_US (24 * TIME_HOUR_US)

const char *model_status_name(enum model_status status);   /* "active" */
const char *model_status_colour(enum model_status status); /* "#26a69a" */
int model_status_find(const char *name);                   /* -1 unknown */
/* Of a version; exactly a day old is stale. A clock that went back makes nothing stale. */
enum model_status model_status_of(const struct version_row *row, int64_t now_us);

#endif
