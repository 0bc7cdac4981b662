/* DuckDB's library: found once, kept. See library.h. */
#include "duck/library.h"
#include "base/text.h"
#include "os/file.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY_NAME "libduckdb.so"

static_assert(sizeof(struct duck_raw_result) == 48, "duckdb_result");
static_assert(sizeof(struct duck_raw_text) == 16, "duckdb_string_t");
static_assert(sizeof(struct duck_raw_i128) == 16, "duckdb_hugeint");
static_assert(sizeof(struct duck_raw_interval) == 16, "duckdb_interval");

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
#define DUCK_FUNCTION(result, name, arguments) {"duckdb_" #name, offsetof(struct duck_library, name)},
#include "duck/function_list.h"
#undef DUCK_FUNCTION
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct duck_library library; /* written once under `lock`, before is_open */
static int is_open;

static enum err_code load_symbols(void *handle, const char *path, struct err *err)
{
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        void *symbol = dlsym(handle, symbols[i].name);
        if (!symbol)
            return err_set(err, ERR_UNAVAILABLE, "'%s' lacks '%s': install DuckDB 1.2 or newer instead", path,
                           symbols[i].name);
        /* copied as bytes: ISO C has no cast from an object's to a function's pointer */
        memcpy((char *)&library + symbols[i].offset, &symbol, sizeof symbol);
    }
    return ERR_OK;
}

/* "v1.5.6": 1.2 brought allowed_directories, on which the sandbox stands; 2.0 may change the structures. */
static bool is_version_known(const char *version)
{
    struct text rest = text_of(version), part;
    int64_t minor = 0;
    return text_split(&rest, '.', &part) && text_equal(part, "v1") && text_split(&rest, '.', &part) &&
           text_parse_i64(part, &minor) && minor >= 2;
}

static enum err_code check_version(const char *path, struct err *err)
{
    if (!is_version_known(library.library_version()))
        return err_set(err, ERR_UNAVAILABLE, "'%s' is DuckDB %s: install 1.2 or a newer 1.x instead", path,
                       library.library_version());
    return ERR_OK;
}

/* ERR_NOT_FOUND when there is nothing to load under `path`, with the loader's reason. */
static enum err_code try_path(const char *path, struct err *err)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *reason = dlerror();
        return err_set(err, ERR_NOT_FOUND, "%s", reason ? reason : path);
    }
    enum err_code code = load_symbols(handle, path, err);
    if (!code)
        code = check_version(path, err);
    if (code)
        dlclose(handle);
    return code;
}

static enum err_code try_below_program(const char *below, struct err *err)
{
    char folder[FILE_PATH_BYTES], path[FILE_PATH_BYTES];
    enum err_code code = file_program_folder(folder, err);
    if (!code)
        code = file_join(folder, below, path, err);
    if (!code && !file_exists(path))
        code = err_set(err, ERR_NOT_FOUND, "%s: not there", path);
    if (code)
        return code;
    /* it is what somebody installed: when it cannot be used, that is the news, not that the system has no other */
    code = try_path(path, err);
    return code == ERR_NOT_FOUND ? ERR_UNAVAILABLE : code;
}

/* The first of the usual places. */
static enum err_code search(struct err *err)
{
    const char *chosen = getenv("ALMANAC_DUCKDB_LIBRARY");
    if (chosen && *chosen)
        return try_path(chosen, err);
    enum err_code code = try_below_program("lib/" LIBRARY_NAME, err);
    if (code == ERR_NOT_FOUND)
        code = try_below_program("../lib/almanac/" LIBRARY_NAME, err);
    if (code == ERR_NOT_FOUND)
        code = try_path(LIBRARY_NAME, err);
    return code;
}

enum err_code duck_library_open(const struct duck_library **out, struct err *err)
{
    enum err_code code = ERR_OK;
    struct err cause = {.code = ERR_OK};
    *out = NULL;
    pthread_mutex_lock(&lock);
    if (!is_open)
        code = search(&cause);
    is_open = is_open || !code;
    pthread_mutex_unlock(&lock);
    if (code)
        return err_set(
            err, ERR_UNAVAILABLE,
            "cannot load DuckDB (%s): run tools/install.sh, or set ALMANAC_DUCKDB_LIBRARY to the path "
            "of " LIBRARY_NAME,
            cause.text);
    *out = &library;
    return ERR_OK;
}
