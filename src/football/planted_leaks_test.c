/* Planted leaks: five mistakes that football data invite, each made the way it happens, each caught by the audit with the
 * name of the feature; and the same five features, computed from the past, pass. The path is that of production: frames,
 * history with its future cut off or scrambled, all trackers of the widest set, audit_run.
 *
 *   same-day result    a table by league and day, which holds the match itself and those played at the same time
 *   in-match statistic shots on target, joined by the match's own id instead of the team's match before
 *   season-end table   points per game of the season's final table instead of the table of the day
 *   closing price      missing prices before the close filled up with those at the close
 *   target encoding    a team's share of home wins over all its matches, later ones included
 *
 * What cannot be planted: emit is given no outcome and init no data, and the builder applies an outcome only when it is
 * known, so a tracker by itself has nothing to leak. A leak needs a preparation that has the whole history in its hands and
 * writes what it found where emit can read it: here into the fixtures (closing prices into their pre_close, the others
 * beside them). In a state it would be the same, but the builder makes the states and hands them to nobody before the run. */
#include "feature/audit.h"
#include "football/families.h"
#include "football/feature_sets.h"
#include "football/test_frames.h"

#include <assert.h>

enum plant {
    PLANT_NOTHING,
    PLANT_SAME_DAY,
    PLANT_IN_MATCH,
    PLANT_SEASON_END,
    PLANT_CLOSING_PRICE,
    PLANT_TARGET_ENCODING
};
enum { SET_TRACKERS_MAX = 64, CUTS = 5 };

/* A fixture as the trackers know it, and behind it what the preparation found. */
struct prepared {
    struct fixture fixture;
    float planted;
};

/* How features are prepared: which plant, from all of the history or honestly from its past. */
struct preparation {
    enum plant plant;
    bool is_honest;
};

/* One variant of the audit: a history, its streams with prepared fixtures. */
struct variant {
    struct history *history;
    struct stream *streams;
    struct prepared *fixtures;
};

static struct test_frames frames;

/* ---- the preparation ---- */

static const struct fixture *fixture_at(const struct stream *stream, size_t event)
{
    return (const struct fixture *)stream->fixtures + event;
}

static const struct outcome *outcome_at(const struct stream *stream, size_t event)
{
    return (const struct outcome *)stream->outcomes + event;
}

/* May outcome `other` be used for `event`? This is the line that a careless join forgets. */
static bool is_usable(const struct preparation *preparation, const struct stream *stream, size_t event,
                      size_t other)
{
    if (stream->known_us[other] == INT64_MAX)
        return false;
    return !preparation->is_honest || stream->known_us[other] <= stream->start_us[event];
}

/* Does `other` belong to the group of `event` that the mean is over, and what does it count? */
static bool counts(enum plant plant, const struct stream *stream, size_t event, size_t other, double *value)
{
    const struct fixture *a = fixture_at(stream, event), *b = fixture_at(stream, other);
    const struct outcome *outcome = outcome_at(stream, other);
    int home = outcome->goals[SIDE_HOME], away = outcome->goals[SIDE_AWAY];
    switch (plant) {
    case PLANT_SAME_DAY:
        *value = home + away;
        return a->league == b->league && a->day == b->day;
    case PLANT_SEASON_END:
        *value = a->home == b->home ? match_points(home, away) : match_points(away, home);
        return a->league == b->league && a->season == b->season && (a->home == b->home || a->home == b->away);
    default:
        assert(plant == PLANT_TARGET_ENCODING);
        *value = home > away;
        return a->home == b->home;
    }
}

static float mean_of_group(const struct preparation *preparation, const struct stream *stream, size_t event)
{
    double sum = 0, value = 0;
    size_t count = 0;
    for (size_t other = 0; other < stream->count; other++) {
        if (!is_usable(preparation, stream, event, other) ||
            !counts(preparation->plant, stream, event, other, &value))
            continue;
        sum += value;
        count++;
    }
    return count > 0 ? (float)(sum / (double)count) : NAN;
}

