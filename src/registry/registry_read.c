/* Looking into the registry: nothing here writes, so all of it works on a read-only store. */
#include "registry/registry_row.h"

#include "base/time.h"

#include <assert.h>
#include <string.h>

enum { PREFIX_MIN = 4 };

void registry_bind_name(struct query *query, const struct model_name *name)
{
    query_bind_text(query, 1, name->subject);
    query_bind_text(query, 2, name->variant);
    query_bind_text(query, 3, name->bot);
}

enum err_code registry_refuse_unknown(const char *version, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no version '%.40s'", version);
}

enum err_code registry_get(struct store *store, const char *version, struct version_row *out, struct err *err)
{
    struct query *query;
    size_t count = 1;

    enum err_code code =
        db_query(store->db, "SELECT " REGISTRY_COLUMNS " FROM version WHERE version = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    code = registry_rows_read(store, query, out, &count, err);
    return code == ERR_OK && count == 0 ? registry_refuse_unknown(version, err) : code;
}

/* A whole version is found even if another one begins with it. */
enum err_code registry_find(struct store *store, const char *prefix, struct version_row *out, struct err *err)
{
    struct version_row rows[2];
    struct query *query;
    size_t count = 2;

    if (strlen(prefix) < PREFIX_MIN)
        return err_set(err, ERR_INVALID,
                       "'%s' is too short: a version is named by its first %d digits at least", prefix,
                       PREFIX_MIN);
    enum err_code code =
        db_query(store->db,
                 "SELECT " REGISTRY_COLUMNS " FROM version WHERE substr(version, 1, length($1)) = $1 "
                 "ORDER BY version LIMIT 2",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, prefix);
    code = registry_rows_read(store, query, rows, &count, err);
    if (code != ERR_OK)
        return code;
    if (count == 0)
        return registry_refuse_unknown(prefix, err);
    if (count == 2 && strcmp(rows[0].version, prefix) != 0)
        return err_set(err, ERR_CONFLICT, "'%s' is not unique: versions %s and %s begin so; give more digits",
                       prefix, rows[0].version, rows[1].version);
    *out = rows[0];
    return ERR_OK;
}

enum err_code registry_details(struct store *store, const char *version, struct buffer *out, struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code = db_query(store->db, "SELECT details FROM version WHERE version = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    if (!has_row)
        return registry_refuse_unknown(version, err);
    buffer_append_text(out, query_text(query, 0));
    query_reset(query);
    return buffer_check(out, "the details of a version", err);
}

enum err_code registry_production(struct store *store, const struct model_name *name, struct version_row *out,
                                  struct err *err)
{
    struct query *query;
    size_t count = 1;

    enum err_code code =
        db_query(store->db,
                 "SELECT " REGISTRY_COLUMNS
                 " FROM version AS v WHERE subject = $1 AND variant = $2 AND ($3 = '' OR bot = $3) "
                 "AND stage = 'Production' ORDER BY (SELECT max(h.id) FROM stage_history AS h "
                 "WHERE h.version = v.version AND h.to_stage = 'Production') DESC LIMIT 1",
                 &query, err);
    if (code != ERR_OK)
        return code;
    registry_bind_name(query, name);
    code = registry_rows_read(store, query, out, &count, err);
    if (code == ERR_OK && count == 0)
        code = err_set(err, ERR_NOT_FOUND, "no version of %s/%s%s%s is in production; train one",
                       name->subject, name->variant, name->bot[0] == '\0' ? "" : "/", name->bot);
    return code;
}

/* Rows that were trained in the same microsecond are told apart by their version, as the order is. */
enum err_code registry_search(struct store *store, const struct version_filter *filter, int64_t before_us,
                              const char *before, struct version_row *out, size_t *count, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(store->db,
                                  "SELECT " REGISTRY_COLUMNS " FROM version WHERE ($1 = '' OR subject = $1) "
                                  "AND ($2 = '' OR variant = $2) AND ($3 = '' OR bot = $3) "
                                  "AND ($4 = '' OR stage = $4) AND ($5 = 1 OR cleared_us IS NULL) "
                                  "AND trained_us <= $6 AND (trained_us < $6 OR version > $7) "
                                  "ORDER BY trained_us DESC, version LIMIT $8",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    registry_bind_name(query, &filter->name);
    query_bind_text(query, 4, filter->stage < 0 ? "" : stage_name((enum stage)filter->stage));
    query_bind_i64(query, 5, filter->with_cleared);
    query_bind_i64(query, 6, before_us == TIME_NONE ? INT64_MAX : before_us);
    query_bind_text(query, 7, before);
    query_bind_i64(query, 8, (int64_t)*count);
    return registry_rows_read(store, query, out, count, err);
}

enum err_code registry_list(struct store *store, const struct model_name *name, struct version_row *out,
                            size_t *count, struct err *err)
{
    struct version_filter filter = {.name = *name, .stage = -1};

    return registry_search(store, &filter, TIME_NONE, "", out, count, err);
}

/* See registry_stage.c for what "before" means. */
enum err_code registry_previous(struct store *store, const struct model_name *name, struct version_row *out,
                                size_t *count, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        store->db,
        "WITH promoted AS (SELECT v.*, (SELECT max(h.id) FROM stage_history AS h WHERE h.version = v.version "
        "AND h.to_stage = 'Production' AND h.is_rollback = 0) AS promotion "
        "FROM version AS v WHERE v.subject = $1 AND v.variant = $2 AND v.bot = $3 "
        "AND v.cleared_us IS NULL) "
        "SELECT " REGISTRY_COLUMNS " FROM promoted WHERE stage <> 'Production' AND promotion < "
        "coalesce((SELECT promotion FROM promoted WHERE stage = 'Production'), 9223372036854775807) "
        "ORDER BY promotion DESC LIMIT $4",
        &query, err);
    if (code != ERR_OK)
        return code;
    registry_bind_name(query, name);
    query_bind_i64(query, 4, (int64_t)*count);
    return registry_rows_read(store, query, out, count, err);
}

enum err_code registry_summarise(struct store *store, int64_t fresh_after_us, struct registry_summary *out,
                                 struct err *err)
{
    struct query *query;
    bool has_row = false;

    enum err_code code = db_query(
        store->db,
        "SELECT coalesce(sum(CASE WHEN stage <> 'Archived' AND trained_us > $1 THEN 1 ELSE 0 END), 0), "
        "coalesce(sum(CASE WHEN stage <> 'Archived' AND trained_us <= $1 THEN 1 ELSE 0 END), 0), "
        "coalesce(sum(CASE WHEN stage = 'Archived' THEN 1 ELSE 0 END), 0), coalesce(sum(size_bytes), 0), "
        "count(DISTINCT subject), count(DISTINCT variant), count(DISTINCT bot), "
        "(SELECT count(*) FROM version WHERE cleared_us IS NOT NULL) FROM version WHERE cleared_us IS NULL",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_i64(query, 1, fresh_after_us);
    code = query_next(query, &has_row, err);
    if (code != ERR_OK)
        return code;
    assert(has_row); /* sums always have one */
    *out = (struct registry_summary){query_i64(query, 0), query_i64(query, 1), query_i64(query, 2),
                                     query_i64(query, 7), query_i64(query, 3), query_i64(query, 4),
                                     query_i64(query, 5), query_i64(query, 6)};
    query_reset(query);
    return ERR_OK;
}
