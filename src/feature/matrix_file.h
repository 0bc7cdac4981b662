/* An open matrix, inside view, and what a folder of matrices holds. For matrix*.c only. */
#ifndef ALMANAC_FEATURE_MATRIX_FILE_H
#define ALMANAC_FEATURE_MATRIX_FILE_H

#include "feature/matrix.h"
#include "feature/matrix_head.h"
#include "os/file_lock.h"

struct matrix {
    struct file_map head_map, rows_map,
        values_map; /* the latter two may be longer than what the head names */
    struct matrix_head head;
    const char **names; /* into the head */
    char path[FILE_PATH_BYTES];
};

enum matrix_trust {
    MATRIX_CHECK_ROWS,
    MATRIX_TRUST_ROWS, /* their hashes have just been computed by this process */
};
enum err_code matrix_open_file(const char *folder, const char *key, enum matrix_trust trust,
                               struct matrix **out, struct err *err) CHECKED;

/* Waits for other writers of the folder; ERR_BUSY after half a minute. */
enum err_code matrix_folder_lock(const char *folder, struct file_lock *out, struct err *err) CHECKED;
/* Calls visit for every `.mat` file; head is NULL when it is none of this format or damaged. A visit that fails ends it.
 */
enum err_code matrix_folder_walk(const char *folder,
                                 enum err_code (*visit)(void *context, const char *path,
                                                        const struct matrix_head *head, struct err *err),
                                 void *context, struct err *err) CHECKED;
/* Removes heads of other formats, and rows and values that no head names. Under the lock. */
enum err_code matrix_folder_tidy(const char *folder, struct err *err) CHECKED;

#endif
