/* HTTP client over libcurl's easy interface. Redirects are followed here and not by the library, which knows no rule "same
 * host only"; the addresses that may not be called are refused where a socket is made, after the name was resolved, so that
 * a name which resolves to them is of no use either. */
#include "os/http_client.h"

#include "os/clock.h"

#include <assert.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <threads.h>
#include <unistd.h>

enum { CONNECT_MS = 5000, TOTAL_MS = 30000, BODY_BYTES = 1 << 20, REDIRECTS_MAX = 5, HOST_BYTES = 300 };

static once_flag started = ONCE_FLAG_INIT;

static void start(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(code == CURLE_OK);
    (void)code;
}

void http_client_start(void)
{
    call_once(&started, start);
}

void http_reply_release(struct http_reply *reply)
{
    buffer_release(&reply->body);
}

/* ---- addresses ---- */

/* A part of a parsed address; "" when it has none. */
static void url_part(CURLU *url, CURLUPart part, unsigned flags, char *out, size_t out_bytes)
{
    char *text = NULL;
    out[0] = '\0';
    if (curl_url_get(url, part, &text, flags) == CURLUE_OK && text != NULL)
        (void)snprintf(out, out_bytes, "%s", text);
    curl_free(text);
}

static enum err_code check_parts(CURLU *url, char host[HOST_BYTES], struct err *err)
{
    char scheme[16], user[8], password[8], port[8];
    url_part(url, CURLUPART_SCHEME, 0, scheme, sizeof scheme);
    url_part(url, CURLUPART_USER, 0, user, sizeof user);
    url_part(url, CURLUPART_PASSWORD, 0, password, sizeof password);
    url_part(url, CURLUPART_HOST, 0, host, HOST_BYTES - 8);
    url_part(url, CURLUPART_PORT, 0, port, sizeof port);
    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        return err_set_field(err, ERR_INVALID, "url", "an address begins with http:// or https://");
    if (user[0] != '\0' || password[0] != '\0')
        return err_set_field(err, ERR_INVALID, "url", "an address must not hold a user or a password");
    if (host[0] == '\0')
        return err_set_field(err, ERR_INVALID, "url", "the address names no host");
    if (port[0] != '\0')
        (void)snprintf(host + strlen(host), 8, ":%.5s", port);
    return ERR_OK;
}

enum err_code http_call_check_url(const char *url, char *host, size_t host_bytes, struct err *err)
{
    char name[HOST_BYTES] = "";
    size_t size = strlen(url);
    if (size == 0 || size >= HTTP_CALL_URL_BYTES)
        return err_set_field(err, ERR_INVALID, "url", "an address has 1 to %d bytes",
                             HTTP_CALL_URL_BYTES - 1);
    for (size_t index = 0; index < size; index++) {
        if ((unsigned char)url[index] <= ' ' || url[index] == 0x7f)
            return err_set_field(err, ERR_INVALID, "url",
                                 "an address holds no blanks and no control characters");
    }
    http_client_start();
    CURLU *parsed = curl_url();
    if (parsed == NULL)
        return err_nomem(err, HTTP_CALL_URL_BYTES);
    enum err_code code = ERR_OK;
    if (curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        code = err_set_field(err, ERR_INVALID, "url", "this is no address such as https://host/path");
    if (code == ERR_OK)
        code = check_parts(parsed, name, err);
    curl_url_cleanup(parsed);
    if (host != NULL)
        (void)snprintf(host, host_bytes, "%s", name);
    return code;
}

/* Scheme, host and port are the same; ports that follow from the scheme are filled in. */
static bool is_same_place(const char *a, const char *b)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    CURLU *left = curl_url(), *right = curl_url();
    bool same = left != NULL && right != NULL && curl_url_set(left, CURLUPART_URL, a, 0) == CURLUE_OK &&
                curl_url_set(right, CURLUPART_URL, b, 0) == CURLUE_OK;
    for (size_t index = 0; same && index < sizeof parts / sizeof parts[0]; index++) {
        char x[HOST_BYTES], y[HOST_BYTES];
        url_part(left, parts[index], CURLU_DEFAULT_PORT, x, sizeof x);
        url_part(right, parts[index], CURLU_DEFAULT_PORT, y, sizeof y);
        same = strcasecmp(x, y) == 0;
    }
    curl_url_cleanup(left);
    curl_url_cleanup(right);
    return same;
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           ((strncasecmp(host, "localhost", 9) == 0) && (host[9] == '\0' || host[9] == ':'));
}

