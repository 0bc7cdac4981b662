/* Files. Everything is opened close-on-exec, so that nothing leaks into a child process, and non-blocking, so
 * that a named pipe in a data folder is refused instead of waited for. Only regular files are read or mapped.
 */
#include "os/file.h"

#include "os/file_temporary.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_CHUNK_BYTES = 64 * 1024, JOIN_ALIGNMENT = 64 * 1024 /* a multiple of any page size in use */ };

/* Opens a regular file for reading; the caller closes. */
static enum err_code open_regular(const char *path, int *out_descriptor, int64_t *out_size_bytes,
                                  struct err *err)
{
    struct stat info;

    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    if (fstat(descriptor, &info) != 0) {
        enum err_code code = err_set_errno(err, errno, "cannot read '%s'", path);
        close(descriptor);
        return code;
    }
    if (!S_ISREG(info.st_mode)) {
        close(descriptor);
        return err_set(err, ERR_INVALID, "cannot read '%s': it is a %s, not a file", path,
                       S_ISDIR(info.st_mode) ? "folder" : "device or pipe");
    }
    *out_descriptor = descriptor;
    *out_size_bytes = info.st_size;
    return ERR_OK;
}

enum err_code file_map_open(const char *path, int64_t max_bytes, struct file_map *out, struct err *err)
{
    int descriptor = -1;
    int64_t size_bytes = 0;

    *out = (struct file_map){0};
    enum err_code code = open_regular(path, &descriptor, &size_bytes, err);
    if (code != ERR_OK)
        return code;
    if (size_bytes > max_bytes) {
        code = err_set(err, ERR_TOO_LARGE,
                       "cannot read '%s': %" PRId64 " bytes, at most %" PRId64 " are allowed", path,
                       size_bytes, max_bytes);
        goto out;
    }
    if (size_bytes == 0)
        goto out;
    void *data = mmap(NULL, (size_t)size_bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED) {
        code = err_set_errno(err, errno, "cannot map '%s'", path);
        goto out;
    }
    *out = (struct file_map){.data = data, .size_bytes = (size_t)size_bytes};
out:
    close(descriptor);
    return code;
}

/* Over a part of a range that is reserved already. */
static enum err_code map_over(char *at, const char *path, size_t size_bytes, struct err *err)
{
    int descriptor = -1;
    int64_t file_bytes = 0;

    enum err_code code = open_regular(path, &descriptor, &file_bytes, err);
    if (code != ERR_OK)
        return code;
    if ((size_t)file_bytes < size_bytes)
        code = err_set(err, ERR_CORRUPT, "'%s' is truncated: %" PRId64 " bytes of %zu", path, file_bytes,
                       size_bytes);
    else if (size_bytes > 0 &&
             mmap(at, size_bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0) == MAP_FAILED)
        code = err_set_errno(err, errno, "cannot map '%s'", path);
    close(descriptor);
    return code;
}

enum err_code file_map_join(const char *first_path, size_t first_bytes, const char *second_path,
                            size_t second_bytes, struct file_map *out, struct err *err)
{
    *out = (struct file_map){0};
    assert(first_bytes > 0 && first_bytes % JOIN_ALIGNMENT == 0);
    size_t size_bytes = first_bytes + second_bytes;
    void *data = mmap(NULL, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED)
        return err_set_errno(err, errno, "cannot map %zu bytes of '%s'", size_bytes, first_path);
    struct file_map map = {.data = data, .size_bytes = size_bytes};
    enum err_code code = map_over(data, first_path, first_bytes, err);
    if (code == ERR_OK)
        code = map_over((char *)data + first_bytes, second_path, second_bytes, err);
    if (code != ERR_OK) {
        file_map_close(&map);
        return code;
    }
    *out = map;
    return ERR_OK;
}

void file_map_close(struct file_map *map)
{
    if (map->data != NULL) {
        int result = munmap((void *)(uintptr_t)map->data, map->size_bytes);
        assert(result == 0);
    }
    *map = (struct file_map){0};
}

void file_map_forget(const struct file_map *map, size_t offset, size_t size_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t begin = (offset + page_bytes - 1) / page_bytes * page_bytes;
    size_t end = (offset + size_bytes) / page_bytes * page_bytes;

    assert(offset + size_bytes <= map->size_bytes);
    if (begin < end)
        (void)madvise((void *)((uintptr_t)map->data + begin), end - begin, MADV_DONTNEED); /* a hint */
}

enum err_code file_read(const char *path, struct buffer *out, struct err *err)
{
    char chunk[READ_CHUNK_BYTES];
    int descriptor = -1;
    int64_t size_bytes = 0;

