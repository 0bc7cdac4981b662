/* Test library: LightGBM for the tests that compare with it. */
#ifndef ALMANAC_LEARN_TEST_LIBRARY_H
#define ALMANAC_LEARN_TEST_LIBRARY_H

#include "learn/lightgbm_library.h"
#include <stdlib.h>
#include <unistd.h>

/* NULL when it is not there. Tests run in the project's root but are built anywhere: the copy of the usual build
 * folder will do. */
static inline const struct lightgbm_library *test_library_open(struct err *err)
{
    static const char usual[] = "build/lib/lib_lightgbm.so";
    const struct lightgbm_library *library = NULL;
    enum err_code code = lightgbm_library_open(&library, err);
    if (code && !getenv("ALMANAC_LIGHTGBM_LIBRARY") && access(usual, R_OK) == 0) {
        (void)setenv("ALMANAC_LIGHTGBM_LIBRARY", usual, 1);
        (void)!lightgbm_library_open(&library, err);
    }
    return library;
}

#endif
