/* A file written in place: created, or extended at its end, with the part to be written mapped. Unlike file_build
 * (os/file.h) it lies under its own name from the start, so something else must say how much of it counts; what was there
 * before is never written, and file_grow_abandon takes away what was added.
 * Threads: one owner; any thread may store into the map. Memory: pages of the file, which the kernel can write back. */
#ifndef ALMANAC_OS_FILE_GROW_H
#define ALMANAC_OS_FILE_GROW_H

#include "base/err.h"
#include "os/file.h"
#include <stdbool.h>
#include <stddef.h>

struct file_grow {
    char *data; /* byte map_from of the file; NULL when nothing is mapped */
    size_t map_from, map_bytes;
    size_t old_bytes, new_bytes;
    int descriptor; /* -1: closed */
    bool is_new;
    char path[FILE_PATH_BYTES];
};

/* A new file of new_bytes, all reserved on disk; ERR_CONFLICT when the name is taken. */
enum err_code file_grow_create(const char *path, size_t new_bytes, struct file_grow *out,
                               struct err *err) CHECKED;
/* A file of exactly old_bytes (else ERR_CONFLICT), extended to new_bytes >= old_bytes. */
enum err_code file_grow_open(const char *path, size_t old_bytes, size_t new_bytes, struct file_grow *out,
                             struct err *err) CHECKED;
/* Maps [from, new_bytes) for reading and writing; from is a multiple of 64 KiB. Nothing to map: data is NULL. */
enum err_code file_grow_map(struct file_grow *grow, size_t from, struct err *err) CHECKED;
/* The pages of this part of the map need not stay in this process: they come back from the system's cache when touched. */
void file_grow_forget(const struct file_grow *grow, size_t offset_in_map, size_t size_bytes);
/* Nothing is stored into this part of the map any more: it begins to go to the disk, which file_grow_flush then need not wait
 * for, and is forgotten. */
void file_grow_settle(const struct file_grow *grow, size_t offset_in_map, size_t size_bytes);
/* Writes [offset, offset + size_bytes) without the map. */
enum err_code file_grow_write(struct file_grow *grow, size_t offset, const void *data, size_t size_bytes,
                              struct err *err) CHECKED;
enum err_code file_grow_flush(struct file_grow *grow, struct err *err) CHECKED; /* onto the disk */
void file_grow_close(struct file_grow *grow);   /* keeps the file; safe when closed */
void file_grow_abandon(struct file_grow *grow); /* removes a new file, cuts an old one; safe when closed */

#endif
