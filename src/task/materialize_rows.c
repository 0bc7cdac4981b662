/* Rows of views. Teams and pairs are replayed over all streams at once, in the order in which outcomes became known, so that
 * rows come in order of their event. Everything known at a moment is applied before any row of that moment is made; within
 * a stream outcomes are applied by (known, event), the builder's order, so that the state is the live state's to the byte.
 * A team with two results of one moment has one row, that of the later match. */
#include "task/materialize_rows.h"

#include "feature/builder.h"
#include "football/feature_sets.h"
#include "football/teams.h"
#include "os/file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_ROWS = 8192, REPORT_EVENTS = 4096 };

/* ---- outputs ---- */

enum err_code view_output_open(struct view_output *output, struct err *err)
{
    enum err_code code = view_plan_create(output->view, &output->plan, err);
    if (code != ERR_OK)
        return code;
    size_t columns = view_plan_columns(output->plan);
    for (size_t i = 0; i < VIEW_KEYS; i++)
        output->key[i] = calloc(CHUNK_ROWS, sizeof(int64_t));
    output->event_us = malloc(CHUNK_ROWS * sizeof(int64_t));
    output->values = malloc(CHUNK_ROWS * columns * sizeof(float));
    if (output->key[0] == NULL || output->key[1] == NULL || output->event_us == NULL ||
        output->values == NULL)
        return err_nomem(err, CHUNK_ROWS * columns * sizeof(float));
    return ERR_OK;
}

void view_output_release(struct view_output *output)
{
    offline_writer_close(output->writer);
    view_plan_destroy(output->plan);
    for (size_t i = 0; i < VIEW_KEYS; i++)
        free(output->key[i]);
    free(output->event_us);
    free(output->values);
}

enum err_code view_output_flush(struct view_output *output, struct err *err)
{
    struct offline_rows rows = {
        {output->key[0], output->key[1]}, output->event_us, output->values, output->waiting};
    enum err_code code = offline_writer_add(output->writer, &rows, err);
    output->rows += (int64_t)output->waiting;
    output->waiting = 0;
    return code;
}

static enum err_code add_row(struct view_output *output, int64_t key, int64_t other, int64_t event_us,
                             const float *const features[SIDE_COUNT], struct err *err)
{
    if (event_us < output->from_us)
        return ERR_OK;
    size_t at = output->waiting++;
    output->key[0][at] = key;
    output->key[1][at] = other;
    output->event_us[at] = event_us;
    view_plan_gather(output->plan, features, output->values + at * view_plan_columns(output->plan));
    return output->waiting == CHUNK_ROWS ? view_output_flush(output, err) : ERR_OK;
}

/* ---- the replay ---- */

struct known {
    int64_t known_us;
    uint32_t stream, event;
};

struct replay {
    const struct history *history;
    const struct stream *streams;
    struct view_output *const *outputs;
    size_t count;
    struct live_state *state;
    struct known *order;
    size_t order_count;
    uint32_t **stamp; /* [stream][team]: the last moment with a row of the team */
    float *features[SIDE_COUNT];
};

static int compare_known(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    if (x->known_us != y->known_us)
        return x->known_us < y->known_us ? -1 : 1;
    if (x->stream != y->stream)
        return x->stream < y->stream ? -1 : 1;
    return x->event < y->event ? -1 : x->event > y->event;
}

static enum err_code open_replay(struct replay *replay, struct err *err)
{
    const struct feature_set *set = football_feature_set_widest();
    size_t streams = history_stream_count(replay->history), rows = history_rows(replay->history);
    const struct stream_size *sizes = history_sizes(replay->history);
    replay->order = malloc((rows + 1) * sizeof(*replay->order));
    replay->stamp = calloc(streams, sizeof(*replay->stamp));
    for (size_t side = 0; side < SIDE_COUNT; side++)
        replay->features[side] = malloc((feature_set_columns(set) + 1) * sizeof(float));
    if (replay->order == NULL || replay->stamp == NULL || replay->features[0] == NULL ||
        replay->features[1] == NULL)
        return err_nomem(err, rows * sizeof(*replay->order));
    for (size_t s = 0; s < streams; s++) {
        replay->stamp[s] = calloc(sizes[s].entities + 1, sizeof(**replay->stamp));
        if (replay->stamp[s] == NULL)
            return err_nomem(err, sizes[s].entities * sizeof(**replay->stamp));
        for (size_t event = 0; event < replay->streams[s].count; event++) {
            int64_t known_us = replay->streams[s].known_us[event];
            if (known_us != INT64_MAX)
                replay->order[replay->order_count++] = (struct known){known_us, (uint32_t)s, (uint32_t)event};
        }
    }
    if (replay->order_count > 1)
        qsort(replay->order, replay->order_count, sizeof(*replay->order), compare_known);
    return live_state_create(set, sizes, streams, &replay->state, err);
}

static void release_replay(struct replay *replay)
{
    for (size_t s = 0; replay->stamp != NULL && s < history_stream_count(replay->history); s++)
        free(replay->stamp[s]);
    free(replay->stamp);
    free(replay->order);
    for (size_t side = 0; side < SIDE_COUNT; side++)
        free(replay->features[side]);
    live_state_destroy(replay->state);
}

static const struct fixture *fixture_of(const struct replay *replay, const struct known *known)
{
    return (const struct fixture *)replay->streams[known->stream].fixtures + known->event;
}

