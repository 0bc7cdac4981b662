/* Present: which way. Everything that is read of the store for one answer is read in one transaction, so the key, the
 * changes and the matches are of the same moment; the transaction ends before anything is computed. The leak audit
 * is given what was read for the build and what came out of it, so what it judges is what is built. Until it has passed,
 * the matrix has no head and no state is kept. */
#include "serve/present.h"

#include "base/log.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "os/clock.h"
#include "serve/present_build.h"
#include "store/fixture_store.h"
#include "store/football_store.h"

#include <stdlib.h>
#include <string.h>

const char *present_way_name(enum present_way way)
{
    static const char *const names[] = {[PRESENT_OPENED] = "opened",
                                        [PRESENT_EXTENDED] = "extended",
                                        [PRESENT_FAMILIES] = "families",
                                        [PRESENT_BUILT] = "built"};
    return names[way];
}

enum err_code present_key(struct store *store, char out[HASH_HEX_BYTES], struct err *err)
{
    char data_hash[HASH_HEX_BYTES];
    enum err_code code = football_store_hash(store->db, data_hash, err);
    if (code == ERR_OK)
        matrix_key(data_hash, football_feature_set_widest(), out);
    return code;
}

static struct state_place place_of(const struct present_work *work)
{
    return (struct state_place){work->request->store, work->set, teams_sizes(work->out->teams),
                                league_country_count()};
}

/* What is kept is a cache: whatever is wrong with it, it is as if it were not there. Only no memory is no such case. */
static bool is_missing(enum err_code code, const struct err *err)
{
    if (code == ERR_CORRUPT)
        log_line(LOG_WARN, "present", "%s; it is made again", err->text);
    return code != ERR_OK;
}

/* ---- looking ---- */

static enum err_code identify(struct present_work *work, struct err *err)
{
    enum err_code code = football_store_hash(work->request->store->db, work->out->data_hash, err);
    if (code == ERR_OK)
        matrix_key(work->out->data_hash, work->set, work->out->key);
    if (code == ERR_OK)
        code = football_store_load_teams(work->request->store->db, &work->teams, err);
    if (code == ERR_OK)
        code = teams_create(work->teams, &work->out->teams, err);
    if (code == ERR_OK)
        code = known_states_load(work->request->store, work->set, &work->known, err);
    return code;
}

static bool open_matrix(struct present_work *work)
{
    struct err err = {0};
    return !is_missing(matrix_open(work->request->store->matrix, work->out->key, &work->out->matrix, &err),
                       &err);
}

/* The newest matrix of earlier data and this very set. */
static bool find_basis(struct present_work *w)
{
    const struct known_state *known = NULL;
    for (size_t i = 0; (known = known_states_at(&w->known, i)) != NULL; i++) {
        struct err err = {0};
        if (is_missing(matrix_open(w->request->store->matrix, known->key, &w->basis, &err), &err))
            continue;
        if (!is_missing(known_states_changed_us(w->request->store, known->data_hash, &w->changed_us, &err),
                        &err))
            return true;
        matrix_close(w->basis);
        w->basis = NULL;
    }
    return false;
}

/* The state from which it is least far to the end. */
static bool find_state(struct present_work *work, int64_t latest_us)
{
    struct state_place place = place_of(work);
    struct err err = {0};
    return state_find(&place, &work->known, STATE_RECENT, latest_us, &work->state, &work->at_us, &err) ==
               ERR_OK ||
           state_find(&place, &work->known, STATE_CHECKPOINT, latest_us, &work->state, &work->at_us, &err) ==
               ERR_OK;
}

static bool find_families(struct present_work *work)
{
    struct err err = {0};
    return !is_missing(
        matrix_open_basis(work->request->store->matrix, work->out->data_hash, work->set, &work->basis, &err),
        &err);
}

/* The way, and what it starts from. */
static enum present_way choose(struct present_work *work)
{
    const struct present_request *request = work->request;
    if (request->from_scratch)
        return PRESENT_BUILT;
    work->changed_us = INT64_MAX;
    bool needs_matrix = request->want_matrix && !open_matrix(work);
    if (!needs_matrix && !request->want_state)
        return PRESENT_OPENED;
    if (needs_matrix && request->only_open)
        return PRESENT_BUILT;
    if ((!needs_matrix || find_basis(work)) && find_state(work, work->changed_us))
        return needs_matrix ? PRESENT_EXTENDED : PRESENT_OPENED;
    matrix_close(work->basis);
    work->basis = NULL;
    return needs_matrix && find_families(work) ? PRESENT_FAMILIES : PRESENT_BUILT;
}

