/* Feature reader over a small invented world: every row against one made from the whole history, levels and their ages,
 * names, what is dropped when data changes, and a real Redis shared by two readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/test_redis.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/history.h"
#include "football/league.h"
#include "os/test_folder.h"
#include "serve/feature_levels.h"
#include "serve/feature_reader.h"
#include "serve/test_world.h"

#include <math.h>
#include <unistd.h>

enum { WORLD_DAYS_LIVED = 300, MEMORY_BYTES = 16 << 20, SHORT_MS = 200 };

static struct test_folder folder;
static struct store store;
static struct world world;
static struct loop *loop;
static struct online *online;
static uint64_t changes;
static _Atomic int64_t now_us; /* also read by the thread of Redis */
static struct test_redis redis;
static bool has_redis;
static int64_t timeout_ms = 60000; /* a busy machine is no slow Redis */

static int64_t test_time(void *context)
{
    (void)context;
    return now_us;
}

static const struct online *test_online(void *context, uint64_t *out)
{
    (void)context;
    *out = changes;
    return online;
}

static struct feature_reader *new_reader(const char *redis_url)
{
    struct feature_reader *reader = NULL;
    struct err err;
    struct feature_reader_options options = {.loop = loop,
                                             .store = &store,
                                             .clock = {test_time, test_time, NULL},
                                             .memory_bytes = MEMORY_BYTES,
                                             .redis_url = redis_url,
                                             .redis_timeout_ms = timeout_ms,
                                             .online = test_online};
    enum err_code code = feature_reader_create(&options, &reader, &err);
    assert_int_equal(code, ERR_OK);
    return reader;
}

static void build_matrix(void)
{
    struct present_request request = {.store = &store, .want_matrix = true, .want_state = true};
    struct present present;
    struct err err;
    enum err_code code = present_open(&request, &present, &err);
    if (code != ERR_OK)
        fail_msg("%s", err.text);
    present_release(&present);
}

/* What the forecaster does when the store changed. */
static void go_live(void)
{
    struct online *next = NULL;
    struct err err;
    enum err_code code = online_open(&store, ONLINE_BUILD, &next, &err);
    if (code != ERR_OK)
        fail_msg("%s", err.text);
    online_destroy(online);
    online = next;
    changes++;
}

