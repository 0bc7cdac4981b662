/* Folders: see folder.h. A folder takes another's place by renameat2(RENAME_EXCHANGE), which swaps two names in one step;
 * where a file system does not know it, the old folder is moved away first, and for that instant nothing is there. */
#include "os/folder.h"

#include "base/buffer.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_DESCRIPTORS = 16 };

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_folder(const char *path, const struct dirent *entry)
{
    char full[FILE_PATH_BYTES];
    struct file_info info;
    if (entry->d_name[0] == '.')
        return false;
    return file_join(path, entry->d_name, full, NULL) == ERR_OK && file_stat(full, &info, NULL) == ERR_OK &&
           info.is_folder;
}

static enum err_code add_name(struct folder_list *list, const char *name, struct err *err)
{
    char **grown = realloc(list->names, (list->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return err_nomem(err, (list->count + 1) * sizeof(*grown));
    list->names = grown;
    list->names[list->count] = strdup(name);
    if (list->names[list->count] == NULL)
        return err_nomem(err, strlen(name));
    list->count++;
    return ERR_OK;
}

enum err_code folder_list_open(const char *path, struct folder_list *out, struct err *err)
{
    enum err_code code = ERR_OK;
    *out = (struct folder_list){0};
    DIR *stream = opendir(path);
    if (stream == NULL)
        return errno == ENOENT ? ERR_OK : err_set_errno(err, errno, "cannot read the folder '%s'", path);
    for (struct dirent *entry = readdir(stream); code == ERR_OK && entry != NULL; entry = readdir(stream)) {
        if (is_folder(path, entry))
            code = add_name(out, entry->d_name, err);
    }
    (void)closedir(stream);
    if (code != ERR_OK)
        folder_list_close(out);
    else if (out->count > 1)
        qsort(out->names, out->count, sizeof(*out->names), compare_names);
    return code;
}

void folder_list_close(struct folder_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
    *list = (struct folder_list){0};
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

enum err_code folder_remove(const char *path, struct err *err)
{
    if (nftw(path, remove_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return err_set_errno(err, errno, "cannot remove the folder '%s'", path);
    return ERR_OK;
}

static int sync_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)place;
    if (kind != FTW_F && kind != FTW_DP)
        return 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    int result = fsync(descriptor), kept = errno;
    (void)close(descriptor);
    errno = kept;
    return result;
}

enum err_code folder_sync(const char *path, struct err *err)
{
    if (nftw(path, sync_one, WALK_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0)
        return err_set_errno(err, errno, "cannot write the folder '%s' to the disk", path);
    return ERR_OK;
}

static void sync_parent(const char *path)
{
    char parent[FILE_PATH_BYTES];
    (void)snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return;
    *slash = '\0';
    int descriptor = open(parent, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    (void)fsync(descriptor);
    (void)close(descriptor);
}

/* Both names exist. */
static enum err_code exchange(const char *made, const char *path, struct err *err)
{
    char aside[FILE_PATH_BYTES + 8];
    if (renameat2(AT_FDCWD, made, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
        return ERR_OK;
    if (errno != EINVAL && errno != ENOSYS)
        return err_set_errno(err, errno, "cannot replace the folder '%s'", path);
    (void)snprintf(aside, sizeof(aside), "%s.old", made);
    if (rename(path, aside) != 0 || rename(made, path) != 0 || rename(aside, made) != 0)
        return err_set_errno(err, errno, "cannot replace the folder '%s'", path);
    return ERR_OK;
}

enum err_code folder_replace(const char *made, const char *path, struct err *err)
{
    if (!file_exists(path)) {
        if (rename(made, path) != 0)
            return err_set_errno(err, errno, "cannot rename '%s' to '%s'", made, path);
        sync_parent(path);
        return ERR_OK;
    }
    enum err_code code = exchange(made, path, err);
    if (code != ERR_OK)
        return code;
    sync_parent(path);
    return folder_remove(made, err); /* the old content has this name now */
}

enum err_code folder_link_file(const char *from, const char *to, struct err *err)
{
    if (link(from, to) == 0)
        return ERR_OK;
    if (errno != EPERM && errno != EXDEV && errno != EMLINK && errno != ENOSYS && errno != EOPNOTSUPP)
        return err_set_errno(err, errno, "cannot link '%s' to '%s'", from, to);
    struct buffer content;
    buffer_init(&content, SIZE_MAX);
    enum err_code code = file_read(from, &content, err);
    if (code == ERR_OK)
        code = file_write_atomic(to, buffer_text(&content), content.size_bytes, err);
    buffer_release(&content);
    return code;
}

enum err_code folder_lock(const char *path, int *out_lock, struct err *err)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return err_set_errno(err, errno, "cannot open the lock '%s'", path);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        int kept = errno;
        (void)close(descriptor);
        if (kept == EWOULDBLOCK)
            return err_set(err, ERR_BUSY, "another process writes there: '%s' is locked; try again", path);
        return err_set_errno(err, kept, "cannot lock '%s'", path);
    }
    *out_lock = descriptor;
    return ERR_OK;
}

void folder_unlock(int lock)
{
    (void)close(lock);
}
