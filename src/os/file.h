/* Files: whole reads, maps, atomic writes, folder walks. The only place that opens files outside a library.
 * Paths are zero-terminated. Threads: all functions are safe on different files. */
#ifndef ALMANAC_OS_FILE_H
#define ALMANAC_OS_FILE_H

#include "base/buffer.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILE_PATH_BYTES = 4096 };

struct file_map {
    const char *data; /* NULL when the file is empty */
    size_t size_bytes;
};
struct file_info {
    int64_t size_bytes, modified_us;
    bool is_folder;
};

/* Read-only map of a regular file of at most max_bytes. */
enum err_code file_map_open(const char *path, int64_t max_bytes, struct file_map *out,
                            struct err *err) CHECKED;
/* The first `first_bytes` of one file and, right behind them in memory, the first `second_bytes` of another. first_bytes is a
 * multiple of 64 KiB and not 0. ERR_CORRUPT when a file is shorter. */
enum err_code file_map_join(const char *first_path, size_t first_bytes, const char *second_path,
                            size_t second_bytes, struct file_map *out, struct err *err) CHECKED;
void file_map_close(struct file_map *map);
/* The pages of this range need not stay in this process: they come back from the system's cache when read again. */
void file_map_forget(const struct file_map *map, size_t offset, size_t size_bytes);
/* Appends the whole file to `out` (its maximum applies). */
enum err_code file_read(const char *path, struct buffer *out, struct err *err) CHECKED;
/* Writes beside the target, fsyncs, renames, fsyncs the folder: the old content or the new, never a part. */
enum err_code file_write_atomic(const char *path, const void *data, size_t size_bytes,
                                struct err *err) CHECKED;
enum err_code file_make_folders(const char *path, struct err *err) CHECKED; /* like mkdir -p, mode 0700 */
enum err_code file_stat(const char *path, struct file_info *out, struct err *err) CHECKED;
bool file_exists(const char *path);
enum err_code file_remove(const char *path, struct err *err) CHECKED; /* ERR_NOT_FOUND if it is not there */
/* base + '/' + name into out; ERR_TOO_LARGE beyond FILE_PATH_BYTES. */
enum err_code file_join(const char *base, const char *name, char out[FILE_PATH_BYTES],
                        struct err *err) CHECKED;
/* Every regular file below `path` (or path itself when it is a file) whose name ends in `suffix` (no case;
 * NULL: all), in byte order of the full path. Hidden names are skipped, links to folders are not followed. */
struct file_list {
    char **paths;
    size_t count;
};
enum err_code file_list_open(const char *path, const char *suffix, struct file_list *out,
                             struct err *err) CHECKED;
void file_list_close(struct file_list *list);
/* The folder in which the running program lies. */
enum err_code file_program_folder(char out[FILE_PATH_BYTES], struct err *err) CHECKED;

/* A file mapped for writing with its final size known: temp beside the target, visible under `path` only
 * after file_build_finish (msync + fsync + rename). file_build_abandon removes the temp; it is safe after
 * finish. */
struct file_build {
    char *data;
    size_t size_bytes;
    int descriptor;
    char path[FILE_PATH_BYTES];
    char temporary[FILE_PATH_BYTES];
};
enum err_code file_build_start(const char *path, size_t size_bytes, struct file_build *out,
                               struct err *err) CHECKED;
enum err_code file_build_finish(struct file_build *build, struct err *err) CHECKED;
void file_build_abandon(struct file_build *build);

#endif
