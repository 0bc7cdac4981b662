/* Names of other sources: some fifty rows, looked through from the start. */
#include "source/connector_league.h"

#include <string.h>

static const struct connector_league leagues[] = {
#define CONNECTOR_LEAGUE(code, sport, competition) {code, sport, competition},
#include "source/connector_league_list.h"
#undef CONNECTOR_LEAGUE
};
static const struct {
    const char *key, *name;
} bookmakers[] = {
#define CONNECTOR_BOOKMAKER(key, name) {key, name},
#include "source/connector_bookmaker_list.h"
#undef CONNECTOR_BOOKMAKER
};
enum {
    LEAGUE_COUNT = sizeof leagues / sizeof *leagues,
    BOOKMAKER_COUNT = sizeof bookmakers / sizeof *bookmakers
};

const struct connector_league *connector_league_at(size_t index)
{
    return index < LEAGUE_COUNT ? &leagues[index] : NULL;
}

const struct connector_league *connector_league_find(const char *code)
{
    for (size_t index = 0; index < LEAGUE_COUNT; index++) {
        if (strcmp(leagues[index].code, code) == 0)
            return &leagues[index];
    }
    return NULL;
}

const struct connector_league *connector_league_of(const char *competition)
{
    for (size_t index = 0; index < LEAGUE_COUNT && competition[0] != '\0'; index++) {
        if (strcmp(leagues[index].competition, competition) == 0)
            return &leagues[index];
    }
    return NULL;
}

const char *connector_bookmaker(const char *key)
{
    for (size_t index = 0; index < BOOKMAKER_COUNT; index++) {
        if (strcmp(bookmakers[index].key, key) == 0)
            return bookmakers[index].name;
    }
    return key;
}
