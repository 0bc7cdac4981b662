/* The trust alarm at and around its bounds. */
#include "evaluate/trust.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

/* An honest model over nine Premier League seasons. */
static struct trust_evidence honest(void)
{
    return (struct trust_evidence){.matches = 3420,
                                   .difference = 0.018,
                                   .standard_error = 0.004,
                                   .accuracy = 0.530,
                                   .closing_accuracy = 0.548,
                                   .ceiling = TRUST_CEILING_1X2};
}

static void assert_verdict(struct trust_evidence evidence, enum trust_verdict expected, const char *part)
{
    char sentence[TRUST_SENTENCE_BYTES];
    enum trust_verdict verdict = trust_judge(&evidence, sentence);
    if (verdict != expected || strstr(sentence, part) == NULL)
        fail_msg("%s: %s", trust_name(verdict), sentence);
    assert_true(strlen(sentence) + 1 < TRUST_SENTENCE_BYTES);
}

static void test_honest_models_pass(void **state)
{
    (void)state;
    assert_verdict(honest(), TRUST_CREDIBLE, "+0.0180 (standard error 0.0040) over 3420 matches");
    struct trust_evidence evidence = honest();
    evidence.difference = -0.0119; /* better than the close, within chance */
    assert_verdict(evidence, TRUST_CREDIBLE, "-0.0119");
    evidence.difference = evidence.standard_error = evidence.closing_accuracy = NAN;
    assert_verdict(evidence, TRUST_CREDIBLE, "no closing price");
}

static void test_beating_the_close_is_an_alarm(void **state)
{
    (void)state;
    struct trust_evidence evidence = honest();
    evidence.difference = -0.0121;
    assert_verdict(evidence, TRUST_BEATS_CLOSE, "leak audit");
    evidence.standard_error = 0; /* one day only: no error is known, so no verdict on it */
    assert_verdict(evidence, TRUST_CREDIBLE, "3420");
}

static void test_accuracy_limits(void **state)
{
    (void)state;
    struct trust_evidence evidence = honest();
    double error = sqrt(0.548 * 0.452 / 3420); /* .00851: the limit is .5735 */
    assert_true(fabs(trust_accuracy_limit(&evidence) - (0.548 + 3 * error)) < 1e-12);
    evidence.accuracy = 0.573;
    assert_verdict(evidence, TRUST_CREDIBLE, "credible");
    evidence.accuracy = 0.574;
    assert_verdict(evidence, TRUST_ABOVE_ACCURACY, "57.40 % exceeds 57.35 %");
    /* one season: .548 + 3 * .0255 = .6246 is cut to the ceiling */
    evidence.matches = 380;
    evidence.accuracy = 0.595;
    assert_verdict(evidence, TRUST_CREDIBLE, "credible");
    evidence.accuracy = 0.602;
    assert_verdict(evidence, TRUST_ABOVE_ACCURACY, "59.90 %");
    /* a season in which the close itself is right in 59 %: the ceiling says nothing */
    evidence.closing_accuracy = 0.590;
    assert_verdict(evidence, TRUST_CREDIBLE, "credible");
    evidence.accuracy = 0.68;
    assert_verdict(evidence, TRUST_ABOVE_ACCURACY, "68.00 %");
    /* no ceiling known (over/under), no close known */
    evidence = honest();
    evidence.ceiling = NAN;
    evidence.accuracy = 0.574;
    assert_verdict(evidence, TRUST_ABOVE_ACCURACY, "57.35 %");
    evidence.closing_accuracy = NAN;
    assert_true(isnan(trust_accuracy_limit(&evidence)));
    evidence.accuracy = 0.99;
    assert_verdict(evidence, TRUST_CREDIBLE, "credible");
    evidence.ceiling = TRUST_CEILING_1X2;
    assert_verdict(evidence, TRUST_ABOVE_ACCURACY, "99.00 %");
}

static void test_few_matches_say_nothing(void **state)
{
    (void)state;
    struct trust_evidence evidence = honest();
    evidence.matches = TRUST_MATCHES_LEAST - 1;
    evidence.difference = -1;
    evidence.accuracy = 1;
    assert_verdict(evidence, TRUST_TOO_FEW, "99 matches are too few");
    evidence.matches = TRUST_MATCHES_LEAST;
    assert_verdict(evidence, TRUST_BEATS_CLOSE, "100 matches");
}

static void test_which_are_alarms(void **state)
{
    (void)state;
    assert_true(!trust_is_alarm(TRUST_CREDIBLE) && !trust_is_alarm(TRUST_TOO_FEW));
    assert_true(trust_is_alarm(TRUST_BEATS_CLOSE) && trust_is_alarm(TRUST_ABOVE_ACCURACY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_honest_models_pass), cmocka_unit_test(test_beating_the_close_is_an_alarm),
        cmocka_unit_test(test_accuracy_limits),    cmocka_unit_test(test_few_matches_say_nothing),
        cmocka_unit_test(test_which_are_alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
