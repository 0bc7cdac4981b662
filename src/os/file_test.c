/* Files: reads, maps, atomic writes (also when the disk is full), folders, walks and built files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "os/file.h"
#include "os/process.h"
#include "os/test_folder.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_SKIP = 77 };

static struct test_folder folder;

static int set_up(void **state)
{
    (void)state;
    test_folder_create(&folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(&folder);
    return 0;
}

static const char *in(const char *name)
{
    return test_folder_path(&folder, name);
}

static void put(const char *path, const char *text)
{
    struct err err;
    enum err_code code = file_write_atomic(path, text, strlen(text), &err);
    assert_int_equal(code, ERR_OK);
}

static void assert_holds(const char *path, const char *text)
{
    struct buffer buffer;
    struct err err;

    buffer_init(&buffer, 1 << 20);
    assert_int_equal(file_read(path, &buffer, &err), ERR_OK);
    assert_int_equal(buffer.size_bytes, strlen(text));
    assert_string_equal(buffer_text(&buffer), text);
    buffer_release(&buffer);
}

static void write_then_read(void **state)
{
    (void)state;
    put(in("a"), "first");
    assert_holds(in("a"), "first");
    put(in("a"), "second, longer");
    assert_holds(in("a"), "second, longer");
    put(in("a"), "");
    assert_holds(in("a"), "");
    assert_int_equal(test_entry_count(folder.path), 1); /* no temporary stays */
}

static void read_appends_and_keeps_the_maximum(void **state)
{
    (void)state;
    struct buffer buffer;
    struct err err;
    enum { SIZE = 200000 }; /* several chunks */
    char *big = malloc(SIZE);

    for (size_t index = 0; index < SIZE; index++)
        big[index] = (char)(index * 7);
    assert_int_equal(file_write_atomic(in("big"), big, SIZE, &err), ERR_OK);
    buffer_init(&buffer, SIZE + 2);
    buffer_append_text(&buffer, "xy");
    assert_int_equal(file_read(in("big"), &buffer, &err), ERR_OK);
    assert_int_equal(buffer.size_bytes, SIZE + 2);
    assert_memory_equal(buffer.data, "xy", 2);
    assert_memory_equal(buffer.data + 2, big, SIZE);
    buffer_release(&buffer);
    buffer_init(&buffer, SIZE - 1);
    assert_int_equal(file_read(in("big"), &buffer, &err), ERR_TOO_LARGE);
    buffer_release(&buffer);
    free(big);
}

static void proc_files_are_read_whole(void **state)
{
    (void)state;
    struct buffer buffer;
    struct err err;

    buffer_init(&buffer, 1 << 20);
    assert_int_equal(file_read("/proc/self/status", &buffer, &err), ERR_OK); /* stat says 0 bytes */
    assert_non_null(strstr(buffer_text(&buffer), "VmHWM"));
    buffer_release(&buffer);
}

static void map_is_the_content(void **state)
{
    (void)state;
    struct file_map map;
    struct err err;

    put(in("a"), "0123456789");
    assert_int_equal(file_map_open(in("a"), 10, &map, &err), ERR_OK);
    assert_int_equal(map.size_bytes, 10);
    assert_memory_equal(map.data, "0123456789", 10);
    file_map_close(&map);
    assert_null(map.data);
    file_map_close(&map); /* safe twice */
    assert_int_equal(file_map_open(in("a"), 9, &map, &err), ERR_TOO_LARGE);
    assert_null(map.data);
    put(in("empty"), "");
    assert_int_equal(file_map_open(in("empty"), 10, &map, &err), ERR_OK);
    assert_null(map.data);
    assert_int_equal(map.size_bytes, 0);
    file_map_close(&map);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct buffer buffer;
    struct file_map map;
    struct err err;

    buffer_init(&buffer, 100);
    assert_int_equal(file_read(in("nothing"), &buffer, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "nothing'"));
    assert_int_equal(file_map_open(in("nothing"), 10, &map, &err), ERR_NOT_FOUND);
    assert_int_equal(file_read(folder.path, &buffer, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "folder"));
    assert_int_equal(mkfifo(in("pipe"), 0600), 0);
    assert_int_equal(file_read(in("pipe"), &buffer, &err), ERR_INVALID); /* and does not wait for a writer */
    assert_int_equal(file_map_open("/dev/full", 10, &map, &err), ERR_INVALID);
    buffer_release(&buffer);
}

