/* For tests only: a fresh folder, removed with all it holds, and a count of this process's open descriptors.
 */
#ifndef ALMANAC_OS_TEST_FOLDER_H
#define ALMANAC_OS_TEST_FOLDER_H

#include "os/file.h"
#include <assert.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

struct test_folder {
    char path[FILE_PATH_BYTES];
};

static inline void test_folder_create(struct test_folder *folder)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder->path, sizeof folder->path, "%s/almanac-test-XXXXXX", base == NULL ? "/tmp" : base);
    char *made = mkdtemp(folder->path);
    assert(made != NULL);
    (void)made;
}

static inline int test_folder_remove_one(const char *path, const struct stat *info, int kind,
                                         struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void test_folder_remove(struct test_folder *folder)
{
    nftw(folder->path, test_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path inside the folder, in one of four static places. */
static inline const char *test_folder_path(const struct test_folder *folder, const char *name)
{
    static char paths[4][FILE_PATH_BYTES];
    static unsigned next;
    char *out = paths[next++ % 4];
    enum err_code code = file_join(folder->path, name, out, NULL);

    assert(code == ERR_OK);
    (void)code;
    return out;
}

static inline size_t test_entry_count(const char *path)
{
    size_t count = 0;
    DIR *stream = opendir(path);

    assert(stream != NULL);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        count += !(entry->d_name[0] == '.' &&
                   (entry->d_name[1] == '\0' || (entry->d_name[1] == '.' && entry->d_name[2] == '\0')));
    closedir(stream);
    return count;
}

static inline size_t test_descriptor_count(void)
{
    return test_entry_count("/proc/self/fd") - 1; /* without the one that reads the folder */
}

#endif
