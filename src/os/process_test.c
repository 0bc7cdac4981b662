/* Child processes. The children are this program itself: with arguments it plays the role that argv[1] names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/process.h"
#include "os/test_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

enum { WAIT_MS = 60000 };

/* ---- the roles ---- */

static void say(const char *text)
{
    if (write(PROCESS_CHANNEL, text, strlen(text)) != (ssize_t)strlen(text))
        _exit(90);
}

static void say_number(int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64 "\n", number);
    say(text);
}

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

/* The input comes back on the channel, and a word on each of the others. */
static int play_echo(void)
{
    char text[1000];
    ssize_t size;

    while ((size = read(STDIN_FILENO, text, sizeof text - 1)) > 0) {
        text[size] = '\0';
        say(text);
    }
    if (write(STDOUT_FILENO, "out\n", 4) != 4 || write(STDERR_FILENO, "err\n", 4) != 4)
        return 91;
    return 7;
}

static int play_descriptors(void)
{
    for (int descriptor = 0; descriptor < 1024; descriptor++) {
        if (fcntl(descriptor, F_GETFD) >= 0)
            say_number(descriptor);
    }
    return 0;
}

static int play_signals(void)
{
    sigset_t mask;
    struct sigaction action;

    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGPIPE, NULL, &action);
    say_number(sigismember(&mask, SIGTERM) + sigismember(&mask, SIGUSR1));
    say_number(action.sa_handler == SIG_IGN);
    say_number(getpgrp() == getpid());
    return 0;
}

/* Says its pid and does not care about SIGTERM. */
static int play_stubborn(void)
{
    signal(SIGTERM, SIG_IGN);
    say_number(getpid());
    sleep_for_ever();
    return 0;
}

/* A grandchild in the same group, with the same channel. */
static int play_grandparent(char *program)
{
    char *argv[] = {program, "stubborn", NULL};
    pid_t child = 0;

    if (posix_spawn(&child, program, NULL, NULL, argv, environ) != 0)
        return 95;
    sleep_for_ever();
    return 0;
}

/* Starts a child that asks to die with it, tells its pid when the child is ready, and waits to be killed. */
static int play_parent(const char *program)
{
    struct process child;
    char own_pid[32];
    char ready[16];

    snprintf(own_pid, sizeof own_pid, "%d", (int)getpid());
    const char *argv[] = {program, "orphan", own_pid, NULL};
    if (process_start(argv, &child, NULL) != ERR_OK)
        return 92;
    struct pollfd watched = {.fd = child.channel, .events = POLLIN};
    if (poll(&watched, 1, WAIT_MS) != 1 || read(child.channel, ready, sizeof ready) <= 0)
        return 93;
    say_number(child.pid);
    sleep_for_ever();
    return 0;
}

static int play_orphan(const char *parent)
{
    process_die_with_parent((pid_t)strtol(parent, NULL, 10));
    say("ready\n");
    sleep_for_ever();
    return 0;
}

static int play_memory(void)
{
    if (process_limit(256 << 20, 0, NULL) != ERR_OK)
        return 94;
    void *small = malloc(1 << 20), *big = malloc((size_t)1 << 30);
    int result = small != NULL && big == NULL ? 0 : 1;
    free(small);
    free(big);
    return result;
}

static int play_busy(void)
{
    volatile uint64_t count = 0;

    if (process_limit(0, 1, NULL) != ERR_OK)
        return 94;
    for (;;)
        count++;
}

