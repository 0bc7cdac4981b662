/* Fuzzes cron expressions: the bytes are an expression, then (after a line end) nothing. What is accepted fires in order, in
 * zones with changes of every kind; what can never fire says so; what is refused says why. */
#include "job/cron.h"
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

static void walk(const struct cron *cron, const char *name)
{
    struct zone *zone = NULL;
    int64_t time_us = INT64_C(1790000000) * TIME_SECOND_US;
    if (zone_open(NULL, name, &zone, NULL) != ERR_OK) /* no tzdata here */
        return;
    for (int i = 0; i < 50; i++) {
        int64_t next_us = cron_next(cron, zone, time_us);
        if (next_us == TIME_NONE)
            break;
        require(next_us > time_us && next_us % TIME_SECOND_US == 0);
        time_us = next_us;
        if (i % 10 == 9)
            time_us += 20 * TIME_DAY_US;
    }
    zone_close(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    char text[CRON_TEXT_BYTES + 8] = "";
    struct cron cron;
    struct err err = {0};
    memcpy(text, data, size_bytes < sizeof text ? size_bytes : sizeof text - 1);
    if (cron_parse(text, &cron, &err) != ERR_OK) {
        require(err.code == ERR_INVALID && err.text[0] != '\0' && strcmp(err.field, "cron") == 0);
        return 0;
    }
    require(cron.minute != 0 && cron.minute >> 60 == 0 && cron.hour != 0 && cron.hour >> 24 == 0);
    require(cron.day != 0 && (cron.day & 1) == 0 && cron.month != 0 && (cron.month & ~0x1ffeu) == 0);
    require(cron.weekday != 0 && cron.weekday >> 7 == 0);
    if (cron_is_never(&cron))
        return 0;
    walk(&cron, "Europe/Berlin");
    walk(&cron, "Australia/Lord_Howe");
    walk(&cron, "Pacific/Apia");
    return 0;
}
