/* Teams of a writer. Two dictionaries over "country\nname key": one to team ids, one to aliases, whose date ranges hang
 * in a chain. The order of a look-up is alias, name, shipped alias, new team; a shipped alias becomes a row together
 * with its team, so from then on it is an alias like any other. */
#include "store/football_teams.h"

#include "base/names.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct alias {
    int64_t team_id, from_day, to_day;
    int32_t next; /* with the same name; -1 */
};

struct football_teams {
    struct db *db;
    struct names *names, *alias_names;
    int64_t *ids;          /* by id of `names` */
    int32_t *first_alias;  /* by id of `alias_names` */
    struct alias *aliases; /* alias_count of them */
    size_t id_capacity, first_capacity, alias_count, alias_capacity;
    int64_t next_id;
};

static const struct {
    const char *country, *alias, *name;
} shipped[] = {
#define ALIAS(country, alias, name) {country, alias, name},
#include "store/team_alias_list.h"
#undef ALIAS
};

enum { SHIPPED_COUNT = sizeof shipped / sizeof shipped[0] };

bool football_name_key(struct text name, char *out, size_t out_bytes)
{
    if (name.size_bytes >= out_bytes)
        return false;
    for (size_t index = 0; index < name.size_bytes; index++) {
        char byte = name.data[index];
        out[index] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    out[name.size_bytes] = '\0';
    return true;
}

const char *football_shipped_name(const char *country, struct text alias)
{
    for (size_t index = 0; index < SHIPPED_COUNT; index++) {
        if (strcmp(shipped[index].country, country) == 0 && text_equal_nocase(alias, shipped[index].alias))
            return shipped[index].name;
    }
    return NULL;
}

/* The spelling we ship for a name that differs in case only, else the name itself. */
static struct text shipped_spelling(const char *country, struct text name)
{
    for (size_t index = 0; index < SHIPPED_COUNT; index++) {
        if (strcmp(shipped[index].country, country) == 0 && text_equal_nocase(name, shipped[index].name))
            return text_of(shipped[index].name);
    }
    return name;
}

static bool make_key(const char *country, struct text name, char out[TEAM_KEY_BYTES])
{
    size_t country_bytes = strlen(country);

    if (country_bytes >= LIMIT_NAME_BYTES || name.size_bytes >= LIMIT_NAME_BYTES)
        return false;
    memcpy(out, country, country_bytes);
    out[country_bytes] = '\n';
    return football_name_key(name, out + country_bytes + 1, LIMIT_NAME_BYTES);
}

/* The items with room for one more, perhaps at another place; NULL without memory (then the old ones stay). */
static void *make_room(void *items, size_t *capacity, size_t count, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    size_t more = *capacity == 0 ? 256 : 2 * *capacity;
    void *moved = realloc(items, more * item_bytes);
    if (moved != NULL)
        *capacity = more;
    return moved;
}

static enum err_code remember_team(struct football_teams *teams, const char *key, int64_t id, struct err *err)
{
    int32_t place = names_add(teams->names, text_of(key));

    if (place == NAMES_NONE)
        return err_nomem(err, strlen(key));
    int64_t *ids = make_room(teams->ids, &teams->id_capacity, (size_t)place, sizeof *ids);
    if (ids == NULL)
        return err_nomem(err, sizeof *ids);
    teams->ids = ids;
    ids[place] = id;
    if (id >= teams->next_id)
        teams->next_id = id + 1;
    return ERR_OK;
}

static enum err_code remember_alias(struct football_teams *teams, const char *key, struct alias alias,
                                    struct err *err)
{
    int32_t known = names_count(teams->alias_names);
    int32_t place = names_add(teams->alias_names, text_of(key));

    if (place == NAMES_NONE)
        return err_nomem(err, strlen(key));
    int32_t *first = make_room(teams->first_alias, &teams->first_capacity, (size_t)place, sizeof *first);
    if (first == NULL)
        return err_nomem(err, sizeof *first);
    teams->first_alias = first;
    struct alias *aliases =
        make_room(teams->aliases, &teams->alias_capacity, teams->alias_count, sizeof *aliases);
    if (aliases == NULL)
        return err_nomem(err, sizeof *aliases);
    teams->aliases = aliases;
    alias.next = place < known ? first[place] : -1;
    first[place] = (int32_t)teams->alias_count;
    aliases[teams->alias_count++] = alias;
    return ERR_OK;
}

static enum err_code load_teams(struct football_teams *teams, struct err *err)
{
    struct query *query;
    bool has_row;
    char key[TEAM_KEY_BYTES];

    enum err_code code =
        db_query(teams->db, "SELECT id, country, name_key FROM team ORDER BY id", &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        int length = snprintf(key, sizeof key, "%s\n%s", query_text(query, 1), query_text(query, 2));
        if (length > 0 && (size_t)length < sizeof key)
            code = remember_team(teams, key, query_i64(query, 0), err);
    }
    return code;
}

static enum err_code load_aliases(struct football_teams *teams, struct err *err)
{
    struct query *query;
    bool has_row;
    char key[TEAM_KEY_BYTES];

    enum err_code code = db_query(
        teams->db, "SELECT country, name_key, team_id, from_day, to_day FROM team_alias ORDER BY from_day",
        &query, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        struct alias alias = {query_i64(query, 2), query_i64(query, 3), query_i64(query, 4), -1};
        int length = snprintf(key, sizeof key, "%s\n%s", query_text(query, 0), query_text(query, 1));
        if (length > 0 && (size_t)length < sizeof key)
            code = remember_alias(teams, key, alias, err);
    }
    return code;
}

enum err_code football_teams_create(struct db *db, struct football_teams **out, struct err *err)
{
    *out = NULL;
    struct football_teams *teams = calloc(1, sizeof *teams);
    if (teams == NULL)
        return err_nomem(err, sizeof *teams);
    teams->db = db;
    teams->next_id = 1;
    teams->names = names_create();
    teams->alias_names = names_create();
    enum err_code code = ERR_OK;
    if (teams->names == NULL || teams->alias_names == NULL)
        code = err_nomem(err, sizeof *teams);
    if (code == ERR_OK)
        code = load_teams(teams, err);
    if (code == ERR_OK)
        code = load_aliases(teams, err);
    if (code != ERR_OK) {
        football_teams_destroy(teams);
        return code;
    }
    *out = teams;
    return ERR_OK;
}

void football_teams_destroy(struct football_teams *teams)
{
    if (teams == NULL)
        return;
    names_destroy(teams->names);
    names_destroy(teams->alias_names);
    free(teams->ids);
    free(teams->first_alias);
    free(teams->aliases);
    free(teams);
}

static enum err_code insert_alias(struct football_teams *teams, const char *country, const char *name,
                                  int64_t team_id, struct err *err)
{
    struct query *query;
    char key[TEAM_KEY_BYTES];

    bool fits = make_key(country, text_of(name), key);
    assert(fits); /* our own list */
    (void)fits;
    if (names_find(teams->names, text_of(key)) != NAMES_NONE)
        return ERR_OK; /* a source uses it for a team of its own: that stays */
    enum err_code code =
        db_query(teams->db,
                 "INSERT INTO team_alias(country, name_key, team_id, name) VALUES ($1, $2, $3, $4) "
                 "ON CONFLICT DO NOTHING",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, country);
    query_bind_text(query, 2, strchr(key, '\n') + 1);
    query_bind_i64(query, 3, team_id);
    query_bind_text(query, 4, name);
    code = query_run(query, err);
    if (code != ERR_OK)
        return code;
    return remember_alias(teams, key, (struct alias){team_id, -1000000, 1000000, -1}, err);
}

static enum err_code insert_team(struct football_teams *teams, const char *country, struct text name,
                                 int64_t *out_id, struct err *err)
{
    struct query *query;
    char key[TEAM_KEY_BYTES], spelling[LIMIT_NAME_BYTES];

    name = shipped_spelling(country, name);
    if (!make_key(country, name, key) || !text_copy(name, spelling, sizeof spelling))
        return err_set(err, ERR_TOO_LARGE, "a team name of '%s' is longer than %d bytes", country,
                       LIMIT_NAME_BYTES - 1);
    enum err_code code = db_query(
        teams->db, "INSERT INTO team(id, country, name, name_key) VALUES ($1, $2, $3, $4)", &query, err);
    if (code != ERR_OK)
        return code;
    *out_id = teams->next_id;
    query_bind_i64(query, 1, *out_id);
    query_bind_text(query, 2, country);
    query_bind_text(query, 3, spelling);
    query_bind_text(query, 4, strchr(key, '\n') + 1);
    code = query_run(query, err);
    if (code == ERR_OK)
        code = remember_team(teams, key, *out_id, err);
    for (size_t index = 0; index < SHIPPED_COUNT && code == ERR_OK; index++) {
        if (strcmp(shipped[index].country, country) == 0 && strcmp(shipped[index].name, spelling) == 0)
            code = insert_alias(teams, country, shipped[index].alias, *out_id, err);
    }
    return code;
}

static bool find_alias(const struct football_teams *teams, struct text key, int64_t day, int64_t *out_id)
{
    int32_t place = names_find(teams->alias_names, key);

    if (place == NAMES_NONE)
        return false;
    for (int32_t index = teams->first_alias[place]; index >= 0; index = teams->aliases[index].next) {
        const struct alias *alias = &teams->aliases[index];
        if (alias->from_day <= day && day <= alias->to_day) {
            *out_id = alias->team_id;
            return true;
        }
    }
    return false;
}

static bool find_known(const struct football_teams *teams, struct text key, int64_t day, int64_t *out_id)
{
    if (find_alias(teams, key, day, out_id))
        return true;
    int32_t place = names_find(teams->names, key);
    if (place == NAMES_NONE)
        return false;
    *out_id = teams->ids[place];
    return true;
}

enum err_code football_teams_id(struct football_teams *teams, const char *country, struct text name,
                                int64_t day, int64_t *out_id, struct err *err)
{
    char key[TEAM_KEY_BYTES];

    name = text_trim(name);
    if (name.size_bytes == 0)
        return err_set(err, ERR_INVALID, "a team of '%s' has no name", country);
    if (!make_key(country, name, key))
        return err_set(err, ERR_INVALID, "a team name of '%s' is longer than %d bytes", country,
                       LIMIT_NAME_BYTES - 1);
    if (find_known(teams, text_of(key), day, out_id))
        return ERR_OK;
    const char *shipped_name = football_shipped_name(country, name);
    if (shipped_name == NULL)
        return insert_team(teams, country, name, out_id, err);
    if (!make_key(country, text_of(shipped_name), key))
        return err_set(err, ERR_TOO_LARGE, "a team name of '%s' is longer than %d bytes", country,
                       LIMIT_NAME_BYTES - 1);
    if (find_known(teams, text_of(key), day, out_id))
        return ERR_OK;
    return insert_team(teams, country, text_of(shipped_name), out_id, err);
}
