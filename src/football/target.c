/* Targets: target_list.h as an array; one function per question, with a switch over the few targets. */
#include "football/target.h"

#include <assert.h>
#include <string.h>

static const struct target_info targets[] = {
#define TARGET(symbol, name, classes, first, second, third, ceiling)                                         \
    {name, classes, {first, second, third}, ceiling},
#include "football/target_list.h"
#undef TARGET
};

const struct target_info *target_at(enum target target)
{
    assert((size_t)target < TARGET_COUNT);
    return &targets[target];
}

int target_find(const char *name)
{
    for (int i = 0; i < TARGET_COUNT; i++) {
        if (strcmp(targets[i].name, name) == 0)
            return i;
    }
    return -1;
}

int target_label(enum target target, const struct outcome *outcome)
{
    int home = outcome->goals[SIDE_HOME], away = outcome->goals[SIDE_AWAY];
    if (home < 0 || away < 0)
        return -1;
    switch (target) {
    case TARGET_1X2:
        return home > away ? 0 : home == away ? 1 : 2;
    case TARGET_OU25:
        return home + away > 2;
    default:
        assert(!"unknown target");
        return -1;
    }
}

const float *target_prices(enum target target, const struct prices *prices, enum bookmaker bookmaker)
{
    assert((size_t)bookmaker < BOOKMAKER_COUNT);
    switch (target) {
    case TARGET_1X2:
        return prices->home_draw_away[bookmaker];
    case TARGET_OU25:
        return prices->under_over[bookmaker];
    default:
        assert(!"unknown target");
        return NULL;
    }
}