    enum err_code code = open_regular(path, &descriptor, &size_bytes, err);
    if (code != ERR_OK)
        return code;
    /* read to the end instead of to size_bytes: files of /proc say 0, and a log may grow meanwhile */
    while (out->failed == ERR_OK) {
        ssize_t got = read(descriptor, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            code = err_set_errno(err, errno, "cannot read '%s'", path);
            goto out;
        }
        if (got == 0)
            break;
        buffer_append(out, chunk, (size_t)got);
    }
    code = buffer_check(out, path, err);
out:
    close(descriptor);
    return code;
}

/* 0 or an errno value. */
static int write_all(int descriptor, const char *data, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t done = write(descriptor, data, size_bytes);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done == 0 ? EIO : errno;
        data += done;
        size_bytes -= (size_t)done;
    }
    return 0;
}

enum err_code file_write_atomic(const char *path, const void *data, size_t size_bytes, struct err *err)
{
    char temporary[FILE_PATH_BYTES];
    int descriptor = -1;

    enum err_code code = file_temporary_create(path, temporary, &descriptor, err);
    if (code != ERR_OK)
        return code;
    int failure = write_all(descriptor, data, size_bytes);
    if (failure != 0) {
        file_temporary_drop(temporary, descriptor);
        return err_set_errno(err, failure, "cannot write %zu bytes to '%s'", size_bytes, path);
    }
    return file_temporary_publish(temporary, descriptor, path, err);
}

/* Creates one folder unless it is there (an existing link to a folder is as good). */
static enum err_code make_folder(const char *path, struct err *err)
{
    struct stat info;

    if (mkdir(path, 0700) == 0)
        return ERR_OK;
    int failure = errno;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return ERR_OK;
    if (failure == EEXIST)
        return err_set(err, ERR_CONFLICT, "cannot create folder '%s': a file of that name is in the way",
                       path);
    return err_set_errno(err, failure, "cannot create folder '%s'", path);
}

enum err_code file_make_folders(const char *path, struct err *err)
{
    char part[FILE_PATH_BYTES];
    size_t size = strlen(path);

    if (size == 0)
        return err_set(err, ERR_INVALID, "cannot create a folder: its name is empty");
    if (size >= sizeof part)
        return err_set(err, ERR_TOO_LARGE,
                       "cannot create folder '%.100s...': the path is longer than %zu bytes", path,
                       sizeof part - 1);
    memcpy(part, path, size + 1);
    for (size_t index = 1; index < size; index++) {
        if (part[index] != '/' || part[index - 1] == '/')
            continue;
        part[index] = '\0';
        enum err_code code = make_folder(part, err);
        if (code != ERR_OK)
            return code;
        part[index] = '/';
    }
    return make_folder(part, err);
}

enum err_code file_stat(const char *path, struct file_info *out, struct err *err)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return err_set_errno(err, errno, "cannot look at '%s'", path);
    *out = (struct file_info){
        .size_bytes = info.st_size,
        .modified_us = (int64_t)info.st_mtim.tv_sec * 1000000 + info.st_mtim.tv_nsec / 1000,
        .is_folder = S_ISDIR(info.st_mode),
    };
    return ERR_OK;
}

bool file_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0;
}

enum err_code file_remove(const char *path, struct err *err)
{
    if (unlink(path) != 0)
        return err_set_errno(err, errno, "cannot remove '%s'", path);
    return ERR_OK;
}

enum err_code file_join(const char *base, const char *name, char out[FILE_PATH_BYTES], struct err *err)
{
    size_t base_size = strlen(base);
    const char *separator = base_size == 0 || base[base_size - 1] == '/' ? "" : "/";

    int size = snprintf(out, FILE_PATH_BYTES, "%s%s%s", base, separator, name);
    if (size < 0 || size >= FILE_PATH_BYTES)
        return err_set(err, ERR_TOO_LARGE,
                       "cannot use '%.100s...' in folder '%.100s': the path is longer than %d bytes", name,
                       base, FILE_PATH_BYTES - 1);
    return ERR_OK;
}

enum err_code file_program_folder(char out[FILE_PATH_BYTES], struct err *err)
{
    ssize_t size = readlink("/proc/self/exe", out, FILE_PATH_BYTES - 1);

    if (size < 0)
        return err_set_errno(err, errno, "cannot find the running program through '/proc/self/exe'");
    out[size] = '\0';
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        return err_set(err, ERR_IO, "cannot find the folder of the running program: its path is '%s'", out);
    slash[slash == out ? 1 : 0] = '\0'; /* the root keeps its slash */
    return ERR_OK;
}
