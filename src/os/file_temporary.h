/* Inside os/ only: the temporary file that stands beside a target until it is complete.
 *
 * Invariant: the target changes by one rename of a file whose bytes are already on the disk. The temporary's
 * name is hidden (".almanac-<16 hex>.tmp"), so folder walks never see a half-written file, not even after a
 * kill. Threads: safe on different files. Memory: the caller's. */
#ifndef ALMANAC_OS_FILE_TEMPORARY_H
#define ALMANAC_OS_FILE_TEMPORARY_H

#include "base/err.h"
#include "os/file.h"

/* Creates an empty file in the folder of `path`; *out_descriptor is open for reading and writing. */
enum err_code file_temporary_create(const char *path, char out[FILE_PATH_BYTES], int *out_descriptor,
                                    struct err *err) CHECKED;
/* fsync, close, rename over `path`, fsync of the folder. Closes the descriptor and removes the file on any
 * error. */
enum err_code file_temporary_publish(const char *temporary, int descriptor, const char *path,
                                     struct err *err) CHECKED;
/* Closes (when not negative) and removes. */
void file_temporary_drop(const char *temporary, int descriptor);

#endif
