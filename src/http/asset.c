/* Asset: see asset.h. Everything is decided from the request's two headers and the table's row; nothing is kept. */
#include "http/asset.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

#define CACHE_FOREVER "public, max-age=31536000, immutable"
#define CACHE_ASK     "no-cache"

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/markdown; charset=utf-8"},
};

const char *asset_type(const char *path)
{
    size_t path_bytes = strlen(path);
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        size_t ending_bytes = strlen(types[i].ending);
        if (path_bytes > ending_bytes && strcmp(path + path_bytes - ending_bytes, types[i].ending) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

const struct asset *asset_find(const struct asset_table *table, const char *path)
{
    size_t from = 0, to = table->count;
    if (path[0] == '/')
        path++;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(path, table->items[middle].path);
        if (order == 0)
            return &table->items[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* The next element of a comma-separated header, trimmed; false at the end. Entity tags of ours hold no commas, and a tag
 * of somebody else that does is cut into parts that are none of ours. */
static bool take_element(struct text *rest, struct text *out)
{
    if (!text_split(rest, ',', out))
        return false;
    *out = text_trim(*out);
    return true;
}

bool asset_tag_matches(const char *header, const char *etag)
{
    struct text rest, element;
    if (header == NULL)
        return false;
    rest = text_of(header);
    while (take_element(&rest, &element)) {
        if (element.size_bytes > 2 && memcmp(element.data, "W/", 2) == 0) {
            element.data += 2;
            element.size_bytes -= 2;
        }
        if (text_equal(element, etag) || text_equal(element, "*"))
            return true;
    }
    return false;
}

/* q=0, q=0.0, q=0.000 */
static bool is_refused(struct text parameters)
{
    struct text part;
    while (text_split(&parameters, ';', &part)) {
        part = text_trim(part);
        if (part.size_bytes < 3 || (part.data[0] != 'q' && part.data[0] != 'Q') || part.data[1] != '=')
            continue;
        for (size_t i = 2; i < part.size_bytes; i++)
            if (part.data[i] != '0' && part.data[i] != '.')
                return false;
        return true;
    }
    return false;
}

bool asset_coding_accepted(const char *header, const char *coding)
{
    struct text rest, element, name;
    bool any = false;
    if (header == NULL)
        return false;
    rest = text_of(header);
    while (take_element(&rest, &element)) {
        if (!text_split(&element, ';', &name))
            continue;
        name = text_trim(name);
        if (text_equal_nocase(name, coding))
            return !is_refused(element);
        if (text_equal(name, "*"))
            any = !is_refused(element);
    }
    return any;
}

static const char *const codings[] = {NULL, "gzip", "br"};

static enum asset_encoding choose(const struct asset *asset, const struct http_request *request,
                                  bool *has_choice)
{
    enum asset_encoding best = ASSET_PLAIN;
    const char *accepted = http_request_header(request, "Accept-Encoding");
    *has_choice = false;
    for (int i = ASSET_GZIP; i < ASSET_ENCODING_COUNT; i++) {
        if (asset->bodies[i].data == NULL)
            continue;
        *has_choice = true;
        if (asset_coding_accepted(accepted, codings[i]))
            best = (enum asset_encoding)i;
    }
    return best;
}

void asset_respond(const struct asset *asset, const struct http_request *request,
                   struct http_response *response)
{
    bool has_choice;
    enum asset_encoding encoding = choose(asset, request, &has_choice);
    const struct asset_body *body = &asset->bodies[encoding];
    assert(body->data != NULL && body->etag != NULL);
    response->content_type = asset_type(asset->path);
    http_response_header(response, "ETag", body->etag);
    http_response_header(response, "Cache-Control",
                         strncmp(asset->path, "assets/", 7) == 0 ? CACHE_FOREVER : CACHE_ASK);
    http_response_header(response, "X-Content-Type-Options", "nosniff");
    if (has_choice)
        http_response_header(response, "Vary", "Accept-Encoding");
    if (asset_tag_matches(http_request_header(request, "If-None-Match"), body->etag)) {
        response->status = 304;
        response->content_type = NULL;
        return;
    }
    if (encoding != ASSET_PLAIN)
        http_response_header(response, "Content-Encoding", codings[encoding]);
    response->borrowed = body->data;
    response->borrowed_bytes = body->size_bytes;
}
