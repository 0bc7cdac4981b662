/* Memory: how the process uses the system's allocator. Threads: once, before there are any. */
#ifndef ALMANAC_OS_MEMORY_H
#define ALMANAC_OS_MEMORY_H

/* Large blocks go back to the system when they are freed. By default glibc raises its limit for "large" with every large
 * block freed, up to 32 MiB, and keeps what is below: frames of matches and prices stayed resident behind the matrix that
 * was built from them, 120 MB with all the matches of 22 leagues. */
void memory_set_up(void);

#endif