/* ---- doing ---- */

static void forget_basis(struct present_work *work)
{
    matrix_close(work->basis);
    live_state_destroy(work->state);
    history_destroy(work->history);
    work->basis = NULL;
    work->state = NULL;
    work->history = NULL;
}

static enum err_code compute(struct present_work *work, struct err *err)
{
    switch (work->out->way) {
    case PRESENT_OPENED: /* the state is advanced over the last days */
    case PRESENT_EXTENDED:
        return present_extend(work, err);
    case PRESENT_FAMILIES:
        return present_add_families(work, err);
    case PRESENT_BUILT:
        break;
    }
    return present_build(work, err);
}

/* Reads what the way needs. */
static enum err_code read_store(struct present_work *work, struct err *err)
{
    const struct present_request *request = work->request;
    struct present *out = work->out;
    enum err_code code = identify(work, err);
    if (code != ERR_OK)
        return code;
    out->way = choose(work);
    bool is_whole = out->way == PRESENT_BUILT || out->way == PRESENT_FAMILIES;
    if ((request->only_open && out->way != PRESENT_OPENED) || (request->only_extend && is_whole))
        return err_set(err, ERR_NOT_FOUND, "the features of the present data are not kept");
    bool makes_matrix = is_whole && request->want_matrix && out->matrix == NULL;
    if (out->way == PRESENT_OPENED && !request->want_state)
        return ERR_OK;
    work->needs_audit = makes_matrix && request->audit != NULL;
    code = present_read(work, is_whole ? INT64_MIN : present_day_needed(work->at_us), err);
    if (code == ERR_OK && makes_matrix && frame_rows(work->frames.matches) == 0)
        code = err_set(err, ERR_NOT_FOUND,
                       "the store holds no matches; import some first: almanac import football PATH");
    return code;
}

static void work_release(struct present_work *work)
{
    forget_basis(work);
    for (size_t kind = 0; kind < STATE_KINDS; kind++)
        live_state_destroy(work->unaudited[kind].state);
    football_frames_release(&work->frames);
    frame_destroy(work->teams);
    known_states_release(&work->known);
}

/* One transaction and what follows from it. */
static enum err_code attempt(const struct present_request *request, struct present *out, struct err *err)
{
    struct present_work work = {.request = request,
                                .set = request->set != NULL ? request->set : football_feature_set_widest(),
                                .out = out};
    enum err_code code = db_execute(request->store->db, "BEGIN", err);
    if (code != ERR_OK)
        return code;
    code = read_store(&work, err);
    db_rollback(request->store->db);
    if (code == ERR_OK && work.frames.matches != NULL) {
        code = present_derive(&work, err);
        if (code == ERR_OK)
            code = compute(&work, err);
    }
    if (code == ERR_OK && work.has_kept_recent)
        present_move_checkpoint(&work);
    if (code == ERR_OK && !request->want_state) {
        live_state_destroy(out->state);
        out->state = NULL;
    }
    work_release(&work);
    return code;
}

void present_release(struct present *present)
{
    teams_destroy(present->teams);
    matrix_close(present->matrix);
    live_state_destroy(present->state);
    *present = (struct present){0};
}

enum err_code present_open(const struct present_request *request, struct present *out, struct err *err)
{
    struct present_request retry = *request;
    struct err unread;
    int64_t start_us = clock_monotonic_us();
    err = err != NULL ? err : &unread;
    for (;;) {
        *out = (struct present){0};
        enum err_code code = attempt(&retry, out, err);
        if (code == ERR_OK) {
            out->took_us = clock_monotonic_us() - start_us;
            return ERR_OK;
        }
        bool is_basis_bad =
            !retry.from_scratch && out->way != PRESENT_BUILT && (code == ERR_CONFLICT || code == ERR_CORRUPT);
        present_release(out);
        if (!is_basis_bad)
            return code;
        log_line(LOG_WARN, "present", "%s; features are computed from the first match", err->text);
        retry.from_scratch = true;
    }
}
