/* Field 22 of /proc/<pid>/stat (start in clock ticks since boot, see proc(5)), and the beginning of the boot's random
 * id, since ticks count from zero after every boot. */
#include "job/process_mark.h"

#include "base/buffer.h"
#include "base/text.h"
#include "os/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { START_FIELD = 22, STATE_FIELD = 3, BOOT_DIGITS = 8, SMALL_FILE_BYTES = 4096 };

static bool read_small(const char *path, struct buffer *out)
{
    buffer_init(out, SMALL_FILE_BYTES);
    return file_read(path, out, NULL) == ERR_OK && out->size_bytes > 0;
}

/* The name in field 2 may hold spaces and parentheses: fields are counted behind the last ')'. */
static bool find_start(const char *stat, int64_t *out)
{
    struct text rest, part = {0};
    const char *name_end = strrchr(stat, ')');

    if (name_end == NULL || name_end[1] != ' ')
        return false;
    rest = text_of(name_end + 2);
    for (int field = STATE_FIELD; field <= START_FIELD; field++) {
        if (!text_split(&rest, ' ', &part))
            return false;
    }
    return text_parse_i64(part, out);
}

bool process_mark(int64_t pid, char out[PROCESS_MARK_BYTES])
{
    struct buffer stat = {0}, boot = {0};
    char path[64];
    int64_t start = 0;

    out[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    bool is_found = pid > 0 && read_small(path, &stat) && find_start(stat.data, &start) &&
                    read_small("/proc/sys/kernel/random/boot_id", &boot);
    if (is_found)
        (void)snprintf(out, PROCESS_MARK_BYTES, "%.*s/%" PRId64, BOOT_DIGITS, boot.data, start);
    buffer_release(&stat);
    buffer_release(&boot);
    return is_found;
}
