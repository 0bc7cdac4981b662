/* Random numbers: xoshiro256** (Blackman & Vigna 2018), seeded by splitmix64. The same seed gives the same
 * stream on every machine. Never used for secrets. Threads: one stream per thread; random_fork gives
 * independent streams. */
#ifndef ALMANAC_BASE_RANDOM_H
#define ALMANAC_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_init(struct random *random, uint64_t seed);
struct random random_fork(const struct random *parent,
                          uint64_t index); /* independent stream number `index` */
uint64_t random_u64(struct random *random);
uint64_t random_below(struct random *random, uint64_t bound); /* 0..bound-1 without bias; bound > 0 */
double random_uniform(struct random *random);                 /* [0, 1), 53 bits */
double random_normal(struct random *random);                  /* mean 0, deviation 1 */
int random_poisson(struct random *random, double mean);       /* mean in [0, 700] */

#endif
