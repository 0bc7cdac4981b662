/* Import of attributes: the reader's rows get team ids, become rows of the store, and what changed is noted for the
 * leagues of the countries concerned, from the first day on that a changed value may be used. A team's values stand
 * together in a file, so the last team found is remembered. */
#include "task/import_attributes.h"

#include "base/hash.h"
#include "base/names.h"
#include "football/attributes.h"
#include "football/league.h"
#include "limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "source/attributes_csv.h"
#include "store/attribute_store.h"
#include "store/change_store.h"
#include "store/football_store.h"
#include "store/import_store.h"
#include "task/import_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NONE INT64_MAX

struct import {
    struct db *db;
    const char *path;
    bool strict;
    char hash[HASH_HEX_BYTES];
    int64_t size_bytes;
    struct attribute_rows rows;
    int64_t *changed_from; /* [league_country_count()]; DAY_NONE: nothing changed there */
    struct attributes_result *result;
    /* the line under way: its team, or why it has none */
    int64_t line, team_id;
    int country;
};

/* ---- places and teams ---- */

static int country_of(struct text place, bool is_league)
{
    int league = is_league ? league_find(place) : -1;
    if (is_league)
        return league >= 0 ? league_country((size_t)league) : -1;
    for (size_t i = 0; i < league_country_count(); i++) {
        if (text_equal_nocase(place, league_country_name(i)))
            return (int)i;
    }
    return -1;
}

static enum err_code reject(struct import *import, enum issue_reason reason, const char *column,
                            const char *detail, struct err *err)
{
    issue_add(&import->rows.issues, reason, (size_t)import->line, column, "%s", detail);
    import->rows.rows_kept--;
    if (!import->strict)
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, column,
                         "cannot import '%s' line %" PRId64 ", column '%s': %s (%s)", import->path,
                         import->line, column, detail, issue_name(reason));
}

/* The team of a row's line; team_id 0: the line is rejected. */
static enum err_code begin_line(struct import *import, size_t row, struct err *err)
{
    const struct frame *values = import->rows.values;
    const char *place = frame_text(values, ATTRIBUTE_ROW_PLACE, row);
    const char *name = frame_text(values, ATTRIBUTE_ROW_TEAM, row);
    bool is_league = frame_i32(values, ATTRIBUTE_ROW_IS_LEAGUE)[row] != 0;
    char detail[sizeof(((struct issue *)0)->detail)];
    struct err unknown = {0};

    import->line = frame_i64(values, ATTRIBUTE_ROW_LINE)[row];
    import->team_id = 0;
    import->country = country_of(text_of(place), is_league);
    if (import->country < 0) {
        (void)text_copy(text_of(place), detail, sizeof(detail));
        return reject(import, ISSUE_UNKNOWN_DIVISION, is_league ? "league" : "country", detail, err);
    }
    enum err_code code = football_store_find_team(import->db, league_country_name((size_t)import->country),
                                                  name, &import->team_id, &unknown);
    if (code == ERR_OK)
        return ERR_OK;
    import->team_id = 0;
    if (code != ERR_NOT_FOUND && code != ERR_INVALID) {
        if (err != NULL)
            *err = unknown;
        return code;
    }
    (void)text_copy(text_of(unknown.text), detail, sizeof(detail));
    return reject(import, ISSUE_UNKNOWN_TEAM, "team", detail, err);
}

/* ---- storing ---- */

static enum err_code save_row(struct import *import, int64_t file_id, size_t row, struct err *err)
{
    const struct frame *values = import->rows.values;
    enum attribute attribute = (enum attribute)frame_i32(values, ATTRIBUTE_ROW_ATTRIBUTE)[row];
    struct stored_attribute stored = {.team_id = import->team_id,
                                      .season = frame_i64(values, ATTRIBUTE_ROW_SEASON)[row],
                                      .known_day = frame_i64(values, ATTRIBUTE_ROW_KNOWN_DAY)[row],
                                      .name = attribute_at(attribute)->name,
                                      .value = frame_f64(values, ATTRIBUTE_ROW_VALUE)[row]};
    bool has_changed = false;
    enum err_code code = attribute_store_save(import->db, &stored, file_id, &has_changed, err);
    import->result->values++;
    if (code != ERR_OK || !has_changed)
        return code;
    import->result->values_changed++;
    if (stored.known_day < import->changed_from[import->country])
        import->changed_from[import->country] = stored.known_day;
    return ERR_OK;
}

static enum err_code save_rows(struct import *import, int64_t file_id, struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t row = 0; code == ERR_OK && row < frame_rows(import->rows.values); row++) {
        if (row == 0 || frame_i64(import->rows.values, ATTRIBUTE_ROW_LINE)[row] != import->line)
            code = begin_line(import, row, err);
        if (code == ERR_OK && import->team_id != 0)
            code = save_row(import, file_id, row, err);
    }
    return code;
}

