/* Reading of logs. Lines are put together from slices; a slice ends with its part, and so does a line, so bytes that are
 * kept for the next slice always continue in it. */
#include "job/log_reader.h"

#include "base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* HEAD: time and a blank. SLICE: more than the longest line, which log_file.h bounds. */
enum { HEAD_BYTES = 28, SLICE_BYTES = 256 << 10, WHAT_BYTES = 256 };

enum err_code log_reader_path(const char *folder, int64_t id, char out[FILE_PATH_BYTES], struct err *err)
{
    char name[32];

    (void)snprintf(name, sizeof name, "%" PRId64 ".log", id);
    return file_join(folder, name, out, err);
}

enum err_code log_reader_open(const char *path, int64_t max_bytes, struct log_reader *out, struct err *err)
{
    *out = (struct log_reader){.part_bytes = log_part_bytes(max_bytes)};
    if (!text_copy(text_of(path), out->path, sizeof out->path))
        return err_set(err, ERR_TOO_LARGE, "the path of a log is longer than %d bytes", FILE_PATH_BYTES - 1);
    return log_parts_list(out->path, &out->parts, err);
}

static int64_t part_begin(const struct log_reader *reader, size_t index)
{
    return reader->parts.part[index].index * reader->part_bytes;
}

int64_t log_reader_end(const struct log_reader *reader)
{
    size_t count = reader->parts.count;

    return count == 0 ? 0 : part_begin(reader, count - 1) + reader->parts.part[count - 1].size_bytes;
}

int64_t log_reader_size_bytes(const struct log_reader *reader)
{
    int64_t size_bytes = 0;

    for (size_t index = 0; index < reader->parts.count; index++)
        size_bytes += reader->parts.part[index].size_bytes;
    return size_bytes;
}

/* 0 also when the part has been dropped since it was listed. */
static enum err_code read_part(const struct log_reader *reader, int64_t index, int64_t local, char *out,
                               size_t room_bytes, size_t *got, struct err *err)
{
    char path[FILE_PATH_BYTES];
    ssize_t result;

    *got = 0;
    enum err_code code = log_part_path(reader->path, index, path, err);
    if (code != ERR_OK)
        return code;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return errno == ENOENT ? ERR_OK : err_set_errno(err, errno, "cannot open '%s'", path);
    do
        result = pread(descriptor, out, room_bytes, local);
    while (result < 0 && errno == EINTR);
    int failure = errno;
    close(descriptor);
    if (result < 0)
        return err_set_errno(err, failure, "cannot read '%s'", path);
    *got = (size_t)result;
    return ERR_OK;
}

enum err_code log_reader_read(const struct log_reader *reader, int64_t *offset, char *out, size_t room_bytes,
                              size_t *got, struct err *err)
{
    *got = 0;
    for (size_t index = 0; index < reader->parts.count; index++) {
        const struct log_part *part = &reader->parts.part[index];
        int64_t begin = part_begin(reader, index), at = *offset > begin ? *offset : begin;
        if (at >= begin + part->size_bytes)
            continue;
        int64_t left = begin + part->size_bytes - at;
        size_t room = left < (int64_t)room_bytes ? (size_t)left : room_bytes;
        enum err_code code = read_part(reader, part->index, at - begin, out, room, got, err);
        if (code != ERR_OK || *got > 0) {
            *offset = at;
            return code;
        }
    }
    return ERR_OK;
}

/* ---- lines ---- */

void log_line_split(const char *data, size_t size_bytes, struct text *at, struct text *text)
{
    bool has_head = size_bytes >= HEAD_BYTES && data[HEAD_BYTES - 1] == ' ' && data[HEAD_BYTES - 2] == 'Z' &&
                    data[10] == 'T' && data[4] == '-';

    *at = (struct text){data, has_head ? HEAD_BYTES - 1 : 0};
    *text = has_head ? (struct text){data + HEAD_BYTES, size_bytes - HEAD_BYTES}
                     : (struct text){data, size_bytes};
}

struct line_walk {
    bool (*line)(void *context, const struct log_line *line);
    void *context;
    bool is_done;
};

static void hand_out(struct line_walk *walk, int64_t offset, int64_t next, const char *data,
                     size_t size_bytes)
{
    struct log_line line = {.offset = offset, .next = next};

    log_line_split(data, size_bytes, &line.at, &line.text);
    walk->is_done = !walk->line(walk->context, &line);
}

/* The whole lines of a slice; how many bytes they have. */
static size_t walk_slice(struct line_walk *walk, int64_t offset, const char *data, size_t size_bytes)
{
    size_t done = 0;
    const char *end;

    while (!walk->is_done && done < size_bytes &&
           (end = memchr(data + done, '\n', size_bytes - done)) != NULL) {
        size_t length = (size_t)(end - (data + done)), begin = done;
        done += length + 1;
        hand_out(walk, offset + (int64_t)begin, offset + (int64_t)done, data + begin, length);
    }
    return done;
}

