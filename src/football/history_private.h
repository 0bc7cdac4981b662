/* History, private: what its parts share while it is made. history.c orders the matches and derives the
 * streams, history_teams.c knows the teams, history_prices.c puts prices in place, history_columns.c finds
 * the frames' columns. */
#ifndef ALMANAC_FOOTBALL_HISTORY_PRIVATE_H
#define ALMANAC_FOOTBALL_HISTORY_PRIVATE_H

#include "football/attributes.h"
#include "football/history.h"
#include "football/history_columns.h"
#include "football/teams.h"

#define EVENT_NONE UINT32_MAX

/* A team id of the store. */
struct team_slot {
    int64_t id;
    int32_t stream, team; /* stream -1: empty */
};
struct team_map { /* open addressing; slots is a power of two, at most half full */
    struct team_slot *slots;
    size_t mask;
};

/* A kept match while the order is being made. */
struct entry {
    int64_t start_us, id;
    int32_t stream;
    uint32_t match; /* row of the matches frame */
};

struct history {
    struct history_options options;
    size_t stream_count, rows;
    struct stream *streams;
    struct teams *teams;
    struct matrix_row *info;  /* [rows], in row order */
    uint32_t *event_of_row;   /* [rows] */
    struct fixture *fixtures; /* [rows] each from here on: in event order, stream after stream */
    struct outcome *outcomes;
    struct prices *closes; /* NULL unless options.with_close */
    int64_t *start_us, *known_us;
    uint32_t *row_of_event;
};

/* What only history_create needs. */
struct loading {
    struct history *history;
    struct match_columns matches;
    struct price_columns prices;
    struct attributes *attributes;
    struct team_map map;
    int32_t *league_of_code; /* by dictionary code of the league column; -1 unknown */
    int *stream_of_league;
    struct entry *entries;    /* [history->rows] */
    uint32_t *event_of_match; /* [rows of the matches frame]; EVENT_NONE when not kept */
    int64_t cached_day, cached_start_us;
    struct outcome unknown; /* outcome_unknown() and prices_unknown(), copied to every event */
    struct prices unknown_prices;
};

/* history_teams.c */
enum err_code history_load_teams(struct loading *loading, const struct frame *frame, struct err *err) CHECKED;
/* The slot of a team id; stream -1 when there is none. */
struct team_slot *history_team_slot(const struct team_map *map, int64_t id);
/* history_prices.c */
enum err_code history_load_prices(struct loading *loading, struct err *err) CHECKED;

#endif
