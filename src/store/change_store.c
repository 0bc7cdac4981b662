/* Change log. States are numbered 1, 2, ...; the changes with number r lead from state r - 1 to state r.
 *
 * A step writes the name of the state before it too: that of a store which was migrated, or was last written by a program
 * that named its states otherwise, would else never be known. */
#include "store/change_store.h"

#include "base/text.h"
#include "store/football_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Number of the present state; 0 while none has a name. */
static enum err_code read_revision(struct db *db, int64_t *out, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code = db_query(db, "SELECT COALESCE(max(revision), 0) FROM football_state", &query, err);
    if (code == ERR_OK)
        code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    *out = query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

static enum err_code find_state(struct db *db, const char *data_hash, int64_t *out, struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code =
        db_query(db, "SELECT revision FROM football_state WHERE hash = $1 ORDER BY revision DESC LIMIT 1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, data_hash);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return err_set(err, ERR_NOT_FOUND, "the store does not know its state '%.8s' any more", data_hash);
    *out = query_i64(query, 0);
    query_reset(query);
    return ERR_OK;
}

/* ---- reading ---- */

/* Room for one more item of an array that doubles; NULL when out of memory. */
static void *grow(void *items, size_t count, size_t item_bytes, struct err *err)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return items;
    void *grown = realloc(items, (count == 0 ? 1 : 2 * count) * item_bytes);
    if (grown == NULL)
        (void)err_nomem(err, count * item_bytes);
    return grown;
}

static enum err_code take_change(const struct query *query, struct league_change **out, size_t *count,
                                 struct err *err)
{
    struct league_change *grown = grow(*out, *count, sizeof **out, err);
    if (grown == NULL)
        return ERR_NOMEM;
    *out = grown;
    struct league_change *change = &grown[(*count)++];
    (void)text_copy(text_of(query_text(query, 0)), change->league, sizeof change->league);
    change->from_day = query_i64(query, 1);
    return ERR_OK;
}

static enum err_code read_changes(struct db *db, int64_t revision, struct league_change **out, size_t *count,
                                  struct err *err)
{
    struct query *query;
    bool has_row;

    enum err_code code =
        db_query(db, "SELECT league, min(from_day) FROM football_change WHERE revision > $1 GROUP BY league",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, revision);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        code = take_change(query, out, count, err);
        if (code != ERR_OK) {
            query_reset(query);
            return code;
        }
    }
    return code;
}

enum err_code change_store_since(struct db *db, const char *data_hash, struct league_change **out,
                                 size_t *out_count, struct err *err)
{
    char present[HASH_HEX_BYTES];
    int64_t revision = 0;

    *out = NULL;
    *out_count = 0;
    enum err_code code = football_store_hash(db, present, err);
    if (code != ERR_OK || strcmp(present, data_hash) == 0)
        return code;
    code = find_state(db, data_hash, &revision, err);
    if (code == ERR_OK)
        code = read_changes(db, revision, out, out_count, err);
    if (code != ERR_OK) {
        free(*out);
        *out = NULL;
        *out_count = 0;
    }
    return code;
}

enum err_code change_store_states(struct db *db, size_t limit, struct football_state **out, size_t *out_count,
                                  struct err *err)
{
    struct query *query;
    bool has_row;

    *out = NULL;
    *out_count = 0;
    enum err_code code =
        db_query(db, "SELECT hash FROM football_state ORDER BY revision DESC LIMIT $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, (int64_t)limit);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        struct football_state *grown = grow(*out, *out_count, sizeof **out, err);
        if (grown == NULL) {
            query_reset(query);
            code = ERR_NOMEM;
            break;
        }
        *out = grown;
        (void)text_copy(text_of(query_text(query, 0)), grown[*out_count].data_hash, HASH_HEX_BYTES);
        (*out_count)++;
    }
    if (code != ERR_OK) {
        free(*out);
        *out = NULL;
        *out_count = 0;
    }
    return code;
}

/* ---- writing ---- */

enum err_code change_store_note(struct db *db, const char *league, int64_t from_day, struct err *err)
{
    struct query *query;
    int64_t revision = 0;

    enum err_code code = read_revision(db, &revision, err);
    if (code == ERR_OK && revision == 0)
        revision = 1; /* the state before has no name yet: it gets this number, and its change the next */
    if (code == ERR_OK)
        code = db_query(db,
                        "INSERT INTO football_change(revision, league, from_day) VALUES ($1, $2, $3) "
                        "ON CONFLICT(revision, league) DO UPDATE SET from_day = excluded.from_day "
                        "WHERE excluded.from_day < football_change.from_day",
                        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, revision + 1);
    query_bind_text(query, 2, league);
    query_bind_i64(query, 3, from_day);
    return query_run(query, err);
}

static enum err_code name_state(struct db *db, int64_t revision, const char *hash, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        db, "INSERT INTO football_state(revision, hash) VALUES ($1, $2) ON CONFLICT DO NOTHING", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, revision);
    query_bind_text(query, 2, hash);
    return query_run(query, err);
}

static enum err_code forget_old(struct db *db, int64_t revision, struct err *err)
{
    struct query *states, *changes;

    enum err_code code = db_query(db, "DELETE FROM football_state WHERE revision < $1", &states, err);
    if (code == ERR_OK)
        code = db_query(db, "DELETE FROM football_change WHERE revision < $1", &changes, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(states, 1, revision - CHANGE_STATES_KEPT);
    query_bind_i64(changes, 1, revision - CHANGE_STATES_KEPT);
    code = query_run(states, err);
    return code == ERR_OK ? query_run(changes, err) : code;
}

enum err_code change_store_step(struct db *db, const char *before, const char *after, struct err *err)
{
    int64_t revision = 0;

    enum err_code code = read_revision(db, &revision, err);
    if (code == ERR_OK && revision == 0)
        revision = 1;
    if (code == ERR_OK)
        code = name_state(db, revision, before, err);
    if (code == ERR_OK)
        code = name_state(db, revision + 1, after, err);
    return code == ERR_OK ? forget_old(db, revision + 1, err) : code;
}
