/* Sockets: the little a server needs of TCP beyond what its HTTP library does.
 *
 * Threads: any. Memory: descriptors only, closed by whoever holds them. */
#ifndef ALMANAC_OS_SOCKET_H
#define ALMANAC_OS_SOCKET_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

/* A non-blocking, close-on-exec socket that listens on address:port. `address` is an IPv4 or IPv6 address as
 * digits, or "localhost"; port 0 is any free one, *out_port says which. ERR_BUSY naming the port when another
 * program has it, ERR_INVALID for what is no address of this machine. */
enum err_code socket_listen(const char *address, uint16_t port, int *out, uint16_t *out_port,
                            struct err *err) CHECKED;
/* Ends both directions at once; whoever polls the socket sees a hang-up and closes it. */
void socket_cut(int descriptor);
/* Everything has been read, and the peer will send no more. */
bool socket_is_ended(int descriptor);
/* Probes a silent peer, so that one that vanished without a word is noticed after about a minute. */
void socket_keep_alive(int descriptor);

#endif
