/* Feature keys: from the names people use to the keys of the caches.
 *
 *   <country>/<view>@<schema>/<team>           e.g. England/form@0b1c2d3e/57
 *   <country>/<view>@<schema>/<home>-<away>
 *   match/<view>@<schema>/<match>
 *
 * so that a country's rows, or all rows of matches, are dropped by prefix. Ids of sources are looked up in the store once
 * and remembered under match/id/. */
#include "serve/feature_reader_private.h"

#include "football/league.h"
#include "store/football_store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FACT_TTL_MS = 60000 };

static int find_country(const struct feature_reader *reader, struct text name)
{
    for (size_t i = 0; i < reader->country_count; i++) {
        if (text_equal(name, reader->countries[i]))
            return (int)i;
    }
    int league = league_find(name);
    return league < 0 ? -1 : league_country((size_t)league);
}

/* By a name that is not exactly a team's: an alias, other case; or the nearest names in the error. */
static enum err_code find_alias(struct feature_reader *reader, size_t stream, const char *name,
                                int64_t *out_id, struct err *err)
{
    size_t found = 0;
    enum err_code code =
        football_store_find_team(reader->options.store->db, reader->countries[stream], name, out_id, err);
    if (code == ERR_OK && teams_dense(reader->online->present.teams, *out_id, &found) < 0)
        return err_set_field(err, ERR_BUSY, "team", "'%.100s' is new; its features are being built", name);
    return code;
}

static enum err_code find_named(struct feature_reader *reader, const char *team, const char *slash,
                                int64_t *out_id, size_t *out_stream, struct err *err)
{
    struct text country = {team, (size_t)(slash - team)};
    int stream = find_country(reader, country);
    if (stream < 0)
        return err_set_field(err, ERR_NOT_FOUND, "team", "no country or league is called '%.*s'",
                             (int)(country.size_bytes > 40 ? 40 : country.size_bytes), team);
    *out_stream = (size_t)stream;
    int32_t dense = teams_find(reader->online->present.teams, *out_stream, text_trim(text_of(slash + 1)));
    if (dense < 0)
        return find_alias(reader, *out_stream, slash + 1, out_id, err);
    *out_id = teams_id(reader->online->present.teams, *out_stream, dense);
    return ERR_OK;
}

static enum err_code find_team(struct feature_reader *reader, const char *team, int64_t *out_id,
                               size_t *out_stream, struct err *err)
{
    const char *slash = strchr(team, '/');
    if (slash != NULL)
        return find_named(reader, team, slash, out_id, out_stream, err);
    if (!text_parse_i64(text_of(team), out_id))
        return err_set_field(err, ERR_INVALID, "team",
                             "'%.100s' is no team: give its country and name (England/Arsenal) or its id",
                             team);
    if (teams_dense(reader->online->present.teams, *out_id, out_stream) < 0)
        return err_set_field(err, ERR_NOT_FOUND, "team", "no team has the id %" PRId64, *out_id);
    return ERR_OK;
}

/* Small facts of fixed size, remembered beside the rows. */
static bool recall(struct feature_reader *reader, const char *key, void *out, size_t size_bytes)
{
    struct buffer kept;
    buffer_init(&kept, size_bytes);
    bool is_kept = cache_get(reader->memory, key, &kept) && kept.size_bytes == size_bytes;
    if (is_kept)
        memcpy(out, kept.data, size_bytes);
    buffer_release(&kept);
    return is_kept;
}

static void remember(struct feature_reader *reader, const char *key, const void *data, size_t size_bytes)
{
    cache_put(reader->memory, key, data, size_bytes, FACT_TTL_MS);
}

/* ---- keys ---- */

static void begin_key(struct feature_reader *reader, size_t view, enum view_entity entity,
                      struct feature_key *out)
{
    assert(view < reader->view_count && reader->views[view].view->entity == entity);
    (void)entity;
    (void)reader;
    out->view = view;
    out->id[1] = 0;
    out->stream = 0;
}

