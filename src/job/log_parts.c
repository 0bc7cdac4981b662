/* Names and listing of the parts of a log. */
#include "job/log_parts.h"

#include "base/text.h"
#include "os/folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FOLDER_SUFFIX ".parts"
#define PART_SUFFIX   ".part"

int64_t log_part_bytes(int64_t max_bytes)
{
    return max_bytes / LOG_PARTS;
}

static enum err_code folder_path(const char *path, char out[FILE_PATH_BYTES], struct err *err)
{
    if (snprintf(out, FILE_PATH_BYTES, "%s" FOLDER_SUFFIX, path) >= FILE_PATH_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the path of a log is longer than %d bytes", FILE_PATH_BYTES - 1);
    return ERR_OK;
}

enum err_code log_part_path(const char *path, int64_t index, char out[FILE_PATH_BYTES], struct err *err)
{
    int length = index == 0 ? snprintf(out, FILE_PATH_BYTES, "%s", path)
                            : snprintf(out, FILE_PATH_BYTES, "%s" FOLDER_SUFFIX "/%08" PRId64 PART_SUFFIX,
                                       path, index);
    if (length >= FILE_PATH_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the path of a log is longer than %d bytes", FILE_PATH_BYTES - 1);
    return ERR_OK;
}

/* The number in ".../00000012.part"; -1: another name. */
static int64_t part_index(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct text name = text_of(slash == NULL ? path : slash + 1);
    int64_t index = -1;

    name.size_bytes -= sizeof PART_SUFFIX - 1; /* the listing gave only names that end so */
    return text_parse_i64(name, &index) && index > 0 ? index : -1;
}

static void add_part(struct log_parts *parts, int64_t index, int64_t size_bytes)
{
    if (parts->count == sizeof parts->part / sizeof *parts->part) { /* the first stays, and the newest */
        memmove(&parts->part[1], &parts->part[2], (parts->count - 2) * sizeof *parts->part);
        parts->count--;
    }
    parts->part[parts->count++] = (struct log_part){.index = index, .size_bytes = size_bytes};
}

/* A part that is dropped between listing and looking is no error. */
static void add_existing(struct log_parts *parts, const char *path, int64_t index)
{
    struct file_info info = {0};

    if (file_stat(path, &info, NULL) == ERR_OK)
        add_part(parts, index, info.size_bytes);
}

enum err_code log_parts_list(const char *path, struct log_parts *out, struct err *err)
{
    char folder[FILE_PATH_BYTES];
    struct file_info info = {0};
    struct file_list list = {0};

    out->count = 0;
    enum err_code code = folder_path(path, folder, err);
    if (code != ERR_OK)
        return code;
    add_existing(out, path, 0);
    if (file_stat(folder, &info, NULL) != ERR_OK || !info.is_folder)
        return ERR_OK;
    if (file_list_open(folder, PART_SUFFIX, &list, err) != ERR_OK)
        return file_exists(folder) ? ERR_IO : ERR_OK; /* err tells; removed meanwhile is no error */
    for (size_t index = 0; index < list.count; index++) {
        int64_t part = part_index(list.paths[index]);
        if (part > 0)
            add_existing(out, list.paths[index], part);
    }
    file_list_close(&list);
    return ERR_OK;
}

enum err_code log_parts_make_folder(const char *path, struct err *err)
{
    char folder[FILE_PATH_BYTES];

    enum err_code code = folder_path(path, folder, err);
    return code == ERR_OK ? file_make_folders(folder, err) : code;
}

enum err_code log_parts_remove(const char *path, struct err *err)
{
    char folder[FILE_PATH_BYTES];

    enum err_code code = folder_path(path, folder, err);
    if (code == ERR_OK)
        code = folder_remove(folder, err);
    if (code == ERR_OK && file_exists(path))
        code = file_remove(path, err);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}
