/* The simulation as files: read back by the reader of real data without a single issue, its side file joined to the
 * matches, the same bytes whatever the threads, and what may stand in the way. */
#include "task/simulate.h"

#include "base/time.h"
#include "football/simulation.h"
#include "os/test_folder.h"
#include "source/csv.h"
#include "source/football_data.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LEAGUES = 22, SEASONS = 3, FILE_BYTES_MAX = 1 << 26 };

static struct pool *pool;

static struct simulate_options options_of(const struct test_folder *folder, const char *name, int64_t leagues)
{
    struct simulate_options options;
    option_defaults(&simulate_option_table, &options);
    options.leagues = leagues;
    options.seasons = SEASONS;
    enum err_code code = file_join(folder->path, name, options.out, NULL);
    assert_int_equal(code, ERR_OK);
    return options;
}

static void simulate(struct pool *threads, const struct simulate_options *options,
                     struct simulate_result *out)
{
    struct err err;
    if (simulate_football(threads, options, NULL, out, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static void read_whole(const char *path, struct buffer *out)
{
    struct err err;
    buffer_init(out, FILE_BYTES_MAX);
    if (file_read(path, out, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static bool is_truth(const char *path)
{
    const char *name = strrchr(path, '/');
    return strcmp(name + 1, SIMULATE_TRUTH_FILE) == 0;
}

/* Every row of the file is kept, nothing is an issue, every market has all prices. */
static size_t check_file(const char *path)
{
    struct buffer text;
    struct football_tables tables;
    struct err err;
    read_whole(path, &text);
    if (football_data_read(buffer_text(&text), text.size_bytes, path, true, &tables, &err) != ERR_OK)
        fail_msg("%s", err.text);
    for (int reason = 0; reason < ISSUE_COUNT; reason++) {
        if (tables.issues.counts[reason] != 0)
            fail_msg("%s: %zu of '%s'", path, tables.issues.counts[reason],
                     issue_name((enum issue_reason)reason));
    }
    size_t matches = tables.rows_kept;
    assert_int_equal(tables.rows_read, matches);
    assert_int_equal(frame_rows(tables.matches), matches);
    /* two markets, before and at the close, of four bookmakers */
    assert_int_equal(frame_rows(tables.prices), matches * 2 * 2 * SIMULATED_BOOKMAKERS);
    size_t kickoff = (size_t)frame_find(tables.matches, "time_known");
    for (size_t row = 0; row < matches; row++)
        assert_int_equal(frame_i32(tables.matches, kickoff)[row], 1);
    football_tables_release(&tables);
    buffer_release(&text);
    return matches;
}

/* Rows of the side file are whole and their probabilities sum to one; returns how many. */
static size_t check_truth(const char *path)
{
    struct buffer text;
    struct csv_reader *csv = NULL;
    const struct text *fields;
    size_t count, rows = 0;
    bool at_end = false;
    struct err err;
    read_whole(path, &text);
    assert_int_equal(csv_open(buffer_text(&text), text.size_bytes, ',', path, &csv, &err), ERR_OK);
    assert_int_equal(csv_next(csv, &fields, &count, &at_end, &err), ERR_OK);
    while (csv_next(csv, &fields, &count, &at_end, &err) == ERR_OK && !at_end) {
        double p[4];
        int64_t time_us;
        bool has_clock;
        assert_int_equal(count, 8);
        assert_true(time_parse_iso(fields[1], &time_us, &has_clock) && !has_clock);
        for (size_t i = 0; i < 4; i++)
            assert_true(text_parse_f64(fields[4 + i], &p[i]) && p[i] > 0 && p[i] < 1);
        assert_true(fabs(p[0] + p[1] + p[2] - 1) < 3e-8);
        rows++;
    }
    assert_true(at_end);
    csv_close(csv);
    buffer_release(&text);
    return rows;
}

static void files_are_read_back_without_an_issue(void **state)
{
    struct test_folder folder;
    struct simulate_result result;
    struct file_list list;
    size_t matches = 0, truths = 0;
    (void)state;
    test_folder_create(&folder);
    struct simulate_options options = options_of(&folder, "out", LEAGUES);
    simulate(pool, &options, &result);
    assert_int_equal(file_list_open(options.out, ".csv", &list, NULL), ERR_OK);
    assert_int_equal(list.count, LEAGUES * SEASONS + 1);
    assert_int_equal(result.files, list.count);
    for (size_t i = 0; i < list.count; i++) {
        if (is_truth(list.paths[i]))
            truths += check_truth(list.paths[i]);
        else
            matches += check_file(list.paths[i]);
    }
    assert_int_equal(matches, SEASONS * 7214);
    assert_int_equal(truths, matches);
    assert_int_equal(result.matches, matches);
    file_list_close(&list);
    test_folder_remove(&folder);
}

/* Every match of a file stands in the side file, by league, date and teams, in the same order. */
static void truth_is_told_of_the_same_matches(void **state)
{
    struct test_folder folder;
    struct simulate_result result;
    struct buffer text, truth;
    struct football_tables tables;
    char path[FILE_PATH_BYTES];
    (void)state;
    test_folder_create(&folder);
    struct simulate_options options = options_of(&folder, "out", 2);
    simulate(pool, &options, &result);
    assert_int_equal(file_join(options.out, SIMULATE_TRUTH_FILE, path, NULL), ERR_OK);
    read_whole(path, &truth);
    assert_int_equal(file_join(options.out, "england/Championship_2023-2024.csv", path, NULL), ERR_OK);
    read_whole(path, &text);
    assert_int_equal(football_data_read(buffer_text(&text), text.size_bytes, path, true, &tables, NULL),
                     ERR_OK);
    const char *at = buffer_text(&truth);
    for (size_t row = 0; row < tables.rows_kept; row++) {
        char date[TIME_TEXT_BYTES], line[256];
        size_t day = (size_t)frame_find(tables.matches, "day");
        time_format_date(frame_i64(tables.matches, day)[row], date);
        int length = snprintf(line, sizeof line, "\nE1,%s,%s,%s,0.", date,
                              frame_text(tables.matches, (size_t)frame_find(tables.matches, "home"), row),
                              frame_text(tables.matches, (size_t)frame_find(tables.matches, "away"), row));
        assert_in_range(length, 20, sizeof line - 1);
        at = strstr(at, line);
        assert_non_null(at);
    }
    football_tables_release(&tables);
    buffer_release(&text);
    buffer_release(&truth);
    test_folder_remove(&folder);
}

static void threads_do_not_change_a_byte(void **state)
{
    struct test_folder folder;
    struct simulate_result result[2];
    struct pool *single = NULL;
    struct file_list lists[2];
    (void)state;
    test_folder_create(&folder);
    struct simulate_options options[2] = {options_of(&folder, "one", 12), options_of(&folder, "many", 12)};
    assert_int_equal(pool_create(1, &single, NULL), ERR_OK);
    simulate(single, &options[0], &result[0]);
    simulate(pool, &options[1], &result[1]);
    simulate(pool, &options[1], &result[1]); /* over its own files */
    assert_memory_equal(&result[0], &result[1], sizeof result[0]);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(file_list_open(options[i].out, NULL, &lists[i], NULL), ERR_OK);
    assert_int_equal(lists[0].count, 12 * SEASONS + 1);
    assert_int_equal(lists[0].count, lists[1].count);
    for (size_t i = 0; i < lists[0].count; i++) {
        struct buffer one, many;
        read_whole(lists[0].paths[i], &one);
        read_whole(lists[1].paths[i], &many);
        assert_string_equal(lists[0].paths[i] + strlen(options[0].out),
                            lists[1].paths[i] + strlen(options[1].out));
        assert_int_equal(one.size_bytes, many.size_bytes);
        assert_memory_equal(buffer_text(&one), buffer_text(&many), one.size_bytes);
        buffer_release(&one);
        buffer_release(&many);
    }
    file_list_close(&lists[0]);
    file_list_close(&lists[1]);
    pool_destroy(single);
    test_folder_remove(&folder);
}

static void bad_options_write_nothing(void **state)
{
    struct test_folder folder;
    struct simulate_result result;
    struct err err;
    (void)state;
    test_folder_create(&folder);
    struct simulate_options options = options_of(&folder, "out", 23);
    assert_int_equal(simulate_football(pool, &options, NULL, &result, &err), ERR_INVALID);
    assert_string_equal(err.field, "leagues");
    options = options_of(&folder, "out", 4);
    options.seasons = 0;
    assert_int_equal(simulate_football(pool, &options, NULL, &result, &err), ERR_INVALID);
    options = options_of(&folder, "out", 4);
    options.out[0] = '\0';
    assert_int_equal(simulate_football(pool, &options, NULL, &result, &err), ERR_INVALID);
    assert_string_equal(err.field, "out");
    assert_int_equal(test_entry_count(folder.path), 0);
    test_folder_remove(&folder);
}

static void foreign_files_are_not_mixed_with(void **state)
{
    struct test_folder folder;
    struct simulate_result result;
    struct err err;
    (void)state;
    test_folder_create(&folder);
    struct simulate_options options = options_of(&folder, "out", 2);
    simulate(pool, &options, &result);
    struct simulate_options fewer = options_of(&folder, "out", 1);
    assert_int_equal(simulate_football(pool, &fewer, NULL, &result, &err), ERR_CONFLICT);
    assert_non_null(strstr(err.text, "Championship_2022-2023.csv"));
    /* a file in the way of the folder */
    options = options_of(&folder, "out/true_probabilities.csv", 1);
    assert_int_not_equal(simulate_football(pool, &options, NULL, &result, &err), ERR_OK);
    assert_true(err.text[0] != '\0');
    test_folder_remove(&folder);
}

static bool stop_at_once(void *context)
{
    (void)context;
    return true;
}

static void stopping_leaves_no_side_file(void **state)
{
    struct test_folder folder;
    struct simulate_result result;
    struct reporter reporter = {.is_stopped = stop_at_once};
    struct err err;
    char path[FILE_PATH_BYTES];
    (void)state;
    test_folder_create(&folder);
    struct simulate_options options = options_of(&folder, "out", 4);
    simulate(pool, &options, &result);
    assert_int_equal(file_join(options.out, SIMULATE_TRUTH_FILE, path, NULL), ERR_OK);
    assert_true(file_exists(path));
    options.seed = 8;
    assert_int_equal(simulate_football(pool, &options, &reporter, &result, &err), ERR_CANCELLED);
    assert_false(file_exists(path));
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_back_without_an_issue),
        cmocka_unit_test(truth_is_told_of_the_same_matches),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(bad_options_write_nothing),
        cmocka_unit_test(foreign_files_are_not_mixed_with),
        cmocka_unit_test(stopping_leaves_no_side_file),
    };
    if (pool_create(3, &pool, NULL) != ERR_OK)
        return 1;
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    pool_destroy(pool);
    return failures;
}
