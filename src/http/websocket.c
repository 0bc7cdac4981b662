/* The loop's side of the hub: see websocket.h and websocket_hub.h. */
#include "http/websocket.h"

#include "base/log.h"
#include "http/router.h"
#include "http/upgrade.h"
#include "http/websocket_handshake.h"
#include "http/websocket_hub.h"
#include "limits.h"
#include "os/clock.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    PING_MS = 30000,
    PONG_MS = 20000,
    CLOSE_MS = 2000,
    OTHER_FILES = 512,    /* of the server, beside its connections */
    FIRST_ORDERS = 64,    /* capacity */
    MOST_ORDERS = 1 << 16 /* that wait for the hub; frames beyond are dropped */
};

static size_t allowed_clients(void)
{
    struct rlimit limit;
    size_t files = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        files = limit.rlim_cur > INT32_MAX ? INT32_MAX : (size_t)limit.rlim_cur;
    size_t others = LIMIT_CONNECTIONS + OTHER_FILES;
    size_t clients = files > 2 * others ? files - others : files / 2;
    return clients < LIMIT_WS_CLIENTS ? clients : LIMIT_WS_CLIENTS;
}

static void set_defaults(struct websocket_hub *hub)
{
    struct websocket_options *options = &hub->options;
    if (options->max_clients == 0)
        options->max_clients = allowed_clients();
    assert(options->max_clients < WEBSOCKET_SLOTS);
    hub->times = (struct websocket_times){
        .ping_ms = options->ping_ms > 0 ? options->ping_ms : PING_MS,
        .pong_ms = options->pong_ms > 0 ? options->pong_ms : PONG_MS,
        .message_ms = options->message_ms > 0 ? options->message_ms : LIMIT_REQUEST_TIME_MS,
        .close_ms = options->close_ms > 0 ? options->close_ms : CLOSE_MS,
    };
}

/* ---- what comes from the hub ---- */

static void release_slot(struct websocket_hub *hub, uint64_t client)
{
    struct hub_slot *slot = &hub->slots[websocket_slot(client)];
    assert(slot->client == client);
    slot->client = 0;
    slot->farewell = NULL;
    slot->next_free = hub->first_free;
    hub->first_free = (uint32_t)websocket_slot(client);
    hub->client_count--;
}

static void deliver(struct websocket_hub *hub, struct hub_event *event)
{
    if (event->code == 0) {
        hub->options.message(hub->options.context, event->client, event->text, event->size_bytes);
    } else {
        release_slot(hub, event->client);
        hub->options.closed(hub->options.context, event->client, event->code);
    }
    free(event);
}

static void on_events(void *context, unsigned ready)
{
    struct websocket_hub *hub = context;
    (void)ready;
    hub_sleep(hub->loop_wakeup);
    (void)pthread_mutex_lock(&hub->lock);
    struct hub_event *event = hub->first_event;
    hub->first_event = hub->last_event = NULL;
    hub->event_count = 0;
    (void)pthread_mutex_unlock(&hub->lock);
    while (event != NULL) {
        struct hub_event *next = event->next;
        deliver(hub, event);
        event = next;
    }
}

/* ---- life ---- */

static enum err_code make_tables(struct websocket_hub *hub, struct err *err)
{
    size_t count = hub->options.max_clients;
    hub->slots = calloc(count, sizeof(*hub->slots));
    hub->unsent_bytes = calloc(count, sizeof(*hub->unsent_bytes));
    if (hub->slots == NULL || hub->unsent_bytes == NULL)
        return err_nomem(err, count * sizeof(*hub->slots));
    for (size_t slot = 0; slot < count; slot++)
        hub->slots[slot].next_free = (uint32_t)slot + 1;
    return websocket_frame_create(WEBSOCKET_PING, NULL, 0, &hub->ping, err);
}

