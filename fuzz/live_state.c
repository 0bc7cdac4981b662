/* Fuzzes the reader of tracker states (through a file in memory) with the bytes as they are, with hashes that fit them, and
 * with a header that fits the data and features asked for: of that only the moment, the padding and the block are foreign.
 *
 * The first two are refused with a reason, or opened; the last is always opened, and the state is the block of the file. What
 * a block holds is not judged: its hashes find accidents, and trackers trust their state. */
#include "feature/live_state.c" // NOLINT(bugprone-suspicious-include): the header's layout is private to the file

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- a set of two trackers over two streams ---- */

static size_t per_team_bytes(const struct stream_size *size)
{
    return size->entities * 24;
}

static size_t per_league_bytes(const struct stream_size *size)
{
    return size->groups * 8;
}

static const struct tracker teams = {.family = "teams", .version = 1, .state_bytes = per_team_bytes},
                            leagues = {.family = "leagues", .version = 1, .state_bytes = per_league_bytes};
static const struct tracker *const trackers[] = {&teams, &leagues, NULL};
static const struct feature_set set = {"fuzz", "", trackers};
static const struct stream_size sizes[] = {{.entities = 3, .groups = 1}, {.entities = 2, .groups = 0}};
enum { STREAMS = sizeof(sizes) / sizeof(*sizes) };
static const char tag[] = "0f1e2d3c";

/* ---- files ---- */

/* The path of a file with these bytes, and no more. */
static const char *put_file(const void *data, size_t size_bytes)
{
    static char path[64];
    static int descriptor = -1;
    if (descriptor < 0) {
        descriptor = memfd_create("state", MFD_CLOEXEC);
        require(descriptor >= 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    }
    require(ftruncate(descriptor, 0) == 0);
    require(pwrite(descriptor, data, size_bytes, 0) == (ssize_t)size_bytes);
    return path;
}

static bool read_one(const void *data, size_t size_bytes)
{
    struct live_state *state = NULL;
    struct state_header header;
    struct err err = {0};
    int64_t at_us = 0;
    enum err_code code =
        live_state_open(&set, sizes, STREAMS, tag, put_file(data, size_bytes), &state, &at_us, &err);
    if (code != ERR_OK) {
        require(state == NULL && (code == ERR_CORRUPT || code == ERR_CONFLICT) && err.text[0] != '\0');
        return false;
    }
    memcpy(&header, data, sizeof(header));
    require(size_bytes == STATE_HEADER_BYTES + live_state_size_bytes(state) && at_us == header.at_us);
    require(memcmp(state->block, (const char *)data + STATE_HEADER_BYTES, state->block_bytes) == 0);
    live_state_destroy(state);
    return true;
}

/* Magic and hashes made to fit. */
static void seal(uint8_t *file, size_t size_bytes)
{
    struct state_header header;
    memcpy(&header, file, sizeof(header));
    memcpy(header.magic, state_magic, sizeof(header.magic));
    header.format = STATE_FORMAT;
    header.block_hash = hash_u64(file + sizeof(header), size_bytes - sizeof(header), 0);
    header.header_hash = hash_u64(&header, offsetof(struct state_header, header_hash), 0);
    memcpy(file, &header, sizeof(header));
}

static void read_sealed(const uint8_t *data, size_t size_bytes)
{
    if (size_bytes < STATE_HEADER_BYTES)
        return;
    uint8_t *file = malloc(size_bytes);
    require(file != NULL);
    memcpy(file, data, size_bytes);
    seal(file, size_bytes);
    (void)read_one(file, size_bytes);
    free(file);
}

static void read_fitted(const uint8_t *data, size_t size_bytes)
{
    struct live_state *state = NULL;
    struct state_header header = {0};
    require(allocate(&set, sizes, STREAMS, &state, NULL) == ERR_OK);
    size_t file_bytes = STATE_HEADER_BYTES + state->block_bytes;
    uint8_t *file = calloc(1, file_bytes);
    require(file != NULL);
    memcpy(file, data, size_bytes < file_bytes ? size_bytes : file_bytes);
    memcpy(&header, file, sizeof(header));
    header.stream_count = STREAMS;
    header.block_bytes = state->block_bytes;
    header.sizes_hash = hash_sizes(state);
    memcpy(header.tag, tag, sizeof(tag));
    memcpy(file, &header, sizeof(header));
    seal(file, file_bytes);
    require(read_one(file, file_bytes));
    if (size_bytes > 0) { /* any other byte is found */
        file[size_bytes % file_bytes] ^= 1;
        require(!read_one(file, file_bytes));
    }
    free(file);
    live_state_destroy(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    (void)read_one(data, size_bytes);
    read_sealed(data, size_bytes);
    read_fitted(data, size_bytes);
    return 0;
}
