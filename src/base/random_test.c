/* Tests of base/random.h: published vectors, then moments and frequencies within five standard errors
 * (seeded, so they pass always or never). */
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_published_vectors(void **state)
{
    (void)state;
    /* xoshiro256** from state 1, 2, 3, 4: the vector the Rust crate rand_xoshiro took from the authors' C
     * code */
    struct random random = {{1, 2, 3, 4}};
    static const uint64_t expected[] = {UINT64_C(11520),
                                        UINT64_C(0),
                                        UINT64_C(1509978240),
                                        UINT64_C(1215971899390074240),
                                        UINT64_C(1216172134540287360),
                                        UINT64_C(607988272756665600),
                                        UINT64_C(16172922978634559625),
                                        UINT64_C(8476171486693032832),
                                        UINT64_C(10595114339597558777),
                                        UINT64_C(2904607092377533576)};
    for (size_t index = 0; index < sizeof(expected) / sizeof(expected[0]); index++)
        assert_true(random_u64(&random) == expected[index]);
    /* splitmix64 from seed 1234567 fills the state */
    random_init(&random, 1234567);
    assert_true(random.state[0] == UINT64_C(6457827717110365317));
    assert_true(random.state[1] == UINT64_C(3203168211198807973));
    assert_true(random.state[2] == UINT64_C(9817491932198370423));
    assert_true(random.state[3] == UINT64_C(4593380528125082431));
}

static void test_below(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 3);
    enum { BOUND = 7, ROUNDS = 700000 };
    const double expected = (double)ROUNDS / BOUND;
    double counts[BOUND] = {0};
    for (int round = 0; round < ROUNDS; round++)
        counts[random_below(&random, BOUND)]++;
    double chi_square = 0;
    for (int value = 0; value < BOUND; value++)
        chi_square += (counts[value] - expected) * (counts[value] - expected) / expected;
    assert_true(chi_square < 27.9); /* 6 degrees of freedom, p = 0.0001 */
    for (int round = 0; round < 100; round++)
        assert_int_equal(random_below(&random, 1), 0);
    /* with a bound of 3 * 2^62 the plain product would give multiples of 3 twice as often as the others */
    double multiples = 0;
    for (int round = 0; round < 100000; round++)
        multiples += random_below(&random, UINT64_C(3) << 62) % 3 == 0;
    assert_true(fabs(multiples / 100000 - 1.0 / 3) < 5 * sqrt(2.0 / 9 / 100000));
    for (int round = 0; round < 1000; round++)
        assert_true(random_below(&random, UINT64_MAX) < UINT64_MAX);
}

static void test_uniform(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 4);
    double sum = 0, squares = 0;
    for (int round = 0; round < 1000000; round++) {
        double value = random_uniform(&random);
        assert_true(value >= 0 && value < 1);
        sum += value;
        squares += value * value;
    }
    assert_true(fabs(sum / 1e6 - 0.5) < 5 * sqrt(1.0 / 12 / 1e6));
    assert_true(fabs(squares / 1e6 - 1.0 / 3) < 5 * sqrt(4.0 / 45 / 1e6));
}

static void test_normal(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 5);
    enum { ROUNDS = 1000000 };
    double sums[5] = {0};
    double beyond_two = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double value = random_normal(&random);
        double power = 1;
        for (int order = 1; order <= 4; order++)
            sums[order] += power *= value;
        beyond_two += fabs(value) > 2;
    }
    assert_true(fabs(sums[1] / ROUNDS) < 5 * sqrt(1.0 / ROUNDS));
    assert_true(fabs(sums[2] / ROUNDS - 1) < 5 * sqrt(2.0 / ROUNDS));
    assert_true(fabs(sums[3] / ROUNDS) < 5 * sqrt(15.0 / ROUNDS));
    assert_true(fabs(sums[4] / ROUNDS - 3) < 5 * sqrt(96.0 / ROUNDS));
    assert_true(fabs(beyond_two / ROUNDS - 0.0455002639) < 5 * sqrt(0.0455 * 0.9545 / ROUNDS));
}

/* Frequencies against the probabilities as lgamma gives them, counts pooled where fewer than five are
 * expected. */
