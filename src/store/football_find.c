/* Look-ups of single matches and teams, and the chain of content hashes. */
#include "store/football_store.h"

#include "base/hash.h"
#include "base/text_distance.h"
#include "store/change_store.h"
#include "store/football_teams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Changes when the same tables give other frames than before. */
static const char load_version[] = "football frames 1";

/* ---- the chain of changes ---- */

static enum err_code read_revision(struct db *db, char out[HASH_HEX_BYTES], struct err *err)
{
    struct query *query;
    bool has_row;

    out[0] = '\0';
    enum err_code code = db_query(db, "SELECT value FROM meta WHERE key = 'football_revision'", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (has_row)
        (void)text_copy(text_of(query_text(query, 0)), out, HASH_HEX_BYTES);
    query_reset(query);
    return ERR_OK;
}

static void chain(const char *previous, const char *next, char out[HASH_HEX_BYTES])
{
    struct hash hash;

    hash_init(&hash);
    hash_add_text(&hash, previous);
    hash_add_text(&hash, next);
    hash_final_hex(&hash, out);
}

enum err_code football_store_hash(struct db *db, char *out, struct err *err)
{
    char revision[HASH_HEX_BYTES];

    enum err_code code = read_revision(db, revision, err);
    if (code == ERR_OK)
        chain(load_version, revision, out);
    return code;
}

enum err_code football_store_chain(struct db *db, const char *content_hash, struct err *err)
{
    char revision[HASH_HEX_BYTES], next[HASH_HEX_BYTES], before[HASH_HEX_BYTES], after[HASH_HEX_BYTES];
    struct query *query;

    enum err_code code = read_revision(db, revision, err);
    if (code != ERR_OK)
        return code;
    chain(revision, content_hash, next);
    chain(load_version, revision, before);
    chain(load_version, next, after);
    code = change_store_step(db, before, after, err);
    if (code == ERR_OK)
        code = db_query(db,
                        "INSERT INTO meta(key, value) VALUES ('football_revision', $1) "
                        "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, next);
    return query_run(query, err);
}

/* ---- matches ---- */

static void take_match(const struct query *query, struct stored_match *out)
{
    *out = (struct stored_match){
        .id = query_i64(query, 0),
        .day = query_i64(query, 1),
        .kickoff_us = query_i64(query, 2),
        .state = (int)query_i64(query, 3),
        .home_goals = query_is_null(query, 4) ? -1 : (int)query_i64(query, 4),
        .away_goals = query_is_null(query, 5) ? -1 : (int)query_i64(query, 5),
    };
    out->time_known = query_i64(query, 10) != 0;
    (void)text_copy(text_of(query_text(query, 6)), out->league, sizeof out->league);
    (void)text_copy(text_of(query_text(query, 7)), out->home, sizeof out->home);
    (void)text_copy(text_of(query_text(query, 8)), out->away, sizeof out->away);
    (void)text_copy(text_of(query_text(query, 9)), out->source_id, sizeof out->source_id);
}

#define SELECT_MATCH                                                                                         \
    "SELECT m.id, m.day, m.kickoff_us, m.state, m.home_goals, m.away_goals, m.league, h.name, a.name, "      \
    "m.source_id "                                                                                           \
    "FROM match m JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id "

static enum err_code take_first(struct query *query, struct stored_match *out, bool *found, struct err *err)
{
    enum err_code code = query_next(query, found, err);

    if (code == ERR_OK && *found) {
        take_match(query, out);
        query_reset(query);
    }
    return code;
}

enum err_code football_store_find_match(struct db *db, const char *id, struct stored_match *out,
                                        struct err *err)
{
    struct query *query;
    int64_t own_id;
    bool found = false;

