/* Random numbers: see random.h.
 *
 * "The same stream on every machine" includes the last bit of random_normal, so no function of libm is used
 * whose rounding may differ between versions or processors: logarithm and exponential are computed here by
 * series of
 * + - * / alone, and sqrt is correctly rounded by IEEE 754. */
#include "base/random.h"
#include <assert.h>
#include <math.h>

static uint64_t random_rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

/* splitmix64 (Steele, Lea & Flood 2014; Vigna's public-domain constants) */
static uint64_t random_split(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

void random_init(struct random *random, uint64_t seed)
{
    for (int index = 0; index < 4; index++)
        random->state[index] = random_split(&seed);
}

/* Every word of the parent and the index go through splitmix64, chained: nearby indexes and equal words of
 * different parents do not lead to related states. The parent is not advanced. */
struct random random_fork(const struct random *parent, uint64_t index)
{
    uint64_t chain = index;
    (void)random_split(&chain);
    uint64_t mixed = random_split(&chain);
    for (int word = 0; word < 4; word++) {
        chain = parent->state[word] ^ mixed;
        mixed = random_split(&chain);
    }
    struct random child;
    random_init(&child, mixed);
    for (int word = 0; word < 4; word++) { /* keep all 256 bits of the parent, not only the 64 of the chain */
        chain = parent->state[word] + mixed;
        child.state[word] ^= random_split(&chain);
    }
    if ((child.state[0] | child.state[1] | child.state[2] | child.state[3]) == 0)
        child.state[0] = 1; /* the one state xoshiro cannot leave */
    return child;
}

uint64_t random_u64(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = random_rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = random_rotate(s[3], 45);
    return result;
}

/* Lemire 2019, "Fast random integer generation in an interval": the high half of a product, rejecting the few
 * low halves that would make some results one in 2^64 more likely. */
uint64_t random_below(struct random *random, uint64_t bound)
{
    assert(bound > 0);
    __extension__ unsigned __int128 product;
    uint64_t threshold = -bound % bound;
    do
        product = (__extension__(unsigned __int128) random_u64(random)) * bound;
    while ((uint64_t)product < threshold);
    return (uint64_t)(product >> 64);
}

double random_uniform(struct random *random)
{
    return (double)(random_u64(random) >> 11) * 0x1p-53;
}

/* ln(x) for normal x > 0: x = m * 2^e with m in [sqrt(1/2), sqrt(2)), ln(m) = 2 atanh((m-1)/(m+1)), |z| <
 * 0.172. */
static double random_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    double z = (m - 1) / (m + 1);
    double square = z * z;
    double sum = 0;
    for (int odd = 23; odd >= 1; odd -= 2)
        sum = sum * square + 1.0 / odd;
    return 2 * z * sum + exponent * 0.69314718055994531;
}

/* exp(-x) for x in [0, 700]: Taylor series of exp(-x / 1024), squared ten times; relative error below 1e-12.
 */
static double random_exp_negative(double x)
{
    double small = -x / 1024;
    double sum = 1;
    for (int term = 14; term >= 1; term--)
        sum = 1 + small / term * sum;
    for (int square = 0; square < 10; square++)
        sum *= sum;
    return sum;
}

/* Polar method (Marsaglia & Bray 1964). The second value is thrown away: a stream has no hidden half. */
double random_normal(struct random *random)
{
    double u, v, square;
    do {
        u = 2 * random_uniform(random) - 1;
        v = 2 * random_uniform(random) - 1;
        square = u * u + v * v;
    } while (square >= 1 || square == 0);
    return u * sqrt(-2 * random_log(square) / square);
}

/* Inversion by sequential search (Devroye 1986, X.3): one uniform per value, so a stream stays in step
 * whatever the mean. exp(-700) is still a normal double, which is where the bound on the mean comes from. */
int random_poisson(struct random *random, double mean)
{
    assert(mean >= 0 && mean <= 700);
    double uniform = random_uniform(random);
    double probability = random_exp_negative(mean);
    double below = probability;
    int count = 0;
    while (uniform >= below && count < 2000) { /* 2000: 49 deviations beyond the largest mean */
        count++;
        probability *= mean / count;
        double next = below + probability;
        if (next == below && count > mean)
            break; /* the sum of all terms is rounded to less than `uniform` */
        below = next;
    }
    return count;
}
