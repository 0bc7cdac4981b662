/* The matrix as text, feature_matrix_last.csv: for people and for other programs; never read back. */
#include "feature/matrix.h"

#include "base/buffer.h"
#include "base/time.h"
#include "os/file.h"

#include <math.h>

#define CSV_MAX_BYTES (INT64_C(8) << 30)

static void write_header(const struct matrix *matrix, struct buffer *out)
{
    buffer_append_text(out, "id,start,league,label_1,label_2");
    for (size_t i = 0; i < matrix_columns(matrix); i++)
        buffer_printf(out, ",%s", matrix_names(matrix)[i]);
    buffer_append_char(out, '\n');
}

static void write_row(const struct matrix *matrix, const char *const *group_names, size_t row,
                      struct buffer *out)
{
    const struct matrix_row *info = &matrix_row_info(matrix)[row];
    char start[TIME_TEXT_BYTES];
    time_format_iso(info->start_us, start);
    buffer_printf(out, "%lld,%s,%s,%d,%d", (long long)info->id, start, group_names[info->group],
                  info->label[0], info->label[1]);
    const float *values = matrix_values(matrix) + row * matrix_columns(matrix);
    for (size_t i = 0; i < matrix_columns(matrix); i++) {
        buffer_append_char(out, ',');
        if (!isnan(values[i]))
            buffer_printf(out, "%.9g", (double)values[i]);
    }
    buffer_append_char(out, '\n');
}

enum err_code matrix_write_csv(const struct matrix *matrix, const char *const *group_names, const char *path,
                               struct err *err)
{
    struct buffer out;
    buffer_init(&out, CSV_MAX_BYTES);
    write_header(matrix, &out);
    for (size_t row = 0; row < matrix_rows(matrix); row++)
        write_row(matrix, group_names, row, &out);
    enum err_code code = buffer_check(&out, path, err);
    if (code == ERR_OK)
        code = file_write_atomic(path, out.data, out.size_bytes, err);
    buffer_release(&out);
    return code;
}
