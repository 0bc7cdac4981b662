/* Asset: files inside the binary, and the HTTP rules of serving them: content type, entity tag and 304, compressed
 * bodies, caching.
 *
 * Tables are made by the build from a folder (cmake/embed.cmake): CMakeLists.txt says almanac_embed(almanac_api web
 * <folder>), and the code `extern const struct asset_table asset_table_web;`. Invariant: a table is sorted by path (bytes), and
 * a path is looked up as it is, so nothing outside the table can ever be named. Bodies are lent to the listener, never
 * copied. Threads: any; tables are constant. */
#ifndef ALMANAC_HTTP_ASSET_H
#define ALMANAC_HTTP_ASSET_H

#include "http/listener.h"

/* In the order of preference among those that a client accepts: later ones are smaller. */
enum asset_encoding { ASSET_PLAIN, ASSET_GZIP, ASSET_BROTLI, ASSET_ENCODING_COUNT };

struct asset_body {
    const unsigned char *data; /* NULL: the file has no such body; zero-terminated behind its size */
    size_t size_bytes;
    const char *etag; /* with its quotes; another one for each encoding */
};
struct asset {
    const char *path; /* "assets/app-1f3a.js": relative, no leading '/' */
    struct asset_body bodies[ASSET_ENCODING_COUNT];
};
struct asset_table {
    const struct asset *items;
    size_t count;
};

/* NULL when there is none. One leading '/' is allowed, so a request's path can be given. */
const struct asset *asset_find(const struct asset_table *table, const char *path);
/* "text/html; charset=utf-8", by the ending of the path; "application/octet-stream" when it is not known. */
const char *asset_type(const char *path);
/* 200 with the best body that the client accepts, or 304 when it has that one; ETag, Vary, Cache-Control (for ever below
 * assets/, whose names hold a hash; else asked again each time), nosniff. GET and HEAD are the same here. The asset must
 * outlive the answer. */
void asset_respond(const struct asset *asset, const struct http_request *request,
                   struct http_response *response);
/* The parts, for tests: whether an If-None-Match header names the tag (RFC 9110, 13.1.2: weakly compared, "*" is any), and
 * whether an Accept-Encoding header takes the coding (12.5.3: q=0 refuses). A header may be NULL. */
bool asset_tag_matches(const char *header, const char *etag);
bool asset_coding_accepted(const char *header, const char *coding);

#endif
