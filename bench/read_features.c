/* Bench: reading one team's features in process, as the server does for each request, without HTTP.
 *
 *     bench_read_features FOLDER VIEW READS ROUNDS
 *
 * The store's matches are opened or computed first; then every team of every country is a key. One JSON line, in
 * microseconds: `cold`, reads of a reader that has nothing in memory (ROUNDS readers, each asked for every key once), and
 * `warm`, READS reads of keys that it has, in an order without pattern. A read is: the key from the team's id, the lookup,
 * the value with its JSON. */
#include "base/random.h"
#include "football/views.h"
#include "os/clock.h"
#include "os/loop.h"
#include "serve/feature_reader.h"
#include "store/fixture_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARGUMENTS = 5, MEMORY_BYTES = 64 << 20, READS_MAX = 100000000, ROUNDS_MAX = 1000, ID_BYTES = 24 };

struct samples {
    double *us;
    size_t count;
};

struct bench {
    struct store store;
    struct loop *loop;
    struct online *online;
    size_t view, team_count, columns;
    char (*teams)[ID_BYTES];
    struct feature_answer answer;
    struct samples cold, warm;
    uint64_t reads_from_memory;
};

static double now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static const struct online *present_online(void *context, uint64_t *changes)
{
    const struct bench *b = context;
    *changes = 1;
    return b->online;
}

static enum err_code create_reader(struct bench *b, struct feature_reader **out, struct err *err)
{
    struct feature_reader_options options = {.loop = b->loop,
                                             .store = &b->store,
                                             .clock = clock_system(),
                                             .memory_bytes = MEMORY_BYTES,
                                             .online = present_online,
                                             .context = b};
    return feature_reader_create(&options, out, err);
}

