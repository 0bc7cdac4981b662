/* Upgrade: a connection that stops being HTTP (status 101). Inside http/ only.
 *
 * The socket is duplicated and the library's half closed at once: a connection that the library keeps costs it work with
 * every other one that is woken. (True of plain TCP only; a library that does TLS has to stay in between.) From then on
 * the socket belongs to whoever asked for it. Threads: the loop's. */
#ifndef ALMANAC_HTTP_UPGRADE_H
#define ALMANAC_HTTP_UPGRADE_H

#include "http/connection.h"
#include "http/listener.h"

struct MHD_Response;

/* The response becomes a 101 with `protocol` in the header Upgrade; further headers are added as usual. done is called once,
 * later: with the socket (non-blocking, close-on-exec, owned by the callee) and the bytes that came behind the request, or
 * with -1 when the client has left before, or the response became something else. */
void http_upgrade_open(const struct http_request *request, struct http_response *response,
                       struct http_upgrade upgrade);
/* Of a response with status 101; NULL when out of memory. */
struct MHD_Response *upgrade_answer(struct connection *connection);
/* The request is over, or is answered otherwise: done is called if it was not. */
void upgrade_leave(struct connection *connection);

#endif