static void test_poisson(void **state)
{
    (void)state;
    static const double means[] = {0.01, 0.5, 1.4, 2.7, 30, 700};
    struct random random;
    random_init(&random, 6);
    for (size_t index = 0; index < sizeof(means) / sizeof(means[0]); index++) {
        enum { ROUNDS = 100000, MOST = 2001 };
        static double counts[MOST];
        double mean = means[index];
        double sum = 0, squares = 0;
        memset(counts, 0, sizeof(counts));
        for (int round = 0; round < ROUNDS; round++) {
            int value = random_poisson(&random, mean);
            assert_in_range(value, 0, MOST - 1);
            counts[value]++;
            sum += value;
            squares += (value - mean) * (value - mean);
        }
        assert_true(fabs(sum / ROUNDS - mean) < 5 * sqrt(mean / ROUNDS));
        assert_true(fabs(squares / ROUNDS - mean) < 5 * sqrt((mean + 2 * mean * mean) / ROUNDS));
        double chi_square = 0, cells = 0;
        for (int value = 0; value < MOST; value++) {
            double expected = ROUNDS * exp(value * log(mean) - mean - lgamma(value + 1.0));
            if (expected < 5)
                continue;
            chi_square += (counts[value] - expected) * (counts[value] - expected) / expected;
            cells++;
        }
        assert_true(chi_square < cells + 5 * sqrt(2 * cells) + 10);
    }
    for (int round = 0; round < 1000; round++)
        assert_int_equal(random_poisson(&random, 0), 0);
}

static void test_same_seed_same_stream(void **state)
{
    (void)state;
    struct random first, second;
    random_init(&first, 42);
    random_init(&second, 42);
    for (int round = 0; round < 1000; round++) {
        double a = random_normal(&first), b = random_normal(&second);
        assert_memory_equal(&a, &b, sizeof(a));
        assert_int_equal(random_poisson(&first, 1.3), random_poisson(&second, 1.3));
    }
    random_init(&first, 42); /* splitmix64 and xoshiro256** written again in Python */
    assert_true(random_u64(&first) == UINT64_C(1546998764402558742));
    random_init(&second, 43);
    assert_true(random_u64(&first) != random_u64(&second));
}

/* The polar method again with the logarithm of libm: random.c has its own, whose error must stay in the last
 * bits. */
static void test_normal_like_libm(void **state)
{
    (void)state;
    struct random random, copy;
    random_init(&random, 8);
    copy = random;
    for (int round = 0; round < 100000; round++) {
        double value = random_normal(&random);
        double u, v, square;
        do {
            u = 2 * random_uniform(&copy) - 1;
            v = 2 * random_uniform(&copy) - 1;
            square = u * u + v * v;
        } while (square >= 1 || square == 0);
        double expected = u * sqrt(-2 * log(square) / square);
        assert_true(fabs(value - expected) <= 1e-14 * fabs(expected) + 1e-15);
    }
}

static void test_forks_are_independent(void **state)
{
    (void)state;
    struct random parent;
    random_init(&parent, 7);
    struct random before = parent;
    enum { STREAMS = 200 };
    struct random streams[STREAMS];
    for (uint64_t index = 0; index < STREAMS; index++)
        streams[index] = random_fork(&parent, index);
    assert_memory_equal(&parent, &before, sizeof(parent));
    for (size_t index = 0; index < STREAMS; index++)
        for (size_t other = 0; other < index; other++)
            for (int word = 0; word < 4; word++)
                assert_true(streams[index].state[word] != streams[other].state[word]);
    struct random again = random_fork(&parent, 5);
    assert_memory_equal(&again, &streams[5], sizeof(again));
    double correlation = 0, bits = 0; /* of neighbours, and of a child with its parent */
    for (int round = 0; round < 100000; round++) {
        correlation += (random_uniform(&streams[0]) - 0.5) * (random_uniform(&streams[1]) - 0.5) * 12;
        bits += __builtin_popcountll(random_u64(&streams[2]) ^ random_u64(&parent));
    }
    assert_true(fabs(correlation / 100000) < 5 / sqrt(100000.0));
    assert_true(fabs(bits / 100000 - 32) < 5 * sqrt(16.0 / 100000));
    struct random moved = random_fork(&parent, 5); /* the parent has advanced */
    assert_memory_not_equal(&moved, &again, sizeof(moved));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors), cmocka_unit_test(test_below),
        cmocka_unit_test(test_uniform),           cmocka_unit_test(test_normal),
        cmocka_unit_test(test_poisson),           cmocka_unit_test(test_same_seed_same_stream),
        cmocka_unit_test(test_normal_like_libm),  cmocka_unit_test(test_forks_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
