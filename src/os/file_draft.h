/* A file that is made beside its place and takes it when it is whole, filled by several writers: another library that is
 * given the draft's name, and file_draft_write from any thread. Unlike file_write_atomic (os/file.h) nothing is forced onto
 * the disk: for results that can be asked for again, where after a loss of power the old file, the new one or a part is fine.
 * Threads: one owner; file_draft_write from any. Memory: the caller's. */
#ifndef ALMANAC_OS_FILE_DRAFT_H
#define ALMANAC_OS_FILE_DRAFT_H

#include "base/err.h"
#include "os/file.h"
#include <stddef.h>

struct file_draft {
    int descriptor;             /* -1: finished or abandoned */
    char path[FILE_PATH_BYTES]; /* the place */
    char name[FILE_PATH_BYTES]; /* meanwhile: hidden, in the same folder; empty and there */
};

enum err_code file_draft_start(const char *path, struct file_draft *out, struct err *err) CHECKED;
/* Bytes [offset, offset + size_bytes); what lies between parts that are written is zero. */
enum err_code file_draft_write(const struct file_draft *draft, size_t offset, const void *data,
                               size_t size_bytes, struct err *err) CHECKED;
/* In its place, in one step; on an error the place is as it was. */
enum err_code file_draft_finish(struct file_draft *draft, struct err *err) CHECKED;
void file_draft_abandon(struct file_draft *draft); /* removes it; safe after finish */

#endif
