/* Defer: an answer that is given later, when work on a pool thread is done, while the loop serves others.
 *
 * A handler calls http_response_defer and returns ERR_OK; the request, its body and its parameters end with the handler, so
 * what the work needs is copied first. The deferred response is filled by whoever has it, one thread at a time (the pool's
 * work() may; pool_submit orders work and done), and http_response_complete sends it. Every deferred response is completed
 * exactly once, whatever happened to the work or the client: completing is what frees it. The client's connection waits
 * without a deadline: who defers bounds the work.
 * Threads: defer and complete on the loop's. Memory: the deferred response has a body of its own; it may outlive the
 * listener, and completing it then only frees it. */
#ifndef ALMANAC_HTTP_DEFER_H
#define ALMANAC_HTTP_DEFER_H

#include "http/listener.h"

struct http_deferred;

/* Once per request, not together with a stream. If the handler returns an error after this, that error is the answer, and
 * completing has no effect but to free. */
enum err_code http_response_defer(const struct http_request *request, struct http_response *response,
                                  struct http_deferred **out, struct err *err) CHECKED;
/* The response to fill: status 200, application/json and an empty body at the start; http_respond_error works on it. */
struct http_response *http_deferred_response(struct http_deferred *deferred);
/* Sends what the response holds, and frees it. */
void http_response_complete(struct http_deferred *deferred);

#endif
