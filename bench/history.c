/* Bench: reading a history, in one transaction. */
#include "history.h"

#include "football/bookmaker.h"
#include "store/fixture_store.h"
#include "store/football_store.h"

enum err_code bench_history(struct store *store, int64_t from_day, struct history **out, struct err *err)
{
    struct football_frames frames = {0};
    struct frame *teams = NULL;
    enum err_code code = db_execute(store->db, "BEGIN", err);
    if (code != ERR_OK)
        return code;
    code = football_store_load_teams(store->db, &teams, err);
    if (code == ERR_OK)
        code = football_store_load_since(store->db, bookmaker_names(), from_day, &frames, err);
    db_rollback(store->db);
    if (code == ERR_OK)
        code = history_create(teams, frames.matches, frames.prices, frames.attributes,
                              (struct history_options){0}, out, err);
    football_frames_release(&frames);
    frame_destroy(teams);
    return code;
}
