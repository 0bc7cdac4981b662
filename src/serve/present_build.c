/* Computing. Each way is the same walk: a state is advanced from where it stands to the end, over the events of a history,
 * and on the way it stops at the moments at which a copy of it is to be kept and at the moment from which on rows are
 * wanted. */
#include "serve/present_build.h"

#include "base/log.h"
#include "base/time.h"
#include "football/bookmaker.h"
#include "football/league.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A state that was advanced over more events than this on the way to the end is worth writing anew. */
enum { RECENT_EVENTS = 256 };

/* A match whose outcome becomes known after a moment began within the day before it; one more day for the zone. */
enum { PENDING_DAYS = 2 };

enum { SLICE_ROWS = 65536 };

int64_t present_day_needed(int64_t at_us)
{
    return at_us == INT64_MIN ? INT64_MIN : time_day_of(at_us) - PENDING_DAYS;
}

enum err_code present_read(struct present_work *work, int64_t from_day, struct err *err)
{
    return football_store_load_since(work->request->store->db, bookmaker_names(), from_day, &work->frames,
                                     err);
}

enum err_code present_derive(struct present_work *work, struct err *err)
{
    const struct football_frames *frames = &work->frames;
    enum err_code code = history_create(work->teams, frames->matches, frames->prices, frames->attributes,
                                        (struct history_options){0}, &work->history, err);
    if (!work->needs_audit)
        football_frames_release(&work->frames);
    return code;
}

/* Moment of the newest outcome; INT64_MIN when there is none. */
static int64_t newest_known_us(const struct history *history)
{
    int64_t newest_us = INT64_MIN;
    for (size_t row = 0; row < history_rows(history); row++) {
        int64_t known_us = history_outcome(history, row)->known_us;
        newest_us = known_us != INT64_MAX && known_us > newest_us ? known_us : newest_us;
    }
    return newest_us;
}

int64_t present_before_newest_us(const struct history *history, int64_t distance_us)
{
    int64_t newest_us = newest_known_us(history);
    return newest_us == INT64_MIN ? INT64_MIN : newest_us - distance_us;
}

/* First row of the history that starts at the moment or later. */
static size_t row_from(const struct matrix_row *rows, size_t count, int64_t start_us)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].start_us < start_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- the walk ---- */

/* The builder counts the events of a span; people want to see those of the walk. */
struct walk_progress {
    const struct build_watch *watch;
    size_t before, total;
};

static void show_progress(void *context, size_t done, size_t total)
{
    struct walk_progress *progress = context;
    (void)total;
    progress->watch->progress(progress->watch->context, progress->before + done, progress->total);
}

static bool ask_stop(void *context)
{
    struct walk_progress *progress = context;
    return progress->watch->stop(progress->watch->context);
}

/* The end of the next slice of rows from the moment: with a slice done its pages need not stay in memory. */
static int64_t slice_end_us(const struct present_walk *walk, int64_t until_us)
{
    const struct history *history = walk->work->history;
    const struct matrix_row *info = history_row_info(history);
    size_t rows = history_rows(history), row = row_from(info, rows, walk->at_us) + SLICE_ROWS;
    while (row < rows && info[row].start_us <= walk->at_us)
        row++;
    return row < rows && info[row].start_us < until_us ? info[row].start_us : until_us;
}

static enum err_code walk_slice(struct present_walk *walk, int64_t until_us, bool with_rows, struct err *err)
{
    const struct present_request *request = walk->work->request;
    const struct history *history = walk->work->history;
    const struct matrix_row *info = history_row_info(history);
    size_t rows = history_rows(history);
    struct build_target target = with_rows ? walk->target : (struct build_target){0};
    struct build_span span = {walk->at_us, until_us};
    struct walk_progress progress = {request->watch, row_from(info, rows, walk->at_us), rows};
    struct build_watch watch = {NULL, NULL, &progress};
    if (request->watch != NULL && request->watch->progress != NULL && !walk->is_silent)
        watch.progress = show_progress;
    if (request->watch != NULL && request->watch->stop != NULL)
        watch.stop = ask_stop;
    enum err_code code =
        builder_advance(walk->state, history_streams(history), span, target, request->pool, &watch, err);
    walk->at_us = until_us;
    if (code == ERR_OK && with_rows)
        matrix_build_settle(walk->build, row_from(info, rows, until_us) - target.first_row);
    return code;
}

static enum err_code walk_span(struct present_walk *walk, int64_t until_us, bool with_rows, struct err *err)
{
    enum err_code code = ERR_OK;
    while (code == ERR_OK && walk->at_us < until_us)
        code = walk_slice(walk, with_rows ? slice_end_us(walk, until_us) : until_us, with_rows, err);
    return code;
}

