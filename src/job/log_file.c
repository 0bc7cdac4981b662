/* Log files. The only writer of a log is the supervisor, so its size is counted, not asked for.
 *
 * What part a line belongs to is decided when it is written: the first that has room for all of it. A new part is made
 * before an old one is dropped, so a server that is killed in between leaves one too many, which the next open drops. */
#include "job/log_file.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "job/log_parts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* HEAD: time and a blank; NOTICE: room that the first part keeps for its last line */
enum { HEAD_BYTES = 28, NOTICE_BYTES = 160, PENDING_MAX_BYTES = 4 << 20 };
#define NOTICE "here lines are missing: of a long log only the beginning and the newest part are kept"

/* A server that was killed may have left half a line. */
static enum err_code end_last_line(struct log_file *file, struct err *err)
{
    char last = '\n';

    if (file->size_bytes == 0)
        return ERR_OK;
    if (pread(file->descriptor, &last, 1, file->size_bytes - 1) != 1)
        return err_set_errno(err, errno, "cannot read '%s'", file->path);
    if (last == '\n')
        return ERR_OK;
    if (pwrite(file->descriptor, "\n", 1, file->size_bytes) != 1)
        return err_set_errno(err, errno, "cannot write to '%s'", file->path);
    file->size_bytes++;
    return ERR_OK;
}

/* Opens a part, made if needed, in the place of the present one. */
static enum err_code open_part(struct log_file *file, int64_t part, struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct stat info;

    enum err_code code = log_part_path(file->path, part, path, err);
    if (code != ERR_OK)
        return code;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    if (fstat(descriptor, &info) != 0) {
        code = err_set_errno(err, errno, "cannot read '%s'", path);
        close(descriptor);
        return code;
    }
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = descriptor;
    file->part = part;
    file->size_bytes = info.st_size;
    return ERR_OK;
}

