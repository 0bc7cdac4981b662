/* Calendar of a season: who meets whom in which round, and when.
 *
 * A season runs over the Saturdays from early August to late May, without four of them that belong to national teams.
 * About one round in twelve, or as many as the Saturdays do not hold, is played on a Tuesday and Wednesday between two
 * of them. Around such a week nobody plays on Sunday or Monday before or on Friday after it, so that three days lie
 * between two matches of a team. The last round of a top division begins everywhere at once. */
#include "football/simulation_private.h"

#include "base/time.h"

#include <assert.h>

enum { WEEKS_MAX = 48, SATURDAY = 5, CLOCK_1500 = 15 * 60, CLOCK_1600 = 16 * 60 };

/* The circle method: one team stays, the others go round; who is at home alternates (de Werra 1981), the second half
 * of the season is the first with the grounds exchanged. */
void simulation_pair(size_t teams, struct simulated_pairing *out)
{
    int n = (int)teams, rounds = n - 1, half = n / 2;
    assert(n >= 2 && n % 2 == 0);
    for (int round = 0; round < rounds; round++) {
        for (int k = 0; k < half; k++) {
            int first = k == 0 ? n - 1 : (round + k) % (n - 1);
            int second = k == 0 ? round : (round - k + n - 1) % (n - 1);
            bool is_first_home = k == 0 ? round % 2 == 0 : k % 2 == 1;
            struct simulated_pairing pairing = {is_first_home ? first : second,
                                                is_first_home ? second : first};
            out[round * half + k] = pairing;
            out[(rounds + round) * half + k] = (struct simulated_pairing){pairing.away, pairing.home};
        }
    }
}

/* The first Saturday on or after that day. */
static int64_t saturday_from(int year, int month, int day)
{
    int64_t date = time_day_from_civil(year, month, day);
    return date + (SATURDAY + 7 - time_weekday(date)) % 7;
}

/* The Saturdays on which clubs play. As the real one, the season of 2020 begins in September: its August belongs to the
 * season before. */
static size_t find_saturdays(int year, int64_t out[WEEKS_MAX])
{
    int64_t first = year == 2020 ? saturday_from(year, 9, 12) : saturday_from(year, 8, 8);
    int64_t last = saturday_from(year + 1, 5, 19);
    int64_t breaks[] = {saturday_from(year, 9, 3), saturday_from(year, 10, 8), saturday_from(year, 11, 12),
                        saturday_from(year + 1, 3, 23)};
    size_t count = 0;
    for (int64_t day = first; day <= last; day += 7) {
        bool is_break = false;
        for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++)
            is_break |= day == breaks[i];
        if (!is_break) {
            assert(count < WEEKS_MAX);
            out[count++] = day;
        }
    }
    return count;
}

/* When the matches of a round may begin, in days from its Saturday; the first ones are taken first. */
struct pattern {
    int day, minutes;
};
static const struct pattern top_weekend[] = {
    {0, CLOCK_1500},   {1, 14 * 60},      {0, 17 * 60 + 30}, {0, CLOCK_1500},
    {0, 12 * 60 + 30}, {1, 16 * 60 + 30}, {2, 20 * 60},      {0, CLOCK_1500},
    {-1, 20 * 60},     {1, 14 * 60},      {0, CLOCK_1500},   {0, CLOCK_1500},
};
static const struct pattern lower_weekend[] = {
    {0, CLOCK_1500}, {0, CLOCK_1500}, {0, 12 * 60 + 30}, {0, CLOCK_1500}, {0, CLOCK_1500}, {0, CLOCK_1500},
    {0, CLOCK_1500}, {0, CLOCK_1500}, {1, CLOCK_1500},   {-1, 20 * 60},   {0, CLOCK_1500}, {0, 17 * 60 + 30},
};
static const struct pattern midweek[] = {
    {3, 19 * 60 + 45}, {4, 19 * 60 + 45}, {3, 19 * 60 + 45}, {4, 20 * 60},
    {3, 20 * 60},      {4, 19 * 60 + 45}, {3, 19 * 60 + 45}, {3, 19 * 60 + 45},
    {4, 20 * 60 + 15}, {3, 19 * 60 + 45}, {3, 19 * 60 + 45}, {4, 19 * 60 + 45},
};

static void insert_kickoff(struct simulated_kickoff *kickoffs, size_t count, struct simulated_kickoff new)
{
    size_t place = count;
    for (; place > 0; place--) {
        struct simulated_kickoff before = kickoffs[place - 1];
        if (before.day < new.day || (before.day == new.day &&before.minutes <= new.minutes))
            break;
        kickoffs[place] = before;
    }
    kickoffs[place] = new;
}

static void fill_round(int64_t saturday, const struct pattern *patterns, size_t matches, bool has_friday,
                       bool has_sunday, struct simulated_round *out)
{
    for (size_t i = 0; i < matches; i++) {
        struct pattern pattern = patterns[i];
        if ((pattern.day < 0 && !has_friday) || (pattern.day > 0 && !has_sunday && patterns != midweek))
            pattern = (struct pattern){0, CLOCK_1500};
        insert_kickoff(out->kickoffs, i, (struct simulated_kickoff){saturday + pattern.day, pattern.minutes});
    }
}

static void fill_last_round(int64_t saturday, size_t matches, int tier, struct simulated_round *out)
{
    for (size_t i = 0; i < matches; i++)
        out->kickoffs[i] = tier == 1 ? (struct simulated_kickoff){saturday + 1, CLOCK_1600}
                                     : (struct simulated_kickoff){saturday, CLOCK_1500};
}

void simulation_calendar(int year, size_t teams, int tier, struct simulated_round out[SIMULATION_ROUNDS_MAX])
{
    int64_t saturdays[WEEKS_MAX];
    size_t available = find_saturdays(year, saturdays), rounds = 2 * (teams - 1), matches = teams / 2;
    size_t in_week = rounds > available ? rounds - available : 0, done = 0, round = 0;
    const struct pattern *weekend = tier == 1 ? top_weekend : lower_weekend;
    if (in_week < rounds / 12)
        in_week = rounds / 12;
    size_t weekends = rounds - in_week;
    assert(weekends >= 2 && weekends <= available && in_week < weekends);
    bool was_in_week = false;
    for (size_t i = 0; i < weekends; i++) {
        int64_t saturday = saturdays[i * (available - 1) / (weekends - 1)];
        bool is_in_week = done < in_week && i + 1 == (done + 1) * weekends / (in_week + 1);
        if (i + 1 == weekends)
            fill_last_round(saturday, matches, tier, &out[round++]);
        else
            fill_round(saturday, weekend, matches, !was_in_week, !is_in_week, &out[round++]);
        if (is_in_week) {
            fill_round(saturday, midweek, matches, false, false, &out[round++]);
            done++;
        }
        was_in_week = is_in_week;
    }
    assert(round == rounds && done == in_week);
}
