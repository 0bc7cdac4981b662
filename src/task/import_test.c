/* The import as a whole: idempotent, all or nothing, the same result after any interruption. Files are made here; the
 * real data, where it lies beside the project (or in ALMANAC_TEST_DATA), must give its published counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "football/bookmaker.h"
#include "football/league.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/test_folder.h"
#include "task/import.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 90, ROWS = 300, KILLED_WRONGLY = 9 };

static char program[FILE_PATH_BYTES];
static struct test_folder folder;
static char data[FILE_PATH_BYTES];

static int make_folder(void **state)
{
    (void)state;
    test_folder_create(&folder);
    snprintf(data, sizeof data, "%.4000s/data", folder.path);
    assert_int_equal(file_make_folders(data, NULL), ERR_OK);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    test_folder_remove(&folder);
    return 0;
}

/* ---- files ---- */

static void write_text(const char *name, const char *text, size_t size_bytes)
{
    char path[FILE_PATH_BYTES];

    assert_int_equal(file_join(data, name, path, NULL), ERR_OK);
    assert_int_equal(file_write_atomic(path, text, size_bytes, NULL), ERR_OK);
}

/* A season of made-up rows with dirt in them: file `index` of the data. */
static void write_season(int index, int salt)
{
    struct buffer text;
    char name[64];

    buffer_init(&text, 1 << 20);
    buffer_append_text(&text,
                       "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H,B365D,B365A,PSCH,PSCD,PSCA\n");
    for (int row = 0; row < ROWS; row++) {
        int home = (row * 7 + index) % 20, away = (home + 1 + row % 19) % 20;
        buffer_printf(&text, "E%d,%02d/%02d/%d,15:%02d,Team %d,Team %d%s,%d,%d,,%.2f,3.4,%.2f,2.5,3.2,%.2f\n",
                      index % 4, row % 28 + 1, row / 28 % 12 + 1, 1990 + index / 4, row % 60, home, away,
                      row % 50 == 0 ? " " : "", row % 4, (row + salt) % 3, 1.5 + row % 9 * 0.3, 2.0 + row % 7,
                      row % 40 == 0 ? 1.0 : 2.9);
        if (row % 60 == 0)
            buffer_append_text(&text, ",,,,,,,,,,,,,\nE0,31/02/1999,,A,B,1,1\n");
    }
    snprintf(name, sizeof name, "season%03d.csv", index);
    write_text(name, text.data, text.size_bytes);
    buffer_release(&text);
}

static void write_seasons(void)
{
    for (int index = 0; index < FILES; index++)
        write_season(index, 0);
}

/* ---- imports ---- */

static const char *store_path(const char *name)
{
    return test_folder_path(&folder, name);
}

static struct store open_store(const char *name)
{
    struct store store;
    struct err err;

