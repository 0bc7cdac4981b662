/* Live state: the trackers of all streams in one relocatable block.
 *
 * Tracker states are plain old data, so a checkpoint is the block itself behind a small header, and loading it is one
 * read. The file (docs/formats/matrix.md) is tied to its data and feature set by a tag: a state of other data would give
 * features that differ from the training matrix without any error. */
#include "feature/live_state.h"

#include "base/hash.h"
#include "os/file.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_ALIGNMENT = 64, STATE_HEADER_BYTES = 192, STATE_FORMAT = 3 };
static const char state_magic[8] = "ALMSTATE";

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "file formats are little endian");

struct state_header {
    char magic[8];
    uint32_t format;
    uint32_t stream_count;
    uint64_t block_bytes;
    uint64_t block_hash; /* hash_u64 of the block */
    uint64_t sizes_hash; /* hash_u64 of the streams' sizes */
    int64_t at_us;       /* the moment the state stands at */
    char tag[HASH_HEX_BYTES];
    char padding[STATE_HEADER_BYTES - 8 - 8 - 32 - HASH_HEX_BYTES - 8];
    uint64_t header_hash; /* hash_u64 of all above */
};
_Static_assert(sizeof(struct state_header) == STATE_HEADER_BYTES &&
                   offsetof(struct state_header, header_hash) == STATE_HEADER_BYTES - 8,
               "header has no holes");

static size_t lay_out(struct live_state *state)
{
    size_t offset = 0;
    for (size_t s = 0; s < state->stream_count; s++) {
        for (size_t t = 0; t < state->tracker_count; t++) {
            state->offsets[s * state->tracker_count + t] = offset;
            offset += state->set->trackers[t]->state_bytes(&state->sizes[s]);
            offset = (offset + STATE_ALIGNMENT - 1) & ~(size_t)(STATE_ALIGNMENT - 1);
        }
    }
    return offset;
}

/* The block is allocated, not yet filled. */
static enum err_code allocate(const struct feature_set *set, const struct stream_size *sizes,
                              size_t stream_count, struct live_state **out, struct err *err)
{
    struct live_state *state = calloc(1, sizeof(*state));
    if (state == NULL)
        return err_nomem(err, sizeof(*state));
    state->set = set;
    state->stream_count = stream_count;
    while (set->trackers[state->tracker_count] != NULL)
        state->tracker_count++;
    size_t count = stream_count * state->tracker_count;
    state->sizes = calloc(stream_count + 1, sizeof(*state->sizes));
    state->offsets = calloc(count + 1, sizeof(*state->offsets));
    if (state->sizes != NULL && state->offsets != NULL) {
        if (stream_count > 0)
            memcpy(state->sizes, sizes, stream_count * sizeof(*sizes));
        state->block_bytes = lay_out(state);
        state->block = aligned_alloc(STATE_ALIGNMENT, state->block_bytes + STATE_ALIGNMENT);
    }
    if (state->block == NULL) {
        enum err_code code = err_nomem(err, state->block_bytes);
        live_state_destroy(state);
        return code;
    }
    *out = state;
    return ERR_OK;
}

enum err_code live_state_create(const struct feature_set *set, const struct stream_size *sizes,
                                size_t stream_count, struct live_state **out, struct err *err)
{
    struct live_state *state = NULL;
    enum err_code code = allocate(set, sizes, stream_count, &state, err);
    if (code != ERR_OK)
        return code;
    memset(state->block, 0, state->block_bytes);
    for (size_t s = 0; s < stream_count; s++) {
        for (size_t t = 0; t < state->tracker_count; t++)
            set->trackers[t]->init(live_state_at(state, s, t), &state->sizes[s]);
    }
    *out = state;
    return ERR_OK;
}

enum err_code live_state_copy(const struct live_state *state, struct live_state **out, struct err *err)
{
    struct live_state *copy = NULL;
    enum err_code code = allocate(state->set, state->sizes, state->stream_count, &copy, err);
    if (code != ERR_OK)
        return code;
    memcpy(copy->block, state->block, state->block_bytes);
    *out = copy;
    return ERR_OK;
}

void live_state_destroy(struct live_state *state)
{
    if (state == NULL)
        return;
    free(state->sizes);
    free(state->offsets);
    free(state->block);
    free(state);
}

void live_state_emit(const struct live_state *state, size_t stream, const void *fixture, float *out)
{
    assert(stream < state->stream_count);
    for (size_t t = 0; t < state->tracker_count; t++) {
        const struct tracker *tracker = state->set->trackers[t];
        tracker->emit(live_state_at(state, stream, t), fixture, out);
        out += tracker->feature_count;
    }
}

void live_state_apply(struct live_state *state, size_t stream, const void *fixture, const void *outcome)
{
    assert(stream < state->stream_count);
    for (size_t t = 0; t < state->tracker_count; t++)
        state->set->trackers[t]->apply(live_state_at(state, stream, t), fixture, outcome);
}

size_t live_state_size_bytes(const struct live_state *state)
{
    return state->block_bytes;
}

static uint64_t hash_sizes(const struct live_state *state)
{
    return hash_u64(state->sizes, state->stream_count * sizeof(*state->sizes), 0);
}