static void team_key(struct feature_reader *reader, size_t view, int64_t id, size_t stream,
                     struct feature_key *out)
{
    begin_key(reader, view, VIEW_TEAM, out);
    out->id[0] = id;
    out->stream = stream;
    (void)snprintf(out->text, sizeof(out->text), "%s/%s/%" PRId64, reader->countries[stream],
                   reader->views[view].name, id);
}

static void pair_key(struct feature_reader *reader, size_t view, const int64_t id[2], size_t stream,
                     struct feature_key *out)
{
    begin_key(reader, view, VIEW_PAIR, out);
    out->id[0] = id[0];
    out->id[1] = id[1];
    out->stream = stream;
    (void)snprintf(out->text, sizeof(out->text), "%s/%s/%" PRId64 "-%" PRId64, reader->countries[stream],
                   reader->views[view].name, id[0], id[1]);
}

static void match_key(struct feature_reader *reader, size_t view, int64_t id, struct feature_key *out)
{
    begin_key(reader, view, VIEW_MATCH, out);
    out->id[0] = id;
    (void)snprintf(out->text, sizeof(out->text), "match/%s/%" PRId64, reader->views[view].name, id);
}

enum err_code feature_reader_team(struct feature_reader *reader, size_t view, const char *team,
                                  struct feature_key *out, struct err *err)
{
    int64_t id;
    size_t stream = 0;
    enum err_code code = reader_check(reader, err);
    if (code == ERR_OK)
        code = find_team(reader, team, &id, &stream, err);
    if (code == ERR_OK)
        team_key(reader, view, id, stream, out);
    return code;
}

static enum err_code name_field(enum err_code code, const char *field, struct err *err)
{
    if (code != ERR_OK && err != NULL)
        (void)snprintf(err->field, sizeof(err->field), "%s", field);
    return code;
}

static enum err_code find_sides(struct feature_reader *reader, const char *home, const char *away,
                                int64_t id[2], size_t *out_stream, struct err *err)
{
    size_t away_stream = 0;
    enum err_code code = name_field(find_team(reader, home, &id[0], out_stream, err), "home", err);
    if (code == ERR_OK)
        code = name_field(find_team(reader, away, &id[1], &away_stream, err), "away", err);
    if (code != ERR_OK)
        return code;
    if (id[0] == id[1])
        return err_set_field(err, ERR_INVALID, "away", "a team cannot play itself");
    if (*out_stream != away_stream)
        return err_set_field(err, ERR_NOT_FOUND, "away",
                             "teams of %s and %s do not meet in the leagues known here",
                             reader->countries[*out_stream], reader->countries[away_stream]);
    return ERR_OK;
}

enum err_code feature_reader_pair(struct feature_reader *reader, size_t view, const char *home,
                                  const char *away, struct feature_key *out, struct err *err)
{
    int64_t id[2];
    size_t stream = 0;
    enum err_code code = reader_check(reader, err);
    if (code == ERR_OK)
        code = find_sides(reader, home, away, id, &stream, err);
    if (code == ERR_OK)
        pair_key(reader, view, id, stream, out);
    return code;
}

static enum err_code find_match(struct feature_reader *reader, const char *match, int64_t *out_id,
                                struct err *err)
{
    char key[FEATURE_KEY_BYTES];
    struct stored_match stored;
    if (strlen(match) >= MATCH_SOURCE_ID_BYTES)
        return err_set_field(err, ERR_NOT_FOUND, "match", "no match has the id '%.80s...'", match);
    (void)snprintf(key, sizeof(key), "match/id/%s", match);
    if (recall(reader, key, out_id, sizeof(*out_id)))
        return ERR_OK;
    enum err_code code = football_store_find_match(reader->options.store->db, match, &stored, err);
    if (code != ERR_OK)
        return name_field(code, "match", err);
    *out_id = stored.id;
    remember(reader, key, out_id, sizeof(*out_id));
    return ERR_OK;
}

enum err_code feature_reader_match(struct feature_reader *reader, size_t view, const char *match,
                                   struct feature_key *out, struct err *err)
{
    int64_t id;
    enum err_code code = reader_check(reader, err);
    if (code == ERR_OK)
        code = find_match(reader, match, &id, err);
    if (code == ERR_OK)
        match_key(reader, view, id, out);
    return code;
}

/* ---- the match page ---- */

