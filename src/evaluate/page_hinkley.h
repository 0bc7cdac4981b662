/* Page-Hinkley: has the mean of a stream risen? (Page 1954; in the form of Mouss et al. 2004.)
 *
 *   m_t = m_(t-1) + x_t - mean_t - delta        mean_t: of x_1 .. x_t, whatever was learned before included
 *   alarm when m_t - min(m_0 = 0, m_1 .. m_t) > lambda
 *
 * delta is the rise that does not matter, lambda how much evidence is asked for; with textbook values it cries wolf, so
 * lambda is calibrated (evaluate/loss_alarm.h). Fixed memory, one step is a handful of additions. Threads: as the caller's
 * struct. */
#ifndef ALMANAC_EVALUATE_PAGE_HINKLEY_H
#define ALMANAC_EVALUATE_PAGE_HINKLEY_H

#include <stdbool.h>
#include <stddef.h>

struct page_hinkley {
    double delta, lambda;
    double mean, m, least;
    size_t count; /* values in the mean */
};

/* delta >= 0, lambda > 0 (INFINITY: never an alarm, to watch the statistic). */
void page_hinkley_init(struct page_hinkley *detector, double delta, double lambda);
/* A value of the time before: it enters the mean and nothing else. */
void page_hinkley_learn(struct page_hinkley *detector, double value);
/* The next value; true while the alarm is on. Nothing is reset: the caller decides what an alarm means. */
bool page_hinkley_add(struct page_hinkley *detector, double value);
/* m_t - min m: what is compared with lambda. */
double page_hinkley_statistic(const struct page_hinkley *detector);

#endif
