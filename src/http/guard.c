/* Guard: see guard.h. libmicrohttpd is lenient: of repeated headers it takes the first, it prefers
 * Transfer-Encoding to Content-Length, and it takes "Content-Length " for an unknown header; so all of that
 * is refused here. */
#include "http/guard.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>

enum { QUOTE_CHARACTERS = 80 }; /* of what a client sent, in an error text */

/* The value of a hexadecimal digit, or -1. */
static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

static enum err_code check_escape(const char *at, bool in_path, struct err *err)
{
    int high = hex_digit(at[1]);
    int low = high < 0 ? -1 : hex_digit(at[2]);
    if (low < 0)
        return err_set(err, ERR_INVALID, "incomplete percent-escape '%.3s': write '%%25' for a percent sign",
                       at);
    int byte = 16 * high + low;
    if (byte == 0 || (in_path && (byte < 0x20 || byte == 0x7f)))
        return err_set(err, ERR_INVALID, "control character '%.3s' in the %s: leave it out", at,
                       in_path ? "path" : "query");
    return ERR_OK;
}

enum err_code guard_check_target(const char *target, struct err *err)
{
    bool in_path = true;
    if (target[0] != '/')
        return err_set(err, ERR_INVALID, "the request target '%.*s' must start with '/'", QUOTE_CHARACTERS,
                       target);
    for (const char *at = target; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') /* char is signed: bytes above 0x7f are negative */
            return err_set(err, ERR_INVALID, "byte 0x%02x in the request target: write it as '%%%02X'",
                           (unsigned)(unsigned char)*at, (unsigned)(unsigned char)*at);
        if (*at == '?')
            in_path = false;
        if (*at == '%' && check_escape(at, in_path, err) != ERR_OK)
            return ERR_INVALID;
    }
    return ERR_OK;
}

enum err_code guard_check_path(const char *path, struct err *err)
{
    if (!text_is_utf8(text_of(path)))
        return err_set(err, ERR_INVALID, "the path is not UTF-8: escape the bytes of its UTF-8 form");
    return ERR_OK;
}

/* RFC 9110, 5.6.2: the characters of a header name. */
static bool is_token(const char *name)
{
    if (name[0] == '\0')
        return false;
    for (; *name != '\0'; name++) {
        bool is_letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z');
        if (!is_letter && *name != '-' && (*name < '0' || *name > '9') &&
            strchr("!#$%&'*+.^_`|~", *name) == NULL)
            return false;
    }
    return true;
}

static void take_once(struct guard *guard, const char **slot, const char *name, const char *value)
{
    if (*slot != NULL)
        guard->repeated = name;
    else
        *slot = value;
}

void guard_take_header(struct guard *guard, const char *name, const char *value)
{
    if (value == NULL)
        value = "";
    if (!is_token(name))
        guard->malformed = name;
    switch (name[0] | 0x20) { /* lower case; most headers end here */
    case 'h':
        if (strcasecmp(name, "host") == 0)
            take_once(guard, &guard->host, "Host", value);
        break;
    case 'o':
        if (strcasecmp(name, "origin") == 0)
            take_once(guard, &guard->origin, "Origin", value);
        break;
    case 'c':
        if (strcasecmp(name, "content-length") == 0)
            take_once(guard, &guard->length, "Content-Length", value);
        break;
    case 't':
        if (strcasecmp(name, "transfer-encoding") == 0)
            take_once(guard, &guard->encoding, "Transfer-Encoding", value);
        break;
    case 'u':
        if (strcasecmp(name, "upgrade") == 0)
            guard->upgrades = true;
        break;
    case 'e':
        if (strcasecmp(name, "expect") == 0)
            guard->expects_continue = true;
        break;
    default:
        break;
    }
}