/* A team may play in any league of its country. */
static enum err_code note_changes(struct import *import, struct err *err)
{
    enum err_code code = ERR_OK;
    if (import->result->values_changed == 0)
        return ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < league_count(); i++) {
        int64_t from_day = import->changed_from[league_country(i)];
        if (from_day != DAY_NONE)
            code = change_store_note(import->db, league_at(i)->code, from_day, err);
    }
    return code == ERR_OK ? football_store_chain(import->db, import->hash, err) : code;
}

static enum err_code store_file(struct import *import, int64_t *file_id, struct err *err)
{
    struct stored_file stored = {.path = import->path,
                                 .hash = import->hash,
                                 .size_bytes = import->size_bytes,
                                 .rows_read = (int64_t)import->rows.rows_read,
                                 .rows_kept = (int64_t)import->rows.rows_kept,
                                 .imported_us = clock_now_us()};
    return import_store_file(import->db, &stored, file_id, err);
}

/* In a transaction. The file's row comes first, for its id, and again when it is known how many of its lines were kept. */
static enum err_code store(struct import *import, struct err *err)
{
    int64_t file_id = 0;
    enum err_code code = store_file(import, &file_id, err);
    if (code == ERR_OK)
        code = save_rows(import, file_id, err);
    if (code == ERR_OK)
        code = note_changes(import, err);
    if (code == ERR_OK)
        code = store_file(import, &file_id, err);
    return code == ERR_OK ? import_store_issues(import->db, file_id, &import->rows.issues, err) : code;
}

/* ---- the file ---- */

static enum err_code parse(struct import *import, struct err *err)
{
    struct attribute_column columns[ATTRIBUTE_COUNT];
    struct file_map map = {0};
    struct hash hash;
    for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
        const struct attribute_info *info = attribute_at((enum attribute)i);
        columns[i] = (struct attribute_column){info->name, info->low, info->high};
    }
    enum err_code code = file_map_open(import->path, LIMIT_CSV_FILE_BYTES, &map, err);
    if (code != ERR_OK)
        return code;
    import->size_bytes = (int64_t)map.size_bytes;
    hash_init(&hash);
    hash_add_text(&hash, ATTRIBUTES_CSV_VERSION ", import 1");
    if (map.size_bytes > 0)
        hash_add(&hash, map.data, map.size_bytes);
    hash_final_hex(&hash, import->hash);
    code = attributes_csv_read(map.data, map.size_bytes, import->path, import->strict, columns,
                               ATTRIBUTE_COUNT, &import->rows, err);
    file_map_close(&map);
    return code;
}

static enum err_code is_known(struct import *import, bool *out, struct err *err)
{
    struct names *known = NULL;
    enum err_code code = import_store_known(import->db, true, &known, err);
    *out = code == ERR_OK && names_find(known, text_of(import->hash)) != NAMES_NONE;
    names_destroy(known);
    return code;
}

static enum err_code run(struct import *import, struct err *err)
{
    bool is_old = false;
    enum err_code code = parse(import, err);
    if (code == ERR_OK)
        code = is_known(import, &is_old, err);
    import->result->is_unchanged = is_old;
    if (code != ERR_OK || is_old)
        return code;
    code = db_begin(import->db, err);
    if (code != ERR_OK)
        return code;
    code = store(import, err);
    if (code == ERR_OK)
        return db_commit(import->db, err);
    db_rollback(import->db);
    return code;
}

enum err_code import_attributes(struct store *store, const char *path, bool strict,
                                struct attributes_result *out, struct err *err)
{
    struct import import = {.db = store->db, .path = path, .strict = strict, .result = out, .country = -1};
    size_t countries = league_country_count();
    *out = (struct attributes_result){0};
    import.changed_from = malloc(countries * sizeof(*import.changed_from));
    if (import.changed_from == NULL)
        return err_nomem(err, countries * sizeof(*import.changed_from));
    for (size_t i = 0; i < countries; i++)
        import.changed_from[i] = DAY_NONE;
    enum err_code code = run(&import, err);
    if (code != ERR_OK) {
        *out = (struct attributes_result){0};
    } else {
        out->rows_read = (int64_t)import.rows.rows_read;
        out->rows_kept = (int64_t)import.rows.rows_kept;
        memcpy(out->counts, import.rows.issues.counts, sizeof(out->counts));
    }
    attribute_rows_release(&import.rows);
    free(import.changed_from);
    return code;
}

void attributes_result_text(const struct attributes_result *result, struct buffer *out)
{
    if (result->is_unchanged) {
        buffer_append_text(out, "the file is known: nothing changed");
        return;
    }
    buffer_printf(
        out, "%" PRId64 " lines, %" PRId64 " kept; %" PRId64 " values, %" PRId64 " of them new or changed",
        result->rows_read, result->rows_kept, result->values, result->values_changed);
    for (int reason = 0; reason < ISSUE_COUNT; reason++) {
        if (result->counts[reason] > 0)
            buffer_printf(out, "; %zu %s", result->counts[reason], issue_name((enum issue_reason)reason));
    }
}