static void write_needs_its_folder(void **state)
{
    (void)state;
    struct err err;

    assert_int_equal(file_write_atomic(in("no/file"), "x", 1, &err), ERR_NOT_FOUND);
    char longest[FILE_PATH_BYTES + 10];
    memset(longest, 'a', sizeof longest - 1);
    longest[0] = '/';
    longest[FILE_PATH_BYTES - 5] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(file_write_atomic(longest, "x", 1, &err), ERR_TOO_LARGE);
}

static void write_without_a_folder_part(void **state)
{
    (void)state;
    char before[FILE_PATH_BYTES];

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder.path), 0);
    put("plain", "here");
    assert_holds("plain", "here");
    assert_int_equal(chdir(before), 0);
}

/* Over a folder: the rename fails after everything was written. */
static void failed_rename_leaves_nothing(void **state)
{
    (void)state;
    struct err err;
    size_t open_before = test_descriptor_count();

    assert_int_equal(mkdir(in("target"), 0700), 0);
    assert_int_not_equal(file_write_atomic(in("target"), "x", 1, &err), ERR_OK);
    assert_int_equal(test_entry_count(folder.path), 1);
    assert_int_equal(test_descriptor_count(), open_before);
}

/* A file size limit makes write(2) stop in the middle, as a full disk does. */
static void full_disk_keeps_the_old_content(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct err err;
    struct file_build build;
    static char big[100000];
    size_t open_before = test_descriptor_count();

    put(in("a"), "old");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum err_code written = file_write_atomic(in("a"), big, sizeof big, &err);
    enum err_code built = file_build_start(in("a"), sizeof big, &build, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(written, ERR_IO);
    assert_int_equal(built, ERR_IO);
    assert_non_null(strstr(err.text, "a'"));
    assert_holds(in("a"), "old");
    assert_int_equal(test_entry_count(folder.path), 1);
    assert_int_equal(test_descriptor_count(), open_before);
}

/* In a child, because the mount namespace is the whole process's. Returns an exit code. */
static int try_real_full_disk(const char *path)
{
    struct err err;
    struct file_build build;
    static char big[256 * 1024];

    (void)text_copy(text_of(path), folder.path, sizeof folder.path);
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return EXIT_SKIP;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return EXIT_SKIP;
    if (mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") != 0)
        return EXIT_SKIP;
    if (file_write_atomic(in("a"), "old", 3, &err) != ERR_OK)
        return 1;
    if (file_write_atomic(in("a"), big, sizeof big, &err) != ERR_IO || strstr(err.text, "No space") == NULL)
        return 2;
    if (file_build_start(in("a"), sizeof big, &build, &err) != ERR_IO || strstr(err.text, "No space") == NULL)
        return 3;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    if (file_read(in("a"), &buffer, &err) != ERR_OK || strcmp(buffer_text(&buffer), "old") != 0)
        return 4;
    buffer_release(&buffer);
    return test_entry_count(folder.path) == 1 ? 0 : 5;
}

static void really_full_disk_keeps_the_old_content(void **state)
{
    (void)state;
    char program[FILE_PATH_BYTES] = "";
    const char *argv[] = {program, folder.path, NULL};
    struct process process;
    struct process_end end = {0};

    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    assert_int_equal(process_start(argv, &process, NULL), ERR_OK);
    assert_true(process_wait(&process, 20000, &end));
    process_close(&process);
    assert_true(end.exited);
    if (end.exit_code == EXIT_SKIP) {
        print_message("skipped: a small tmpfs cannot be mounted here\n");
        skip();
    }
    assert_int_equal(end.exit_code, 0);
}

static void folders_are_made_as_needed(void **state)
{
    (void)state;
    struct err err;
    struct stat info;

    assert_int_equal(file_make_folders(in("x/y//z/"), &err), ERR_OK);
    assert_int_equal(stat(in("x/y/z"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(file_make_folders(in("x/y/z"), &err), ERR_OK); /* already there */
    assert_int_equal(file_make_folders("/", &err), ERR_OK);
    assert_int_equal(symlink("x", in("link")), 0);
    assert_int_equal(file_make_folders(in("link/w"), &err), ERR_OK);
    put(in("file"), "");
    assert_int_equal(file_make_folders(in("file"), &err), ERR_CONFLICT);
    assert_int_equal(file_make_folders(in("file/below"), &err), ERR_CONFLICT);
    assert_int_equal(file_make_folders("", &err), ERR_INVALID);
}

static void stat_tells_size_and_kind(void **state)
{
    (void)state;
    struct file_info info;
    struct err err;
    struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 1000, .tv_nsec = 123456789}};

    put(in("a"), "12345");
    assert_int_equal(utimensat(AT_FDCWD, in("a"), times, 0), 0);
    assert_int_equal(file_stat(in("a"), &info, &err), ERR_OK);
    assert_int_equal(info.size_bytes, 5);
    assert_int_equal(info.modified_us, 1000123456);
    assert_false(info.is_folder);
    assert_int_equal(file_stat(folder.path, &info, &err), ERR_OK);
    assert_true(info.is_folder);
    assert_int_equal(file_stat(in("b"), &info, &err), ERR_NOT_FOUND);
    assert_true(file_exists(in("a")));
    assert_false(file_exists(in("b")));
}

static void remove_removes_once(void **state)
{
    (void)state;
    struct err err;

    put(in("a"), "1");
    assert_int_equal(file_remove(in("a"), &err), ERR_OK);
    assert_false(file_exists(in("a")));
    assert_int_equal(file_remove(in("a"), &err), ERR_NOT_FOUND);
}

static void join_puts_one_slash(void **state)
{
    (void)state;
    struct err err;
    char out[FILE_PATH_BYTES], name[FILE_PATH_BYTES];

    assert_int_equal(file_join("a", "b", out, &err), ERR_OK);
    assert_string_equal(out, "a/b");
    assert_int_equal(file_join("a/", "b", out, &err), ERR_OK);
    assert_string_equal(out, "a/b");
    assert_int_equal(file_join("/", "b", out, &err), ERR_OK);
    assert_string_equal(out, "/b");
    assert_int_equal(file_join("", "b", out, &err), ERR_OK); /* the working folder, not the root */
    assert_string_equal(out, "b");
    memset(name, 'n', sizeof name);
    name[FILE_PATH_BYTES - 3] = '\0'; /* with "a/" exactly one too many for the zero byte */
    assert_int_equal(file_join("ab", name, out, &err), ERR_TOO_LARGE);
    name[FILE_PATH_BYTES - 4] = '\0';
    assert_int_equal(file_join("ab", name, out, &err), ERR_OK);
    assert_int_equal(strlen(out), FILE_PATH_BYTES - 1);
}

static void program_folder_holds_the_program(void **state)
{
    (void)state;
    char out[FILE_PATH_BYTES], exe[FILE_PATH_BYTES] = {0};
    struct err err;

    assert_int_equal(file_program_folder(out, &err), ERR_OK);
    assert_true(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
    assert_memory_equal(exe, out, strlen(out));
    assert_int_equal(exe[strlen(out)], '/');
    assert_null(strchr(exe + strlen(out) + 1, '/'));
}

/* ---- walks ---- */

static void assert_list(const char *path, const char *suffix, const char *const *names, size_t count)
{
    struct file_list list;
    struct err err;

    assert_int_equal(file_list_open(path, suffix, &list, &err), ERR_OK);
    assert_int_equal(list.count, count);
    for (size_t index = 0; index < count; index++)
        assert_string_equal(list.paths[index], in(names[index]));
    file_list_close(&list);
    assert_null(list.paths);
    file_list_close(&list);
}

static void list_is_in_byte_order(void **state)
{
    (void)state;
    struct err err;

    assert_int_equal(file_make_folders(in("b/deep/er"), &err), ERR_OK);
    assert_int_equal(file_make_folders(in(".hidden"), &err), ERR_OK);
    assert_int_equal(file_make_folders(in("void"), &err), ERR_OK);
    static const char *const made[] = {"b/deep/er/1.csv", "b/2.CSV",       "b.csv", "a.csv",        "Z.csv",
                                       ".secret.csv",     ".hidden/x.csv", "c.txt", "\xc3\xa9.csv", "csv"};
    for (size_t index = 0; index < sizeof made / sizeof *made; index++)
        put(in(made[index]), "1");
    /* capitals first, '.' (2e) before '/' (2f), bytes above 7f last */
    static const char *const csv[] = {"Z.csv",   "a.csv",           "b.csv",
                                      "b/2.CSV", "b/deep/er/1.csv", "\xc3\xa9.csv"};
    assert_list(folder.path, ".csv", csv, 6);
    static const char *const all[] = {"Z.csv",           "a.csv", "b.csv", "b/2.CSV",
                                      "b/deep/er/1.csv", "c.txt", "csv",   "\xc3\xa9.csv"};
    assert_list(folder.path, NULL, all, 8);
    assert_list(folder.path, ".parquet", NULL, 0);
}

static void list_of_one_file(void **state)
{
    (void)state;
    static const char *const one[] = {"a.csv"};

    put(in("a.csv"), "1");
    assert_list(in("a.csv"), ".CSV", one, 1);
    assert_list(in("a.csv"), NULL, one, 1);
    assert_list(in("a.csv"), ".txt", NULL, 0);
}

static void list_follows_links_to_files_only(void **state)
{
    (void)state;
    struct err err;
    static const char *const names[] = {"data/a.csv", "link.csv"};

    assert_int_equal(file_make_folders(in("data"), &err), ERR_OK);
    put(in("data/a.csv"), "1");
    assert_int_equal(symlink("data/a.csv", in("link.csv")), 0);
    assert_int_equal(symlink("data", in("folder.csv")), 0);
    assert_int_equal(symlink("..", in("data/up.csv")), 0); /* would never end */
    assert_int_equal(symlink("nowhere", in("broken.csv")), 0);
    assert_int_equal(mkfifo(in("pipe.csv"), 0600), 0);
    assert_list(folder.path, ".csv", names, 2);
}

static void list_of_nothing_is_an_error(void **state)
{
    (void)state;
    struct file_list list;
    struct err err;

    assert_int_equal(file_list_open(in("missing"), NULL, &list, &err), ERR_NOT_FOUND);
    assert_null(list.paths);
    assert_int_equal(file_list_open("/dev/null", NULL, &list, &err), ERR_INVALID);
}

static void list_leaks_no_descriptor(void **state)
{
    (void)state;
    struct file_list list;
    struct err err;
    size_t open_before = test_descriptor_count();

    for (int index = 0; index < 300; index++) {
        char name[32];
        snprintf(name, sizeof name, "f%03d/g", index);
        assert_int_equal(file_make_folders(in(name), &err), ERR_OK);
        snprintf(name, sizeof name, "f%03d/g/x", index);
        int made = open(in(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(made >= 0);
        close(made);
    }
    assert_int_equal(file_list_open(folder.path, NULL, &list, &err), ERR_OK);
    assert_int_equal(list.count, 300);
    for (size_t index = 1; index < list.count; index++)
        assert_true(strcmp(list.paths[index - 1], list.paths[index]) < 0);
    file_list_close(&list);
    assert_int_equal(test_descriptor_count(), open_before);
}

/* ---- built files ---- */

static void built_file_appears_when_finished(void **state)
{
    (void)state;
    struct file_build build;
    struct err err;

    put(in("a"), "old");
    assert_int_equal(file_build_start(in("a"), 5000, &build, &err), ERR_OK);
    for (size_t index = 0; index < 5000; index++)
        assert_int_equal(build.data[index], 0);
    memset(build.data, 'x', 5000);
    assert_holds(in("a"), "old");
    struct file_list list;
    assert_int_equal(file_list_open(folder.path, NULL, &list, &err), ERR_OK);
    assert_int_equal(list.count, 1); /* the temporary is hidden */
    file_list_close(&list);
    assert_int_equal(file_build_finish(&build, &err), ERR_OK);
    file_build_abandon(&build); /* safe after finish */
    struct file_info info;
    assert_int_equal(file_stat(in("a"), &info, &err), ERR_OK);
    assert_int_equal(info.size_bytes, 5000);
    assert_int_equal(test_entry_count(folder.path), 1);
}

static void abandoned_file_never_was(void **state)
{
    (void)state;
    struct file_build build;
    struct err err;
    size_t open_before = test_descriptor_count();

    put(in("a"), "old");
    assert_int_equal(file_build_start(in("a"), 5000, &build, &err), ERR_OK);
    memset(build.data, 'x', 5000);
    file_build_abandon(&build);
    file_build_abandon(&build);
    assert_holds(in("a"), "old");
    assert_int_equal(test_entry_count(folder.path), 1);
    assert_int_equal(test_descriptor_count(), open_before);
}

static void empty_build(void **state)
{
    (void)state;
    struct file_build build;
    struct err err;

    assert_int_equal(file_build_start(in("a"), 0, &build, &err), ERR_OK);
    assert_null(build.data);
    assert_int_equal(file_build_finish(&build, &err), ERR_OK);
    assert_holds(in("a"), "");
}

static void build_start_fails_cleanly(void **state)
{
    (void)state;
    struct file_build build;
    struct err err;
    size_t open_before = test_descriptor_count();

    assert_int_equal(file_build_start(in("no/a"), 10, &build, &err), ERR_NOT_FOUND);
    file_build_abandon(&build);
    assert_int_not_equal(file_build_start(in("a"), (size_t)1 << 62, &build, &err), ERR_OK);
    file_build_abandon(&build);
    assert_int_equal(test_entry_count(folder.path), 0);
    assert_int_equal(test_descriptor_count(), open_before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    if (argc > 1)
        return try_real_full_disk(argv[1]);
    const struct CMUnitTest tests[] = {
        TEST(write_then_read),
        TEST(read_appends_and_keeps_the_maximum),
        TEST(proc_files_are_read_whole),
        TEST(map_is_the_content),
        TEST(what_is_no_file_is_refused),
        TEST(write_needs_its_folder),
        TEST(write_without_a_folder_part),
        TEST(failed_rename_leaves_nothing),
        TEST(full_disk_keeps_the_old_content),
        TEST(really_full_disk_keeps_the_old_content),
        TEST(folders_are_made_as_needed),
        TEST(stat_tells_size_and_kind),
        TEST(remove_removes_once),
        TEST(join_puts_one_slash),
        TEST(program_folder_holds_the_program),
        TEST(list_is_in_byte_order),
        TEST(list_of_one_file),
        TEST(list_follows_links_to_files_only),
        TEST(list_of_nothing_is_an_error),
        TEST(list_leaks_no_descriptor),
        TEST(built_file_appears_when_finished),
        TEST(abandoned_file_never_was),
        TEST(empty_build),
        TEST(build_start_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
