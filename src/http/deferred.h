/* Deferred: inside view of an answer that is given later (defer.h). Inside http/ only. */
#ifndef ALMANAC_HTTP_DEFERRED_H
#define ALMANAC_HTTP_DEFERRED_H

#include "http/connection.h"
#include "http/defer.h"

struct http_deferred {
    struct connection *connection; /* NULL: it is gone, or has been answered otherwise */
    struct http_response response;
    bool is_parked;   /* the library has let go of the connection */
    bool is_complete; /* sent as soon as the library comes back to the connection */
};

/* Lets the library forget the connection until the answer is complete. */
void deferred_park(struct http_deferred *deferred);
/* The connection is closed or answered otherwise; it is freed here when it was complete, else by its completion. */
void deferred_leave(struct connection *connection);
/* Before the library is stopped: it must not be stopped with parked connections. */
void deferred_cut(struct connection *connection);

#endif
