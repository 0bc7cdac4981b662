/* Library: see library.h. The first of the usual places that has the file decides: one that is there and cannot be used is
 * the news, not that the system has no other. */
#include "os/library.h"

#include "os/file.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static enum err_code load_symbols(const struct library *library, void *handle, const char *path,
                                  struct err *err)
{
    for (size_t i = 0; i < library->symbol_count; i++) {
        void *symbol = dlsym(handle, library->symbols[i].name);
        if (symbol == NULL)
            return err_set(err, ERR_UNAVAILABLE, "'%s' lacks '%s': install %s instead", path,
                           library->symbols[i].name, library->wanted);
        /* copied as bytes: ISO C has no cast from an object's to a function's pointer */
        memcpy((char *)library->table + library->symbols[i].offset, &symbol, sizeof(symbol));
    }
    return ERR_OK;
}

/* ERR_NOT_FOUND when there is nothing to load under `path`, with the loader's reason. */
static enum err_code try_path(const struct library *library, const char *path, struct err *err)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *reason = dlerror();
        return err_set(err, ERR_NOT_FOUND, "%s", reason != NULL ? reason : path);
    }
    enum err_code code = load_symbols(library, handle, path, err);
    if (code == ERR_OK && library->check != NULL)
        code = library->check(path, err);
    if (code != ERR_OK)
        (void)dlclose(handle);
    return code;
}

static enum err_code try_below_program(const struct library *library, const char *below, struct err *err)
{
    char folder[FILE_PATH_BYTES], lib[FILE_PATH_BYTES], path[FILE_PATH_BYTES];
    enum err_code code = file_program_folder(folder, err);
    if (code == ERR_OK)
        code = file_join(folder, below, lib, err);
    if (code == ERR_OK)
        code = file_join(lib, library->file, path, err);
    if (code == ERR_OK && !file_exists(path))
        code = err_set(err, ERR_NOT_FOUND, "%s: not there", path);
    if (code != ERR_OK)
        return code;
    code = try_path(library, path, err);
    return code == ERR_NOT_FOUND ? ERR_UNAVAILABLE : code;
}

static enum err_code search(const struct library *library, struct err *err)
{
    const char *chosen = getenv(library->variable);
    if (chosen != NULL && *chosen != '\0')
        return try_path(library, chosen, err);
    enum err_code code = try_below_program(library, "lib", err);
    if (code == ERR_NOT_FOUND)
        code = try_below_program(library, "../lib/almanac", err);
    if (code == ERR_NOT_FOUND)
        code = try_path(library, library->file, err);
    return code;
}

enum err_code library_open(struct library *library, struct err *err)
{
    enum err_code code = ERR_OK;
    struct err cause = {.code = ERR_OK};
    (void)pthread_mutex_lock(&library->lock);
    if (!library->is_open)
        code = search(library, &cause);
    library->is_open = library->is_open || code == ERR_OK;
    (void)pthread_mutex_unlock(&library->lock);
    if (code != ERR_OK)
        return err_set(err, ERR_UNAVAILABLE,
                       "cannot load %s (%s): run tools/install.sh, or set %s to the path of %s",
                       library->title, cause.text, library->variable, library->file);
    return ERR_OK;
}
