/* Server client, with libcurl. It talks HTTP to the one address it was given: no proxy, no redirection. */
#include "cli/server_client.h"

#include "base/buffer.h"
#include "job/lines.h"
#include "limits.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URL_BYTES = 2048, CONNECT_MS = 3000, CALL_MS = 120000 };

struct server_client {
    CURL *curl;
    struct curl_slist *headers;
    char url[URL_BYTES];
    char who[64];
    struct buffer answer; /* of a call, or the error of a stream */
    char reason[CURL_ERROR_SIZE];
};

/* "cli:<user>", printable. */
static void name_user(char *out, size_t out_bytes)
{
    const char *user = getenv("USER");
    (void)snprintf(out, out_bytes, "cli:%.40s", user == NULL || user[0] == '\0' ? "unknown" : user);
    for (size_t i = 0; out[i] != '\0'; i++) {
        if (out[i] < '!' || out[i] > '~')
            out[i] = '_';
    }
}

static enum err_code name_server(struct server_client *client, const struct settings *settings,
                                 struct err *err)
{
    int length =
        settings->server_url[0] != '\0'
            ? snprintf(client->url, sizeof(client->url), "%s", settings->server_url)
            : snprintf(client->url, sizeof(client->url), "http://127.0.0.1:%" PRId64, settings->port);
    while (length > 0 && client->url[length - 1] == '/')
        client->url[--length] = '\0';
    if (strncmp(client->url, "http://", 7) != 0)
        return err_set_field(err, ERR_INVALID, "server_url", "'%s' is not an address: http://127.0.0.1:5050",
                             client->url);
    return ERR_OK;
}

enum err_code server_client_create(const struct settings *settings, struct server_client **out,
                                   struct err *err)
{
    char header[96];
    struct server_client *client = calloc(1, sizeof(*client));
    *out = NULL;
    if (client == NULL)
        return err_nomem(err, sizeof(*client));
    buffer_init(&client->answer, LIMIT_RESULT_BYTES);
    name_user(client->who, sizeof(client->who));
    enum err_code code = name_server(client, settings, err);
    if (code == ERR_OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        code = err_set(err, ERR_INTERNAL, "libcurl cannot be started");
    client->curl = code == ERR_OK ? curl_easy_init() : NULL;
    (void)snprintf(header, sizeof(header), "X-Almanac-Who: %s", client->who);
    client->headers = curl_slist_append(curl_slist_append(NULL, "Content-Type: application/json"), header);
    if (code == ERR_OK && (client->curl == NULL || client->headers == NULL))
        code = err_nomem(err, 0);
    if (code != ERR_OK) {
        server_client_destroy(client);
        return code;
    }
    *out = client;
    return ERR_OK;
}

void server_client_destroy(struct server_client *client)
{
    if (client == NULL)
        return;
    if (client->curl != NULL)
        curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    buffer_release(&client->answer);
    free(client);
}

/* ---- requests ---- */

static void prepare(struct server_client *client, const char *method, const char *path, const char *body)
{
    char url[URL_BYTES + 1024];
    CURL *curl = client->curl;
    (void)snprintf(url, sizeof(url), "%s%.1000s", client->url, path);
    buffer_clear(&client->answer);
    client->reason[0] = '\0';
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)(body == NULL ? 0 : strlen(body)));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body == NULL ? "" : body);
    }
}

/* A server that went away in the middle is an error of its own; one that was never there is what callers look for. */
static enum err_code connection_error(const struct server_client *client, CURLcode result, struct err *err)
{
    if (result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST)
        return err_set(
            err, ERR_UNAVAILABLE,
            "no server answers at %s; start one with 'almanac serve', or name it with --server-url",
            client->url);
    return err_set(err, ERR_IO, "the server at %s does not answer as it should: %s", client->url,
                   client->reason[0] != '\0' ? client->reason : curl_easy_strerror(result));
}

static enum err_code code_of(const char *name)
{
    for (int ordinal = 1; ordinal < ERR_ORDINAL_COUNT; ordinal++) {
        if (strcmp(err_name((enum err_code) - ordinal), name) == 0)
            return (enum err_code) - ordinal;
    }
    return ERR_INTERNAL;
}

