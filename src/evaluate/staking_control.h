/* The random-pick control, private to staking. */
#ifndef ALMANAC_EVALUATE_STAKING_CONTROL_H
#define ALMANAC_EVALUATE_STAKING_CONTROL_H

#include "evaluate/staking.h"
#include <stdbool.h>

bool staking_is_quoted(double odds);
/* Fills result->control from result->bets. */
enum err_code staking_control_run(const struct staking_input *input, size_t replicates, uint64_t seed,
                                  struct staking_result *result, struct err *err) CHECKED;

#endif