static enum err_code make_thread(struct websocket_hub *hub, struct hub_thread *thread, struct err *err)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = 0};
    thread->seat_count = (hub->options.max_clients + HUB_THREADS - 1) / HUB_THREADS;
    thread->seats = calloc(thread->seat_count, sizeof(*thread->seats));
    if (thread->seats == NULL)
        return err_nomem(err, thread->seat_count * sizeof(*thread->seats));
    thread->epoll = epoll_create1(EPOLL_CLOEXEC);
    thread->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (thread->epoll < 0 || thread->wakeup < 0 ||
        epoll_ctl(thread->epoll, EPOLL_CTL_ADD, thread->wakeup, &wanted) != 0)
        return err_set_errno(err, errno, "cannot make the descriptors of the WebSocket hub");
    return ERR_OK;
}

/* Signals are the loop's. */
static enum err_code start_thread(struct hub_thread *thread, struct err *err)
{
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&thread->thread, NULL, hub_main, thread);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    thread->is_started = failed == 0;
    return failed == 0 ? ERR_OK : err_set_errno(err, failed, "cannot start a thread of the WebSocket hub");
}

static enum err_code start_hub(struct websocket_hub *hub, struct err *err)
{
    enum err_code code = make_tables(hub, err);
    if (code != ERR_OK)
        return code;
    hub->loop_wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (hub->loop_wakeup < 0)
        return err_set_errno(err, errno, "cannot make the descriptors of the WebSocket hub");
    code = loop_watch_add(hub->loop, hub->loop_wakeup, LOOP_READ, on_events, hub, &hub->watch, err);
    for (size_t i = 0; code == ERR_OK && i < HUB_THREADS; i++) {
        code = make_thread(hub, &hub->threads[i], err);
        if (code == ERR_OK)
            code = start_thread(&hub->threads[i], err);
    }
    return code;
}

enum err_code websocket_hub_create(struct loop *loop, const struct websocket_options *options,
                                   struct websocket_hub **out, struct err *err)
{
    struct websocket_hub *hub = calloc(1, sizeof *hub);
    *out = NULL;
    if (hub == NULL)
        return err_nomem(err, sizeof *hub);
    hub->options = *options;
    hub->loop = loop;
    hub->loop_wakeup = -1;
    hub->complained_ms = INT64_MIN / 2;
    (void)pthread_mutex_init(&hub->lock, NULL); /* a default mutex: cannot fail here */
    for (size_t i = 0; i < HUB_THREADS; i++) {
        hub->threads[i] = (struct hub_thread){.hub = hub, .wakeup = -1, .epoll = -1};
        (void)pthread_mutex_init(&hub->threads[i].lock, NULL);
    }
    set_defaults(hub);
    enum err_code code = start_hub(hub, err);
    if (code != ERR_OK)
        websocket_hub_destroy(hub);
    else
        *out = hub;
    return code;
}

static void drop_orders(struct hub_orders *orders)
{
    for (size_t i = 0; i < orders->count; i++) {
        struct hub_order *order = &orders->rows[i];
        if (order->kind == HUB_SEND || order->kind == HUB_BROADCAST)
            websocket_frame_release(order->frame);
        if (order->kind == HUB_OPEN) {
            close(order->socket);
            free(order->farewell);
        }
    }
    free(orders->rows);
}

