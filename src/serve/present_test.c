/* Present: whatever changed and whatever is kept, matrix and state are byte for byte those of a build from scratch, and the
 * way is the cheap one where it can be. */
#include "feature/live_state.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/history.h"
#include "os/test_folder.h"
#include "serve/present.h"
#include "serve/test_world.h"

#include <unistd.h>

static struct test_folder folder;
static struct store store;
static struct world world;

static void open_store(uint64_t seed, int days)
{
    struct err err = {0};
    test_folder_create(&folder);
    if (store_open(folder.path, DB_READ_WRITE, &store, &err) != ERR_OK)
        fail_msg("%s", err.text);
    world_create(&world, seed, days);
    world_tell(&world, store.db);
}

static void close_store(void)
{
    store_close(&store);
    test_folder_remove(&folder);
}

/* ---- the reference: one pass in memory ---- */

struct reference {
    struct history *history;
    float *values;
    struct live_state *state;
};

static void reference_create(struct reference *reference, const struct feature_set *set)
{
    struct football_frames frames;
    assert_int_equal(football_store_load(store.db, bookmaker_names(), 0, &frames, NULL), ERR_OK);
    assert_int_equal(history_create(frames.teams, frames.matches, frames.prices, frames.attributes,
                                    (struct history_options){0}, &reference->history, NULL),
                     ERR_OK);
    football_frames_release(&frames);
    reference->values =
        malloc(history_rows(reference->history) * feature_set_columns(set) * sizeof(float) + 1);
    assert_non_null(reference->values);
    assert_int_equal(builder_run(set, history_streams(reference->history),
                                 history_stream_count(reference->history), reference->values, NULL, NULL,
                                 &reference->state, NULL),
                     ERR_OK);
}

static void reference_release(struct reference *reference)
{
    live_state_destroy(reference->state);
    history_destroy(reference->history);
    free(reference->values);
}

static void check_matrix(const struct matrix *matrix, const struct reference *reference,
                         const struct feature_set *set)
{
    size_t rows = history_rows(reference->history), columns = feature_set_columns(set);
    assert_int_equal(matrix_rows(matrix), rows);
    assert_int_equal(matrix_columns(matrix), columns);
    assert_memory_equal(matrix_row_info(matrix), history_row_info(reference->history),
                        rows * sizeof(struct matrix_row));
    for (size_t row = 0; row < rows; row++) {
        if (memcmp(matrix_values(matrix) + row * columns, reference->values + row * columns,
                   columns * sizeof(float)) != 0)
            fail_msg("row %zu of %zu differs", row, rows);
    }
    assert_int_equal(matrix_verify(matrix, NULL, NULL), ERR_OK);
}

static void check_state(const struct live_state *state, const struct reference *reference)
{
    assert_int_equal(state->block_bytes, reference->state->block_bytes);
    assert_int_equal(memcmp(state->block, reference->state->block, state->block_bytes), 0);
}

static struct present_request request_of(const struct feature_set *set)
{
    return (struct present_request){.store = &store, .set = set, .want_matrix = true, .want_state = true};
}

