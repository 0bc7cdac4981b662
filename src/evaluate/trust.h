/* Trust alarm (SPEC E5): a forecast that is too good is a leak until proven otherwise.
 *
 * Two rules, on one window of matches judged side by side with the closing price:
 *   - log loss: the paired mean difference model - close must not lie more than 3 standard errors below 0;
 *   - accuracy: it must not exceed closing accuracy + 3 binomial standard errors, and never the credible
 * ceiling, unless the closing price itself comes within one standard error of the ceiling: then the window is
 * too short or too lucky for the ceiling to say anything, and the first limit alone holds. Without a closing
 * price the limit is the ceiling + 3 standard errors. The ceiling of 1x2 is measured (data README): taking
 * the half-time leader, else the favourite, is right in 59.9 % of matches, so no forecast made before
 * kick-off is. Below TRUST_MATCHES_LEAST matches neither rule is applied: the errors are themselves too
 * uncertain. An honest forecast exactly as good as the close passes a bound of 3 standard errors by chance in
 * about one window of 700. Threads: pure functions. */
#ifndef ALMANAC_EVALUATE_TRUST_H
#define ALMANAC_EVALUATE_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#define TRUST_CEILING_1X2     0.599
#define TRUST_STANDARD_ERRORS 3.0
enum { TRUST_MATCHES_LEAST = 100, TRUST_SENTENCE_BYTES = 320 };

enum trust_verdict {
    TRUST_CREDIBLE,
    TRUST_TOO_FEW,        /* matches: nothing can be said */
    TRUST_BEATS_CLOSE,    /* alarm */
    TRUST_ABOVE_ACCURACY, /* alarm */
    TRUST_VERDICT_COUNT
};

struct trust_evidence {
    size_t matches;
    double difference; /* mean log loss, model - closing price, on the same matches; NaN: no closing price */
    double standard_error;   /* of the difference, block bootstrap (struct interval); NaN: unknown */
    double accuracy;         /* of the model, 0..1; NaN: unknown */
    double closing_accuracy; /* on the same matches; NaN: unknown */
    double ceiling;          /* TRUST_CEILING_1X2; NaN: none is known for the target */
};

const char *
trust_name(enum trust_verdict verdict); /* "credible", "too_few", "beats_close", "above_accuracy" */
bool trust_is_alarm(enum trust_verdict verdict);
/* Largest accuracy that is credible, NaN when neither the close nor a ceiling is known. */
double trust_accuracy_limit(const struct trust_evidence *evidence);
/* The verdict, and one sentence for people with the numbers it rests on. */
enum trust_verdict trust_judge(const struct trust_evidence *evidence, char sentence[TRUST_SENTENCE_BYTES]);

#endif
