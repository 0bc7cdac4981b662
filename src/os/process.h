/* Child processes: posix_spawn into their own process group, never a bare fork (OpenMP libraries hang after
 * it).
 *
 * The child reads its request from standard input and writes protocol lines to descriptor 3
 * (PROCESS_CHANNEL); stdout and stderr both go to one log pipe. The parent gets non-blocking read ends. The
 * child dies with the parent (it sees EOF on stdin / PR_SET_PDEATHSIG set by itself through
 * process_die_with_parent). Linux only (pidfd, /proc). */
#ifndef ALMANAC_OS_PROCESS_H
#define ALMANAC_OS_PROCESS_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_CHANNEL = 3 };

struct process {
    pid_t pid;   /* also the process group */
    int pidfd;   /* readable when the child has ended */
    int input;   /* write end of the child's stdin */
    int channel; /* read end of descriptor 3, non-blocking */
    int log;     /* read end of stdout + stderr, non-blocking */
};
struct process_end {
    bool exited;   /* false: killed by a signal */
    int exit_code; /* when exited */
    int signal;    /* when not */
};

/* argv NULL-terminated, argv[0] the path of the program; environment is inherited. */
enum err_code process_start(const char *const *argv, struct process *out, struct err *err) CHECKED;
/* Sends to the whole group; a group that is gone is not an error. */
void process_signal(const struct process *process, int signal_number);
/* Reaps if ended (does not block). */
bool process_reap(struct process *process, struct process_end *out);
/* Waits up to timeout_ms for the end, reaps. */
bool process_wait(struct process *process, int64_t timeout_ms, struct process_end *out);
bool process_group_is_gone(pid_t group);
void process_close(struct process *process); /* descriptors only */
/* In the child: ask the kernel to be killed with the parent (expected parent pid guards the race). */
void process_die_with_parent(pid_t parent);
/* Address-space and CPU limits of this process; 0 leaves a limit alone. */
enum err_code process_limit(int64_t memory_bytes, int64_t cpu_s, struct err *err) CHECKED;
/* Processor time of another process of ours and of those it starts; 0: no limit. Past it comes SIGXCPU, 5 s later SIGKILL. */
void process_limit_cpu(pid_t pid, int64_t cpu_s);
/* Memory of each group that is its own: resident pages that are not shared with a file or another process's mapping. Mapped
 * data files are not counted: the system takes them back when it needs the room. One pass over all processes. */
void process_group_memory(const pid_t *groups, int64_t *out_bytes, size_t count);
/* As many open files as the hard limit allows: every connection is one. Never fails; the old limit stays if it must. */
void process_raise_open_files(void);
int64_t process_peak_memory_bytes(void); /* of this process */
int64_t
process_machine_memory_bytes(void);   /* physical, of the whole machine; 0 when the system does not say */
int64_t process_resident_bytes(void); /* now; 0 when the system does not say */

#endif
