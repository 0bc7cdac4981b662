/* Feature levels: where a row of a view comes from when no cache has it; inside view of the feature reader.
 *
 * A level either gives the row or says ERR_NOT_FOUND, and then the next one of the list is asked; another error ends the
 * read. A connector (say, prices of a web service) joins with one row in feature_levels.c: its load function fetches what
 * the store lacks, and leaves the computing to the trackers. What waits for a network must not do so on the loop's thread:
 * such a level keeps what a scheduled job fetched, or the read is deferred as it is for Redis.
 * Threads: the loop's. */
#ifndef ALMANAC_SERVE_FEATURE_LEVELS_H
#define ALMANAC_SERVE_FEATURE_LEVELS_H

#include "football/views.h"
#include "serve/feature_reader.h"
#include "store/fixture_store.h"

/* A view as it is served. */
struct served_view {
    const struct feature_view *view;
    struct view_plan *plan;
    unsigned char schema[FEATURE_SCHEMA_BYTES];
    char name[48];               /* of keys: "form@1a2b3c4d": name and schema */
    bool is_of_prices;           /* every column comes from prices: no tracker state is needed */
    bool needs_side[SIDE_COUNT]; /* of a team: its columns when it plays at home, away */
    uint64_t reads[FEATURE_SOURCE_COUNT], failures;
};

/* Features of the widest set that were just emitted for a team: its other views are asked for next, as on a match page. */
struct emitted_team {
    int64_t team_id; /* 0: none */
    struct fixture subject, swapped;
    int64_t event_us;
    size_t stream;
    int side; /* at which it plays in `subject` */
    bool has_side[SIDE_COUNT];
    float *features[SIDE_COUNT]; /* [columns of the widest set] */
};
enum { EMITTED_TEAMS = 2 }; /* both of a match */
struct emitted_teams {
    struct emitted_team items[EMITTED_TEAMS];
    size_t next;
};
enum err_code emitted_teams_create(struct emitted_teams *emitted, struct err *err) CHECKED;
void emitted_teams_release(struct emitted_teams *emitted);
void emitted_teams_forget(struct emitted_teams *emitted); /* data changed */

struct feature_row {
    float *values; /* [view_plan_columns], filled by the level */
    int64_t event_us;
    enum feature_origin origin;
};

/* What a level works with. */
struct feature_level_input {
    struct store *store;
    const struct online *online; /* never NULL */
    struct emitted_teams *emitted;
    struct cache *memory; /* for what a level wants to remember under "<country>/..." or "match/..." */
    const struct served_view *view;
    const struct feature_key *key;
};

/* Asks the levels in turn. ERR_NOT_FOUND with the reason of the last one. */
enum err_code feature_levels_load(const struct feature_level_input *input, struct feature_row *row,
                                  struct err *err) CHECKED;
/* Teams of a match that is stored. ERR_BUSY when the live state does not know them yet. */
enum err_code feature_levels_fixture(const struct online *online, const struct stored_fixture *stored,
                                     struct fixture *out, size_t *out_stream, struct err *err) CHECKED;

#endif
