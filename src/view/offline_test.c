/* The offline store over a small invented view: what is written is read back, a join as of a time equals a plain loop, a
 * write replaces the years it touches and nothing is seen of one that does not finish, bad files are refused by line. */
#include "view/offline.h"

#include "base/random.h"
#include "base/time.h"
#include "feature/test_domain.h"
#include "os/folder.h"
#include "os/test_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { COLUMNS = 3, TEAMS = 9, ROWS = 4000 };

static const struct view_pick picks[] = {{"mean_", "", 0}, {0}};
static const struct feature_view team_view = {"small", 1, VIEW_TEAM, "a small view", "tests", 1000, picks};
static const struct feature_view pair_view = {"pair", 1, VIEW_PAIR, "a view of pairs", "tests", 1000, picks};

static struct test_folder place;
static struct duck *duck;
static int64_t team[ROWS], other[ROWS], event_us[ROWS];
static float values[ROWS][COLUMNS];

static void make_rows(void)
{
    struct random random;
    random_init(&random, 11);
    int64_t now_us = time_day_from_civil(2019, 3, 1) * TIME_DAY_US;
    for (size_t i = 0; i < ROWS; i++) {
        now_us += (int64_t)random_below(&random, 20) * TIME_HOUR_US + 1; /* never two rows of one moment */
        team[i] = (int64_t)random_below(&random, TEAMS) + 1;
        other[i] = team[i] % TEAMS + 1;
        event_us[i] = now_us;
        for (size_t c = 0; c < COLUMNS; c++)
            values[i][c] = random_below(&random, 5) == 0 ? NAN : (float)random_uniform(&random) * 7;
    }
}

static int set_up(void **state)
{
    struct err err = {0};
    struct duck_options options = {.threads = 2};
    (void)state;
    if (duck_probe(NULL, &err) != ERR_OK) {
        print_message("%s: skipped\n", err.text);
        return 0;
    }
    test_folder_create(&place);
    make_rows();
    return duck_open(&options, &duck, &err) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (duck == NULL)
        return 0;
    duck_close(duck);
    duck = NULL;
    test_folder_remove(&place);
    return 0;
}

static void need_duck(void)
{
    if (duck == NULL)
        skip();
}

static struct offline_write write_of(const struct feature_view *view, int64_t from_us)
{
    return (struct offline_write){view, &test_set, "abc", from_us, 1700000000 * TIME_SECOND_US};
}

static struct offline_rows rows_of(size_t first, size_t count)
{
    return (struct offline_rows){{team + first, other + first}, event_us + first, values[first], count};
}

static void save(const struct feature_view *view, int64_t from_us, size_t first, size_t count)
{
    struct err err = {0};
    struct offline_write write = write_of(view, from_us);
    struct offline_rows rows = rows_of(first, count);
    enum err_code code = offline_store_write(place.path, duck, &write, &rows, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
}

static const char *put_file(const char *name, const char *text)
{
    const char *path = test_folder_path(&place, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), ERR_OK);
    return path;
}

static void read_file(const char *path, struct buffer *out)
{
    buffer_init(out, 64 << 20);
    assert_int_equal(file_read(path, out, NULL), ERR_OK);
}

/* ---- reading back ---- */

static void check_same(double got, float expected)
{
    if (isnan(expected))
        assert_true(isnan(got));
    else
        assert_true((float)got == expected);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    need_duck();
    save(&team_view, INT64_MIN, 0, ROWS);
    struct offline_range range = {
        .view = "small", .from_us = INT64_MIN, .to_us = INT64_MAX, .limit = 1000000};
    struct duck_result *result = NULL;
    bool has_row;
    size_t row = 0;
    assert_int_equal(offline_store_range(place.path, duck, &range, &result, NULL), ERR_OK);
    assert_int_equal(duck_result_columns(result), 2 + COLUMNS);
    assert_string_equal(duck_result_name(result, 0), "team");
    assert_string_equal(duck_result_name(result, 1), "event_timestamp");
    assert_string_equal(duck_result_name(result, 2), "a");
    while (duck_result_next(result, &has_row, NULL) == ERR_OK && has_row) {
        assert_int_equal(duck_i64(result, 0), team[row]);
        assert_int_equal(duck_i64(result, 1), event_us[row]);
        for (size_t c = 0; c < COLUMNS; c++)
            check_same(duck_f64(result, 2 + c), values[row][c]);
        row++;
    }
    assert_int_equal(row, ROWS);
    duck_result_destroy(result);
}

