/* History: teams. The dense ids are teams.c's, so that a history, a checkpoint of tracker states and the
 * server agree on them. Here they stand in a small hash table by store id, as loading looks up two teams per
 * match. */
#include "football/history_private.h"

#include <assert.h>
#include <stdlib.h>

static size_t slot_of_id(const struct team_map *map, int64_t id)
{
    return (size_t)(((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & map->mask;
}

struct team_slot *history_team_slot(const struct team_map *map, int64_t id)
{
    size_t i = slot_of_id(map, id);
    while (map->slots[i].stream >= 0 && map->slots[i].id != id)
        i = (i + 1) & map->mask;
    return &map->slots[i];
}

static enum err_code team_map_create(struct team_map *map, size_t count, struct err *err)
{
    size_t slots = 16;
    while (slots < 2 * count)
        slots *= 2;
    map->slots = malloc(slots * sizeof(*map->slots));
    if (!map->slots)
        return err_nomem(err, slots * sizeof(*map->slots));
    map->mask = slots - 1;
    for (size_t i = 0; i < slots; i++)
        map->slots[i].stream = -1;
    return ERR_OK;
}

enum err_code history_load_teams(struct loading *loading, const struct frame *frame, struct err *err)
{
    struct team_columns columns;
    enum err_code code = team_columns_find(frame, &columns, err);
    if (code == ERR_OK)
        code = teams_create(frame, &loading->history->teams, err);
    if (code == ERR_OK)
        code = team_map_create(&loading->map, frame_rows(frame), err);
    if (code != ERR_OK)
        return code;
    for (size_t row = 0; row < frame_rows(frame); row++) {
        size_t stream = 0;
        int32_t team = teams_dense(loading->history->teams, columns.id[row], &stream);
        assert(team != TEAMS_NONE);
        *history_team_slot(&loading->map, columns.id[row]) =
            (struct team_slot){columns.id[row], (int32_t)stream, team};
    }
    return ERR_OK;
}

int32_t history_team_find(const struct history *history, size_t stream, struct text name)
{
    return teams_find(history->teams, stream, name);
}

const char *history_team_name(const struct history *history, size_t stream, int32_t team)
{
    return teams_name(history->teams, stream, team);
}
