/* Dataset: see dataset.h. Slices borrow; nothing is copied. */
#include "learn/dataset.h"

#include <assert.h>
#include <string.h>

struct dataset dataset_slice(const struct dataset *whole, size_t first, size_t count)
{
    assert(first <= whole->rows && count <= whole->rows - first);
    struct dataset slice = *whole;
    slice.rows = count;
    slice.x = whole->x ? whole->x + first * whole->columns : NULL;
    /* members the caller does not use may be NULL, and stay so */
    slice.label = whole->label ? whole->label + first : NULL;
    slice.time_us = whole->time_us ? whole->time_us + first : NULL;
    slice.block = whole->block ? whole->block + first : NULL;
    slice.group = whole->group ? whole->group + first : NULL;
    return slice;
}

int dataset_column(const char *const *names, size_t columns, const char *name)
{
    for (size_t i = 0; i < columns; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}
