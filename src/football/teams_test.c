/* Teams: dense ids stay as teams are added, sizes come in whole rounds, and no feature depends on the sizes. */
#include "football/teams.h"

#include "football/feature_sets.h"
#include "football/league.h"
#include "football/test_frames.h"

static struct teams *open_teams(size_t count)
{
    struct test_frames frames;
    struct teams *teams = NULL;
    test_frames_open(&frames);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "Team %zu", i);
        test_frames_team(&frames, 100 + (int64_t)i, i % 2 ? "Germany" : "England", name);
    }
    test_frames_finish(&frames);
    assert_int_equal(teams_create(frames.teams, &teams, NULL), ERR_OK);
    test_frames_close(&frames);
    return teams;
}

static size_t stream_of(const char *country)
{
    size_t stream = 0;
    while (strcmp(league_country_name(stream), country) != 0)
        stream++;
    return stream;
}

static void a_new_team_changes_neither_ids_nor_sizes(void **state)
{
    (void)state;
    struct teams *few = open_teams(20), *more = open_teams(21);
    assert_memory_equal(teams_sizes(few), teams_sizes(more),
                        league_country_count() * sizeof(struct stream_size));
    for (int64_t id = 100; id < 120; id++) {
        size_t stream = 0, same = 0;
        assert_int_equal(teams_dense(few, id, &stream), teams_dense(more, id, &same));
        assert_int_equal(stream, same);
    }
    teams_destroy(few);
    teams_destroy(more);
}

static void sizes_are_whole_rounds(void **state)
{
    (void)state;
    static const struct {
        size_t teams, entities;
    } cases[] = {
        {0, 0}, {2, TEAMS_ROUND}, {2 * TEAMS_ROUND, TEAMS_ROUND}, {2 * TEAMS_ROUND + 2, 2 * TEAMS_ROUND}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct teams *teams = open_teams(cases[i].teams);
        assert_int_equal(teams_sizes(teams)[stream_of("England")].entities, cases[i].entities);
        assert_int_equal(teams_sizes(teams)[stream_of("Germany")].entities, cases[i].entities);
        teams_destroy(teams);
    }
}

/* All families over the same streams, with as many entities as there are teams, and with more. */
static void no_feature_depends_on_the_sizes(void **state)
{
    (void)state;
    static const size_t entities[] = {TEST_TEAMS, TEST_TEAMS + 1, TEAMS_ROUND, 5 * TEAMS_ROUND};
    enum { SIZES = sizeof(entities) / sizeof(entities[0]) };
    const struct feature_set *set = football_feature_set_widest();
    struct test_frames frames;
    struct history *history = NULL;
    float *values[SIZES];
    test_frames_random(&frames, 7);
    assert_int_equal(history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                    (struct history_options){0}, &history, NULL),
                     ERR_OK);
    size_t count = history_stream_count(history);
    size_t size_bytes = history_rows(history) * feature_set_columns(set) * sizeof(float);
    struct stream *streams = malloc(count * sizeof(*streams));
    assert_non_null(streams);
    memcpy(streams, history_streams(history), count * sizeof(*streams));
    for (size_t i = 0; i < SIZES; i++) {
        values[i] = malloc(size_bytes);
        assert_non_null(values[i]);
        for (size_t s = 0; s < count; s++)
            streams[s].size.entities = entities[i];
        assert_int_equal(builder_run(set, streams, count, values[i], NULL, NULL, NULL, NULL), ERR_OK);
        assert_memory_equal(values[i], values[0], size_bytes);
    }
    for (size_t i = 0; i < SIZES; i++)
        free(values[i]);
    free(streams);
    history_destroy(history);
    test_frames_close(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_team_changes_neither_ids_nor_sizes),
        cmocka_unit_test(sizes_are_whole_rounds),
        cmocka_unit_test(no_feature_depends_on_the_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
