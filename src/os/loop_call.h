/* Inside os/ only: a post whose memory is made beforehand, so that handing over a finished result cannot
 * fail.
 *
 * Threads: loop_post_call from any thread. Memory: malloc by the caller, freed by the loop before the call
 * runs. */
#ifndef ALMANAC_OS_LOOP_CALL_H
#define ALMANAC_OS_LOOP_CALL_H

struct loop;
struct loop_call {
    void (*call)(void *context);
    void *context;
    struct loop_call *next;
};

void loop_post_call(struct loop *loop, struct loop_call *call);

#endif