static void close_if_open(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

static bool give_order(struct hub_thread *thread, struct hub_order order);

static void stop_threads(struct websocket_hub *hub)
{
    for (size_t i = 0; i < HUB_THREADS; i++) {
        /* without memory for one more order, the thread makes room by carrying out the others */
        while (hub->threads[i].is_started &&
               !give_order(&hub->threads[i], (struct hub_order){.kind = HUB_STOP}))
            (void)usleep(1000);
    }
    for (size_t i = 0; i < HUB_THREADS; i++) {
        if (hub->threads[i].is_started)
            (void)pthread_join(hub->threads[i].thread, NULL);
    }
}

static void release_thread(struct hub_thread *thread)
{
    drop_orders(&thread->orders);
    drop_orders(&thread->taken);
    close_if_open(thread->epoll);
    close_if_open(thread->wakeup);
    free(thread->seats);
    (void)pthread_mutex_destroy(&thread->lock);
}

void websocket_hub_destroy(struct websocket_hub *hub)
{
    if (hub == NULL)
        return;
    stop_threads(hub);
    for (size_t i = 0; i < HUB_THREADS; i++)
        release_thread(&hub->threads[i]);
    if (hub->watch != NULL)
        loop_watch_remove(hub->loop, hub->watch);
    while (hub->first_event != NULL) {
        struct hub_event *event = hub->first_event;
        hub->first_event = event->next;
        free(event);
    }
    for (size_t slot = 0; hub->slots != NULL && slot < hub->options.max_clients; slot++)
        free(hub->slots[slot].farewell); /* handshakes that never ended */
    close_if_open(hub->loop_wakeup);
    websocket_frame_release(hub->ping);
    free(hub->slots);
    free(hub->unsent_bytes);
    (void)pthread_mutex_destroy(&hub->lock);
    free(hub);
}

size_t websocket_hub_client_count(const struct websocket_hub *hub)
{
    return hub->client_count;
}

/* ---- orders ---- */

static bool grow_orders(struct hub_orders *orders)
{
    size_t capacity = orders->capacity == 0 ? FIRST_ORDERS : 2 * orders->capacity;
    struct hub_order *rows = reallocarray(orders->rows, capacity, sizeof(*rows));
    if (rows == NULL)
        return false;
    orders->rows = rows;
    orders->capacity = capacity;
    return true;
}

static bool give_order(struct hub_thread *thread, struct hub_order order)
{
    (void)pthread_mutex_lock(&thread->lock);
    struct hub_orders *orders = &thread->orders;
    bool is_frame = order.kind == HUB_SEND || order.kind == HUB_BROADCAST;
    bool is_first = orders->count == 0;
    bool has_room = !(is_frame && orders->count >= MOST_ORDERS) &&
                    (orders->count < orders->capacity || grow_orders(orders));
    if (has_room)
        orders->rows[orders->count++] = order;
    (void)pthread_mutex_unlock(&thread->lock);
    if (has_room && is_first)
        hub_wake(thread->wakeup);
    return has_room;
}

static void complain(struct websocket_hub *hub)
{
    int64_t now_ms = clock_monotonic_us() / 1000;
    if (now_ms - hub->complained_ms < 1000)
        return;
    hub->complained_ms = now_ms;
    log_line(LOG_WARN, "websocket", "messages are lost: more than %d wait to be sent", MOST_ORDERS);
}

static struct hub_slot *slot_of(const struct websocket_hub *hub, uint64_t client)
{
    size_t index = websocket_slot(client);
    return client != 0 && index < hub->options.max_clients && hub->slots[index].client == client
               ? &hub->slots[index]
               : NULL;
}

void websocket_hub_join(struct websocket_hub *hub, uint64_t client, uint64_t groups)
{
    if (slot_of(hub, client) != NULL &&
        !give_order(hub_thread_of(hub, client),
                    (struct hub_order){.kind = HUB_JOIN, .client = client, .groups = groups}))
        complain(hub);
}

static bool give_frame(struct hub_thread *thread, struct hub_order order)
{
    if (give_order(thread, order))
        return true;
    websocket_frame_release(order.frame);
    complain(thread->hub);
    return false;
}

void websocket_hub_send(struct websocket_hub *hub, uint64_t client, struct websocket_frame *frame)
{
    size_t size_bytes;
    if (slot_of(hub, client) == NULL)
        return;
    atomic_llong *unsent_bytes = &hub->unsent_bytes[websocket_slot(client)];
    (void)websocket_frame_bytes(frame, &size_bytes);
    (void)atomic_fetch_add(unsent_bytes, (long long)size_bytes); /* before the hub takes it off again */
    if (!give_frame(
            hub_thread_of(hub, client),
            (struct hub_order){.kind = HUB_SEND, .client = client, .frame = websocket_frame_share(frame)}))
        (void)atomic_fetch_sub(unsent_bytes, (long long)size_bytes);
}

void websocket_hub_broadcast(struct websocket_hub *hub, unsigned group, struct websocket_frame *frame)
{
    assert(group < WEBSOCKET_GROUPS);
    for (size_t i = 0; i < HUB_THREADS; i++) {
        struct hub_order order = {
            .kind = HUB_BROADCAST, .group = group, .frame = websocket_frame_share(frame)};
        (void)give_frame(&hub->threads[i], order);
    }
}

void websocket_hub_close(struct websocket_hub *hub, uint64_t client, enum websocket_code code)
{
    if (slot_of(hub, client) != NULL &&
        !give_order(hub_thread_of(hub, client),
                    (struct hub_order){.kind = HUB_CLOSE, .client = client, .code = code}))
        complain(hub);
}

size_t websocket_hub_unsent_bytes(const struct websocket_hub *hub, uint64_t client)
{
    if (slot_of(hub, client) == NULL)
        return 0;
    long long unsent_bytes = atomic_load(&hub->unsent_bytes[websocket_slot(client)]);
    return unsent_bytes > 0 ? (size_t)unsent_bytes : 0;
}

/* ---- accepting ---- */

static void on_upgraded(void *context, uint64_t client, int socket, const void *early, size_t early_bytes)
{
    struct websocket_hub *hub = context;
    struct hub_slot *slot = slot_of(hub, client);
    assert(slot != NULL && slot->farewell != NULL);
    struct hub_event *farewell = slot->farewell;
    slot->farewell = NULL;
    if (socket >= 0 && early_bytes > 0) {
        struct hub_event *grown = realloc(farewell, sizeof *farewell + early_bytes);
        if (grown == NULL) {
            close(socket);
            socket = -1;
        } else {
            farewell = grown;
            memcpy(farewell->text, early, early_bytes);
            farewell->size_bytes = early_bytes;
        }
    }
    struct hub_order order = {.kind = HUB_OPEN, .client = client, .socket = socket, .farewell = farewell};
    if (socket >= 0 && give_order(hub_thread_of(hub, client), order))
        return;
    if (socket >= 0)
        close(socket);
    farewell->code = WEBSOCKET_LOST;
    hub_push_event(hub, farewell);
}

static enum err_code take_slot(struct websocket_hub *hub, uint64_t *out, struct err *err)
{
    uint32_t index = hub->first_free;
    if (index >= hub->options.max_clients)
        return err_set(err, ERR_BUSY, "there are %zu WebSocket clients already, which is the limit",
                       hub->client_count);
    struct hub_slot *slot = &hub->slots[index];
    struct hub_event *farewell = calloc(1, sizeof *farewell);
    if (farewell == NULL)
        return err_nomem(err, sizeof *farewell);
    hub->first_free = slot->next_free;
    hub->client_count++;
    *out = (uint64_t)++slot->uses * WEBSOCKET_SLOTS | index;
    slot->client = farewell->client = *out;
    slot->farewell = farewell;
    atomic_store(&hub->unsent_bytes[index], 0);
    return ERR_OK;
}

static void refuse(struct http_response *response, int status, const struct err *err)
{
    http_respond_error(response, err);
    response->status = status;
    if (status == 426) {
        http_response_header(response, "Upgrade", "websocket");
        http_response_header(response, "Connection", "Upgrade");
        http_response_header(response, "Sec-WebSocket-Version", "13");
    }
}

enum err_code websocket_hub_accept(struct websocket_hub *hub, const struct http_request *request,
                                   struct http_response *response, uint64_t *out, struct err *err)
{
    struct websocket_handshake handshake = {
        .method = request->method,
        .upgrade = http_request_header(request, "Upgrade"),
        .connection = http_request_header(request, "Connection"),
        .version = http_request_header(request, "Sec-WebSocket-Version"),
        .key = http_request_header(request, "Sec-WebSocket-Key"),
        .is_http_1_1 = request->is_http_1_1,
        .has_body = request->body_bytes > 0,
    };
    *out = 0;
    int status = websocket_check(&handshake, err);
    if (status != 101) {
        refuse(response, status, err);
        return ERR_OK;
    }
    enum err_code code = take_slot(hub, out, err);
    if (code != ERR_OK)
        return code;
    http_upgrade_open(
        request, response,
        (struct http_upgrade){.protocol = "websocket", .done = on_upgraded, .context = hub, .id = *out});
    websocket_accept_key(handshake.key, response->accept);
    return ERR_OK;
}