static void a_range_is_of_one_entity(void **state)
{
    static const char *const chosen[] = {"seen", NULL};
    const int64_t key = 4;
    int64_t from_us = event_us[ROWS / 3], to_us = event_us[2 * ROWS / 3];
    (void)state;
    need_duck();
    struct offline_range range = {
        .view = "small", .keys = &key, .features = chosen, .from_us = from_us, .to_us = to_us, .limit = 50};
    struct duck_result *result = NULL;
    size_t expected[ROWS], count = 0, seen = 0;
    bool has_row;
    for (size_t i = 0; i < ROWS; i++) {
        if (team[i] == key && event_us[i] >= from_us && event_us[i] < to_us)
            expected[count++] = i;
    }
    assert_true(count > 60);
    assert_int_equal(offline_store_range(place.path, duck, &range, &result, NULL), ERR_OK);
    assert_int_equal(duck_result_columns(result), 3);
    while (duck_result_next(result, &has_row, NULL) == ERR_OK && has_row) {
        size_t row = expected[count - 50 + seen++]; /* the newest 50, newest last */
        assert_int_equal(duck_i64(result, 1), event_us[row]);
        check_same(duck_f64(result, 2), values[row][2]);
    }
    assert_int_equal(seen, 50);
    duck_result_destroy(result);
}

static void the_description_is_whole(void **state)
{
    json_t *meta = NULL, *list = NULL;
    (void)state;
    need_duck();
    assert_int_equal(offline_store_describe(place.path, "small", &meta, NULL), ERR_OK);
    assert_int_equal(json_integer_value(json_object_get(meta, "rows")), ROWS);
    assert_string_equal(json_string_value(json_object_get(meta, "entity")), "team");
    assert_string_equal(json_string_value(json_object_get(meta, "owner")), "tests");
    assert_string_equal(json_string_value(json_object_get(meta, "source_hash")), "abc");
    assert_string_equal(json_string_value(json_object_get(meta, "created")), "2023-11-14T22:13:20Z");
    assert_true(json_integer_value(json_object_get(meta, "bytes")) > ROWS);
    const json_t *feature = json_array_get(json_object_get(meta, "features"), 0);
    assert_string_equal(json_string_value(json_object_get(feature, "name")), "a");
    assert_string_equal(json_string_value(json_object_get(feature, "family")), "mean");
    assert_string_equal(json_string_value(json_object_get(feature, "available_at")), "before_start");
    const json_t *a = json_object_get(json_object_get(meta, "statistics"), "a");
    double sum = 0, squares = 0, least = 100;
    size_t present = 0;
    for (size_t i = 0; i < ROWS; i++) {
        double value = (double)values[i][0];
        if (isnan(value))
            continue;
        present++;
        sum += value;
        squares += value * value;
        least = value < least ? value : least;
    }
    double mean = sum / (double)present;
    assert_int_equal(json_integer_value(json_object_get(a, "count")), present);
    assert_true(fabs(json_number_value(json_object_get(a, "mean")) - mean) < 1e-9);
    assert_true(fabs(json_number_value(json_object_get(a, "deviation")) -
                     sqrt(squares / (double)present - mean * mean)) < 1e-6);
    assert_true(json_number_value(json_object_get(a, "min")) == least);
    assert_true(fabs(json_number_value(json_object_get(a, "missing_share")) - (1 - (double)present / ROWS)) <
                1e-12);
    assert_true(fabs(json_number_value(json_object_get(a, "q50")) - 3.5) < 0.3); /* uniform in 0..7 */
    assert_true(fabs(json_number_value(json_object_get(a, "q95")) - 6.65) < 0.2);
    json_decref(meta);
    assert_int_equal(offline_store_list(place.path, &list, NULL), ERR_OK);
    assert_int_equal(json_array_size(list), 1);
    assert_null(json_object_get(json_array_get(list, 0), "statistics"));
    json_decref(list);
}

