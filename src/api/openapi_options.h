/* The schema of an option table: what a task accepts as JSON, and only that. Inside api/ only. */
#ifndef ALMANAC_API_OPENAPI_OPTIONS_H
#define ALMANAC_API_OPENAPI_OPTIONS_H

#include "base/json.h"
#include "base/option.h"

/* An object schema with one property per row: type, range, choices, default, meaning; nothing else allowed. null stands for
 * the default everywhere. NULL without memory; released with json_decref. */
json_t *openapi_options(const struct option_table *table, const char *doc);

#endif
