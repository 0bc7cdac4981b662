/* Teams: dense ids 0.. within each country (the stream of its leagues), in order of the store's team ids, so
 * that a history, a checkpoint of tracker states and the server agree on them. Immutable; any thread may
 * read. */
#ifndef ALMANAC_FOOTBALL_TEAMS_H
#define ALMANAC_FOOTBALL_TEAMS_H

#include "base/err.h"
#include "base/text.h"
#include "feature/tracker.h"
#include "frame/frame.h"

struct teams;

enum { TEAMS_NONE = -1 };

/* Frame of teams as in store/football_store.h (id, country, name). */
enum err_code teams_create(const struct frame *frame, struct teams **out, struct err *err) CHECKED;
void teams_destroy(struct teams *teams);
/* Dense id and stream of a stored team; TEAMS_NONE when unknown. */
int32_t teams_dense(const struct teams *teams, int64_t id, size_t *stream);
/* By name: exact, then without ASCII case; TEAMS_NONE when unknown. */
int32_t teams_find(const struct teams *teams, size_t stream, struct text name);
int64_t teams_id(const struct teams *teams, size_t stream, int32_t team); /* as stored */
const char *teams_name(const struct teams *teams, size_t stream, int32_t team);
/* [league_country_count()] entities and groups of every stream. Entities are rounded up to whole TEAMS_ROUND, so that a new
 * team seldom changes the layout of tracker states (the first of a country does); no feature depends on them (tested). */
enum { TEAMS_ROUND = 32 };
const struct stream_size *teams_sizes(const struct teams *teams);

#endif
