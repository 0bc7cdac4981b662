/* Inside of live: what its files share. live.c has the topics, live_jobs.c what is told about jobs and queues, live_socket.c
 * the clients of /ws, live_events.c those of /api/events, live_follow.c the logs. Inside api/ only; threads: the loop's. */
#ifndef ALMANAC_API_LIVE_PARTS_H
#define ALMANAC_API_LIVE_PARTS_H

#include "api/api.h"
#include "api/live.h"
#include "base/buffer.h"
#include "http/websocket.h"
#include "job/supervisor.h"

#include <stdint.h>

enum {
    LIVE_EVENT_BYTES = 1 << 20,  /* the largest event */
    LIVE_TOPICS_PER_REQUEST = 64 /* of one message */
};

enum live_topic_ordinal {
#define TOPIC(symbol, name, doc) LIVE_##symbol,
#include "api/topic_list.h"
#undef TOPIC
    LIVE_TOPIC_COUNT
};

/* One client, of either kind. */
struct live_client {
    struct live *live;
    struct live_client *next, *previous; /* among those with a stream */
    struct http_stream *stream;          /* NULL: a socket */
    uint64_t socket;                     /* 0: a stream */
    uint64_t topics;                     /* bit by bit */
    struct live_follower *followers;
    size_t follower_count;
};

struct live_jobs;
struct live_logs;

struct live {
    struct api *api;
    struct websocket_hub *hub;
    struct live_client **sockets; /* by slot; calloc'd, so that what is not used costs no memory */
    struct live_client *streams;
    int64_t seq[LIVE_TOPIC_COUNT];
    size_t followers[LIVE_TOPIC_COUNT]; /* clients that follow the topic */
    struct live_jobs *jobs;
    struct live_logs *logs;
    char run[40]; /* names this run of the server: seq begins anew with it */
};

/* ---- live.c ---- */

/* LIVE_TOPIC_COUNT when there is none of that name. */
size_t live_topic_find(const char *name);
const char *live_topic_name(size_t topic);
/* The client follows these topics from now on, and no others; logs are not touched. */
void live_set_topics(struct live_client *client, uint64_t wanted);
/* Takes everything off a client that goes. */
void live_leave(struct live_client *client);
/* The envelope of an event up to "data":, and its end. */
void live_begin_event(struct live *live, struct json_writer *out, struct buffer *text, const char *topic,
                      int64_t seq);
void live_end_event(struct json_writer *out);
/* A message to one client: an event of that name for a stream (id < 0: none). For a socket `text` is the whole message. */
void live_say_socket(struct live_client *client, const struct buffer *text);
size_t live_unsent_bytes(const struct live_client *client);

/* ---- requests: live_request.c ---- */

struct live_request {
    uint64_t topics;
    struct {
        int64_t job, offset; /* -1: not given */
    } logs[LIVE_TOPICS_PER_REQUEST];
    size_t log_count;
};
/* "jobs", "logs:17", "logs:17@4096". ERR_INVALID with field "topics". */
enum err_code live_request_add(struct live_request *request, const char *topic, struct err *err) CHECKED;
/* All of it, or nothing and an error. */
enum err_code live_subscribe(struct live_client *client, const struct live_request *request,
                             struct err *err) CHECKED;
void live_unsubscribe(struct live_client *client, const struct live_request *request);
/* {"type": type, "topics": [...], "seq": {...}, "run"} without the end of the object. */
void live_write_answer(struct live *live, struct json_writer *out, struct buffer *text, const char *type,
                       const struct live_request *request);

/* ---- live_follow.c ---- */

enum err_code live_logs_create(struct live *live, struct live_logs **out, struct err *err) CHECKED;
void live_logs_destroy(struct live_logs *logs);
/* Follows the log of a job from an offset on; anew if it is followed already. ERR_NOT_FOUND: no such job; ERR_INVALID: the
 * offset is outside the log, or the client follows too many. */
enum err_code live_follow(struct live_client *client, int64_t job, int64_t offset, struct err *err) CHECKED;
bool live_follows(const struct live_client *client, int64_t job);
void live_unfollow(struct live_client *client, int64_t job);
void live_unfollow_all(struct live_client *client);

/* ---- live_jobs.c ---- */

enum err_code live_jobs_create(struct live *live, struct live_jobs **out, struct err *err) CHECKED;
void live_jobs_destroy(struct live_jobs *jobs);

/* ---- live_socket.c ---- */

enum err_code live_socket_create(struct live *live, struct err *err) CHECKED;
void live_socket_destroy(struct live *live);

#endif
