/* SHA-1 (FIPS 180-4), for the handshake of RFC 6455 alone: it proves there that the other side speaks WebSocket and keeps
 * no secret. Everything else is hashed by base/hash.h. Threads: any. */
#ifndef ALMANAC_HTTP_SHA1_H
#define ALMANAC_HTTP_SHA1_H

#include <stddef.h>

enum { SHA1_BYTES = 20, SHA1_INPUT_BYTES = 119 };

/* At most SHA1_INPUT_BYTES (two blocks); more is a bug of the caller. */
void sha1(const void *data, size_t size_bytes, unsigned char out[SHA1_BYTES]);

#endif
