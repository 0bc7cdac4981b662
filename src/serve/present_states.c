/* Kept states. There are two files, a few at most while a process that wrote one has not removed the older: looking for
 * one starts from the files, not from the (long) list of states the data was in. */
#include "serve/present_states.h"

#include "base/log.h"
#include "base/time.h"
#include "feature/matrix.h"
#include "store/football_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const suffixes[] = {[STATE_RECENT] = ".state", [STATE_CHECKPOINT] = ".checkpoint"};

int64_t present_day_start_us(int64_t day)
{
    struct civil civil = {0};
    time_civil_from_day(day, &civil.year, &civil.month, &civil.day);
    return time_from_civil(civil, ZONE_LONDON);
}

/* ---- what the store knows ---- */

enum { FIRST_STATES = 64 };

/* Reads the newest states in place of those that were read before. */
static enum err_code read_states(struct known_states *known, size_t limit, struct err *err)
{
    char present[HASH_HEX_BYTES];
    struct football_state *states = NULL;
    size_t count = 0;
    enum err_code code = football_store_hash(known->store->db, present, err);
    if (code == ERR_OK)
        code = change_store_states(known->store->db, limit, &states, &count, err);
    if (code != ERR_OK)
        return code;
    struct known_state *items = calloc(count + 1, sizeof(*items));
    if (items == NULL) {
        free(states);
        return err_nomem(err, count * sizeof(*items));
    }
    free(known->items);
    known->items = items;
    known->count = 0;
    known->is_whole = count < limit || limit == CHANGE_STATES_KEPT;
    /* a store that was migrated and not written since has a state without a number */
    if (count == 0 || strcmp(states[0].data_hash, present) != 0)
        memcpy(items[known->count++].data_hash, present, HASH_HEX_BYTES);
    for (size_t i = 0; i < count; i++)
        memcpy(items[known->count++].data_hash, states[i].data_hash, HASH_HEX_BYTES);
    free(states);
    return ERR_OK;
}

enum err_code known_states_load(struct store *store, const struct feature_set *set, struct known_states *out,
                                struct err *err)
{
    *out = (struct known_states){.store = store, .set = set};
    return read_states(out, FIRST_STATES, err);
}

const struct known_state *known_states_at(struct known_states *states, size_t index)
{
    if (index >= states->count && !states->is_whole &&
        read_states(states, CHANGE_STATES_KEPT, NULL) != ERR_OK)
        return NULL;
    if (index >= states->count)
        return NULL;
    struct known_state *state = &states->items[index];
    if (state->key[0] == '\0')
        matrix_key(state->data_hash, states->set, state->key);
    return state;
}

void known_states_release(struct known_states *states)
{
    free(states->items);
    *states = (struct known_states){0};
}

enum err_code known_states_changed_us(struct store *store, const char *data_hash, int64_t *out,
                                      struct err *err)
{
    struct league_change *changes = NULL;
    size_t count = 0;
    int64_t first_day = INT64_MAX;
    enum err_code code = change_store_since(store->db, data_hash, &changes, &count, err);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        first_day = changes[i].from_day < first_day ? changes[i].from_day : first_day;
    free(changes);
    if (code == ERR_OK)
        *out = first_day == INT64_MAX ? INT64_MAX : present_day_start_us(first_day);
    return code;
}

/* ---- files ---- */

static enum err_code state_path(struct store *store, const char *key, enum state_kind kind,
                                char out[FILE_PATH_BYTES], struct err *err)
{
    char name[HASH_HEX_BYTES + 16];
    (void)snprintf(name, sizeof(name), "%s%s", key, suffixes[kind]);
    return file_join(store->matrix, name, out, err);
}

enum err_code state_open(const struct state_place *place, const char *key, enum state_kind kind,
                         struct live_state **out, int64_t *out_at_us, struct err *err)
{
    char path[FILE_PATH_BYTES];
    enum err_code code = state_path(place->store, key, kind, path, err);
    if (code == ERR_OK && !file_exists(path))
        return err_set(err, ERR_NOT_FOUND, "no tracker state of the data is kept");
    if (code == ERR_OK)
        code = live_state_open(place->set, place->sizes, place->stream_count, key, path, out, out_at_us, err);
    if (code == ERR_CORRUPT && err != NULL)
        log_line(LOG_WARN, "present", "%s; it is made again", err->text);
    return code;
}

/* The state whose file this is; NULL when the store does not know it. */
static const struct known_state *state_of_path(struct known_states *states, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const struct known_state *state = NULL;
    for (size_t i = 0; (state = known_states_at(states, i)) != NULL; i++) {
        if (strncmp(state->key, name, HASH_HEX_BYTES - 1) == 0)
            break;
    }
    return state;
}

/* ERR_NOT_FOUND when the file does not serve. */
static enum err_code open_known(const struct state_place *place, const struct known_state *known,
                                enum state_kind kind, int64_t latest_us, struct live_state **out,
                                int64_t *out_at_us, struct err *err)
{
    int64_t changed_us = INT64_MAX;
    if (known == NULL)
        return err_set(err, ERR_NOT_FOUND, "the kept tracker state is of other data");
    enum err_code code = known_states_changed_us(place->store, known->data_hash, &changed_us, err);
    if (code == ERR_OK)
        code = state_open(place, known->key, kind, out, out_at_us, err);
    if (code != ERR_OK)
        return code;
    if (*out_at_us <= changed_us && *out_at_us <= latest_us)
        return ERR_OK;
    live_state_destroy(*out);
    *out = NULL;
    return err_set(err, ERR_NOT_FOUND, "the kept tracker state has seen what changed");
}

enum err_code state_find(const struct state_place *place, struct known_states *states, enum state_kind kind,
                         int64_t latest_us, struct live_state **out, int64_t *out_at_us, struct err *err)
{
    struct file_list list = {0};
    enum err_code code = file_list_open(place->store->matrix, suffixes[kind], &list, err);
    if (code != ERR_OK)
        return code;
    *out = NULL;
    for (size_t i = 0; i < list.count; i++) {
        struct live_state *state = NULL;
        struct err ignored = {0};
        int64_t at_us = 0;
        if (open_known(place, state_of_path(states, list.paths[i]), kind, latest_us, &state, &at_us,
                       &ignored) != ERR_OK)
            continue;
        if (*out == NULL || at_us > *out_at_us) {
            live_state_destroy(*out);
            *out = state;
            *out_at_us = at_us;
        } else {
            live_state_destroy(state);
        }
    }
    file_list_close(&list);
    return *out != NULL ? ERR_OK
                        : err_set(err, ERR_NOT_FOUND, "no tracker state from before the change is kept");
}

static void remove_others(struct store *store, enum state_kind kind, const char *path)
{
    struct file_list list = {0};
    if (file_list_open(store->matrix, suffixes[kind], &list, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        /* another process may be faster */
        if (strcmp(list.paths[i], path) != 0 && file_remove(list.paths[i], NULL) != ERR_OK)
            continue;
    }
    file_list_close(&list);
}

void state_keep(struct store *store, const char *key, enum state_kind kind, const struct live_state *state,
                int64_t at_us)
{
    char path[FILE_PATH_BYTES];
    struct err err = {0};
    if (state_path(store, key, kind, path, &err) != ERR_OK ||
        live_state_save(state, key, at_us, path, &err) != ERR_OK) {
        log_line(LOG_WARN, "present", "tracker state was not kept: %s", err.text);
        return;
    }
    remove_others(store, kind, path);
}
