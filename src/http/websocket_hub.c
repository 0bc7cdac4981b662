/* The hub's threads: see websocket_hub.h and websocket.h. Each has one epoll set with its sockets in it, level-triggered; the data of
 * an entry is the client's id, so that an entry of a client that has just gone finds an empty seat. Orders are taken in
 * one swap, and carried out without the lock. */
#include "http/websocket_hub.h"

#include "base/log.h"
#include "os/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUND_EVENTS = 512,
    SWEEP_MS = 1000,
    BACKLOG_EVENTS = 8192, /* that the loop has not looked at: it is given time */
    BACKLOG_WAIT_NS = 1000000
};

void hub_wake(int descriptor)
{
    uint64_t one = 1;
    ssize_t written;
    do
        written = write(descriptor, &one, sizeof one);
    while (written < 0 && errno == EINTR); /* EAGAIN: it is awake as it is */
}

void hub_sleep(int descriptor)
{
    uint64_t count;
    ssize_t got;
    do
        got = read(descriptor, &count, sizeof count);
    while (got < 0 && errno == EINTR);
}

void hub_push_event(struct websocket_hub *hub, struct hub_event *event)
{
    event->next = NULL;
    (void)pthread_mutex_lock(&hub->lock);
    bool is_first = hub->first_event == NULL;
    if (is_first)
        hub->first_event = event;
    else
        hub->last_event->next = event;
    hub->last_event = event;
    hub->event_count++;
    (void)pthread_mutex_unlock(&hub->lock);
    if (is_first)
        hub_wake(hub->loop_wakeup);
}

static struct hub_seat *seat_of(struct hub_thread *own, uint64_t client)
{
    size_t index = hub_seat_index(client);
    struct hub_seat *seat = index < own->seat_count ? &own->seats[index] : NULL;
    return seat != NULL && seat->client != NULL && seat->client->id == client ? seat : NULL;
}

static void farewell(struct hub_thread *own, struct hub_event *event, int code)
{
    event->code = code;
    event->size_bytes = 0;
    hub_push_event(own->hub, event);
}

static void leave(struct hub_thread *own, struct hub_seat *seat)
{
    int code = seat->client->code != 0 ? seat->client->code : WEBSOCKET_LOST;
    websocket_client_destroy(seat->client); /* closing the socket takes it out of the set */
    seat->client = NULL;
    seat->is_armed = false;
    own->seated--;
    farewell(own, seat->farewell, code);
}

/* After everything that was done with a client: it leaves, or waits for what it needs. */
static void settle(struct hub_thread *own, struct hub_seat *seat, bool is_alive)
{
    if (is_alive && seat->client->wants_write != seat->is_armed) {
        struct epoll_event wanted = {.events = EPOLLIN | (seat->client->wants_write ? EPOLLOUT : 0),
                                     .data.u64 = seat->client->id};
        seat->is_armed = seat->client->wants_write;
        is_alive = epoll_ctl(own->epoll, EPOLL_CTL_MOD, seat->client->socket, &wanted) == 0;
    }
    if (!is_alive)
        leave(own, seat);
}

static void on_message(void *context, uint64_t id, const char *text, size_t size_bytes)
{
    struct hub_thread *own = context;
    struct hub_event *event = malloc(sizeof *event + size_bytes + 1);
    if (event == NULL) {
        log_line(LOG_ERROR, "websocket", "out of memory: a message of a client is lost");
        return;
    }
    event->client = id;
    event->code = 0;
    event->size_bytes = size_bytes;
    memcpy(event->text, text, size_bytes);
    event->text[size_bytes] = '\0';
    hub_push_event(own->hub, event);
}

/* ---- orders ---- */

static bool seat_client(struct hub_thread *own, const struct hub_order *order, struct hub_seat *seat)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = order->client};
    int on = 1;
    if (websocket_client_create(order->client, order->socket, own->now_ms,
                                &own->hub->unsent_bytes[websocket_slot(order->client)], &seat->client,
                                NULL) != ERR_OK)
        return false;
    /* a small message must not wait for the acknowledgement of the last one; without it, it does */
    (void)setsockopt(order->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(own->epoll, EPOLL_CTL_ADD, order->socket, &wanted) == 0)
        return true;
    free(seat->client); /* not the socket */
    seat->client = NULL;
    return false;
}

static void open_client(struct hub_thread *own, const struct hub_order *order)
{
    struct hub_seat *seat = &own->seats[hub_seat_index(order->client)];
    struct hub_event *event = order->farewell;
    if (!seat_client(own, order, seat)) {
        close(order->socket);
        farewell(own, event, WEBSOCKET_INTERNAL);
        return;
    }
    seat->farewell = event;
    own->seated++;
    bool is_alive = own->stop_ms == 0 || websocket_client_close(seat->client, WEBSOCKET_GOING_AWAY,
                                                                "the server stops", own->now_ms);
    if (is_alive && event->size_bytes > 0)
        is_alive = websocket_client_take(seat->client, (const unsigned char *)event->text, event->size_bytes,
                                         own->now_ms, on_message, own);
    settle(own, seat, is_alive);
}

static void broadcast(struct hub_thread *own, const struct hub_order *order)
{
    uint64_t bit = UINT64_C(1) << order->group;
    for (size_t index = 0; index < own->seat_count; index++) {
        struct hub_seat *seat = &own->seats[index];
        if (seat->client != NULL && (seat->client->groups & bit) != 0)
            settle(own, seat, websocket_client_send(seat->client, order->frame, own->now_ms));
    }
}

