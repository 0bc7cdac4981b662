/* Event loop: epoll, timers and posts from other threads. One thread owns a loop and everything hung on it;
 * only loop_post and loop_stop may be called from other threads or from signal handlers (loop_stop). */
#ifndef ALMANAC_OS_LOOP_H
#define ALMANAC_OS_LOOP_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

enum err_code loop_create(struct loop **out, struct err *err) CHECKED;
void loop_destroy(struct loop *loop); /* closes nothing that was watched */
/* Runs until loop_stop. */
enum err_code loop_run(struct loop *loop, struct err *err) CHECKED;
void loop_stop(struct loop *loop);

/* Level-triggered. The callback may remove its own or any other watch. Hang-ups and errors are always
 * reported, as LOOP_HANGUP together with whichever of READ and WRITE was asked for. `out` may be NULL (here
 * and for timers). */
enum err_code loop_watch_add(struct loop *loop, int descriptor, unsigned events,
                             void (*ready)(void *context, unsigned events), void *context,
                             struct loop_watch **out, struct err *err) CHECKED;
void loop_watch_remove(struct loop *loop, struct loop_watch *watch);
/* First after delay_ms, then every period_ms (0: once; the timer is then gone by itself after firing). */
enum err_code loop_timer_add(struct loop *loop, int64_t delay_ms, int64_t period_ms,
                             void (*fire)(void *context), void *context, struct loop_timer **out,
                             struct err *err) CHECKED;
void loop_timer_remove(struct loop *loop, struct loop_timer *timer);
/* Called before each wait: returns the longest wait in ms it allows (-1: any). libmicrohttpd needs this. */
void loop_set_prepare(struct loop *loop, int64_t (*prepare)(void *context), void *context);
/* Runs call(context) on the loop thread soon. Any thread. */
enum err_code loop_post(struct loop *loop, void (*call)(void *context), void *context,
                        struct err *err) CHECKED;
/* Runs what was posted and not run yet, e.g. after pool_destroy when the loop has stopped; loop_destroy drops
 * it. */
void loop_drain(struct loop *loop);
/* SIGTERM and SIGINT stop the loop (signalfd; both are blocked in this thread until loop_destroy), SIGPIPE and SIGXFSZ
 * are ignored. Call it before other threads are made; pool threads block signals themselves. */
enum err_code loop_stop_on_signals(struct loop *loop, struct err *err) CHECKED;

#endif
