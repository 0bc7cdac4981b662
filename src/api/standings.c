/* GET /api/standings?league=: the newest table of a league as fetched (task/standings.c). */
#include "api/api.h"
#include "base/text.h"
#include "base/time.h"
#include "football/league.h"
#include "store/standing_store.h"

#include <stdlib.h>

enum { ROWS_MAX = 500 }; /* a league has up to 30 teams, with groups and stages some more */

static void write_row(struct json_writer *out, const struct standing *row)
{
    json_begin_object(out);
    json_field_i64(out, "position", row->position);
    json_field_text(out, "team", row->name);
    json_field_id(out, "team_id", row->team_id);
    json_field_text_or_null(out, "stage", row->stage);
    json_field_text_or_null(out, "group", row->group);
    json_field_i64(out, "played", row->played);
    json_field_i64(out, "won", row->won);
    json_field_i64(out, "drawn", row->drawn);
    json_field_i64(out, "lost", row->lost);
    json_field_i64(out, "goals_for", row->goals_for);
    json_field_i64(out, "goals_against", row->goals_against);
    json_field_i64(out, "goal_difference", row->goals_for - row->goals_against);
    json_field_i64(out, "points", row->points);
    json_end_object(out);
}

static void write_table(struct http_response *response, const char *league, const struct standing *rows,
                        size_t count)
{
    struct json_writer out;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_text(&out, "league", league);
    if (count > 0)
        json_field_i64(&out, "season", rows[0].season);
    else
        json_field_null(&out, "season");
    json_field_time(&out, "fetched_at", count > 0 ? rows[0].fetched_us : TIME_NONE);
    json_key(&out, "standings");
    json_begin_array(&out);
    for (size_t index = 0; index < count; index++)
        write_row(&out, &rows[index]);
    json_end_array(&out);
    json_end_object(&out);
}

enum err_code api_standings(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err);
enum err_code api_standings(void *context, const struct route_match *match, struct http_response *response,
                            struct err *err)
{
    const struct api *api = context;
    const char *league = http_request_query(match->request, "league");
    size_t count = ROWS_MAX;
    if (league == NULL)
        return err_set_field(err, ERR_INVALID, "league",
                             "query parameter 'league' is missing: the code of a league, like E0");
    if (league_find(text_of(league)) < 0)
        return err_set_field(err, ERR_NOT_FOUND, "league", "no league has the code '%.40s'", league);
    struct standing *rows = calloc(count, sizeof *rows);
    if (rows == NULL)
        return err_nomem(err, count * sizeof *rows);
    enum err_code code = standing_store_list(api->store->db, league, rows, &count, err);
    if (code == ERR_OK)
        write_table(response, league, rows, count);
    free(rows);
    return code;
}
