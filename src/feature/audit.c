/* Leak audit: rebuild, compare bytes.
 *
 * For each cut the domain makes its streams twice from the source rows, truncated and scrambled, and they go through the
 * builder up to the cut, a slice of rows at a time; each row must be that of the build from all data. Such a rebuild is a
 * trial, runs on one thread and knows of no other: threads never wait for each other, as they would if they shared the
 * streams of a rebuild slice by slice. Bytes are compared, not values: NaN payloads and signed zeros count as differences,
 * on purpose. A row that differs is built once more with all data, to say which feature it is. */
#include "feature/audit.h"

#include "base/random.h"
#include "base/time.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_ROWS = 8192 }; /* more when more events share one start */

struct cut {
    int64_t at_us;
    size_t rows; /* those that start at or before */
    uint64_t seed;
};
struct trial {
    size_t compared; /* rows */
    enum err_code code;
    struct err err;
};
struct audit {
    const struct feature_set *set;
    const struct audit_source *source;
    struct build_watch watch;
    size_t columns;
    struct audit_built built;
    struct cut *cuts; /* they rise */
    size_t cut_count;
    struct trial *trials;       /* [2 * cut_count]: truncated, scrambled, of one cut after the other */
    atomic_size_t first_failed; /* those behind it are of no interest any more */
};

/* One way through a variant, up to its row `end`; `visit` sees the rows of the present slice, values[end - begin][columns]. */
struct pass {
    const struct audit *audit;
    const struct audit_variant *variant;
    struct pool *pool; /* NULL in a trial */
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
                           target, pass->pool, &pass->audit->watch, err);
}

