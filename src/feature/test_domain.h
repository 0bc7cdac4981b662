/* A small domain for the tests of the machine: events between two of a handful of players, with a score. */
#ifndef ALMANAC_FEATURE_TEST_DOMAIN_H
#define ALMANAC_FEATURE_TEST_DOMAIN_H

#include "base/random.h"
#include "feature/matrix.h"
#include "feature/set.h"
#include "feature/tracker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEST_PLAYERS = 5, TEST_STREAMS = 3 };

struct test_fixture {
    int32_t a, b;
    int64_t id;
    float leaked; /* used by planted leaks only */
};
struct test_outcome {
    int32_t score_a, score_b;
};

/* Mean score of each side so far, and how many events both have seen. */
struct test_player {
    double sum;
    int64_t count;
};

static const struct feature test_features[] = {
    {"mean_a", "points", 0, 100, FEATURE_BEFORE_START, "mean score of the first player so far"},
    {"mean_b", "points", 0, 100, FEATURE_BEFORE_START, "mean score of the second player so far"},
    {"mean_seen", "events", 0, 1e6, FEATURE_BEFORE_START, "events of both so far"},
};

static size_t test_state_bytes(const struct stream_size *size)
{
    return size->entities * sizeof(struct test_player);
}

static void test_init(void *state, const struct stream_size *size)
{
    (void)state;
    (void)size;
}

static void test_emit(const void *state, const void *event, float *out)
{
    const struct test_player *players = state;
    const struct test_fixture *fixture = event;
    const struct test_player *a = &players[fixture->a], *b = &players[fixture->b];
    out[0] = a->count > 0 ? (float)(a->sum / (double)a->count) : NAN;
    out[1] = b->count > 0 ? (float)(b->sum / (double)b->count) : NAN;
    out[2] = (float)(a->count + b->count);
}

static void test_apply(void *state, const void *event, const void *result)
{
    struct test_player *players = state;
    const struct test_fixture *fixture = event;
    const struct test_outcome *outcome = result;
    players[fixture->a].sum += outcome->score_a;
    players[fixture->a].count++;
    players[fixture->b].sum += outcome->score_b;
    players[fixture->b].count++;
}

static const struct tracker test_tracker = {.family = "mean",
                                            .doc = "running means",
                                            .version = 1,
                                            .features = test_features,
                                            .feature_count = 3,
                                            .state_bytes = test_state_bytes,
                                            .init = test_init,
                                            .emit = test_emit,
                                            .apply = test_apply,
                                            .source = "results"};
static const struct tracker *const test_trackers[] = {&test_tracker, NULL};
static const struct feature_set test_set = {"test", "for tests", test_trackers};

/* A second family: the score of each side in its latest event. It forgets what came before, so the order in which outcomes
 * are applied shows. */
struct test_last {
    int64_t seen;
    int32_t score, opponent;
};

static const struct feature test_last_features[] = {
    {"last_a", "points", 0, 100, FEATURE_BEFORE_START, "latest score of the first player"},
    {"last_b", "points", 0, 100, FEATURE_BEFORE_START, "latest score of the second player"},
};

static size_t test_last_bytes(const struct stream_size *size)
{
    return size->entities * sizeof(struct test_last);
}

static void test_last_emit(const void *state, const void *event, float *out)
{
    const struct test_last *players = state;
    const struct test_fixture *fixture = event;
    const struct test_last *a = &players[fixture->a], *b = &players[fixture->b];
    out[0] = a->seen > 0 ? (float)a->score + (float)a->opponent / 10.0F : NAN;
    out[1] = b->seen > 0 ? (float)b->score + (float)b->opponent / 10.0F : NAN;
}

static void test_last_apply(void *state, const void *event, const void *result)
{
    struct test_last *players = state;
    const struct test_fixture *fixture = event;
    const struct test_outcome *outcome = result;
    players[fixture->a] = (struct test_last){players[fixture->a].seen + 1, outcome->score_a, fixture->b};
    players[fixture->b] = (struct test_last){players[fixture->b].seen + 1, outcome->score_b, fixture->a};
}

