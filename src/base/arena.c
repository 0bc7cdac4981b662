/* Arena: see arena.h.
 *
 * Blocks hang in a list; the first one is bumped. A request that does not fit opens a new block, twice as
 * large as the one before (4 kB to 1 MB). A request larger than a quarter of the next block gets a block of
 * its own, put behind the first, so that the rest of the bump block is not lost. Blocks come from calloc:
 * large ones are fresh zero pages that cost nothing until touched. Cleanup records live in the arena itself.
 */
#include "base/arena.h"
#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_ALIGNMENT = 16,
    ARENA_ALIGNMENT_MAX = 4096,
    ARENA_BLOCK_MIN_BYTES = 4096,
    ARENA_BLOCK_MAX_BYTES = 1 << 20,
};

struct arena_block {
    struct arena_block *next;
    size_t used_bytes;
    size_t capacity_bytes;
    _Alignas(ARENA_ALIGNMENT) unsigned char data[];
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*run)(void *);
    void *handle;
};

void arena_init(struct arena *arena, size_t max_bytes)
{
    *arena = (struct arena){.max_bytes = max_bytes};
}

void arena_release(struct arena *arena)
{
    while (arena->cleanups) {
        struct arena_cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->run(cleanup->handle);
    }
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->used_bytes = 0;
}

/* Bytes to skip so that the next byte of the block is aligned. */
static size_t arena_padding(const struct arena_block *block, size_t alignment)
{
    uintptr_t next = (uintptr_t)(block->data + block->used_bytes);
    return (size_t)(-next & (alignment - 1));
}

static void *arena_take(struct arena *arena, struct arena_block *block, size_t size_bytes, size_t padding)
{
    void *result = block->data + block->used_bytes + padding;
    block->used_bytes += padding + size_bytes;
    arena->used_bytes += padding + size_bytes;
    return result;
}

static struct arena_block *arena_new_block(size_t capacity_bytes)
{
    if (capacity_bytes > SIZE_MAX - sizeof(struct arena_block))
        return NULL;
    struct arena_block *block = calloc(1, sizeof(*block) + capacity_bytes);
    if (block)
        block->capacity_bytes = capacity_bytes;
    return block;
}

static size_t arena_next_block_bytes(const struct arena *arena)
{
    size_t wanted = arena->blocks ? 2 * arena->blocks->capacity_bytes : ARENA_BLOCK_MIN_BYTES;
    return wanted < ARENA_BLOCK_MAX_BYTES ? wanted : ARENA_BLOCK_MAX_BYTES;
}

/* A block with room for the request and its worst padding, linked where the design above says. */
static struct arena_block *arena_add_block(struct arena *arena, size_t size_bytes, size_t alignment)
{
    if (size_bytes > SIZE_MAX - alignment)
        return NULL;
    size_t needed = size_bytes + alignment;
    size_t regular = arena_next_block_bytes(arena);
    bool is_alone = arena->blocks && needed > regular / 4;
    struct arena_block *block = arena_new_block(is_alone || needed > regular ? needed : regular);
    if (!block)
        return NULL;
    if (is_alone) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc_aligned(struct arena *arena, size_t size_bytes, size_t alignment)
{
    assert(alignment > 0 && (alignment & (alignment - 1)) == 0 && alignment <= ARENA_ALIGNMENT_MAX);
    size_t left = arena->max_bytes - arena->used_bytes;
    struct arena_block *block = arena->blocks;
    if (block) {
        size_t padding = arena_padding(block, alignment);
        size_t room = block->capacity_bytes - block->used_bytes;
        if (padding <= room && size_bytes <= room - padding) {
            if (padding > left || size_bytes > left - padding)
                return NULL;
            return arena_take(arena, block, size_bytes, padding);
        }
    }
    if (size_bytes > left)
        return NULL;
    block = arena_add_block(arena, size_bytes, alignment);
    if (!block)
        return NULL;
    size_t padding = arena_padding(block, alignment);
    if (padding > left - size_bytes) /* the empty block stays for smaller requests */
        return NULL;
    return arena_take(arena, block, size_bytes, padding);
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    return arena_alloc_aligned(arena, size_bytes, ARENA_ALIGNMENT);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size_bytes)
{
    size_t total_bytes;
    if (__builtin_mul_overflow(count, size_bytes, &total_bytes))
        return NULL;
    return arena_alloc(arena, total_bytes);
}

char *arena_copy_text(struct arena *arena, const char *data, size_t size_bytes)
{
    if (size_bytes == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc_aligned(arena, size_bytes + 1, 1);
    if (copy && size_bytes > 0)
        memcpy(copy, data, size_bytes); /* the terminator is there: memory is zeroed */
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : arena_alloc_aligned(arena, (size_t)length + 1, 1);
    if (text)
        (void)vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

enum err_code arena_defer(struct arena *arena, void (*cleanup)(void *), void *handle)
{
    struct arena_cleanup *record = arena_alloc(arena, sizeof(*record));
    if (!record) {
        cleanup(handle);
        return ERR_NOMEM;
    }
    *record = (struct arena_cleanup){.next = arena->cleanups, .run = cleanup, .handle = handle};
    arena->cleanups = record;
    return ERR_OK;
}
