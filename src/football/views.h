/* The football pack's feature views, and how a row of each is made from the live state. The same function makes the rows of
 * the offline store (replaying the past) and of the online store (from the present state). */
#ifndef ALMANAC_FOOTBALL_VIEWS_H
#define ALMANAC_FOOTBALL_VIEWS_H

#include "base/err.h"
#include "feature/builder.h"
#include "feature/view.h"
#include "football/match.h"

const struct feature_view *football_view_at(size_t index);  /* NULL past the end */
const struct feature_view *football_view(const char *name); /* NULL unknown */

/* The fixture of which a team's or a pair's row of the moment known_us is emitted, from the match last played: with start_us
 * and day (London) of that moment, no prices, on no neutral ground. Both stores make their rows of it. */
void view_subject(const struct fixture *last, int64_t known_us, struct fixture *out);
/* The same meeting with the sides changed: home plays away. */
void view_swap(const struct fixture *fixture, struct fixture *out);

/* Plan of a view over the widest set: columns and scratch memory. One thread. */
struct view_plan;
enum err_code view_plan_create(const struct feature_view *view, struct view_plan **out,
                               struct err *err) CHECKED;
void view_plan_destroy(struct view_plan *plan);
size_t view_plan_columns(const struct view_plan *plan);
const struct view_column *view_plan_column(const struct view_plan *plan, size_t index);
/* Row of the home side (VIEW_TEAM: side 0 or 1 of `fixture`, VIEW_PAIR, VIEW_MATCH: side 0) as of the state; out[columns].
 * For VIEW_TEAM and VIEW_PAIR the fixture is the match last played, with start_us and day of the moment its result was
 * known; a team's columns do not depend on who the opponent is (tested). */
void view_plan_emit(struct view_plan *plan, const struct live_state *state, size_t stream,
                    const struct fixture *fixture, int side, float *out);
/* The same from features that were emitted already (many plans, one emit): features[s] are those of the fixture in which
 * the entity plays at side s, [columns of the widest set]; features[1] is read only by plans of VIEW_TEAM. */
void view_plan_gather(const struct view_plan *plan, const float *const features[SIDE_COUNT], float *out);

#endif