static const struct tracker test_last_tracker = {.family = "last",
                                                 .doc = "latest scores",
                                                 .version = 1,
                                                 .features = test_last_features,
                                                 .feature_count = 2,
                                                 .state_bytes = test_last_bytes,
                                                 .init = test_init,
                                                 .emit = test_last_emit,
                                                 .apply = test_last_apply,
                                                 .source = "results"};
static const struct tracker *const test_pair_trackers[] = {&test_tracker, &test_last_tracker, NULL};
static const struct feature_set test_pair_set = {"pair", "two families", test_pair_trackers};
enum { TEST_PAIR_COLUMNS = 5 };

/* Streams of `count` events each; times rise by 0..2 steps of 10, outcomes are known 15 later. */
struct test_data {
    size_t per_stream, rows;
    struct stream streams[TEST_STREAMS];
    int64_t *start_us[TEST_STREAMS], *known_us[TEST_STREAMS];
    struct test_fixture *fixtures[TEST_STREAMS];
    struct test_outcome *outcomes[TEST_STREAMS];
    uint32_t *row[TEST_STREAMS];
    struct matrix_row *info;
};

static inline void test_data_fill(struct test_data *data, size_t s, uint64_t seed)
{
    struct random random;
    int64_t now = 1000;
    random_init(&random, seed + s);
    for (size_t i = 0; i < data->per_stream; i++) {
        now += 10 * (int64_t)random_below(&random, 3);
        data->start_us[s][i] = now;
        data->known_us[s][i] = now + 15;
        data->fixtures[s][i].a = (int32_t)random_below(&random, TEST_PLAYERS);
        data->fixtures[s][i].b =
            (data->fixtures[s][i].a + 1 + (int32_t)random_below(&random, TEST_PLAYERS - 1)) % TEST_PLAYERS;
        data->fixtures[s][i].id = (int64_t)(s * data->per_stream + i) + 1;
        data->outcomes[s][i] =
            (struct test_outcome){(int32_t)random_below(&random, 9), (int32_t)random_below(&random, 9)};
    }
}

/* Matrix rows in order of (start, stream, event). */
static inline void test_data_rows(struct test_data *data)
{
    size_t next[TEST_STREAMS] = {0};
    for (size_t row = 0; row < data->rows; row++) {
        size_t best = TEST_STREAMS;
        for (size_t s = 0; s < TEST_STREAMS; s++) {
            if (next[s] < data->streams[s].count &&
                (best == TEST_STREAMS || data->start_us[s][next[s]] < data->start_us[best][next[best]]))
                best = s;
        }
        size_t i = next[best]++;
        data->row[best][i] = (uint32_t)row;
        data->info[row] = (struct matrix_row){.id = data->fixtures[best][i].id,
                                              .start_us = data->start_us[best][i],
                                              .stream = (int32_t)best,
                                              .label = {-1, -1, -1, -1}};
    }
}

static inline void test_data_init(struct test_data *data, size_t per_stream, uint64_t seed)
{
    *data = (struct test_data){.per_stream = per_stream, .rows = per_stream * TEST_STREAMS};
    data->info = calloc(data->rows, sizeof(*data->info));
    for (size_t s = 0; s < TEST_STREAMS; s++) {
        data->start_us[s] = calloc(per_stream, sizeof(int64_t));
        data->known_us[s] = calloc(per_stream, sizeof(int64_t));
        data->fixtures[s] = calloc(per_stream, sizeof(struct test_fixture));
        data->outcomes[s] = calloc(per_stream, sizeof(struct test_outcome));
        data->row[s] = calloc(per_stream, sizeof(uint32_t));
        data->streams[s] = (struct stream){{TEST_PLAYERS, 1}, per_stream,
                                           data->start_us[s], data->known_us[s],
                                           data->fixtures[s], sizeof(struct test_fixture),
                                           data->outcomes[s], sizeof(struct test_outcome),
                                           data->row[s]};
        test_data_fill(data, s, seed);
    }
    test_data_rows(data);
}

static inline void test_data_release(struct test_data *data)
{
    for (size_t s = 0; s < TEST_STREAMS; s++) {
        free(data->start_us[s]);
        free(data->known_us[s]);
        free(data->fixtures[s]);
        free(data->outcomes[s]);
        free(data->row[s]);
    }
    free(data->info);
}

#endif