/* Says in the first part that what follows it is gone. head: of a line, for the time. */
static void say_missing(const struct log_file *file, const char *head)
{
    char line[NOTICE_BYTES];
    struct stat info;

    int descriptor = open(file->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return;
    int length = snprintf(line, sizeof line, "%.*s" NOTICE "\n", HEAD_BYTES, head);
    if (fstat(descriptor, &info) == 0 && pwrite(descriptor, line, (size_t)length, info.st_size) != length)
        (void)!ftruncate(descriptor, info.st_size);
    close(descriptor);
}

/* Parts that are too many, but for the first. What cannot be removed is tried again with the next. */
static void drop_parts(const struct log_file *file, const char *head)
{
    struct log_parts parts;
    char path[FILE_PATH_BYTES];

    if (log_parts_list(file->path, &parts, NULL) != ERR_OK)
        return;
    for (size_t index = 1; index < parts.count && parts.part[index].index <= file->part - (LOG_PARTS - 1);
         index++) {
        if (parts.part[index].index == 1 && head != NULL)
            say_missing(file, head);
        if (log_part_path(file->path, parts.part[index].index, path, NULL) == ERR_OK)
            (void)!unlink(path);
    }
}

enum err_code log_file_open(struct log_file *file, const char *path, int64_t max_bytes, struct err *err)
{
    struct log_parts parts;

    *file = (struct log_file){.descriptor = -1, .part_bytes = log_part_bytes(max_bytes)};
    buffer_init(&file->pending, PENDING_MAX_BYTES);
    if (!text_copy(text_of(path), file->path, sizeof file->path))
        return err_set(err, ERR_TOO_LARGE, "the path of a log is longer than %d bytes", FILE_PATH_BYTES - 1);
    enum err_code code = log_parts_list(path, &parts, err);
    if (code == ERR_OK)
        code = open_part(file, parts.count > 0 ? parts.part[parts.count - 1].index : 0, err);
    if (code == ERR_OK)
        code = end_last_line(file, err);
    if (code != ERR_OK) {
        log_file_close(file);
        return code;
    }
    assert(file->part_bytes >
           HEAD_BYTES + LOG_FILE_TEXT_BYTES + NOTICE_BYTES); /* any line fits into any part */
    drop_parts(file, NULL);
    return ERR_OK;
}

void log_file_close(struct log_file *file)
{
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
    buffer_release(&file->pending);
}

static void append_line(struct buffer *out, int64_t now_us, const char *text, size_t size_bytes)
{
    char head[64];
    struct civil now = time_to_civil(now_us, ZONE_UTC);
    int64_t fraction_us = (now_us % TIME_SECOND_US + TIME_SECOND_US) % TIME_SECOND_US;

    int length = snprintf(head, sizeof head, "%04d-%02d-%02dT%02d:%02d:%02d.%06" PRId64 "Z ", now.year,
                          now.month, now.day, now.hour, now.minute, now.second, fraction_us);
    assert(length == HEAD_BYTES);
    char *line = buffer_extend(out, (size_t)length + size_bytes + 1);
    if (line == NULL)
        return;
    memcpy(line, head, (size_t)length);
    line += length;
    for (size_t index = 0; index < size_bytes; index++) {
        bool is_control = ((unsigned char)text[index] < 0x20 && text[index] != '\t') || text[index] == 0x7F;
        line[index] = is_control ? ' ' : text[index];
    }
    line[size_bytes] = '\n';
}

void log_file_add(struct log_file *file, int64_t now_us, const char *text, size_t size_bytes)
{
    assert(size_bytes <= LOG_FILE_TEXT_BYTES);
    if (file->descriptor < 0)
        return;
    if (size_bytes > 0 && text[size_bytes - 1] == '\r')
        size_bytes--;
    append_line(&file->pending, now_us, text, size_bytes);
}

size_t log_file_pending_bytes(const struct log_file *file)
{
    return file->pending.size_bytes;
}

/* All or nothing; 0 or an errno value. */
static int write_at_end(struct log_file *file, const char *data, size_t size_bytes)
{
    size_t done = 0;

    while (done < size_bytes) {
        ssize_t result =
            pwrite(file->descriptor, data + done, size_bytes - done, file->size_bytes + (int64_t)done);
        if (result < 0 && errno == EINTR)
            continue;
        if (result <= 0) {
            int failure = result == 0 ? EIO : errno;
            (void)!ftruncate(file->descriptor, file->size_bytes); /* else the next write covers it */
            return failure;
        }
        done += (size_t)result;
    }
    return 0;
}

/* How much of the lines in data the present part has room for: whole lines. */
static size_t fitting_bytes(const struct log_file *file, const char *data, size_t size_bytes)
{
    int64_t room = file->part_bytes - file->size_bytes - (file->part == 0 ? NOTICE_BYTES : 0);

    if (room >= (int64_t)size_bytes)
        return size_bytes;
    if (room <= 0)
        return 0;
    const char *end = memrchr(data, '\n', (size_t)room);
    return end == NULL ? 0 : (size_t)(end - data) + 1;
}

/* The next part begins behind the bytes of this one; head: of the line that it begins with. */
static enum err_code begin_part(struct log_file *file, const char *head, struct err *err)
{
    int64_t end = file->part * file->part_bytes + file->size_bytes;
    int64_t next = (end + file->part_bytes - 1) / file->part_bytes;

    enum err_code code = log_parts_make_folder(file->path, err);
    if (code == ERR_OK)
        code = open_part(file, next > file->part ? next : file->part + 1, err);
    if (code == ERR_OK)
        drop_parts(file, head);
    return code;
}

/* A full disk is told once per job, not once per line. */
static void fail(struct log_file *file, const char *reason)
{
    if (!file->has_failed)
        log_line(LOG_ERROR, "jobs", "cannot write to '%s': %s; lines of its job are lost", file->path,
                 reason);
    file->has_failed = true;
}

void log_file_flush(struct log_file *file,
                    void (*written)(void *context, int64_t begin, const char *data, size_t size_bytes),
                    void *context)
{
    const char *data = file->pending.data;
    size_t left = file->descriptor < 0 ? 0 : file->pending.size_bytes;

    while (left > 0) {
        struct err err = {0};
        size_t size_bytes = fitting_bytes(file, data, left);
        if (size_bytes == 0 && begin_part(file, data, &err) != ERR_OK) {
            fail(file, err.text);
            break;
        }
        if (size_bytes == 0)
            continue;
        int failure = write_at_end(file, data, size_bytes);
        if (failure != 0) {
            fail(file, strerrordesc_np(failure));
            break;
        }
        int64_t begin = file->part * file->part_bytes + file->size_bytes;
        file->size_bytes += (int64_t)size_bytes;
        written(context, begin, data, size_bytes);
        data += size_bytes;
        left -= size_bytes;
    }
    buffer_clear(&file->pending);
}
