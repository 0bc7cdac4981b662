/* Simulation: the football of one country, invented: the shipped sample, and the yardstick whose true probabilities
 * are known.
 *
 * A country is a pyramid of divisions (simulated_league_list.h) and some clubs below them. Strengths move slowly, the
 * bottom and top of neighbouring divisions change places every summer, matches are drawn from Dixon & Coles's model,
 * and bookmakers price them knowing the truth up to an error. The same seed gives the same matches on every machine:
 * no clock, no function of libm that may round differently. Countries have streams of random numbers of their own, so
 * they may be simulated in any order and side by side.
 * Threads: one per simulation. Memory: simulation_destroy. */
#ifndef ALMANAC_FOOTBALL_SIMULATION_H
#define ALMANAC_FOOTBALL_SIMULATION_H

#include "base/buffer.h"
#include "base/err.h"
#include "football/match.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIMULATION_LEAGUES_MAX = 22, SIMULATION_SEASONS_MAX = 100, SIMULATION_PATH_BYTES = 96 };

/* What may be planted: from a day on the world is another one than before, everywhere.
 *   goals     sides score 1.6 times as often
 *   home      the ground no longer helps the home side but the guest
 *   strength  who was strong in a division is as weak, and the other way round */
enum simulation_shift { SHIFT_NONE, SHIFT_GOALS, SHIFT_HOME, SHIFT_STRENGTH };
#define SIMULATION_SHIFT_CHOICES "none|goals|home|strength"

struct simulation_plan {
    int64_t leagues;  /* 1..SIMULATION_LEAGUES_MAX, in the order of simulated_league_list.h */
    int64_t seasons;  /* 1..SIMULATION_SEASONS_MAX */
    int64_t end_year; /* the year in whose May the last season ends: 1900..2200 */
    uint64_t seed;
    enum simulation_shift shift;
    int64_t
        shift_day; /* matches on this local date and later; matches before it are those of a plan without a shift */
};

enum simulated_bookmaker { SIMULATED_B365, SIMULATED_PS, SIMULATED_MAX, SIMULATED_AVG, SIMULATED_BOOKMAKERS };

/* Margins as declared: what the inverse prices of a market sum to, less 1. */
#define SIMULATED_MARGIN_B365 0.055
#define SIMULATED_MARGIN_PS   0.025

/* Decimal odds times 100, as they are printed. */
struct simulated_prices {
    int32_t home_draw_away[SIMULATED_BOOKMAKERS][3];
    int32_t under_over[SIMULATED_BOOKMAKERS][2];
};

struct simulated_match {
    int64_t day;                 /* local date, days since 1970 */
    int minutes;                 /* local time of the kick-off */
    int club[SIDE_COUNT];        /* for simulation_club */
    double expected[SIDE_COUNT]; /* lambda and mu of the model */
    int goals[SIDE_COUNT], half_goals[SIDE_COUNT];
    int stats[STAT_COUNT][SIDE_COUNT];
    struct simulated_prices pre_close, close;
    double p[3], p_over; /* the truth: home, draw, away; more than 2.5 goals */
};

struct simulated_season {
    const char *league; /* code: "E0" */
    const char *path;   /* "england/PremierLeague_2023-2024.csv" */
    int year;           /* in which it begins */
    size_t teams;
    const struct simulated_match *matches; /* by kick-off */
    size_t count;                          /* teams * (teams - 1) */
};

struct simulation;

/* ERR_INVALID when a number of the plan is out of range. */
enum err_code simulation_plan_check(const struct simulation_plan *plan, struct err *err) CHECKED;
/* Of a checked plan: its countries, and its divisions times seasons. */
size_t simulation_country_count(const struct simulation_plan *plan);
size_t simulation_season_count(const struct simulation_plan *plan);
/* The folder of a country, as in the real data ("england"); the file of season `index` of a checked plan, in it. */
const char *simulation_folder(size_t country);
void simulation_path(const struct simulation_plan *plan, size_t index, char out[SIMULATION_PATH_BYTES]);

enum err_code simulation_create(const struct simulation_plan *plan, size_t country, struct simulation **out,
                                struct err *err) CHECKED;
void simulation_destroy(struct simulation *simulation);
/* The next season of a division: year by year, in each year from the top down. False after the last. The result is
 * valid until the next call. */
bool simulation_next(struct simulation *simulation, struct simulated_season *out);
const char *simulation_club(const struct simulation *simulation, int club);

/* A whole file in football-data's main layout; failures stick in the buffer. */
void simulation_write_csv(const struct simulation *simulation, const struct simulated_season *season,
                          struct buffer *out);
/* Rows of the side file; its header stands in SIMULATION_TRUTH_HEADER. Probabilities have 8 decimals. */
#define SIMULATION_TRUTH_HEADER "league,date,home,away,p_home,p_draw,p_away,p_over25\n"
void simulation_write_truth(const struct simulation *simulation, const struct simulated_season *season,
                            struct buffer *out);

/* Rows of attributes of the clubs of a season's division (source/attributes_csv.h), plausible for their true strengths:
 * the stronger pay more. What the season begins with is known from its 1 August; changes of manager also from 15 January.
 * Draws from random numbers of its own: the matches are the same whether it is called or not. */
void simulation_write_attributes_header(struct buffer *out);
void simulation_write_attributes(const struct simulation *simulation, const struct simulated_season *season,
                                 struct buffer *out);

#endif
