/* Football's feature views: see views.h; one row per view in view_list.h, what each holds in the picks below.
 *
 * A team's row must not depend on whom it met: only columns of one side are picked, never gaps and expectations (tested).
 * What differs by ground (form and points at home, form and points away) is taken from the two fixtures in which the team
 * plays at home and away: the meeting as played, and with the sides changed. */
#include "football/views.h"

#include "base/time.h"
#include "football/feature_sets.h"
#include "football/history_future.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define VIEW_OWNER "football"

static const struct view_pick match_picks[] = {{"market_", NULL, 0}, {"", "", 0}, {0}};
static const struct view_pick odds_picks[] = {{"market_", "market_", 0}, {0}};
static const struct view_pick h2h_picks[] = {{"h2h_", "h2h_", 0}, {0}};
static const struct view_pick form_picks[] = {
    {"form_home_overall_", "form_", 0},          {"form_home_venue_", "form_home_venue_", 0},
    {"form_away_venue_", "form_away_venue_", 1}, {"shots_home_", "shots_", 0},
    {"discipline_home_", "discipline_", 0},      {"xg_home_", "xg_", 0},
    {"tactical_home_", "tactical_", 0},          {0},
};
static const struct view_pick rating_picks[] = {
    {"elo_plain_home", "elo_plain", 0},
    {"elo_world_home", "elo_world", 0},
    {"elo_club_home", "elo_club", 0},
    {"pi_home_team_", "pi_", 0},
    {"berrar_home_", "berrar_", 0},
    {"dixon_coles_home_attack", "dixon_coles_attack", 0},
    {"dixon_coles_home_defence", "dixon_coles_defence", 0},
    {"dixon_coles_home_information", "dixon_coles_information", 0},
    {"style_home_", "style_", 0},
    {0},
};
static const struct view_pick standings_picks[] = {
    {"table_home_venue_", "table_home_venue_", 0},
    {"table_away_venue_", "table_away_venue_", 1},
    {"table_home_", "table_", 0},
    {"table_teams", "table_teams", 0},
    {0},
};

static const struct feature_view views[] = {
#define VIEW(name, entity, ttl_ms, doc) {#name, 1, entity, doc, VIEW_OWNER, ttl_ms, name##_picks},
#include "football/view_list.h"
#undef VIEW
};
enum { VIEW_COUNT = sizeof(views) / sizeof(views[0]) };

const struct feature_view *football_view_at(size_t index)
{
    return index < VIEW_COUNT ? &views[index] : NULL;
}

const struct feature_view *football_view(const char *name)
{
    for (size_t i = 0; i < VIEW_COUNT; i++) {
        if (strcmp(views[i].name, name) == 0)
            return &views[i];
    }
    return NULL;
}

static int64_t local_day(int64_t time_us)
{
    struct civil civil = time_to_civil(time_us, ZONE_LONDON);
    return time_day_from_civil(civil.year, civil.month, civil.day);
}

void view_subject(const struct fixture *last, int64_t known_us, struct fixture *out)
{
    *out = *last;
    out->start_us = known_us;
    out->day = local_day(known_us);
    out->is_neutral = false;
    out->pre_close = prices_unknown();
}

void view_swap(const struct fixture *fixture, struct fixture *out)
{
    *out = *fixture;
    out->home = fixture->away;
    out->away = fixture->home;
    memcpy(out->attributes[SIDE_HOME], fixture->attributes[SIDE_AWAY], sizeof(out->attributes[SIDE_HOME]));
    memcpy(out->attributes[SIDE_AWAY], fixture->attributes[SIDE_HOME], sizeof(out->attributes[SIDE_AWAY]));
}

struct view_plan {
    const struct feature_view *view;
    struct view_column *columns;
    size_t count;
    float *features[SIDE_COUNT]; /* [columns of the set]: of the entity at home, away */
    bool needs[SIDE_COUNT];
};

static enum err_code fill_plan(struct view_plan *plan, const struct feature_set *set, struct err *err)
{
    size_t set_columns = feature_set_columns(set);
    plan->count = feature_view_columns(plan->view, set, NULL, 0);
    plan->columns = calloc(plan->count + 1, sizeof(*plan->columns));
    for (size_t side = 0; side < SIDE_COUNT; side++)
        plan->features[side] = malloc((set_columns + 1) * sizeof(float));
    if (plan->columns == NULL || plan->features[SIDE_HOME] == NULL || plan->features[SIDE_AWAY] == NULL)
        return err_nomem(err, plan->count * sizeof(*plan->columns));
    (void)feature_view_columns(plan->view, set, plan->columns, plan->count);
    for (size_t i = 0; i < plan->count; i++)
        plan->needs[plan->columns[i].side] = true;
    return ERR_OK;
}

enum err_code view_plan_create(const struct feature_view *view, struct view_plan **out, struct err *err)
{
    struct view_plan *plan = calloc(1, sizeof(*plan));
    if (plan == NULL)
        return err_nomem(err, sizeof(*plan));
    plan->view = view;
    enum err_code code = fill_plan(plan, football_feature_set_widest(), err);
    if (code != ERR_OK) {
        view_plan_destroy(plan);
        return code;
    }
    *out = plan;
    return ERR_OK;
}

void view_plan_destroy(struct view_plan *plan)
{
    if (plan == NULL)
        return;
    free(plan->columns);
    for (size_t side = 0; side < SIDE_COUNT; side++)
        free(plan->features[side]);
    free(plan);
}

size_t view_plan_columns(const struct view_plan *plan)
{
    return plan->count;
}

const struct view_column *view_plan_column(const struct view_plan *plan, size_t index)
{
    assert(index < plan->count);
    return &plan->columns[index];
}

void view_plan_gather(const struct view_plan *plan, const float *const features[SIDE_COUNT], float *out)
{
    for (size_t i = 0; i < plan->count; i++)
        out[i] = features[plan->columns[i].side][plan->columns[i].column];
}

void view_plan_emit(struct view_plan *plan, const struct live_state *state, size_t stream,
                    const struct fixture *fixture, int side, float *out)
{
    assert(side == SIDE_HOME || (side == SIDE_AWAY && plan->view->entity == VIEW_TEAM));
    struct fixture swapped;
    view_swap(fixture, &swapped);
    for (int at = 0; at < SIDE_COUNT; at++) {
        if (plan->needs[at])
            live_state_emit(state, stream, at == side ? fixture : &swapped, plan->features[at]);
    }
    view_plan_gather(plan, (const float *const *)plan->features, out);
}