enum err_code live_state_save(const struct live_state *state, const char *tag, int64_t at_us,
                              const char *path, struct err *err)
{
    struct file_build build;
    enum err_code code = file_build_start(path, STATE_HEADER_BYTES + state->block_bytes, &build, err);
    if (code != ERR_OK)
        return code;
    struct state_header header = {.format = STATE_FORMAT,
                                  .stream_count = (uint32_t)state->stream_count,
                                  .block_bytes = state->block_bytes,
                                  .block_hash = hash_u64(state->block, state->block_bytes, 0),
                                  .sizes_hash = hash_sizes(state),
                                  .at_us = at_us};
    memcpy(header.magic, state_magic, sizeof(header.magic));
    memccpy(header.tag, tag, '\0', sizeof(header.tag) - 1);
    header.header_hash = hash_u64(&header, offsetof(struct state_header, header_hash), 0);
    memcpy(build.data, &header, sizeof(header));
    memcpy(build.data + STATE_HEADER_BYTES, state->block, state->block_bytes);
    code = file_build_finish(&build, err);
    file_build_abandon(&build);
    return code;
}

static enum err_code check_header(const struct live_state *state, const struct file_map *map, const char *tag,
                                  const char *path, int64_t *out_at_us, struct err *err)
{
    struct state_header header;
    if (map->size_bytes < sizeof(header))
        return err_set(err, ERR_CORRUPT, "tracker state '%s' is truncated", path);
    memcpy(&header, map->data, sizeof(header));
    if (memcmp(header.magic, state_magic, sizeof(header.magic)) != 0 || header.format != STATE_FORMAT)
        return err_set(err, ERR_CORRUPT, "'%s' is not a tracker state of format %d", path, STATE_FORMAT);
    if (hash_u64(&header, offsetof(struct state_header, header_hash), 0) != header.header_hash)
        return err_set(err, ERR_CORRUPT, "tracker state '%s' fails the checksum of its header", path);
    header.tag[sizeof(header.tag) - 1] = '\0';
    if (strcmp(header.tag, tag) != 0 || header.stream_count != state->stream_count ||
        header.block_bytes != state->block_bytes || header.sizes_hash != hash_sizes(state))
        return err_set(err, ERR_CONFLICT, "tracker state '%s' belongs to other data or features", path);
    if (map->size_bytes != sizeof(header) + header.block_bytes ||
        hash_u64(map->data + sizeof(header), header.block_bytes, 0) != header.block_hash)
        return err_set(err, ERR_CORRUPT, "tracker state '%s' fails its checksum", path);
    *out_at_us = header.at_us;
    return ERR_OK;
}

enum err_code live_state_open(const struct feature_set *set, const struct stream_size *sizes,
                              size_t stream_count, const char *tag, const char *path, struct live_state **out,
                              int64_t *out_at_us, struct err *err)
{
    struct file_map map;
    enum err_code code = file_map_open(path, INT64_MAX, &map, err);
    if (code != ERR_OK)
        return code;
    struct live_state *state = NULL;
    code = allocate(set, sizes, stream_count, &state, err);
    if (code == ERR_OK)
        code = check_header(state, &map, tag, path, out_at_us, err);
    if (code == ERR_OK) {
        memcpy(state->block, map.data + STATE_HEADER_BYTES, state->block_bytes);
        *out = state;
        state = NULL;
    }
    live_state_destroy(state);
    file_map_close(&map);
    return code;
}

/* Which tracker of a part is this family in this version; tracker_count when none. */
static size_t find_tracker(const struct live_state *part, const struct tracker *wanted)
{
    for (size_t t = 0; t < part->tracker_count; t++) {
        const struct tracker *tracker = part->set->trackers[t];
        if (strcmp(tracker->family, wanted->family) == 0 && tracker->version == wanted->version)
            return t;
    }
    return part->tracker_count;
}

static void copy_tracker(struct live_state *state, size_t t, const struct live_state *part, size_t part_t)
{
    for (size_t s = 0; s < state->stream_count; s++) {
        size_t size_bytes = state->set->trackers[t]->state_bytes(&state->sizes[s]);
        assert(size_bytes == part->set->trackers[part_t]->state_bytes(&part->sizes[s]));
        memcpy(live_state_at(state, s, t), live_state_at(part, s, part_t), size_bytes);
    }
}

static enum err_code join_tracker(struct live_state *state, size_t t, const struct live_state *const *parts,
                                  size_t part_count, struct err *err)
{
    for (size_t p = 0; p < part_count; p++) {
        size_t part_t = find_tracker(parts[p], state->set->trackers[t]);
        if (part_t < parts[p]->tracker_count) {
            copy_tracker(state, t, parts[p], part_t);
            return ERR_OK;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "no tracker state of feature family '%s' version %d",
                   state->set->trackers[t]->family, state->set->trackers[t]->version);
}

enum err_code live_state_join(const struct feature_set *set, const struct live_state *const *parts,
                              size_t part_count, struct live_state **out, struct err *err)
{
    assert(part_count > 0);
    for (size_t p = 1; p < part_count; p++)
        assert(parts[p]->stream_count == parts[0]->stream_count &&
               hash_sizes(parts[p]) == hash_sizes(parts[0]));
    struct live_state *state = NULL;
    enum err_code code = allocate(set, parts[0]->sizes, parts[0]->stream_count, &state, err);
    if (code != ERR_OK)
        return code;
    memset(state->block, 0, state->block_bytes); /* the gaps between the states are part of the file's hash */
    for (size_t t = 0; code == ERR_OK && t < state->tracker_count; t++)
        code = join_tracker(state, t, parts, part_count, err);
    if (code != ERR_OK) {
        live_state_destroy(state);
        return code;
    }
    *out = state;
    return ERR_OK;
}
