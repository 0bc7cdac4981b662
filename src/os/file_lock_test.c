/* Locks exclude two opens of one process as they do two processes, and end with their holder. */
#include "os/file_lock.h"

#include "os/clock.h"
#include "os/process.h"
#include "os/test_folder.h"
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void one_holder_at_a_time(void **context)
{
    struct test_folder folder;
    struct file_lock first, second;
    struct err err = {0};
    (void)context;
    test_folder_create(&folder);
    size_t descriptors = test_descriptor_count();
    const char *path = test_folder_path(&folder, "lock");
    assert_int_equal(file_lock_open(path, 0, &first, NULL), ERR_OK);
    int64_t start_us = clock_monotonic_us();
    assert_int_equal(file_lock_open(path, 30, &second, &err), ERR_BUSY);
    assert_true(clock_monotonic_us() - start_us >= 30000);
    assert_non_null(strstr(err.text, path));
    file_lock_close(&second);
    file_lock_close(&first);
    file_lock_close(&first);
    assert_int_equal(file_lock_open(path, 0, &second, NULL), ERR_OK);
    file_lock_close(&second);
    assert_int_equal(file_lock_open(test_folder_path(&folder, "no/such"), 0, &second, NULL), ERR_NOT_FOUND);
    assert_int_equal(test_descriptor_count(), descriptors);
    test_folder_remove(&folder);
}

/* The other process: holds the lock, says so on its log, and is killed. */
static void hold(const char *path)
{
    struct file_lock lock;
    if (file_lock_open(path, 0, &lock, NULL) != ERR_OK || write(STDOUT_FILENO, "x", 1) != 1)
        _exit(1);
    for (;;)
        (void)pause();
}

static void a_lock_ends_with_its_process(void **context)
{
    enum { WAIT_MS = 60000 };
    struct test_folder folder;
    struct file_lock lock;
    struct process process;
    struct process_end end;
    (void)context;
    test_folder_create(&folder);
    const char *path = test_folder_path(&folder, "lock");
    const char *const argv[] = {"/proc/self/exe", path, NULL};
    assert_int_equal(process_start(argv, &process, NULL), ERR_OK);
    struct pollfd log = {.fd = process.log, .events = POLLIN};
    assert_int_equal(poll(&log, 1, WAIT_MS), 1);
    assert_int_equal(file_lock_open(path, 0, &lock, NULL), ERR_BUSY);
    process_signal(&process, SIGKILL);
    assert_true(process_wait(&process, WAIT_MS, &end));
    process_close(&process);
    assert_int_equal(file_lock_open(path, 0, &lock, NULL), ERR_OK);
    file_lock_close(&lock);
    test_folder_remove(&folder);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        hold(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_holder_at_a_time),
        cmocka_unit_test(a_lock_ends_with_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
