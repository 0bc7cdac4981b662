/* HTTP client: one blocking request (libcurl), for pool threads: webhooks, connectors.
 *
 * What may not happen to a server that calls addresses others gave it does not happen here: only http and https; the time,
 * the size of the answer and the number of redirects are bounded; a redirect is followed only to the same scheme, host and
 * port and only for GET and HEAD, so that neither a body nor a header reaches somebody else; addresses of the local link
 * (169.254.0.0/16 and fe80::/10, where clouds keep their secrets), multicast and unspecified ones are never connected to.
 * Certificates are checked. The environment's proxy is used except for loopback.
 * Threads: any, each call is on its own. Memory: the reply is the caller's. */
#ifndef ALMANAC_OS_HTTP_CLIENT_H
#define ALMANAC_OS_HTTP_CLIENT_H

#include "base/buffer.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_CALL_HEADERS = 12, HTTP_CALL_URL_BYTES = 2048, HTTP_TAG_BYTES = 256 };

struct http_call {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "DELETE" */
    const char *url;
    const char *headers[HTTP_CALL_HEADERS]; /* "Name: value"; the first NULL ends them */
    const void *body;                       /* NULL: none */
    size_t body_bytes;
    const char *etag;          /* If-None-Match, NULL or "": none */
    const char *last_modified; /* If-Modified-Since, NULL or "": none */
    int64_t connect_ms;        /* 0: 5 s */
    int64_t total_ms;          /* of all redirects together; 0: 30 s */
    size_t max_bytes;          /* of the answer's body; 0: 1 MiB */
    /* Asked a few times a second on the calling thread: true breaks the call off. May be NULL. */
    bool (*is_stopped)(void *context);
    void *context;
};
struct http_reply {
    int status; /* 200 ... */
    struct buffer body;
    char etag[HTTP_TAG_BYTES], last_modified[HTTP_TAG_BYTES]; /* "" none */
    char content_type[HTTP_TAG_BYTES];
    int64_t retry_after_s; /* -1: not said, or a date */
    int64_t took_us;
};
/* Any status is an answer (304 too: the body is empty then). Errors: ERR_INVALID the address is none; ERR_FORBIDDEN it may
 * not be called; ERR_IO no answer (cannot be resolved, refused, too late, broken off, bad certificate);
 * ERR_TOO_LARGE; ERR_CANCELLED is_stopped said so. Errors never hold more of the address than its host. */
enum err_code http_call_run(const struct http_call *call, struct http_reply *out, struct err *err) CHECKED;
void http_reply_release(struct http_reply *reply);

/* An address that http_call_run would try: http or https, a host, no user or password in it. ERR_INVALID otherwise, with
 * what is wrong. host (may be NULL) receives "host" or "host:port". */
enum err_code http_call_check_url(const char *url, char *host, size_t host_bytes, struct err *err) CHECKED;
/* Once per process before threads that call; safe to call again. */
void http_client_start(void);

#endif
