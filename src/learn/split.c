/* Cuts are found as the block border nearest to where the share would fall; of two equally near ones the
 * earlier, so that the judged side is never smaller than asked. The embargo then shortens the training side
 * from its end. */
#include "learn/split.h"

#include <assert.h>
#include <inttypes.h>

static void assert_time_order(const struct dataset *data)
{
    for (size_t row = 1; row < data->rows; row++)
        assert(data->time_us[row - 1] <= data->time_us[row] && data->block[row - 1] <= data->block[row]);
}

/* The row nearest to `row` where a block begins; 0 and rows are borders too. */
static size_t nearest_border(const struct dataset *data, size_t row)
{
    if (row == 0 || row >= data->rows)
        return row == 0 ? 0 : data->rows;
    size_t before = row, after = row;
    while (before > 0 && data->block[before] == data->block[before - 1])
        before--;
    while (after < data->rows && data->block[after] == data->block[after - 1])
        after++;
    return row - before <= after - row ? before : after;
}

/* Fills `out` for a cut at `border`, judged up to `end`. False when the embargo leaves no training row. */
static int cut_at(const struct dataset *data, size_t border, size_t end, int64_t embargo_us,
                  struct split *out)
{
    size_t train_end = border;
    /* the difference is taken unsigned: times are far apart in hostile data, never in the wrong order */
    while (train_end > 0 &&
           (uint64_t)data->time_us[border] - (uint64_t)data->time_us[train_end - 1] < (uint64_t)embargo_us)
        train_end--;
    *out = (struct split){.train_begin = 0, .train_end = train_end, .test_begin = border, .test_end = end};
    return train_end > 0;
}

enum err_code split_holdout(const struct dataset *data, double test_share, int64_t embargo_us,
                            struct split *out, struct err *err)
{
    assert_time_order(data);
    if (!(test_share > 0 && test_share < 1))
        return err_set(err, ERR_INVALID, "the judged share %g is not between 0 and 1", test_share);
    if (embargo_us < 0)
        return err_set(err, ERR_INVALID, "the embargo %" PRId64 " us is negative", embargo_us);
    size_t border = nearest_border(data, data->rows - (size_t)((double)data->rows * test_share + 0.5));
    if (border == 0 || border == data->rows)
        return err_set(err, ERR_INVALID,
                       "%zu rows cannot be split at %g: one side would be empty; use more days", data->rows,
                       test_share);
    if (!cut_at(data, border, data->rows, embargo_us, out))
        return err_set(err, ERR_INVALID, "an embargo of %" PRId64 " us leaves no training rows of %zu",
                       embargo_us, border);
    return ERR_OK;
}

enum err_code split_expanding(const struct dataset *data, size_t folds, int64_t embargo_us, struct split *out,
                              struct err *err)
{
    assert_time_order(data);
    if (folds == 0)
        return err_set(err, ERR_INVALID, "0 folds: at least one is needed");
    if (embargo_us < 0)
        return err_set(err, ERR_INVALID, "the embargo %" PRId64 " us is negative", embargo_us);
    if (folds >= data->rows)
        return err_set(err, ERR_INVALID, "%zu rows are too few for %zu folds", data->rows, folds);
    double part = (double)data->rows / ((double)folds + 1);
    size_t border = nearest_border(data, (size_t)(part + 0.5));
    for (size_t fold = 0; fold < folds; fold++) {
        size_t end =
            fold + 1 == folds ? data->rows : nearest_border(data, (size_t)(part * (double)(fold + 2) + 0.5));
        if (border == 0 || end <= border)
            return err_set(err, ERR_INVALID, "the days of %zu rows are too few for %zu folds", data->rows,
                           folds);
        if (!cut_at(data, border, end, embargo_us, &out[fold]))
            return err_set(err, ERR_INVALID, "an embargo of %" PRId64 " us leaves fold %zu no training rows",
                           embargo_us, fold + 1);
        border = end;
    }
    return ERR_OK;
}
