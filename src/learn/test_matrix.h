/* Test matrix: random features with missing values and a label that depends on some of them, for tests only.
 */
#ifndef ALMANAC_LEARN_TEST_MATRIX_H
#define ALMANAC_LEARN_TEST_MATRIX_H

#include "base/random.h"
#include "learn/dataset.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEST_NAME_BYTES = 32 };

struct test_matrix {
    float *x;
    int32_t *label, *group;
    int64_t *time_us;
    char (*texts)[TEST_NAME_BYTES];
    const char **names;
    struct dataset data;
};

/* Columns are called f0, f1, ... Every 5th column has missing values; odd columns are small whole numbers
 * with many ties and zeros. The label follows f0, f1 and whether f5 is there. */
static inline struct test_matrix test_matrix_create(size_t rows, size_t columns, size_t classes,
                                                    uint64_t seed)
{
    struct test_matrix m = {
        .x = calloc(rows * columns, sizeof(float)),
        .label = calloc(rows, sizeof(int32_t)),
        .group = calloc(rows, sizeof(int32_t)),
        .time_us = calloc(rows, sizeof(int64_t)),
        .texts = calloc(columns, sizeof *m.texts),
        .names = calloc(columns, sizeof *m.names),
    };
    struct random random;
    assert(m.x && m.label && m.group && m.time_us && m.texts && m.names);
    random_init(&random, seed);
    for (size_t c = 0; c < columns; c++) {
        (void)snprintf(m.texts[c], TEST_NAME_BYTES, "f%zu", c);
        m.names[c] = m.texts[c];
    }
    for (size_t i = 0; i < rows; i++) {
        double latent = 2 * random_normal(&random);
        for (size_t c = 0; c < columns; c++) {
            double value = random_normal(&random);
            value = c % 2 ? nearbyint(value * 2) : value;
            latent += c < 2 ? value : 0;
            if (c % 5 == 0 && random_uniform(&random) < 0.2) {
                value = (double)NAN;
                latent += c == 5 ? 1 : 0;
            }
            m.x[i * columns + c] = (float)value;
        }
        for (size_t k = 1; k < classes; k++)
            m.label[i] += latent > 3.0 * (double)k / (double)classes - 1.5 ? 1 : 0;
        m.time_us[i] = (int64_t)i;
    }
    m.data = (struct dataset){.x = m.x,
                              .rows = rows,
                              .columns = columns,
                              .label = m.label,
                              .classes = classes,
                              .time_us = m.time_us,
                              .block = m.time_us,
                              .group = m.group,
                              .names = m.names};
    return m;
}

static inline void test_matrix_destroy(struct test_matrix *m)
{
    free(m->x);
    free(m->label);
    free(m->group);
    free(m->time_us);
    free(m->texts);
    free(m->names);
}

#endif