static enum err_code add_teams(const struct replay *replay, const struct known *known, const int64_t id[],
                               const bool is_new[], struct err *err)
{
    const float *const own[SIDE_COUNT][SIDE_COUNT] = {{replay->features[0], replay->features[1]},
                                                      {replay->features[1], replay->features[0]}};
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < replay->count; i++) {
        struct view_output *output = replay->outputs[i];
        for (size_t side = 0; code == ERR_OK && side < SIDE_COUNT; side++) {
            if (output->view->entity == VIEW_TEAM && is_new[side])
                code = add_row(output, id[side], 0, known->known_us, own[side], err);
            if (output->view->entity == VIEW_PAIR)
                code = add_row(output, id[side], id[!side], known->known_us, own[side], err);
        }
    }
    return code;
}

/* Has the same pair, either way round, a later match of the same moment? */
static bool meets_again(const struct replay *replay, const struct known *known, const struct known *end)
{
    const struct fixture *fixture = fixture_of(replay, known);
    for (const struct known *later = known + 1; later < end; later++) {
        const struct fixture *other = fixture_of(replay, later);
        if (later->stream == known->stream &&
            ((other->home == fixture->home && other->away == fixture->away) ||
             (other->home == fixture->away && other->away == fixture->home)))
            return true;
    }
    return false;
}

static enum err_code add_match(const struct replay *replay, const struct known *known,
                               const struct known *end, uint32_t moment, struct err *err)
{
    const struct fixture *fixture = fixture_of(replay, known);
    const struct teams *teams = history_teams(replay->history);
    uint32_t *stamp = replay->stamp[known->stream];
    const int32_t team[SIDE_COUNT] = {fixture->home, fixture->away};
    struct fixture subject, swapped;
    int64_t id[SIDE_COUNT];
    bool is_new[SIDE_COUNT];
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        id[side] = teams_id(teams, known->stream, team[side]);
        is_new[side] = stamp[team[side]] != moment;
        stamp[team[side]] = moment;
    }
    if (!is_new[SIDE_HOME] && !is_new[SIDE_AWAY] && meets_again(replay, known, end))
        return ERR_OK;
    view_subject(fixture, known->known_us, &subject);
    view_swap(&subject, &swapped);
    live_state_emit(replay->state, known->stream, &subject, replay->features[SIDE_HOME]);
    live_state_emit(replay->state, known->stream, &swapped, replay->features[SIDE_AWAY]);
    return add_teams(replay, known, id, is_new, err);
}

static void apply(const struct replay *replay, const struct known *known)
{
    const struct stream *stream = &replay->streams[known->stream];
    live_state_apply(replay->state, known->stream, fixture_of(replay, known),
                     (const struct outcome *)stream->outcomes + known->event);
}

static bool is_wanted(const struct replay *replay, int64_t known_us)
{
    for (size_t i = 0; i < replay->count; i++) {
        if (known_us >= replay->outputs[i]->from_us)
            return true;
    }
    return false;
}

static enum err_code run(struct replay *replay, const struct reporter *reporter, struct err *err)
{
    enum err_code code = ERR_OK;
    uint32_t moment = 0;
    size_t reported = 0;
    const struct known *end = replay->order, *last = replay->order + replay->order_count;
    while (code == ERR_OK && end < last) {
        const struct known *begin = end;
        for (; end < last && end->known_us == begin->known_us; end++)
            apply(replay, end);
        moment++;
        bool emits = is_wanted(replay, begin->known_us);
        for (const struct known *known = end; emits && code == ERR_OK && known-- > begin;)
            code = add_match(replay, known, end, moment, err);
        size_t done = (size_t)(end - replay->order);
        if (done - reported < REPORT_EVENTS && end < last)
            continue;
        reported = done;
        report_progress(reporter, "replaying results", done, replay->order_count);
        if (report_is_stopped(reporter))
            code = err_set(err, ERR_CANCELLED, "stopped while results were replayed");
    }
    for (size_t i = 0; code == ERR_OK && i < replay->count; i++)
        code = view_output_flush(replay->outputs[i], err);
    return code;
}

enum err_code materialize_replay(const struct history *history, struct view_output *const *outputs,
                                 size_t count, const struct reporter *reporter, struct err *err)
{
    struct replay replay = {
        .history = history, .streams = history_streams(history), .outputs = outputs, .count = count};
    enum err_code code = open_replay(&replay, err);
    if (code == ERR_OK)
        code = run(&replay, reporter, err);
    release_replay(&replay);
    return code;
}

/* ---- matches ---- */

enum err_code materialize_matches(const struct matrix *matrix, struct view_output *const *outputs,
                                  size_t count, const struct reporter *reporter, struct err *err)
{
    const struct matrix_row *info = matrix_row_info(matrix);
    const float *values = matrix_values(matrix);
    size_t rows = matrix_rows(matrix), columns = matrix_columns(matrix), forgotten = 0;
    /* the matrix is mapped: what was read need not stay in this process */
    struct file_map pages = {(const char *)values, rows * columns * sizeof(float)};
    enum err_code code = ERR_OK;
    assert(columns == feature_set_columns(football_feature_set_widest()));
    for (size_t row = 0; code == ERR_OK && row < rows; row++) {
        const float *const features[SIDE_COUNT] = {values + row * columns, NULL};
        for (size_t i = 0; code == ERR_OK && i < count; i++)
            code = add_row(outputs[i], info[row].id, 0, info[row].start_us, features, err);
        if (row % REPORT_EVENTS != 0)
            continue;
        report_progress(reporter, "writing matches", row, rows);
        file_map_forget(&pages, forgotten * columns * sizeof(float),
                        (row - forgotten) * columns * sizeof(float));
        forgotten = row;
        if (code == ERR_OK && report_is_stopped(reporter))
            code = err_set(err, ERR_CANCELLED, "stopped while matches were written");
    }
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = view_output_flush(outputs[i], err);
    return code;
}
