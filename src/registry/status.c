/* Status of a version. */
#include "registry/status.h"

#include "base/time.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name, *colour;
} rows[] = {
#define MODEL_STATUS(symbol, name, colour) {name, colour},
#include "registry/status_list.h"
#undef MODEL_STATUS
};

const char *model_status_name(enum model_status status)
{
    assert((unsigned)status < MODEL_STATUS_COUNT);
    return rows[status].name;
}

const char *model_status_colour(enum model_status status)
{
    assert((unsigned)status < MODEL_STATUS_COUNT);
    return rows[status].colour;
}

int model_status_find(const char *name)
{
    for (int status = 0; status < MODEL_STATUS_COUNT; status++) {
        if (strcmp(rows[status].name, name) == 0)
            return status;
    }
    return -1;
}

enum model_status model_status_of(const struct version_row *row, int64_t now_us)
{
    if (row->stage == STAGE_ARCHIVED || row->cleared_us != TIME_NONE)
        return MODEL_ARCHIVED;
    return now_us - row->trained_us < MODEL_FRESH_US ? MODEL_ACTIVE : MODEL_STALE;
}
