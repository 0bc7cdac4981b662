/* Folder walks. Folders wait in a list of their own and are read one after another, so that a walk holds one
 * descriptor and no recursion however deep the tree is. The order of the result does not depend on the file
 * system: it is sorted at the end. */
#include "os/file.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct paths {
    char **items;
    size_t count, capacity;
};

static void paths_release(struct paths *paths)
{
    for (size_t index = 0; index < paths->count; index++)
        free(paths->items[index]);
    free(paths->items);
    *paths = (struct paths){0};
}

static enum err_code paths_add(struct paths *paths, const char *path, struct err *err)
{
    if (paths->count == paths->capacity) {
        size_t capacity = paths->capacity == 0 ? 64 : paths->capacity * 2;
        char **items = reallocarray(paths->items, capacity, sizeof *items);
        if (items == NULL)
            return err_nomem(err, capacity * sizeof *items);
        paths->items = items;
        paths->capacity = capacity;
    }
    char *copy = strdup(path);
    if (copy == NULL)
        return err_nomem(err, strlen(path) + 1);
    paths->items[paths->count++] = copy;
    return ERR_OK;
}

static bool ends_with(const char *name, const char *suffix)
{
    if (suffix == NULL)
        return true;
    size_t name_size = strlen(name), suffix_size = strlen(suffix);
    if (name_size < suffix_size)
        return false;
    struct text tail = {name + name_size - suffix_size, suffix_size};
    return text_equal_nocase(tail, suffix);
}

enum kind { KIND_FILE, KIND_FOLDER, KIND_OTHER };

/* Links count as what they point to, but a link to a folder is not walked (it could lead back up). */
static enum kind kind_of(const char *path, const struct dirent *entry)
{
    struct stat info;

    if (entry->d_type == DT_REG)
        return KIND_FILE;
    if (entry->d_type == DT_DIR)
        return KIND_FOLDER;
    if (lstat(path, &info) != 0)
        return KIND_OTHER; /* removed since the folder was read */
    if (S_ISDIR(info.st_mode))
        return KIND_FOLDER;
    if (stat(path, &info) != 0)
        return KIND_OTHER; /* a link to nothing */
    return S_ISREG(info.st_mode) ? KIND_FILE : KIND_OTHER;
}

static enum err_code add_entry(const char *folder, const struct dirent *entry, const char *suffix,
                               struct paths *folders, struct paths *files, struct err *err)
{
    char path[FILE_PATH_BYTES];

    if (entry->d_name[0] == '.')
        return ERR_OK;
    enum err_code code = file_join(folder, entry->d_name, path, err);
    if (code != ERR_OK)
        return code;
    enum kind kind = kind_of(path, entry);
    if (kind == KIND_FOLDER)
        return paths_add(folders, path, err);
    if (kind == KIND_FILE && ends_with(path, suffix))
        return paths_add(files, path, err);
    return ERR_OK;
}

static enum err_code read_folder(const char *folder, const char *suffix, struct paths *folders,
                                 struct paths *files, struct err *err)
{
    enum err_code code = ERR_OK;

    DIR *stream = opendir(folder);
    if (stream == NULL)
        return err_set_errno(err, errno, "cannot list folder '%s'", folder);
    while (code == ERR_OK) {
        errno = 0;
        struct dirent *entry = readdir(stream); /* glibc: safe on different streams */
        if (entry == NULL) {
            if (errno != 0)
                code = err_set_errno(err, errno, "cannot list folder '%s'", folder);
            break;
        }
        code = add_entry(folder, entry, suffix, folders, files, err);
    }
    closedir(stream);
    return code;
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static enum err_code walk(const char *path, const char *suffix, struct paths *files, struct err *err)
{
    struct paths folders = {0};

    enum err_code code = paths_add(&folders, path, err);
    while (code == ERR_OK && folders.count > 0) {
        char *folder = folders.items[--folders.count];
        code = read_folder(folder, suffix, &folders, files, err);
        free(folder);
    }
    paths_release(&folders);
    return code;
}

enum err_code file_list_open(const char *path, const char *suffix, struct file_list *out, struct err *err)
{
    struct paths files = {0};
    struct stat info;
    enum err_code code = ERR_OK;

    *out = (struct file_list){0};
    if (stat(path, &info) != 0)
        return err_set_errno(err, errno, "cannot list '%s'", path);
    if (S_ISDIR(info.st_mode))
        code = walk(path, suffix, &files, err);
    else if (!S_ISREG(info.st_mode))
        code = err_set(err, ERR_INVALID, "cannot list '%s': it is neither a file nor a folder", path);
    else if (ends_with(path, suffix))
        code = paths_add(&files, path, err);
    if (code != ERR_OK) {
        paths_release(&files);
        return code;
    }
    if (files.count > 1)
        qsort(files.items, files.count, sizeof *files.items, compare_paths);
    *out = (struct file_list){.paths = files.items, .count = files.count};
    return ERR_OK;
}

void file_list_close(struct file_list *list)
{
    struct paths paths = {.items = list->paths, .count = list->count};

    paths_release(&paths);
    *list = (struct file_list){0};
}