static int set_up(void **state)
{
    struct err err = {0};
    (void)state;
    now_us = 1600000000 * TIME_SECOND_US;
    changes = 0;
    test_folder_create(&folder);
    if (store_open(folder.path, DB_READ_WRITE, &store, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(loop_create(&loop, &err), ERR_OK);
    world_create(&world, 11, WORLD_DAYS_LIVED);
    world_tell(&world, store.db);
    build_matrix();
    go_live();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_drain(loop);
    loop_destroy(loop);
    online_destroy(online);
    online = NULL;
    store_close(&store);
    test_folder_remove(&folder);
    return 0;
}

static size_t view_at(const char *name)
{
    size_t index = 0;
    while (strcmp(football_view_at(index)->name, name) != 0)
        index++;
    return index;
}

static struct feature_key team_key(struct feature_reader *reader, const char *view, const char *team)
{
    struct feature_key key;
    struct err err;
    enum err_code code = feature_reader_team(reader, view_at(view), team, &key, &err);
    if (code != ERR_OK)
        fail_msg("%s", err.text);
    return key;
}

static struct feature_key match_key(struct feature_reader *reader, const char *view, const char *match)
{
    struct feature_key key;
    struct err err;
    enum err_code code = feature_reader_match(reader, view_at(view), match, &key, &err);
    if (code != ERR_OK)
        fail_msg("%s", err.text);
    return key;
}

/* ---- reading, with and without waiting ---- */

static void stop_loop(void *context)
{
    *(bool *)context = true;
    loop_stop(loop);
}

static void read_all(struct feature_reader *reader, const struct feature_key *keys, size_t count,
                     struct feature_answer *answers)
{
    struct err err;
    bool is_done = false;
    if (feature_reader_read(reader, keys, count, answers))
        return;
    enum err_code code = feature_reader_fetch(reader, keys, count, answers, stop_loop, &is_done, &err);
    assert_int_equal(code, ERR_OK);
    if (!is_done) {
        code = loop_run(loop, &err);
        assert_int_equal(code, ERR_OK);
    }
    assert_true(is_done);
    for (size_t i = 0; i < count; i++)
        assert_true(answers[i].is_answered);
}

static enum feature_source source_of(struct feature_reader *reader, const struct feature_key *key)
{
    struct feature_answer answer;
    feature_answer_init(&answer);
    read_all(reader, key, 1, &answer);
    if (answer.code != ERR_OK)
        fail_msg("%s: %s", key->text, answer.reason);
    enum feature_source source = answer.source;
    feature_answer_release(&answer);
    return source;
}

static void expect_row(struct feature_reader *reader, const struct feature_key *key, const float *want,
                       int64_t event_us)
{
    struct feature_answer answer;
    struct feature_value value;
    feature_answer_init(&answer);
    read_all(reader, key, 1, &answer);
    if (answer.code != ERR_OK)
        fail_msg("%s: %s", key->text, answer.reason);
    feature_value_read_own(answer.value.data, answer.value.size_bytes, &value);
    assert_int_equal(value.count, feature_reader_columns(reader, key->view));
    for (size_t i = 0; i < value.count; i++) {
        if (memcmp(&value.values[i], &want[i], sizeof(float)) != 0 &&
            !(isnan(value.values[i]) && isnan(want[i])))
            fail_msg("%s %s: %g, not %g", key->text, feature_reader_column_name(reader, key->view, i),
                     (double)value.values[i], (double)want[i]);
    }
    assert_true(value.event_us == event_us);
    feature_answer_release(&answer);
}

static void expect_failure(struct feature_reader *reader, const struct feature_key *key, enum err_code code,
                           const char *part)
{
    struct feature_answer answer;
    feature_answer_init(&answer);
    read_all(reader, key, 1, &answer);
    assert_int_equal(answer.code, code);
    if (strstr(answer.reason, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, answer.reason);
    feature_answer_release(&answer);
}

/* ---- every row against the history ---- */

struct reference {
    struct history *history;
    struct live_state *state;
};

static void reference_create(struct reference *reference)
{
    struct football_frames frames;
    struct err err;
    enum err_code code = football_store_load(store.db, bookmaker_names(), 0, &frames, &err);
    if (code == ERR_OK)
        code = history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                              (struct history_options){0}, &reference->history, &err);
    if (code == ERR_OK)
        code =
            builder_run(football_feature_set_widest(), history_streams(reference->history),
                        history_stream_count(reference->history), NULL, NULL, NULL, &reference->state, &err);
    if (code != ERR_OK)
        fail_msg("%s", err.text);
    football_frames_release(&frames);
}

static void reference_release(struct reference *reference)
{
    live_state_destroy(reference->state);
    history_destroy(reference->history);
}

/* The newest row with an outcome in which the team plays (away < 0), or the two meet; -1 none. */
static int64_t last_row(const struct history *history, size_t stream, int32_t team, int32_t other)
{
    int64_t found = -1;
    for (size_t row = 0; row < history_rows(history); row++) {
        const struct fixture *fixture = history_fixture(history, row);
        bool is_theirs = other < 0 ? fixture->home == team || fixture->away == team
                                   : (fixture->home == team && fixture->away == other) ||
                                         (fixture->home == other && fixture->away == team);
        if ((size_t)history_row_info(history)[row].stream != stream || !is_theirs ||
            history_outcome(history, row)->known_us == INT64_MAX)
            continue;
        if (found < 0 ||
            history_outcome(history, row)->known_us >= history_outcome(history, (size_t)found)->known_us)
            found = (int64_t)row;
    }
    return found;
}

static size_t check_team(struct feature_reader *reader, struct reference *reference, size_t stream,
                         int32_t team)
{
    float want[1024];
    char id[24];
    size_t checked = 0;
    int64_t row = last_row(reference->history, stream, team, -1);
    (void)snprintf(id, sizeof(id), "%lld", (long long)teams_id(online->present.teams, stream, team));
    for (size_t view = 0; football_view_at(view) != NULL; view++) {
        struct fixture subject;
        struct view_plan *plan = NULL;
        if (football_view_at(view)->entity != VIEW_TEAM)
            continue;
        struct feature_key key = team_key(reader, football_view_at(view)->name, id);
        if (row < 0) {
            expect_failure(reader, &key, ERR_NOT_FOUND, "no result of the team");
            continue;
        }
        const struct fixture *last = history_fixture(reference->history, (size_t)row);
        int64_t known_us = history_outcome(reference->history, (size_t)row)->known_us;
        view_subject(last, known_us, &subject);
        assert_int_equal(view_plan_create(football_view_at(view), &plan, NULL), ERR_OK);
        view_plan_emit(plan, reference->state, stream, &subject, last->home == team ? SIDE_HOME : SIDE_AWAY,
                       want);
        expect_row(reader, &key, want, known_us);
        view_plan_destroy(plan);
        checked++;
    }
    return checked;
}

static void rows_of_teams_are_those_of_the_history(void **state)
{
    struct reference reference;
    size_t checked = 0;
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    reference_create(&reference);
    for (size_t stream = 0; stream < history_stream_count(reference.history); stream++) {
        for (int32_t team = 0; team < (int32_t)world.teams; team++) {
            if (strcmp(league_country_name(stream), "England") == 0 ||
                strcmp(league_country_name(stream), "Germany") == 0)
                checked += check_team(reader, &reference, stream, team);
        }
    }
    assert_true(checked >= 2 * 8 * 3);
    reference_release(&reference);
    feature_reader_destroy(reader);
}

static void rows_of_pairs_are_those_of_the_history(void **state)
{
    struct reference reference;
    struct view_plan *plan = NULL;
    float want[1024];
    size_t checked = 0;
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    reference_create(&reference);
    assert_int_equal(view_plan_create(football_view("h2h"), &plan, NULL), ERR_OK);
    for (int pair = 0; pair < 64; pair++) {
        char home[32], away[32];
        struct feature_key key;
        struct fixture subject, swapped;
        size_t stream = 0;
        struct err err;
        (void)snprintf(home, sizeof(home), "E0/E0 %d", pair / 8);
        (void)snprintf(away, sizeof(away), "England/E0 %d", pair % 8);
        enum err_code code = feature_reader_pair(reader, view_at("h2h"), home, away, &key, &err);
        assert_int_equal(code, pair / 8 == pair % 8 ? ERR_INVALID : ERR_OK);
        if (code != ERR_OK)
            continue;
        int32_t a = teams_dense(online->present.teams, key.id[0], &stream);
        int32_t b = teams_dense(online->present.teams, key.id[1], &stream);
        int64_t row = last_row(reference.history, stream, a, b);
        if (row < 0) {
            expect_failure(reader, &key, ERR_NOT_FOUND, "no earlier meeting");
            continue;
        }
        int64_t known_us = history_outcome(reference.history, (size_t)row)->known_us;
        view_subject(history_fixture(reference.history, (size_t)row), known_us, &subject);
        view_swap(&subject, &swapped);
        view_plan_emit(plan, reference.state, stream, subject.home == a ? &subject : &swapped, SIDE_HOME,
                       want);
        expect_row(reader, &key, want, known_us);
        checked++;
    }
    assert_true(checked > 20);
    view_plan_destroy(plan);
    reference_release(&reference);
    feature_reader_destroy(reader);
}

static void rows_of_matches_are_those_of_matrix_and_state(void **state)
{
    static const char *const names[] = {"match", "odds"};
    struct reference reference;
    float want[1024];
    size_t played = 0, to_come = 0;
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    reference_create(&reference);
    for (size_t i = 0; i < 2; i++) {
        struct view_plan *plan = NULL;
        assert_int_equal(view_plan_create(football_view(names[i]), &plan, NULL), ERR_OK);
        for (size_t row = 0; row < history_rows(reference.history);
             row += row + 60 < history_rows(reference.history) ? 7 : 1) {
            const struct fixture *fixture = history_fixture(reference.history, row);
            const struct matrix_row *info = &history_row_info(reference.history)[row];
            char id[24];
            (void)snprintf(id, sizeof(id), "%lld", (long long)fixture->id);
            struct feature_key key = match_key(reader, names[i], id);
            if (history_outcome(reference.history, row)->known_us != INT64_MAX) {
                const struct matrix *matrix = online->present.matrix;
                const float *values =
                    matrix_values(matrix) + (size_t)online_row(online, fixture->id) * matrix_columns(matrix);
                const float *const features[2] = {values, values};
                view_plan_gather(plan, features, want);
                played++;
            } else {
                if (fixture->start_us <= online->last_kickoff_us && i == 0) {
                    expect_failure(reader, &key, ERR_NOT_FOUND, "has no result");
                    continue;
                }
                view_plan_emit(plan, reference.state, (size_t)info->stream, fixture, SIDE_HOME, want);
                to_come++;
            }
            expect_row(reader, &key, want, fixture->start_us);
        }
        view_plan_destroy(plan);
    }
    print_message("%zu rows of matches played, %zu of matches to come\n", played, to_come);
    assert_true(played > 50 && to_come > 1);
    reference_release(&reference);
    feature_reader_destroy(reader);
}

/* ---- levels ---- */

static void memory_answers_as_long_as_the_view_allows(void **state)
{
    struct feature_answer answer;
    struct feature_value value;
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    struct feature_key form = team_key(reader, "form", "England/E0 3");
    struct feature_key standings = team_key(reader, "standings", "England/E0 3");
    int64_t made_us = now_us;
    assert_int_equal(source_of(reader, &form), FEATURE_FROM_STORE);
    assert_int_equal(source_of(reader, &standings), FEATURE_FROM_STORE);
    now_us += football_view("form")->ttl_ms * 1000 - 1;
    assert_int_equal(source_of(reader, &form), FEATURE_FROM_MEMORY);
    feature_answer_init(&answer);
    assert_true(feature_reader_read(reader, &form, 1, &answer));
    feature_value_read_own(answer.value.data, answer.value.size_bytes, &value);
    assert_true(value.made_us == made_us);
    assert_non_null(strstr(value.json, "\"entity\":{\"team\":{\"id\":"));
    assert_non_null(strstr(value.json, "\"features\":{\"form_points_3\":"));
    feature_answer_release(&answer);
    now_us++;
    assert_int_equal(source_of(reader, &form), FEATURE_FROM_STORE);
    assert_int_equal(source_of(reader, &standings), FEATURE_FROM_MEMORY);
    assert_int_equal(feature_reader_reads(reader, form.view, FEATURE_FROM_STORE), 2);
    assert_int_equal(feature_reader_reads(reader, form.view, FEATURE_FROM_MEMORY), 2);
    assert_int_equal(feature_reader_reads(reader, form.view, FEATURE_FROM_REDIS), 0);
    assert_int_equal(feature_reader_counts(reader).loads, 3);
    feature_reader_destroy(reader);
}

static void names_lead_to_keys_or_say_why_not(void **state)
{
    static const struct {
        const char *team;
        enum err_code code;
        const char *part;
    } bad[] = {{"Atlantis/E0 3", ERR_NOT_FOUND, "no country or league is called 'Atlantis'"},
               {"England/E0 33", ERR_NOT_FOUND, "the nearest are 'E0 3'"},
               {"England/", ERR_INVALID, "a team name"},
               {"9999", ERR_NOT_FOUND, "no team has the id 9999"},
               {"E0 3", ERR_INVALID, "England/Arsenal"},
               {"", ERR_INVALID, "is no team"}};
    struct feature_key key, other;
    struct err err;
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        enum err_code code = feature_reader_team(reader, view_at("form"), bad[i].team, &key, &err);
        assert_int_equal(code, bad[i].code);
        if (strstr(err.text, bad[i].part) == NULL)
            fail_msg("'%s' is not in '%s'", bad[i].part, err.text);
        assert_string_equal(err.field, "team");
    }
    key = team_key(reader, "form", "England/E0 3");
    other = team_key(reader, "form", "England/ e0 3 "); /* another case, spaces around */
    assert_string_equal(key.text, other.text);
    enum err_code code =
        feature_reader_pair(reader, view_at("h2h"), "England/E0 1", "Germany/D1 1", &key, &err);
    assert_int_equal(code, ERR_NOT_FOUND);
    assert_string_equal(err.field, "away");
    code = feature_reader_pair(reader, view_at("h2h"), "England/E0 none", "England/E0 1", &key, &err);
    assert_int_equal(code, ERR_NOT_FOUND);
    assert_string_equal(err.field, "home");
    code = feature_reader_match(reader, view_at("odds"), "no such", &key, &err);
    assert_int_equal(code, ERR_NOT_FOUND);
    key = match_key(reader, "odds", "id-5"); /* an id of the source */
    char id[24];
    (void)snprintf(id, sizeof(id), "%lld", (long long)key.id[0]);
    other = match_key(reader, "odds", id);
    assert_string_equal(key.text, other.text);
    feature_reader_destroy(reader);
}

static void without_a_state_nothing_is_answered(void **state)
{
    struct online *kept = online;
    struct feature_key key;
    struct err err;
    (void)state;
    online = NULL;
    struct feature_reader *reader = new_reader(NULL);
    enum err_code code = feature_reader_team(reader, view_at("form"), "England/E0 3", &key, &err);
    assert_int_equal(code, ERR_BUSY);
    online = kept;
    changes++;
    key = team_key(reader, "form", "England/E0 3");
    assert_int_equal(source_of(reader, &key), FEATURE_FROM_STORE);
    feature_reader_destroy(reader);
}

static void a_match_page_is_one_read(void **state)
{
    struct feature_key keys[FEATURE_GROUP_COUNT], by_sides[FEATURE_GROUP_COUNT];
    struct feature_answer answers[FEATURE_GROUP_COUNT];
    struct stored_match match;
    char home[160], away[160];
    bool has_match = false;
    struct err err;
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    enum err_code code = feature_reader_bundle(reader, "id-9", NULL, NULL, keys, &has_match, &err);
    assert_int_equal(code, ERR_OK);
    assert_true(has_match);
    for (size_t i = 0; i < FEATURE_GROUP_COUNT; i++)
        feature_answer_init(&answers[i]);
    assert_true(feature_reader_read(reader, keys, FEATURE_GROUP_COUNT, answers));
    for (size_t i = 0; i < FEATURE_GROUP_COUNT; i++) {
        assert_int_equal(answers[i].code, ERR_OK);
        assert_int_equal(answers[i].source, FEATURE_FROM_STORE);
        feature_answer_clear(&answers[i]);
    }
    assert_int_equal(football_store_find_match(store.db, "id-9", &match, &err), ERR_OK);
    const char *country = strcmp(match.league, "E0") == 0 ? "England" : "Germany";
    (void)snprintf(home, sizeof(home), "%s/%s", country, match.home);
    (void)snprintf(away, sizeof(away), "%s/%s", country, match.away);
    code = feature_reader_bundle(reader, NULL, home, away, by_sides, &has_match, &err);
    assert_int_equal(code, ERR_OK);
    for (size_t i = 0; i < GROUP_ODDS; i++)
        assert_string_equal(by_sides[i].text, keys[i].text);
    assert_true(feature_reader_read(reader, keys, FEATURE_GROUP_COUNT, answers));
    for (size_t i = 0; i < FEATURE_GROUP_COUNT; i++) {
        assert_int_equal(answers[i].source, FEATURE_FROM_MEMORY);
        feature_answer_release(&answers[i]);
    }
    feature_reader_destroy(reader);
}

/* ---- data changes ---- */

static struct world_match *last_played(int league)
{
    struct world_match *found = NULL;
    for (int i = 0; i < world.count; i++) {
        if (world.matches[i].league == league && world.matches[i].goals[0] >= 0 &&
            (found == NULL || world.matches[i].day >= found->day))
            found = &world.matches[i];
    }
    return found;
}

static void tell_correction(int league)
{
    struct world_match *match = last_played(league);
    match->goals[0] += 3;
    match->is_told = false;
    for (int i = 0; i < world.count; i++) /* the source repeats nothing else */
        assert_true(world.matches[i].is_told || &world.matches[i] == match);
    random_init(&world.random, 3);
    world_tell(&world, store.db);
}

static void a_result_drops_what_its_country_has_and_no_more(void **state)
{
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    struct feature_key england = team_key(reader, "form", "England/E0 3");
    struct feature_key germany = team_key(reader, "form", "Germany/D1 3");
    struct feature_key match = match_key(reader, "odds", "id-5");
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_STORE);
    assert_int_equal(source_of(reader, &germany), FEATURE_FROM_STORE);
    assert_int_equal(source_of(reader, &match), FEATURE_FROM_STORE);
    changes++; /* the store is found changed, the state is not made yet: matches only */
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_MEMORY);
    assert_int_equal(source_of(reader, &match), FEATURE_FROM_STORE);
    char before[HASH_HEX_BYTES];
    memcpy(before, online->present.data_hash, sizeof(before));
    tell_correction(1);
    go_live();
    assert_string_not_equal(online->present.data_hash, before);
    assert_int_equal(source_of(reader, &germany), FEATURE_FROM_STORE);
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_MEMORY);
    feature_reader_destroy(reader);
}

