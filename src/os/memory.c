/* Memory: fixed thresholds; setting one of them switches off that glibc moves it. */
#include "os/memory.h"

#include <malloc.h>

enum { LARGE_BLOCK_BYTES = 1 << 20, KEPT_AT_TOP_BYTES = 8 << 20 };

void memory_set_up(void)
{
#ifdef M_MMAP_THRESHOLD /* glibc; others keep their own ways */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_AT_TOP_BYTES);
#endif
}
