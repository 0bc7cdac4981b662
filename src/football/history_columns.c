/* Frame columns by name, with their types checked once, so that the loops over a quarter of a million rows
 * read plain arrays. */
#include "football/history_columns.h"

#include <stdio.h>

enum { COLUMN_NAME_BYTES = 64 };

static const char *const price_names[PRICE_COLUMNS] = {"price_1", "price_2", "price_3"};
static const char *const side_names[SIDE_COUNT] = {"home", "away"};
static const char *const stat_names[STAT_COUNT] = {
    [STAT_SHOTS] = "shots",     [STAT_SHOTS_ON_TARGET] = "shots_on_target",
    [STAT_CORNERS] = "corners", [STAT_FOULS] = "fouls",
    [STAT_YELLOWS] = "yellows", [STAT_REDS] = "reds",
};

static enum err_code find(const struct frame *frame, const char *table, const char *name,
                          enum frame_type type, size_t *out, struct err *err)
{
    int column = frame_find(frame, name);
    if (column < 0)
        return err_set(err, ERR_INVALID, "the frame of %s has no column '%s'", table, name);
    if (frame_column_type(frame, (size_t)column) != type)
        return err_set(err, ERR_INVALID, "column '%s' of the frame of %s has another type", name, table);
    *out = (size_t)column;
    return ERR_OK;
}

static enum err_code find_i64(const struct frame *frame, const char *table, const char *name,
                              enum frame_type type, const int64_t **out, struct err *err)
{
    size_t column;
    enum err_code code = find(frame, table, name, type, &column, err);
    if (code == ERR_OK)
        *out = frame_i64(frame, column);
    return code;
}

static enum err_code find_i32(const struct frame *frame, const char *table, const char *name,
                              enum frame_type type, const int32_t **out, struct err *err)
{
    size_t column;
    enum err_code code = find(frame, table, name, type, &column, err);
    if (code == ERR_OK)
        *out = frame_i32(frame, column);
    return code;
}

enum err_code team_columns_find(const struct frame *frame, struct team_columns *out, struct err *err)
{
    out->frame = frame;
    enum err_code code = find_i64(frame, "teams", "id", FRAME_I64, &out->id, err);
    if (code == ERR_OK)
        code = find(frame, "teams", "country", FRAME_TEXT, &out->country, err);
    if (code == ERR_OK)
        code = find(frame, "teams", "name", FRAME_TEXT, &out->name, err);
    return code;
}

/* home_<name> and away_<name>; "goals", "half" or a statistic. */
static enum err_code find_sides(const struct frame *frame, const char *name, size_t out[SIDE_COUNT],
                                struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t side = 0; code == ERR_OK && side < SIDE_COUNT; side++) {
        char column[COLUMN_NAME_BYTES];
        snprintf(column, sizeof(column), "%s_%s", side_names[side], name);
        code = find(frame, "matches", column, FRAME_I32, &out[side], err);
    }
    return code;
}

static enum err_code find_results(const struct frame *frame, struct match_columns *out, struct err *err)
{
    enum err_code code = find_sides(frame, "goals", out->goals, err);
    if (code == ERR_OK)
        code = find_sides(frame, "half", out->half_goals, err);
    if (code == ERR_OK)
        code = find_sides(frame, "xg_milli", out->xg_milli, err);
    for (size_t stat = 0; code == ERR_OK && stat < STAT_COUNT; stat++)
        code = find_sides(frame, stat_names[stat], out->stats[stat], err);
    return code;
}

enum err_code match_columns_find(const struct frame *frame, struct match_columns *out, struct err *err)
{
    const struct {
        const char *name;
        enum frame_type type;
        const int64_t **values;
    } longs[] = {
        {"id", FRAME_I64, &out->id},
        {"day", FRAME_I64, &out->day},
        {"kickoff", FRAME_TIME, &out->kickoff_us},
        {"home", FRAME_I64, &out->home},
        {"away", FRAME_I64, &out->away},
    };
    const struct {
        const char *name;
        const int32_t **values;
    } shorts[] = {
        {"time_known", &out->time_known},
        {"is_neutral", &out->is_neutral},
        {"state", &out->state},
        {"season", &out->season},
    };
    out->frame = frame;
    enum err_code code = find(frame, "matches", "league", FRAME_TEXT, &out->league_column, err);
    for (size_t i = 0; code == ERR_OK && i < sizeof(longs) / sizeof(longs[0]); i++)
        code = find_i64(frame, "matches", longs[i].name, longs[i].type, longs[i].values, err);
    for (size_t i = 0; code == ERR_OK && i < sizeof(shorts) / sizeof(shorts[0]); i++)
        code = find_i32(frame, "matches", shorts[i].name, FRAME_I32, shorts[i].values, err);
    if (code == ERR_OK)
        code = find_results(frame, out, err);
    if (code == ERR_OK)
        out->league = frame_i32(frame, out->league_column);
    return code;
}

enum err_code price_columns_find(const struct frame *frame, struct price_columns *out, struct err *err)
{
    out->frame = frame;
    enum err_code code = find_i64(frame, "prices", "match", FRAME_I64, &out->match, err);
    if (code == ERR_OK)
        code = find(frame, "prices", "market", FRAME_TEXT, &out->market_column, err);
    if (code == ERR_OK)
        code = find(frame, "prices", "bookmaker", FRAME_TEXT, &out->bookmaker_column, err);
    if (code == ERR_OK)
        code = find(frame, "prices", "label", FRAME_TEXT, &out->label_column, err);
    for (size_t i = 0; code == ERR_OK && i < PRICE_COLUMNS; i++) {
        size_t column;
        code = find(frame, "prices", price_names[i], FRAME_F64, &column, err);
        if (code == ERR_OK)
            out->price[i] = frame_f64(frame, column);
    }
    if (code != ERR_OK)
        return code;
    out->market = frame_i32(frame, out->market_column);
    out->bookmaker = frame_i32(frame, out->bookmaker_column);
    out->label = frame_i32(frame, out->label_column);
    return ERR_OK;
}
