/* Leak audit: rebuild, compare bytes.
 *
 * The history goes through the builder once, up to the last cut, and of every row a hash is kept. For each cut the domain makes its
 * streams twice from the source rows, truncated and scrambled, and they go through the builder up to the cut. Each pass
 * computes a slice of rows at a time and only one of the three is in memory, so that the audit needs no more than the
 * streams and 24 bytes a row. Bytes are hashed, not values: NaN payloads and signed zeros count as differences, on purpose.
 * A row that differs is built once more with all data, to say which feature it is. */
#include "feature/audit.h"

#include "base/hash.h"
#include "base/random.h"
#include "base/time.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_ROWS = 8192 }; /* more when more events share one start */

struct audited_row {
    int64_t id, start_us;
    uint64_t hash;
};
struct cut {
    int64_t at_us;
    size_t rows; /* those that start at or before */
    uint64_t seed;
};
struct audit {
    const struct feature_set *set;
    const struct audit_source *source;
    struct pool *pool;
    struct build_watch watch;
    size_t columns;
    struct audited_row *rows; /* of the whole, in matrix order; hashes up to the last cut */
    size_t row_count;
    struct cut *cuts;
    size_t cut_count;
};

/* One way through a variant, up to its row `end`; `visit` sees the rows of the present slice, values[end - begin][columns]. */
struct pass {
    const struct audit *audit;
    const struct audit_variant *variant;
    size_t begin, end; /* of the present slice */
    float *values;
    struct live_state *state;
};
static enum err_code pass_start(struct pass *pass, struct err *err)
{
    const struct audit_variant *variant = pass->variant;
    struct stream_size *sizes = calloc(variant->stream_count + 1, sizeof(*sizes));
    if (sizes == NULL)
        return err_nomem(err, variant->stream_count * sizeof(*sizes));
    for (size_t s = 0; s < variant->stream_count; s++)
        sizes[s] = variant->streams[s].size;
    enum err_code code = live_state_create(pass->audit->set, sizes, variant->stream_count, &pass->state, err);
    free(sizes);
    return code;
}

/* Rows begin..end-1 of the variant; a slice ends where a start ends, so that the next begins a span. */
static enum err_code pass_step(struct pass *pass, size_t limit, struct err *err)
{
    const struct matrix_row *rows = pass->variant->rows;
    int64_t from_us = pass->begin == 0 ? INT64_MIN : rows[pass->begin].start_us;
    pass->end = pass->begin + SLICE_ROWS < limit ? pass->begin + SLICE_ROWS : limit;
    while (pass->end < pass->variant->row_count && rows[pass->end].start_us == rows[pass->end - 1].start_us)
        pass->end++;
    int64_t until_us = pass->end < pass->variant->row_count ? rows[pass->end].start_us : INT64_MAX;
    size_t columns = pass->audit->columns, size_bytes = (pass->end - pass->begin) * columns * sizeof(float);
    float *values = realloc(pass->values, size_bytes + 1);
    if (values == NULL)
        return err_nomem(err, size_bytes);
    pass->values = values;
    struct build_target target = {values, pass->begin, columns, NULL};
    return builder_advance(pass->state, pass->variant->streams, (struct build_span){from_us, until_us},
                           target, pass->audit->pool, &pass->audit->watch, err);
}

/* At least the first `limit` rows of the variant. */
static enum err_code pass_run(const struct audit *audit, const struct audit_variant *variant, size_t limit,
                              enum err_code (*visit)(void *context, const struct pass *pass, struct err *err),
                              void *context, struct err *err)
{
    struct pass pass = {.audit = audit, .variant = variant};
    enum err_code code = pass_start(&pass, err);
    while (code == ERR_OK && pass.begin < limit) {
        code = pass_step(&pass, limit, err);
        if (code == ERR_OK)
            code = visit(context, &pass, err);
        pass.begin = pass.end;
    }
    live_state_destroy(pass.state);
    free(pass.values);
    return code;
}

