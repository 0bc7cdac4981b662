/* Who changes the registry from a terminal: "cli:<user>" in histories. */
#ifndef ALMANAC_CLI_MODELS_WHO_H
#define ALMANAC_CLI_MODELS_WHO_H

#include "store/job_store.h"

void models_who(char out[JOB_WHO_BYTES]);

#endif
