/* Router: finds the row of a route table for a method and a path; knows no route itself. Patterns have
 * literal segments and {name} segments: "/api/jobs/{id}/logs"; the first row that fits is taken. A parameter
 * is never empty and shorter than ROUTE_PARAMETER_BYTES. 404 and 405 (with Allow) are answered here in the
 * one error shape. Threads: any; tables are constant. */
#ifndef ALMANAC_HTTP_ROUTER_H
#define ALMANAC_HTTP_ROUTER_H

#include "http/listener.h"

enum { ROUTE_PARAMETERS = 4, ROUTE_PARAMETER_BYTES = 256 };

struct route_match {
    const struct http_request *request;
    char parameters[ROUTE_PARAMETERS][ROUTE_PARAMETER_BYTES]; /* in the order of the pattern */
};

struct route {
    const char *method, *pattern;
    /* Returns an error to be answered in the error shape; or fills the response. */
    enum err_code (*handle)(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err);
    const char *doc; /* one sentence for docs/generated/api.md */
};

/* routes end with method NULL. HEAD is answered like GET (the listener drops the body). */
void router_dispatch(const struct route *routes, void *context, const struct http_request *request,
                     struct http_response *response);
/* {"error": {"code", "message", "field"}} with the status of the code, field null when no input field is at
 * fault; drops what the body held, and the stream if one was opened. */
void http_respond_error(struct http_response *response, const struct err *err);

#endif
