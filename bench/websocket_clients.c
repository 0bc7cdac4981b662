/* Many WebSocket clients that listen: bench_websocket_clients PORT CLIENTS SECONDS.
 *
 * Connects to 127.0.0.1:PORT from as many addresses 127.0.0.x as the ports of one are too few for, follows the topic
 * "stats", prints "ready" when all have been answered, and then for SECONDS notes when each client has which event. An
 * event's time is the moment the server wrote it ("at"), so what is measured is from there to the last client. In the end
 * one JSON object: per event how many clients had it, and after how many milliseconds the first, the median and the last.
 * One thread and plain sockets: a client of the bench must cost less than what it measures. */
#include "base/text.h"
#include "base/time.h"
#include "os/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CLIENTS_PER_ADDRESS = 20000,
    CONNECTING_MOST = 200,
    ROUND_EVENTS = 1024,
    BUFFER_BYTES = 64 << 10,
    HELD_BYTES = 1024, /* of a frame that is not all there */
    EVENTS_MOST = 256,
    READY_S = 60
};

enum client_state { ASKING, FOLLOWING, READY, GONE };

struct client {
    int socket;
    enum client_state state;
    size_t held_bytes;
    unsigned char *held;
};

struct noted {
    int64_t seq, written_us;
    size_t count, size_bytes;
    int32_t *took_us; /* [clients] */
};

struct bench {
    struct client *clients;
    size_t count, asking, ready, gone, connected;
    int epoll, port;
    int64_t now_us;
    size_t noted_count;
    struct noted noted[EVENTS_MOST];
};

static int64_t wall_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "websocket_clients: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void drop(struct bench *bench, struct client *client)
{
    close(client->socket);
    free(client->held);
    client->held = NULL;
    if (client->state == ASKING)
        bench->asking--;
    if (client->state == READY)
        bench->ready--;
    client->state = GONE;
    bench->gone++;
}

static void put(struct bench *bench, struct client *client, const void *data, size_t size_bytes)
{
    if (send(client->socket, data, size_bytes, MSG_NOSIGNAL) != (ssize_t)size_bytes)
        drop(bench, client);
}

/* A masked frame; the mask is zero, as nothing lies between the two. */
static void put_frame(struct bench *bench, struct client *client, unsigned first, const void *payload,
                      size_t size_bytes)
{
    unsigned char frame[6 + 125] = {(unsigned char)first, (unsigned char)(0x80 | size_bytes)};
    memcpy(frame + 6, payload, size_bytes);
    put(bench, client, frame, 6 + size_bytes);
}

static void connect_next(struct bench *bench)
{
    size_t index = bench->connected++;
    struct client *client = &bench->clients[index];
    struct sockaddr_in own = {.sin_family = AF_INET},
                       server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bench->port)};
    struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = index};
    char request[256];
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(index / CLIENTS_PER_ADDRESS));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->socket < 0 || bind(client->socket, (struct sockaddr *)&own, sizeof own) != 0 ||
        connect(client->socket, (struct sockaddr *)&server, sizeof server) != 0 ||
        epoll_ctl(bench->epoll, EPOLL_CTL_ADD, client->socket, &wanted) != 0)
        fail("cannot connect");
    int size_bytes =
        snprintf(request, sizeof request,
                 "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                 bench->port);
    bench->asking++;
    put(bench, client, request, (size_t)size_bytes);
}

/* ---- events ---- */

/* The number or text behind "key": in the envelope, which comes before the data. */
static const char *member(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at == NULL ? "" : at + strlen(key);
}

static struct noted *note_of(struct bench *bench, const char *text, size_t size_bytes)
{
    int64_t seq = strtoll(member(text, "\"seq\":"), NULL, 10);
    const char *at = member(text, "\"at\":\"");
    bool has_clock;
    for (size_t i = bench->noted_count; i-- > 0;) {
        if (bench->noted[i].seq == seq)
            return &bench->noted[i];
    }
    if (bench->noted_count == EVENTS_MOST)
        return NULL;
    struct noted *noted = &bench->noted[bench->noted_count++];
    *noted = (struct noted){.seq = seq, .size_bytes = size_bytes};
    noted->took_us = calloc(bench->count, sizeof(*noted->took_us));
    if (noted->took_us == NULL ||
        !time_parse_iso((struct text){at, strcspn(at, "\"")}, &noted->written_us, &has_clock))
        fail("cannot read the time of an event");
    return noted;
}

static void take_text(struct bench *bench, struct client *client, char *text, size_t size_bytes)
{
    char end = text[size_bytes];
    text[size_bytes] = '\0';
    if (client->state == FOLLOWING && strstr(text, "\"subscribed\"") != NULL) {
        client->state = READY;
        bench->ready++;
    } else if (client->state == READY && bench->ready == bench->count) {
        struct noted *noted = note_of(bench, text, size_bytes);
        if (noted != NULL && noted->count < bench->count)
            noted->took_us[noted->count++] = (int32_t)(bench->now_us - noted->written_us);
    }
    text[size_bytes] = end;
}