enum err_code present_walk_to(struct present_walk *walk, int64_t until_us, struct err *err)
{
    int64_t passed_us = until_us < walk->rows_from_us ? until_us : walk->rows_from_us;
    enum err_code code = walk_span(walk, passed_us, false, err);
    return code == ERR_OK ? walk_span(walk, until_us, walk->target.values != NULL, err) : code;
}

/* Stops at the moment to keep the state, unless it is behind. */
static enum err_code walk_and_keep(struct present_walk *walk, int64_t until_us, enum state_kind kind,
                                   struct err *err)
{
    if (until_us < walk->at_us || until_us == INT64_MIN)
        return ERR_OK;
    enum err_code code = present_walk_to(walk, until_us, err);
    if (code == ERR_OK)
        present_keep(walk->work, kind, walk->state, until_us);
    return code;
}

/* ---- audited ---- */

void present_keep(struct present_work *work, enum state_kind kind, const struct live_state *state,
                  int64_t at_us)
{
    struct err err = {0};
    if (!work->needs_audit) {
        state_keep(work->request->store, work->out->key, kind, state, at_us);
        return;
    }
    struct kept_state *kept = &work->unaudited[kind];
    assert(kept->state == NULL);
    kept->at_us = at_us;
    if (live_state_copy(state, &kept->state, &err) != ERR_OK)
        log_line(LOG_WARN, "present", "a tracker state was not kept: %s", err.text);
}

static void forget_rows(void *context, size_t begin, size_t end)
{
    matrix_build_forget(context, begin, end);
}

enum err_code present_audit(struct present_work *work, const struct matrix_build *build,
                            const struct matrix_row *rows, struct err *err)
{
    const struct present_request *request = work->request;
    if (!work->needs_audit)
        return ERR_OK;
    assert(build->first_row == 0);
    history_destroy(work->history);
    work->history = NULL;
    struct football_frames frames = work->frames;
    frames.teams = work->teams;
    struct audit_built built = {rows, build->values, build->row_count, forget_rows, (void *)build};
    enum err_code code = request->audit(request->context, &frames, &built, err);
    football_frames_release(&work->frames);
    if (code != ERR_OK)
        return code;
    work->needs_audit = false;
    for (enum state_kind kind = 0; kind < STATE_KINDS; kind++) {
        if (work->unaudited[kind].state != NULL)
            present_keep(work, kind, work->unaudited[kind].state, work->unaudited[kind].at_us);
    }
    return ERR_OK;
}

/* ---- extended ---- */

/* The rows in front of the first new one are those at the end of what is kept. */
static bool is_continuation(const struct present_work *work, size_t keep_rows, size_t first_row)
{
    if (first_row > keep_rows)
        return false;
    return first_row == 0 ||
           memcmp(matrix_row_info(work->basis) + (keep_rows - first_row), history_row_info(work->history),
                  first_row * sizeof(struct matrix_row)) == 0;
}

static enum err_code start_extension(struct present_work *work, struct present_walk *walk,
                                     struct matrix_build *build, struct err *err)
{
    struct history *history = work->history;
    const struct matrix_row *info = history_row_info(history);
    size_t first_row = row_from(info, history_rows(history), work->changed_us);
    size_t keep_rows = row_from(matrix_row_info(work->basis), matrix_rows(work->basis), work->changed_us);
    size_t new_rows = history_rows(history) - first_row;
    if (!is_continuation(work, keep_rows, first_row))
        return err_set(err, ERR_CONFLICT, "the change log does not tell how matrix %.8s continues",
                       matrix_key_of(work->basis));
    enum err_code code = matrix_build_start(work->request->store->matrix, work->out->data_hash, work->set,
                                            work->basis, keep_rows, keep_rows + new_rows, build, err);
    if (code != ERR_OK)
        return code;
    assert(build->first_row == keep_rows);
    if (new_rows > 0)
        memcpy(build->rows, info + first_row, new_rows * sizeof(*info));
    walk->target = (struct build_target){build->values, first_row, build->columns, NULL};
    walk->build = build;
    work->out->rows_computed = new_rows;
    return ERR_OK;
}

static enum err_code walk_extension(struct present_work *work, struct present_walk *walk, struct err *err)
{
    struct history *history = work->history;
    int64_t recent_us = present_before_newest_us(history, STATE_RECENT_US);
    size_t passed = row_from(history_row_info(history), history_rows(history), work->at_us);
    enum err_code code = ERR_OK;
    if (history_rows(history) - passed > RECENT_EVENTS && recent_us > work->at_us) {
        code = walk_and_keep(walk, recent_us, STATE_RECENT, err);
        work->has_kept_recent = true;
    }
    return code == ERR_OK ? present_walk_to(walk, INT64_MAX, err) : code;
}

