/* Library: a foreign shared library, loaded at run time when something first asks for it. Looked for where the user's
 * variable says, below the program (<program>/lib, <program>/../lib/almanac), and where the system keeps its own.
 * A library once loaded stays for the life of the process. Threads: any. */
#ifndef ALMANAC_OS_LIBRARY_H
#define ALMANAC_OS_LIBRARY_H

#include "base/err.h"
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* A function of the library, and the byte offset in the table at which its pointer belongs. */
struct library_symbol {
    const char *name;
    size_t offset;
};
struct library {
    const char *title;    /* "DuckDB" */
    const char *file;     /* "libduckdb.so" */
    const char *variable; /* environment: the path of another one */
    const char *wanted;   /* what to install when it lacks something: "DuckDB 1.2 or newer" */
    const struct library_symbol *symbols;
    size_t symbol_count;
    void *table; /* struct of function pointers, filled by library_open */
    /* Refuses a version that does not serve, with a reason; the table is filled. May be NULL. */
    enum err_code (*check)(const char *path, struct err *err);
    /* library.c's own; {PTHREAD_MUTEX_INITIALIZER, false} at the start */
    pthread_mutex_t lock;
    bool is_open;
};

/* ERR_UNAVAILABLE says what was wrong and what to install; asked again later, it is looked for again. */
enum err_code library_open(struct library *library, struct err *err) CHECKED;

#endif
