/* Usage: what this process has used of the machine so far. Linux (/proc). Threads: any. */
#ifndef ALMANAC_OS_USAGE_H
#define ALMANAC_OS_USAGE_H

#include <stdint.h>

struct process_usage {
    double cpu_s;          /* user and system, of all threads */
    int64_t virtual_bytes; /* address space; 0 when the system does not say */
    int64_t open_files;    /* descriptors; 0 when the system does not say */
    int64_t max_files;     /* that may be open; -1: no limit */
};

/* Cheap: two files of /proc, and a folder where the kernel (before 6.2) does not tell its size. */
void process_usage(struct process_usage *out);

#endif
