/* The data directory. Reading makes nothing; opening for writing makes what is missing. */
#include "store/store.h"

#include "base/text.h"

static enum err_code join_paths(const char *folder, struct store *out, struct err *err)
{
    if (!text_copy(text_of(folder), out->folder, sizeof out->folder))
        return err_set(err, ERR_TOO_LARGE, "the path of the data folder is longer than %d bytes",
                       FILE_PATH_BYTES - 1);
    enum err_code code = file_join(folder, "almanac.db", out->database, err);
    if (code == ERR_OK)
        code = file_join(folder, "matrix", out->matrix, err);
    if (code == ERR_OK)
        code = file_join(folder, "models", out->models, err);
    if (code == ERR_OK)
        code = file_join(folder, "logs", out->logs, err);
    if (code == ERR_OK)
        code = file_join(folder, "jobs", out->jobs, err);
    return code;
}

static enum err_code make_folders(const struct store *store, struct err *err)
{
    const char *const folders[] = {store->folder, store->matrix, store->models, store->logs, store->jobs};

    for (size_t index = 0; index < sizeof folders / sizeof folders[0]; index++) {
        enum err_code code = file_make_folders(folders[index], err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code store_open(const char *folder, enum db_mode mode, struct store *out, struct err *err)
{
    *out = (struct store){0};
    enum err_code code = join_paths(folder, out, err);
    if (code == ERR_OK && mode == DB_READ_WRITE)
        code = make_folders(out, err);
    if (code == ERR_OK)
        code = db_open(out->database, mode, &out->db, err);
    return code;
}

void store_close(struct store *store)
{
    db_close(store->db);
    store->db = NULL;
}
