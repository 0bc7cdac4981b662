/* See matrix_names.h. */
#include "cli/matrix_names.h"
#include "football/league.h"
#include "football/target.h"

#include <stdlib.h>

enum err_code matrix_names_create(struct matrix_names *out, struct err *err)
{
    const size_t leagues = league_count(), countries = league_country_count();
    const char **names = calloc(leagues + countries + TARGET_COUNT, sizeof *names);
    *out = (struct matrix_names){0};
    if (names == NULL)
        return err_nomem(err, (leagues + countries) * sizeof *names);
    for (size_t i = 0; i < leagues; i++)
        names[i] = league_at(i)->code;
    for (size_t i = 0; i < countries; i++)
        names[leagues + i] = league_country_name(i);
    for (size_t i = 0; i < TARGET_COUNT; i++)
        names[leagues + countries + i] = target_at((enum target)i)->name;
    *out = (struct matrix_names){names, names + leagues, names + leagues + countries, TARGET_COUNT};
    return ERR_OK;
}

void matrix_names_release(struct matrix_names *names)
{
    free((void *)names->groups);
    *names = (struct matrix_names){0};
}
