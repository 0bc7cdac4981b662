/* Redis address: see redis_address.h. */
#include "cache/redis_address.h"

#include "base/text.h"

#include <string.h>

enum { DEFAULT_PORT = 6379 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* With %41 for A; false when it is too long or broken. */
static bool decode(struct text text, char *out, size_t out_bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size_bytes; i++) {
        char byte = text.data[i];
        if (byte == '%') {
            if (i + 2 >= text.size_bytes)
                return false;
            int high = hex_digit(text.data[i + 1]), low = hex_digit(text.data[i + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (used + 1 >= out_bytes || byte == '\0')
            return false;
        out[used++] = byte;
    }
    out[used] = '\0';
    return true;
}

static struct text before(struct text text, const char *end)
{
    return (struct text){text.data, (size_t)(end - text.data)};
}

static struct text behind(struct text text, const char *begin)
{
    return (struct text){begin, (size_t)(text.data + text.size_bytes - begin)};
}

static const char *find(struct text text, char byte)
{
    return text.size_bytes == 0 ? NULL : memchr(text.data, byte, text.size_bytes);
}

/* Digits only, without a sign. */
static bool parse_number(struct text text, int64_t min, int64_t max, int *out)
{
    int64_t number;
    if (text.size_bytes == 0 || text.data[0] < '0' || text.data[0] > '9' || !text_parse_i64(text, &number) ||
        number < min || number > max)
        return false;
    *out = (int)number;
    return true;
}

static bool parse_port(struct text text, int *out)
{
    return parse_number(text, 1, 65535, out);
}

/* user:password@ ; *rest loses it */
static bool parse_login(struct redis_address *address, struct text *rest)
{
    const char *at = NULL, *slash = find(*rest, '/');
    struct text authority = slash != NULL ? before(*rest, slash) : *rest;
    for (const char *p = authority.data; p < authority.data + authority.size_bytes; p++) {
        if (*p == '@')
            at = p; /* the last one */
    }
    if (at == NULL)
        return true;
    struct text login = before(*rest, at);
    const char *colon = find(login, ':');
    *rest = behind(*rest, at + 1);
    return colon != NULL && decode(before(login, colon), address->user, sizeof(address->user)) &&
           decode(behind(login, colon + 1), address->password, sizeof(address->password));
}

/* host, host:port, [::1]:port */
static bool parse_host(struct redis_address *address, struct text text)
{
    const char *end;
    if (text.size_bytes > 0 && text.data[0] == '[') {
        end = find(text, ']');
        if (end == NULL || end == text.data + 1 ||
            !text_copy(before(behind(text, text.data + 1), end), address->host, sizeof(address->host)))
            return false;
        text = behind(text, end + 1);
        return text.size_bytes == 0 ||
               (text.data[0] == ':' && parse_port(behind(text, text.data + 1), &address->port));
    }
    end = find(text, ':');
    struct text host = end != NULL ? before(text, end) : text;
    return host.size_bytes > 0 && text_copy(host, address->host, sizeof(address->host)) &&
           (end == NULL || parse_port(behind(text, end + 1), &address->port));
}

static bool parse_tcp(struct redis_address *address, struct text rest)
{
    if (!parse_login(address, &rest))
        return false;
    const char *slash = find(rest, '/');
    struct text database = slash != NULL ? behind(rest, slash + 1) : (struct text){"", 0};
    return (database.size_bytes == 0 || parse_number(database, 0, 1 << 20, &address->database)) &&
           parse_host(address, slash != NULL ? before(rest, slash) : rest);
}

enum err_code redis_address_parse(const char *url, struct redis_address *address, struct err *err)
{
    struct text text = text_of(url);
    bool is_good = false;
    *address = (struct redis_address){.port = DEFAULT_PORT};
    if (text_starts(text, "rediss://"))
        return err_set_field(
            err, ERR_INVALID, "redis_url",
            "the Redis address asks for TLS, which is not built in; use redis:// through a tunnel");
    if (text_starts(text, "redis://"))
        is_good = parse_tcp(address, behind(text, text.data + strlen("redis://")));
    else if (text_starts(text, "unix://"))
        is_good =
            text_copy(behind(text, text.data + strlen("unix://")), address->path, sizeof(address->path)) &&
            address->path[0] == '/';
    if (!is_good)
        return err_set_field(
            err, ERR_INVALID, "redis_url",
            "the Redis address is not of the form redis://[:password@]host[:port][/database] or "
            "unix:///path");
    return ERR_OK;
}
