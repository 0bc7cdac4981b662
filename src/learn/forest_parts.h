/* Forest parts: what the makers of a forest (model text, file) fill, shared by forest*.c only.
 *
 * A maker allocates with forest_allocate, fills trees, splits and leaves, and calls forest_seal, the one
 * place that checks them; only a sealed forest may predict. Memory: one heap object each, forest_destroy
 * frees all, also of a forest that was never sealed. Threads: one until sealed. */
#ifndef ALMANAC_LEARN_FOREST_PARTS_H
#define ALMANAC_LEARN_FOREST_PARTS_H

#include "learn/forest.h"
#include <stdbool.h>

enum { FOREST_TREE_LEAVES = 32768 }; /* 2 * leaves - 1 walking nodes per tree fit in 16 bits */
enum { FOREST_OUTPUTS = 64 };

struct forest_tree {
    uint32_t first_split, first_leaf; /* of this tree in splits[] and leaves */
    uint32_t leaf_count;              /* >= 1; the tree has leaf_count - 1 splits, the first is the root */
};

/* x[feature] <= threshold goes left; NaN goes left when default_left. A child >= 0 is a split of the same
 * tree (counted from its first split) and comes after its parent; a negative one is ~leaf (from its first
 * leaf). */
struct forest_split {
    float threshold, gain;
    uint32_t feature, cover; /* cover: training rows that came here */
    int32_t left, right;
    bool default_left;
};

/* One step of the walk, 8 bytes: see forest.c. */
struct forest_node {
    int32_t threshold;
    uint16_t key, child;
};

struct forest {
    size_t columns, outputs, tree_count, split_count, leaf_count;
    bool is_average;             /* raw scores are divided by the trees per output (random forests) */
    struct forest_tree *trees;   /* [tree_count] */
    struct forest_split *splits; /* [split_count] */
    double *leaf_value;          /* [leaf_count] */
    uint32_t *leaf_cover;        /* [leaf_count] */
    /* made by forest_seal: tree t walks nodes[node_first[t]..], node_value stands beside each leaf node */
    struct forest_node *nodes; /* [split_count + leaf_count] */
    double *node_value;        /* [split_count + leaf_count] */
    uint32_t *node_first;      /* [tree_count] */
    uint16_t *depth;           /* [tree_count] steps from the root to the deepest leaf */
};

/* Zeroed arrays. leaf_count is the sum over trees; ERR_TOO_LARGE beyond the limits. */
enum err_code forest_allocate(size_t columns, size_t outputs, size_t tree_count, size_t leaf_count,
                              struct forest **out, struct err *err) CHECKED;
/* Checks every index and number and builds the walk. ERR_CORRUPT names the tree at fault. */
enum err_code forest_seal(struct forest *forest, struct err *err) CHECKED;

#endif
