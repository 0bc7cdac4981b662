/* Guard: what a request must look like before anybody reads it. Text only, no library: unit tests and fuzzers
 * call it.
 *
 * A request is judged in three steps. Its target (path and query as sent) must start with '/', hold no
 * control character, no space, no byte above 0x7e, only complete percent-escapes, none of them %00, and its
 * path none of a control character. Its headers must say without doubt where the body ends (framing):
 * anything else lets two programs in a row read two different requests out of the same bytes. Host and Origin
 * must name this server (access): a page from elsewhere, or a name that was made to point here, must not
 * steer a server that trusts its own machine. Threads: any. Memory: strings are borrowed from the request. */
#ifndef ALMANAC_HTTP_GUARD_H
#define ALMANAC_HTTP_GUARD_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* Collected header by header; starts zeroed. */
struct guard {
    const char *host, *origin, *length, *encoding; /* NULL: not there */
    const char *repeated;                          /* name of a header that may come once and came twice */
    const char *malformed;                         /* a header name with a blank or control character */
    bool upgrades;                                 /* wants to stop being HTTP: more than a GET that reads */
    bool expects_continue;                         /* the client waits before it sends the body */
};

/* The request target as sent, e.g. "/api/jobs/7?tail=1". ERR_INVALID. */
enum err_code guard_check_target(const char *target, struct err *err) CHECKED;
/* The decoded path. ERR_INVALID unless it is UTF-8. */
enum err_code guard_check_path(const char *path, struct err *err) CHECKED;
void guard_take_header(struct guard *guard, const char *name, const char *value);
/* ERR_INVALID when the end of the body is in doubt: the connection cannot be used any more. *out_length_bytes
 * is what Content-Length declares, -1 without one. */
enum err_code guard_check_framing(const struct guard *guard, int64_t *out_length_bytes,
                                  struct err *err) CHECKED;
/* Host must be localhost, 127.0.0.1, [::1] or `address` (what the server is bound to), with any port; when
 * bound to every address (0.0.0.0, ::) also any address in digits, since only a name can be made to point
 * elsewhere. Origin, if any, must be http(s):// and such a host, unless the request only reads (GET, HEAD). A
 * missing Host is refused unless !needs_host (HTTP/1.0). ERR_INVALID or ERR_FORBIDDEN. */
enum err_code guard_check_access(const struct guard *guard, const char *address, bool only_reads,
                                 bool needs_host, struct err *err) CHECKED;

#endif