static void stop(struct hub_thread *own)
{
    own->stop_ms = own->now_ms + own->hub->times.close_ms;
    for (size_t index = 0; index < own->seat_count; index++) {
        struct hub_seat *seat = &own->seats[index];
        if (seat->client != NULL)
            settle(
                own, seat,
                websocket_client_close(seat->client, WEBSOCKET_GOING_AWAY, "the server stops", own->now_ms));
    }
}

static void send_one(struct hub_thread *own, const struct hub_order *order)
{
    struct hub_seat *seat = seat_of(own, order->client);
    size_t size_bytes;
    if (seat == NULL)
        return;
    (void)websocket_frame_bytes(order->frame, &size_bytes);
    (void)atomic_fetch_sub(seat->client->unsent_bytes,
                           (long long)size_bytes); /* from here on the client counts */
    settle(own, seat, websocket_client_send(seat->client, order->frame, own->now_ms));
}

static void carry_out(struct hub_thread *own, const struct hub_order *order)
{
    struct hub_seat *seat;
    switch (order->kind) {
    case HUB_OPEN:
        open_client(own, order);
        return;
    case HUB_JOIN:
        seat = seat_of(own, order->client);
        if (seat != NULL)
            seat->client->groups = order->groups;
        return;
    case HUB_SEND:
        send_one(own, order);
        websocket_frame_release(order->frame);
        return;
    case HUB_BROADCAST:
        broadcast(own, order);
        websocket_frame_release(order->frame);
        return;
    case HUB_CLOSE:
        seat = seat_of(own, order->client);
        if (seat != NULL)
            settle(own, seat, websocket_client_close(seat->client, order->code, "", own->now_ms));
        return;
    case HUB_STOP:
        stop(own);
        return;
    }
}

static void take_orders(struct hub_thread *own)
{
    (void)pthread_mutex_lock(&own->lock);
    struct hub_orders orders = own->orders;
    own->orders = own->taken;
    (void)pthread_mutex_unlock(&own->lock);
    for (size_t i = 0; i < orders.count; i++)
        carry_out(own, &orders.rows[i]);
    orders.count = 0;
    own->taken = orders;
}

/* ---- sockets ---- */

static void receive(struct hub_thread *own, struct hub_seat *seat)
{
    struct websocket_client *client = seat->client;
    ssize_t got;
    do
        got = recv(client->socket, own->bytes, sizeof own->bytes, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return;
    bool is_alive =
        got >= 0 && websocket_client_take(client, own->bytes, (size_t)got, own->now_ms, on_message, own);
    settle(own, seat, is_alive);
}

static void on_socket(struct hub_thread *own, uint64_t client, uint32_t events)
{
    struct hub_seat *seat = seat_of(own, client);
    if (seat != NULL && (events & EPOLLOUT) != 0)
        settle(own, seat, websocket_client_flush(seat->client, own->now_ms));
    if (seat != NULL && seat->client != NULL && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        receive(own, seat);
}

static void sweep(struct hub_thread *own)
{
    for (size_t index = 0; index < own->seat_count; index++) {
        struct hub_seat *seat = &own->seats[index];
        if (seat->client != NULL)
            settle(own, seat,
                   websocket_client_sweep(seat->client, &own->hub->times, own->hub->ping, own->now_ms));
    }
}

/* Messages that the loop has no time for must not pile up here. */
static void give_way(struct hub_thread *own)
{
    struct timespec wait = {.tv_nsec = BACKLOG_WAIT_NS};
    (void)pthread_mutex_lock(&own->hub->lock);
    bool is_behind = own->hub->event_count > BACKLOG_EVENTS;
    (void)pthread_mutex_unlock(&own->hub->lock);
    if (is_behind)
        (void)nanosleep(&wait, NULL);
}

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* A quarter of the shortest time, a second at most. */
static int64_t sweep_period_ms(const struct websocket_times *times)
{
    int64_t period_ms = SWEEP_MS;
    const int64_t all[] = {times->ping_ms, times->pong_ms, times->message_ms, times->close_ms};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        period_ms = all[i] / 4 < period_ms ? all[i] / 4 : period_ms;
    return period_ms > 1 ? period_ms : 1;
}

static bool is_over(const struct hub_thread *own)
{
    return own->stop_ms != 0 && (own->seated == 0 || own->now_ms >= own->stop_ms);
}

void *hub_main(void *context)
{
    struct hub_thread *own = context;
    struct epoll_event events[ROUND_EVENTS];
    int64_t period_ms = sweep_period_ms(&own->hub->times);
    own->now_ms = now_ms();
    own->sweep_ms = own->now_ms + period_ms;
    while (!is_over(own)) {
        int64_t wait_ms = own->sweep_ms - own->now_ms;
        int count = epoll_wait(own->epoll, events, ROUND_EVENTS, wait_ms > 0 ? (int)wait_ms : 0);
        own->now_ms = now_ms();
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 != 0)
                on_socket(own, events[i].data.u64, events[i].events);
        }
        hub_sleep(own->wakeup);
        take_orders(own);
        if (own->now_ms >= own->sweep_ms) {
            sweep(own);
            own->sweep_ms = own->now_ms + period_ms;
        }
        give_way(own);
    }
    for (size_t index = 0; index < own->seat_count; index++) {
        if (own->seats[index].client != NULL)
            leave(own, &own->seats[index]);
    }
    return NULL;
}
