/* Bookmakers by name; the list is bookmaker_list.h. */
#ifndef ALMANAC_FOOTBALL_BOOKMAKER_H
#define ALMANAC_FOOTBALL_BOOKMAKER_H

#include "football/match.h"

const char *bookmaker_name(enum bookmaker bookmaker);  /* as stored: "B365" */
const char *bookmaker_title(enum bookmaker bookmaker); /* "Bet365" */
int bookmaker_find(const char *name);                  /* -1 unknown */
const char *const *bookmaker_names(void);              /* all, NULL-terminated */

#endif
