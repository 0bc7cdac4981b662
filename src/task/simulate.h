/* Simulate: writes an invented football past as files of football-data's main layout, and beside them what is never
 * known of a real one: the true probabilities of every match.
 *
 *   DIR/england/PremierLeague_2015-2016.csv ...   one file per division and season
 *   DIR/true_probabilities.csv                    league, date, home, away, p_home, p_draw, p_away, p_over25
 *   DIR/team_attributes.csv                       on request: wages and so on of every club and season, for
 *                                                 `almanac import attributes`
 *
 * The same options give the same bytes, whatever the number of threads. */
#ifndef ALMANAC_TASK_SIMULATE_H
#define ALMANAC_TASK_SIMULATE_H

#include "base/err.h"
#include "base/option.h"
#include "job/report.h"
#include "os/file.h"
#include "os/thread.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIMULATE_TRUTH_FILE      "true_probabilities.csv"
#define SIMULATE_ATTRIBUTES_FILE "team_attributes.csv"

struct simulate_options {
    int64_t leagues, seasons, seed, end_year;
    char out[FILE_PATH_BYTES];
    bool attributes;     /* also write team_attributes.csv */
    int shift;           /* enum simulation_shift */
    int64_t shift_at_us; /* TIME_NONE: no shift */
};
extern const struct option_table simulate_option_table;

struct simulate_result {
    size_t files, matches;
    uint64_t size_bytes; /* of all files, the truth's included */
};

/* ERR_INVALID for options out of range or without a folder. ERR_CONFLICT, and nothing written, when the folder holds
 * CSV files that are none of this simulation's: mixed with them it would be no simulation any more. The side file is
 * written last: where it stands, the others are whole. ERR_CANCELLED: the reporter said stop. */
enum err_code simulate_football(struct pool *pool, const struct simulate_options *options,
                                const struct reporter *reporter, struct simulate_result *out,
                                struct err *err) CHECKED;

#endif