static void an_unknown_past_drops_everything(void **state)
{
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    struct feature_key england = team_key(reader, "form", "England/E0 3");
    struct err err;
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_STORE);
    tell_correction(1);
    enum err_code code =
        db_execute(store.db, "DELETE FROM football_change; DELETE FROM football_state", &err);
    assert_int_equal(code, ERR_OK);
    go_live();
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_STORE);
    feature_reader_destroy(reader);
}

/* ---- Redis ---- */

static int set_up_redis(void **state)
{
    has_redis = test_redis_start(&redis, "");
    if (!has_redis)
        print_message("no redis-server is installed: its tests are skipped (tools/install.sh test)\n");
    return set_up(state);
}

static int tear_down_redis(void **state)
{
    if (has_redis)
        test_redis_stop(&redis);
    return tear_down(state);
}

static const char *redis_url(void)
{
    static char url[64];
    if (!has_redis)
        skip();
    (void)snprintf(url, sizeof(url), "redis://127.0.0.1:%u", (unsigned)redis.port);
    return url;
}

/* A value straight into Redis, beside the readers. */
static struct redis_tier *open_tier(void)
{
    struct redis_tier *tier = NULL;
    struct err err;
    enum err_code code = redis_tier_create(redis_url(), "almanac:", timeout_ms, clock_system(), &tier, &err);
    assert_int_equal(code, ERR_OK);
    return tier;
}

