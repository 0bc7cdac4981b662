/* Looking into the registry: nothing here writes, so all of it works on a read-only store. */
#include "registry/registry_row.h"

#include "base/json.h"
#include "base/time.h"

#include <string.h>

enum { PREFIX_MIN = 4 };

static void bind_name(struct query *query, const struct model_name *name)
{
    query_bind_text(query, 1, name->subject);
    query_bind_text(query, 2, name->variant);
    query_bind_text(query, 3, name->bot);
}

static enum err_code refuse_unknown(const char *version, struct err *err)
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
    return code == ERR_OK && count == 0 ? refuse_unknown(version, err) : code;
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
        return refuse_unknown(prefix, err);
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
        return refuse_unknown(version, err);
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
    bind_name(query, name);
    code = registry_rows_read(store, query, out, &count, err);
    if (code == ERR_OK && count == 0)
        code = err_set(err, ERR_NOT_FOUND, "no version of %s/%s%s%s is in production; train one",
                       name->subject, name->variant, name->bot[0] == '\0' ? "" : "/", name->bot);
    return code;
}

enum err_code registry_list(struct store *store, const struct model_name *filter, struct version_row *out,
                            size_t *count, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(store->db,
                                  "SELECT " REGISTRY_COLUMNS " FROM version WHERE ($1 = '' OR subject = $1) "
                                  "AND ($2 = '' OR variant = $2) AND ($3 = '' OR bot = $3) "
                                  "ORDER BY trained_us DESC, version LIMIT $4",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    bind_name(query, filter);
    query_bind_i64(query, 4, (int64_t)*count);
    return registry_rows_read(store, query, out, count, err);
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
        "FROM version AS v WHERE v.subject = $1 AND v.variant = $2 AND v.bot = $3) "
        "SELECT " REGISTRY_COLUMNS " FROM promoted WHERE stage <> 'Production' AND promotion < "
        "coalesce((SELECT promotion FROM promoted WHERE stage = 'Production'), 9223372036854775807) "
        "ORDER BY promotion DESC LIMIT $4",
        &query, err);
    if (code != ERR_OK)
        return code;
    bind_name(query, name);
    query_bind_i64(query, 4, (int64_t)*count);
    return registry_rows_read(store, query, out, count, err);
}

/* ---- as JSON ---- */

static void write_time(struct json_writer *writer, const char *key, int64_t time_us)
{
    char text[TIME_TEXT_BYTES];

    time_format_iso(time_us, text);
    json_field_text(writer, key, text);
}

static void write_transition(const struct query *query, struct json_writer *writer)
{
    static const char *const keys[] = {"subject", "variant", "bot", "version", "from", "to"};

    json_begin_object(writer);
    write_time(writer, "at", query_i64(query, 0));
    for (int column = 1; column <= 6; column++)
        json_field_text(writer, keys[column - 1],
                        query_is_null(query, column) ? NULL : query_text(query, column));
    json_field_bool(writer, "rollback", query_i64(query, 7) != 0);
    json_field_text(writer, "who", query_text(query, 8));
    json_field_text(writer, "why", query_text(query, 9));
    json_end_object(writer);
}

static void write_decision(const struct query *query, struct json_writer *writer)
{
    const char *numbers = query_text(query, 3);

    json_begin_object(writer);
    write_time(writer, "at", query_i64(query, 0));
    json_field_bool(writer, "promoted", query_i64(query, 1) != 0);
    json_field_text(writer, "reason", query_text(query, 2));
    json_key(writer, "numbers");
    json_put_raw(writer, numbers, strlen(numbers));
    json_end_object(writer);
}

/* The rows of a bound query as an array. */
static enum err_code write_rows(struct query *query,
                                void (*write)(const struct query *, struct json_writer *), const char *what,
                                struct buffer *out, struct err *err)
{
    struct json_writer writer;
    bool has_row = false;
    enum err_code code;

    json_writer_init(&writer, out);
    json_begin_array(&writer);
    while ((code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        write(query, &writer);
    if (code != ERR_OK)
        return code;
    json_end_array(&writer);
    return buffer_check(out, what, err);
}

enum err_code registry_history(struct store *store, const struct model_name *name, struct buffer *out,
                               struct err *err)
{
    struct query *query;

    enum err_code code = db_query(store->db,
                                  "SELECT h.at_us, v.subject, v.variant, v.bot, h.version, h.from_stage, "
                                  "h.to_stage, h.is_rollback, h.who, h.why "
                                  "FROM stage_history AS h JOIN version AS v ON v.version = h.version WHERE "
                                  "($1 = '' OR v.subject = $1) "
                                  "AND ($2 = '' OR v.variant = $2) AND ($3 = '' OR v.bot = $3) ORDER BY h.id",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    bind_name(query, name);
    return write_rows(query, write_transition, "the history of a model", out, err);
}

enum err_code registry_decisions(struct store *store, const char *version, struct buffer *out,
                                 struct err *err)
{
    struct query *query;

    enum err_code code = db_query(
        store->db, "SELECT at_us, promoted, reason, numbers FROM decision WHERE version = $1 ORDER BY id",
        &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    return write_rows(query, write_decision, "the decisions about a version", out, err);
}
