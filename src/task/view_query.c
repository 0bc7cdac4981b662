/* View query: see view_query.h. */
#include "task/view_query.h"

#include "base/text.h"
#include "store/football_store.h"

#include <string.h>

static enum err_code resolve(void *context, const char *country, const char *name, int64_t *out_id,
                             struct err *err)
{
    return football_store_find_team(context, country, name, out_id, err);
}

struct offline_resolver view_resolver(struct db *db)
{
    return (struct offline_resolver){resolve, db};
}

enum err_code view_team_id(struct db *db, const char *team, int64_t *out_id, struct err *err)
{
    char country[128];
    const char *slash = strchr(team, '/');
    if (text_parse_i64(text_of(team), out_id))
        return ERR_OK;
    if (slash == NULL || !text_copy((struct text){team, (size_t)(slash - team)}, country, sizeof(country)))
        return err_set_field(err, ERR_INVALID, "team",
                             "'%.80s' is no team id, nor a name as 'England/Arsenal'", team);
    return football_store_find_team(db, country, slash + 1, out_id, err);
}

enum err_code view_entity_keys(struct db *db, enum view_entity entity, const struct view_entity_text *given,
                               int64_t keys[VIEW_KEYS], bool *out_has, struct err *err)
{
    bool is_match = entity == VIEW_MATCH, is_pair = entity == VIEW_PAIR;
    *out_has = given->match[0] != '\0' || given->team[0] != '\0' || given->opponent[0] != '\0';
    if (!*out_has)
        return ERR_OK;
    if (is_match) {
        if (given->team[0] != '\0' || given->opponent[0] != '\0')
            return err_set_field(err, ERR_INVALID, "team",
                                 "this view is about matches: name a match by its id");
        return text_parse_i64(text_of(given->match), &keys[0])
                   ? ERR_OK
                   : err_set_field(err, ERR_INVALID, "match", "'%.80s' is not a match id", given->match);
    }
    if (given->match[0] != '\0')
        return err_set_field(err, ERR_INVALID, "match", "this view is about teams: name a team");
    if (given->team[0] == '\0')
        return err_set_field(err, ERR_INVALID, "team", "name a team: an id, or a name as 'England/Arsenal'");
    if (is_pair != (given->opponent[0] != '\0'))
        return err_set_field(err, ERR_INVALID, "opponent",
                             is_pair ? "this view is about two teams: name the opponent, too"
                                     : "this view is about one team: leave out the opponent");
    enum err_code code = view_team_id(db, given->team, &keys[0], err);
    return code == ERR_OK && is_pair ? view_team_id(db, given->opponent, &keys[1], err) : code;
}

enum err_code view_features_read(struct view_features *features, const char *list, struct err *err)
{
    size_t count = 0;
    features->chosen = NULL;
    if (list[0] == '\0')
        return ERR_OK;
    if (!text_copy(text_of(list), features->text, sizeof(features->text)))
        return err_set_field(err, ERR_INVALID, "features", "the list of features is longer than %d bytes",
                             VIEW_FEATURES_BYTES - 1);
    for (char *at = features->text; at != NULL;) {
        char *comma = strchr(at, ',');
        if (count == VIEW_FEATURES_MAX)
            return err_set_field(err, ERR_INVALID, "features", "at most %d features", VIEW_FEATURES_MAX);
        if (comma != NULL)
            *comma = '\0';
        features->names[count++] = at;
        at = comma == NULL ? NULL : comma + 1;
    }
    features->names[count] = NULL;
    features->chosen = features->names;
    return ERR_OK;
}
