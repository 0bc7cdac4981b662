/* Reading fixtures and standings: the number of rows is known before they are read (arrays of the tree), so each list is
 * one allocation. */
#include "source/football_data_org.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 20000, COUNT_MAX = 100000 };

void org_matches_release(struct org_matches *matches)
{
    free(matches->items);
    *matches = (struct org_matches){0};
}

void org_standings_release(struct org_standings *standings)
{
    free(standings->items);
    *standings = (struct org_standings){0};
}

/* ---- members ---- */

static enum err_code take_text(const json_t *object, const char *key, bool required, char *out,
                               size_t out_bytes, struct err *err)
{
    const char *text = "";
    enum err_code code = json_take_text(object, key, required, &text, err);
    if (code != ERR_OK)
        return code;
    struct text name = text_trim(text_of(text));
    if (!text_copy(name, out, out_bytes) || (required && name.size_bytes == 0))
        return err_set_field(err, ERR_INVALID, key, "'%s' is empty or longer than %zu bytes", key,
                             out_bytes - 1);
    return ERR_OK;
}

static enum err_code take_object(const json_t *object, const char *key, const json_t **out, struct err *err)
{
    *out = json_is_object(object) ? json_object_get(object, key) : NULL;
    return json_is_object(*out) ? ERR_OK : err_set_field(err, ERR_INVALID, key, "'%s' is no object", key);
}

static enum err_code take_array(const json_t *object, const char *key, const json_t **out, struct err *err)
{
    *out = json_is_object(object) ? json_object_get(object, key) : NULL;
    if (!json_is_array(*out))
        return err_set_field(err, ERR_INVALID, key, "'%s' is no array", key);
    return json_array_size(*out) <= ROWS_MAX
               ? ERR_OK
               : err_set_field(err, ERR_TOO_LARGE, key, "'%s' has more than %d items", key, ROWS_MAX);
}

static enum err_code take_day(const json_t *object, const char *key, int64_t *out_day, struct err *err)
{
    const char *text = NULL;
    int64_t time_us = 0;
    bool has_clock;
    enum err_code code = json_take_text(object, key, true, &text, err);
    if (code != ERR_OK)
        return code;
    if (!time_parse_iso(text_of(text), &time_us, &has_clock))
        return err_set_field(err, ERR_INVALID, key, "'%s' is no date: '%.40s'", key, text);
    *out_day = time_day_of(time_us);
    return ERR_OK;
}

/* *out_known false: the place is there, its team is not decided yet. */
static enum err_code take_team(const json_t *object, const char *key, struct org_team *out, bool *out_known,
                               struct err *err)
{
    const json_t *team = NULL;
    *out_known = false;
    enum err_code code = take_object(object, key, &team, err);
    if (code != ERR_OK || json_is_null(json_object_get(team, "name")))
        return code;
    code = take_text(team, "name", true, out->name, sizeof out->name, err);
    if (code == ERR_OK)
        code = take_text(team, "shortName", false, out->short_name, sizeof out->short_name, err);
    *out_known = code == ERR_OK;
    return code == ERR_OK ? ERR_OK : err_prefix(err, "'%s'", key);
}

/* ---- matches ---- */

static enum org_state state_of(const char *status)
{
    if (strcmp(status, "SCHEDULED") == 0 || strcmp(status, "TIMED") == 0)
        return ORG_TO_COME;
    if (strcmp(status, "POSTPONED") == 0)
        return ORG_POSTPONED;
    return strcmp(status, "CANCELLED") == 0 || strcmp(status, "CANCELED") == 0 ? ORG_CANCELLED : ORG_BEGUN;
}

static enum err_code read_times(const json_t *json, struct org_match *out, struct err *err)
{
    const char *status = NULL;
    bool has_clock = false;
    enum err_code code = json_take_text(json, "status", true, &status, err);
    if (code == ERR_OK)
        code = take_text(json, "utcDate", true, out->start_text, sizeof out->start_text, err);
    if (code != ERR_OK)
        return code;
    if (!time_parse_iso(text_of(out->start_text), &out->start_us, &has_clock))
        return err_set_field(err, ERR_INVALID, "utcDate", "'utcDate' is no time: '%s'", out->start_text);
    out->state = state_of(status);
    out->time_known = has_clock && strcmp(status, "SCHEDULED") != 0;
    return ERR_OK;
}

