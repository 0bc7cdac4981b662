/* The market family: sources in their order, never mixed; all five methods; implied goals. */
#include "football/families.h"
#include "football/test_events.h"

static void set_result(struct prices *prices, enum bookmaker book, float home, float draw, float away)
{
    prices->home_draw_away[book][0] = home;
    prices->home_draw_away[book][1] = draw;
    prices->home_draw_away[book][2] = away;
}

static void set_goals(struct prices *prices, enum bookmaker book, float under, float over)
{
    prices->under_over[book][0] = under;
    prices->under_over[book][1] = over;
}

static void no_prices_no_values(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_market, 2);
    struct fixture fixture = testing_fixture(1, 1, 0, 1);
    assert_true(isnan(testing_feature(&test, &fixture, "market_booksum")));
    for (size_t i = 0; i < tracker_market.feature_count; i++) {
        assert_true(isnan(test.out[i]));
        assert_int_equal(tracker_market.features[i].available, FEATURE_PRE_CLOSE);
    }
    testing_close(&test);
}

static void methods_have_their_columns(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_market, 2);
    struct fixture fixture = testing_fixture(1, 1, 0, 1);
    set_result(&fixture.pre_close, BOOKMAKER_AVERAGE, 2.1f, 3.4f, 3.75f);
    set_goals(&fixture.pre_close, BOOKMAKER_AVERAGE, 1.9f, 1.95f);
    assert_close(testing_feature(&test, &fixture, "market_multiplicative_home"), 0.45921125210012, 1e-7);
    assert_close(testing_feature(&test, &fixture, "market_additive_draw"), 0.28179270437856, 1e-7);
    assert_close(testing_feature(&test, &fixture, "market_power_away"), 0.25448618254837, 1e-7);
    assert_close(testing_feature(&test, &fixture, "market_shin_home"), 0.46267647275191, 1e-7);
    assert_close(testing_feature(&test, &fixture, "market_odds_ratio_away"), 0.25564275836125, 1e-7);
    assert_close(testing_feature(&test, &fixture, "market_booksum"), 1.03697480329, 1e-6);
    assert_close(testing_feature(&test, &fixture, "market_price_source"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "market_ou_multiplicative_under"), 0.50649351574233, 1e-7);
    assert_close(testing_feature(&test, &fixture, "market_ou_shin_over"), 0.49325235210117, 1e-7);
    assert_close(testing_feature(&test, &fixture, "market_ou_booksum"), 1.03913629636, 1e-6);
    assert_close(testing_feature(&test, &fixture, "market_expected_total"), 2.64781367364129, 1e-5);
    testing_close(&test);
}

static void sources_are_tried_in_order_and_never_mixed(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_market, 2);
    struct fixture fixture = testing_fixture(1, 1, 0, 1);
    set_result(&fixture.pre_close, BOOKMAKER_PINNACLE, 2, 4, 4);
    assert_close(testing_feature(&test, &fixture, "market_price_source"), 2, 0);
    assert_close(testing_feature(&test, &fixture, "market_shin_home"), 0.5, 1e-7);
    set_result(&fixture.pre_close, BOOKMAKER_BET365, 4, 2, 4);
    assert_close(testing_feature(&test, &fixture, "market_price_source"), 1, 0);
    assert_close(testing_feature(&test, &fixture, "market_shin_draw"), 0.5, 1e-7);
    set_result(&fixture.pre_close, BOOKMAKER_AVERAGE, 4, NAN, 2); /* incomplete: passed over as a whole */
    assert_close(testing_feature(&test, &fixture, "market_price_source"), 1, 0);
    set_result(&fixture.pre_close, BOOKMAKER_AVERAGE, 1.5f, 1.5f, 2); /* a sum of 1.83: an error */
    assert_close(testing_feature(&test, &fixture, "market_price_source"), 1, 0);
    set_result(&fixture.pre_close, BOOKMAKER_AVERAGE, 4, 4, 2);
    assert_close(testing_feature(&test, &fixture, "market_price_source"), 0, 0);
    assert_close(testing_feature(&test, &fixture, "market_shin_away"), 0.5, 1e-7);
    /* over/under has a choice of its own */
    set_goals(&fixture.pre_close, BOOKMAKER_PINNACLE, 2, 2);
    assert_close(testing_feature(&test, &fixture, "market_ou_price_source"), 2, 0);
    assert_close(testing_feature(&test, &fixture, "market_expected_total"), 2.67406031372356, 1e-5);
    testing_close(&test);
}

static void disagreement_is_best_over_average(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_market, 2);
    struct fixture fixture = testing_fixture(1, 1, 0, 1);
    set_result(&fixture.pre_close, BOOKMAKER_AVERAGE, 2, 4, 4);
    set_result(&fixture.pre_close, BOOKMAKER_MAXIMUM, 2.2f, NAN, 900);
    assert_close(testing_feature(&test, &fixture, "market_disagreement_home"), 0.1, 1e-6);
    assert_true(isnan(testing_feature(&test, &fixture, "market_disagreement_draw")));
    assert_close(testing_feature(&test, &fixture, "market_disagreement_away"), 10, 0); /* cut */
    testing_close(&test);
}

static void expected_total_inverts_the_poisson(void **state)
{
    (void)state;
    struct testing_tracker test;
    testing_open(&test, &tracker_market, 2);
    for (double mean = 0.3; mean < 9; mean += 0.1) {
        double under = exp(-mean) * (1 + mean + mean * mean / 2);
        struct fixture fixture = testing_fixture(1, 1, 0, 1);
        set_goals(&fixture.pre_close, BOOKMAKER_AVERAGE, (float)(1 / under), (float)(1 / (1 - under)));
        if (!(fixture.pre_close.under_over[BOOKMAKER_AVERAGE][0] > 1))
            continue;
        assert_close(testing_feature(&test, &fixture, "market_expected_total"), mean, 2e-3);
    }
    testing_close(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_prices_no_values),
        cmocka_unit_test(methods_have_their_columns),
        cmocka_unit_test(sources_are_tried_in_order_and_never_mixed),
        cmocka_unit_test(disagreement_is_best_over_average),
        cmocka_unit_test(expected_total_inverts_the_poisson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