static bool is_forbidden_v4(uint32_t address)
{
    return address >> 16 == 0xA9FE /* 169.254/16 */ || address >> 28 == 0xE /* multicast */ ||
           address >> 24 == 0 /* this network */ || address == 0xFFFFFFFF;
}

static bool is_forbidden(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_forbidden_v4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return true;
    struct sockaddr_in6 in;
    memcpy(&in, address, sizeof in);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
        uint32_t v4;
        memcpy(&v4, in.sin6_addr.s6_addr + 12, sizeof v4);
        return is_forbidden_v4(ntohl(v4));
    }
    return IN6_IS_ADDR_LINKLOCAL(&in.sin6_addr) || IN6_IS_ADDR_MULTICAST(&in.sin6_addr) ||
           IN6_IS_ADDR_UNSPECIFIED(&in.sin6_addr);
}

/* ---- one request ---- */

struct transfer {
    const struct http_call *call;
    struct http_reply *reply;
    CURL *curl;
    struct curl_slist *headers;
    char host[HOST_BYTES];
    char message[CURL_ERROR_SIZE];
    bool is_refused, is_stopped;
};

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = context;
    (void)purpose;
    if (is_forbidden(&address->addr)) {
        transfer->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    buffer_append(&transfer->reply->body, data, size * count);
    return transfer->reply->body.failed == ERR_OK ? size * count : 0;
}

static int look(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct transfer *transfer = context;
    (void)a, (void)b, (void)c, (void)d;
    if (transfer->call->is_stopped != NULL && transfer->call->is_stopped(transfer->call->context))
        transfer->is_stopped = true;
    return transfer->is_stopped ? 1 : 0;
}

static bool add_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *list = curl_slist_append(transfer->headers, line);
    if (list == NULL)
        return false;
    transfer->headers = list;
    return true;
}

static bool add_condition(struct transfer *transfer, const char *name, const char *value)
{
    char line[HTTP_TAG_BYTES + 64];
    if (value == NULL || value[0] == '\0')
        return true;
    (void)snprintf(line, sizeof line, "%s: %s", name, value);
    return add_header(transfer, line);
}

static bool add_headers(struct transfer *transfer)
{
    bool ok = add_header(transfer, "Expect:"); /* no waiting for "100 Continue" */
    for (size_t index = 0; index < HTTP_CALL_HEADERS && transfer->call->headers[index] != NULL; index++)
        ok = ok && add_header(transfer, transfer->call->headers[index]);
    return ok && add_condition(transfer, "If-None-Match", transfer->call->etag) &&
           add_condition(transfer, "If-Modified-Since", transfer->call->last_modified);
}

static void set_method(CURL *curl, const struct http_call *call)
{
    bool is_head = strcmp(call->method, "HEAD") == 0;
    if (call->body != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_bytes);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    }
    if (is_head)
        (void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
}

static void set_options(struct transfer *transfer, int64_t total_ms)
{
    CURL *curl = transfer->curl;
    const struct http_call *call = transfer->call;
    int64_t connect_ms = call->connect_ms > 0 ? call->connect_ms : CONNECT_MS;
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)total_ms);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "almanac");
    (void)curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->message);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    if (is_loopback(transfer->host))
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, transfer);
    set_method(curl, call);
}

static void copy_header(CURL *curl, const char *name, char out[HTTP_TAG_BYTES])
{
    struct curl_header *header;
    out[0] = '\0';
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
        strlen(header->value) < HTTP_TAG_BYTES) /* half a tag is none */
        (void)snprintf(out, HTTP_TAG_BYTES, "%s", header->value);
}

