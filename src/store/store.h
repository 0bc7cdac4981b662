/* The data directory: where the parts of it are. Creating a store makes the folders and the database. */
#ifndef ALMANAC_STORE_STORE_H
#define ALMANAC_STORE_STORE_H

#include "base/err.h"
#include "os/file.h"
#include "store/db.h"

struct store {
    char folder[FILE_PATH_BYTES];
    char database[FILE_PATH_BYTES]; /* <folder>/almanac.db */
    char matrix[FILE_PATH_BYTES];   /* <folder>/matrix */
    char models[FILE_PATH_BYTES];   /* <folder>/models */
    char logs[FILE_PATH_BYTES];     /* <folder>/logs */
    char jobs[FILE_PATH_BYTES];     /* <folder>/jobs: one folder per job that has not succeeded */
    struct db *db;
};

enum err_code store_open(const char *folder, enum db_mode mode, struct store *out, struct err *err) CHECKED;
void store_close(struct store *store);

#endif
