/* Log files. The only writer of a file is the supervisor, so its size is counted, not asked for. */
#include "job/log_file.h"

#include "base/log.h"
#include "base/time.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* HEAD: time and a blank; NOTICE: room that is kept for the last line of a full file */
enum { HEAD_BYTES = 28, NOTICE_BYTES = 128, PENDING_MAX_BYTES = 4 << 20 };

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

enum err_code log_file_open(struct log_file *file, const char *path, int64_t max_bytes, struct err *err)
{
    struct stat info;

    *file = (struct log_file){.descriptor = -1, .max_bytes = max_bytes};
    buffer_init(&file->pending, PENDING_MAX_BYTES);
    if (snprintf(file->path, sizeof file->path, "%s", path) >= (int)sizeof file->path)
        return err_set(err, ERR_TOO_LARGE, "the path of a log is longer than %d bytes", FILE_PATH_BYTES - 1);
    file->descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->descriptor < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    enum err_code code = ERR_OK;
    if (fstat(file->descriptor, &info) != 0)
        code = err_set_errno(err, errno, "cannot read '%s'", path);
    file->size_bytes = code == ERR_OK ? info.st_size : 0;
    if (code == ERR_OK)
        code = end_last_line(file, err);
    if (code != ERR_OK)
        log_file_close(file);
    return code;
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
    char notice[NOTICE_BYTES - HEAD_BYTES];

    assert(size_bytes <= LOG_FILE_TEXT_BYTES);
    if (file->descriptor < 0 || file->is_full)
        return;
    if (size_bytes > 0 && text[size_bytes - 1] == '\r')
        size_bytes--;
    int64_t used = file->size_bytes + (int64_t)file->pending.size_bytes;
    if (used + HEAD_BYTES + (int64_t)size_bytes + 1 + NOTICE_BYTES > file->max_bytes) {
        file->is_full = true;
        int length =
            snprintf(notice, sizeof notice, "the log is full (%" PRId64 " bytes): what follows is dropped",
                     file->max_bytes);
        if (used + NOTICE_BYTES <= file->max_bytes)
            append_line(&file->pending, now_us, notice, (size_t)length);
        return;
    }
    append_line(&file->pending, now_us, text, size_bytes);
}

size_t log_file_pending_bytes(const struct log_file *file)
{
    return file->pending.size_bytes;
}

/* All or nothing; 0 or an errno value. */
static int write_at_end(struct log_file *file)
{
    size_t done = 0;

    while (done < file->pending.size_bytes) {
        ssize_t result = pwrite(file->descriptor, file->pending.data + done, file->pending.size_bytes - done,
                                file->size_bytes + (int64_t)done);
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

void log_file_flush(struct log_file *file,
                    void (*written)(void *context, int64_t begin, const char *data, size_t size_bytes),
                    void *context)
{
    if (file->descriptor < 0 || file->pending.size_bytes == 0)
        return;
    int failure = write_at_end(file);
    if (failure != 0) {
        if (!file->has_failed) /* a full disk is told once per job, not once per line */
            log_line(LOG_ERROR, "jobs", "cannot write to '%s': %s; lines of its job are lost", file->path,
                     strerrordesc_np(failure));
        file->has_failed = true;
    } else {
        int64_t begin = file->size_bytes;
        file->size_bytes += (int64_t)file->pending.size_bytes;
        written(context, begin, file->pending.data, file->pending.size_bytes);
    }
    buffer_clear(&file->pending);
}
