/* Names: see names.h.
 *
 * An open-addressing table (linear probing, at most half full) holds ids; the texts lie in an arena and never
 * move, which is what makes names_text valid until destroy. The hash of each text is kept, so that growing
 * the table reads no text and a probe compares bytes only when 64 bits already agree. */
#include "base/names.h"
#include "base/arena.h"
#include "base/hash.h"
#include "limits.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct name {
    const char *data;
    size_t size_bytes;
    uint64_t hash;
};

struct names {
    struct arena arena; /* of the texts */
    struct name *items; /* by id */
    int32_t *slots;     /* slot_count of them, a power of two; NAMES_NONE where empty */
    size_t slot_count;
    int32_t count;
    int32_t capacity;
};

enum { NAMES_FIRST_CAPACITY = 32 };

struct names *names_create(void)
{
    struct names *names = calloc(1, sizeof(*names));
    if (names)
        arena_init(&names->arena, LIMIT_ARENA_BYTES);
    return names;
}

void names_destroy(struct names *names)
{
    if (!names)
        return;
    arena_release(&names->arena);
    free(names->items);
    free(names->slots);
    free(names);
}

/* The slot where a text is, or the empty one where it belongs. */
static size_t names_slot(const struct names *names, struct text text, uint64_t hash)
{
    size_t slot = hash & (names->slot_count - 1);
    for (;; slot = (slot + 1) & (names->slot_count - 1)) {
        int32_t id = names->slots[slot];
        if (id == NAMES_NONE)
            return slot;
        const struct name *name = &names->items[id];
        if (name->hash == hash && name->size_bytes == text.size_bytes &&
            (text.size_bytes == 0 || memcmp(name->data, text.data, text.size_bytes) == 0))
            return slot;
    }
}

static void names_fill_slots(const struct names *names, int32_t *slots, size_t slot_count)
{
    for (size_t slot = 0; slot < slot_count; slot++)
        slots[slot] = NAMES_NONE;
    for (int32_t id = 0; id < names->count; id++) {
        size_t slot = names->items[id].hash & (slot_count - 1);
        while (slots[slot] != NAMES_NONE)
            slot = (slot + 1) & (slot_count - 1);
        slots[slot] = id;
    }
}

/* Doubles items and slots; on failure nothing has changed. */
static bool names_grow(struct names *names)
{
    if (names->capacity > INT32_MAX / 4)
        return false;
    int32_t capacity = names->capacity ? 2 * names->capacity : NAMES_FIRST_CAPACITY;
    size_t slot_count = 2 * (size_t)capacity;
    struct name *items = realloc(names->items, (size_t)capacity * sizeof(*items));
    if (!items)
        return false;
    names->items = items; /* larger than capacity says, which harms nothing if the next step fails */
    int32_t *slots = malloc(slot_count * sizeof(*slots));
    if (!slots)
        return false;
    names_fill_slots(names, slots, slot_count);
    free(names->slots);
    names->slots = slots;
    names->slot_count = slot_count;
    names->capacity = capacity;
    return true;
}

int32_t names_find(const struct names *names, struct text text)
{
    if (names->count == 0)
        return NAMES_NONE;
    return names->slots[names_slot(names, text, hash_u64(text.data, text.size_bytes, 0))];
}

int32_t names_add(struct names *names, struct text text)
{
    uint64_t hash = hash_u64(text.data, text.size_bytes, 0);
    if (names->count > 0) {
        int32_t id = names->slots[names_slot(names, text, hash)];
        if (id != NAMES_NONE)
            return id;
    }
    if (names->count == names->capacity && !names_grow(names))
        return NAMES_NONE;
    char *copy = arena_copy_text(&names->arena, text.data, text.size_bytes);
    if (!copy)
        return NAMES_NONE;
    int32_t id = names->count++;
    names->items[id] = (struct name){.data = copy, .size_bytes = text.size_bytes, .hash = hash};
    names->slots[names_slot(names, text, hash)] = id;
    return id;
}

const char *names_text(const struct names *names, int32_t id)
{
    assert(id >= 0 && id < names->count);
    return names->items[id].data;
}

int32_t names_count(const struct names *names)
{
    return names->count;
}