/* Until what was written in the background is there. */
static void await_key(struct redis_tier *tier, const char *key, struct buffer *out)
{
    for (int round = 0; round < 60000; round++) {
        buffer_clear(out);
        if (redis_tier_get(tier, key, out))
            return;
        usleep(1000);
    }
    fail_msg("'%s' never came to Redis", key);
}

static void servers_share_what_one_of_them_made(void **state)
{
    struct buffer bytes;
    (void)state;
    struct feature_reader *first = new_reader(redis_url()), *second = new_reader(redis_url());
    struct redis_tier *tier = open_tier();
    struct feature_key key = team_key(first, "form", "England/E0 3");
    buffer_init(&bytes, 1 << 20);
    assert_int_equal(source_of(first, &key), FEATURE_FROM_STORE);
    await_key(tier, key.text, &bytes);
    now_us += 40 * TIME_SECOND_US;
    assert_int_equal(source_of(second, &key), FEATURE_FROM_REDIS);
    assert_int_equal(source_of(second, &key), FEATURE_FROM_MEMORY);
    now_us += 20 * TIME_SECOND_US; /* the age counts from when it was made, not from when it came here */
    assert_int_equal(source_of(second, &key), FEATURE_FROM_STORE);
    struct feature_reader_counts counts = feature_reader_counts(second);
    assert_true(counts.has_redis);
    assert_int_equal(counts.redis.hits, 2);
    assert_int_equal(counts.loads, 1);
    buffer_release(&bytes);
    redis_tier_destroy(tier);
    feature_reader_destroy(first);
    feature_reader_destroy(second);
}

