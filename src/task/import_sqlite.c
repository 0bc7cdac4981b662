/* Importing the rows of a query. The content hash is over the rows, not over the file: the other application may change
 * its file in ways that do not concern us. */
#include "task/import.h"

#include "os/file.h"
#include "source/sqlite_source.h"
#include "task/import_write.h"

/* Values, bitmaps and dictionaries of a frame: the content that is imported, whatever file it came from. */
static void hash_frame(struct hash *hash, const struct frame *frame)
{
    size_t rows = frame_rows(frame);

    hash_add_i64(hash, (int64_t)rows);
    for (size_t column = 0; column < frame_columns(frame); column++) {
        hash_add_text(hash, frame_name(frame, column));
        enum frame_type type = frame_column_type(frame, column);
        if (rows == 0)
            continue;
        if (type == FRAME_F64)
            hash_add(hash, frame_f64(frame, column), rows * sizeof(double));
        else if (type == FRAME_I64 || type == FRAME_TIME)
            hash_add(hash, frame_i64(frame, column), rows * sizeof(int64_t));
        else
            hash_add(hash, frame_i32(frame, column), rows * sizeof(int32_t));
        for (size_t row = 0; type == FRAME_I32 && row < rows; row++)
            hash_add(hash, frame_is_present(frame, column, row) ? "1" : "0", 1);
        for (int32_t code = 0; type == FRAME_TEXT && code < frame_dictionary_count(frame, column); code++)
            hash_add_text(hash, frame_dictionary_text(frame, column, code));
    }
}

/* "app.sqlite?query=1a2b3c4d": two queries of one file are two sources. */
static enum err_code name_source(const char *path, const char *query, struct buffer *out, struct err *err)
{
    char hex[HASH_HEX_BYTES];
    struct hash hash;

    hash_init(&hash);
    hash_add_text(&hash, query);
    hash_final_hex(&hash, hex);
    buffer_printf(out, "%s?query=%.8s", path, hex);
    return buffer_check(out, "path", err);
}

static enum err_code parse_sqlite(const struct import_options *options, const char *path,
                                  struct import_file *file, struct err *err)
{
    struct hash hash;
    bool strict = options->strict;

    enum err_code code = sqlite_source_read(path, options->query, strict, &file->tables, err);
    if (code == ERR_OK)
        code = import_rows_make(&file->tables, path, strict, &file->rows, err);
    if (code != ERR_OK)
        return code;
    hash_init(&hash);
    hash_add_text(&hash, import_version);
    hash_add_text(&hash, file->path);
    hash_frame(&hash, file->tables.matches);
    hash_frame(&hash, file->tables.prices);
    hash_final_hex(&hash, file->hash);
    file->outcome = IMPORT_PARSED;
    return ERR_OK;
}

/* Reads and stores; `file` is the caller's to release. */
static enum err_code run(struct import_write *write, const char *path, struct import_file *file,
                         struct err *err)
{
    struct file_info info;

    enum err_code code = file_stat(path, &info, err);
    if (code != ERR_OK)
        return code;
    file->size_bytes = info.size_bytes;
    code = parse_sqlite(write->options, path, file, err);
    return code == ERR_OK ? import_write_add(write, file, err) : code;
}

enum err_code import_sqlite(struct store *store, const char *path, const struct import_options *options,
                            const struct reporter *reporter, struct import_result *out, struct err *err)
{
    struct err unread; /* err may be NULL for the caller, not here */
    struct buffer name;
    struct import_file file = {0};
    struct import_write write = {0};

    err = err != NULL ? err : &unread;
    *out = (struct import_result){.files = 1};
    buffer_init(&name, 2 * FILE_PATH_BYTES);
    report_progress(reporter, "importing", 0, 1);
    enum err_code code = name_source(path, options->query, &name, err);
    file.path = buffer_text(&name);
    if (code == ERR_OK)
        code = import_write_start(&write, store, options, reporter, out, err);
    if (code == ERR_OK) {
        code = run(&write, path, &file, err);
        code = import_write_finish(&write, code, err);
    }
    if (code == ERR_OK)
        report_progress(reporter, "importing", 1, 1);
    import_write_release(&write);
    import_file_release(&file);
    buffer_release(&name);
    return code;
}
