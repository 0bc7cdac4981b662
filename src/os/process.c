/* Child processes by posix_spawn. The child ends of its pipes are first moved to descriptors above the ones
 * it will use (a pipe may well be number 3 itself), then put onto 0..3, and everything above 3 is closed by
 * the spawn, so a descriptor that some library opened without close-on-exec does not reach the child either.
 * Signals that this process ignores or blocks are the defaults in the child again.
 *
 * A child that has ended keeps its pid, and with it the name of its group, until it is reaped: nothing here
 * can hit a stranger as long as process_signal is called before the reap or while process_group_is_gone says
 * false. */
#include "os/process.h"

#include "os/clock.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_FREE_DESCRIPTOR = PROCESS_CHANNEL + 1 };

extern char **environ;

/* The child's ends, all at FIRST_FREE_DESCRIPTOR or above; -1 when not open. */
struct child_ends {
    int input, log, channel;
};

static void close_one(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

/* One pipe: *ours stays here, *theirs goes to the child; `child_reads` says which end that is. */
static int open_pipe(int *ours, int *theirs, bool child_reads)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    int child_end = ends[child_reads ? 0 : 1];
    *ours = ends[child_reads ? 1 : 0];
    *theirs = fcntl(child_end, F_DUPFD_CLOEXEC, FIRST_FREE_DESCRIPTOR);
    int failure = *theirs < 0 ? errno : 0;
    close(child_end);
    if (failure == 0 && !child_reads && fcntl(*ours, F_SETFL, O_NONBLOCK) != 0)
        failure = errno;
    return failure;
}

static enum err_code open_pipes(struct process *process, struct child_ends *ends, struct err *err)
{
    int failure = open_pipe(&process->input, &ends->input, true);

    if (failure == 0)
        failure = open_pipe(&process->log, &ends->log, false);
    if (failure == 0)
        failure = open_pipe(&process->channel, &ends->channel, false);
    if (failure != 0)
        return err_set_errno(err, failure, "cannot open pipes to a child process");
    return ERR_OK;
}

static int set_actions(posix_spawn_file_actions_t *actions, const struct child_ends *ends)
{
    int failure = posix_spawn_file_actions_adddup2(actions, ends->input, STDIN_FILENO);

    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(actions, ends->log, STDOUT_FILENO);
    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(actions, ends->log, STDERR_FILENO);
    if (failure == 0)
        failure = posix_spawn_file_actions_adddup2(actions, ends->channel, PROCESS_CHANNEL);
    if (failure == 0)
        failure = posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FREE_DESCRIPTOR);
    return failure;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
    static const int reset[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGTERM,
                                SIGCHLD, SIGXFSZ, SIGXCPU, SIGUSR1, SIGUSR2};
    sigset_t none, defaults;

    sigemptyset(&none);
    sigemptyset(&defaults);
    for (size_t index = 0; index < sizeof reset / sizeof *reset; index++)
        sigaddset(&defaults, reset[index]);
    int failure = posix_spawnattr_setsigmask(attributes, &none);
    if (failure == 0)
        failure = posix_spawnattr_setsigdefault(attributes, &defaults);
    if (failure == 0)
        failure = posix_spawnattr_setpgroup(attributes, 0);
    if (failure == 0)
        failure = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                           POSIX_SPAWN_SETPGROUP);
    return failure;
}

