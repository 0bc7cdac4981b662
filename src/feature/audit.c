/* Leak audit: rebuild, compare bytes.
 *
 * The whole history is built once into memory. For each cut the domain rebuilds its streams twice, truncated and
 * scrambled, the same builder runs over them, and every event that starts at or before the cut is looked up by id and
 * compared with memcmp: NaN payloads and signed zeros count as differences, on purpose. */
#include "feature/audit.h"

#include "base/random.h"
#include "base/time.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct audit {
    const struct feature_set *set;
    const struct audit_source *source;
    struct pool *pool;
    const struct build_watch *watch;
    size_t columns;
    struct audit_variant whole;
    float *values; /* [whole.row_count][columns] */
};

static enum err_code build(struct audit *audit, const struct audit_variant *variant, float **out,
                           struct err *err)
{
    size_t size_bytes = variant->row_count * audit->columns * sizeof(float);
    float *values = malloc(size_bytes + 1);
    if (values == NULL)
        return err_nomem(err, size_bytes);
    enum err_code code = builder_run(audit->set, variant->streams, variant->stream_count, values, audit->pool,
                                     audit->watch, NULL, err);
    if (code != ERR_OK) {
        free(values);
        return code;
    }
    *out = values;
    return ERR_OK;
}

static enum err_code leak(const struct audit *audit, const char *mode, int64_t cut_us,
                          const struct matrix_row *row, const float *whole, const float *variant,
                          struct err *err)
{
    size_t column = 0;
    while (memcmp(&whole[column], &variant[column], sizeof(float)) == 0)
        column++;
    char start[TIME_TEXT_BYTES], cut[TIME_TEXT_BYTES];
    time_format_iso(row->start_us, start);
    time_format_iso(cut_us, cut);
    return err_set(
        err, ERR_LEAK,
        "feature '%s' of event %lld (%s) depends on the future: %.9g with all data, %.9g with the future %s "
        "after %s",
        feature_set_at(audit->set, column)->name, (long long)row->id, start, (double)whole[column],
        (double)variant[column], mode, cut);
}

/* Both row lists are in the same order, the variant's a subsequence of the whole's up to the cut. */
static enum err_code compare(const struct audit *audit, const struct audit_variant *variant,
                             const float *values, const char *mode, int64_t cut_us, size_t *compared,
                             struct err *err)
{
    size_t j = 0;
    for (size_t i = 0; i < audit->whole.row_count && audit->whole.rows[i].start_us <= cut_us; i++, j++) {
        const struct matrix_row *row = &audit->whole.rows[i];
        if (j >= variant->row_count || variant->rows[j].id != row->id)
            return err_set(err, ERR_LEAK, "event %lld is missing or out of order with the future %s",
                           (long long)row->id, mode);
        const float *a = audit->values + i * audit->columns, *b = values + j * audit->columns;
        if (memcmp(a, b, audit->columns * sizeof(float)) != 0)
            return leak(audit, mode, cut_us, row, a, b, err);
        ++*compared;
    }
    return ERR_OK;
}

static enum err_code try_cut(struct audit *audit, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                             size_t *compared, struct err *err)
{
    struct audit_variant variant = {0};
    float *values = NULL;
    enum err_code code = audit->source->open(audit->source->context, mode, cut_us, seed, &variant, err);
    if (code != ERR_OK)
        return code;
    code = build(audit, &variant, &values, err);
    if (code == ERR_OK)
        code = compare(audit, &variant, values, mode == AUDIT_TRUNCATED ? "cut off" : "scrambled", cut_us,
                       compared, err);
    free(values);
    audit->source->close(&variant);
    return code;
}

/* Cut number `index` of `count`: the start of an event drawn from its share of the history. */
static int64_t place_cut(const struct audit_variant *whole, size_t index, size_t count, struct random *random)
{
    size_t begin = whole->row_count * index / count, end = whole->row_count * (index + 1) / count;
    size_t row = begin + (end > begin ? random_below(random, end - begin) : 0);
    return whole->rows[row < whole->row_count ? row : whole->row_count - 1].start_us;
}

enum err_code audit_run(const struct feature_set *set, const struct audit_source *source, size_t cuts,
                        uint64_t seed, struct pool *pool, const struct build_watch *watch,
                        struct audit_report *out, struct err *err)
{
    assert(cuts >= 1);
    struct audit audit = {set, source, pool, watch, feature_set_columns(set), {0}, NULL};
    *out = (struct audit_report){.features = audit.columns};
    enum err_code code = source->open(source->context, AUDIT_WHOLE, INT64_MAX, 0, &audit.whole, err);
    if (code != ERR_OK)
        return code;
    code = build(&audit, &audit.whole, &audit.values, err);
    struct random random;
    random_init(&random, seed);
    for (size_t i = 0; code == ERR_OK && i < cuts && audit.whole.row_count > 0; i++) {
        int64_t cut_us = place_cut(&audit.whole, i, cuts, &random);
        uint64_t scramble_seed = random_u64(&random);
        code = try_cut(&audit, AUDIT_TRUNCATED, cut_us, scramble_seed, &out->rows_compared, err);
        if (code == ERR_OK)
            code = try_cut(&audit, AUDIT_SCRAMBLED, cut_us, scramble_seed, &out->rows_compared, err);
        if (code == ERR_OK)
            out->cuts++;
    }
    free(audit.values);
    source->close(&audit.whole);
    return code;
}
