/* Leagues in the store. */
#include "store/league_store.h"

#include "base/text.h"

enum err_code league_store_list(struct db *db, struct league_row *out, size_t *count, struct err *err)
{
    struct query *query;
    size_t capacity = *count;
    bool has_row = true;

    *count = 0;
    enum err_code code = db_query(db,
                                  "SELECT league, count(*), min(day), max(day) FROM match WHERE state = 1 "
                                  "GROUP BY league ORDER BY league",
                                  &query, err);
    while (code == ERR_OK && *count < capacity) {
        code = query_next(query, &has_row, err);
        if (code != ERR_OK || !has_row)
            break;
        struct league_row *row = &out[(*count)++];
        (void)text_copy(text_of(query_text(query, 0)), row->league, sizeof row->league);
        row->matches = query_i64(query, 1);
        row->from_day = query_i64(query, 2);
        row->to_day = query_i64(query, 3);
    }
    if (code == ERR_OK && has_row)
        query_reset(query);
    return code;
}

enum err_code league_store_has(struct db *db, const char *league, bool *out, struct err *err)
{
    struct query *query;

    *out = false;
    enum err_code code = db_query(db, "SELECT 1 FROM match WHERE league = $1 LIMIT 1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, league);
    code = query_next(query, out, err);
    if (code == ERR_OK)
        query_reset(query);
    return code;
}
