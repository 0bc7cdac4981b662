/* Test library: DuckDB for the tests of this folder and of view/. */
#ifndef ALMANAC_DUCK_TEST_LIBRARY_H
#define ALMANAC_DUCK_TEST_LIBRARY_H

#include "duck/duck.h"
#include <stdlib.h>
#include <unistd.h>

/* False when it is not there. Tests run in the project's root but are built anywhere: the copy of the usual build folder
 * will do. */
static inline bool test_duck_is_there(struct err *err)
{
    static const char usual[] = "build/lib/libduckdb.so";
    enum err_code code = duck_probe(NULL, err);
    if (code && !getenv("ALMANAC_DUCKDB_LIBRARY") && access(usual, R_OK) == 0) {
        (void)setenv("ALMANAC_DUCKDB_LIBRARY", usual, 1);
        code = duck_probe(NULL, err);
    }
    return code == ERR_OK;
}

#endif