    if (store_open(store_path(name), DB_READ_WRITE, &store, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return store;
}

static enum err_code import_with(struct store *store, const char *path, size_t threads, bool strict,
                                 const struct reporter *reporter, struct import_result *result,
                                 struct err *err)
{
    struct pool *pool;
    struct import_options options = {.strict = strict};

    assert_int_equal(pool_create(threads, &pool, err), ERR_OK);
    enum err_code code = import_football(store, pool, &path, 1, &options, reporter, result, err);
    pool_destroy(pool);
    return code;
}

static struct import_result import_all(const char *name)
{
    struct store store = open_store(name);
    struct import_result result;
    struct err err;

    if (import_with(&store, data, 2, false, NULL, &result, &err) != ERR_OK)
        fail_msg("%s", err.text);
    store_close(&store);
    return result;
}

/* Everything in the tables of an import, except when it was done. */
static void dump(const char *name, char out[HASH_HEX_BYTES])
{
    static const char *const queries[] = {
        "SELECT * FROM meta ORDER BY 1",
        "SELECT * FROM team ORDER BY 1",
        "SELECT * FROM team_alias ORDER BY 1, 2, 5",
        "SELECT * FROM match ORDER BY 1",
        "SELECT * FROM quote ORDER BY 1",
        "SELECT * FROM price ORDER BY 1, 2",
        "SELECT id, path, hash, size_bytes, rows_read, rows_kept, error FROM import_file ORDER BY 1",
        "SELECT * FROM import_issue ORDER BY 1, 2",
        "SELECT * FROM import_count ORDER BY 1, 2",
    };
    char path[FILE_PATH_BYTES];
    sqlite3 *handle;
    sqlite3_stmt *statement;
    struct hash hash;

    assert_int_equal(file_join(store_path(name), "almanac.db", path, NULL), ERR_OK);
    assert_int_equal(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    hash_init(&hash);
    for (size_t index = 0; index < sizeof queries / sizeof queries[0]; index++) {
        assert_int_equal(sqlite3_prepare_v2(handle, queries[index], -1, &statement, NULL), SQLITE_OK);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            for (int column = 0; column < sqlite3_column_count(statement); column++) {
                const char *text = (const char *)sqlite3_column_text(statement, column);
                hash_add_text(&hash, text == NULL ? "\x01" : text);
            }
        }
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    }
    hash_final_hex(&hash, out);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static int64_t one_number(const char *name, const char *sql)
{
    char path[FILE_PATH_BYTES];
    sqlite3 *handle;
    sqlite3_stmt *statement;

    assert_int_equal(file_join(store_path(name), "almanac.db", path, NULL), ERR_OK);
    assert_int_equal(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    return value;
}

/* ---- tests ---- */

static void the_same_files_twice(void **state)
{
    char first[HASH_HEX_BYTES], second[HASH_HEX_BYTES];

    (void)state;
    write_seasons();
    struct import_result result = import_all("store");
    assert_int_equal(result.files, FILES);
    assert_int_equal(result.files_imported, FILES);
    assert_int_equal(result.rows_kept, FILES * ROWS);
    assert_int_equal(result.rows_read, FILES * (ROWS + 10));
    assert_int_equal(result.counts[ISSUE_BLANK_ROW], FILES * 5);
    assert_int_equal(result.counts[ISSUE_BAD_DATE], FILES * 5);
    assert_int_equal(result.counts[ISSUE_NAME_SPACES], FILES * 6);
    assert_int_equal(result.counts[ISSUE_BAD_PRICE], FILES * 8);
    assert_int_equal(result.saved.matches_new + result.saved.matches_updated, FILES * ROWS);
    dump("store", first);
    result = import_all("store");
    assert_int_equal(result.files_unchanged, FILES);
    assert_int_equal(result.files_imported, 0);
    dump("store", second);
    assert_string_equal(first, second);
}

static void threads_do_not_matter(void **state)
{
    char one[HASH_HEX_BYTES], three[HASH_HEX_BYTES];
    struct import_result result;

    (void)state;
    write_seasons();
    struct store store = open_store("one");
    assert_int_equal(import_with(&store, data, 1, false, NULL, &result, NULL), ERR_OK);
    store_close(&store);
    store = open_store("three");
    assert_int_equal(import_with(&store, data, 3, false, NULL, &result, NULL), ERR_OK);
    store_close(&store);
    dump("one", one);
    dump("three", three);
    assert_string_equal(one, three);
}

static void changed_content_updates_and_keeps(void **state)
{
    (void)state;
    for (int index = 0; index < 3; index++)
        write_season(index, 0);
    import_all("store");
    int64_t matches = one_number("store", "SELECT count(*) FROM match");
    write_season(1, 1); /* other away goals */
    struct import_result result = import_all("store");
    assert_int_equal(result.files_imported, 1);
    assert_int_equal(result.files_unchanged, 2);
    assert_int_equal(result.saved.matches_new, 0);
    assert_int_equal(one_number("store", "SELECT count(*) FROM match"), matches);
    assert_int_equal(one_number("store", "SELECT count(*) FROM import_file"), 3);
    /* issues of the file are those of the new content, not both */
    assert_int_equal(one_number("store", "SELECT sum(count) FROM import_count WHERE reason = 'blank_row'"),
                     15);
    write_text("season001.csv", "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE1,01/01/1990,New,Old,1,0\n", 63);
    result = import_all("store");
    assert_int_equal(result.saved.matches_new, 1);
    assert_int_equal(one_number("store", "SELECT count(*) FROM match"),
                     matches + 1); /* what disappeared stays */
}

/* ---- killed ---- */

static void kill_at(void *context, const char *phase, size_t done, size_t total)
{
    (void)phase, (void)total;
    if (done >= *(const size_t *)context)
        (void)kill(getpid(), SIGKILL);
}

/* In the child: imports and kills itself after so many files. */
static int be_killed(const char *store_folder, const char *data_folder, const char *files)
{
    int64_t at = 0;
    struct store store;
    struct import_result result;
    (void)text_parse_i64(text_of(files), &at);
    size_t limit = (size_t)at;
    struct reporter reporter = {.progress = kill_at, .context = &limit};

    if (store_open(store_folder, DB_READ_WRITE, &store, NULL) != ERR_OK)
        return KILLED_WRONGLY;
    (void)import_with(&store, data_folder, 2, false, &reporter, &result, NULL);
    return KILLED_WRONGLY; /* it should not live */
}

static void run_killed_child(const char *name, const char *files)
{
    char store_folder[FILE_PATH_BYTES];
    struct process child;
    struct process_end end;
    struct err err;

    snprintf(store_folder, sizeof store_folder, "%s", store_path(name));
    const char *const arguments[] = {program, "be-killed", store_folder, data, files, NULL};
    if (process_start(arguments, &child, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_true(process_wait(&child, 60000, &end));
    process_close(&child);
    assert_false(end.exited);
    assert_int_equal(end.signal, SIGKILL);
}

static void killed_and_imported_again_is_the_same(void **state)
{
    static const char *const files[] = {"4", "40", "72", "88"};
    char wanted[HASH_HEX_BYTES], got[HASH_HEX_BYTES];

    (void)state;
    write_seasons();
    import_all("whole");
    dump("whole", wanted);
    for (size_t index = 0; index < sizeof files / sizeof files[0]; index++) {
        char name[16];
        snprintf(name, sizeof name, "killed%s", files[index]);
        run_killed_child(name, files[index]);
        /* every file that is there is whole */
        int64_t there = one_number(name, "SELECT count(*) FROM import_file");
        assert_true(there < FILES);
        assert_int_equal(one_number(name, "SELECT COALESCE(sum(rows_kept), 0) FROM import_file"),
                         there * ROWS);
        assert_int_equal(one_number(name, "SELECT count(*) FROM import_count WHERE reason = 'blank_row'"),
                         there);
        if (index >= 2) /* a batch of 20,000 matches was committed before */
            assert_true(there > 0);
        struct import_result result = import_all(name);
        assert_int_equal(result.files_unchanged, there);
        dump(name, got);
        assert_string_equal(got, wanted);
    }
    /* twice in a row */
    run_killed_child("again", "72");
    run_killed_child("again", "80");
    import_all("again");
    dump("again", got);
    assert_string_equal(got, wanted);
}

/* ---- stopped and refused ---- */

static bool stop_now(void *context)
{
    (void)context;
    return true;
}

static void a_stop_keeps_what_was_stored(void **state)
{
    struct reporter reporter = {.is_stopped = stop_now};
    struct import_result result;
    struct err err;

    (void)state;
    write_seasons();
    struct store store = open_store("store");
    assert_int_equal(import_with(&store, data, 2, false, &reporter, &result, &err), ERR_CANCELLED);
    store_close(&store);
    assert_true(result.files_imported < FILES);
    assert_int_equal(one_number("store", "SELECT count(*) FROM import_file"), result.files_imported);
}

static void a_full_disk_undoes_the_batch(void **state)
{
    char wanted[HASH_HEX_BYTES], got[HASH_HEX_BYTES];
    struct import_result result;
    struct err err;

    (void)state;
    write_seasons();
    import_all("whole");
    dump("whole", wanted);
    struct store store = open_store("small");
    assert_int_equal(db_execute(store.db, "PRAGMA max_page_count = 600", NULL), ERR_OK);
    assert_int_equal(import_with(&store, data, 2, false, NULL, &result, &err), ERR_IO);
    assert_non_null(strstr(err.text, "the disk is full"));
    assert_int_equal(one_number("small", "SELECT count(*) FROM import_file"), result.files_imported);
    assert_int_equal(db_execute(store.db, "PRAGMA max_page_count = 1000000", NULL), ERR_OK);
    assert_int_equal(import_with(&store, data, 2, false, NULL, &result, &err),
                     ERR_OK); /* the same connection goes on */
    store_close(&store);
    dump("small", got);
    assert_string_equal(got, wanted);
}

static void strict_stores_nothing_of_the_file(void **state)
{
    static const char clean[] = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,17/08/2024,A,B,1,1\n";
    static const char dirty[] =
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,18/08/2024,A,C,1,1\nE0,31/02/2024,A,B,1,1\n";
    static const char unknown[] =
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,18/08/2024,A,D,1,1\nQ9,18/08/2024,A,B,1,1\n";
    struct import_result result;
    struct err err;

    (void)state;
    write_text("a.csv", clean, sizeof clean - 1);
    write_text("b.csv", dirty, sizeof dirty - 1);
    write_text("c.csv", clean, sizeof clean - 1);
    struct store store = open_store("store");
    assert_int_equal(import_with(&store, data, 2, true, NULL, &result, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "b.csv' line 3, column 'Date': '31/02/2024'"));
    assert_int_equal(one_number("store", "SELECT count(*) FROM match"), 1); /* of a.csv */
    assert_int_equal(one_number("store", "SELECT count(*) FROM import_file"), 1);
    write_text("b.csv", unknown, sizeof unknown - 1);
    assert_int_equal(import_with(&store, data, 2, true, NULL, &result, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "b.csv' line 3, column 'Div': 'Q9'"));
    assert_int_equal(one_number("store", "SELECT count(*) FROM match"), 1);
    assert_int_equal(import_with(&store, data, 2, false, NULL, &result, &err), ERR_OK);
    assert_int_equal(result.files_unchanged, 2); /* c.csv is a.csv again */
    assert_int_equal(import_with(&store, data, 2, true, NULL, &result, &err),
                     ERR_INVALID); /* strict looks again */
    assert_int_equal(import_with(&store, data, 2, false, NULL, &result, &err), ERR_OK);
    assert_int_equal(result.files_unchanged, 3);
    assert_int_equal(
        one_number("store", "SELECT count(*) FROM import_count WHERE reason = 'unknown_division'"), 1);
    assert_int_equal(one_number("store", "SELECT count(*) FROM match"), 2);
    store_close(&store);
}

static void bad_files_are_passed_over_and_told(void **state)
{
    static const char clean[] = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,17/08/2024,A,B,1,1\n";
    struct import_result result;
    struct err err;
    struct buffer text;
    char huge[FILE_PATH_BYTES];

    (void)state;
    write_text("good.csv", clean, sizeof clean - 1);
    write_text("header.csv", clean, 37);
    write_text("empty.csv", "", 0);
    write_text("junk.csv",
               "\x7F"
               "ELF\0\0\0\0\x01\x02",
               10);
    write_text("bars.csv", "Date,Open,High\n2024-01-01,1,2\n", 30);
    /* 2 GB without a line end, and half a gigabyte behind a good header: sparse, so they cost no disk */
    assert_int_equal(file_join(data, "huge.csv", huge, NULL), ERR_OK);
    int descriptor = open(huge, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(descriptor, (off_t)2 << 30), 0);
    close(descriptor);
    assert_int_equal(file_join(data, "large.csv", huge, NULL), ERR_OK);
    descriptor = open(huge, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(descriptor, clean, 37), 37);
    assert_int_equal(ftruncate(descriptor, (off_t)500 << 20), 0);
    close(descriptor);
    struct store store = open_store("store");
    clock_t before = clock(); /* of the processor: what else the machine does is not judged */
    assert_int_equal(import_with(&store, data, 2, false, NULL, &result, &err), ERR_OK);
    assert_true(clock() - before < 10 * CLOCKS_PER_SEC);
    assert_int_equal(result.files, 7);
    assert_int_equal(result.files_imported, 2);
    assert_int_equal(result.files_failed, 5);
    assert_int_equal(result.saved.matches_new, 1);
    assert_int_equal(one_number("store", "SELECT count(*) FROM import_file WHERE error IS NOT NULL"), 5);
    assert_int_equal(
        one_number("store",
                   "SELECT count(*) FROM import_file WHERE error LIKE '%bytes, at most 1073741824%'"),
        1);
    assert_int_equal(
        one_number("store", "SELECT count(*) FROM import_file WHERE error LIKE '%line 2: a zero byte%'"), 1);
    assert_int_equal(
        one_number("store", "SELECT count(*) FROM import_file WHERE error LIKE '%the file is empty%'"), 1);
    buffer_init(&text, 1 << 20);
    assert_int_equal(import_report_text(&store, &text, &err), ERR_OK);
    assert_non_null(strstr(buffer_text(&text), "files 7 (5 could not be read), rows 1, kept 1"));
    buffer_release(&text);
    store_close(&store);
}

static void nothing_readable_is_an_error(void **state)
{
    struct import_result result;
    struct err err;

    (void)state;
    struct store store = open_store("store");
    assert_int_equal(import_with(&store, data, 2, false, NULL, &result, &err),
                     ERR_NOT_FOUND); /* no .csv at all */
    assert_non_null(strstr(err.text, "there is no .csv file"));
    assert_int_equal(import_with(&store, store_path("nowhere"), 2, false, NULL, &result, &err),
                     ERR_NOT_FOUND);
    write_text("empty.csv", "", 0);
    assert_int_equal(import_with(&store, data, 2, false, NULL, &result, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "the file is empty"));
    assert_int_equal(result.files_failed, 1);
    store_close(&store);
}

static void the_report_names_files_and_lines(void **state)
{
    struct buffer text;
    struct json_writer writer;
    json_t *report;
    struct err err;

    (void)state;
    for (int index = 0; index < 3; index++)
        write_season(index, 0);
    import_all("store");
    struct store store = open_store("store");
    buffer_init(&text, 1 << 20);
    assert_int_equal(import_report_text(&store, &text, &err), ERR_OK);
    assert_non_null(strstr(buffer_text(&text), "15 bad_date         rejected in 3 files"));
    assert_non_null(strstr(buffer_text(&text), "season000.csv line 4, Date: '31/02/1999'"));
    buffer_clear(&text);
    json_writer_init(&writer, &text);
    assert_int_equal(import_report_json(&store, &writer, &err), ERR_OK);
    assert_int_equal(json_read(text.data, text.size_bytes, &report, &err), ERR_OK);
    assert_int_equal(json_integer_value(json_object_get(report, "files")), 3);
    assert_true(json_array_size(json_object_get(report, "issues")) >= 4);
    json_decref(report);
    buffer_release(&text);
    store_close(&store);
}

/* A season that was played into August is one season; without a hint many years are cut by the calendar. */
static void seasons(void **state)
{
    static const char late[] =
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,09/08/2019,A,B,1,1\nE0,26/07/2020,B,A,1,1\n";
    static const char many[] =
        "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE1,09/08/2017,A,B,1,1\nE1,26/05/2018,B,A,1,1\n"
        "E1,26/07/2021,B,A,1,1\n";
    static const char extra[] =
        "Country,League,Season,Date,Home,Away,HG,AG\nJapan,J1 League,2012,10/03/2012,A,B,1,1\n"
        "Austria,Tipico Bundesliga,2013/2014,10/03/2014,A,B,1,1\n"
        "USA,MLS,,10/03/2015,A,B,1,1\nUSA,MLS,,10/11/2015,B,A,1,1\n";

    (void)state;
    write_text("late.csv", late, sizeof late - 1);
    write_text("many.csv", many, sizeof many - 1);
    write_text("extra.csv", extra, sizeof extra - 1);
    import_all("store");
    assert_int_equal(one_number("store", "SELECT count(*) FROM match WHERE league = 'E0' AND season = 2019"),
                     2);
    assert_int_equal(one_number("store", "SELECT count(*) FROM match WHERE league = 'E1' AND season = 2017"),
                     2);
    assert_int_equal(one_number("store", "SELECT season FROM match WHERE league = 'E1' ORDER BY day DESC"),
                     2021);
    assert_int_equal(one_number("store", "SELECT season FROM match WHERE league = 'JPN'"), 2012);
    assert_int_equal(one_number("store", "SELECT season FROM match WHERE league = 'AUT'"), 2013);
    assert_int_equal(one_number("store", "SELECT count(*) FROM match WHERE league = 'USA' AND season = 2015"),
                     2);
}

static void rows_of_an_sqlite_file(void **state)
{
    char path[FILE_PATH_BYTES];
    sqlite3 *other;
    struct import_options options = {
        .query = "SELECT 'E0' AS Div, day AS Date, h AS HomeTeam, a AS AwayTeam, 1 AS FTHG, "
                 "0 AS FTAG, 2.0 AS B365H, 3.5 AS B365D, 4 AS B365A FROM game"};
    struct import_result result;
    struct err err;

    (void)state;
    snprintf(path, sizeof path, "%.4000s/app.sqlite", data);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other,
                     "CREATE TABLE game(day, h, a); INSERT INTO game VALUES ('2024-08-17', 'Man Utd', "
                     "'Fulham'), ('2024-08-18', 'Man United', 'Spurs')",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    struct store store = open_store("store");
    if (import_sqlite(&store, path, &options, NULL, &result, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(result.saved.matches_new, 2);
    assert_int_equal(result.saved.prices, 2);
    assert_int_equal(one_number("store", "SELECT count(*) FROM team"), 3); /* aliases */
    assert_int_equal(import_sqlite(&store, path, &options, NULL, &result, &err), ERR_OK);
    assert_int_equal(result.files_unchanged, 1);
    snprintf(options.query, sizeof options.query, "DELETE FROM game");
    assert_int_equal(import_sqlite(&store, path, &options, NULL, &result, &err), ERR_FORBIDDEN);
    store_close(&store);
}

static void options_are_valid(void **state)
{
    struct import_options options;

    (void)state;
    option_defaults(&import_option_table, &options);
    assert_false(options.strict || options.report);
    option_defaults(&import_sqlite_option_table, &options);
    assert_string_equal(options.query, "");
}

/* ---- real data ---- */

static const char *real_data(void)
{
    const char *path = getenv("ALMANAC_TEST_DATA");

    return path != NULL ? path : "../shared/data/football";
}

static void check_real_counts(void)
{
    assert_int_equal(one_number("real", "SELECT count(*) FROM match WHERE state = 1"), 225826);
    assert_int_equal(one_number("real", "SELECT count(*) FROM team"), 801);
    assert_int_equal(one_number("real", "SELECT count(*) FROM match WHERE league = 'E0'"), 11944);
    assert_int_equal(one_number("real", "SELECT count(*) FROM match WHERE season = 2019 AND day >= 18444"),
                     554);
    assert_int_equal(one_number("real", "SELECT count(*) FROM import_file WHERE error IS NOT NULL"), 0);
    /* the judged matches of the reference protocol */
    static const char judged[] =
        "SELECT count(*) FROM match m JOIN price p ON p.match_id = m.id JOIN quote q ON q.id = p.quote_id "
        "WHERE "
        "q.market = '1x2' AND q.bookmaker = 'PS' AND q.label = 'close' AND m.season >= 2012 AND m.state = 1 "
        "AND "
        "1 / price_1 + 1 / price_2 + 1 / price_3 > 0.97 AND 1 / price_1 + 1 / price_2 + 1 / price_3 < 1.3";
    assert_int_equal(one_number("real", judged), 90825);
    assert_int_equal(one_number("real", "SELECT count(*) FROM team WHERE name = 'King\xE2\x80\x99s Lynn'"),
                     1);
    /* no shipped alias joins two teams that the source keeps apart */
    assert_int_equal(one_number("real",
                                "SELECT count(*) FROM team_alias a JOIN team t ON t.country = a.country AND "
                                "t.name_key = a.name_key"),
                     0);
}

static void real_files_give_the_published_counts(void **state)
{
    struct football_frames frames;
    struct import_result result;
    struct err err;

    (void)state;
    if (!file_exists(real_data())) {
        print_message("skipped: no real data at '%s' (ALMANAC_TEST_DATA)\n", real_data());
        skip();
    }
    struct store store = open_store("real");
    int64_t start_us = clock_monotonic_us();
    if (import_with(&store, real_data(), 0, false, NULL, &result, &err) != ERR_OK)
        fail_msg("%s", err.text);
    int64_t imported_us = clock_monotonic_us();
    assert_int_equal(result.files, 645);
    assert_int_equal(result.rows_read, 245769);
    assert_int_equal(result.rows_kept, 225828);
    assert_int_equal(result.counts[ISSUE_BLANK_ROW], 19940);
    assert_int_equal(result.counts[ISSUE_RAGGED_ROW], 25318 + 6518);
    assert_int_equal(result.counts[ISSUE_TWO_DIGIT_YEAR], 176346);
    assert_int_equal(result.counts[ISSUE_BYTE_ORDER_MARK], 3);
    assert_int_equal(result.counts[ISSUE_MISSING_TEAM], 1);
    assert_int_equal(result.counts[ISSUE_NO_RESULT], 2);
    assert_int_equal(result.counts[ISSUE_RESULT_MISMATCH] + result.counts[ISSUE_DUPLICATE_ROW], 0);
    check_real_counts();
    int64_t load_us = clock_monotonic_us();
    assert_int_equal(football_store_load(store.db, bookmaker_names(), 0, &frames, &err), ERR_OK);
    print_message("imported in %.2f s, loaded in %.2f s\n", (double)(imported_us - start_us) / 1e6,
                  (double)(clock_monotonic_us() - load_us) / 1e6);
    assert_int_equal(frame_rows(frames.matches), 225828);
    football_frames_release(&frames);
    store_close(&store);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "be-killed") == 0)
        return be_killed(argv[2], argv[3], argv[4]);
    if (realpath(argv[0], program) == NULL)
        return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(the_same_files_twice),
        TEST(threads_do_not_matter),
        TEST(changed_content_updates_and_keeps),
        TEST(killed_and_imported_again_is_the_same),
        TEST(a_stop_keeps_what_was_stored),
        TEST(a_full_disk_undoes_the_batch),
        TEST(strict_stores_nothing_of_the_file),
        TEST(bad_files_are_passed_over_and_told),
        TEST(nothing_readable_is_an_error),
        TEST(the_report_names_files_and_lines),
        TEST(seasons),
        TEST(rows_of_an_sqlite_file),
        TEST(options_are_valid),
        TEST(real_files_give_the_published_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
