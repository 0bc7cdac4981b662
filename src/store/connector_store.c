/* State of connectors: two small tables. */
#include "store/connector_store.h"

#include "base/text.h"
#include "base/time.h"

#include <string.h>

/* 0 stands for TIME_NONE, so that the columns need no NULL. */
static int64_t to_stored(int64_t time_us)
{
    return time_us == TIME_NONE ? 0 : time_us;
}

static int64_t from_stored(int64_t value)
{
    return value == 0 ? TIME_NONE : value;
}

enum err_code connector_store_get(struct db *db, const char *name, struct connector_row *out, struct err *err)
{
    struct query *query;
    bool has_row = false;
    *out = (struct connector_row){TIME_NONE, TIME_NONE};
    enum err_code code =
        db_query(db, "SELECT not_before_us, asked_us FROM connector WHERE name = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row)
        *out = (struct connector_row){from_stored(query_i64(query, 0)), from_stored(query_i64(query, 1))};
    query_reset(query);
    return code;
}

enum err_code connector_store_set(struct db *db, const char *name, const struct connector_row *row,
                                  struct err *err)
{
    struct query *query;
    enum err_code code = db_query(db,
                                  "INSERT INTO connector(name, not_before_us, asked_us) VALUES ($1, $2, $3) "
                                  "ON CONFLICT(name) DO UPDATE SET not_before_us = excluded.not_before_us, "
                                  "asked_us = excluded.asked_us",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_i64(query, 2, to_stored(row->not_before_us));
    query_bind_i64(query, 3, to_stored(row->asked_us));
    return query_run(query, err);
}

enum err_code connector_store_answer(struct db *db, const char *name, const char *resource,
                                     const char *request, struct connector_answer *out, struct err *err)
{
    struct query *query;
    bool has_row = false;
    *out = (struct connector_answer){.fetched_us = TIME_NONE};
    (void)text_copy(text_of(resource), out->resource, sizeof out->resource);
    (void)text_copy(text_of(request), out->request, sizeof out->request);
    enum err_code code = db_query(db,
                                  "SELECT etag, last_modified, fetched_us FROM connector_answer "
                                  "WHERE connector = $1 AND resource = $2 AND request = $3",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_text(query, 2, resource);
    query_bind_text(query, 3, request);
    code = query_next(query, &has_row, err);
    if (code == ERR_OK && has_row) {
        (void)text_copy(text_of(query_text(query, 0)), out->etag, sizeof out->etag);
        (void)text_copy(text_of(query_text(query, 1)), out->last_modified, sizeof out->last_modified);
        out->fetched_us = query_i64(query, 2);
    }
    query_reset(query);
    return code;
}

enum err_code connector_store_keep(struct db *db, const char *name, const struct connector_answer *answer,
                                   struct err *err)
{
    struct query *query;
    enum err_code code = db_query(
        db,
        "INSERT INTO connector_answer(connector, resource, request, etag, last_modified, fetched_us) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT(connector, resource) DO UPDATE SET "
        "request = excluded.request, etag = excluded.etag, "
        "last_modified = excluded.last_modified, fetched_us = excluded.fetched_us",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, name);
    query_bind_text(query, 2, answer->resource);
    query_bind_text(query, 3, answer->request);
    query_bind_text(query, 4, answer->etag);
    query_bind_text(query, 5, answer->last_modified);
    query_bind_i64(query, 6, answer->fetched_us);
    return query_run(query, err);
}
