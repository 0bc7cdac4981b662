/* DuckDB's library: found once, kept. See library.h. */
#include "duck/library.h"
#include "base/text.h"
#include "os/library.h"

#include <assert.h>
#include <stddef.h>

static_assert(sizeof(struct duck_raw_result) == 48, "duckdb_result");
static_assert(sizeof(struct duck_raw_text) == 16, "duckdb_string_t");
static_assert(sizeof(struct duck_raw_i128) == 16, "duckdb_hugeint");
static_assert(sizeof(struct duck_raw_interval) == 16, "duckdb_interval");

static const struct library_symbol symbols[] = {
#define DUCK_FUNCTION(result, name, arguments) {"duckdb_" #name, offsetof(struct duck_library, name)},
#include "duck/function_list.h"
#undef DUCK_FUNCTION
};

static struct duck_library functions; /* written once, by library_open */

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
    if (!is_version_known(functions.library_version()))
        return err_set(err, ERR_UNAVAILABLE, "'%s' is DuckDB %s: install 1.2 or a newer 1.x instead", path,
                       functions.library_version());
    return ERR_OK;
}

static struct library library = {
    .title = "DuckDB",
    .file = "libduckdb.so",
    .variable = "ALMANAC_DUCKDB_LIBRARY",
    .wanted = "DuckDB 1.2 or newer",
    .symbols = symbols,
    .symbol_count = sizeof symbols / sizeof symbols[0],
    .table = &functions,
    .check = check_version,
    .lock = PTHREAD_MUTEX_INITIALIZER,
};

enum err_code duck_library_open(const struct duck_library **out, struct err *err)
{
    enum err_code code = library_open(&library, err);
    *out = code == ERR_OK ? &functions : NULL;
    return code;
}
