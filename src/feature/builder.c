/* Builder: the one pass.
 *
 * For each stream, events come in order of their start, and outcomes in order of the time they became known. Before an
 * event is emitted, every outcome known by its start is applied, and no other: that single rule gives "all events of a
 * kick-off before any of them is learned", the same for days without times, and postponed knowledge of any kind.
 * A stream runs on one thread; streams are handed to the pool largest first, as the largest decides the wall time.
 *
 * A span cuts the same sequence: outcomes are applied by (known, event) and every emission stands behind the outcomes
 * known by its start, so the sequence up to T ends with the last outcome known at T, whatever comes later. */
#include "feature/builder.h"

#include "feature/live_state.h"
#include "os/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STOP_CHECK_EVENTS = 1024, LINE_BYTES = 64, AHEAD_EVENTS = 8 };
#define PROGRESS_PERIOD_US INT64_C(50000)

struct build {
    const struct stream *streams;
    const uint32_t *by_size; /* stream indices, largest first */
    const size_t *offsets;   /* [trackers] in a row */
    struct live_state *state;
    struct build_span span;
    struct build_target target;
    size_t total; /* events to emit */
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

/* First event that starts at or after the time. */
static size_t first_from(const struct stream *stream, int64_t time_us)
{
    size_t low = 0, high = stream->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stream->start_us[middle] < time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void check_order(const struct stream *stream, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        assert(i == 0 || stream->start_us[i - 1] <= stream->start_us[i]);
        assert(stream->known_us[i] > stream->start_us[i]);
    }
}

/* Outcomes that become known within the span, in the order of knowledge. No event from `end` on can be one of them, as it
 * starts at the end of the span or later. NULL when out of memory. */
static struct known_order *order_outcomes(const struct stream *stream, size_t end, struct build_span span,
                                          size_t *count)
{
    size_t wanted = 0, n = 0;
    for (size_t i = 0; i < end; i++)
        wanted += stream->known_us[i] > span.from_us && stream->known_us[i] <= span.until_us;
    struct known_order *order = malloc((wanted + 1) * sizeof(*order));
    if (order == NULL)
        return NULL;
    bool is_sorted = true;
    for (size_t i = 0; i < end && wanted > 0; i++) {
        int64_t known_us = stream->known_us[i];
        /* INT64_MAX is an event without an outcome, whatever the span */
        if (known_us <= span.from_us || known_us > span.until_us || known_us == INT64_MAX)
            continue;
        order[n] = (struct known_order){known_us, (uint32_t)i};
        is_sorted = is_sorted && (n == 0 || order[n - 1].known_us <= known_us);
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

static void apply_event(const struct build *build, size_t index, size_t event)
{
    const struct stream *stream = &build->streams[index];
    live_state_apply(build->state, index, (const char *)stream->fixtures + event * stream->fixture_bytes,
                     (const char *)stream->outcomes + event * stream->outcome_bytes);
}

static float *row_of(const struct build *build, const struct stream *stream, size_t event)
{
    assert(stream->row[event] >= build->target.first_row);
    return build->target.values + (stream->row[event] - build->target.first_row) * build->target.stride;
}

/* The rows of a stream lie scattered among those of the others, where no processor expects the next. */
static void prefetch_row(const struct build *build, const struct stream *stream, size_t event)
{
    const char *row = (const char *)row_of(build, stream, event);
    for (size_t offset = 0; offset < build->target.stride * sizeof(float); offset += LINE_BYTES)
        __builtin_prefetch(row + offset, 1);
}

static void emit_event(const struct build *build, size_t index, size_t event)
{
    const struct stream *stream = &build->streams[index];
    const struct live_state *state = build->state;
    const void *fixture = (const char *)stream->fixtures + event * stream->fixture_bytes;
    float *row = row_of(build, stream, event);
    for (size_t t = 0; t < state->tracker_count; t++)
        state->set->trackers[t]->emit(live_state_at(state, index, t), fixture, row + build->offsets[t]);
}

static void run_stream(struct build *build, size_t index, size_t begin, size_t end,
                       const struct known_order *order, size_t order_count)
{
    const struct stream *stream = &build->streams[index];
    size_t next = 0, reported = begin;
    for (size_t i = begin; i < end; i++) {
        for (; next < order_count && order[next].known_us <= stream->start_us[i]; next++)
            apply_event(build, index, order[next].event);
        if (build->target.values != NULL) {
            if (i + AHEAD_EVENTS < end)
                prefetch_row(build, stream, i + AHEAD_EVENTS);
            emit_event(build, index, i);
        }
        if (i - reported == STOP_CHECK_EVENTS) {
            report(build, i - reported);
            reported = i;
            if (atomic_load(&build->stopped))
                return;
        }
    }
    for (; next < order_count; next++)
        apply_event(build, index, order[next].event);
    report(build, end - reported);
}

static void stream_body(void *context, size_t position)
{
    struct build *build = context;
    size_t index = build->by_size[position], order_count = 0;
    const struct stream *stream = &build->streams[index];
    if (stream->count == 0 || atomic_load(&build->stopped) || atomic_load(&build->failed))
        return;
    size_t begin = first_from(stream, build->span.from_us), end = first_from(stream, build->span.until_us);
    check_order(stream, end);
    struct known_order *order = order_outcomes(stream, end, build->span, &order_count);
    if (order == NULL) {
        atomic_store(&build->failed, true);
        return;
    }
    run_stream(build, index, begin, end, order, order_count);
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

static size_t *contiguous_offsets(const struct live_state *state)
{
    size_t *offsets = malloc((state->tracker_count + 1) * sizeof(*offsets)), column = 0;
    for (size_t t = 0; offsets != NULL && t < state->tracker_count; t++) {
        offsets[t] = column;
        column += state->set->trackers[t]->feature_count;
    }
    return offsets;
}

static enum err_code run_all(struct build *build, struct pool *pool, struct err *err)
{
    size_t stream_count = build->state->stream_count, events = 0;
    for (size_t i = 0; i < stream_count; i++) {
        const struct stream *stream = &build->streams[i];
        build->total += first_from(stream, build->span.until_us) - first_from(stream, build->span.from_us);
        events += stream->count;
    }
    /* a match-day is done before the threads of a pool are awake */
    if (pool != NULL && events >= STOP_CHECK_EVENTS) {
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

enum err_code builder_advance(struct live_state *state, const struct stream *streams, struct build_span span,
                              struct build_target target, struct pool *pool, const struct build_watch *watch,
                              struct err *err)
{
    assert(span.from_us <= span.until_us);
    size_t *offsets = contiguous_offsets(state);
    uint32_t *by_size = order_by_size(streams, state->stream_count);
    enum err_code code = ERR_OK;
    if (offsets == NULL || by_size == NULL) {
        code = err_nomem(err, state->stream_count * sizeof(*by_size));
        goto out;
    }
    struct build build = {.streams = streams,
                          .by_size = by_size,
                          .offsets = target.offsets != NULL ? target.offsets : offsets,
                          .state = state,
                          .span = span,
                          .target = target,
                          .watch = watch};
    code = run_all(&build, pool, err);
out:
    free(offsets);
    free(by_size);
    return code;
}

enum err_code builder_run(const struct feature_set *set, const struct stream *streams, size_t stream_count,
                          float *out, struct pool *pool, const struct build_watch *watch,
                          struct live_state **out_state, struct err *err)
{
    struct live_state *state = NULL;
    struct build_target target = {.values = out, .stride = feature_set_columns(set)};
    struct stream_size *sizes = sizes_of(streams, stream_count);
    if (sizes == NULL)
        return err_nomem(err, stream_count * sizeof(*sizes));
    enum err_code code = live_state_create(set, sizes, stream_count, &state, err);
    if (code == ERR_OK)
        code = builder_advance(state, streams, BUILD_WHOLE, target, pool, watch, err);
    if (code == ERR_OK && out_state != NULL) {
        *out_state = state;
        state = NULL;
    }
    live_state_destroy(state);
    free(sizes);
    return code;
}
