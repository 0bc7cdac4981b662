/* Request: the life of one request, from its first line to its last byte sent: the callbacks of libmicrohttpd
 * that carry a struct connection. Inside http/ only. Threads: the loop's. */
#ifndef ALMANAC_HTTP_REQUEST_H
#define ALMANAC_HTTP_REQUEST_H

#include "http/connection.h"
#include "http/listener.h"

#include <microhttpd.h>

/* What a request needs of its listener. */
struct request_owner {
    struct loop *loop;
    void (*handle)(void *context, const struct http_request *request, struct http_response *response);
    void (*observe)(void *context, const struct http_response *response, int64_t took_us); /* may be NULL */
    void *context;
    char address[64];     /* as bound, for the Host check */
    int64_t now_ms;       /* of the current round, monotonic */
    size_t untaken_bytes; /* of all answers that are being sent */
    bool is_due;          /* the library has something to do that no descriptor shows */
};

/* The first line has been read, and is not decoded yet. Returns the connection, which comes back in *context
 * below. */
void *request_begin(void *listener, const char *target, struct MHD_Connection *handle);
/* Called with the headers, with each piece of the body, and once more at the end. */
enum MHD_Result request_continue(void *listener, struct MHD_Connection *handle, const char *path,
                                 const char *method, const char *version, const char *data,
                                 size_t *size_bytes, void **context);
/* Sent, or failed. */
void request_completed(void *listener, struct MHD_Connection *handle, void **context,
                       enum MHD_RequestTerminationCode how);

#endif