enum err_code guard_check_framing(const struct guard *guard, int64_t *out_length_bytes, struct err *err)
{
    *out_length_bytes = -1;
    if (guard->malformed != NULL)
        return err_set(err, ERR_INVALID, "malformed header name '%.*s'", QUOTE_CHARACTERS, guard->malformed);
    if (guard->repeated != NULL)
        return err_set(err, ERR_INVALID, "the header '%s' is there more than once: send it once",
                       guard->repeated);
    if (guard->encoding != NULL && guard->length != NULL)
        return err_set(err, ERR_INVALID,
                       "both 'Content-Length' and 'Transfer-Encoding' are there: send one of them");
    if (guard->encoding != NULL && strcasecmp(guard->encoding, "chunked") != 0)
        return err_set(err, ERR_INVALID,
                       "cannot read the transfer encoding '%.*s': send 'chunked' or 'Content-Length'",
                       QUOTE_CHARACTERS, guard->encoding);
    if (guard->length != NULL && (!text_parse_i64(text_of(guard->length), out_length_bytes) ||
                                  *out_length_bytes < 0 || guard->length[0] == '+'))
        return err_set(err, ERR_INVALID, "the content length '%.*s' is not a number of bytes",
                       QUOTE_CHARACTERS, guard->length);
    return ERR_OK;
}

static bool is_port(struct text text)
{
    if (text.size_bytes == 0 || text.size_bytes > 5)
        return false;
    for (size_t index = 0; index < text.size_bytes; index++)
        if (text.data[index] < '0' || text.data[index] > '9')
            return false;
    return true;
}

/* Splits "name", "name:port", "[v6]" or "[v6]:port"; *out_name goes without the brackets. False when it is
 * neither. */
static bool split_host(struct text host, struct text *out_name, bool *out_bracketed)
{
    const char *colon;
    struct text rest;
    *out_bracketed = host.size_bytes > 0 && host.data[0] == '[';
    if (*out_bracketed) {
        const char *end = memchr(host.data, ']', host.size_bytes);
        if (end == NULL)
            return false;
        *out_name = (struct text){host.data + 1, (size_t)(end - host.data) - 1};
        rest = (struct text){end + 1, host.size_bytes - out_name->size_bytes - 2};
        colon = rest.size_bytes > 0 ? rest.data : NULL;
        if (colon != NULL && *colon != ':')
            return false;
    } else {
        colon = memchr(host.data, ':', host.size_bytes);
        *out_name = (struct text){host.data, colon == NULL ? host.size_bytes : (size_t)(colon - host.data)};
    }
    if (colon == NULL)
        return out_name->size_bytes > 0;
    return out_name->size_bytes > 0 &&
           is_port((struct text){colon + 1, (size_t)(host.data + host.size_bytes - colon) - 1});
}

static bool is_digits_address(struct text name, bool bracketed)
{
    const char *allowed = bracketed ? "0123456789abcdefABCDEF:." : "0123456789.";
    for (size_t index = 0; index < name.size_bytes; index++)
        if (name.data[index] == '\0' || strchr(allowed, name.data[index]) == NULL)
            return false;
    return true;
}

static bool names_this_server(struct text host, const char *address)
{
    struct text name;
    bool bracketed;
    if (!split_host(host, &name, &bracketed))
        return false;
    if (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
        if (is_digits_address(name, bracketed))
            return true;
    if (bracketed)
        return text_equal(name, "::1") || text_equal_nocase(name, address);
    return text_equal_nocase(name, "localhost") || text_equal(name, "127.0.0.1") ||
           text_equal_nocase(name, address);
}

/* "http://localhost:3000": what a browser names as the page's home. "null" (a file, a sandbox) is not ours
 * either. */
static bool origin_is_this_server(const char *origin, const char *address)
{
    size_t scheme_bytes;
    if (strncasecmp(origin, "http://", 7) == 0)
        scheme_bytes = 7;
    else if (strncasecmp(origin, "https://", 8) == 0)
        scheme_bytes = 8;
    else
        return false;
    return names_this_server(text_of(origin + scheme_bytes), address);
}

enum err_code guard_check_access(const struct guard *guard, const char *address, bool only_reads,
                                 bool needs_host, struct err *err)
{
    if (guard->host == NULL && needs_host)
        return err_set(err, ERR_INVALID, "the header 'Host' is missing");
    if (guard->host != NULL && !names_this_server(text_of(guard->host), address))
        return err_set(err, ERR_FORBIDDEN,
                       "the host '%.*s' is not this server: use localhost, 127.0.0.1 or '%s'",
                       QUOTE_CHARACTERS, guard->host, address);
    if (!only_reads && guard->origin != NULL && !origin_is_this_server(guard->origin, address))
        return err_set(err, ERR_FORBIDDEN,
                       "a page of '%.*s' may not change anything here: use a page of this server",
                       QUOTE_CHARACTERS, guard->origin);
    return ERR_OK;
}
