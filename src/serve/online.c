/* Online state: checkpoint or build. The checkpoint lies beside the matrix as <key>.state. */
#include "serve/online.h"

#include "base/log.h"
#include "base/time.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/history.h"
#include "football/league.h"
#include "store/fixture_store.h"
#include "store/football_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code online_key(struct store *store, char out[HASH_HEX_BYTES], struct err *err)
{
    char data_hash[HASH_HEX_BYTES];
    enum err_code code = football_store_hash(store->db, data_hash, err);
    if (code == ERR_OK)
        matrix_key(data_hash, football_feature_set_widest(), out);
    return code;
}

static enum err_code file_path(struct store *store, const char *key, const char *suffix,
                               char out[FILE_PATH_BYTES], struct err *err)
{
    char name[HASH_HEX_BYTES + 8];
    (void)snprintf(name, sizeof(name), "%s.%s", key, suffix);
    return file_join(store->matrix, name, out, err);
}

/* The only table that qsort's comparison needs; a map is opened on one thread at a time. */
static _Thread_local const struct matrix_row *sorted_rows;

static int compare_ids(const void *a, const void *b)
{
    int64_t x = sorted_rows[*(const uint32_t *)a].id, y = sorted_rows[*(const uint32_t *)b].id;
    return x < y ? -1 : x > y;
}

/* A missing matrix is no error: matches already played are then answered with a reason. */
static void open_matrix(struct store *store, struct online *online)
{
    char path[FILE_PATH_BYTES];
    if (file_path(store, online->key, "mat", path, NULL) != ERR_OK || !file_exists(path) ||
        matrix_open(path, &online->matrix, NULL) != ERR_OK)
        return;
    size_t rows = matrix_rows(online->matrix);
    online->by_id = malloc((rows + 1) * sizeof(*online->by_id));
    for (size_t i = 0; online->by_id != NULL && i < rows; i++)
        online->by_id[i] = (uint32_t)i;
    sorted_rows = matrix_row_info(online->matrix);
    if (online->by_id != NULL)
        qsort(online->by_id, rows, sizeof(*online->by_id), compare_ids);
}

int64_t online_row(const struct online *online, int64_t match_id)
{
    if (online->matrix == NULL || online->by_id == NULL)
        return -1;
    const struct matrix_row *rows = matrix_row_info(online->matrix);
    size_t low = 0, high = matrix_rows(online->matrix);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[online->by_id[middle]].id < match_id)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < matrix_rows(online->matrix) && rows[online->by_id[low]].id == match_id;
    return is_found ? (int64_t)online->by_id[low] : -1;
}

void online_destroy(struct online *online)
{
    if (online == NULL)
        return;
    teams_destroy(online->teams);
    live_state_destroy(online->state);
    matrix_close(online->matrix);
    free(online->by_id);
    free(online);
}

static enum err_code create(struct store *store, const char *key, struct online **out, struct err *err)
{
    struct frame *teams = NULL;
    struct online *online = calloc(1, sizeof(*online));
    if (online == NULL)
        return err_nomem(err, sizeof(*online));
    memccpy(online->key, key, '\0', sizeof(online->key) - 1);
    enum err_code code = football_store_load_teams(store->db, &teams, err);
    if (code == ERR_OK)
        code = teams_create(teams, &online->teams, err);
    if (code == ERR_OK)
        code = football_store_last_kickoff(store->db, &online->last_kickoff_us, err);
    frame_destroy(teams);
    if (code != ERR_OK) {
        online_destroy(online);
        return code;
    }
    open_matrix(store, online);
    *out = online;
    return ERR_OK;
}

enum err_code online_open(struct store *store, const char *key, struct online **out, struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct online *online = NULL;
    enum err_code code = file_path(store, key, "state", path, err);
    if (code == ERR_OK && !file_exists(path))
        code = err_set(err, ERR_NOT_FOUND, "no tracker state of the present data is kept");
    if (code == ERR_OK)
        code = create(store, key, &online, err);
    if (code == ERR_OK)
        code = live_state_open(football_feature_set_widest(), teams_sizes(online->teams),
                               league_country_count(), key, path, &online->state, err);
    if (code != ERR_OK) {
        online_destroy(online);
        return code;
    }
    *out = online;
    return ERR_OK;
}

static enum err_code build_state(struct store *store, struct online *online, struct err *err)
{
    struct football_frames frames = {0};
    struct history *history = NULL;
    enum err_code code = football_store_load(store->db, bookmaker_names(), 0, &frames, err);
    if (code == ERR_OK)
        code = history_create(frames.teams, frames.matches, frames.prices, (struct history_options){0},
                              &history, err);
    if (code == ERR_OK)
        code = builder_run(football_feature_set_widest(), history_streams(history),
                           history_stream_count(history), NULL, NULL, NULL, &online->state, err);
    history_destroy(history);
    football_frames_release(&frames);
    return code;
}

enum err_code online_build(struct store *store, const char *key, struct online **out, struct err *err)
{
    char path[FILE_PATH_BYTES];
    struct online *online = NULL;
    struct err ignored = {0};
    enum err_code code = create(store, key, &online, err);
    if (code == ERR_OK)
        code = build_state(store, online, err);
    if (code != ERR_OK) {
        online_destroy(online);
        return code;
    }
    /* a checkpoint that cannot be written costs the next start some time, nothing else */
    if (file_path(store, key, "state", path, &ignored) != ERR_OK ||
        live_state_save(online->state, key, path, &ignored) != ERR_OK)
        log_line(LOG_WARN, "online", "tracker state was not kept: %s", ignored.text);
    *out = online;
    return ERR_OK;
}