static void values_of_other_data_or_damaged_are_not_used(void **state)
{
    struct buffer bytes;
    (void)state;
    struct feature_reader *reader = new_reader(redis_url());
    struct redis_tier *tier = open_tier();
    struct feature_key england = team_key(reader, "form", "England/E0 3");
    struct feature_key germany = team_key(reader, "form", "Germany/D1 3");
    struct feature_value value;
    buffer_init(&bytes, 1 << 20);
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_STORE);
    assert_int_equal(source_of(reader, &germany), FEATURE_FROM_STORE);
    await_key(tier, england.text, &bytes);
    struct buffer of_germany = {0};
    buffer_init(&of_germany, 1 << 20);
    await_key(tier, germany.text, &of_germany);
    feature_reader_destroy(reader);
    /* another server, another revision: Germany changed, England did not */
    tell_correction(1);
    go_live();
    reader = new_reader(redis_url());
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_REDIS);
    assert_int_equal(source_of(reader, &germany), FEATURE_FROM_STORE);
    assert_int_equal(feature_reader_counts(reader).rejected, 1);
    feature_reader_destroy(reader);
    /* damaged, of another schema, of data nobody knows */
    for (int kind = 0; kind < 3; kind++) {
        struct buffer bad;
        buffer_init(&bad, 1 << 20);
        assert_true(feature_value_read(bytes.data, bytes.size_bytes, &value));
        if (kind == 1)
            value.schema[3] ^= 1;
        if (kind == 2)
            value.data[7] ^= 1;
        feature_value_write(&value, &bad);
        if (kind == 0)
            bad.data[100] = (char)(bad.data[100] ^ 4);
        redis_tier_put(tier, england.text, bad.data, bad.size_bytes, 60000);
        reader = new_reader(redis_url());
        assert_int_equal(source_of(reader, &england), FEATURE_FROM_STORE);
        assert_int_equal(feature_reader_counts(reader).rejected, 1);
        feature_reader_destroy(reader);
        buffer_release(&bad);
    }
    buffer_release(&bytes);
    buffer_release(&of_germany);
    redis_tier_destroy(tier);
}

