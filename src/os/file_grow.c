/* Every block is reserved before it is mapped: on a full disk a store into a sparse map would end the process with SIGBUS,
 * posix_fallocate says ENOSPC in time. */
#include "os/file_grow.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP_ALIGNMENT = 65536 }; /* a multiple of any page size in use */

static enum err_code reserve(struct file_grow *grow, struct err *err)
{
    int failure = 0;
    size_t added_bytes = grow->new_bytes - grow->old_bytes;
    if (added_bytes == 0)
        return ERR_OK;
    do
        failure = posix_fallocate(grow->descriptor, (off_t)grow->old_bytes, (off_t)added_bytes);
    while (failure == EINTR);
    return failure == 0
               ? ERR_OK
               : err_set_errno(err, failure, "cannot reserve %zu bytes for '%s'", added_bytes, grow->path);
}

static enum err_code set_path(struct file_grow *grow, const char *path, struct err *err)
{
    size_t size = strlen(path);
    grow->data = NULL;
    grow->map_from = grow->map_bytes = 0;
    grow->descriptor = -1;
    grow->is_new = false;
    if (size >= sizeof(grow->path))
        return err_set(err, ERR_TOO_LARGE, "cannot write '%.100s...': the path is longer than %zu bytes",
                       path, sizeof(grow->path) - 1);
    memcpy(grow->path, path, size + 1);
    return ERR_OK;
}

enum err_code file_grow_create(const char *path, size_t new_bytes, struct file_grow *out, struct err *err)
{
    enum err_code code = set_path(out, path, err);
    if (code != ERR_OK)
        return code;
    out->old_bytes = 0;
    out->new_bytes = new_bytes;
    out->descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (out->descriptor < 0 && errno == EEXIST)
        return err_set(err, ERR_CONFLICT, "cannot create '%s': it is there already", path);
    if (out->descriptor < 0)
        return err_set_errno(err, errno, "cannot create '%s'", path);
    out->is_new = true;
    code = reserve(out, err);
    if (code != ERR_OK)
        file_grow_abandon(out);
    return code;
}

enum err_code file_grow_open(const char *path, size_t old_bytes, size_t new_bytes, struct file_grow *out,
                             struct err *err)
{
    struct stat info;
    enum err_code code = set_path(out, path, err);
    if (code != ERR_OK)
        return code;
    assert(new_bytes >= old_bytes);
    out->old_bytes = old_bytes;
    out->new_bytes = new_bytes;
    out->descriptor = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (out->descriptor < 0 || fstat(out->descriptor, &info) != 0) {
        code = err_set_errno(err, errno, "cannot extend '%s'", path);
        file_grow_close(out);
        return code;
    }
    if (!S_ISREG(info.st_mode) || (size_t)info.st_size != old_bytes) {
        file_grow_close(out);
        return err_set(err, ERR_CONFLICT, "cannot extend '%s': it is not a file of %zu bytes", path,
                       old_bytes);
    }
    code = reserve(out, err);
    if (code != ERR_OK)
        file_grow_abandon(out);
    return code;
}

static void unmap(struct file_grow *grow)
{
    if (grow->data == NULL)
        return;
    int result = munmap(grow->data, grow->map_bytes);
    assert(result == 0);
    grow->data = NULL;
}

enum err_code file_grow_map(struct file_grow *grow, size_t from, struct err *err)
{
    assert(grow->data == NULL && from % MAP_ALIGNMENT == 0 && from <= grow->new_bytes);
    grow->map_from = from;
    grow->map_bytes = grow->new_bytes - from;
    if (grow->map_bytes == 0)
        return ERR_OK;
    void *data =
        mmap(NULL, grow->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, grow->descriptor, (off_t)from);
    if (data == MAP_FAILED)
        return err_set_errno(err, errno, "cannot map %zu bytes of '%s'", grow->map_bytes, grow->path);
    grow->data = data;
    return ERR_OK;
}

void file_grow_forget(const struct file_grow *grow, size_t offset_in_map, size_t size_bytes)
{
    struct file_map map = {.data = grow->data, .size_bytes = grow->map_bytes};
    if (grow->data != NULL)
        file_map_forget(&map, offset_in_map, size_bytes);
}

void file_grow_settle(const struct file_grow *grow, size_t offset_in_map, size_t size_bytes)
{
    file_grow_forget(grow, offset_in_map, size_bytes);
    if (grow->data != NULL && size_bytes > 0) /* a hint; what fails here fails in file_grow_flush, too */
        (void)sync_file_range(grow->descriptor, (off_t)(grow->map_from + offset_in_map), (off_t)size_bytes,
                              SYNC_FILE_RANGE_WRITE);
}

enum err_code file_grow_write(struct file_grow *grow, size_t offset, const void *data, size_t size_bytes,
                              struct err *err)
{
    const char *bytes = data;
    assert(offset + size_bytes <= grow->new_bytes);
    while (size_bytes > 0) {
        ssize_t done = pwrite(grow->descriptor, bytes, size_bytes, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return err_set_errno(err, done == 0 ? EIO : errno, "cannot write '%s'", grow->path);
        bytes += done;
        offset += (size_t)done;
        size_bytes -= (size_t)done;
    }
    return ERR_OK;
}

enum err_code file_grow_flush(struct file_grow *grow, struct err *err)
{
    /* pages made dirty through the map are the file's own: one call flushes both */
    if (fdatasync(grow->descriptor) != 0)
        return err_set_errno(err, errno, "cannot flush '%s'", grow->path);
    return ERR_OK;
}

void file_grow_close(struct file_grow *grow)
{
    unmap(grow);
    if (grow->descriptor >= 0)
        close(grow->descriptor);
    grow->descriptor = -1;
}

void file_grow_abandon(struct file_grow *grow)
{
    if (grow->descriptor < 0)
        return;
    unmap(grow);
    if (grow->is_new)
        (void)unlink(grow->path);
    else
        (void)!ftruncate(grow->descriptor, (off_t)grow->old_bytes); /* failing that, it only takes up room */
    file_grow_close(grow);
}