/* *out_known false: to be left out, its teams are not decided yet. */
static enum err_code read_match(const json_t *json, const char *outer, struct org_match *out, bool *out_known,
                                struct err *err)
{
    const json_t *competition = NULL;
    bool home_known = false, away_known = false;
    *out = (struct org_match){0};
    enum err_code code = json_take_i64(json, "id", true, &out->id, err);
    if (code == ERR_OK && outer[0] != '\0')
        (void)text_copy(text_of(outer), out->competition, sizeof out->competition);
    else if (code == ERR_OK && (code = take_object(json, "competition", &competition, err)) == ERR_OK)
        code = take_text(competition, "code", true, out->competition, sizeof out->competition, err);
    if (code == ERR_OK)
        code = read_times(json, out, err);
    if (code == ERR_OK)
        code = take_team(json, "homeTeam", &out->home, &home_known, err);
    if (code == ERR_OK)
        code = take_team(json, "awayTeam", &out->away, &away_known, err);
    *out_known = home_known && away_known;
    return code;
}

/* The answer of one competition says its code once, at the top. */
static enum err_code read_outer(const json_t *root, char out[ORG_CODE_BYTES], struct err *err)
{
    const json_t *competition = json_object_get(root, "competition");
    out[0] = '\0';
    return json_is_object(competition) ? take_text(competition, "code", true, out, ORG_CODE_BYTES, err)
                                       : ERR_OK;
}

static enum err_code read_matches(const json_t *root, struct org_matches *out, struct err *err)
{
    const json_t *list = NULL;
    char outer[ORG_CODE_BYTES];
    enum err_code code = take_array(root, "matches", &list, err);
    if (code == ERR_OK)
        code = read_outer(root, outer, err);
    if (code != ERR_OK)
        return code;
    size_t count = json_array_size(list);
    out->items = calloc(count + 1, sizeof *out->items);
    if (out->items == NULL)
        return err_nomem(err, count * sizeof *out->items);
    for (size_t index = 0; index < count; index++) {
        bool is_known = false;
        code = read_match(json_array_get(list, index), outer, &out->items[out->count], &is_known, err);
        if (code != ERR_OK)
            return err_prefix(err, "match %zu", index + 1);
        out->count += is_known;
        out->open += !is_known;
    }
    return ERR_OK;
}

enum err_code org_matches_read(const char *data, size_t size_bytes, struct org_matches *out, struct err *err)
{
    struct err unread; /* err may be NULL for the caller, not here */
    json_t *json = NULL;
    *out = (struct org_matches){0};
    err = err != NULL ? err : &unread;
    enum err_code code = json_read(data, size_bytes, &json, err);
    if (code != ERR_OK)
        return code;
    code = read_matches(json, out, err);
    json_decref(json);
    if (code != ERR_OK)
        org_matches_release(out);
    return code;
}

/* ---- standings ---- */

static enum err_code take_count(const json_t *row, const char *key, int64_t *out, struct err *err)
{
    enum err_code code = json_take_i64(row, key, true, out, err);
    if (code == ERR_OK && (*out < 0 || *out > COUNT_MAX))
        code = err_set_field(err, ERR_INVALID, key, "'%s' is out of range", key);
    return code;
}