static int spawn(const char *const *argv, const struct child_ends *ends, pid_t *out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    int failure = posix_spawn_file_actions_init(&actions);
    if (failure != 0)
        return failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return failure;
    }
    failure = set_actions(&actions, ends);
    if (failure == 0)
        failure = set_attributes(&attributes);
    if (failure == 0) /* posix_spawn does not write to the texts, its type is older than const */
        failure = posix_spawn(out, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

/* Started under some supervisors SIGCHLD is ignored; then children vanish without an exit code to read. */
static void keep_exit_codes(void)
{
    struct sigaction action;

    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

static enum err_code start(const char *const *argv, const struct child_ends *ends, struct process *process,
                           struct err *err)
{
    keep_exit_codes();
    int failure = spawn(argv, ends, &process->pid);
    if (failure != 0) {
        process->pid = -1;
        return err_set_errno(err, failure, "cannot start '%s'", argv[0]);
    }
    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0); /* close-on-exec by itself */
    if (process->pidfd < 0) {
        enum err_code code = err_set_errno(err, errno, "cannot watch child process %d", (int)process->pid);
        kill(-process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        return code;
    }
    return ERR_OK;
}

enum err_code process_start(const char *const *argv, struct process *out, struct err *err)
{
    struct child_ends ends = {.input = -1, .log = -1, .channel = -1};

    assert(argv[0] != NULL);
    *out = (struct process){.pid = -1, .pidfd = -1, .input = -1, .channel = -1, .log = -1};
    enum err_code code = open_pipes(out, &ends, err);
    if (code == ERR_OK)
        code = start(argv, &ends, out, err);
    close_one(&ends.input);
    close_one(&ends.log);
    close_one(&ends.channel);
    if (code != ERR_OK)
        process_close(out);
    return code;
}

void process_signal(const struct process *process, int signal_number)
{
    assert(process->pid > 1);
    (void)kill(-process->pid,
               signal_number); /* ESRCH: the group is gone, which is what the caller wants to reach */
}

bool process_reap(struct process *process, struct process_end *out)
{
    int status = 0;
    pid_t result;

    do
        result = waitpid(process->pid, &status, WNOHANG);
    while (result < 0 && errno == EINTR);
    assert(result >= 0); /* ECHILD: reaped twice */
    if (result == 0)
        return false;
    out->exited = WIFEXITED(status);
    out->exit_code = out->exited ? WEXITSTATUS(status) : 0;
    out->signal = out->exited ? 0 : WTERMSIG(status);
    return true;
}

bool process_wait(struct process *process, int64_t timeout_ms, struct process_end *out)
{
    int64_t end_us = clock_monotonic_us() + timeout_ms * 1000;
    struct pollfd watched = {.fd = process->pidfd, .events = POLLIN};

    for (;;) {
        int64_t left_ms = (end_us - clock_monotonic_us() + 999) / 1000;
        int timeout = left_ms < 0 ? 0 : left_ms > 1000000 ? 1000000 : (int)left_ms;
        int ready = poll(&watched, 1, timeout);
        assert(ready >= 0 || errno == EINTR);
        if (process_reap(process, out))
            return true;
        if (left_ms <= 0)
            return false;
    }
}

/* State letter and process group of /proc/<name>/stat; false when it is not there (any more). */
static bool read_stat(const char *name, char *out_state, pid_t *out_group)
{
    char path[64], text[512];
    if (snprintf(path, sizeof path, "/proc/%.20s/stat", name) >= (int)sizeof path)
        return false;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ssize_t size = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (size <= 0)
        return false;
    text[size] = '\0';
    const char *name_end = strrchr(text, ')'); /* the name in front may hold spaces and parentheses */
    if (name_end == NULL || name_end[1] != ' ' || name_end[2] == '\0')
        return false;
    *out_state = name_end[2]; /* then " parent group ..." */
    char *after_parent = NULL, *after_group = NULL;
    (void)strtol(name_end + 3, &after_parent, 10);
    long group = strtol(after_parent, &after_group, 10);
    *out_group = (pid_t)group;
    return after_group != after_parent;
}

/* Zombies are dead: where process 1 does not reap orphans, kill(2) would find them for ever. */
static bool group_has_live_member(pid_t group)
{
    bool found = false;
    struct dirent *entry;

    DIR *stream = opendir("/proc");
    if (stream == NULL)
        return true; /* cannot tell: say nothing that is not known */
    while (!found && (entry = readdir(stream)) != NULL) {
        char state = 0;
        pid_t its_group = 0;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        if (read_stat(entry->d_name, &state, &its_group))
            found = its_group == group && state != 'Z' && state != 'X';
    }
    closedir(stream);
    return found;
}

bool process_group_is_gone(pid_t group)
{
    assert(group > 1);
    if (kill(-group, 0) != 0 && errno == ESRCH)
        return true;
    return !group_has_live_member(group);
}

void process_close(struct process *process)
{
    close_one(&process->pidfd);
    close_one(&process->input);
    close_one(&process->channel);
    close_one(&process->log);
}

void process_die_with_parent(pid_t parent)
{
    int result = prctl(PR_SET_PDEATHSIG, SIGKILL);

    assert(result == 0);
    if (getppid() != parent) /* it died before the line above */
        raise(SIGKILL);
}

/* Lowers (or raises up to the hard limit) one limit; grace is added to the hard one. */
static enum err_code set_limit(int resource, const char *name, int64_t value, int64_t grace, struct err *err)
{
    struct rlimit limit;

    if (value == 0)
        return ERR_OK;
    assert(value > 0);
    if (getrlimit(resource, &limit) != 0)
        return err_set_errno(err, errno, "cannot read the %s limit", name);
    rlim_t most = limit.rlim_max;
    limit.rlim_cur = most != RLIM_INFINITY && (rlim_t)value > most ? most : (rlim_t)value;
    limit.rlim_max = most != RLIM_INFINITY && (rlim_t)(value + grace) > most ? most : (rlim_t)(value + grace);
    if (setrlimit(resource, &limit) != 0)
        return err_set_errno(err, errno, "cannot set the %s limit to %" PRId64, name, value);
    return ERR_OK;
}

enum err_code process_limit(int64_t memory_bytes, int64_t cpu_s, struct err *err)
{
    enum err_code code = set_limit(RLIMIT_AS, "memory", memory_bytes, 0, err);

    if (code != ERR_OK)
        return code;
    return set_limit(RLIMIT_CPU, "processor time", cpu_s, 5, err); /* 5 s between SIGXCPU and SIGKILL */
}

void process_limit_cpu(pid_t pid, int64_t cpu_s)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)cpu_s, .rlim_max = (rlim_t)cpu_s + 5};

    if (cpu_s > 0)
        (void)prlimit(pid, RLIMIT_CPU, &limit,
                      NULL); /* it fails where the process is gone, or the limit lower */
}

