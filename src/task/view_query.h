/* View query: what the command line and the API share when they ask the offline store: names of teams to ids. */
#ifndef ALMANAC_TASK_VIEW_QUERY_H
#define ALMANAC_TASK_VIEW_QUERY_H

#include "store/db.h"
#include "view/offline.h"

enum { VIEW_FEATURES_MAX = 1024, VIEW_FEATURES_BYTES = 16384 };

/* Resolves names and aliases of the store; the database outlives it. */
struct offline_resolver view_resolver(struct db *db);
/* "57" or "England/Arsenal". ERR_NOT_FOUND names what is near. */
enum err_code view_team_id(struct db *db, const char *team, int64_t *out_id, struct err *err) CHECKED;
/* Keys of an entity of a view from what was given ("" nothing): a match id, a team, a team and its opponent. *out_has
 * false: nothing was given. */
struct view_entity_text {
    const char *match, *team, *opponent;
};
enum err_code view_entity_keys(struct db *db, enum view_entity entity, const struct view_entity_text *given,
                               int64_t keys[VIEW_KEYS], bool *out_has, struct err *err) CHECKED;

/* "a,b" as a list that ends with NULL; `text` is cut up in place. Empty: *out NULL (all). */
struct view_features {
    char text[VIEW_FEATURES_BYTES];
    const char *names[VIEW_FEATURES_MAX + 1];
    const char *const *chosen;
};
enum err_code view_features_read(struct view_features *features, const char *list, struct err *err) CHECKED;

#endif