/* ---- joins ---- */

/* Newest row of the entity at or before the moment; -1: none. */
static int64_t look_up(int64_t key, int64_t at_us, int64_t max_age_us)
{
    int64_t found = -1;
    for (size_t i = 0; i < ROWS && event_us[i] <= at_us; i++) {
        if (team[i] == key)
            found = (int64_t)i;
    }
    return found >= 0 && max_age_us > 0 && at_us - event_us[found] > max_age_us ? -1 : found;
}

enum { ASKED = 500 };

static void make_question(int64_t key[ASKED], int64_t at_us[ASKED])
{
    struct random random;
    random_init(&random, 3);
    for (size_t i = 0; i < ASKED; i++) {
        key[i] = (int64_t)random_below(&random, TEAMS + 2); /* also unknown ones */
        size_t row = random_below(&random, ROWS); /* at a row, just before, just behind, before all */
        at_us[i] = event_us[row] + (int64_t)random_below(&random, 3) - 1;
        if (i % 20 == 0)
            at_us[i] = event_us[0] - 1 - (int64_t)i;
        if (i % 2 == 0 && i % 20 != 0)
            key[i] = team[row];
    }
}

/* The first `count` questions. */
static void check_join(const int64_t *key, const int64_t *at_us, size_t count, int64_t max_age_us)
{
    struct offline_join join = {
        .view = "small", .key = {key, NULL}, .event_us = at_us, .count = count, .max_age_us = max_age_us};
    struct offline_joined joined;
    size_t row = 0, found = 0;
    bool has_row;
    assert_int_equal(offline_store_join(place.path, duck, &join, &joined, NULL), ERR_OK);
    while (duck_result_next(joined.result, &has_row, NULL) == ERR_OK && has_row) {
        int64_t expected = look_up(key[row], at_us[row], max_age_us);
        assert_int_equal(duck_i64(joined.result, 0), row);
        for (size_t c = 0; c < COLUMNS; c++)
            check_same(duck_f64(joined.result, 1 + c), expected < 0 ? NAN : values[expected][c]);
        found += expected >= 0;
        row++;
    }
    assert_int_equal(row, count);
    assert_int_equal(joined.rows, count);
    assert_int_equal(joined.found, found);
    assert_true(found > count / 5 && found < count);
    duck_result_destroy(joined.result);
}

static void check_joins(void)
{
    int64_t key[ASKED], at_us[ASKED];
    make_question(key, at_us);
    for (int64_t max_age_us = 0; max_age_us <= 2 * TIME_DAY_US; max_age_us += 2 * TIME_DAY_US)
        check_join(key, at_us, ASKED, max_age_us);
    check_join(key, at_us, 7, 0); /* few: not everything is read */
}

static void a_join_equals_a_plain_loop(void **state)
{
    (void)state;
    need_duck();
    check_joins();
}