static void a_result_drops_values_in_redis_too(void **state)
{
    struct buffer bytes;
    (void)state;
    struct feature_reader *reader = new_reader(redis_url());
    struct redis_tier *tier = open_tier();
    struct feature_key england = team_key(reader, "form", "England/E0 3");
    struct feature_key germany = team_key(reader, "form", "Germany/D1 3");
    buffer_init(&bytes, 1 << 20);
    assert_int_equal(source_of(reader, &england), FEATURE_FROM_STORE);
    assert_int_equal(source_of(reader, &germany), FEATURE_FROM_STORE);
    await_key(tier, england.text, &bytes);
    await_key(tier, germany.text, &bytes);
    tell_correction(1);
    go_live();
    germany = team_key(reader, "form", "Germany/D1 3"); /* any call takes the change in */
    for (int round = 0; redis_tier_get(tier, germany.text, &bytes); round++) {
        assert_true(round < 60000);
        usleep(1000);
    }
    buffer_clear(&bytes);
    assert_true(redis_tier_get(tier, england.text, &bytes));
    buffer_release(&bytes);
    redis_tier_destroy(tier);
    feature_reader_destroy(reader);
}

/* Even when nobody removes them. */
static void rows_of_matches_in_redis_go_with_the_prices(void **state)
{
    struct buffer bytes;
    (void)state;
    struct feature_reader *reader = new_reader(redis_url());
    struct redis_tier *tier = open_tier();
    struct feature_key odds = match_key(reader, "odds", "id-5");
    buffer_init(&bytes, 1 << 20);
    assert_int_equal(source_of(reader, &odds), FEATURE_FROM_STORE);
    await_key(tier, odds.text, &bytes);
    feature_reader_destroy(reader);
    reader = new_reader(redis_url());
    assert_int_equal(source_of(reader, &odds), FEATURE_FROM_REDIS);
    feature_reader_destroy(reader);
    world.matches[5].price = world.matches[5].price == 0 ? 2 : world.matches[5].price + 0.1;
    world.matches[5].is_told = false;
    world_tell(&world, store.db);
    changes++; /* noticed, but the state is still that of before */
    reader = new_reader(redis_url());
    assert_int_equal(source_of(reader, &odds), FEATURE_FROM_STORE);
    assert_int_equal(feature_reader_counts(reader).rejected, 1);
    feature_reader_destroy(reader);
    buffer_release(&bytes);
    redis_tier_destroy(tier);
}

