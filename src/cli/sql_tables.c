/* Tables of `almanac sql`. See sql_tables.h.
 *
 * Nothing is copied into the engine: the matrix is read where it is mapped, the frames of the store where they were loaded,
 * with missing numbers marked as duck_column wants them. */
#include "cli/sql_tables.h"
#include "limits.h"
#include "task/prepare.h"
#include "view/offline.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Day and kick-off are of the league's local calendar and of UTC; a kick-off that is not known is NULL. */
static const char matches_view[] =
    "CREATE TEMP VIEW matches AS SELECT m.id, m.league, DATE '1970-01-01' + CAST(m.day AS INTEGER) AS day, "
    "CASE WHEN m.time_known = 1 THEN m.kickoff END AS kickoff, m.season, "
    "['scheduled', 'played', 'postponed', 'void'][m.state + 1] AS state, h.country, m.home AS home_id, "
    "h.name AS home, m.away AS away_id, a.name AS away, "
    "m.* EXCLUDE (id, league, day, kickoff, time_known, season, state, home, away) "
    "FROM matches_rows m JOIN teams h ON h.id = m.home JOIN teams a ON a.id = m.away";

static bool is_name_byte(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_';
}

/* Does the word stand in the statement? In a comment or a text too: then a table is made that nobody reads. */
static bool mentions(const char *sql, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = sql; *at != '\0'; at++)
        if (strncasecmp(at, word, length) == 0 && !is_name_byte(at[length]) &&
            (at == sql || !is_name_byte(at[-1])))
            return true;
    return false;
}

/* ---- frames ---- */

static const int64_t *mark_i64(struct arena *arena, const struct frame *frame, size_t column)
{
    int64_t *out = arena_alloc_array(arena, frame_rows(frame) + 1, sizeof *out);
    for (size_t i = 0; out != NULL && i < frame_rows(frame); i++)
        out[i] = frame_is_present(frame, column, i) ? frame_i64(frame, column)[i] : INT64_MIN;
    return out;
}

static const int32_t *mark_i32(struct arena *arena, const struct frame *frame, size_t column)
{
    int32_t *out = arena_alloc_array(arena, frame_rows(frame) + 1, sizeof *out);
    for (size_t i = 0; out != NULL && i < frame_rows(frame); i++)
        out[i] = frame_is_present(frame, column, i) ? frame_i32(frame, column)[i] : INT32_MIN;
    return out;
}

static const char *const *dictionary(struct arena *arena, const struct frame *frame, size_t column)
{
    const size_t count = (size_t)frame_dictionary_count(frame, column);
    const char **out = arena_alloc_array(arena, count + 1, sizeof *out);
    for (size_t i = 0; out != NULL && i < count; i++)
        out[i] = frame_dictionary_text(frame, column, (int32_t)i);
    return out;
}

static struct duck_column column_of(struct arena *arena, const struct frame *frame, size_t column)
{
    switch (frame_column_type(frame, column)) {
    case FRAME_TIME:
        return (struct duck_column){DUCK_COLUMN_TIMESTAMP, mark_i64(arena, frame, column), 1};
    case FRAME_I64:
        return (struct duck_column){DUCK_COLUMN_I64, mark_i64(arena, frame, column), 1};
    case FRAME_I32:
        return (struct duck_column){DUCK_COLUMN_I32, mark_i32(arena, frame, column), 1};
    case FRAME_F32:
        return (struct duck_column){DUCK_COLUMN_F32, frame_f32(frame, column), 1, .nan_is_null = true};
    case FRAME_TEXT:
        return (struct duck_column){DUCK_COLUMN_CODE, frame_i32(frame, column), 1,
                                    .texts = dictionary(arena, frame, column)};
    default:
        return (struct duck_column){0}; /* no table of the store has reals of 64 bits */
    }
}

static enum err_code expose_frame(struct sql_tables *tables, const char *name, const struct frame *frame,
                                  struct duck *duck, struct err *err)
{
    const size_t count = frame_columns(frame);
    struct duck_column *columns = arena_alloc_array(&tables->arena, count, sizeof *columns);
    const char **names = arena_alloc_array(&tables->arena, count, sizeof *names);
    bool is_whole = columns != NULL && names != NULL;
    for (size_t i = 0; is_whole && i < count; i++) {
        names[i] = frame_name(frame, i);
        columns[i] = column_of(&tables->arena, frame, i);
        is_whole =
            columns[i].data != NULL && (columns[i].kind != DUCK_COLUMN_CODE || columns[i].texts != NULL);
    }
    if (!is_whole)
        return err_nomem(err, frame_rows(frame) * count * sizeof(int64_t));
    return duck_expose(duck, name, names, columns, count, frame_rows(frame), err);
}

static enum err_code open_store_tables(struct sql_tables *tables, struct duck *duck, struct err *err)
{
    static const char *const no_bookmaker[] = {NULL};
    enum err_code code = football_store_load(tables->session.store.db, no_bookmaker, 0, &tables->frames, err);
    if (code == ERR_OK)
        code = expose_frame(tables, "teams", tables->frames.teams, duck, err);
    if (code == ERR_OK)
        code = expose_frame(tables, "matches_rows", tables->frames.matches, duck, err);
    if (code == ERR_OK)
        code = duck_query(duck, matches_view, NULL, 0, NULL, err);
    return code;
}

/* ---- all ---- */

static enum err_code open_matrix(struct sql_tables *tables, struct duck *duck, struct err *err)
{
    enum err_code code = prepare_matrix(&tables->session.context, &tables->matrix, err);
    terminal_finish();
    if (code == ERR_OK)
        code = matrix_names_create(&tables->names, err);
    if (code == ERR_OK)
        code = matrix_expose(duck, "matrix", tables->matrix, &tables->names, err);
    return code;
}

static enum err_code attach_views(const struct settings *settings, struct duck *duck, struct err *err)
{
    char folder[FILE_PATH_BYTES];
    enum err_code code = file_join(settings->data_dir, "features", folder, err);
    if (code != ERR_OK || !file_exists(folder))
        return code;
    return offline_store_attach(folder, duck, err);
}

enum err_code sql_tables_open(const struct settings *settings, const char *sql, struct duck *duck,
                              struct sql_tables *out, struct err *err)
{
    const bool needs_matrix = mentions(sql, "matrix");
    const bool needs_store = mentions(sql, "matches") || mentions(sql, "teams");
    *out = (struct sql_tables){.has_session = false};
    arena_init(&out->arena, LIMIT_ARENA_BYTES);
    enum err_code code = attach_views(settings, duck, err);
    if (code == ERR_OK && (needs_matrix || needs_store)) {
        out->has_session = true;
        code = session_open(&out->session, settings, DB_READ_ONLY, err);
    }
    if (code == ERR_OK && needs_matrix)
        code = open_matrix(out, duck, err);
    if (code == ERR_OK && needs_store)
        code = open_store_tables(out, duck, err);
    return code;
}

void sql_tables_close(struct sql_tables *tables)
{
    matrix_close(tables->matrix);
    matrix_names_release(&tables->names);
    football_frames_release(&tables->frames);
    arena_release(&tables->arena);
    if (tables->has_session)
        session_close(&tables->session);
}
