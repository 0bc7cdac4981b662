/* Temporary files beside their target. The order that makes a write atomic and durable is: write all, fsync
 * the file, rename it over the target, fsync the folder (the rename itself lives in the folder). Any failure
 * before the rename leaves the target as it was. */
#include "os/file_temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CREATE_ATTEMPTS = 100 };

/* Length of the folder part of `path` with its '/', 0 when there is none. */
static size_t folder_size(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

enum err_code file_temporary_create(const char *path, char out[FILE_PATH_BYTES], int *out_descriptor,
                                    struct err *err)
{
    for (int attempt = 0; attempt < CREATE_ATTEMPTS; attempt++) {
        uint64_t random = 0;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            return err_set_errno(err, errno, "cannot name a temporary file for '%s'", path);
        int size = snprintf(out, FILE_PATH_BYTES, "%.*s.almanac-%016" PRIx64 ".tmp", (int)folder_size(path),
                            path, random);
        if (size < 0 || size >= FILE_PATH_BYTES)
            return err_set(err, ERR_TOO_LARGE, "cannot write '%.100s...': the path is longer than %d bytes",
                           path, FILE_PATH_BYTES - 1);
        *out_descriptor = open(out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (*out_descriptor >= 0)
            return ERR_OK;
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    return err_set_errno(err, errno, "cannot create a file beside '%s'", path);
}

static int sync_folder_of(const char *path)
{
    char folder[FILE_PATH_BYTES];
    size_t size = folder_size(path);
    int result = 0;

    if (size == 0)
        snprintf(folder, sizeof folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", (int)size, path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return errno;
    if (fsync(descriptor) != 0 && errno != EINVAL) /* EINVAL: a file system without folder sync */
        result = errno;
    close(descriptor);
    return result;
}

enum err_code file_temporary_publish(const char *temporary, int descriptor, const char *path, struct err *err)
{
    int failure = 0;

    if (fsync(descriptor) != 0)
        failure = errno;
    if (close(descriptor) != 0 && failure == 0 && errno != EINTR)
        failure = errno;
    if (failure == 0 && rename(temporary, path) != 0)
        failure = errno;
    if (failure != 0) {
        unlink(temporary);
        return err_set_errno(err, failure, "cannot write '%s'", path);
    }
    failure = sync_folder_of(path);
    if (failure != 0)
        return err_set_errno(err, failure, "cannot sync the folder of '%s' (the file itself is written)",
                             path);
    return ERR_OK;
}

void file_temporary_drop(const char *temporary, int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
    unlink(temporary);
}