/* Shots on target of the home side: of this very match, or honestly of the last one that is known. */
static float shots_on_target(const struct preparation *preparation, const struct stream *stream, size_t event)
{
    const struct fixture *fixture = fixture_at(stream, event);
    if (!preparation->is_honest)
        return outcome_at(stream, event)->stats[STAT_SHOTS_ON_TARGET][SIDE_HOME];
    for (size_t other = event; other-- > 0;) {
        const struct fixture *before = fixture_at(stream, other);
        if ((before->home == fixture->home || before->away == fixture->home) &&
            is_usable(preparation, stream, event, other))
            return outcome_at(stream, other)
                ->stats[STAT_SHOTS_ON_TARGET][before->home == fixture->home ? SIDE_HOME : SIDE_AWAY];
    }
    return NAN;
}

static void fill_prices(struct prices *prices, const struct prices *close)
{
    for (size_t book = 0; book < BOOKMAKER_COUNT; book++) {
        for (size_t i = 0; i < 3; i++) {
            if (isnan(prices->home_draw_away[book][i]))
                prices->home_draw_away[book][i] = close->home_draw_away[book][i];
        }
        for (size_t i = 0; i < 2; i++) {
            if (isnan(prices->under_over[book][i]))
                prices->under_over[book][i] = close->under_over[book][i];
        }
    }
}

static void prepare(const struct preparation *preparation, const struct history *history,
                    const struct stream *stream, size_t event, struct prepared *out)
{
    out->fixture = *fixture_at(stream, event);
    out->planted = 0;
    switch (preparation->plant) {
    case PLANT_NOTHING:
        break;
    case PLANT_IN_MATCH:
        out->planted = shots_on_target(preparation, stream, event);
        break;
    case PLANT_CLOSING_PRICE:
        if (!preparation->is_honest)
            fill_prices(&out->fixture.pre_close, history_close(history, stream->row[event]));
        break;
    default:
        out->planted = mean_of_group(preparation, stream, event);
    }
}

/* ---- the audit's view ---- */

static void close_variant(struct audit_variant *variant)
{
    struct variant *owner = variant->owner;
    history_destroy(owner->history);
    free(owner->streams);
    free(owner->fixtures);
    free(owner);
}

static enum err_code open_variant(void *context, enum audit_mode mode, int64_t cut_us, uint64_t seed,
                                  struct audit_variant *out, struct err *err)
{
    static const enum history_future futures[] = {[AUDIT_WHOLE] = HISTORY_WHOLE,
                                                  [AUDIT_TRUNCATED] = HISTORY_TRUNCATED,
                                                  [AUDIT_SCRAMBLED] = HISTORY_SCRAMBLED};
    struct history_options options = {
        .future = futures[mode], .cut_us = cut_us, .seed = seed, .with_close = true};
    struct variant *variant = calloc(1, sizeof(*variant));
    assert_non_null(variant);
    assert_int_equal(history_create(frames.teams, frames.matches, frames.prices, frames.attributes, options,
                                    &variant->history, err),
                     ERR_OK);
    size_t streams = history_stream_count(variant->history), rows = history_rows(variant->history), begin = 0;
    variant->streams = calloc(streams, sizeof(*variant->streams));
    variant->fixtures = calloc(rows + 1, sizeof(*variant->fixtures));
    assert_true(variant->streams != NULL && variant->fixtures != NULL);
    for (size_t s = 0; s < streams; s++) {
        const struct stream *stream = &history_streams(variant->history)[s];
        for (size_t event = 0; event < stream->count; event++)
            prepare(context, variant->history, stream, event, &variant->fixtures[begin + event]);
        variant->streams[s] = *stream;
        variant->streams[s].fixtures = variant->fixtures + begin;
        variant->streams[s].fixture_bytes = sizeof(struct prepared);
        begin += stream->count;
    }
    *out =
        (struct audit_variant){variant->streams, streams, history_row_info(variant->history), rows, variant};
    return ERR_OK;
}

/* ---- the planted family ---- */

static const struct feature planted_feature[] = {
    {"planted_feature", "", -1e6, 1e6, FEATURE_BEFORE_START, "what the preparation wrote"}};

static size_t no_state(const struct stream_size *size)
{
    (void)size;
    return 0;
}