enum err_code present_extend(struct present_work *work, struct err *err)
{
    struct matrix_build build = {0};
    struct present_walk walk = {
        .work = work, .state = work->state, .at_us = work->at_us, .rows_from_us = INT64_MAX};
    enum err_code code = ERR_OK;
    if (work->basis != NULL) {
        assert(work->at_us <= work->changed_us);
        walk.rows_from_us = work->changed_us;
        code = start_extension(work, &walk, &build, err);
    }
    if (code == ERR_OK)
        code = walk_extension(work, &walk, err);
    if (code == ERR_OK && work->basis != NULL)
        code = matrix_build_finish(&build, work->request->pool, &work->out->matrix, err);
    matrix_build_abandon(&build);
    if (code != ERR_OK)
        return code;
    work->out->state = work->state;
    work->state = NULL;
    work->out->columns_computed = work->basis != NULL ? feature_set_columns(work->set) : 0;
    return ERR_OK;
}

/* The checkpoint, and in work->history what it is to be advanced over; ERR_NOT_FOUND: none, or it is near enough. */
static enum err_code read_checkpoint(struct present_work *work, struct err *err)
{
    struct state_place place = {work->request->store, work->set, teams_sizes(work->out->teams),
                                league_country_count()};
    enum err_code code =
        state_find(&place, &work->known, STATE_CHECKPOINT, INT64_MAX, &work->state, &work->at_us, err);
    if (code != ERR_OK)
        return code;
    if (work->at_us >= present_before_newest_us(work->history, STATE_CHECKPOINT_OLD_US))
        return err_set(err, ERR_NOT_FOUND, "the checkpoint is near enough");
    history_destroy(work->history);
    work->history = NULL;
    code = present_read(work, present_day_needed(work->at_us), err);
    return code == ERR_OK ? present_derive(work, err) : code;
}

void present_move_checkpoint(struct present_work *work)
{
    struct err err = {0};
    char data_hash[HASH_HEX_BYTES];
    struct db *db = work->request->store->db;
    enum err_code code = db_execute(db, "BEGIN", &err);
    if (code == ERR_OK)
        code = football_store_hash(db, data_hash, &err);
    /* other data by now: somebody else's turn */
    if (code == ERR_OK && strcmp(data_hash, work->out->data_hash) == 0)
        code = read_checkpoint(work, &err);
    else if (code == ERR_OK)
        code = ERR_NOT_FOUND;
    db_rollback(db);
    struct present_walk walk = {
        .work = work, .state = work->state, .at_us = work->at_us, .rows_from_us = INT64_MAX};
    if (code == ERR_OK)
        code = walk_and_keep(&walk, present_before_newest_us(work->history, STATE_CHECKPOINT_US),
                             STATE_CHECKPOINT, &err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        log_line(LOG_WARN, "present", "the checkpoint was not moved: %s", err.text);
}

/* ---- built ---- */

enum err_code present_build(struct present_work *work, struct err *err)
{
    struct matrix_build build = {0};
    struct present_walk walk = {.work = work, .at_us = INT64_MIN, .rows_from_us = INT64_MIN};
    struct history *history = work->history;
    bool with_matrix = work->request->want_matrix && work->out->matrix == NULL;
    enum err_code code =
        live_state_create(work->set, history_sizes(history), history_stream_count(history), &walk.state, err);
    if (code == ERR_OK && with_matrix)
        code = matrix_build_start(work->request->store->matrix, work->out->data_hash, work->set, NULL, 0,
                                  history_rows(history), &build, err);
    if (code == ERR_OK && with_matrix) {
        memcpy(build.rows, history_row_info(history), history_rows(history) * sizeof(*build.rows));
        walk.target = (struct build_target){build.values, 0, build.columns, NULL};
        walk.build = &build;
        work->out->rows_computed = history_rows(history);
        work->out->columns_computed = build.columns;
    }
    if (code == ERR_OK)
        code = walk_and_keep(&walk, present_before_newest_us(history, STATE_CHECKPOINT_US), STATE_CHECKPOINT,
                             err);
    if (code == ERR_OK)
        code = walk_and_keep(&walk, present_before_newest_us(history, STATE_RECENT_US), STATE_RECENT, err);
    if (code == ERR_OK)
        code = present_walk_to(&walk, INT64_MAX, err);
    if (code == ERR_OK && with_matrix)
        code = present_audit(work, &build, build.rows, err);
    if (code == ERR_OK && with_matrix)
        code = matrix_build_finish(&build, work->request->pool, &work->out->matrix, err);
    matrix_build_abandon(&build);
    if (code == ERR_OK) {
        work->out->state = walk.state;
        walk.state = NULL;
    }
    live_state_destroy(walk.state);
    return code;
}