/* The error shape, as the error it was in the server; one that is no server of ours gives its status. */
static enum err_code answered_error(struct server_client *client, long status, struct err *err)
{
    json_t *root = NULL;
    const char *name = NULL, *message = NULL, *field = "";
    if (json_read(buffer_text(&client->answer), client->answer.size_bytes, &root, NULL) == ERR_OK) {
        const json_t *error = json_object_get(root, "error");
        name = json_string_value(json_object_get(error, "code"));
        message = json_string_value(json_object_get(error, "message"));
        const char *at = json_string_value(json_object_get(error, "field"));
        field = at == NULL ? "" : at;
    }
    enum err_code code =
        name == NULL || message == NULL
            ? err_set(err, ERR_IO, "the server at %s answers with status %ld", client->url, status)
            : err_set_field(err, code_of(name), field, "%s", message);
    json_decref(root);
    if (code == ERR_UNAVAILABLE) /* of a library in the server: it is there, and no store need be read */
        code = err_set(err, ERR_INTERNAL, "%s", err == NULL ? "" : err->text);
    return code;
}

static size_t on_answer(char *data, size_t size, size_t count, void *context)
{
    struct server_client *client = context;
    buffer_append(&client->answer, data, size * count);
    return client->answer.failed == ERR_OK ? size * count : 0;
}

enum err_code server_client_call(struct server_client *client, const char *method, const char *path,
                                 const char *body, json_t **out, struct err *err)
{
    long status = 0;
    *out = NULL;
    prepare(client, method, path, body);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)CALL_MS);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, client);
    CURLcode result = curl_easy_perform(client->curl);
    if (result != CURLE_OK)
        return connection_error(client, result, err);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299)
        return answered_error(client, status, err);
    return json_read(buffer_text(&client->answer), client->answer.size_bytes, out, err);
}

/* ---- events ---- */

struct event_reader {
    struct server_client *client;
    struct lines lines;
    int64_t id;
    char name[32];
    struct buffer data;
    bool has_data, is_done;
    bool (*event)(void *context, int64_t id, const char *name, struct text data);
    void *context;
};

/* https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as the server writes it. */
static void on_event_line(void *context, const char *text, size_t size_bytes)
{
    struct event_reader *reader = context;
    struct text line = {text, size_bytes};
    if (reader->is_done)
        return;
    if (size_bytes == 0) {
        if (reader->has_data)
            reader->is_done =
                !reader->event(reader->context, reader->id, reader->name,
                               (struct text){buffer_text(&reader->data), reader->data.size_bytes});
        buffer_clear(&reader->data);
        reader->has_data = false;
        reader->id = -1;
        reader->name[0] = '\0';
    } else if (text_starts(line, "id: ")) {
        if (!text_parse_i64((struct text){text + 4, size_bytes - 4}, &reader->id))
            reader->id = -1;
    } else if (text_starts(line, "event: ")) {
        (void)text_copy((struct text){text + 7, size_bytes - 7}, reader->name, sizeof(reader->name));
    } else if (text_starts(line, "data: ")) {
        if (reader->has_data)
            buffer_append_char(&reader->data, '\n');
        buffer_append(&reader->data, text + 6, size_bytes - 6);
        reader->has_data = true;
    }
}

/* The answer is a stream of events, and not a page of somebody else. */
static bool has_events(const struct server_client *client)
{
    long status = 0;
    const char *type = NULL;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
    return status == 200 && type != NULL && text_starts(text_of(type), "text/event-stream");
}

static size_t on_stream(char *data, size_t size, size_t count, void *context)
{
    struct event_reader *reader = context;
    if (!has_events(reader->client))
        return on_answer(data, size, count, reader->client);
    lines_feed(&reader->lines, data, size * count);
    return reader->is_done ? 0 : size * count;
}

enum err_code server_client_events(struct server_client *client, const char *path,
                                   bool (*event)(void *context, int64_t id, const char *name,
                                                 struct text data),
                                   void *context, struct err *err)
{
    struct event_reader reader = {.client = client, .id = -1, .event = event, .context = context};
    long status = 0;
    prepare(client, "GET", path, NULL);
    lines_init(&reader.lines, LIMIT_BODY_BYTES, true, on_event_line, &reader);
    buffer_init(&reader.data, LIMIT_BODY_BYTES);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_stream);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &reader);
    CURLcode result = curl_easy_perform(client->curl);
    lines_release(&reader.lines);
    buffer_release(&reader.data);
    if (has_events(client))
        return ERR_OK;
    if (result != CURLE_OK)
        return connection_error(client, result, err);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    return answered_error(client, status, err);
}
