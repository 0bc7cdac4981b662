/* Fuzzes the readers of fetched answers: any bytes give rows or one error that says why, and what the header comments promise
 * holds: sets belong to their events, are complete, of the two markets, and no bookmaker stands twice; tables add up. */
#include "source/odds_api.h"
#include "limits.h"
#include "source/football_data_org.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_set(const struct odds_api_set *set)
{
    bool is_totals = strcmp(set->market, "ou25") == 0;
    require(is_totals || strcmp(set->market, "1x2") == 0);
    require(set->bookmaker[0] != '\0' && isnan(set->prices[2]) == is_totals);
    for (int index = 0; index < (is_totals ? 2 : 3); index++)
        require(set->prices[index] > 1 && set->prices[index] < LIMIT_ODDS);
}

static void check_odds(const struct odds_api_answer *answer)
{
    size_t end = 0;
    for (size_t i = 0; i < answer->event_count; i++) {
        const struct odds_api_event *event = &answer->events[i];
        require(event->first == end && event->end >= event->first && event->home[0] != '\0');
        end = event->end;
        for (size_t a = event->first; a < event->end; a++) {
            check_set(&answer->sets[a]);
            for (size_t b = a + 1; b < event->end; b++)
                require(strcmp(answer->sets[a].bookmaker, answer->sets[b].bookmaker) != 0 ||
                        strcmp(answer->sets[a].market, answer->sets[b].market) != 0);
        }
    }
    require(end == answer->set_count);
}

static void check_org(const char *text, size_t size_bytes)
{
    struct org_matches matches;
    struct org_standings standings;
    struct err err = {0};
    enum err_code code = org_matches_read(text, size_bytes, &matches, &err);
    require(code == ERR_OK || (matches.items == NULL && err.text[0] != '\0'));
    for (size_t i = 0; code == ERR_OK && i < matches.count; i++)
        require(matches.items[i].home.name[0] != '\0' && matches.items[i].away.name[0] != '\0');
    org_matches_release(&matches);
    err = (struct err){0};
    code = org_standings_read(text, size_bytes, &standings, &err);
    require(code == ERR_OK || (standings.items == NULL && err.text[0] != '\0'));
    for (size_t i = 0; code == ERR_OK && i < standings.count; i++)
        require(standings.items[i].played ==
                standings.items[i].won + standings.items[i].drawn + standings.items[i].lost);
    org_standings_release(&standings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    const char *text = (const char *)data;
    struct odds_api_answer answer;
    struct err err = {0};
    if (odds_api_read(text, size_bytes, &answer, &err) == ERR_OK)
        check_odds(&answer);
    else
        require(answer.events == NULL && answer.sets == NULL && err.text[0] != '\0');
    odds_api_release(&answer);
    check_org(text, size_bytes);
    return 0;
}
