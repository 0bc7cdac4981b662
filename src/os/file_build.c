/* Files built in place through a writable map. Every block is reserved before the map is made: on a full disk
 * a store into a sparse map would end the process with SIGBUS, posix_fallocate says ENOSPC in time. */
#include "os/file.h"

#include "os/file_temporary.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int reserve(int descriptor, size_t size_bytes)
{
    int failure;

    do
        failure = posix_fallocate(descriptor, 0, (off_t)size_bytes);
    while (failure == EINTR);
    return failure;
}

/* Reserves and maps; leaves the temporary to the caller on failure. */
static enum err_code map_for_writing(struct file_build *build, struct err *err)
{
    if (build->size_bytes == 0)
        return ERR_OK;
    int failure = reserve(build->descriptor, build->size_bytes);
    if (failure != 0)
        return err_set_errno(err, failure, "cannot reserve %zu bytes for '%s'", build->size_bytes,
                             build->path);
    void *data = mmap(NULL, build->size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, build->descriptor, 0);
    if (data == MAP_FAILED)
        return err_set_errno(err, errno, "cannot map %zu bytes of '%s'", build->size_bytes, build->path);
    build->data = data;
    return ERR_OK;
}

enum err_code file_build_start(const char *path, size_t size_bytes, struct file_build *out, struct err *err)
{
    size_t path_size = strlen(path);

    out->data = NULL;
    out->size_bytes = size_bytes;
    out->descriptor = -1;
    out->path[0] = '\0';
    out->temporary[0] = '\0';
    if (path_size >= sizeof out->path)
        return err_set(err, ERR_TOO_LARGE, "cannot write '%.100s...': the path is longer than %zu bytes",
                       path, sizeof out->path - 1);
    memcpy(out->path, path, path_size + 1);
    enum err_code code = file_temporary_create(path, out->temporary, &out->descriptor, err);
    if (code != ERR_OK) {
        out->temporary[0] = '\0';
        return code;
    }
    code = map_for_writing(out, err);
    if (code != ERR_OK)
        file_build_abandon(out);
    return code;
}

static void unmap(struct file_build *build)
{
    if (build->data == NULL)
        return;
    int result = munmap(build->data, build->size_bytes);
    assert(result == 0);
    build->data = NULL;
}

enum err_code file_build_finish(struct file_build *build, struct err *err)
{
    assert(build->descriptor >= 0);
    if (build->data != NULL && msync(build->data, build->size_bytes, MS_SYNC) != 0) {
        enum err_code code = err_set_errno(err, errno, "cannot write '%s'", build->path);
        file_build_abandon(build);
        return code;
    }
    unmap(build);
    int descriptor = build->descriptor;
    build->descriptor = -1;
    enum err_code code = file_temporary_publish(build->temporary, descriptor, build->path, err);
    build->temporary[0] = '\0';
    return code;
}

void file_build_abandon(struct file_build *build)
{
    unmap(build);
    if (build->temporary[0] != '\0')
        file_temporary_drop(build->temporary, build->descriptor);
    build->temporary[0] = '\0';
    build->descriptor = -1;
}
