/* Time zones: the offsets of a place over time, read from the TZif files of the system's tzdata (RFC 8536, version 2 and
 * later, with the POSIX rule of the footer for times after the last change that is listed).
 *
 * Invariant: spans of one offset follow each other without a gap, from TIME_NONE + 1 to INT64_MAX; a moment lies in exactly
 * one. A local time is written as the microseconds since 1970-01-01T00:00 on that clock (`local_us`), so it is not a moment
 * until a zone says which. Two zones of base/time.h are fixed in the program (`enum time_zone`); these here are files, hence
 * the shorter name `struct zone`. Files with leap seconds ("right/...") are refused: UTC here has none.
 * Threads: a zone never changes once it is open. Memory: one block, zone_close. */
#ifndef ALMANAC_JOB_TIME_ZONE_H
#define ALMANAC_JOB_TIME_ZONE_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

enum { ZONE_NAME_BYTES = 64 };

/* Time of one offset: from_us <= moment < to_us. */
struct zone_span {
    int64_t from_us, to_us; /* INT64_MIN, INT64_MAX: without end */
    int32_t offset_s;       /* local time minus UTC */
};

/* "UTC", "Europe/Berlin". folder: where the TZif files are; NULL: /usr/share/zoneinfo. A name cannot leave the folder.
 * ERR_INVALID: not the form of a name; ERR_NOT_FOUND: no such zone; ERR_CORRUPT: the file breaks its format. "UTC" needs no
 * file. */
enum err_code zone_open(const char *folder, const char *name, struct zone **out, struct err *err) CHECKED;
/* The same from the bytes of a file; `name` is for messages. */
enum err_code zone_read(const void *data, size_t size_bytes, const char *name, struct zone **out,
                        struct err *err) CHECKED;
void zone_close(struct zone *zone); /* NULL: nothing */
const char *zone_name(const struct zone *zone);

void zone_span_at(const struct zone *zone, int64_t time_us, struct zone_span *out);
int64_t zone_to_local(const struct zone *zone, int64_t time_us);
/* The moment of a local time. One that occurs twice: the first. One that the clock skips: the moment of the change. */
int64_t zone_to_utc(const struct zone *zone, int64_t local_us);

#endif