static const float *pass_row(const struct pass *pass, size_t row)
{
    return pass->values + (row - pass->begin) * pass->audit->columns;
}

static uint64_t hash_row(const struct pass *pass, size_t row)
{
    return hash_u64(pass_row(pass, row), pass->audit->columns * sizeof(float), 0);
}

/* ---- the whole ---- */

/* Cut number `index` of `count`: the start of an event drawn from its share of the history. */
static struct cut place_cut(const struct audit *audit, size_t index, size_t count, struct random *random)
{
    size_t begin = audit->row_count * index / count, end = audit->row_count * (index + 1) / count;
    size_t row = begin + (end > begin ? random_below(random, end - begin) : 0);
    struct cut cut = {.at_us = audit->rows[row < audit->row_count ? row : audit->row_count - 1].start_us};
    while (cut.rows < audit->row_count && audit->rows[cut.rows].start_us <= cut.at_us)
        cut.rows++;
    cut.seed = random_u64(random);
    return cut;
}

static enum err_code keep_hashes(void *context, const struct pass *pass, struct err *err)
{
    struct audit *audit = context;
    (void)err;
    for (size_t row = pass->begin; row < pass->end; row++)
        audit->rows[row].hash = hash_row(pass, row);
    return ERR_OK;
}

/* The rows, the cuts between them, and the hashes of all rows up to the last cut. */
static enum err_code read_whole(struct audit *audit, uint64_t seed, struct err *err)
{
    struct audit_variant whole = {0};
    enum err_code code = audit->source->open(audit->source->context, AUDIT_WHOLE, INT64_MAX, 0, &whole, err);
    if (code != ERR_OK)
        return code;
    struct random random;
    random_init(&random, seed);
    audit->row_count = whole.row_count;
    audit->cut_count = whole.row_count > 0 ? audit->cut_count : 0;
    audit->rows = malloc((whole.row_count + 1) * sizeof(*audit->rows));
    audit->cuts = calloc(audit->cut_count + 1, sizeof(*audit->cuts));
    if (audit->rows == NULL || audit->cuts == NULL) {
        code = err_nomem(err, whole.row_count * sizeof(*audit->rows));
        goto out;
    }
    for (size_t row = 0; row < whole.row_count; row++)
        audit->rows[row] = (struct audited_row){whole.rows[row].id, whole.rows[row].start_us, 0};
    for (size_t i = 0; i < audit->cut_count; i++)
        audit->cuts[i] = place_cut(audit, i, audit->cut_count, &random);
    if (audit->cut_count > 0) /* they rise */
        code = pass_run(audit, &whole, audit->cuts[audit->cut_count - 1].rows, keep_hashes, audit, err);
out:
    audit->source->close(&whole);
    return code;
}

/* ---- a cut ---- */

struct comparison {
    const struct audit *audit;
    const char *mode; /* what was done to the future, for people */
    const struct cut *cut;
    size_t *compared;
    size_t bad_row; /* the first that differs, and its values */
    float *bad_values;
};

static enum err_code compare_slice(void *context, const struct pass *pass, struct err *err)
{
    struct comparison *comparison = context;
    const struct audit *audit = comparison->audit;
    for (size_t row = pass->begin; row < pass->end && row < comparison->cut->rows; row++) {
        if (pass->variant->rows[row].id != audit->rows[row].id)
            return err_set(err, ERR_LEAK, "event %lld is missing or out of order with the future %s",
                           (long long)audit->rows[row].id, comparison->mode);
        if (hash_row(pass, row) != audit->rows[row].hash) {
            comparison->bad_row = row;
            memcpy(comparison->bad_values, pass_row(pass, row), audit->columns * sizeof(float));
            return err_set(err, ERR_LEAK, "the features of event %lld depend on the future",
                           (long long)audit->rows[row].id);
        }
        ++*comparison->compared;
    }
    return ERR_OK;
}

