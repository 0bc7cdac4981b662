/* Live: what happens in the server, told to its clients as it happens: /ws (WebSocket) and /api/events (server-sent
 * events), topic by topic. docs/protocols/websocket.md is the contract with the clients.
 *
 * Invariant: an event is written once, whoever follows it; without a follower nothing is written at all. The number of an
 * event (`seq`) counts per topic whether anybody listens or not, so that a client which was away can tell whether it missed
 * something. Threads: the loop's (the sockets have threads of their own, behind http/websocket.h). Memory: a client that
 * does not read is cut off beyond a bound. */
#ifndef ALMANAC_API_LIVE_H
#define ALMANAC_API_LIVE_H

#include "base/err.h"
#include "base/json.h"
#include "store/job_store.h"

#include <stdbool.h>
#include <stddef.h>

struct api;
struct live;

/* Before the supervisor, whose jobs it follows: only the loop, the clock and the store of `api` must be there. */
enum err_code live_create(struct api *api, struct live **out, struct err *err) CHECKED;
/* After the listener and before the supervisor; tells the clients that the server goes. NULL is fine. */
void live_destroy(struct live *live);
/* Tells the followers of a topic of topic_list.h. write() puts one JSON value, the event's data; it is not called when
 * nobody follows. Nothing happens with live NULL. */
void live_publish(struct live *live, const char *topic, void (*write)(void *context, struct json_writer *out),
                  void *context);
bool live_has_subscribers(const struct live *live, const char *topic);
/* A job changed: tells "jobs", progress at most every 100 ms per job, and what follows from it: "queues", "training". */
void live_job_changed(struct live *live, const struct job_row *job);
/* A queue was paused, resumed, stopped (NULL: any): tells "queues" and "training" within 100 ms. */
void live_queue_changed(struct live *live, const char *queue);
/* Connections of /ws. */
size_t live_client_count(const struct live *live);

#endif