/* As older programs wrote them: compressed, so that the engine must read them; one alone, then all. */
static void compressed_partitions_are_joined_too(void **state)
{
    static const int years[] = {2020, 2019, 2021, 2022, 2023};
    char name[OFFLINE_NAME_BYTES], part[OFFLINE_NAME_BYTES + 32], sql[2 * FILE_PATH_BYTES + 256];
    (void)state;
    need_duck();
    offline_store_name(&team_view, &test_set, name);
    for (size_t i = 0; i < sizeof(years) / sizeof(*years); i++) {
        (void)snprintf(part, sizeof(part), "%s/year=%d/rows.parquet", name, years[i]);
        const char *path = test_folder_path(&place, part);
        if (!file_exists(path))
            continue;
        (void)snprintf(sql, sizeof(sql), "CREATE OR REPLACE TABLE year_rows AS SELECT * FROM '%s'", path);
        assert_int_equal(duck_query(duck, sql, NULL, 0, NULL, NULL), ERR_OK);
        (void)snprintf(sql, sizeof(sql), "COPY year_rows TO '%s' (FORMAT parquet, COMPRESSION lz4_raw)",
                       path);
        assert_int_equal(duck_query(duck, sql, NULL, 0, NULL, NULL), ERR_OK);
        check_joins();
    }
    assert_int_equal(duck_query(duck, "DROP TABLE year_rows", NULL, 0, NULL, NULL), ERR_OK);
    save(&team_view, INT64_MIN, 0, ROWS);
}

/* Parquet out of a file with columns of all kinds: they are kept, and the features stand behind them. */
static void parquet_keeps_columns_of_all_kinds(void **state)
{
    char entities[FILE_PATH_BYTES], output[FILE_PATH_BYTES], sql[2 * FILE_PATH_BYTES + 512];
    struct offline_joined joined;
    struct err err = {0};
    bool has_row;
    struct duck_result *result = NULL;
    (void)state;
    need_duck();
    (void)snprintf(entities, sizeof(entities), "%s", test_folder_path(&place, "kinds.parquet"));
    (void)snprintf(output, sizeof(output), "%s", test_folder_path(&place, "kinds_out.parquet"));
    (void)snprintf(
        sql, sizeof(sql),
        "COPY (SELECT {'x': [range]} AS s, (range %% 11)::INTEGER AS team, (range %% 250)::UTINYINT AS u, "
        "make_timestamp(%lld + range * 86400000000 * 3) AS event_timestamp FROM range(300) ORDER BY range "
        "DESC) TO '%s'",
        (long long)event_us[5], entities);
    assert_int_equal(duck_query(duck, sql, NULL, 0, NULL, NULL), ERR_OK);
    struct offline_join join = {.view = "small", .entities = entities, .output = output};
    for (int again = 0; again < 2; again++) { /* the second time a file is there */
        enum err_code code = offline_store_join(place.path, duck, &join, &joined, &err);
        assert_string_equal(err.text, "");
        assert_int_equal(code, ERR_OK);
    }
    (void)snprintf(sql, sizeof(sql), "SELECT s.x[1], team, u, event_timestamp, a, b, seen FROM '%s'", output);
    assert_int_equal(duck_query(duck, sql, NULL, 0, &result, NULL), ERR_OK);
    for (int64_t row = 299; row >= 0; row--) {
        assert_int_equal(duck_result_next(result, &has_row, NULL), ERR_OK);
        assert_true(has_row);
        assert_int_equal(duck_i64(result, 0), row);
        assert_int_equal(duck_i64(result, 1), row % 11);
        assert_int_equal(duck_i64(result, 2), row % 250);
        int64_t at_us = event_us[5] + row * 3 * TIME_DAY_US, expected = look_up(row % 11, at_us, 0);
        assert_int_equal(duck_i64(result, 3), at_us);
        for (size_t c = 0; c < COLUMNS; c++)
            check_same(duck_f64(result, 4 + c), expected < 0 ? NAN : values[expected][c]);
    }
    duck_result_destroy(result);
    join.output = test_folder_path(&place, "none/out.parquet");
    assert_int_not_equal(offline_store_join(place.path, duck, &join, &joined, &err), ERR_OK);
    assert_non_null(strstr(err.text, "none/out.parquet"));
}