enum err_code log_reader_lines(const struct log_reader *reader, int64_t offset,
                               bool (*line)(void *context, const struct log_line *line), void *context,
                               struct err *err)
{
    struct line_walk walk = {.line = line, .context = context};
    char *slice = malloc(SLICE_BYTES);
    enum err_code code = ERR_OK;

    if (slice == NULL)
        return err_nomem(err, SLICE_BYTES);
    while (code == ERR_OK && !walk.is_done) {
        size_t got = 0;
        code = log_reader_read(reader, &offset, slice, SLICE_BYTES, &got, err);
        if (code != ERR_OK || got == 0)
            break;
        size_t done = walk_slice(&walk, offset, slice, got);
        bool is_part_end = (offset + (int64_t)got) == log_reader_end(reader);
        if (done == 0 && !walk.is_done && is_part_end && !reader->takes_rest)
            break;                        /* a line in the making */
        if (done == 0 && !walk.is_done) { /* left by a killed server, or longer than any line of ours */
            done = got;
            hand_out(&walk, offset, offset + (int64_t)got, slice, got);
        }
        offset += (int64_t)done;
    }
    free(slice);
    return code;
}

/* ---- the last lines ---- */

/* Goes back through one part; true when the place was found. *left: ends of line still to pass. */
static enum err_code tail_part(const struct log_reader *reader, size_t index, char *slice, size_t *left,
                               int64_t *out, struct err *err)
{
    const struct log_part *part = &reader->parts.part[index];
    int64_t end = part->size_bytes;

    *out = part_begin(reader, index);
    while (end > 0 && *left > 0) {
        int64_t begin = end > SLICE_BYTES ? end - SLICE_BYTES : 0;
        size_t got = 0;
        enum err_code code = read_part(reader, part->index, begin, slice, (size_t)(end - begin), &got, err);
        if (code != ERR_OK)
            return code;
        for (size_t at = got; at > 0 && *left > 0; at--) {
            bool is_last = begin + (int64_t)at == log_reader_end(reader) - part_begin(reader, index) &&
                           index + 1 == reader->parts.count;
            if (slice[at - 1] == '\n' && !is_last && --*left == 0)
                *out = part_begin(reader, index) + begin + (int64_t)at;
        }
        end = begin;
    }
    return ERR_OK;
}

enum err_code log_reader_tail(const struct log_reader *reader, size_t count, int64_t *out, struct err *err)
{
    char *slice = malloc(SLICE_BYTES);
    enum err_code code = ERR_OK;
    size_t left = count;

    *out = 0;
    if (slice == NULL)
        return err_nomem(err, SLICE_BYTES);
    if (count == 0)
        *out = log_reader_end(reader);
    for (size_t index = reader->parts.count; code == ERR_OK && left > 0 && index-- > 0;)
        code = tail_part(reader, index, slice, &left, out, err);
    free(slice);
    return code;
}

/* ---- search ---- */

struct search {
    char what[WHAT_BYTES]; /* in lower case */
    size_t what_bytes;
    int64_t before;
    int64_t *offsets; /* a ring of the newest */
    size_t limit;
    size_t found; /* in all */
    struct buffer lower;
};

static void lower_case(const char *data, size_t size_bytes, char *out)
{
    for (size_t index = 0; index < size_bytes; index++) {
        unsigned char byte = (unsigned char)data[index];
        out[index] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
    }
}

static bool search_line(void *context, const struct log_line *line)
{
    struct search *search = context;

    if (line->offset >= search->before)
        return false;
    buffer_clear(&search->lower);
    char *lower = buffer_extend(&search->lower, line->text.size_bytes + 1);
    if (lower == NULL)
        return false;
    lower_case(line->text.data, line->text.size_bytes, lower);
    if (memmem(lower, line->text.size_bytes, search->what, search->what_bytes) != NULL)
        search->offsets[search->found++ % search->limit] = line->offset;
    return true;
}

static int compare_offsets(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

enum err_code log_reader_search(const struct log_reader *reader, const char *what, int64_t before,
                                int64_t *offsets, size_t limit, size_t *count, bool *has_more,
                                struct err *err)
{
    struct search search = {.before = before > 0 ? before : INT64_MAX, .offsets = offsets, .limit = limit};

    assert(limit > 0);
    search.what_bytes = strlen(what);
    if (search.what_bytes == 0 || search.what_bytes >= sizeof search.what)
        return err_set_field(err, ERR_INVALID, "q", "a search needs 1 to %d bytes of text", WHAT_BYTES - 1);
    lower_case(what, search.what_bytes, search.what);
    buffer_init(&search.lower, SLICE_BYTES + 1);
    enum err_code code = log_reader_lines(reader, 0, search_line, &search, err);
    if (code == ERR_OK)
        code = buffer_check(&search.lower, "a line of the log", err);
    buffer_release(&search.lower);
    *count = search.found < limit ? search.found : limit;
    *has_more = search.found > limit;
    qsort(offsets, *count, sizeof *offsets, compare_offsets);
    return code;
}
