/* Leftovers. nftw walks with few descriptors and no links; what it finds is kept in a list of this thread, as it passes no
 * context to its callback. */
#include "os/file_leftover.h"

#include "base/text.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct found {
    struct file_list list;
    size_t capacity;
    int64_t before_us;
    bool has_failed; /* no memory */
};
static _Thread_local struct found found;

/* ".almanac-<16 hex>.tmp" */
static bool is_temporary(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t size_bytes = strlen(name);
    return size_bytes == 29 && strncmp(name, ".almanac-", 9) == 0 && strcmp(name + 25, ".tmp") == 0 &&
           strspn(name + 9, "0123456789abcdef") == 16;
}

static void add(const char *path)
{
    if (found.list.count == found.capacity) {
        size_t capacity = found.capacity == 0 ? 16 : found.capacity * 2;
        char **paths = reallocarray(found.list.paths, capacity, sizeof(*paths));
        if (paths == NULL) {
            found.has_failed = true;
            return;
        }
        found.list.paths = paths;
        found.capacity = capacity;
    }
    char *copy = strdup(path);
    found.has_failed |= copy == NULL;
    if (copy != NULL)
        found.list.paths[found.list.count++] = copy;
}

static int visit(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    int64_t modified_us = (int64_t)info->st_mtim.tv_sec * 1000000 + info->st_mtim.tv_nsec / 1000;
    (void)place;
    if (kind == FTW_F && S_ISREG(info->st_mode) && modified_us < found.before_us && is_temporary(path))
        add(path);
    return found.has_failed ? 1 : 0;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

enum err_code file_leftover_list(const char *path, int64_t before_us, struct file_list *out, struct err *err)
{
    found = (struct found){.before_us = before_us};
    int result = nftw(path, visit, 8, FTW_PHYS);
    int error = errno;
    *out = found.list;
    if (found.has_failed || (result == -1 && error != ENOENT)) {
        file_list_close(out);
        return found.has_failed ? err_nomem(err, found.capacity * sizeof(char *))
                                : err_set_errno(err, error, "cannot list folder '%s'", path);
    }
    if (out->count > 0)
        qsort(out->paths, out->count, sizeof(*out->paths), compare);
    return ERR_OK;
}
