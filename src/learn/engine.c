/* Engine list: the rows of engine_list.h as a table. */
#include "learn/engine.h"

#include <string.h>

static const struct engine *const engines[] = {
#define ENGINE(symbol) &engine_##symbol,
#include "learn/engine_list.h"
#undef ENGINE
};

enum { ENGINE_COUNT = sizeof engines / sizeof engines[0] };

const struct engine *engine_at(size_t index)
{
    return index < ENGINE_COUNT ? engines[index] : NULL;
}

const struct engine *engine_find(const char *name)
{
    for (size_t i = 0; i < ENGINE_COUNT; i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
