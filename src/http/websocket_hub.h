/* Inside of the hub: what its threads share. websocket.c is the loop's side, websocket_hub.c that of the hub's threads. Inside
 * http/ only.
 *
 * Each client belongs to one of the threads, by its slot, so that a broadcast is sent by all of them at once. A thread has a
 * queue of orders, the loop one of events, each under a lock and with a descriptor to wait on, written when the queue
 * stops being empty. A slot
 * is given out by the loop's side and comes back with the last event of its client, so both sides agree on who sits
 * there: an id is a slot and how often it was given out. */
#ifndef ALMANAC_HTTP_WEBSOCKET_HUB_H
#define ALMANAC_HTTP_WEBSOCKET_HUB_H

#include "http/websocket.h"
#include "http/websocket_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { HUB_THREADS = 2, HUB_READ_BYTES = 16 << 10 };

/* From the hub to the loop. */
struct hub_event {
    struct hub_event *next;
    uint64_t client;
    int code; /* 0: a message */
    size_t size_bytes;
    char text[]; /* zero-terminated */
};

enum hub_order_kind { HUB_OPEN, HUB_JOIN, HUB_SEND, HUB_BROADCAST, HUB_CLOSE, HUB_STOP };

/* From the loop to the hub. */
struct hub_order {
    enum hub_order_kind kind;
    union {
        int socket;               /* open */
        unsigned group;           /* broadcast */
        enum websocket_code code; /* close */
    };
    uint64_t client; /* all but broadcast and stop */
    union {
        struct websocket_frame *frame; /* send, broadcast: a reference of the order's own */
        uint64_t groups;               /* join */
        struct hub_event
            *farewell; /* open: what tells that the client is gone; with the early bytes in its text */
    };
};

struct hub_orders {
    struct hub_order *rows;
    size_t count, capacity;
};

/* The loop's side. */
struct hub_slot {
    uint64_t client;            /* 0: free */
    struct hub_event *farewell; /* until the socket is handed over */
    uint32_t uses;
    uint32_t next_free;
};

/* A thread's side. */
struct hub_seat {
    struct websocket_client *client; /* NULL: nobody */
    struct hub_event *farewell;
    bool is_armed; /* waits for the socket to take bytes */
};

struct hub_thread {
    struct websocket_hub *hub;
    pthread_t thread;
    bool is_started;

    /* both sides */
    pthread_mutex_t lock;
    struct hub_orders orders;
    int wakeup;

    /* the thread's */
    struct hub_orders taken; /* swapped with orders */
    struct hub_seat *seats;
    size_t seat_count, seated;
    int epoll;
    int64_t now_ms, sweep_ms;
    int64_t stop_ms; /* 0 while it serves, then the time by which all must be gone */
    unsigned char bytes[HUB_READ_BYTES];
};

struct websocket_hub {
    struct websocket_options options;
    struct websocket_times times;
    atomic_llong
        *unsent_bytes; /* by slot: what the loop's side has handed over and the client has not taken */

    /* loop's side */
    struct loop *loop;
    struct loop_watch *watch;
    struct hub_slot *slots;
    uint32_t first_free; /* max_clients: none */
    size_t client_count;
    int64_t complained_ms;

    /* all */
    pthread_mutex_t lock;
    struct hub_event *first_event, *last_event;
    size_t event_count;
    int loop_wakeup;
    struct websocket_frame *ping; /* prepared, never changed */
    struct hub_thread threads[HUB_THREADS];
};

static inline struct hub_thread *hub_thread_of(struct websocket_hub *hub, uint64_t client)
{
    return &hub->threads[websocket_slot(client) % HUB_THREADS];
}

/* Its place there. */
static inline size_t hub_seat_index(uint64_t client)
{
    return websocket_slot(client) / HUB_THREADS;
}

/* A thread (a struct hub_thread): takes orders until it is told to stop. Returns NULL. */
void *hub_main(void *context);
/* Adds an event for the loop; any thread. */
void hub_push_event(struct websocket_hub *hub, struct hub_event *event);
void hub_wake(int descriptor);
void hub_sleep(int descriptor); /* takes the wake-ups */

#endif
