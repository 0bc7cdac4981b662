/* Drafts of files: see file_draft.h. */
#include "os/file_draft.h"
#include "os/file_temporary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum err_code file_draft_start(const char *path, struct file_draft *out, struct err *err)
{
    out->descriptor = -1;
    size_t size = strlen(path);
    if (size >= sizeof(out->path))
        return err_set(err, ERR_TOO_LARGE, "cannot write '%.100s...': the path is longer than %zu bytes",
                       path, sizeof(out->path) - 1);
    memcpy(out->path, path, size + 1);
    enum err_code code = file_temporary_create(path, out->name, &out->descriptor, err);
    if (code != ERR_OK)
        out->descriptor = -1;
    return code;
}

enum err_code file_draft_write(const struct file_draft *draft, size_t offset, const void *data,
                               size_t size_bytes, struct err *err)
{
    const char *at = data;
    while (size_bytes > 0) {
        ssize_t written = pwrite(draft->descriptor, at, size_bytes, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return err_set_errno(err, written < 0 ? errno : ENOSPC, "cannot write '%s'", draft->path);
        at += written;
        offset += (size_t)written;
        size_bytes -= (size_t)written;
    }
    return ERR_OK;
}

enum err_code file_draft_finish(struct file_draft *draft, struct err *err)
{
    int failure = close(draft->descriptor) != 0 && errno != EINTR ? errno : 0;
    draft->descriptor = -1;
    if (failure == 0 && rename(draft->name, draft->path) != 0)
        failure = errno;
    if (failure == 0)
        return ERR_OK;
    file_temporary_drop(draft->name, -1);
    return err_set_errno(err, failure, "cannot write '%s'", draft->path);
}

void file_draft_abandon(struct file_draft *draft)
{
    if (draft->descriptor >= 0)
        file_temporary_drop(draft->name, draft->descriptor);
    draft->descriptor = -1;
}
