/* Test forest: random forests by hand, and the plainest possible prediction, for tests only. */
#ifndef ALMANAC_LEARN_TEST_FOREST_H
#define ALMANAC_LEARN_TEST_FOREST_H

#include "base/random.h"
#include "learn/forest_parts.h"
#include <assert.h>
#include <math.h>

/* A value for features and thresholds: few, so that they often meet, and the odd ones among them. */
static inline float test_forest_value(struct random *random)
{
    static const float odd[] = {0.0f, -0.0f, 1e-35f, -1e-35f, 1e-44f, -1e-44f, INFINITY, -INFINITY, 3.4e38f};
    uint64_t choice = random_below(random, 40);
    return choice < sizeof odd / sizeof odd[0] ? odd[choice] : (float)random_below(random, 21) - 10.0f;
}

/* Tree t grows by splitting a random leaf, as LightGBM does: parents come before children. */
static inline void test_forest_grow(struct forest *forest, size_t t, struct random *random)
{
    const struct forest_tree *tree = &forest->trees[t];
    struct forest_split *splits = forest->splits + tree->first_split;
    int32_t *where[2048] = {NULL}; /* the child slot that points to each leaf */
    assert(tree->leaf_count <= 2048);
    for (int32_t i = 0; i + 1 < (int32_t)tree->leaf_count; i++) {
        uint64_t leaf = random_below(random, (uint64_t)i + 1);
        if (where[leaf])
            *where[leaf] = i;
        splits[i] = (struct forest_split){
            .threshold = test_forest_value(random),
            .gain = (float)random_uniform(random),
            .feature = (uint32_t)random_below(random, forest->columns),
            .cover = (uint32_t)i,
            .left = ~(int32_t)leaf,
            .right = ~(i + 1),
            .default_left = random_below(random, 2) == 1,
        };
        where[leaf] = &splits[i].left;
        where[i + 1] = &splits[i].right;
    }
    for (uint32_t i = 0; i < tree->leaf_count; i++) {
        forest->leaf_value[tree->first_leaf + i] = random_normal(random);
        forest->leaf_cover[tree->first_leaf + i] = i;
    }
}

/* Not sealed. Trees have 1 to `most_leaves` leaves. */
static inline struct forest *test_forest_create(size_t columns, size_t outputs, size_t trees,
                                                uint32_t most_leaves, uint64_t seed)
{
    struct random random, again;
    struct forest *forest = NULL;
    uint32_t splits = 0, leaves = 0;
    random_init(&random, seed);
    again = random;
    for (size_t t = 0; t < trees; t++)
        leaves += 1 + (uint32_t)random_below(&random, most_leaves);
    enum err_code code = forest_allocate(columns, outputs, trees, leaves, &forest, NULL);
    assert(!code);
    leaves = 0;
    for (size_t t = 0; t < trees; t++) {
        uint32_t count = 1 + (uint32_t)random_below(&again, most_leaves);
        forest->trees[t] = (struct forest_tree){splits, leaves, count};
        splits += count - 1;
        leaves += count;
        test_forest_grow(forest, t, &random);
    }
    return forest;
}

/* By the definition in forest_parts.h. */
static inline void test_forest_predict(const struct forest *forest, const float *x, double *out)
{
    for (size_t k = 0; k < forest->outputs; k++)
        out[k] = 0;
    for (size_t t = 0; t < forest->tree_count; t++) {
        const struct forest_tree *tree = &forest->trees[t];
        int32_t at = tree->leaf_count > 1 ? 0 : ~0;
        while (at >= 0) {
            const struct forest_split *split = &forest->splits[tree->first_split + (uint32_t)at];
            float value = x[split->feature];
            bool left = isnan(value) ? split->default_left : value <= split->threshold;
            at = left ? split->left : split->right;
        }
        out[t % forest->outputs] += forest->leaf_value[tree->first_leaf + (uint32_t)~at];
    }
    size_t rounds = forest->tree_count / forest->outputs;
    for (size_t k = 0; forest->is_average && k < forest->outputs; k++)
        out[k] /= (double)rounds;
}

#endif