static enum err_code read_standing(const json_t *row, struct org_standing *out, struct err *err)
{
    const struct {
        const char *key;
        int64_t *out;
    } counts[] = {{"position", &out->position},
                  {"playedGames", &out->played},
                  {"won", &out->won},
                  {"draw", &out->drawn},
                  {"lost", &out->lost},
                  {"goalsFor", &out->goals_for},
                  {"goalsAgainst", &out->goals_against}};
    bool is_known = false;
    enum err_code code = take_team(row, "team", &out->team, &is_known, err);
    if (code == ERR_OK && !is_known)
        code = err_set_field(err, ERR_INVALID, "team", "'team' has no name");
    for (size_t index = 0; code == ERR_OK && index < sizeof counts / sizeof *counts; index++)
        code = take_count(row, counts[index].key, counts[index].out, err);
    if (code == ERR_OK)
        code = json_take_i64(row, "points", true, &out->points, err); /* a club may be docked below 0 */
    if (code == ERR_OK && out->played != out->won + out->drawn + out->lost)
        code =
            err_set(err, ERR_INVALID, "%lld matches are not %lld won, %lld drawn and %lld lost",
                    (long long)out->played, (long long)out->won, (long long)out->drawn, (long long)out->lost);
    return code;
}

static enum err_code read_table(const json_t *block, struct org_standings *out, struct err *err)
{
    const json_t *table = NULL;
    struct org_standing head = {0};
    enum err_code code = take_text(block, "stage", false, head.stage, sizeof head.stage, err);
    if (code == ERR_OK)
        code = take_text(block, "group", false, head.group, sizeof head.group, err);
    if (code == ERR_OK)
        code = take_array(block, "table", &table, err);
    if (code != ERR_OK)
        return code;
    size_t count = json_array_size(table);
    struct org_standing *items = realloc(out->items, (out->count + count + 1) * sizeof *items);
    if (items == NULL)
        return err_nomem(err, (out->count + count + 1) * sizeof *items);
    out->items = items;
    for (size_t index = 0; index < count; index++) {
        struct org_standing *item = &items[out->count];
        *item = head;
        code = read_standing(json_array_get(table, index), item, err);
        if (code != ERR_OK)
            return err_prefix(err, "row %zu", index + 1);
        out->count++;
    }
    return ERR_OK;
}

static enum err_code read_season(const json_t *root, struct org_standings *out, struct err *err)
{
    const json_t *season = NULL, *competition = NULL;
    enum err_code code = take_object(root, "competition", &competition, err);
    if (code == ERR_OK)
        code = take_text(competition, "code", true, out->competition, sizeof out->competition, err);
    if (code == ERR_OK)
        code = take_object(root, "season", &season, err);
    if (code == ERR_OK)
        code = take_day(season, "startDate", &out->season_from, err);
    if (code == ERR_OK)
        code = take_day(season, "endDate", &out->season_to, err);
    if (code == ERR_OK && out->season_to < out->season_from)
        code = err_set_field(err, ERR_INVALID, "endDate", "the season ends before it begins");
    return code;
}

static enum err_code read_standings(const json_t *root, struct org_standings *out, struct err *err)
{
    const json_t *blocks = NULL, *block;
    size_t index;
    enum err_code code = read_season(root, out, err);
    if (code == ERR_OK)
        code = take_array(root, "standings", &blocks, err);
    if (code != ERR_OK)
        return code;
    json_array_foreach(blocks, index, block)
    {
        const char *type = "TOTAL";
        code = json_take_text(block, "type", false, &type, err);
        if (code == ERR_OK && strcmp(type, "TOTAL") == 0)
            code = read_table(block, out, err);
        if (code == ERR_OK && out->count > ROWS_MAX)
            code = err_set(err, ERR_TOO_LARGE, "there are more than %d rows", ROWS_MAX);
        if (code != ERR_OK)
            return err_prefix(err, "standings %zu", index + 1);
    }
    return ERR_OK;
}

enum err_code org_standings_read(const char *data, size_t size_bytes, struct org_standings *out,
                                 struct err *err)
{
    struct err unread; /* err may be NULL for the caller, not here */
    json_t *json = NULL;
    *out = (struct org_standings){0};
    err = err != NULL ? err : &unread;
    enum err_code code = json_read(data, size_bytes, &json, err);
    if (code != ERR_OK)
        return code;
    code = read_standings(json, out, err);
    json_decref(json);
    if (code != ERR_OK)
        org_standings_release(out);
    return code;
}