/* Resident and not shared, of /proc/<name>/statm. */
static int64_t read_own_bytes(const char *name)
{
    char path[64], text[128];
    char *rest;

    (void)snprintf(path, sizeof path, "/proc/%.20s/statm", name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return 0;
    ssize_t size = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    (void)strtoll(text, &rest, 10);
    int64_t resident = strtoll(rest, &rest, 10), shared = strtoll(rest, NULL, 10);
    return (resident - shared) * sysconf(_SC_PAGESIZE);
}

void process_group_memory(const pid_t *groups, int64_t *out_bytes, size_t count)
{
    struct dirent *entry;

    memset(out_bytes, 0, count * sizeof *out_bytes);
    DIR *stream = opendir("/proc");
    if (stream == NULL)
        return;
    while ((entry = readdir(stream)) != NULL) {
        char state = 0;
        pid_t its_group = 0;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !read_stat(entry->d_name, &state, &its_group))
            continue;
        for (size_t index = 0; index < count; index++) {
            if (groups[index] == its_group)
                out_bytes[index] += read_own_bytes(entry->d_name);
        }
    }
    closedir(stream);
}

/* VmHWM and not ru_maxrss: after a spawn the latter starts with the peak of the parent. */
void process_raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int64_t process_resident_bytes(void)
{
    char line[128] = "";
    char *rest;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    (void)strtoll(line, &rest, 10); /* the first number is the address space */
    return strtoll(rest, NULL, 10) * sysconf(_SC_PAGESIZE);
}

int64_t process_machine_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);

    return pages > 0 && page_bytes > 0 ? (int64_t)pages * page_bytes : 0;
}

int64_t process_peak_memory_bytes(void)
{
    char line[256];
    int64_t peak_kib = 0;

    FILE *file = fopen("/proc/self/status", "re");
    if (file != NULL) {
        while (peak_kib == 0 && fgets(line, sizeof line, file) != NULL) {
            if (strncmp(line, "VmHWM:", 6) == 0)
                peak_kib = strtoll(line + 6, NULL, 10);
        }
        fclose(file);
    }
    if (peak_kib == 0) {
        struct rusage usage = {0};
        (void)getrusage(RUSAGE_SELF, &usage);
        peak_kib = usage.ru_maxrss;
    }
    return peak_kib * 1024;
}
