/* Bookmakers by name. */
#include "football/bookmaker.h"

#include <assert.h>
#include <string.h>

static const char *const names[] = {
#define BOOKMAKER(symbol, name, title) name,
#include "football/bookmaker_list.h"
#undef BOOKMAKER
    NULL,
};

static const char *const titles[] = {
#define BOOKMAKER(symbol, name, title) title,
#include "football/bookmaker_list.h"
#undef BOOKMAKER
};

const char *bookmaker_name(enum bookmaker bookmaker)
{
    assert(bookmaker < BOOKMAKER_COUNT);
    return names[bookmaker];
}

const char *bookmaker_title(enum bookmaker bookmaker)
{
    assert(bookmaker < BOOKMAKER_COUNT);
    return titles[bookmaker];
}

int bookmaker_find(const char *name)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

const char *const *bookmaker_names(void)
{
    return names;
}
