/* football-data.org v4: the answers of GET /v4/competitions/{code}/standings and GET /v4/matches as rows. A pure parser: no
 * network, no clock.
 *
 * All or nothing: an answer of another shape is an error that names the place. Times are UTC; "TIMED" means that the kick-off
 * time is fixed, "SCHEDULED" that only its day is. Of standings the blocks of type TOTAL are kept (HOME and AWAY say nothing
 * new), each with its stage and group.
 * Threads: any. Memory: rows are the caller's, released by the _release functions. */
#ifndef ALMANAC_SOURCE_FOOTBALL_DATA_ORG_H
#define ALMANAC_SOURCE_FOOTBALL_DATA_ORG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORG_NAME_BYTES = 128, ORG_CODE_BYTES = 16, ORG_STAGE_BYTES = 40, ORG_TIME_BYTES = 32 };

/* A team as the source calls it; the short name may be "". */
struct org_team {
    char name[ORG_NAME_BYTES], short_name[ORG_NAME_BYTES];
};

enum org_state { ORG_TO_COME, ORG_POSTPONED, ORG_CANCELLED, ORG_BEGUN };
struct org_match {
    int64_t id;
    char competition[ORG_CODE_BYTES];
    struct org_team home, away;
    int64_t start_us;
    char start_text[ORG_TIME_BYTES]; /* as it stood there */
    bool time_known;
    enum org_state state;
};
struct org_matches {
    struct org_match *items;
    size_t count;
    size_t open; /* matches whose teams are not known yet ("winner of ..."): left out */
};

struct org_standing {
    char stage[ORG_STAGE_BYTES], group[ORG_STAGE_BYTES]; /* group "" where there is none */
    struct org_team team;
    int64_t position, played, won, drawn, lost, goals_for, goals_against, points;
};
struct org_standings {
    struct org_standing *items;
    size_t count;
    char competition[ORG_CODE_BYTES];
    int64_t season_from, season_to; /* days since 1970 */
};

/* ERR_INVALID: no JSON, cut off, or of another shape. *out is empty then. */
enum err_code org_matches_read(const char *data, size_t size_bytes, struct org_matches *out,
                               struct err *err) CHECKED;
void org_matches_release(struct org_matches *matches);
enum err_code org_standings_read(const char *data, size_t size_bytes, struct org_standings *out,
                                 struct err *err) CHECKED;
void org_standings_release(struct org_standings *standings);

#endif
