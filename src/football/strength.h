/* Strength: attack and defence of every team, home advantage and scoring level of every league, followed match by
 * match. Shared by the trackers that expect goals from them (dixon_coles.c, xg.c).
 *
 * Model (Dixon & Coles 1997, eq. 4.3, on the log scale): of a match between i (home) and j in a league with level c
 * and advantage h
 *
 *   log lambda = c + h/2 + attack_i - defence_j        log mu = c - h/2 + attack_j - defence_i
 *
 * (h = 0 on neutral ground). Dixon & Coles maximise a likelihood in which a match t days ago weighs exp(-xi t). Here
 * that maximum is followed online, as in score-driven models (Koopman & Lit 2019): each result moves each value by one
 * Newton step, its score (derivative of the log-likelihood by log lambda or log mu) over its information, and the
 * information itself fades by exp(-xi t). With Fisher's information of a Poisson mean, lambda:
 *
 *   fading over t days    w = exp(-xi t), I' = w I, v' = m + (v - m) w (P + I)/(P + I')
 *   learning              I'' = I' + lambda, v'' = v' + score/(P + I'')
 *
 * v is an attack or a defence (whose scores are negated), I its information from matches, P the information of the
 * prior and m the prior's mean: a share of what the teams of the league have on average (`anchor` keeps the common
 * level, which no result tells, from wandering). The fading rule is what is left of the maximum of prior and data when
 * the data lose weight. Teams start at their league's average. Level and advantage learn by the same step without a
 * prior to return to; the averages are exponential ones.
 *
 * Invariant: every value stays within its limit below, so lambda and mu are within [STRENGTH_GOALS_LOW,
 * STRENGTH_GOALS_HIGH]. Plain old data, zeroed at first, then *_init. One thread while a result is learned. */
#ifndef ALMANAC_FOOTBALL_STRENGTH_H
#define ALMANAC_FOOTBALL_STRENGTH_H

#include "football/match.h"

#include <stdint.h>

#define STRENGTH_LIMIT           3.0 /* of attack, defence and their league averages */
#define STRENGTH_LEVEL_LIMIT     1.5
#define STRENGTH_ADVANTAGE_LIMIT 1.0
#define STRENGTH_GOALS_LOW       0.05
#define STRENGTH_GOALS_HIGH      5.0

/* What is left of information after so many days. A table, as an exponential is the dearest thing about a step. */
enum { STRENGTH_FADE_DAYS = 32 }; /* nearly all breaks but summer */
struct strength_fades {
    double team[STRENGTH_FADE_DAYS], league[STRENGTH_FADE_DAYS];
};

struct strength_team {
    double attack, defence;
    double attack_information, defence_information; /* goals' worth, faded to `day` */
    int64_t day;                                    /* of the last match learned */
    uint64_t matches;                               /* learned; 0: the other members mean nothing yet */
};

struct strength_league {
    double level, advantage;
    double level_information, advantage_information;
    double mean_attack, mean_defence;
    int64_t day;
    uint64_t matches;
};

void strength_fades_init(struct strength_fades *fades);
/* Of a league's information, and of whatever fades as slowly; days >= 0. */
double strength_league_fade(const struct strength_fades *fades, int64_t days);
/* Level and advantage of a league before its first match. */
void strength_league_init(struct strength_league *league);
/* The team, or what it is taken for before its first match: an average team of the league. */
struct strength_team strength_of(const struct strength_team *team, const struct strength_league *league);
/* lambda and mu, [side]; attack minus defence counts `spread` times. */
void strength_expect(const struct strength_team *home, const struct strength_team *away,
                     const struct strength_league *league, bool is_neutral, double spread,
                     double expected[SIDE_COUNT]);
/* Fades both teams and the league to the day of the match: before strength_expect and strength_step of a result. */
void strength_fade(struct strength_team *home, struct strength_team *away, struct strength_league *league,
                   const struct strength_fades *fades, int64_t day);
/* One Newton step: score[side], derivative of the log-likelihood by log expected[side]. */
void strength_step(struct strength_team *home, struct strength_team *away, struct strength_league *league,
                   bool is_neutral, const double expected[SIDE_COUNT], const double score[SIDE_COUNT]);

#endif
