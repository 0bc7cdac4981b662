/* Arena: memory with one lifetime. Allocation is a pointer bump; everything goes at once with arena_release.
 *
 * Invariant: no block moves, so pointers stay valid until release/reset. An arena has a maximum; an
 * allocation beyond it, or a failing malloc, returns NULL (callers answer ERR_NOMEM). Foreign handles are
 * tied to the arena with arena_defer. Threads: one thread at a time. */
#ifndef ALMANAC_BASE_ARENA_H
#define ALMANAC_BASE_ARENA_H

#include "base/err.h"
#include <stddef.h>

struct arena_block;
struct arena_cleanup;
struct arena {
    struct arena_block *blocks;
    struct arena_cleanup *cleanups;
    size_t used_bytes; /* handed out, padding included */
    size_t max_bytes;
};

void arena_init(struct arena *arena, size_t max_bytes);
void arena_release(struct arena *arena); /* runs the cleanups, last first; the arena can be used again */
/* Zeroed, aligned to 16 bytes; NULL when the maximum or memory is exhausted. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size_bytes);
/* Same with an alignment (power of two, up to 4096). */
void *arena_alloc_aligned(struct arena *arena, size_t size_bytes, size_t alignment);
/* count * size with overflow check. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size_bytes);
char *arena_copy_text(struct arena *arena, const char *data, size_t size_bytes); /* zero-terminated copy */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
/* Calls cleanup(handle) at release. On ERR_NOMEM the cleanup is called at once. */
enum err_code arena_defer(struct arena *arena, void (*cleanup)(void *), void *handle) CHECKED;

#endif