static void pairs_have_two_keys(void **state)
{
    (void)state;
    need_duck();
    save(&pair_view, INT64_MIN, 0, ROWS);
    const int64_t key[] = {team[ROWS - 1], other[ROWS - 1]}, at_us[] = {INT64_C(4000000000000000), 0};
    const int64_t home[] = {key[0], key[1]}, away[] = {key[1], key[0]};
    const int64_t when_us[] = {at_us[0], at_us[0]};
    struct offline_join join = {.view = "pair", .key = {home, away}, .event_us = when_us, .count = 2};
    struct offline_joined joined;
    bool has_row;
    assert_int_equal(offline_store_join(place.path, duck, &join, &joined, NULL), ERR_OK);
    assert_int_equal(joined.found, 1); /* the pair the other way round was never written */
    assert_int_equal(duck_result_next(joined.result, &has_row, NULL), ERR_OK);
    for (size_t c = 0; c < COLUMNS; c++)
        check_same(duck_f64(joined.result, 1 + c), values[ROWS - 1][c]);
    duck_result_destroy(joined.result);
}

static enum err_code resolve(void *context, const char *country, const char *name, int64_t *out_id,
                             struct err *err)
{
    ++*(int *)context;
    if (strcmp(country, "England") == 0 && strcmp(name, "One, the \"first\"") == 0) {
        *out_id = 1;
        return ERR_OK;
    }
    return err_set(err, ERR_NOT_FOUND, "no team '%s' in %s; near: One", name, country);
}