static struct present open_present(struct present_request request)
{
    struct present present;
    struct err err = {0};
    if (present_open(&request, &present, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return present;
}

/* Opens, compares with the reference, tells the way. */
static enum present_way check(struct present_request request, size_t *out_computed)
{
    struct reference reference = {0};
    struct present present = open_present(request);
    reference_create(&reference, request.set);
    assert_int_equal(present.matrix != NULL, request.want_matrix);
    assert_int_equal(present.state != NULL, request.want_state);
    if (present.matrix != NULL)
        check_matrix(present.matrix, &reference, request.set);
    if (present.state != NULL)
        check_state(present.state, &reference);
    if (out_computed != NULL)
        *out_computed = present.rows_computed;
    enum present_way way = present.way;
    present_release(&present);
    reference_release(&reference);
    return way;
}

/* ---- one thing at a time ---- */

static void built_then_opened_then_extended(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    size_t computed = 0;
    open_store(1, 200);
    assert_int_equal(check(request_of(set), NULL), PRESENT_BUILT);
    assert_int_equal(check(request_of(set), &computed), PRESENT_OPENED);
    assert_int_equal(computed, 0);
    static const enum world_event events[] = {WORLD_DAYS,    WORLD_LATE_RESULT, WORLD_CORRECTION,
                                              WORLD_PRICES,  WORLD_NEW_TEAM,    WORLD_MOVED,
                                              WORLD_INSERTED};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        world_change(&world, events[i], 20);
        world_tell(&world, store.db);
        assert_int_equal(check(request_of(set), &computed), PRESENT_EXTENDED);
        assert_true(computed < (size_t)world.count / 3);
    }
    close_store();
}

/* Told again what it knows, the store is in another state, but nothing is computed. */
static void nothing_new_computes_nothing(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    size_t computed = 1;
    open_store(2, 60);
    assert_int_equal(check(request_of(set), NULL), PRESENT_BUILT);
    for (int i = 0; i < world.count; i++)
        world.matches[i].is_told = false;
    world_tell(&world, store.db);
    assert_int_equal(check(request_of(set), &computed), PRESENT_EXTENDED);
    assert_int_equal(computed, 0);
    close_store();
}

/* Before the checkpoint there is nothing to start from. */
static void an_old_correction_builds(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    open_store(3, 150);
    assert_int_equal(check(request_of(set), NULL), PRESENT_BUILT);
    struct world_match *oldest = &world.matches[0];
    for (int i = 0; i < world.count; i++)
        oldest = world.matches[i].day < oldest->day ? &world.matches[i] : oldest;
    oldest->goals[0] = 9;
    oldest->is_told = false;
    world_tell(&world, store.db);
    assert_int_equal(check(request_of(set), NULL), PRESENT_BUILT);
    world_pass_days(&world, 3);
    world_tell(&world, store.db);
    assert_int_equal(check(request_of(set), NULL), PRESENT_EXTENDED);
    close_store();
}

static void a_state_long_ago_is_found(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    open_store(7, 60);
    assert_int_equal(check(request_of(set), NULL), PRESENT_BUILT);
    for (int i = 0; i < 100; i++)
        world_tell(&world, store.db);
    world_pass_days(&world, 2);
    world_tell(&world, store.db);
    assert_int_equal(check(request_of(set), NULL), PRESENT_EXTENDED);
    close_store();
}

static void checkpoint_name(char out[FILE_PATH_BYTES])
{
    struct file_list list;
    assert_int_equal(file_list_open(store.matrix, ".checkpoint", &list, NULL), ERR_OK);
    assert_int_equal(list.count, 1);
    (void)text_copy(text_of(list.paths[0]), out, FILE_PATH_BYTES);
    file_list_close(&list);
}

static void the_checkpoint_moves_on(void **state)
{
    (void)state;
    char first[FILE_PATH_BYTES], last[FILE_PATH_BYTES];
    const struct feature_set *set = football_feature_set_widest();
    open_store(8, 60);
    assert_int_equal(check(request_of(set), NULL), PRESENT_BUILT);
    checkpoint_name(first);
    for (int week = 0; week < 40; week++) {
        world_pass_days(&world, 7);
        world_tell(&world, store.db);
        struct present present = open_present(request_of(set));
        assert_int_equal(present.way, PRESENT_EXTENDED);
        present_release(&present);
    }
    checkpoint_name(last);
    assert_string_not_equal(first, last);
    struct world_match *late = NULL;
    for (int i = 0; i < world.count; i++) {
        if (world.matches[i].day > world.today - 30 && world.matches[i].day < world.today - 20)
            late = &world.matches[i];
    }
    assert_non_null(late);
    world_play(&world, late);
    world_tell(&world, store.db);
    assert_int_equal(check(request_of(set), NULL), PRESENT_EXTENDED);
    close_store();
}

static struct feature_set part_of_widest(const struct tracker **trackers, size_t first, size_t count)
{
    const struct feature_set *set = football_feature_set_widest();
    memcpy(trackers, set->trackers + first, count * sizeof(*trackers));
    trackers[count] = NULL;
    return (struct feature_set){"part", "", trackers};
}

static void only_missing_families_are_computed(void **state)
{
    (void)state;
    const struct feature_set *set = football_feature_set_widest();
    const struct tracker *some[64], *changed[64];
    struct tracker newer;
    struct feature_set narrow = part_of_widest(some, 0, 3);
    open_store(4, 120);
    assert_int_equal(check(request_of(&narrow), NULL), PRESENT_BUILT);
    assert_int_equal(check(request_of(set), NULL), PRESENT_FAMILIES);
    struct present present = open_present(request_of(set));
    assert_int_equal(present.way, PRESENT_OPENED);
    present_release(&present);
    world_pass_days(&world, 2);
    world_tell(&world, store.db);
    assert_int_equal(check(request_of(set), NULL), PRESENT_EXTENDED);
    /* one family in a newer version, another one gone */
    size_t count = 0;
    while (set->trackers[count] != NULL)
        count++;
    struct feature_set next = part_of_widest(changed, 1, count - 1);
    newer = *changed[2];
    newer.version++;
    changed[2] = &newer;
    present = open_present(request_of(&next));
    assert_int_equal(present.way, PRESENT_FAMILIES);
    assert_int_equal(present.columns_computed, newer.feature_count);
    struct reference reference = {0};
    reference_create(&reference, &next);
    check_matrix(present.matrix, &reference, &next);
    check_state(present.state, &reference);
    reference_release(&reference);
    present_release(&present);
    close_store();
}

/* A small set that reads results, tables and prices. */
static struct feature_set small_set(const struct tracker **trackers)
{
    static const char *const families[] = {"elo", "form", "market", "table", "h2h", "rest"};
    const struct feature_set *set = football_feature_set_widest();
    size_t count = 0;
    for (size_t t = 0; set->trackers[t] != NULL; t++) {
        for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
            if (strcmp(set->trackers[t]->family, families[i]) == 0)
                trackers[count++] = set->trackers[t];
        }
    }
    assert_true(count >= 4);
    trackers[count] = NULL;
    return (struct feature_set){"small", "", trackers};
}