/* Whole frames of the bytes; returns how many bytes they were. */
static size_t take_frames(struct bench *bench, struct client *client, unsigned char *data, size_t size_bytes)
{
    size_t used_bytes = 0;
    while (client->state != GONE && size_bytes - used_bytes >= 2) {
        unsigned char *frame = data + used_bytes;
        size_t header_bytes = frame[1] == 126 ? 4 : 2;
        if (frame[1] > 126)
            fail("a frame is too long");
        if (size_bytes - used_bytes < header_bytes)
            break;
        size_t payload_bytes = header_bytes == 2 ? frame[1] : (size_t)frame[2] << 8 | frame[3];
        if (size_bytes - used_bytes < header_bytes + payload_bytes)
            break;
        used_bytes += header_bytes + payload_bytes;
        if ((frame[0] & 0x0f) == 1)
            take_text(bench, client, (char *)frame + header_bytes, payload_bytes);
        else if ((frame[0] & 0x0f) == 9)
            put_frame(bench, client, 0x8a, frame + header_bytes, payload_bytes);
        else if ((frame[0] & 0x0f) == 8)
            drop(bench, client);
    }
    return used_bytes;
}

static void hold(struct client *client, const unsigned char *data, size_t size_bytes)
{
    if (size_bytes > HELD_BYTES || (client->held == NULL && (client->held = malloc(HELD_BYTES)) == NULL))
        fail("cannot keep half a frame");
    memcpy(client->held, data, size_bytes);
    client->held_bytes = size_bytes;
}

static size_t take_answer(struct bench *bench, struct client *client, const char *data, size_t size_bytes)
{
    static const char follow[] = "{\"type\":\"subscribe\",\"topics\":[\"stats\"]}";
    const char *end = memmem(data, size_bytes, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    if (strncmp(data, "HTTP/1.1 101 ", 13) != 0)
        fail("the server does not switch");
    bench->asking--;
    client->state = FOLLOWING;
    put_frame(bench, client, 0x81, follow, sizeof follow - 1);
    return (size_t)(end - data) + 4;
}

static void receive(struct bench *bench, struct client *client)
{
    static unsigned char buffer[HELD_BYTES + BUFFER_BYTES + 1];
    size_t size_bytes = client->held_bytes;
    if (client->state == GONE)
        return;
    if (size_bytes > 0)
        memcpy(buffer, client->held, size_bytes);
    client->held_bytes = 0;
    ssize_t got = recv(client->socket, buffer + size_bytes, BUFFER_BYTES, MSG_DONTWAIT);
    if (got <= 0) {
        drop(bench, client);
        return;
    }
    size_bytes += (size_t)got;
    size_t used_bytes =
        client->state == ASKING ? take_answer(bench, client, (const char *)buffer, size_bytes) : 0;
    if (client->state != ASKING)
        used_bytes += take_frames(bench, client, buffer + used_bytes, size_bytes - used_bytes);
    if (client->state != GONE && used_bytes < size_bytes)
        hold(client, buffer + used_bytes, size_bytes - used_bytes);
}

static void turn(struct bench *bench)
{
    struct epoll_event events[ROUND_EVENTS];
    int count = epoll_wait(bench->epoll, events, ROUND_EVENTS, 100);
    for (int i = 0; i < count; i++) {
        bench->now_us = wall_us();
        receive(bench, &bench->clients[events[i].data.u64]);
    }
}

/* ---- the result ---- */

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void print_result(struct bench *bench)
{
    printf("{\"clients\":%zu,\"lost\":%zu,\"events\":[", bench->count, bench->gone);
    for (size_t i = 0; i < bench->noted_count; i++) {
        struct noted *noted = &bench->noted[i];
        if (noted->count == 0)
            continue;
        qsort(noted->took_us, noted->count, sizeof(*noted->took_us), compare);
        size_t middle = noted->count / 2;
        printf("%s{\"seq\":%" PRId64
               ",\"count\":%zu,\"bytes\":%zu,\"first_ms\":%.1f,\"median_ms\":%.1f,\"last_ms\":%.1f}",
               i > 0 ? "," : "", noted->seq, noted->count, noted->size_bytes, noted->took_us[0] / 1e3,
               noted->took_us[middle] / 1e3, noted->took_us[noted->count - 1] / 1e3);
        free(noted->took_us);
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bench_websocket_clients PORT CLIENTS SECONDS\n");
        return 2;
    }
    process_raise_open_files();
    bench.port = (int)strtol(argv[1], NULL, 10);
    bench.count = strtoul(argv[2], NULL, 10);
    bench.clients = calloc(bench.count, sizeof(*bench.clients));
    bench.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (bench.clients == NULL || bench.epoll < 0)
        fail("cannot begin");
    int64_t end_us = wall_us() + READY_S * INT64_C(1000000);
    while (bench.ready < bench.count && wall_us() < end_us) {
        while (bench.connected < bench.count && bench.asking < CONNECTING_MOST)
            connect_next(&bench);
        turn(&bench);
    }
    if (bench.ready < bench.count)
        fail("not all clients were answered");
    printf("ready\n");
    (void)fflush(stdout);
    end_us = wall_us() + strtol(argv[3], NULL, 10) * INT64_C(1000000);
    while (wall_us() < end_us)
        turn(&bench);
    print_result(&bench);
    free(bench.clients);
    return 0;
}
