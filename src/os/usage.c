/* Usage: see usage.h. */
#include "os/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int64_t address_space_bytes(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    return strtoll(line, NULL, 10) * sysconf(_SC_PAGESIZE);
}

/* The size of the folder is the number of its entries since Linux 6.2; before, it is 0 and they are counted, without "." and
 * ".." and the descriptor that counts. */
static int64_t open_files(void)
{
    struct stat stat_of;
    int64_t count = -3;
    if (stat("/proc/self/fd", &stat_of) == 0 && stat_of.st_size > 0)
        return stat_of.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

void process_usage(struct process_usage *out)
{
    struct rusage usage;
    struct rlimit limit;
    *out = (struct process_usage){.virtual_bytes = address_space_bytes(), .open_files = open_files()};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->max_files = limit.rlim_cur == RLIM_INFINITY ? -1 : (int64_t)limit.rlim_cur;
}