static enum err_code refuse(void *context, const struct football_frames *frames,
                            const struct audit_built *built, struct err *err)
{
    assert_true(frame_rows(frames->teams) > 0 && frame_rows(frames->matches) > 0);
    assert_int_equal(built->row_count, frame_rows(frames->matches));
    (*(int *)context)++;
    return err_set(err, ERR_INVALID, "a leak");
}

/* Heads, rows, values and states in the folder. */
static size_t count_files(void)
{
    static const char *const suffixes[] = {".mat", ".rows", ".values", ".state", ".checkpoint"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct file_list list;
        assert_int_equal(file_list_open(store.matrix, suffixes[i], &list, NULL), ERR_OK);
        count += list.count;
        file_list_close(&list);
    }
    return count;
}

static void only_what_is_built_anew_is_audited(void **state)
{
    (void)state;
    int calls = 0;
    struct present present;
    struct present_request request = request_of(football_feature_set_widest());
    request.audit = refuse;
    request.context = &calls;
    open_store(5, 60);
    assert_int_equal(present_open(&request, &present, NULL), ERR_INVALID);
    assert_int_equal(calls, 1);
    assert_int_equal(count_files(), 0);
    request.want_matrix = false; /* no matrix, nothing to audit */
    assert_int_equal(check(request, NULL), PRESENT_BUILT);
    assert_int_equal(check(request_of(request.set), NULL), PRESENT_BUILT);
    request.want_matrix = true;
    world_pass_days(&world, 2);
    world_tell(&world, store.db);
    assert_int_equal(check(request, NULL), PRESENT_EXTENDED);
    assert_int_equal(calls, 1);
    size_t files = count_files();
    request.from_scratch = true; /* what stands beside what is refused goes on to serve */
    assert_int_equal(present_open(&request, &present, NULL), ERR_INVALID);
    assert_int_equal(calls, 2);
    assert_int_equal(count_files(), files);
    request.from_scratch = false;
    assert_int_equal(check(request, NULL), PRESENT_OPENED);
    close_store();
}

/* Kept columns that are not what they would be now. */
static enum err_code doubt_once(void *context, const struct football_frames *frames,
                                const struct audit_built *built, struct err *err)
{
    assert_true(frames != NULL && built != NULL);
    return (*(int *)context)++ == 0 ? err_set(err, ERR_CONFLICT, "other features than before") : ERR_OK;
}

static void kept_families_that_are_out_of_date_are_built_anew(void **state)
{
    (void)state;
    int calls = 0;
    const struct tracker *some[8];
    struct feature_set small = small_set(some);
    open_store(5, 60);
    assert_int_equal(check(request_of(&small), NULL), PRESENT_BUILT);
    struct present_request request = request_of(football_feature_set_widest());
    request.audit = doubt_once;
    request.context = &calls;
    assert_int_equal(check(request, NULL), PRESENT_BUILT);
    assert_int_equal(calls, 2);
    close_store();
}

