/* Threads: a small pool with two uses.
 *   pool_for    runs body(context, index) for index 0..count-1 and returns when all are done (the caller
 * works too); which thread runs which index is not defined, so results must not depend on it. pool_submit
 * runs work() on a pool thread, then done() on the loop thread (see os/loop.h). pool_for may be called from
 * one thread at a time per pool and not from inside a pool thread. */
#ifndef ALMANAC_OS_THREAD_H
#define ALMANAC_OS_THREAD_H

#include "base/err.h"
#include <stddef.h>

struct pool;
struct loop;

/* thread_count 0: the number of processors this process may use. */
enum err_code pool_create(size_t thread_count, struct pool **out, struct err *err) CHECKED;
void pool_destroy(struct pool *pool); /* waits for what was submitted */
size_t pool_thread_count(const struct pool *pool);
void pool_for(struct pool *pool, size_t count, void (*body)(void *context, size_t index), void *context);
/* ERR_NOMEM only. done may be NULL; with loop NULL done runs on the pool thread. */
enum err_code pool_submit(struct pool *pool, struct loop *loop, void (*work)(void *context),
                          void (*done)(void *context), void *context, struct err *err) CHECKED;
size_t thread_processor_count(void);

#endif