static enum err_code find_view(struct bench *b, const char *name, struct err *err)
{
    const struct feature_view *view;
    for (size_t i = 0; (view = football_view_at(i)) != NULL; i++) {
        if (strcmp(view->name, name) == 0 && view->entity == VIEW_TEAM) {
            b->view = i;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "no view '%s' of teams", name);
}

static enum err_code name_teams(struct bench *b, struct err *err)
{
    struct frame *frame = NULL;
    enum err_code code = football_store_load_teams(b->store.db, &frame, err);
    if (code != ERR_OK)
        return code;
    b->team_count = frame_rows(frame);
    b->teams = calloc(b->team_count + 1, sizeof(*b->teams));
    if (b->teams == NULL)
        code = err_nomem(err, b->team_count * sizeof(*b->teams));
    else if (b->team_count == 0)
        code = err_set(err, ERR_NOT_FOUND, "the store holds no teams");
    const int64_t *ids = frame_i64(frame, (size_t)frame_find(frame, "id"));
    for (size_t i = 0; code == ERR_OK && i < b->team_count; i++)
        (void)snprintf(b->teams[i], ID_BYTES, "%lld", (long long)ids[i]);
    frame_destroy(frame);
    return code;
}

static enum err_code read_one(struct bench *b, struct feature_reader *reader, size_t team,
                              struct samples *samples, struct err *err)
{
    struct feature_key key;
    feature_answer_clear(&b->answer);
    double start_us = now_us();
    enum err_code code = feature_reader_team(reader, b->view, b->teams[team], &key, err);
    if (code == ERR_OK && !feature_reader_read(reader, &key, 1, &b->answer))
        code = err_set(err, ERR_INTERNAL, "a read without Redis was not answered at once");
    samples->us[samples->count] = now_us() - start_us;
    if (code != ERR_OK)
        return code;
    if (b->answer.code == ERR_NOT_FOUND) /* a team that has not played: nothing to read */
        return ERR_OK;
    if (b->answer.code != ERR_OK)
        return err_set(err, b->answer.code, "team %s: %s", b->teams[team],
                       b->answer.reason != NULL ? b->answer.reason : "no answer");
    samples->count++;
    b->reads_from_memory += b->answer.source == FEATURE_FROM_MEMORY;
    return ERR_OK;
}

static enum err_code read_cold(struct bench *b, long rounds, struct err *err)
{
    enum err_code code = ERR_OK;
    b->cold.us = calloc((size_t)rounds * b->team_count + 1, sizeof(*b->cold.us));
    if (b->cold.us == NULL)
        return err_nomem(err, (size_t)rounds * b->team_count);
    for (long round = 0; code == ERR_OK && round < rounds; round++) {
        struct feature_reader *reader = NULL;
        code = create_reader(b, &reader, err);
        for (size_t i = 0; code == ERR_OK && i < b->team_count; i++)
            code = read_one(b, reader, i, &b->cold, err);
        if (code == ERR_OK)
            b->columns = feature_reader_columns(reader, b->view);
        feature_reader_destroy(reader);
    }
    if (code == ERR_OK && b->reads_from_memory > 0)
        code = err_set(err, ERR_INTERNAL, "%llu cold reads came from memory",
                       (unsigned long long)b->reads_from_memory);
    return code;
}

static enum err_code read_warm(struct bench *b, long reads, struct err *err)
{
    struct feature_reader *reader = NULL;
    struct samples first = {calloc(b->team_count + 1, sizeof(double)), 0};
    struct random random;
    random_init(&random, 1);
    b->warm.us = calloc((size_t)reads + 1, sizeof(*b->warm.us));
    enum err_code code =
        first.us != NULL && b->warm.us != NULL ? ERR_OK : err_nomem(err, (size_t)reads * sizeof(double));
    if (code == ERR_OK)
        code = create_reader(b, &reader, err);
    for (size_t i = 0; code == ERR_OK && i < b->team_count; i++)
        code = read_one(b, reader, i, &first, err);
    b->reads_from_memory = 0;
    for (long i = 0; code == ERR_OK && i < reads; i++)
        code = read_one(b, reader, (size_t)random_below(&random, b->team_count), &b->warm, err);
    if (code == ERR_OK && b->reads_from_memory * 100 < b->warm.count * 99)
        code = err_set(err, ERR_INTERNAL, "only %llu of %zu warm reads came from memory",
                       (unsigned long long)b->reads_from_memory, b->warm.count);
    feature_reader_destroy(reader);
    free(first.us);
    return code;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_samples(const char *name, struct samples *samples)
{
    qsort(samples->us, samples->count, sizeof(*samples->us), compare);
    (void)printf(", \"%s\": {\"reads\": %zu, \"p50_us\": %.2f, \"p99_us\": %.2f, \"max_us\": %.2f}", name,
                 samples->count, samples->us[samples->count / 2], samples->us[samples->count * 99 / 100],
                 samples->us[samples->count - 1]);
}

static enum err_code run(char **argv, struct err *err)
{
    struct bench b = {0};
    long reads = strtol(argv[3], NULL, 10), rounds = strtol(argv[4], NULL, 10);
    if (reads < 1 || reads > READS_MAX || rounds < 1 || rounds > ROUNDS_MAX)
        return err_set(err, ERR_INVALID, "reads are 1 to %d, rounds 1 to %d", READS_MAX, ROUNDS_MAX);
    enum err_code code = store_open(argv[1], DB_READ_ONLY, &b.store, err);
    if (code != ERR_OK)
        return code;
    feature_answer_init(&b.answer);
    code = loop_create(&b.loop, err);
    if (code == ERR_OK)
        code = online_open(&b.store, ONLINE_BUILD, &b.online, err);
    if (code == ERR_OK)
        code = find_view(&b, argv[2], err);
    if (code == ERR_OK)
        code = name_teams(&b, err);
    if (code == ERR_OK)
        code = read_cold(&b, rounds, err);
    if (code == ERR_OK)
        code = read_warm(&b, reads, err);
    if (code == ERR_OK) {
        (void)printf("{\"teams\": %zu, \"columns\": %zu", b.team_count, b.columns);
        print_samples("cold", &b.cold);
        print_samples("warm", &b.warm);
        (void)printf("}\n");
    }
    feature_answer_release(&b.answer);
    free(b.cold.us);
    free(b.warm.us);
    free(b.teams);
    if (b.online != NULL)
        online_destroy(b.online);
    if (b.loop != NULL)
        loop_destroy(b.loop);
    store_close(&b.store);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc != ARGUMENTS) {
        (void)fprintf(stderr, "usage: %s FOLDER VIEW READS ROUNDS\n", argv[0]);
        return 2;
    }
    enum err_code code = run(argv, &err);
    if (code != ERR_OK)
        (void)fprintf(stderr, "bench_read_features: %s\n", err.text);
    return err_exit_code(code);
}