static void files_keep_their_order_and_columns(void **state)
{
    int calls = 0;
    struct err err = {0};
    struct buffer text;
    (void)state;
    need_duck();
    const char *const chosen[] = {"b", NULL};
    const char *path =
        put_file("names.csv", "note,country,team_name,event_timestamp\n"
                              "007,England,\"One, the \"\"first\"\"\",2030-01-01 00:00:00\n"
                              "\"a\nb\",England,\"One, the \"\"first\"\"\",1990-01-01\n"
                              "x,England,\"One, the \"\"first\"\"\",2030-01-01T00:00:00+01:00\n");
    const char *output = test_folder_path(&place, "out.csv");
    struct offline_join join = {.view = "small",
                                .entities = path,
                                .output = output,
                                .features = chosen,
                                .resolver = {resolve, &calls}};
    struct offline_joined joined;
    enum err_code code = offline_store_join(place.path, duck, &join, &joined, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    assert_int_equal(calls, 1); /* once per name */
    assert_int_equal(joined.rows, 3);
    assert_int_equal(joined.found, 2);
    read_file(output, &text);
    assert_int_equal(
        strncmp(buffer_text(&text), "note,country,team_name,event_timestamp,b\n007,England,", 53), 0);
    assert_non_null(strstr(buffer_text(&text), "\"a\nb\",England,\"One, the \"\"first\"\"\",1990-01-01,\n"));
    buffer_release(&text);
}

static void refuse(const char *content, const char *where, const char *field)
{
    struct err err = {0};
    int calls = 0;
    const char *path = put_file("bad.csv", content);
    struct offline_join join = {.view = "small",
                                .entities = path,
                                .output = test_folder_path(&place, "bad_out.csv"),
                                .resolver = {resolve, &calls}};
    struct offline_joined joined;
    enum err_code code = offline_store_join(place.path, duck, &join, &joined, &err);
    if (code != ERR_INVALID || strstr(err.text, where) == NULL || strstr(err.text, "bad.csv") == NULL ||
        strcmp(err.field, field) != 0)
        fail_msg("%s: '%s' field '%s'", content, err.text, err.field);
    assert_false(file_exists(join.output));
}

static void bad_files_are_refused_by_line(void **state)
{
    (void)state;
    need_duck();
    refuse("", "empty", "entities");
    refuse("team,event_timestamp\n", "no rows", "entities");
    refuse("team,when\n1,2024-01-01\n", "no column 'event_timestamp'", "event_timestamp");
    refuse("club,event_timestamp\n1,2024-01-01\n", "no column 'team' (or 'country' and 'team_name')", "team");
    refuse("team,event_timestamp\n1,2024-01-01\n2,2024-13-01\n",
           "line 3, field 'event_timestamp': '2024-13-01'", "event_timestamp");
    refuse("team,event_timestamp,n\n1,2024-01-01,\"a\nb\"\n\n2,yesterday,\n",
           "line 5, field 'event_timestamp'", "event_timestamp");
    refuse("team,event_timestamp\r\n1,2024-01-01\r\n2.5,2024-01-01\r\n", "line 3, field 'team': '2.5'",
           "team");
    refuse("team,event_timestamp\n1,2024-01-01\n,2024-01-01\n", "line 3, field 'team': is empty", "team");
    refuse("team,event_timestamp\n1,2024-01-01\n2\n", "bad.csv", "entities");
    refuse("team,event_timestamp\nEngland/Two,2024-01-01\n",
           "line 2, field 'team': no team 'Two' in England; near: One", "team");
    refuse("country,team_name,event_timestamp\nEngland,Two,2024-01-01\n", "line 2, field 'team_name'",
           "team_name");
    refuse("team,event_timestamp,seen\n1,2024-01-01,2\n", "has a column 'seen'", "seen");
}

static void unknown_names_may_be_allowed(void **state)
{
    int calls = 0;
    (void)state;
    need_duck();
    struct offline_join join = {
        .view = "small",
        .entities = put_file("unknown.csv", "team,event_timestamp\nEngland/Two,2030-01-01\n1,2030-01-01\n"),
        .output = test_folder_path(&place, "unknown.parquet"),
        .resolver = {resolve, &calls},
        .allow_unknown = true};
    struct offline_joined joined;
    assert_int_equal(offline_store_join(place.path, duck, &join, &joined, NULL), ERR_OK);
    assert_int_equal(joined.rows, 2);
    assert_int_equal(joined.found, 1);
}

static void other_mistakes_are_named(void **state)
{
    static const char *const wrong[] = {"nothing", NULL};
    struct err err;
    struct offline_joined joined;
    const int64_t key = 1, at_us = 0;
    (void)state;
    need_duck();
    struct offline_join join = {.view = "none", .key = {&key, NULL}, .event_us = &at_us, .count = 1};
    assert_int_equal(offline_store_join(place.path, duck, &join, &joined, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "there are pair@"));
    join.view = "small";
    join.features = wrong;
    assert_int_equal(offline_store_join(place.path, duck, &join, &joined, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "no feature 'nothing'"));
    join.features = NULL;
    join.entities = test_folder_path(&place, "missing.csv");
    assert_int_equal(offline_store_join(place.path, duck, &join, &joined, &err), ERR_NOT_FOUND);
    join.output = "out.json";
    assert_int_equal(offline_store_join(place.path, duck, &join, &joined, &err), ERR_INVALID);
    assert_string_equal(err.field, "output");
}

/* ---- writing again ---- */

static int64_t count_of(const char *sql)
{
    struct duck_result *result = NULL;
    bool has_row;
    assert_int_equal(duck_query(duck, sql, NULL, 0, &result, NULL), ERR_OK);
    assert_int_equal(duck_result_next(result, &has_row, NULL), ERR_OK);
    int64_t count = duck_i64(result, 0);
    duck_result_destroy(result);
    return count;
}

static void later_years_are_replaced_alone(void **state)
{
    char old_name[OFFLINE_NAME_BYTES + 32], name[OFFLINE_NAME_BYTES];
    struct file_info before, after;
    (void)state;
    need_duck();
    save(&team_view, INT64_MIN, 0, ROWS - 100);
    offline_store_name(&team_view, &test_set, name);
    (void)snprintf(old_name, sizeof(old_name), "%s/year=2019/rows.parquet", name);
    assert_int_equal(file_stat(test_folder_path(&place, old_name), &before, NULL), ERR_OK);
    int64_t from_us = time_day_from_civil(2021, 1, 1) * TIME_DAY_US;
    size_t first = 0;
    while (event_us[first] < from_us)
        first++;
    save(&team_view, from_us + 40 * TIME_DAY_US, first, ROWS - first); /* the whole year of that moment */
    assert_int_equal(file_stat(test_folder_path(&place, old_name), &after, NULL), ERR_OK);
    assert_int_equal(before.modified_us, after.modified_us);
    assert_int_equal(offline_store_attach(place.path, duck, NULL), ERR_OK);
    assert_int_equal(count_of("SELECT count(*) FROM small"), ROWS);
    assert_int_equal(count_of("SELECT count(DISTINCT event_timestamp) FROM small"), ROWS);
}

static void what_is_not_finished_is_not_seen(void **state)
{
    struct offline_write write = write_of(&team_view, INT64_MIN);
    struct offline_rows rows = rows_of(0, 10);
    struct offline_writer *writer = NULL, *second = NULL;
    struct err err;
    (void)state;
    need_duck();
    assert_int_equal(offline_writer_open(place.path, duck, &write, &writer, NULL), ERR_OK);
    assert_int_equal(offline_writer_open(place.path, duck, &write, &second, &err), ERR_BUSY);
    assert_int_equal(offline_writer_add(writer, &rows, NULL), ERR_OK);
    offline_writer_close(writer);
    assert_int_equal(count_of("SELECT count(*) FROM small"), ROWS);
    rows.row_count = 0; /* nothing at all is no version */
    assert_int_equal(offline_store_write(place.path, duck, &write, &rows, &err), ERR_NOT_FOUND);
    assert_int_equal(count_of("SELECT count(*) FROM small"), ROWS);
}

static void versions_stand_side_by_side(void **state)
{
    struct feature_view newer = team_view;
    struct err err;
    char old_name[OFFLINE_NAME_BYTES], new_name[OFFLINE_NAME_BYTES];
    json_t *meta = NULL;
    (void)state;
    need_duck();
    newer.version = 2;
    offline_store_name(&team_view, &test_set, old_name);
    offline_store_name(&newer, &test_set, new_name);
    struct offline_write write = write_of(&newer, INT64_MIN);
    struct offline_rows rows = rows_of(0, 10);
    write.now_us += TIME_DAY_US;
    assert_int_equal(offline_store_write(place.path, duck, &write, &rows, NULL), ERR_OK);
    assert_int_equal(offline_store_attach(place.path, duck, NULL), ERR_OK);
    assert_int_equal(count_of("SELECT count(*) FROM small"), 10); /* the newest */
    assert_int_equal(offline_store_describe(place.path, old_name, &meta, NULL), ERR_OK);
    assert_int_equal(json_integer_value(json_object_get(meta, "rows")), ROWS);
    json_decref(meta);
    assert_int_equal(offline_store_delete(place.path, "small", &err), ERR_CONFLICT);
    assert_int_equal(offline_store_delete(place.path, new_name, &err), ERR_OK);
    assert_int_equal(offline_store_delete(place.path, new_name, &err), ERR_NOT_FOUND);
    assert_int_equal(offline_store_delete(place.path, "small", &err), ERR_OK);
    assert_int_equal(offline_store_describe(place.path, "small", &meta, &err), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_range_is_of_one_entity),
        cmocka_unit_test(the_description_is_whole),
        cmocka_unit_test(a_join_equals_a_plain_loop),
        cmocka_unit_test(compressed_partitions_are_joined_too),
        cmocka_unit_test(parquet_keeps_columns_of_all_kinds),
        cmocka_unit_test(pairs_have_two_keys),
        cmocka_unit_test(files_keep_their_order_and_columns),
        cmocka_unit_test(bad_files_are_refused_by_line),
        cmocka_unit_test(unknown_names_may_be_allowed),
        cmocka_unit_test(other_mistakes_are_named),
        cmocka_unit_test(later_years_are_replaced_alone),
        cmocka_unit_test(what_is_not_finished_is_not_seen),
        cmocka_unit_test(versions_stand_side_by_side),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
