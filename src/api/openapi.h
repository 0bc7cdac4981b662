/* Openapi: the description of the HTTP API, OpenAPI 3.1, made from what the program itself runs on: the route table (paths,
 * summaries), the option tables of the tasks (components task_<name>), the list of errors, and one fragment per resource in
 * src/api/schema/, which says what no table knows: the shapes of queries, bodies and answers. Fragments are inside the
 * binary.
 *
 * A route without a fragment is described by its path alone; a fragment without a route is left out. Both are problems, listed by
 * openapi_write, and the unit test wants none. Threads: any; no state but the cache of GET /openapi.json, which belongs to
 * the loop's. */
#ifndef ALMANAC_API_OPENAPI_H
#define ALMANAC_API_OPENAPI_H

#include "base/buffer.h"
#include "base/err.h"
#include "http/asset.h"
#include "http/router.h"

extern const struct asset_table asset_table_schema; /* src/api/schema, see cmake/embed.cmake */

/* Appends the document; the same input gives the same bytes. Appends to `problems` (may be NULL) one line per route without a
 * fragment, fragment without a route, name defined twice, and reference to nothing. ERR_INVALID when a fragment is no JSON
 * object. */
enum err_code openapi_write(const struct route *routes, const struct asset_table *fragments, bool is_indented,
                            struct buffer *out, struct buffer *problems, struct err *err) CHECKED;

/* The cached answer of GET /openapi.json; NULL is fine. */
struct openapi;
void openapi_destroy(struct openapi *openapi);

#endif