static void effort_is_limited(void **state)
{
    (void)state;
    struct present present;
    struct present_request request = request_of(football_feature_set_widest());
    open_store(6, 60);
    request.only_extend = true;
    assert_int_equal(present_open(&request, &present, NULL), ERR_NOT_FOUND);
    assert_null(present.teams);
    assert_int_equal(check(request_of(request.set), NULL), PRESENT_BUILT);
    request.only_open = true;
    assert_int_equal(check(request, NULL), PRESENT_OPENED);
    world_pass_days(&world, 2);
    world_tell(&world, store.db);
    assert_int_equal(present_open(&request, &present, NULL), ERR_NOT_FOUND);
    request.only_open = false;
    assert_int_equal(check(request, NULL), PRESENT_EXTENDED);
    close_store();
}

static void a_store_without_matches(void **state)
{
    (void)state;
    struct err err = {0};
    struct present present;
    struct present_request request = request_of(football_feature_set_widest());
    test_folder_create(&folder);
    assert_int_equal(store_open(folder.path, DB_READ_WRITE, &store, &err), ERR_OK);
    assert_int_equal(present_open(&request, &present, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "almanac import"));
    request.want_matrix = false;
    assert_int_equal(check(request, NULL), PRESENT_BUILT);
    close_store();
}

/* ---- all things at once ---- */

static void damage(struct random *random)
{
    static const char *const suffixes[] = {".state", ".checkpoint", ".mat", ".values"};
    struct file_list list;
    struct file_info info;
    assert_int_equal(file_list_open(store.matrix, suffixes[random_below(random, 4)], &list, NULL), ERR_OK);
    for (size_t i = 0; i < list.count; i++) {
        if (random_below(random, 2) == 0 && file_stat(list.paths[i], &info, NULL) == ERR_OK) {
            if (random_below(random, 2) == 0)
                assert_int_equal(file_remove(list.paths[i], NULL), ERR_OK);
            else
                assert_int_equal(truncate(list.paths[i], info.size_bytes / 2), 0);
        }
    }
    file_list_close(&list);
}

static void random_rounds(const struct feature_set *set, uint64_t seed, int rounds, int damage_every)
{
    size_t ways[PRESENT_BUILT + 1] = {0};
    open_store(seed, 120);
    for (int round = 0; round < rounds; round++) {
        for (int k = (int)random_below(&world.random, 3); k >= 0; k--) {
            /* most changes are near the end, some anywhere */
            int depth = random_below(&world.random, 12) == 0 ? 400 : (int)random_below(&world.random, 40) + 1;
            enum world_event event = random_below(&world.random, 2) == 0
                                         ? WORLD_DAYS
                                         : (enum world_event)random_below(&world.random, WORLD_EVENTS);
            world_change(&world, event, depth);
        }
        world_tell(&world, store.db);
        if (damage_every > 0 && round % damage_every == damage_every - 1)
            damage(&world.random);
        struct present_request request = request_of(set);
        request.want_matrix = random_below(&world.random, 5) > 0;
        request.want_state = !request.want_matrix || random_below(&world.random, 3) > 0;
        ways[check(request, NULL)]++;
    }
    print_message("%d rounds: %zu opened, %zu extended, %zu built\n", rounds, ways[PRESENT_OPENED],
                  ways[PRESENT_EXTENDED], ways[PRESENT_BUILT]);
    if (damage_every == 0)
        assert_true(ways[PRESENT_EXTENDED] > ways[PRESENT_BUILT] * 3);
    close_store();
}

static void random_changes_of_all_families(void **state)
{
    (void)state;
    random_rounds(football_feature_set_widest(), 11, 60, 0);
}

static void random_changes(void **state)
{
    (void)state;
    const struct tracker *some[8];
    struct feature_set set = small_set(some);
    random_rounds(&set, 12, 200, 0);
}

static void random_changes_and_damage(void **state)
{
    (void)state;
    const struct tracker *some[8];
    struct feature_set set = small_set(some);
    random_rounds(&set, 13, 60, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_then_opened_then_extended),
        cmocka_unit_test(nothing_new_computes_nothing),
        cmocka_unit_test(an_old_correction_builds),
        cmocka_unit_test(a_state_long_ago_is_found),
        cmocka_unit_test(the_checkpoint_moves_on),
        cmocka_unit_test(only_missing_families_are_computed),
        cmocka_unit_test(only_what_is_built_anew_is_audited),
        cmocka_unit_test(kept_families_that_are_out_of_date_are_built_anew),
        cmocka_unit_test(effort_is_limited),
        cmocka_unit_test(a_store_without_matches),
        cmocka_unit_test(random_changes_of_all_families),
        cmocka_unit_test(random_changes),
        cmocka_unit_test(random_changes_and_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
