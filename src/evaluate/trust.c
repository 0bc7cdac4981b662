/* Rules in the order of their strength: log loss first, for a leak moves it before accuracy shows. */
#include "evaluate/trust.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

const char *trust_name(enum trust_verdict verdict)
{
    static const char *const names[TRUST_VERDICT_COUNT] = {"credible", "too_few", "beats_close",
                                                           "above_accuracy"};
    assert(verdict < TRUST_VERDICT_COUNT);
    return names[verdict];
}

bool trust_is_alarm(enum trust_verdict verdict)
{
    return verdict == TRUST_BEATS_CLOSE || verdict == TRUST_ABOVE_ACCURACY;
}

static double binomial_error(double share, size_t count)
{
    return sqrt(share * (1 - share) / (double)count);
}

double trust_accuracy_limit(const struct trust_evidence *evidence)
{
    double ceiling = evidence->ceiling, close = evidence->closing_accuracy;
    if (isnan(close))
        return ceiling + TRUST_STANDARD_ERRORS * binomial_error(ceiling, evidence->matches);
    double error = binomial_error(close, evidence->matches);
    double limit = close + TRUST_STANDARD_ERRORS * error;
    if (!isnan(ceiling) && close + error <= ceiling)
        return fmin(limit, ceiling);
    return limit;
}

static bool beats_close(const struct trust_evidence *evidence)
{
    return evidence->standard_error > 0 &&
           evidence->difference < -TRUST_STANDARD_ERRORS * evidence->standard_error;
}

/* What is said of a forecast that passes: how it stands to the close, as far as that is known. */
static void describe_credible(const struct trust_evidence *evidence, char sentence[TRUST_SENTENCE_BYTES])
{
    if (isnan(evidence->difference) || isnan(evidence->standard_error))
        snprintf(sentence, TRUST_SENTENCE_BYTES,
                 "nothing speaks against these %zu matches, but there is no closing "
                 "price to compare with",
                 evidence->matches);
    else
        snprintf(sentence, TRUST_SENTENCE_BYTES,
                 "credible: log loss minus that of the closing price is %+.4f (standard error %.4f) over %zu "
                 "matches",
                 evidence->difference, evidence->standard_error, evidence->matches);
}

enum trust_verdict trust_judge(const struct trust_evidence *evidence, char sentence[TRUST_SENTENCE_BYTES])
{
    if (evidence->matches < TRUST_MATCHES_LEAST) {
        snprintf(sentence, TRUST_SENTENCE_BYTES, "%zu matches are too few to judge: at least %d are needed",
                 evidence->matches, TRUST_MATCHES_LEAST);
        return TRUST_TOO_FEW;
    }
    if (beats_close(evidence)) {
        snprintf(sentence, TRUST_SENTENCE_BYTES,
                 "probable leak: log loss beats the closing price by %.4f, more than %g standard errors of "
                 "%.4f, over "
                 "%zu matches; check the features with the leak audit before believing it",
                 -evidence->difference, TRUST_STANDARD_ERRORS, evidence->standard_error, evidence->matches);
        return TRUST_BEATS_CLOSE;
    }
    double limit = trust_accuracy_limit(evidence);
    if (evidence->accuracy > limit) {
        snprintf(sentence, TRUST_SENTENCE_BYTES,
                 "probable leak: accuracy %.2f %% exceeds %.2f %%, the most that is credible for these %zu "
                 "matches; "
                 "check the features with the leak audit before believing it",
                 100 * evidence->accuracy, 100 * limit, evidence->matches);
        return TRUST_ABOVE_ACCURACY;
    }
    describe_credible(evidence, sentence);
    return TRUST_CREDIBLE;
}
