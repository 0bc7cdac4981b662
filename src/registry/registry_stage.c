/* Stages. A move, the archiving of the version it replaces, and the history of both are one transaction.
 *
 * What a rollback goes back to is decided by promotions, not by time in production: history says for every version when
 * it was last promoted (a move to Production that was no rollback). Before the current one are those promoted before it.
 * So after A, B, C were promoted and C was rolled back to B, one more rollback leads to A, not to C again. */
#include "registry/registry_row.h"

#include "base/time.h"
#include "os/clock.h"

#include <assert.h>
#include <string.h>

enum err_code registry_insert_history(struct db *db, const char *version, enum stage from, enum stage to,
                                      bool is_rollback, const char *who, const char *why, struct err *err)
{
    struct query *query;

    enum err_code code =
        db_query(db,
                 "INSERT INTO stage_history(version, at_us, from_stage, to_stage, is_rollback, who, why) "
                 "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                 &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_i64(query, 2, clock_now_us());
    query_bind_text(query, 3, stage_name(from));
    query_bind_text(query, 4, stage_name(to));
    query_bind_i64(query, 5, is_rollback);
    query_bind_text(query, 6, who);
    query_bind_text(query, 7, why);
    return query_run(query, err);
}

static enum err_code set_stage(struct db *db, const char *version, enum stage stage, struct err *err)
{
    struct query *query;

    enum err_code code = db_query(db, "UPDATE version SET stage = $2 WHERE version = $1", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_text(query, 2, stage_name(stage));
    return query_run(query, err);
}

struct transition {
    const char *version;
    enum stage to;
    bool is_rollback;
    const char *who, *why;
};

/* The version in production of the same model, if any, makes room. */
static enum err_code archive_former(struct store *store, const struct version_row *row,
                                    const struct transition *transition, struct err *err)
{
    struct version_row former;

    enum err_code code = registry_production(store, &row->name, &former, NULL);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code != ERR_OK) /* again, for the text */
        return registry_production(store, &row->name, &former, err);
    code = set_stage(store->db, former.version, STAGE_ARCHIVED, err);
    if (code == ERR_OK)
        code = registry_insert_history(store->db, former.version, former.stage, STAGE_ARCHIVED, false,
                                       transition->who, transition->is_rollback ? "rolled back" : "replaced",
                                       err);
    return code;
}

/* Inside a transaction. */
static enum err_code apply(struct store *store, const struct transition *transition, struct err *err)
{
    struct version_row row;

    enum err_code code = registry_get(store, transition->version, &row, err);
    if (code == ERR_OK && row.cleared_us != TIME_NONE)
        code = err_set(err, ERR_CONFLICT, "version %s was cleared, its file is gone; train it again",
                       row.version);
    if (code != ERR_OK || row.stage == transition->to)
        return code;
    if (transition->to == STAGE_PRODUCTION)
        code = archive_former(store, &row, transition, err);
    if (code == ERR_OK)
        code = set_stage(store->db, row.version, transition->to, err);
    if (code == ERR_OK)
        code = registry_insert_history(store->db, row.version, row.stage, transition->to,
                                       transition->is_rollback, transition->who, transition->why, err);
    return code;
}

enum err_code registry_end(struct store *store, enum err_code code, struct err *err)
{
    if (code == ERR_OK)
        return db_commit(store->db, err);
    db_rollback(store->db);
    return code;
}

enum err_code registry_move(struct store *store, const char *version, enum stage stage, const char *who,
                            const char *why, struct err *err)
{
    struct transition transition = {.version = version, .to = stage, .who = who, .why = why};

    assert((unsigned)stage < STAGE_COUNT && who != NULL && why != NULL);
    enum err_code code = db_begin(store->db, err);
    if (code != ERR_OK)
        return code;
    return registry_end(store, apply(store, &transition, err), err);
}

static enum err_code roll_back(struct store *store, const struct model_name *name, const char *who,
                               struct version_row *out, struct err *err)
{
    size_t count = 1;

    enum err_code code = registry_previous(store, name, out, &count, err);
    if (code != ERR_OK)
        return code;
    if (count == 0)
        return err_set(err, ERR_NOT_FOUND, "%s/%s/%s had no other version in production before",
                       name->subject, name->variant, name->bot);
    struct transition transition = {
        .version = out->version, .to = STAGE_PRODUCTION, .is_rollback = true, .who = who, .why = "rollback"};
    code = apply(store, &transition, err);
    out->stage = STAGE_PRODUCTION;
    return code;
}

enum err_code registry_rollback(struct store *store, const struct model_name *name, const char *who,
                                struct version_row *out, struct err *err)
{
    enum err_code code = db_begin(store->db, err);

    if (code != ERR_OK)
        return code;
    return registry_end(store, roll_back(store, name, who, out, err), err);
}

enum err_code registry_record_decision(struct store *store, const char *version,
                                       const struct decision *decision, const char *numbers_json,
                                       struct err *err)
{
    struct query *query;
    struct version_row row;

    enum err_code code = registry_get(store, version, &row, err);
    if (code == ERR_OK)
        code = db_query(
            store->db,
            "INSERT INTO decision(version, at_us, promoted, reason, numbers) VALUES ($1, $2, $3, $4, $5)",
            &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, version);
    query_bind_i64(query, 2, clock_now_us());
    query_bind_i64(query, 3, decision->promoted);
    query_bind_text(query, 4, decision->reason);
    query_bind_text(query, 5, numbers_json);
    return query_run(query, err);
}
