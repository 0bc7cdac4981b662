/* Process mark: what names a process together with its pid for longer than it lives: the boot and the tick it began in.
 * Pids are given again, also by the same boot; a pid whose mark has changed is somebody else. Threads: any. */
#ifndef ALMANAC_JOB_PROCESS_MARK_H
#define ALMANAC_JOB_PROCESS_MARK_H

#include <stdbool.h>
#include <stdint.h>

enum { PROCESS_MARK_BYTES = 64 };

/* "8b2d4d14/123456"; false, with out empty, when there is no such process. A zombie still has its mark. */
bool process_mark(int64_t pid, char out[PROCESS_MARK_BYTES]);

#endif
