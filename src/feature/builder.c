/* Builder: the one pass.
 *
 * For each stream, events come in order of their start, and outcomes in order of the time they became known. Before an
 * event is emitted, every outcome known by its start is applied, and no other: that single rule gives "all events of a
 * kick-off before any of them is learned", the same for days without times, and postponed knowledge of any kind.
 * A stream runs on one thread; streams are handed to the pool largest first, as the largest decides the wall time. */
#include "feature/builder.h"

#include "feature/live_state.h"
#include "os/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STOP_CHECK_EVENTS = 1024 };
#define PROGRESS_PERIOD_US INT64_C(50000)

struct build {
    const struct feature_set *set;
    const struct stream *streams;
    const uint32_t *by_size; /* stream indices, largest first */
    struct live_state *state;
    float *out;
    size_t columns, total;
    const struct build_watch *watch;
    atomic_size_t done;
    atomic_llong last_report_us;
    atomic_bool stopped, failed;
};

struct known_order {
    int64_t known_us;
    uint32_t event;
};

static int compare_known(const void *a, const void *b)
{
    const struct known_order *x = a, *y = b;
    if (x->known_us != y->known_us)
        return x->known_us < y->known_us ? -1 : 1;
    return x->event < y->event ? -1 : x->event > y->event;
}

static void check_order(const struct stream *stream)
{
    for (size_t i = 0; i < stream->count; i++) {
        assert(i == 0 || stream->start_us[i - 1] <= stream->start_us[i]);
        assert(stream->known_us[i] > stream->start_us[i]);
    }
}

/* Outcomes in the order of knowledge; events without an outcome are left out. NULL when out of memory. */
static struct known_order *order_outcomes(const struct stream *stream, size_t *count)
{
    struct known_order *order = malloc((stream->count + 1) * sizeof(*order));
    if (order == NULL)
        return NULL;
    size_t n = 0;
    bool is_sorted = true;
    for (size_t i = 0; i < stream->count; i++) {
        if (stream->known_us[i] == INT64_MAX)
            continue;
        order[n] = (struct known_order){stream->known_us[i], (uint32_t)i};
        is_sorted = is_sorted && (n == 0 || order[n - 1].known_us <= order[n].known_us);
        n++;
    }
    if (!is_sorted)
        qsort(order, n, sizeof(*order), compare_known);
    *count = n;
    return order;
}

static void report(struct build *build, size_t events)
{
    size_t done = atomic_fetch_add(&build->done, events) + events;
    if (build->watch == NULL)
        return;
    if (build->watch->stop != NULL && build->watch->stop(build->watch->context))
        atomic_store(&build->stopped, true);
    int64_t now_us = clock_monotonic_us();
    long long last_us = atomic_load(&build->last_report_us);
    if (build->watch->progress != NULL && now_us - last_us >= PROGRESS_PERIOD_US &&
        atomic_compare_exchange_strong(&build->last_report_us, &last_us, now_us))
        build->watch->progress(build->watch->context, done, build->total);
}

static void run_stream(struct build *build, size_t index, const struct known_order *order, size_t order_count)
{
    const struct stream *stream = &build->streams[index];
    const char *fixtures = stream->fixtures, *outcomes = stream->outcomes;
    size_t next = 0, reported = 0;
    for (size_t i = 0; i < stream->count; i++) {
        for (; next < order_count && order[next].known_us <= stream->start_us[i]; next++) {
            size_t event = order[next].event;
            live_state_apply(build->state, index, fixtures + event * stream->fixture_bytes,
                             outcomes + event * stream->outcome_bytes);
        }
        if (build->out != NULL)
            live_state_emit(build->state, index, fixtures + i * stream->fixture_bytes,
                            build->out + (size_t)stream->row[i] * build->columns);
        if (i - reported == STOP_CHECK_EVENTS) {
            report(build, i - reported);
            reported = i;
            if (atomic_load(&build->stopped))
                return;
        }
    }
    for (; next < order_count; next++) {
        size_t event = order[next].event;
        live_state_apply(build->state, index, fixtures + event * stream->fixture_bytes,
                         outcomes + event * stream->outcome_bytes);
    }
    report(build, stream->count - reported);
}

static void stream_body(void *context, size_t position)
{
    struct build *build = context;
    size_t index = build->by_size[position], order_count = 0;
    if (atomic_load(&build->stopped) || atomic_load(&build->failed))
        return;
    check_order(&build->streams[index]);
    struct known_order *order = order_outcomes(&build->streams[index], &order_count);
    if (order == NULL) {
        atomic_store(&build->failed, true);
        return;
    }
    run_stream(build, index, order, order_count);
    free(order);
}

/* Stream indices by falling event count: insertion sort, streams are few (countries). */
static uint32_t *order_by_size(const struct stream *streams, size_t count)
{
    uint32_t *order = malloc((count + 1) * sizeof(*order));
    for (size_t i = 0; order != NULL && i < count; i++) {
        size_t j = i;
        for (; j > 0 && streams[order[j - 1]].count < streams[i].count; j--)
            order[j] = order[j - 1];
        order[j] = (uint32_t)i;
    }
    return order;
}

static struct stream_size *sizes_of(const struct stream *streams, size_t count)
{
    struct stream_size *sizes = malloc((count + 1) * sizeof(*sizes));
    for (size_t i = 0; sizes != NULL && i < count; i++)
        sizes[i] = streams[i].size;
    return sizes;
}

static enum err_code run_all(struct build *build, size_t stream_count, struct pool *pool, struct err *err)
{
    for (size_t i = 0; i < stream_count; i++)
        build->total += build->streams[i].count;
    if (pool != NULL) {
        pool_for(pool, stream_count, stream_body, build);
    } else {
        for (size_t i = 0; i < stream_count; i++)
            stream_body(build, i);
    }
    if (atomic_load(&build->failed))
        return err_set(err, ERR_NOMEM, "out of memory while ordering the outcomes of a stream");
    if (atomic_load(&build->stopped))
        return err_set(err, ERR_CANCELLED, "feature build stopped on request after %zu of %zu events",
                       atomic_load(&build->done), build->total);
    if (build->watch != NULL && build->watch->progress != NULL)
        build->watch->progress(build->watch->context, build->total, build->total);
    return ERR_OK;
}

enum err_code builder_run(const struct feature_set *set, const struct stream *streams, size_t stream_count,
                          float *out, struct pool *pool, const struct build_watch *watch,
                          struct live_state **out_state, struct err *err)
{
    struct build build = {.set = set, .streams = streams, .out = out, .watch = watch};
    build.columns = feature_set_columns(set);
    struct stream_size *sizes = sizes_of(streams, stream_count);
    uint32_t *by_size = order_by_size(streams, stream_count);
    enum err_code code = ERR_OK;
    if (sizes == NULL || by_size == NULL) {
        code = err_nomem(err, stream_count * sizeof(*sizes));
        goto out;
    }
    build.by_size = by_size;
    code = live_state_create(set, sizes, stream_count, &build.state, err);
    if (code != ERR_OK)
        goto out;
    code = run_all(&build, stream_count, pool, err);
    if (code == ERR_OK && out_state != NULL) {
        *out_state = build.state;
        build.state = NULL;
    }
out:
    live_state_destroy(build.state);
    free(sizes);
    free(by_size);
    return code;
}
