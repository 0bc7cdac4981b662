/* One table, three queries. */
#include "store/attribute_store.h"

#include "base/text.h"

#include <assert.h>
#include <math.h>

static const struct frame_field fields[] = {
    {"team", FRAME_I64},  {"season", FRAME_I64}, {"known_day", FRAME_I64},
    {"name", FRAME_TEXT}, {"value", FRAME_F64},
};

enum err_code attribute_store_save(struct db *db, const struct stored_attribute *attribute, int64_t file_id,
                                   bool *out_changed, struct err *err)
{
    struct query *query;
    assert(isfinite(attribute->value));
    /* a row that says what was known already is no change: importing twice leaves the data's name as it is */
    enum err_code code =
        db_query(db,
                 "INSERT INTO team_attribute(team_id, season, name, known_day, value, file_id) "
                 "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT(team_id, season, name, known_day) DO UPDATE "
                 "SET value = excluded.value, file_id = excluded.file_id WHERE value <> excluded.value",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, attribute->team_id);
    query_bind_i64(query, 2, attribute->season);
    query_bind_text(query, 3, attribute->name);
    query_bind_i64(query, 4, attribute->known_day);
    query_bind_f64(query, 5, attribute->value);
    query_bind_i64(query, 6, file_id);
    code = query_run(query, err);
    *out_changed = code == ERR_OK && db_changes(db) > 0;
    return code;
}

static enum err_code read_rows(struct query *query, struct frame **out, struct err *err)
{
    struct frame_builder *builder = NULL;
    bool has_row;
    enum err_code code = frame_builder_create(fields, sizeof(fields) / sizeof(*fields), 0, &builder, err);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        for (int column = 0; column < 3; column++)
            frame_set_i64(builder, (size_t)column, query_i64(query, column));
        frame_set_text(builder, 3, text_of(query_text(query, 3)));
        frame_set_f64(builder, 4, query_f64(query, 4));
        frame_next_row(builder);
    }
    if (code == ERR_OK)
        code = frame_builder_finish(builder, out, err);
    frame_builder_destroy(builder);
    return code;
}

enum err_code attribute_store_load(struct db *db, struct frame **out, struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db,
                                  "SELECT team_id, season, known_day, name, value FROM team_attribute "
                                  "ORDER BY team_id, season, name, known_day",
                                  &query, err);
    return code == ERR_OK ? read_rows(query, out, err) : code;
}