struct group_row {
    const char *name, *view;
    int side;
};
static const struct group_row groups[FEATURE_GROUP_COUNT] = {
    [GROUP_HOME_FORM] = {"home_form", "form", SIDE_HOME},
    [GROUP_AWAY_FORM] = {"away_form", "form", SIDE_AWAY},
    [GROUP_HOME_STANDINGS] = {"home_standings", "standings", SIDE_HOME},
    [GROUP_AWAY_STANDINGS] = {"away_standings", "standings", SIDE_AWAY},
    [GROUP_H2H] = {"h2h", "h2h", SIDE_HOME},
    [GROUP_ODDS] = {"odds", "odds", SIDE_HOME},
    [GROUP_MATCH] = {"match", "match", SIDE_HOME},
};

const char *feature_group_name(enum feature_group group)
{
    return groups[group].name;
}

static size_t view_index(const char *name)
{
    size_t index = 0;
    while (strcmp(football_view_at(index)->name, name) != 0)
        index++;
    return index;
}

/* What of a match its page needs to know; remembered, as it is asked for with every read of the page. */
struct sides {
    int64_t match_id, id[2];
};

static enum err_code sides_of_match(struct feature_reader *reader, const char *match, struct sides *out,
                                    struct err *err)
{
    char key[FEATURE_KEY_BYTES];
    struct stored_fixture stored;
    enum err_code code = find_match(reader, match, &out->match_id, err);
    if (code != ERR_OK)
        return code;
    (void)snprintf(key, sizeof(key), "match/sides/%" PRId64, out->match_id);
    if (recall(reader, key, out, sizeof(*out)))
        return ERR_OK;
    code = football_store_fixture(reader->options.store->db, out->match_id, &stored, err);
    if (code != ERR_OK)
        return name_field(code, "match", err);
    out->id[SIDE_HOME] = stored.home_id;
    out->id[SIDE_AWAY] = stored.away_id;
    remember(reader, key, out, sizeof(*out));
    return ERR_OK;
}

static enum err_code match_of_sides(struct feature_reader *reader, struct sides *sides, struct err *err)
{
    char key[FEATURE_KEY_BYTES];
    struct stored_fixture stored;
    (void)snprintf(key, sizeof(key), "match/of/%" PRId64 "-%" PRId64, sides->id[0], sides->id[1]);
    if (recall(reader, key, &sides->match_id, sizeof(sides->match_id)))
        return ERR_OK;
    enum err_code code =
        football_store_meeting(reader->options.store->db, sides->id[0], sides->id[1], &stored, err);
    sides->match_id = code == ERR_OK ? stored.id : 0;
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    remember(reader, key, &sides->match_id, sizeof(sides->match_id));
    return ERR_OK;
}

enum err_code feature_reader_bundle(struct feature_reader *reader, const char *match, const char *home,
                                    const char *away, struct feature_key out[FEATURE_GROUP_COUNT],
                                    bool *has_match, struct err *err)
{
    struct sides sides = {0};
    size_t stream = 0;
    enum err_code code = reader_check(reader, err);
    if (code == ERR_OK && match != NULL)
        code = sides_of_match(reader, match, &sides, err);
    if (code == ERR_OK && match == NULL) {
        code = find_sides(reader, home, away, sides.id, &stream, err);
        if (code == ERR_OK)
            code = match_of_sides(reader, &sides, err);
    }
    if (code != ERR_OK)
        return code;
    if (teams_dense(reader->online->present.teams, sides.id[0], &stream) < 0)
        return err_set_field(err, ERR_BUSY, "match", "the match is new; its features are being built");
    *has_match = sides.match_id != 0;
    for (size_t i = 0; i < FEATURE_GROUP_COUNT; i++) {
        size_t view = view_index(groups[i].view);
        enum view_entity entity = football_view_at(view)->entity;
        if (entity == VIEW_TEAM)
            team_key(reader, view, sides.id[groups[i].side], stream, &out[i]);
        else if (entity == VIEW_PAIR)
            pair_key(reader, view, sides.id, stream, &out[i]);
        else
            match_key(reader, view, sides.match_id, &out[i]);
    }
    return ERR_OK;
}
