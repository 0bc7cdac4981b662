/* Reference: one pass per stream. Outcomes are learned in event order as soon as they are known by the start
 * of the match at hand; in a history by day that is "all earlier days". */
#include "football/reference.h"

#include <assert.h>
#include <stdlib.h>

static const struct reference_rating ratings[REFERENCE_COUNT] = {
    {"pi_035_07", "pi-ratings, lambda .035, gamma .7", REFERENCE_PI, .pi = {0.035, 0.7}},
    {"pi_06_06", "pi-ratings, lambda .06, gamma .6", REFERENCE_PI, .pi = {0.06, 0.6}},
    {"elo_k20_world", "Elo K=20, home advantage 60, World Football margin", REFERENCE_ELO,
     .elo = {20, 60, ELO_MARGIN_WORLD}},
    {"elo_k12_sqrt", "Elo K=12, home advantage 60, square root of goal difference", REFERENCE_ELO,
     .elo = {12, 60, ELO_MARGIN_SQUARE_ROOT}},
    {"elo_k20_plain", "Elo K=20, home advantage 60", REFERENCE_ELO, .elo = {20, 60, ELO_MARGIN_NONE}},
};

union team_rating {
    double elo;
    struct pi_rating pi;
};

const struct reference_rating *reference_at(size_t index)
{
    assert(index < REFERENCE_COUNT);
    return &ratings[index];
}

static void learn(const struct reference_rating *rating, union team_rating *team,
                  const struct fixture *fixture, const struct outcome *outcome)
{
    union team_rating *home = &team[fixture->home], *away = &team[fixture->away];
    int goals_home = outcome->goals[SIDE_HOME], goals_away = outcome->goals[SIDE_AWAY];
    if (rating->kind == REFERENCE_ELO)
        elo_update(&rating->elo, &home->elo, &away->elo, goals_home, goals_away, fixture->is_neutral);
    else
        pi_update(&rating->pi, &home->pi, &away->pi, goals_home, goals_away);
}

static double difference(const struct reference_rating *rating, const union team_rating *home,
                         const union team_rating *away)
{
    return rating->kind == REFERENCE_ELO ? home->elo - away->elo
                                         : pi_expected_goal_difference(&home->pi, &away->pi);
}

static void run_stream(const struct reference_rating *rating, const struct stream *stream,
                       union team_rating *team, double *out)
{
    const struct fixture *fixtures = stream->fixtures;
    const struct outcome *outcomes = stream->outcomes;
    size_t next = 0;
    for (size_t i = 0; i < stream->count; i++) {
        for (; next < i &&
               (stream->known_us[next] <= stream->start_us[i] || stream->known_us[next] == INT64_MAX);
             next++) {
            if (stream->known_us[next] != INT64_MAX)
                learn(rating, team, &fixtures[next], &outcomes[next]);
        }
        out[stream->row[i]] = difference(rating, &team[fixtures[i].home], &team[fixtures[i].away]);
    }
}

enum err_code reference_differences(const struct history *history, const struct reference_rating *rating,
                                    double *out, struct err *err)
{
    for (size_t s = 0; s < history_stream_count(history); s++) {
        const struct stream *stream = &history_streams(history)[s];
        union team_rating *team = calloc(stream->size.entities + 1, sizeof(*team));
        if (!team)
            return err_nomem(err, stream->size.entities * sizeof(*team));
        for (size_t i = 0; rating->kind == REFERENCE_ELO && i < stream->size.entities; i++)
            team[i].elo = ELO_START;
        run_stream(rating, stream, team, out);
        free(team);
    }
    return ERR_OK;
}