/* Uses 64 MB of its own, and as much of a file that is mapped; then a child of the same group, with 64 MB again. */
static int play_group(char *program, const char *path)
{
    size_t size_bytes = 64 << 20;
    char *argv[] = {program, "group", NULL};
    volatile char *own = malloc(size_bytes), sum = 0;
    pid_t child = 0;

    for (size_t index = 0; index < size_bytes; index += 4096)
        own[index] = 1;
    if (path != NULL) {
        int descriptor = open(path, O_RDONLY);
        const volatile char *mapped = mmap(NULL, size_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
        if (mapped == MAP_FAILED)
            return 96;
        for (size_t index = 0; index < size_bytes; index += 4096)
            sum += mapped[index];
        if (posix_spawn(&child, program, NULL, NULL, argv, environ) != 0)
            return 95;
    }
    say("ready\n");
    sleep_for_ever();
    return sum;
}

static void play_endless(void)
{
    volatile uint64_t count = 0;

    for (;;)
        count++;
}

static int play_peak(void)
{
    say_number(process_peak_memory_bytes());
    char *block = malloc(64 << 20);
    for (size_t index = 0; index < 64 << 20; index += 4096)
        ((volatile char *)block)[index] = 1;
    free(block);
    say_number(process_peak_memory_bytes());
    return 0;
}

static int play(char **argv)
{
    const char *role = argv[1];

    if (strcmp(role, "echo") == 0)
        return play_echo();
    if (strcmp(role, "descriptors") == 0)
        return play_descriptors();
    if (strcmp(role, "signals") == 0)
        return play_signals();
    if (strcmp(role, "grandparent") == 0)
        return play_grandparent(argv[0]);
    if (strcmp(role, "stubborn") == 0)
        return play_stubborn();
    if (strcmp(role, "parent") == 0)
        return play_parent(argv[0]);
    if (strcmp(role, "orphan") == 0)
        return play_orphan(argv[2]);
    if (strcmp(role, "memory") == 0)
        return play_memory();
    if (strcmp(role, "busy") == 0)
        return play_busy();
    if (strcmp(role, "peak") == 0)
        return play_peak();
    if (strcmp(role, "group") == 0)
        return play_group(argv[0], argv[2]);
    if (strcmp(role, "endless") == 0)
        play_endless();
    if (strcmp(role, "sleep") == 0)
        sleep_for_ever();
    return strcmp(role, "quick") == 0 ? 0 : 99;
}

/* ---- helpers ---- */

static char self[FILE_PATH_BYTES];

static void start(const char *role, const char *argument, struct process *out)
{
    const char *argv[] = {self, role, argument, NULL};
    struct err err;
    enum err_code code = process_start(argv, out, &err);

    assert_int_equal(code, ERR_OK);
}

/* All until the end of the stream (or until a line feed when `one_line`), zero-terminated. */
static void read_all(int descriptor, bool one_line, char *out, size_t out_bytes)
{
    size_t size = 0;

    for (;;) {
        struct pollfd watched = {.fd = descriptor, .events = POLLIN};
        assert_int_equal(poll(&watched, 1, WAIT_MS), 1);
        assert_true(size + 1 < out_bytes);
        ssize_t got = read(descriptor, out + size, out_bytes - 1 - size);
        assert_true(got >= 0);
        size += (size_t)got;
        out[size] = '\0';
        if (got == 0 || (one_line && out[size - 1] == '\n'))
            return;
    }
}

static pid_t read_pid(int descriptor)
{
    char text[64];

    read_all(descriptor, true, text, sizeof text);
    long pid = strtol(text, NULL, 10);
    assert_true(pid > 1);
    return (pid_t)pid;
}

static struct process_end finish(struct process *process)
{
    struct process_end end = {0};

    assert_true(process_wait(process, WAIT_MS, &end));
    process_close(process);
    return end;
}

/* Dead or a zombie that nobody reaps. */
static bool is_dead(pid_t pid)
{
    char path[64], text[512] = "";

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return true;
    ssize_t size = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    const char *name_end = strrchr(text, ')');
    return size <= 0 || name_end == NULL || name_end[2] == 'Z' || name_end[2] == 'X';
}

static bool dies_within_ms(pid_t pid, int64_t timeout_ms)
{
    int64_t end_us = clock_monotonic_us() + timeout_ms * 1000;

    while (!is_dead(pid)) {
        if (clock_monotonic_us() > end_us)
            return false;
        usleep(1000);
    }
    return true;
}

/* ---- the tests ---- */

static void streams_and_exit_code_arrive(void **state)
{
    (void)state;
    struct process process;
    char text[1000];

    start("echo", NULL, &process);
    assert_int_equal(write(process.input, "request", 7), 7);
    close(process.input);
    process.input = -1;
    read_all(process.channel, false, text, sizeof text);
    assert_string_equal(text, "request");
    read_all(process.log, false, text, sizeof text);
    assert_string_equal(text, "out\nerr\n");
    struct process_end end = finish(&process);
    assert_true(end.exited);
    assert_int_equal(end.exit_code, 7);
    assert_int_equal(end.signal, 0);
}

static void read_ends_do_not_block(void **state)
{
    (void)state;
    struct process process;
    char byte;

    start("sleep", NULL, &process);
    assert_int_equal(read(process.channel, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(read(process.log, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    process_signal(&process, SIGKILL);
    struct process_end end = finish(&process);
    assert_false(end.exited);
    assert_int_equal(end.signal, SIGKILL);
}

static void wait_gives_up_in_time(void **state)
{
    (void)state;
    struct process process;
    struct process_end end;

    start("sleep", NULL, &process);
    int64_t start_us = clock_monotonic_us();
    assert_false(process_reap(&process, &end));
    assert_false(process_wait(&process, 0, &end));
    assert_false(process_wait(&process, 30, &end));
    int64_t passed_us = clock_monotonic_us() - start_us;
    assert_true(passed_us >= 30000);
    assert_true(passed_us < WAIT_MS * INT64_C(1000));
    process_signal(&process, SIGTERM);
    end = finish(&process);
    assert_int_equal(end.signal, SIGTERM);
    assert_true(process_group_is_gone(process.pid));
    process_signal(&process, SIGTERM); /* a group that is gone is no error */
}

static void pidfd_tells_the_end(void **state)
{
    (void)state;
    struct process process;

    start("quick", NULL, &process);
    struct pollfd watched = {.fd = process.pidfd, .events = POLLIN};
    assert_int_equal(poll(&watched, 1, WAIT_MS), 1);
    struct process_end end = {0};
    assert_true(process_reap(&process, &end));
    assert_true(end.exited);
    assert_int_equal(end.exit_code, 0);
    process_close(&process);
    process_close(&process); /* safe twice */
}

static void missing_program_is_an_error(void **state)
{
    (void)state;
    const char *argv[] = {"/nowhere/program", NULL};
    struct process process;
    struct err err;
    size_t open_before = test_descriptor_count();

    assert_int_equal(process_start(argv, &process, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "'/nowhere/program'"));
    assert_int_equal(process.pidfd, -1);
    argv[0] = "/proc/self/status";
    assert_int_equal(process_start(argv, &process, &err), ERR_IO);
    assert_int_equal(test_descriptor_count(), open_before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* A descriptor that some library opened without close-on-exec does not reach the child either. */
static void only_four_descriptors_reach_the_child(void **state)
{
    (void)state;
    struct process process;
    char text[1000];
    int careless = open("/dev/null", O_RDONLY);

    start("descriptors", NULL, &process);
    read_all(process.channel, false, text, sizeof text);
    assert_string_equal(text, "0\n1\n2\n3\n");
    (void)finish(&process);
    close(careless);
}

/* With standard input closed the pipes get low numbers, among them those the child uses. */
static void pipes_may_have_low_numbers(void **state)
{
    (void)state;
    struct process process;
    char text[1000];
    int kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);

    close(STDIN_FILENO);
    start("echo", NULL, &process);
    assert_int_equal(process.input == 0 || process.log == 0 || process.channel == 0, 1);
    assert_int_equal(write(process.input, "low", 3), 3);
    close(process.input);
    process.input = -1;
    read_all(process.channel, false, text, sizeof text);
    assert_string_equal(text, "low");
    read_all(process.log, false, text, sizeof text);
    assert_string_equal(text, "out\nerr\n");
    assert_int_equal(finish(&process).exit_code, 7);
    if (kept >= 0) {
        assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
        close(kept);
    }
}

static void child_gets_default_signals_and_its_own_group(void **state)
{
    (void)state;
    struct process process;
    char text[100];
    sigset_t mask, before;

    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, &before);
    signal(SIGPIPE, SIG_IGN);
    start("signals", NULL, &process);
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, SIG_DFL);
    read_all(process.channel, false, text, sizeof text);
    assert_string_equal(text, "0\n0\n1\n");
    (void)finish(&process);
}

static void exit_code_survives_an_ignored_sigchld(void **state)
{
    (void)state;
    struct process process;

    signal(SIGCHLD, SIG_IGN);
    start("echo", NULL, &process);
    close(process.input);
    process.input = -1;
    assert_int_equal(finish(&process).exit_code, 7);
    signal(SIGCHLD, SIG_DFL);
}

static void kill_reaches_the_grandchild(void **state)
{
    (void)state;
    struct process process;

    start("grandparent", NULL, &process);
    pid_t grandchild = read_pid(process.channel);
    assert_false(is_dead(grandchild));
    process_signal(&process, SIGTERM); /* ends the child; the grandchild ignores it */
    struct process_end end;
    assert_true(process_wait(&process, WAIT_MS, &end));
    assert_int_equal(end.signal, SIGTERM);
    assert_false(process_group_is_gone(process.pid));
    assert_false(is_dead(grandchild));
    process_signal(&process, SIGKILL);
    assert_true(dies_within_ms(grandchild, WAIT_MS));
    assert_true(process_group_is_gone(process.pid)); /* even where nobody reaps the orphan */
    process_close(&process);
}

static void child_dies_with_its_parent(void **state)
{
    (void)state;
    struct process parent;

    start("parent", NULL, &parent);
    pid_t orphan = read_pid(parent.channel);
    assert_false(is_dead(orphan));
    kill(parent.pid, SIGKILL); /* the parent alone, not its group */
    assert_int_equal(finish(&parent).signal, SIGKILL);
    assert_true(dies_within_ms(orphan, WAIT_MS));
}

/* The parent it was told of is gone already: here, one that never was its parent. */
static void late_child_does_not_stay(void **state)
{
    (void)state;
    struct process process;
    char text[100];

    start("orphan", "1", &process);
    read_all(process.channel, false, text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(finish(&process).signal, SIGKILL);
}

static void two_hundred_spawns_leave_nothing(void **state)
{
    (void)state;
    struct process processes[10];
    size_t open_before = test_descriptor_count();

    for (int round = 0; round < 20; round++) {
        for (size_t index = 0; index < 10; index++)
            start("quick", NULL, &processes[index]);
        for (size_t index = 0; index < 10; index++)
            assert_true(finish(&processes[index]).exited);
    }
    assert_int_equal(test_descriptor_count(), open_before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child, no zombie */
    assert_int_equal(errno, ECHILD);
}

static void memory_limit_holds(void **state)
{
    (void)state;
    struct process process;

    if (HAS_SANITIZER) {
        print_message("skipped: a sanitizer's shadow memory does not fit below a limit\n");
        skip();
    }
    start("memory", NULL, &process);
    struct process_end end = finish(&process);
    assert_true(end.exited);
    assert_int_equal(end.exit_code, 0);
}

static void processor_limit_holds(void **state)
{
    (void)state;
    struct process process;

    start("busy", NULL, &process);
    struct process_end end = finish(&process);
    assert_false(end.exited);
    assert_int_equal(end.signal, SIGXCPU);
}

static void peak_memory_is_the_childs_own(void **state)
{
    (void)state;
    struct process process;
    char text[100];
    char *end = NULL;
    size_t size_bytes = 128 << 20;

    volatile char *block = malloc(size_bytes); /* the parent's peak must not be inherited */
    assert_non_null(block);
    for (size_t index = 0; index < size_bytes; index += 4096)
        block[index] = 1;
    assert_true(process_peak_memory_bytes() >= (int64_t)size_bytes);
    start("peak", NULL, &process);
    read_all(process.channel, false, text, sizeof text);
    (void)finish(&process);
    free((void *)block);
    int64_t first = strtoll(text, &end, 10), second = strtoll(end, NULL, 10);
    assert_true(first > 0);
    assert_true(first < (int64_t)size_bytes);
    assert_true(second - first >= 60 << 20);
}

/* Both processes of the group are counted, the mapped file is not. */
static void memory_of_a_group(void **state)
{
    struct test_folder folder;
    struct process process;
    struct process_end end;
    char ready[64];
    int64_t used_bytes[2];

    (void)state;
    if (HAS_SANITIZER) {
        print_message("skipped: a sanitizer's own memory is counted too\n");
        return;
    }
    test_folder_create(&folder);
    const char *path = test_folder_path(&folder, "mapped");
    int descriptor = open(path, O_CREAT | O_RDWR, 0600);
    assert_int_equal(ftruncate(descriptor, 64 << 20), 0);
    close(descriptor);
    start("group", path, &process);
    read_all(process.channel, true, ready, sizeof ready);
    const pid_t groups[2] = {process.pid, 1 << 29}; /* the other one is nobody's */
    int64_t end_us = clock_monotonic_us() + WAIT_MS * INT64_C(1000);
    do
        process_group_memory(groups, used_bytes, 2);
    while (used_bytes[0] < 128 << 20 && clock_monotonic_us() < end_us); /* until the child has its share */
    assert_in_range(used_bytes[0], 128 << 20, 150 << 20);
    assert_int_equal(used_bytes[1], 0);
    process_signal(&process, SIGKILL);
    assert_true(process_wait(&process, WAIT_MS, &end));
    process_close(&process);
    test_folder_remove(&folder);
}

static void processor_limit_from_outside(void **state)
{
    struct process process;
    struct process_end end;

    (void)state;
    start("endless", NULL, &process);
    process_limit_cpu(process.pid, 1);
    assert_true(process_wait(&process, WAIT_MS, &end));
    assert_false(end.exited);
    assert_int_equal(end.signal, SIGXCPU);
    process_close(&process);
    assert_true(process_machine_memory_bytes() > 100 << 20);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return play(argv);
    if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_and_exit_code_arrive),
        cmocka_unit_test(read_ends_do_not_block),
        cmocka_unit_test(wait_gives_up_in_time),
        cmocka_unit_test(pidfd_tells_the_end),
        cmocka_unit_test(missing_program_is_an_error),
        cmocka_unit_test(only_four_descriptors_reach_the_child),
        cmocka_unit_test(pipes_may_have_low_numbers),
        cmocka_unit_test(child_gets_default_signals_and_its_own_group),
        cmocka_unit_test(exit_code_survives_an_ignored_sigchld),
        cmocka_unit_test(kill_reaches_the_grandchild),
        cmocka_unit_test(child_dies_with_its_parent),
        cmocka_unit_test(late_child_does_not_stay),
        cmocka_unit_test(two_hundred_spawns_leave_nothing),
        cmocka_unit_test(memory_limit_holds),
        cmocka_unit_test(processor_limit_holds),
        cmocka_unit_test(peak_memory_is_the_childs_own),
        cmocka_unit_test(memory_of_a_group),
        cmocka_unit_test(processor_limit_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