static void no_init(void *state, const struct stream_size *size)
{
    (void)state;
    (void)size;
}

static void emit_planted(const void *state, const void *fixture, float *out)
{
    (void)state;
    out[0] = ((const struct prepared *)fixture)->planted;
}

static void no_apply(void *state, const void *fixture, const void *outcome)
{
    (void)state;
    (void)fixture;
    (void)outcome;
}

static const struct tracker tracker_planted = {"planted", "",           1,       planted_feature, 1, no_state,
                                               no_init,   emit_planted, no_apply};

/* ---- the tests ---- */

/* All families of the pack and the planted one. */
static enum err_code audit(enum plant plant, bool is_honest, struct audit_report *report, struct err *err)
{
    const struct feature_set *widest = football_feature_set_widest();
    const struct tracker *trackers[SET_TRACKERS_MAX + 2];
    size_t count = 0;
    while (widest->trackers[count] != NULL) {
        assert_true(count < SET_TRACKERS_MAX);
        trackers[count] = widest->trackers[count];
        count++;
    }
    trackers[count++] = &tracker_planted;
    trackers[count] = NULL;
    struct feature_set set = {.name = "audited", .doc = "", .trackers = trackers};
    struct preparation preparation = {plant, is_honest};
    struct audit_source source = {open_variant, close_variant, &preparation};
    return audit_run(&set, &source, NULL, CUTS, 3, NULL, NULL, report, err);
}

/* Honest features differ from the planted ones in nothing but the line that asks what was known. */
static void expect_honest(enum plant plant)
{
    struct audit_report report;
    struct err err = {0};
    enum err_code code = audit(plant, true, &report, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(code, ERR_OK);
    assert_int_equal(report.cuts, CUTS);
    assert_true(report.rows_compared > 1000);
}

static void expect_caught(enum plant plant, const char *feature)
{
    struct audit_report report;
    struct err err = {0};
    assert_int_equal(audit(plant, false, &report, &err), ERR_LEAK);
    if (strstr(err.text, feature) == NULL || strstr(err.text, "depends on the future") == NULL)
        fail_msg("the feature is not named: %s", err.text);
}

static void nothing_planted_passes(void **state)
{
    (void)state;
    expect_honest(PLANT_NOTHING);
}

static void results_of_the_same_day_are_caught(void **state)
{
    (void)state;
    expect_caught(PLANT_SAME_DAY, "'planted_feature'");
    expect_honest(PLANT_SAME_DAY);
}

static void statistics_of_the_match_are_caught(void **state)
{
    (void)state;
    expect_caught(PLANT_IN_MATCH, "'planted_feature'");
    expect_honest(PLANT_IN_MATCH);
}

static void the_table_at_the_seasons_end_is_caught(void **state)
{
    (void)state;
    expect_caught(PLANT_SEASON_END, "'planted_feature'");
    expect_honest(PLANT_SEASON_END);
}

/* Nothing is wrong with the family: its prices are. */
static void closing_prices_before_the_match_are_caught(void **state)
{
    (void)state;
    expect_caught(PLANT_CLOSING_PRICE, "'market_");
    expect_honest(PLANT_CLOSING_PRICE);
}

static void target_encoding_over_the_future_is_caught(void **state)
{
    (void)state;
    expect_caught(PLANT_TARGET_ENCODING, "'planted_feature'");
    expect_honest(PLANT_TARGET_ENCODING);
}

static int make_frames(void **state)
{
    (void)state;
    test_frames_random(&frames, 17);
    return 0;
}

static int release_frames(void **state)
{
    (void)state;
    test_frames_close(&frames);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_planted_passes),
        cmocka_unit_test(results_of_the_same_day_are_caught),
        cmocka_unit_test(statistics_of_the_match_are_caught),
        cmocka_unit_test(the_table_at_the_seasons_end_is_caught),
        cmocka_unit_test(closing_prices_before_the_match_are_caught),
        cmocka_unit_test(target_encoding_over_the_future_is_caught),
    };
    return cmocka_run_group_tests(tests, make_frames, release_frames);
}
