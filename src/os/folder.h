/* Folders as units: a folder is filled beside its place and takes it in one step, so that readers see all of the old content
 * or all of the new. One writer at a time per folder by a lock that ends with its process.
 * Paths are zero-terminated. Threads: all functions are safe on different folders. */
#ifndef ALMANAC_OS_FOLDER_H
#define ALMANAC_OS_FOLDER_H

#include "base/err.h"
#include <stddef.h>

/* Names of the folders directly in `path`, in byte order; hidden ones are skipped. No such path: none. */
struct folder_list {
    char **names;
    size_t count;
};
enum err_code folder_list_open(const char *path, struct folder_list *out, struct err *err) CHECKED;
void folder_list_close(struct folder_list *list);

/* With all it holds; links are removed, not followed. What is not there is removed already. */
enum err_code folder_remove(const char *path, struct err *err) CHECKED;
/* Every file and folder in it onto the disk. */
enum err_code folder_sync(const char *path, struct err *err) CHECKED;
/* `made` takes the place of `path`: in one step, also where there is a folder already, which is then removed. */
enum err_code folder_replace(const char *made, const char *path, struct err *err) CHECKED;
/* A second name for a file: the bytes are shared. Copies where the file system has no such thing. */
enum err_code folder_link_file(const char *from, const char *to, struct err *err) CHECKED;

/* An exclusive lock on the file `path`, made if needed. ERR_BUSY while another process (or another lock of this one) holds
 * it. */
enum err_code folder_lock(const char *path, int *out_lock, struct err *err) CHECKED;
void folder_unlock(int lock);

#endif
