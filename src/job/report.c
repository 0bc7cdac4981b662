/* Reporting: null-safe calls for the tasks; for the receivers one sentence of progress and one rule of pace, so that a
 * log of the server reads like a terminal. */
#include "job/report.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LOG_BYTES = 4096 };

void report_progress(const struct reporter *reporter, const char *phase, size_t done, size_t total)
{
    if (reporter != NULL && reporter->progress != NULL)
        reporter->progress(reporter->context, phase, done, total);
}

void report_metric(const struct reporter *reporter, const char *name, double value, size_t step)
{
    if (reporter != NULL && reporter->metric != NULL)
        reporter->metric(reporter->context, name, value, step);
}

void report_log(const struct reporter *reporter, const char *format, ...)
{
    char line[LOG_BYTES];
    va_list arguments;

    if (reporter == NULL || reporter->log == NULL)
        return;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length >= 0)
        reporter->log(reporter->context, line);
}

bool report_is_stopped(const struct reporter *reporter)
{
    return reporter != NULL && reporter->is_stopped != NULL && reporter->is_stopped(reporter->context);
}

/* " eta 2s", " eta 3m05s", " eta 2h07m": what is left at the mean pace so far, rounded up. */
static void format_eta(char *out, size_t out_bytes, size_t done, size_t total, int64_t elapsed_us)
{
    double left = done < total ? (double)(total - done) : 0;
    double eta = (double)elapsed_us / 1e6 * left / (double)done;
    int64_t eta_s = eta < 1e9 ? (int64_t)eta : INT64_C(1000000000);

    eta_s += (double)eta_s < eta;
    if (eta_s < 120)
        (void)snprintf(out, out_bytes, " eta %" PRId64 "s", eta_s);
    else if (eta_s < 3600)
        (void)snprintf(out, out_bytes, " eta %" PRId64 "m%02" PRId64 "s", eta_s / 60, eta_s % 60);
    else
        (void)snprintf(out, out_bytes, " eta %" PRId64 "h%02" PRId64 "m", eta_s / 3600, eta_s / 60 % 60);
}

void report_format_progress(const char *phase, size_t done, size_t total, int64_t elapsed_us,
                            char out[REPORT_LINE_BYTES])
{
    char eta[48] = "";

    if (total == 0 && done == 0) {
        (void)snprintf(out, REPORT_LINE_BYTES, "%.*s", REPORT_PHASE_BYTES - 1, phase);
        return;
    }
    if (total == 0) {
        (void)snprintf(out, REPORT_LINE_BYTES, "%.*s: %zu", REPORT_PHASE_BYTES - 1, phase, done);
        return;
    }
    if (done > 0)
        format_eta(eta, sizeof eta, done, total, elapsed_us);
    /* 100 * done is exact up to 2^46, so the quotient is rounded down as the integers would be */
    double percent = done < total ? 100.0 * (double)done / (double)total : 100.0;
    (void)snprintf(out, REPORT_LINE_BYTES, "%.*s: %zu/%zu (%d%%)%s", REPORT_PHASE_BYTES - 1, phase, done,
                   total, (int)percent, eta);
}

void report_pace_init(struct report_pace *pace, int64_t period_us)
{
    *pace = (struct report_pace){.period_us = period_us};
}

bool report_pace_step(struct report_pace *pace, const char *phase, size_t done, size_t total, int64_t now_us)
{
    char name[REPORT_PHASE_BYTES];

    (void)text_copy(text_of(phase), name, sizeof name);
    bool is_same_phase = pace->was_shown && strcmp(pace->phase, name) == 0;
    if (is_same_phase && pace->done == done && pace->total == total && !pace->has_news)
        return false; /* told already */
    if (!is_same_phase || done < pace->done)
        pace->phase_started_us = now_us;
    memcpy(pace->phase, name, sizeof name);
    pace->done = done;
    pace->total = total;
    bool is_complete = total > 0 && done >= total;
    pace->has_news = pace->was_shown && !is_complete && now_us - pace->shown_us < pace->period_us;
    if (pace->has_news)
        return false;
    pace->shown_us = now_us;
    pace->was_shown = true;
    return true;
}

void report_pace_format(const struct report_pace *pace, int64_t now_us, char out[REPORT_LINE_BYTES])
{
    report_format_progress(pace->phase, pace->done, pace->total, now_us - pace->phase_started_us, out);
}
