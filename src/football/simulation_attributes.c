/* Attributes of simulated clubs: money follows true strength with noise, as in real leagues; minutes of the young and
 * ages say little about it; weak clubs change their manager oftener. Every amount is a whole number of thousands, every
 * share a hundredth, so that a file holds exactly what was drawn. */
#include "football/league.h"
#include "football/simulation_private.h"

#include <assert.h>

#define WAGES_MEAN   40000.0 /* thousands, of a club of strength 0 */
#define WAGES_SLOPE  1.6     /* of the logarithm, per unit of strength */
#define WAGES_NOISE  0.35
#define VALUE_RATIO  2.2 /* squad value over wages */
#define SPEND_RATIO  0.5
#define INCOME_RATIO 0.4

static double clip(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

/* About `mean`, log-normal. */
static long long money(struct random *random, double mean, double noise)
{
    return (long long)(mean * simulation_exp(noise * random_normal(random)) + 0.5) * 1000;
}

static void write_share(struct buffer *out, double value)
{
    int hundredths = (int)(100 * clip(value, 0, 1) + 0.5);
    buffer_printf(out, ",%d.%02d", hundredths / 100, hundredths % 100);
}

/* "country,team,2020-21,2020-08-01" */
static void write_key(const char *country, const char *team, int year, const char *known_from, int known_year,
                      struct buffer *out)
{
    buffer_printf(out, "%s,%s,%d-%02d,%d-%s", country, team, year, (year + 1) % 100, known_year, known_from);
}

void simulation_write_attributes_header(struct buffer *out)
{
    buffer_append_text(out, "country,team,season,known_from,wages,transfer_spend,transfer_income,squad_value,"
                            "squad_size,average_age,u21_minutes,academy_minutes,manager_changes\n");
}

static void write_club(const struct simulation *simulation, const char *country, int club, int year,
                       struct buffer *out)
{
    struct simulated_club state = simulation_club_state(simulation, club);
    struct random *random = &state.random;
    double wages = WAGES_MEAN * simulation_exp(WAGES_SLOPE * state.strength);
    write_key(country, simulation_club(simulation, club), year, "08-01", year, out);
    buffer_printf(out, ",%lld", money(random, wages, WAGES_NOISE));
    buffer_printf(out, ",%lld", money(random, SPEND_RATIO * wages, 2 * WAGES_NOISE));
    buffer_printf(out, ",%lld", money(random, INCOME_RATIO * wages, 2 * WAGES_NOISE));
    buffer_printf(out, ",%lld", money(random, VALUE_RATIO * wages, WAGES_NOISE));
    buffer_printf(out, ",%d", 22 + (int)random_below(random, 12));
    int age = (int)(10 * clip(25.8 + 1.1 * random_normal(random), 20, 32));
    buffer_printf(out, ",%d.%d", age / 10, age % 10);
    double young = clip(0.12 + 0.08 * random_normal(random), 0, 0.8);
    write_share(out, young);
    write_share(out, 0.6 * young + 0.06 * random_uniform(random));
    buffer_append_text(out, ",0\n");
    int changes = random_poisson(random, clip(0.5 - 0.4 * state.strength, 0.1, 2));
    write_key(country, simulation_club(simulation, club), year, "01-15", year + 1, out);
    buffer_printf(out, ",,,,,,,,,%d\n", changes);
}

void simulation_write_attributes(const struct simulation *simulation, const struct simulated_season *season,
                                 struct buffer *out)
{
    int index = league_find(text_of(season->league));
    bool is_seen[SIMULATION_CLUBS_MAX] = {false};
    assert(index >= 0);
    for (size_t i = 0; i < season->count; i++) {
        int club = season->matches[i].club[SIDE_HOME]; /* everybody is at home some time */
        assert(club >= 0 && club < SIMULATION_CLUBS_MAX);
        if (!is_seen[club])
            write_club(simulation, league_at((size_t)index)->country, club, season->year, out);
        is_seen[club] = true;
    }
}