/* With the row at hand that was built with all data: names the first feature that differs. */
static enum err_code name_feature(void *context, const struct pass *pass, struct err *err)
{
    const struct comparison *comparison = context;
    const struct audit *audit = comparison->audit;
    size_t row = comparison->bad_row, column = 0;
    if (row >= pass->end)
        return ERR_OK;
    const float *whole = pass_row(pass, row), *other = comparison->bad_values;
    while (column < audit->columns && memcmp(&whole[column], &other[column], sizeof(float)) == 0)
        column++;
    if (column == audit->columns)
        return err_set(err, ERR_LEAK, "the features of event %lld differ from one build to the next",
                       (long long)audit->rows[row].id);
    char start[TIME_TEXT_BYTES], cut[TIME_TEXT_BYTES];
    time_format_iso(audit->rows[row].start_us, start);
    time_format_iso(comparison->cut->at_us, cut);
    return err_set(
        err, ERR_LEAK,
        "feature '%s' of event %lld (%s) depends on the future: %.9g with all data, %.9g with the future %s "
        "after %s",
        feature_set_at(audit->set, column)->name, (long long)audit->rows[row].id, start,
        (double)whole[column], (double)other[column], comparison->mode, cut);
}

static enum err_code explain(const struct comparison *comparison, struct err *err)
{
    const struct audit_source *source = comparison->audit->source;
    struct audit_variant whole = {0};
    enum err_code code = source->open(source->context, AUDIT_WHOLE, INT64_MAX, 0, &whole, err);
    if (code != ERR_OK)
        return code;
    code =
        pass_run(comparison->audit, &whole, comparison->bad_row + 1, name_feature, (void *)comparison, err);
    source->close(&whole);
    return code;
}

static enum err_code try_mode(const struct audit *audit, enum audit_mode mode, const struct cut *cut,
                              size_t *compared, struct err *err)
{
    struct comparison comparison = {
        audit, mode == AUDIT_TRUNCATED ? "cut off" : "scrambled", cut, compared, SIZE_MAX, NULL};
    struct audit_variant variant = {0};
    comparison.bad_values = malloc(audit->columns * sizeof(float) + 1);
    if (comparison.bad_values == NULL)
        return err_nomem(err, audit->columns * sizeof(float));
    enum err_code code =
        audit->source->open(audit->source->context, mode, cut->at_us, cut->seed, &variant, err);
    if (code != ERR_OK)
        goto out;
    if (variant.row_count < cut->rows)
        code = err_set(err, ERR_LEAK, "%zu of %zu events are missing with the future %s",
                       cut->rows - variant.row_count, cut->rows, comparison.mode);
    else
        code = pass_run(audit, &variant, cut->rows, compare_slice, &comparison, err);
    audit->source->close(&variant);
    if (comparison.bad_row != SIZE_MAX)
        code = explain(&comparison, err);
out:
    free(comparison.bad_values);
    return code;
}

enum err_code audit_run(const struct feature_set *set, const struct audit_source *source, size_t cuts,
                        uint64_t seed, struct pool *pool, const struct build_watch *watch,
                        struct audit_report *out, struct err *err)
{
    assert(cuts >= 1);
    struct audit audit = {
        .set = set, .source = source, .pool = pool, .columns = feature_set_columns(set), .cut_count = cuts};
    if (watch != NULL) /* its progress would count every slice as a build of its own */
        audit.watch = (struct build_watch){NULL, watch->stop, watch->context};
    *out = (struct audit_report){.features = audit.columns};
    enum err_code code = read_whole(&audit, seed, err);
    for (size_t i = 0; code == ERR_OK && i < audit.cut_count; i++) {
        code = try_mode(&audit, AUDIT_TRUNCATED, &audit.cuts[i], &out->rows_compared, err);
        if (code == ERR_OK)
            code = try_mode(&audit, AUDIT_SCRAMBLED, &audit.cuts[i], &out->rows_compared, err);
        if (code == ERR_OK)
            out->cuts++;
    }
    free(audit.rows);
    free(audit.cuts);
    return code;
}
