/* What writers that were killed left behind: their temporary files (file_temporary.h), which no folder walk shows. */
#ifndef ALMANAC_OS_FILE_LEFTOVER_H
#define ALMANAC_OS_FILE_LEFTOVER_H

#include "base/err.h"
#include "os/file.h"

/* Temporary files of ours below `path` that were last written before `before_us`: younger ones may be in work. In byte order;
 * released by file_list_close. Links are not followed. No such folder: none. */
enum err_code file_leftover_list(const char *path, int64_t before_us, struct file_list *out,
                                 struct err *err) CHECKED;

#endif