struct counted {
    int left;
};

static void count_down(void *context)
{
    struct counted *counted = context;
    if (--counted->left == 0)
        loop_stop(loop);
}

static void cold_reads_of_one_key_do_the_work_once(void **state)
{
    enum { READERS = 20 };
    struct feature_answer answers[READERS][3];
    struct counted counted = {.left = READERS};
    struct err err;
    (void)state;
    struct feature_reader *reader = new_reader(redis_url());
    struct feature_key keys[3] = {team_key(reader, "form", "England/E0 3"),
                                  team_key(reader, "standings", "England/E0 3"),
                                  team_key(reader, "form", "England/E0 3")};
    for (size_t i = 0; i < READERS; i++) {
        for (size_t k = 0; k < 3; k++)
            feature_answer_init(&answers[i][k]);
        assert_false(feature_reader_read(reader, keys, 3, answers[i]));
        enum err_code code = feature_reader_fetch(reader, keys, 3, answers[i], count_down, &counted, &err);
        assert_int_equal(code, ERR_OK);
    }
    assert_int_equal(loop_run(loop, &err), ERR_OK);
    assert_int_equal(counted.left, 0);
    for (size_t i = 0; i < READERS; i++) {
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(answers[i][k].code, ERR_OK);
            assert_int_equal(answers[i][k].value.size_bytes, answers[0][k].value.size_bytes);
        }
    }
    for (size_t i = 0; i < READERS * 3; i++)
        feature_answer_release(&answers[i / 3][i % 3]);
    struct feature_reader_counts counts = feature_reader_counts(reader);
    assert_int_equal(counts.loads, 2);
    assert_int_equal(counts.redis.misses, 2); /* one MGET of two keys */
    assert_int_equal(counts.redis.hits, 0);   /* who waited found it in memory */
    assert_int_equal(counts.memory.hits, (READERS - 1) * 3);
    assert_int_equal(counts.waits, 1 + (READERS - 1) * 3);
    uint64_t reads = 0;
    for (int source = 0; source < FEATURE_SOURCE_COUNT; source++)
        reads += feature_reader_reads(reader, keys[0].view, (enum feature_source)source);
    assert_int_equal(reads, 2 * READERS);
    feature_reader_destroy(reader);
}