/* At least the first `limit` rows of the variant. */
static enum err_code pass_run(const struct audit *audit, const struct audit_variant *variant,
                              struct pool *pool, size_t limit,
                              enum err_code (*visit)(void *context, const struct pass *pass, struct err *err),
                              void *context, struct err *err)
{
    struct pass pass = {.audit = audit, .variant = variant, .pool = pool};
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

/* ---- the cuts ---- */

/* Cut number `index` of `count`: the start of an event drawn from its share of the history. */
static struct cut place_cut(const struct audit_built *built, size_t index, size_t count,
                            struct random *random)
{
    size_t begin = built->row_count * index / count, end = built->row_count * (index + 1) / count;
    size_t row = begin + (end > begin ? random_below(random, end - begin) : 0);
    struct cut cut = {.at_us = built->rows[row < built->row_count ? row : built->row_count - 1].start_us};
    while (cut.rows < built->row_count && built->rows[cut.rows].start_us <= cut.at_us)
        cut.rows++;
    cut.seed = random_u64(random);
    return cut;
}

static enum err_code place_cuts(struct audit *audit, uint64_t seed, struct err *err)
{
    struct random random;
    random_init(&random, seed);
    audit->cut_count = audit->built.row_count > 0 ? audit->cut_count : 0;
    audit->cuts = calloc(audit->cut_count + 1, sizeof(*audit->cuts));
    audit->trials = calloc(2 * audit->cut_count + 1, sizeof(*audit->trials));
    if (audit->cuts == NULL || audit->trials == NULL)
        return err_nomem(err, audit->cut_count * sizeof(*audit->trials));
    for (size_t i = 0; i < audit->cut_count; i++)
        audit->cuts[i] = place_cut(&audit->built, i, audit->cut_count, &random);
    return ERR_OK;
}

/* ---- the build from all data, where there is none ---- */

struct own_build {
    struct matrix_row *rows;
    float *values;
};

static enum err_code keep_slice(void *context, const struct pass *pass, struct err *err)
{
    const struct own_build *own = context;
    size_t columns = pass->audit->columns;
    (void)err;
    memcpy(own->values + pass->begin * columns, pass->values,
           (pass->end - pass->begin) * columns * sizeof(float));
    return ERR_OK;
}

static enum err_code build_whole(struct audit *audit, struct own_build *own, struct pool *pool,
                                 struct err *err)
{
    struct audit_variant whole = {0};
    enum err_code code = audit->source->open(audit->source->context, AUDIT_WHOLE, INT64_MAX, 0, &whole, err);
    if (code != ERR_OK)
        return code;
    size_t size_bytes = whole.row_count * audit->columns * sizeof(float);
    own->rows = malloc((whole.row_count + 1) * sizeof(*own->rows));
    own->values = malloc(size_bytes + 1);
    if (own->rows == NULL || own->values == NULL) {
        code = err_nomem(err, size_bytes);
        goto out;
    }
    if (whole.row_count > 0)
        memcpy(own->rows, whole.rows, whole.row_count * sizeof(*own->rows));
    audit->built =
        (struct audit_built){.rows = own->rows, .values = own->values, .row_count = whole.row_count};
    code = pass_run(audit, &whole, pool, whole.row_count, keep_slice, own, err);
out:
    audit->source->close(&whole);
    return code;
}

/* ---- a trial ---- */

struct comparison {
    const struct audit *audit;
    const char *mode; /* what was done to the future, for people */
    const struct cut *cut;
    size_t *compared;
    size_t bad_row; /* the first that differs, and its values */
    float *bad_values;
};

static enum err_code compare_row(struct comparison *comparison, const struct pass *pass, size_t row,
                                 struct err *err)
{
    const struct audit *audit = comparison->audit;
    const struct audit_built *built = &audit->built;
    size_t size_bytes = audit->columns * sizeof(float);
    if (pass->variant->rows[row].id != built->rows[row].id)
        return err_set(err, ERR_LEAK, "event %lld is missing or out of order with the future %s",
                       (long long)built->rows[row].id, comparison->mode);
    if (memcmp(pass_row(pass, row), built->values + row * audit->columns, size_bytes) != 0) {
        comparison->bad_row = row;
        memcpy(comparison->bad_values, pass_row(pass, row), size_bytes);
        return err_set(err, ERR_LEAK, "the features of event %lld depend on the future",
                       (long long)built->rows[row].id);
    }
    ++*comparison->compared;
    return ERR_OK;
}

static enum err_code compare_slice(void *context, const struct pass *pass, struct err *err)
{
    struct comparison *comparison = context;
    const struct audit_built *built = &comparison->audit->built;
    size_t end = pass->end < comparison->cut->rows ? pass->end : comparison->cut->rows;
    enum err_code code = ERR_OK;
    for (size_t row = pass->begin; code == ERR_OK && row < end; row++)
        code = compare_row(comparison, pass, row, err);
    if (built->forget != NULL)
        built->forget(built->context, pass->begin, end);
    return code;
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
        return err_set(err, ERR_CONFLICT, "the features of event %lld differ from one build to the next",
                       (long long)audit->built.rows[row].id);
    char start[TIME_TEXT_BYTES], cut[TIME_TEXT_BYTES];
    time_format_iso(audit->built.rows[row].start_us, start);
    time_format_iso(comparison->cut->at_us, cut);
    return err_set(
        err, ERR_LEAK,
        "feature '%s' of event %lld (%s) depends on the future: %.9g with all data, %.9g with the future %s "
        "after %s",
        feature_set_at(audit->set, column)->name, (long long)audit->built.rows[row].id, start,
        (double)whole[column], (double)other[column], comparison->mode, cut);
}

static enum err_code explain(const struct comparison *comparison, struct err *err)
{
    const struct audit_source *source = comparison->audit->source;
    struct audit_variant whole = {0};
    enum err_code code = source->open(source->context, AUDIT_WHOLE, INT64_MAX, 0, &whole, err);
    if (code != ERR_OK)
        return code;
    code = pass_run(comparison->audit, &whole, NULL, comparison->bad_row + 1, name_feature,
                    (void *)comparison, err);
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
        code = pass_run(audit, &variant, NULL, cut->rows, compare_slice, &comparison, err);
    audit->source->close(&variant);
    if (comparison.bad_row != SIZE_MAX)
        code = explain(&comparison, err);
out:
    free(comparison.bad_values);
    return code;
}

static void run_trial(void *context, size_t index)
{
    struct audit *audit = context;
    struct trial *trial = &audit->trials[index];
    size_t failed = atomic_load(&audit->first_failed);
    if (index > failed)
        return;
    trial->code = try_mode(audit, index % 2 == 0 ? AUDIT_TRUNCATED : AUDIT_SCRAMBLED, &audit->cuts[index / 2],
                           &trial->compared, &trial->err);
    while (trial->code != ERR_OK && index < failed &&
           !atomic_compare_exchange_weak(&audit->first_failed, &failed, index))
        ;
}

/* The error is that of the first trial that fails, however many threads there are. */
static enum err_code run_trials(struct audit *audit, struct pool *pool, struct audit_report *out,
                                struct err *err)
{
    size_t count = 2 * audit->cut_count;
    atomic_init(&audit->first_failed, count);
    if (pool != NULL) {
        pool_for(pool, count, run_trial, audit);
    } else {
        for (size_t i = 0; i < count; i++)
            run_trial(audit, i);
    }
    size_t failed = atomic_load(&audit->first_failed);
    for (size_t i = 0; i < failed; i++)
        out->rows_compared += audit->trials[i].compared;
    out->cuts = failed / 2;
    if (failed == count)
        return ERR_OK;
    if (err != NULL)
        *err = audit->trials[failed].err;
    return audit->trials[failed].code;
}

enum err_code audit_run(const struct feature_set *set, const struct audit_source *source,
                        const struct audit_built *built, size_t cuts, uint64_t seed, struct pool *pool,
                        const struct build_watch *watch, struct audit_report *out, struct err *err)
{
    assert(cuts >= 1);
    struct own_build own = {0};
    struct audit audit = {
        .set = set, .source = source, .columns = feature_set_columns(set), .cut_count = cuts};
    if (watch != NULL) /* its progress would count every slice as a build of its own */
        audit.watch = (struct build_watch){NULL, watch->stop, watch->context};
    *out = (struct audit_report){.features = audit.columns};
    enum err_code code = ERR_OK;
    if (built != NULL)
        audit.built = *built;
    else
        code = build_whole(&audit, &own, pool, err);
    if (code == ERR_OK)
        code = place_cuts(&audit, seed, err);
    if (code == ERR_OK)
        code = run_trials(&audit, pool, out, err);
    free(audit.cuts);
    free(audit.trials);
    free(own.rows);
    free(own.values);
    return code;
}