    enum err_code code = db_query(db, SELECT_MATCH "WHERE m.source_id = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, id);
    code = take_first(query, out, &found, err);
    if (code != ERR_OK || found)
        return code;
    if (text_parse_i64(text_of(id), &own_id)) {
        code = db_query(db, SELECT_MATCH "WHERE m.id = $1", &query, err);
        if (code != ERR_OK)
            return code;
        query_bind_i64(query, 1, own_id);
        code = take_first(query, out, &found, err);
        if (code != ERR_OK || found)
            return code;
    }
    return err_set(err, ERR_NOT_FOUND, "no match has the id '%.100s', own or of its source", id);
}

/* ---- teams ---- */

enum { NEAREST_COUNT = 3 };
struct near_name {
    char name[LIMIT_NAME_BYTES];
    size_t distance;
};

/* A name that holds the other is near, however much longer it is. */
static size_t name_distance(const char *wanted, const char *known)
{
    if (strstr(known, wanted) != NULL || strstr(wanted, known) != NULL)
        return 1;
    return text_distance(wanted, known);
}

static void keep_nearest(struct near_name nearest[NEAREST_COUNT], const char *name, size_t distance)
{
    size_t place = NEAREST_COUNT;

    while (place > 0 && distance < nearest[place - 1].distance)
        place--;
    if (place == NEAREST_COUNT)
        return;
    memmove(nearest + place + 1, nearest + place, (NEAREST_COUNT - 1 - place) * sizeof *nearest);
    (void)text_copy(text_of(name), nearest[place].name, sizeof nearest[place].name);
    nearest[place].distance = distance;
}

static enum err_code refuse_unknown(struct db *db, const char *country, const char *name, const char *key,
                                    struct err *err)
{
    struct near_name nearest[NEAREST_COUNT] = {
        {.distance = SIZE_MAX}, {.distance = SIZE_MAX}, {.distance = SIZE_MAX}};
    struct query *query;
    bool has_row;
    char names[NEAREST_COUNT * (LIMIT_NAME_BYTES + 4)] = "";
    size_t used = 0;

    enum err_code code =
        db_query(db, "SELECT name, name_key FROM team WHERE country = $1 ORDER BY name", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, country);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        keep_nearest(nearest, query_text(query, 0), name_distance(key, query_text(query, 1)));
    if (code != ERR_OK)
        return code;
    for (size_t index = 0; index < NEAREST_COUNT && nearest[index].distance != SIZE_MAX; index++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s'%s'", index == 0 ? "" : ", ",
                                 nearest[index].name);
    if (used == 0)
        return err_set_field(err, ERR_NOT_FOUND, "team",
                             "no team of '%.60s' is known; import its matches first", country);
    return err_set_field(err, ERR_NOT_FOUND, "team",
                         "no team of '%.60s' is called '%.100s'; the nearest are %s", country, name, names);
}

/* By exact key; *out_id 0: none. */
static enum err_code find_by_key(struct db *db, const char *country, const char *key, int64_t *out_id,
                                 struct err *err)
{
    struct query *query;
    bool has_row;

    *out_id = 0;
    /* of several dated aliases the latest */
    enum err_code code =
        db_query(db,
                 "SELECT id FROM (SELECT id, 2000000 AS rank FROM team WHERE country = $1 AND name_key "
                 "= $2 UNION ALL SELECT team_id, to_day FROM team_alias WHERE country = $1 AND name_key "
                 "= $2) ORDER BY rank DESC LIMIT 1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, country);
    query_bind_text(query, 2, key);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row) {
        *out_id = query_i64(query, 0);
        query_reset(query);
    }
    return code;
}

enum err_code football_store_find_team(struct db *db, const char *country, const char *name, int64_t *out_id,
                                       struct err *err)
{
    char key[LIMIT_NAME_BYTES];
    struct text trimmed = text_trim(text_of(name));

    if (trimmed.size_bytes == 0 || !football_name_key(trimmed, key, sizeof key))
        return err_set_field(err, ERR_INVALID, "team", "a team name has 1 to %d bytes", LIMIT_NAME_BYTES - 1);
    enum err_code code = find_by_key(db, country, key, out_id, err);
    if (code != ERR_OK || *out_id != 0)
        return code;
    return refuse_unknown(db, country, name, key, err);
}