static void take_reply(struct transfer *transfer)
{
    struct http_reply *reply = transfer->reply;
    char retry[HTTP_TAG_BYTES], *rest = retry;
    long status = 0;
    (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    reply->status = (int)status;
    copy_header(transfer->curl, "ETag", reply->etag);
    copy_header(transfer->curl, "Last-Modified", reply->last_modified);
    copy_header(transfer->curl, "Content-Type", reply->content_type);
    copy_header(transfer->curl, "Retry-After", retry);
    long seconds = strtol(retry, &rest, 10);
    reply->retry_after_s = retry[0] != '\0' && *rest == '\0' && seconds >= 0 ? seconds : -1;
}

static enum err_code failure(const struct transfer *transfer, CURLcode code, struct err *err)
{
    const char *host = transfer->host;
    if (transfer->is_stopped)
        return err_set(err, ERR_CANCELLED, "the request to %s was broken off", host);
    if (transfer->is_refused)
        return err_set(err, ERR_FORBIDDEN,
                       "%s is an address of the local link, or of many machines: it is never called", host);
    if (transfer->reply->body.failed != ERR_OK)
        return err_set(err, transfer->reply->body.failed, "the answer of %s is larger than %zu bytes", host,
                       transfer->reply->body.max_bytes);
    if (code == CURLE_OUT_OF_MEMORY)
        return err_nomem(err, 0);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_IO, "no answer from %s in time", host);
    return err_set(err, ERR_IO, "no answer from %s: %s", host, curl_easy_strerror(code));
}

/* Where to go next; "" when the reply is to be kept. */
static void next_place(const struct transfer *transfer, const char *url, char out[HTTP_CALL_URL_BYTES])
{
    char *target = NULL;
    const char *method = transfer->call->method;
    int status = transfer->reply->status;
    out[0] = '\0';
    if ((strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) || status < 301 || status > 308 ||
        status == 304 || curl_easy_getinfo(transfer->curl, CURLINFO_REDIRECT_URL, &target) != CURLE_OK ||
        target == NULL || strlen(target) >= HTTP_CALL_URL_BYTES || !is_same_place(url, target))
        return;
    (void)snprintf(out, HTTP_CALL_URL_BYTES, "%s", target);
}

static enum err_code fetch(struct transfer *transfer, char url[HTTP_CALL_URL_BYTES], int64_t total_ms,
                           struct err *err)
{
    transfer->curl = curl_easy_init();
    if (transfer->curl == NULL)
        return err_nomem(err, 0);
    set_options(transfer, total_ms);
    (void)curl_easy_setopt(transfer->curl, CURLOPT_URL, url);
    buffer_clear(&transfer->reply->body);
    CURLcode code = curl_easy_perform(transfer->curl);
    enum err_code result = ERR_OK;
    if (code == CURLE_OK) {
        char next[HTTP_CALL_URL_BYTES];
        take_reply(transfer);
        next_place(transfer, url, next);
        memcpy(url, next, sizeof next);
    } else {
        result = failure(transfer, code, err);
    }
    curl_easy_cleanup(transfer->curl);
    transfer->curl = NULL;
    return result;
}

enum err_code http_call_run(const struct http_call *call, struct http_reply *out, struct err *err)
{
    struct transfer transfer = {.call = call, .reply = out};
    char url[HTTP_CALL_URL_BYTES];
    int64_t total_us = (call->total_ms > 0 ? call->total_ms : TOTAL_MS) * 1000,
            began_us = clock_monotonic_us();
    *out = (struct http_reply){.retry_after_s = -1};
    buffer_init(&out->body, call->max_bytes > 0 ? call->max_bytes : BODY_BYTES);
    enum err_code code = http_call_check_url(call->url, transfer.host, sizeof transfer.host, err);
    if (code != ERR_OK)
        return code;
    if (!add_headers(&transfer)) {
        curl_slist_free_all(transfer.headers);
        return err_nomem(err, 0);
    }
    (void)snprintf(url, sizeof url, "%s", call->url);
    for (int redirects = 0; code == ERR_OK && url[0] != '\0'; redirects++) {
        int64_t left_us = began_us + total_us - clock_monotonic_us();
        if (redirects > REDIRECTS_MAX)
            code = err_set(err, ERR_IO, "%s redirects more than %d times", transfer.host, REDIRECTS_MAX);
        else if (left_us < 1000)
            code = err_set(err, ERR_IO, "no answer from %s in time", transfer.host);
        else
            code = fetch(&transfer, url, left_us / 1000, err);
    }
    out->took_us = clock_monotonic_us() - began_us;
    curl_slist_free_all(transfer.headers);
    return code;
}
