/* Calendar family: what the date and the league alone say. No state. Dates are local dates of the source. */
#include "football/families.h"
#include "football/league.h"
#include "football/match.h"

#include "base/time.h"

#define PROGRESS_HIGH                                                                                        \
    1.25 /* the season 2019-20 ended late; more is an error of the season and counts as this */

enum {
    CALENDAR_MONTH,
    CALENDAR_WEEKDAY,
    CALENDAR_PROGRESS,
    CALENDAR_TIER,
    CALENDAR_NEUTRAL,
    CALENDAR_FEATURES
};

static const struct feature calendar_features[CALENDAR_FEATURES] = {
    [CALENDAR_MONTH] = {"calendar_month", "", 1, 12, FEATURE_BEFORE_START, "Month of the match."},
    [CALENDAR_WEEKDAY] = {"calendar_weekday", "", 0, 6, FEATURE_BEFORE_START,
                          "Day of the week, 0 Monday to 6 Sunday."},
    [CALENDAR_PROGRESS] =
        {"calendar_season_progress", "years", 0, PROGRESS_HIGH, FEATURE_BEFORE_START,
         "Time since 1 July of the season (1 January in calendar-year leagues), in years of 365 days."},
    [CALENDAR_TIER] = {"calendar_tier", "", 1, 9, FEATURE_BEFORE_START,
                       "Level of the league in its country, 1 highest."},
    [CALENDAR_NEUTRAL] = {"calendar_neutral", "", 0, 1, FEATURE_BEFORE_START,
                          "1 when the ground is neutral."},
};

static size_t calendar_state_bytes(const struct stream_size *size)
{
    (void)size;
    return 0;
}

static void calendar_init(void *memory, const struct stream_size *size)
{
    (void)memory;
    (void)size;
}

static void calendar_emit(const void *memory, const void *event, float *out)
{
    (void)memory;
    const struct fixture *fixture = event;
    const struct league *league = league_at((size_t)fixture->league);
    int year, month, day_of_month;
    time_civil_from_day(fixture->day, &year, &month, &day_of_month);
    int64_t begin = time_day_from_civil(fixture->season, league->calendar_year ? 1 : 7, 1);
    double progress = (double)(fixture->day - begin) / 365;
    out[CALENDAR_MONTH] = (float)month;
    out[CALENDAR_WEEKDAY] = (float)time_weekday(fixture->day);
    out[CALENDAR_PROGRESS] = (float)(progress < 0 ? 0 : progress > PROGRESS_HIGH ? PROGRESS_HIGH : progress);
    out[CALENDAR_TIER] = (float)league->tier;
    out[CALENDAR_NEUTRAL] = fixture->is_neutral;
}

static void calendar_apply(void *memory, const void *event, const void *result)
{
    (void)memory;
    (void)event;
    (void)result;
}

const struct tracker tracker_calendar = {
    .family = "calendar",
    .doc = "Month, weekday, progress of the season, level of the league.",
    .source = "dates of matches, leagues",
    .version = 1,
    .features = calendar_features,
    .feature_count = CALENDAR_FEATURES,
    .state_bytes = calendar_state_bytes,
    .init = calendar_init,
    .emit = calendar_emit,
    .apply = calendar_apply,
};
