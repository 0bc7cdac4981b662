/* Families: columns of new or changed families beside those that are there.
 *
 * Two states go through the history side by side: one of the missing families, from the first match and with its rows, and
 * one of the families that the matrix has, from its kept checkpoint (from the first match when there is none) and without.
 * Wherever a state is kept they are joined. */
#include "serve/present_build.h"

#include <stdlib.h>
#include <string.h>

struct part {
    struct feature_set set;
    const struct tracker **trackers;
    size_t *offsets; /* columns of the trackers in the whole set */
    size_t count, columns;
    struct present_walk walk;
};
struct families {
    struct present_work *work;
    struct part missing, kept;
};

static enum err_code part_allocate(struct part *part, size_t trackers, const char *name, struct err *err)
{
    part->trackers = calloc(trackers + 1, sizeof(*part->trackers));
    part->offsets = calloc(trackers + 1, sizeof(*part->offsets));
    part->set = (struct feature_set){.name = name, .doc = "", .trackers = part->trackers};
    return part->trackers != NULL && part->offsets != NULL
               ? ERR_OK
               : err_nomem(err, trackers * sizeof(*part->trackers));
}

static void part_release(struct part *part)
{
    live_state_destroy(part->walk.state);
    free((void *)part->trackers);
    free(part->offsets);
}

/* Each tracker of the set goes to one of the parts. */
static enum err_code divide(struct families *families, struct err *err)
{
    const struct feature_set *set = families->work->set;
    size_t trackers = 0, column = 0;
    while (set->trackers[trackers] != NULL)
        trackers++;
    enum err_code code = part_allocate(&families->missing, trackers, "missing", err);
    if (code == ERR_OK)
        code = part_allocate(&families->kept, trackers, "kept", err);
    for (size_t t = 0; code == ERR_OK && t < trackers; t++) {
        const struct tracker *tracker = set->trackers[t];
        bool is_kept = matrix_family_column(families->work->basis, tracker) >= 0;
        struct part *part = is_kept ? &families->kept : &families->missing;
        part->offsets[part->count] = column;
        part->trackers[part->count++] = tracker;
        part->columns += tracker->feature_count;
        column += tracker->feature_count;
    }
    return code;
}

/* The kept part stands at its checkpoint, or at the beginning. *out_checkpoint_us: where both are to be kept first. */
static enum err_code start_kept(struct families *families, int64_t *out_checkpoint_us, struct err *err)
{
    struct part *kept = &families->kept;
    struct history *history = families->work->history;
    struct known_states known = {0};
    struct state_place place = {families->work->request->store, &kept->set, history_sizes(history),
                                history_stream_count(history)};
    enum err_code code = known_states_load(place.store, &kept->set, &known, err);
    if (code != ERR_OK)
        return code;
    kept->walk = (struct present_walk){
        .work = families->work, .at_us = INT64_MIN, .rows_from_us = INT64_MAX, .is_silent = true};
    *out_checkpoint_us = present_before_newest_us(history, STATE_CHECKPOINT_US);
    code = state_find(&place, &known, STATE_CHECKPOINT, INT64_MAX, &kept->walk.state, &kept->walk.at_us, err);
    if (code == ERR_OK)
        *out_checkpoint_us = kept->walk.at_us;
    else
        code = live_state_create(&kept->set, place.sizes, place.stream_count, &kept->walk.state, err);
    known_states_release(&known);
    return code;
}

static enum err_code start_missing(struct families *families, struct matrix_build *build, struct err *err)
{
    struct part *missing = &families->missing;
    struct history *history = families->work->history;
    missing->walk =
        (struct present_walk){.work = families->work,
                              .at_us = INT64_MIN,
                              .rows_from_us = INT64_MIN,
                              .target = {build->values, build->first_row, build->columns, missing->offsets},
                              .build = build};
    return live_state_create(&missing->set, history_sizes(history), history_stream_count(history),
                             &missing->walk.state, err);
}

/* Both parts to the moment, and the state of the whole set there. */
static enum err_code join_at(struct families *families, int64_t at_us, struct live_state **out,
                             struct err *err)
{
    enum err_code code = present_walk_to(&families->missing.walk, at_us, err);
    if (code == ERR_OK)
        code = present_walk_to(&families->kept.walk, at_us, err);
    if (code != ERR_OK)
        return code;
    const struct live_state *const parts[] = {families->missing.walk.state, families->kept.walk.state};
    return live_state_join(families->work->set, parts, 2, out, err);
}

static enum err_code join_and_keep(struct families *families, int64_t at_us, enum state_kind kind,
                                   struct err *err)
{
    struct live_state *state = NULL;
    if (at_us == INT64_MIN || at_us < families->kept.walk.at_us)
        return ERR_OK;
    enum err_code code = join_at(families, at_us, &state, err);
    if (code == ERR_OK)
        present_keep(families->work, kind, state, at_us);
    live_state_destroy(state);
    return code;
}

static enum err_code run(struct families *families, struct matrix_build *build, struct err *err)
{
    struct present_work *work = families->work;
    int64_t checkpoint_us = 0;
    enum err_code code = start_kept(families, &checkpoint_us, err);
    if (code == ERR_OK)
        code = start_missing(families, build, err);
    if (code == ERR_OK)
        code = join_and_keep(families, checkpoint_us, STATE_CHECKPOINT, err);
    if (code == ERR_OK)
        code = join_and_keep(families, present_before_newest_us(work->history, STATE_RECENT_US), STATE_RECENT,
                             err);
    if (code == ERR_OK)
        code = join_at(families, INT64_MAX, &work->out->state, err);
    return code;
}

enum err_code present_add_families(struct present_work *work, struct err *err)
{
    struct families families = {.work = work};
    struct matrix_build build = {0};
    size_t rows = history_rows(work->history);
    if (rows != matrix_rows(work->basis) ||
        memcmp(history_row_info(work->history), matrix_row_info(work->basis),
               rows * sizeof(struct matrix_row)) != 0)
        return err_set(err, ERR_CONFLICT, "matrix %.8s has other rows than its data",
                       matrix_key_of(work->basis));
    enum err_code code = divide(&families, err);
    if (code == ERR_OK)
        code = matrix_build_start(work->request->store->matrix, work->out->data_hash, work->set, work->basis,
                                  rows, rows, &build, err);
    if (code == ERR_OK)
        code = run(&families, &build, err);
    if (code == ERR_OK)
        code = present_audit(work, &build, matrix_row_info(work->basis), err);
    if (code == ERR_OK)
        code = matrix_build_finish(&build, work->request->pool, &work->out->matrix, err);
    matrix_build_abandon(&build);
    work->out->rows_computed = rows;
    work->out->columns_computed = families.missing.columns;
    part_release(&families.missing);
    part_release(&families.kept);
    return code;
}
