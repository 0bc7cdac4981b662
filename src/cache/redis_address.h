/* Redis address: where a Redis is and how to log in, from redis://[[user]:password@]host[:port][/database] or unix:///path.
 * User and password may hold %41 for A. Plain data. */
#ifndef ALMANAC_CACHE_REDIS_ADDRESS_H
#define ALMANAC_CACHE_REDIS_ADDRESS_H

#include "base/err.h"

struct redis_address {
    char host[256], path[108];     /* a path means a unix socket */
    char user[128], password[256]; /* "": none */
    int port, database;
};

/* ERR_INVALID on field redis_url; the message does not repeat the URL, as it may hold a password. */
enum err_code redis_address_parse(const char *url, struct redis_address *address, struct err *err) CHECKED;

#endif
