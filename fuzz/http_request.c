/* Fuzzes the listener over a socket: the bytes are sent in pieces (0xff ends a piece) to a server in the same thread,
 * whose handler reads everything a handler can read and opens streams. What reaches the handler must be clean: a path
 * of UTF-8 without control characters, a body within its bound. Then the client breaks off. */
#include "base/text.h"
#include "http/router.h"
#include "limits.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

enum { PIECES = 8, ROUNDS = 4 };

static struct loop *loop;
static struct listener *listener;

static void on_closed(void *context)
{
    (void)context;
}

static enum err_code echo(void *context, const struct route_match *match, struct http_response *response,
                          struct err *err)
{
    const char *query = http_request_query(match->request, "q");
    const char *header = http_request_header(match->request, "x-q");
    (void)context;
    buffer_append_text(&response->body, match->parameters[0]);
    buffer_append_text(&response->body, query == NULL ? "" : query);
    buffer_append_text(&response->body, header == NULL ? "" : header);
    buffer_append(&response->body, match->request->body, match->request->body_bytes);
    return query != NULL && query[0] == 'e' ? err_set(err, ERR_CONFLICT, "as asked for") : ERR_OK;
}

static enum err_code events(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err)
{
    struct http_stream *stream;
    const char *query = http_request_query(match->request, "q");
    (void)context;
    enum err_code code = http_stream_open(match->request, response, on_closed, NULL, &stream, err);
    if (code != ERR_OK)
        return code;
    http_stream_event(stream, 1, "event", match->request->body, match->request->body_bytes);
    if (query != NULL && query[0] == 'e')
        return err_set(err, ERR_CONFLICT, "as asked for");
    if (query != NULL)
        http_stream_end(stream);
    return ERR_OK;
}

static const struct route routes[] = {
    {"GET", "/a/{name}", echo, ""}, {"POST", "/a/{name}", echo, ""}, {"GET", "/e", events, ""},
    {"POST", "/e", events, ""},     {NULL, NULL, NULL, NULL},
};

static void handle(void *context, const struct http_request *request, struct http_response *response)
{
    assert(request->path[0] == '/' && text_is_utf8(text_of(request->path)));
    for (const char *at = request->path; *at != '\0'; at++)
        assert((unsigned char)*at >= ' ' && *at != 0x7f);
    assert(request->body_bytes <= LIMIT_BODY_BYTES && strlen(request->body) <= request->body_bytes);
    router_dispatch(routes, context, request, response);
}

static void stop(void *context)
{
    loop_stop(context);
}

/* A post runs at the end of a round, so this is as many rounds. */
static void run_rounds(int rounds)
{
    for (int round = 0; round < rounds; round++) {
        enum err_code code = loop_post(loop, stop, loop, NULL);
        assert(code == ERR_OK);
        code = loop_run(loop, NULL);
        assert(code == ERR_OK);
    }
}

static void start(void)
{
    struct listener_options options = {.address = "127.0.0.1", .handle = handle};
    enum err_code code = loop_create(&loop, NULL);
    assert(code == ERR_OK);
    code = listener_create(loop, options, &listener, NULL);
    assert(code == ERR_OK);
    run_rounds(1);
}

static int connect_client(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(listener_port(listener))};
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct linger reset = {.l_onoff = 1};
    static uint32_t count;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* every client from another address of 127.0.0.0/8: one address has too few ports for thousands a second */
    from.sin_addr.s_addr = htonl(0x7f000001u + count++ % 0xffff00u);
    int failure = bind(client, (struct sockaddr *)&from, sizeof from);
    assert(failure == 0);
    failure = connect(client, (struct sockaddr *)&where, sizeof where);
    if (failure != 0 &&
        errno == EINTR) { /* the fuzzer's own alarm; the connection comes about all the same */
        struct pollfd made = {.fd = client, .events = POLLOUT};
        failure = poll(&made, 1, 30000) == 1 ? 0 : -1;
    }
    assert(failure == 0);
    failure = setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    assert(failure == 0);
    return client;
}

/* At once, but where the kernel is busy it brings the client's goodbye later: then after some more rounds, but long before
 * the listener would look for clients that are late. */
static void expect_no_connection(void)
{
    run_rounds(ROUNDS);
    for (int pause = 0; pause < 5000 && listener_connection_count(listener) > 0; pause++) {
        usleep(100);
        run_rounds(ROUNDS);
    }
    assert(listener_connection_count(listener) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static char answer[1 << 16];
    const uint8_t *end = data + size_bytes;
    if (loop == NULL)
        start();
    int client = connect_client();
    for (int piece = 0; piece < PIECES && data < end; piece++) {
        const uint8_t *next = memchr(data, 0xff, (size_t)(end - data));
        if (next == NULL || piece == PIECES - 1)
            next = end;
        ssize_t sent = send(client, data, (size_t)(next - data), MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent; /* the server may have closed, rightly */
        run_rounds(ROUNDS);
        data = next < end ? next + 1 : end;
    }
    while (recv(client, answer, sizeof answer, MSG_DONTWAIT) > 0) {
    }
    close(client);
    expect_no_connection();
    return 0;
}
