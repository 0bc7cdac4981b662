/* Offline store: statistics per feature. Quantiles keep the values of a column in memory, so some columns are asked for at a
 * time; Parquet is columnar, and each is read once whatever the number of questions. Selecting quantiles costs more than
 * writing the rows did, so beyond QUANTILE_ROWS they are those of every k-th row of each partition (for 450,000 rows a rank
 * is off by 0.2 % of the rows); everything else is exact. */
#include "view/offline_private.h"

enum {
    BATCH_COLUMNS = 12,
    QUANTILE_ROWS = 1 << 16,
    QUANTILES = 7,
    PLAIN = 5,
    PER_COLUMN = PLAIN + QUANTILES
};

static const char *const quantile_names[QUANTILES] = {"q01", "q05", "q25", "q50", "q75", "q95", "q99"};

/* step: of the rows that quantiles are made of. */
static void put_question(struct buffer *sql, const char *path, const struct view_column *columns,
                         size_t count, int64_t step)
{
    buffer_append_text(sql, "SELECT ");
    for (size_t i = 0; i < count; i++) {
        buffer_printf(sql, "%sn%zu, m%zu, s%zu, l%zu, h%zu", i > 0 ? ", " : "", i, i, i, i, i);
        for (int q = 1; q <= QUANTILES; q++)
            buffer_printf(sql, ", q%zu[%d]", i, q);
    }
    buffer_append_text(sql, " FROM (SELECT ");
    for (size_t i = 0; i < count; i++) {
        const char *name = columns[i].name;
        buffer_printf(
            sql,
            "%scount(\"%s\") AS n%zu, avg(\"%s\"::DOUBLE) AS m%zu, stddev_pop(\"%s\"::DOUBLE) AS s%zu, "
            "min(\"%s\") AS l%zu, max(\"%s\") AS h%zu, "
            "quantile_cont(\"%s\", [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) FILTER "
            "(file_row_number %% %lld = 0) AS q%zu",
            i > 0 ? ", " : "", name, i, name, i, name, i, name, i, name, i, name, (long long)step, i);
    }
    buffer_append_text(sql, " FROM ");
    offline_put_numbered_source(sql, path);
    buffer_append_text(sql, ")");
}

static void put_answer(const struct duck_result *result, size_t first, int64_t rows, struct json_writer *out)
{
    static const char *const plain[PLAIN] = {NULL, "mean", "deviation", "min", "max"};
    int64_t present = duck_i64(result, first);
    json_begin_object(out);
    json_field_i64(out, "count", present);
    json_field_f64(out, "missing_share", rows > 0 ? 1 - (double)present / (double)rows : 0);
    for (size_t i = 1; i < PLAIN; i++)
        json_field_f64(out, plain[i], duck_f64(result, first + i));
    for (size_t i = 0; i < QUANTILES; i++)
        json_field_f64(out, quantile_names[i], duck_f64(result, first + PLAIN + i));
    json_end_object(out);
}

enum err_code offline_write_statistics(struct duck *duck, const char *path, const struct view_column *columns,
                                       size_t count, int64_t rows, struct json_writer *out, struct err *err)
{
    struct buffer sql;
    enum err_code code = ERR_OK;
    int64_t step = rows / QUANTILE_ROWS > 1 ? rows / QUANTILE_ROWS : 1;
    buffer_init(&sql, OFFLINE_SQL_BYTES);
    json_begin_object(out);
    for (size_t first = 0; code == ERR_OK && first < count; first += BATCH_COLUMNS) {
        size_t batch = count - first < BATCH_COLUMNS ? count - first : BATCH_COLUMNS;
        struct duck_result *result = NULL;
        bool has_row = false;
        put_question(&sql, path, columns + first, batch, step);
        code = offline_query(duck, &sql, &result, err);
        if (code == ERR_OK)
            code = duck_result_next(result, &has_row, err);
        for (size_t i = 0; code == ERR_OK && has_row && i < batch; i++) {
            json_key(out, columns[first + i].name);
            put_answer(result, i * PER_COLUMN, rows, out);
        }
        duck_result_destroy(result);
    }
    json_end_object(out);
    buffer_release(&sql);
    return code;
}
