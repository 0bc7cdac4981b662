/* Page-Hinkley. The mean is updated before it is subtracted, as Mouss et al. write it: the value itself counts in it. */
#include "evaluate/page_hinkley.h"

#include <assert.h>

void page_hinkley_init(struct page_hinkley *detector, double delta, double lambda)
{
    assert(delta >= 0 && lambda > 0);
    *detector = (struct page_hinkley){.delta = delta, .lambda = lambda};
}

void page_hinkley_learn(struct page_hinkley *detector, double value)
{
    detector->count++;
    detector->mean += (value - detector->mean) / (double)detector->count;
}

bool page_hinkley_add(struct page_hinkley *detector, double value)
{
    page_hinkley_learn(detector, value);
    detector->m += value - detector->mean - detector->delta;
    if (detector->m < detector->least)
        detector->least = detector->m;
    return page_hinkley_statistic(detector) > detector->lambda;
}

double page_hinkley_statistic(const struct page_hinkley *detector)
{
    return detector->m - detector->least;
}
