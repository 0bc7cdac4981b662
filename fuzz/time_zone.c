/* Fuzzes TZif files. What is accepted has spans that follow each other and local times that never go back, in the years of
 * the table and in those of the rule; what is refused says why. */
#include "job/time_zone.h"
#include "base/time.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_spans(const struct zone *zone, int64_t from_us)
{
    struct zone_span span, next;
    zone_span_at(zone, from_us, &span);
    for (int i = 0; i < 40; i++) {
        require(span.from_us <= from_us && from_us < span.to_us);
        if (span.to_us == INT64_MAX)
            return;
        from_us = span.to_us;
        zone_span_at(zone, from_us, &next);
        require(next.from_us == from_us);
        span = next;
    }
}

static void check_locals(const struct zone *zone, int64_t from_us)
{
    int64_t last_us = INT64_MIN;
    for (int i = 0; i < 200; i++) {
        int64_t moment_us = zone_to_utc(zone, from_us + i * 37 * TIME_HOUR_US);
        require(moment_us >= last_us);
        last_us = moment_us;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    const int64_t years_us[] = {INT64_C(-2000000000), 0, INT64_C(1774745000), INT64_C(4000000000)};
    struct zone *zone = NULL;
    struct err err = {0};
    if (zone_read(data, size_bytes, "fuzzed", &zone, &err) != ERR_OK) {
        require(err.text[0] != '\0' && (err.code == ERR_CORRUPT || err.code == ERR_INVALID));
        return 0;
    }
    for (size_t i = 0; i < sizeof years_us / sizeof *years_us; i++) {
        check_spans(zone, years_us[i] * TIME_SECOND_US);
        check_locals(zone, years_us[i] * TIME_SECOND_US);
    }
    zone_close(zone);
    return 0;
}
