/* Value bets over HTTP: what the newest scan has found, and its news. Loop thread. */
#ifndef ALMANAC_API_VALUE_BETS_H
#define ALMANAC_API_VALUE_BETS_H

#include "store/job_store.h"

struct api;
/* A scan that has succeeded is told to those who follow the topic "value_bets". */
void api_value_bets_job_changed(const struct api *api, const struct job_row *job);

#endif
