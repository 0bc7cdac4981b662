/* Made rows for tests of metrics and calibration, the same to the bit here and in Python, so that reference
 * values can be computed there. Labels are drawn from p^2 renormalised: the probabilities are underconfident
 * on purpose.
 *
 *   def rows(n, s):
 *       def u(): nonlocal s; s = (s * 1103515245 + 12345) & 0x7fffffff; return s / 2147483648.0
 *       for r in range(n):
 *           a = [0.05 + u() for _ in range(3)]; p = a / (a[0] + a[1] + a[2]); q = p * p
 *           t = u() * (q[0] + q[1] + q[2]); label = 0 if t < q[0] else 1 if t < q[0] + q[1] else 2
 */
#ifndef ALMANAC_LEARN_TEST_ROWS_H
#define ALMANAC_LEARN_TEST_ROWS_H

#include <stddef.h>
#include <stdint.h>

static inline double test_rows_uniform(uint32_t *state)
{
    *state = (*state * UINT32_C(1103515245) + 12345u) & UINT32_C(0x7fffffff);
    return *state / 2147483648.0;
}

/* p[rows][3], label[rows] */
static inline void test_rows_fill(size_t rows, uint32_t state, double *p, int32_t *label)
{
    for (size_t row = 0; row < rows; row++) {
        double *one = p + 3 * row, a[3], q[3];
        for (int index = 0; index < 3; index++)
            a[index] = 0.05 + test_rows_uniform(&state);
        for (int index = 0; index < 3; index++) {
            one[index] = a[index] / (a[0] + a[1] + a[2]);
            q[index] = one[index] * one[index];
        }
        double t = test_rows_uniform(&state) * (q[0] + q[1] + q[2]);
        label[row] = t < q[0] ? 0 : t < q[0] + q[1] ? 1 : 2;
    }
}

#endif
