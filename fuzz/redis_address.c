/* Fuzzes Redis URLs: what is accepted says one place to connect to, all of its texts end within their arrays, and written
 * as a URL again it is read as the same; a refusal names its field and repeats nothing of a URL, which may hold a
 * password. */
#include "cache/redis_address.h"
#include "base/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool ends(const char *text, size_t capacity)
{
    return memchr(text, '\0', capacity) != NULL;
}

static void check_address(const struct redis_address *address)
{
    require(ends(address->host, sizeof(address->host)) && ends(address->path, sizeof(address->path)));
    require(ends(address->user, sizeof(address->user)) && ends(address->password, sizeof(address->password)));
    require((address->host[0] != '\0') != (address->path[0] != '\0'));
    require(address->path[0] == '\0' || address->path[0] == '/');
    require(address->port >= 1 && address->port <= 65535 && address->database >= 0);
}

/* Every byte as %41, so that none has a meaning of its own. */
static void put_encoded(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++)
        buffer_printf(out, "%%%02x", (unsigned)(unsigned char)*text);
}

static void put_url(struct buffer *out, const struct redis_address *address)
{
    if (address->path[0] != '\0') {
        buffer_printf(out, "unix://%s", address->path);
        return;
    }
    bool needs_brackets = strchr(address->host, ':') != NULL || address->host[0] == '[';
    buffer_append_text(out, "redis://");
    put_encoded(out, address->user);
    buffer_append_text(out, ":");
    put_encoded(out, address->password);
    buffer_printf(out, needs_brackets ? "@[%s]:%d/%d" : "@%s:%d/%d", address->host, address->port,
                  address->database);
}

static void check_round_trip(const struct redis_address *address)
{
    struct redis_address again;
    struct buffer url;
    buffer_init(&url, 1 << 16);
    put_url(&url, address);
    require(url.failed == ERR_OK);
    require(redis_address_parse(buffer_text(&url), &again, NULL) == ERR_OK);
    require(strcmp(address->host, again.host) == 0 && strcmp(address->path, again.path) == 0 &&
            strcmp(address->user, again.user) == 0 && strcmp(address->password, again.password) == 0 &&
            address->port == again.port && address->database == again.database);
    buffer_release(&url);
}

/* The message is the same for any URL of the same beginning. */
static void check_refusal(const char *url, const struct err *err)
{
    struct redis_address address;
    struct err other = {0};
    require(err->code == ERR_INVALID && strcmp(err->field, "redis_url") == 0);
    require(redis_address_parse(strncmp(url, "rediss://", 9) == 0 ? "rediss://" : "", &address, &other) ==
            ERR_INVALID);
    require(strcmp(err->text, other.text) == 0);
}

static void parse(const char *url)
{
    struct redis_address address;
    struct err err = {0};
    memset(&address, 0xa5, sizeof(address));
    if (redis_address_parse(url, &address, &err) != ERR_OK) {
        check_refusal(url, &err);
        return;
    }
    check_address(&address);
    check_round_trip(&address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    char *url = malloc(sizeof("redis://") + size_bytes);
    if (url == NULL)
        return 0;
    memcpy(url, "redis://", 8);
    memcpy(url + 8, data, size_bytes);
    url[8 + size_bytes] = '\0';
    parse(url);
    memmove(url, data, size_bytes); /* as it came */
    url[size_bytes] = '\0';
    parse(url);
    free(url);
    return 0;
}