static void a_redis_that_is_gone_or_paused_costs_a_moment(void **state)
{
    (void)state;
    timeout_ms = SHORT_MS;
    struct feature_reader *reader = new_reader(redis_url());
    timeout_ms = 60000;
    struct feature_key key = team_key(reader, "form", "England/E0 3");
    assert_int_equal(source_of(reader, &key), FEATURE_FROM_STORE);
    process_signal(&redis.process, SIGSTOP);
    now_us += 60 * TIME_SECOND_US;
    int64_t begin_us = clock_monotonic_us();
    assert_int_equal(source_of(reader, &key), FEATURE_FROM_STORE);
    assert_true(clock_monotonic_us() - begin_us < timeout_ms * 1000);
    process_signal(&redis.process, SIGCONT);
    test_redis_kill(&redis);
    for (int round = 0; round < 10; round++) {
        now_us += 60 * TIME_SECOND_US;
        begin_us = clock_monotonic_us();
        assert_int_equal(source_of(reader, &key), FEATURE_FROM_STORE);
        assert_true(clock_monotonic_us() - begin_us < timeout_ms * 1000);
    }
    test_redis_run(&redis);
    for (int round = 0; round < 100 && !feature_reader_counts(reader).redis.is_connected; round++) {
        now_us += 60 * TIME_SECOND_US; /* once, but for a busy machine */
        assert_int_equal(source_of(reader, &key), FEATURE_FROM_STORE);
    }
    assert_true(feature_reader_counts(reader).redis.is_connected);
    feature_reader_destroy(reader);
}

static void who_waits_when_the_server_stops_is_told(void **state)
{
    struct feature_answer answers[2];
    struct counted counted = {.left = 3};
    struct err err;
    (void)state;
    timeout_ms = SHORT_MS;
    struct feature_reader *reader = new_reader(redis_url());
    timeout_ms = 60000;
    struct feature_key keys[2] = {team_key(reader, "form", "England/E0 3"),
                                  team_key(reader, "form", "England/E0 4")};
    process_signal(&redis.process, SIGSTOP);
    for (size_t i = 0; i < 2; i++) { /* one in flight, one waiting */
        feature_answer_init(&answers[i]);
        assert_false(feature_reader_read(reader, &keys[i], 1, &answers[i]));
        enum err_code code =
            feature_reader_fetch(reader, &keys[i], 1, &answers[i], count_down, &counted, &err);
        assert_int_equal(code, ERR_OK);
    }
    feature_reader_destroy(reader);
    assert_int_equal(counted.left, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(answers[i].code, ERR_CANCELLED);
        feature_answer_release(&answers[i]);
    }
    process_signal(&redis.process, SIGCONT);
    loop_drain(loop); /* the flight lands and frees itself */
}

/* ---- speed: said, not judged ---- */

static void speed_of_reads(void **state)
{
    enum { ROUNDS = 200000 };
    struct feature_answer answer;
    (void)state;
    struct feature_reader *reader = new_reader(NULL);
    struct feature_key key = team_key(reader, "form", "England/E0 3");
    feature_answer_init(&answer);
    int64_t begin_us = clock_monotonic_us();
    for (int i = 0; i < ROUNDS; i++) {
        feature_answer_clear(&answer);
        assert_true(feature_reader_read(reader, &key, 1, &answer));
    }
    print_message("from memory: %.0f ns\n", (double)(clock_monotonic_us() - begin_us) * 1000 / ROUNDS);
    begin_us = clock_monotonic_us();
    for (int i = 0; i < ROUNDS / 100; i++) {
        now_us += 61 * TIME_SECOND_US;
        feature_answer_clear(&answer);
        assert_true(feature_reader_read(reader, &key, 1, &answer));
        assert_int_equal(answer.source, FEATURE_FROM_STORE);
    }
    print_message("from the store: %.1f us\n", (double)(clock_monotonic_us() - begin_us) * 100 / ROUNDS);
    feature_answer_release(&answer);
    feature_reader_destroy(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_of_teams_are_those_of_the_history, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_of_pairs_are_those_of_the_history, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_of_matches_are_those_of_matrix_and_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_answers_as_long_as_the_view_allows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_lead_to_keys_or_say_why_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_state_nothing_is_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_match_page_is_one_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_result_drops_what_its_country_has_and_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_past_drops_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(servers_share_what_one_of_them_made, set_up_redis, tear_down_redis),
        cmocka_unit_test_setup_teardown(values_of_other_data_or_damaged_are_not_used, set_up_redis,
                                        tear_down_redis),
        cmocka_unit_test_setup_teardown(a_result_drops_values_in_redis_too, set_up_redis, tear_down_redis),
        cmocka_unit_test_setup_teardown(rows_of_matches_in_redis_go_with_the_prices, set_up_redis,
                                        tear_down_redis),
        cmocka_unit_test_setup_teardown(cold_reads_of_one_key_do_the_work_once, set_up_redis,
                                        tear_down_redis),
        cmocka_unit_test_setup_teardown(a_redis_that_is_gone_or_paused_costs_a_moment, set_up_redis,
                                        tear_down_redis),
        cmocka_unit_test_setup_teardown(who_waits_when_the_server_stops_is_told, set_up_redis,
                                        tear_down_redis),
        cmocka_unit_test_setup_teardown(speed_of_reads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
