/* The dashboard: the page behind GET /, /training, /models and /schedule (the page itself looks at its path), the files it
 * loads, and its icon. All of it comes out of the binary (http/asset.h, built from web/ by tools/web.sh); a program built
 * without npm has none and says so in a page of its own.
 *
 * The policy lets the page load, run and reach nothing but this server: whatever text of a team, a log or an error came to
 * stand in it, it cannot run. There is no inline code and no inline style for the same reason. */
#include "api/api.h"
#include "http/asset.h"

extern const struct asset_table asset_table_web;

enum err_code api_dashboard(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err);
enum err_code api_dashboard_file(void *context, const struct route_match *match,
                                 struct http_response *response, struct err *err);

static const char policy[] = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
                             "frame-ancestors 'none'";
static const char not_built[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Almanac</title>"
    "<h1>Almanac is running</h1><p>This program was built without its dashboard, because npm was missing. "
    "Install npm, run <code>make build</code> and start it again. Everything else works: the HTTP API is "
    "described by <a href=\"/openapi.json\">/openapi.json</a>, the commands by <code>almanac "
    "help</code>.</p>";

static void guard_page(struct http_response *response)
{
    http_response_header(response, "Content-Security-Policy", policy);
    http_response_header(response, "Referrer-Policy", "same-origin");
    http_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
}

enum err_code api_dashboard(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err)
{
    const struct asset *page = asset_find(&asset_table_web, "index.html");
    (void)context;
    (void)err;
    if (page != NULL) {
        asset_respond(page, match->request, response);
    } else {
        response->content_type = "text/html; charset=utf-8";
        response->borrowed = not_built;
        response->borrowed_bytes = sizeof(not_built) - 1;
        http_response_header(response, "Cache-Control", "no-cache");
    }
    guard_page(response);
    return ERR_OK;
}

enum err_code api_dashboard_file(void *context, const struct route_match *match,
                                 struct http_response *response, struct err *err)
{
    const char *path = match->request->path;
    const struct asset *file = asset_find(&asset_table_web, path);
    (void)context;
    if (file == NULL)
        return err_set(err, ERR_NOT_FOUND, "the dashboard has no file '%s'", path);
    asset_respond(file, match->request, response);
    return ERR_OK;
}
