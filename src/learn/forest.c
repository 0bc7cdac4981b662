/* Forest: allocation, checks, and the walk.
 *
 * Walking is what serving a prediction costs, so forest_seal lays the trees out anew for it:
 *
 *   A node is 8 bytes. Its two children lie side by side, so a step is `i = child + (goes right)`: no branch
 * that could be mispredicted. A leaf points at itself with a threshold nothing exceeds; every tree can then
 * be walked for exactly its depth, several trees (one row) or several rows (one tree) in lockstep, and the
 * waits for memory overlap.
 *
 *   Values are compared as integers. A float's bits, with the lower 31 inverted when negative, order like the
 * float. Each column gives two keys that differ only for NaN: one larger and one smaller than any number. A
 * node reads the one that sends NaN to its default side, so missing values cost nothing.
 *
 * The sums stay in double, per output in tree order: bit for bit what LightGBM adds up. */
#include "learn/forest.h"
#include "learn/forest_parts.h"
#include "limits.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES = 8,          /* trees or rows in lockstep: enough to hide a first-level cache miss */
    BLOCK_KEYS = 16384, /* 64 kB of keys per block of rows: stays in the second-level cache, fits any stack */
    BLOCK_ROWS = 32,    /* a tree's nodes serve so many rows while they are in the first-level cache */
    KEYS_PER_COLUMN = 2, /* NaN right, NaN left */
};
static_assert(BLOCK_KEYS >= KEYS_PER_COLUMN * LIMIT_FEATURES, "one row's keys fit a block");
static_assert(KEYS_PER_COLUMN * LIMIT_FEATURES <= UINT16_MAX, "a key's index fits a node");
static_assert(BLOCK_ROWS % LANES == 0, "blocks are made of whole lanes");

static size_t node_count(const struct forest *forest)
{
    return forest->split_count + forest->leaf_count;
}

static bool allocate_arrays(struct forest *forest)
{
    size_t splits = forest->split_count + 1; /* never 0 bytes: calloc may answer NULL to that */
    forest->trees = calloc(forest->tree_count, sizeof *forest->trees);
    forest->splits = calloc(splits, sizeof *forest->splits);
    forest->leaf_value = calloc(forest->leaf_count, sizeof *forest->leaf_value);
    forest->leaf_cover = calloc(forest->leaf_count, sizeof *forest->leaf_cover);
    forest->nodes = calloc(node_count(forest), sizeof *forest->nodes);
    forest->node_value = calloc(node_count(forest), sizeof *forest->node_value);
    forest->node_first = calloc(forest->tree_count, sizeof *forest->node_first);
    forest->depth = calloc(forest->tree_count, sizeof *forest->depth);
    return forest->trees && forest->splits && forest->leaf_value && forest->leaf_cover && forest->nodes &&
           forest->node_value && forest->node_first && forest->depth;
}

enum err_code forest_allocate(size_t columns, size_t outputs, size_t tree_count, size_t leaf_count,
                              struct forest **out, struct err *err)
{
    *out = NULL;
    if (columns < 1 || columns > LIMIT_FEATURES)
        return err_set(err, ERR_TOO_LARGE, "forest of %zu columns, 1 to %d are possible", columns,
                       LIMIT_FEATURES);
    if (outputs < 1 || outputs > FOREST_OUTPUTS)
        return err_set(err, ERR_TOO_LARGE, "forest of %zu outputs, 1 to %d are possible", outputs,
                       FOREST_OUTPUTS);
    if (tree_count < 1 || tree_count > LIMIT_TREES || tree_count % outputs != 0)
        return err_set(err, ERR_TOO_LARGE,
                       "forest of %zu trees for %zu outputs, a multiple up to %d is possible", tree_count,
                       outputs, LIMIT_TREES);
    if (leaf_count < tree_count || leaf_count > LIMIT_MODEL_BYTES / sizeof(double))
        return err_set(err, ERR_TOO_LARGE, "forest of %zu leaves in %zu trees", leaf_count, tree_count);
    struct forest *forest = calloc(1, sizeof *forest);
    if (!forest)
        return err_nomem(err, sizeof *forest);
    forest->columns = columns;
    forest->outputs = outputs;
    forest->tree_count = tree_count;
    forest->leaf_count = leaf_count;
    forest->split_count = leaf_count - tree_count;
    if (!allocate_arrays(forest)) {
        forest_destroy(forest);
        return err_nomem(err, leaf_count * (sizeof(struct forest_split) + sizeof(double)));
    }
    *out = forest;
    return ERR_OK;
}

void forest_destroy(struct forest *forest)
{
    if (!forest)
        return;
    free(forest->trees);
    free(forest->splits);
    free(forest->leaf_value);
    free(forest->leaf_cover);
    free(forest->nodes);
    free(forest->node_value);
    free(forest->node_first);
    free(forest->depth);
    free(forest);
}

/* ---- seal ---- */

/* The order of floats as the order of integers; -0 becomes +0 first, as they compare equal. */
static int32_t key_of(float value)
{
    int32_t bits;
    value += 0.0f;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((bits >> 31) & INT32_MAX);
}

static enum err_code check_split(const struct forest *forest, size_t tree, const struct forest_split *split,
                                 struct err *err)
{
    if (split->feature >= forest->columns)
        return err_set(err, ERR_CORRUPT, "tree %zu splits on column %u of %zu", tree, split->feature,
                       forest->columns);
    if (isnan(split->threshold) || !isfinite(split->gain))
        return err_set(err, ERR_CORRUPT, "tree %zu has a threshold or gain that is not a number", tree);
    return ERR_OK;
}

/* A child must be a leaf or a later split of the tree, and nobody else's child: n - 1 splits then have 2n - 2
 * distinct children, which is every node but the root. A tree, without loops, all of it in reach.
 * has_parent[leaves + child]: leaves are negative. */
static enum err_code check_child(const struct forest *forest, size_t tree, int64_t parent, int32_t child,
                                 bool *has_parent, struct err *err)
{
    int64_t leaves = forest->trees[tree].leaf_count;
    bool is_good = child >= 0 ? child > parent && child < leaves - 1 : child >= -leaves;
    if (!is_good || has_parent[leaves + child])
        return err_set(err, ERR_CORRUPT, "tree %zu split %d has a child that cannot be: %d", tree,
                       (int)parent, child);
    has_parent[leaves + child] = true;
    return ERR_OK;
}

static enum err_code check_tree(const struct forest *forest, size_t tree, bool *has_parent, struct err *err)
{
    const struct forest_tree *shape = &forest->trees[tree];
    memset(has_parent, 0, 2 * (size_t)shape->leaf_count);
    for (uint32_t i = 0; i + 1 < shape->leaf_count; i++) {
        const struct forest_split *split = &forest->splits[shape->first_split + i];
        enum err_code code = check_split(forest, tree, split, err);
        if (!code)
            code = check_child(forest, tree, i, split->left, has_parent, err);
        if (!code)
            code = check_child(forest, tree, i, split->right, has_parent, err);
        if (code)
            return code;
    }
    for (uint32_t i = 0; i < shape->leaf_count; i++)
        if (!isfinite(forest->leaf_value[shape->first_leaf + i]))
            return err_set(err, ERR_CORRUPT, "tree %zu leaf %u has no finite value", tree, i);
    return ERR_OK;
}

/* What the layout needs beside the forest, for the largest tree. */
struct layout {
    int32_t *reference; /* per slot: the split (>= 0) or ~leaf that stands there */
    uint16_t *level;    /* per slot: steps from the root */
};

static struct forest_node leaf_node(uint32_t slot)
{
    return (struct forest_node){INT32_MAX, 0, (uint16_t)slot};
}

static struct forest_node split_node(const struct forest_split *split, uint32_t child)
{
    uint32_t key = KEYS_PER_COLUMN * split->feature + split->default_left;
    return (struct forest_node){key_of(split->threshold), (uint16_t)key, (uint16_t)child};
}

/* Lays out one checked tree breadth first; the slots filled so far are the queue. check_tree has shown that
 * every split and leaf has one parent, so exactly 2 * leaves - 1 slots are filled. */
static void lay_out(struct forest *forest, size_t tree, struct layout *layout)
{
    const struct forest_tree *shape = &forest->trees[tree];
    struct forest_node *nodes = forest->nodes + forest->node_first[tree];
    double *values = forest->node_value + forest->node_first[tree];
    uint32_t filled = 1;
    layout->reference[0] = shape->leaf_count > 1 ? 0 : ~0;
    layout->level[0] = 0;
    for (uint32_t slot = 0; slot < filled; slot++) {
        int32_t reference = layout->reference[slot];
        if (reference < 0) {
            nodes[slot] = leaf_node(slot);
            values[slot] = forest->leaf_value[shape->first_leaf + (uint32_t)~reference];
            forest->depth[tree] = layout->level[slot]; /* breadth first: the last leaf is the deepest */
            continue;
        }
        const struct forest_split *split = &forest->splits[shape->first_split + (uint32_t)reference];
        nodes[slot] = split_node(split, filled);
        layout->reference[filled] = split->left;
        layout->reference[filled + 1] = split->right;
        layout->level[filled] = layout->level[filled + 1] = (uint16_t)(layout->level[slot] + 1);
        filled += 2;
    }
    assert(filled == 2 * shape->leaf_count - 1);
}

/* The trees must cover splits[] and leaves exactly, one after another. */
static enum err_code check_shapes(const struct forest *forest, uint32_t *most_leaves, struct err *err)
{
    size_t splits = 0, leaves = 0;
    *most_leaves = 0;
    for (size_t t = 0; t < forest->tree_count; t++) {
        const struct forest_tree *shape = &forest->trees[t];
        if (shape->leaf_count < 1 || shape->leaf_count > FOREST_TREE_LEAVES)
            return err_set(err, ERR_CORRUPT, "tree %zu has %u leaves, 1 to %d are possible", t,
                           shape->leaf_count, FOREST_TREE_LEAVES);
        if (shape->first_split != splits || shape->first_leaf != leaves ||
            shape->leaf_count > forest->leaf_count - leaves)
            return err_set(err, ERR_CORRUPT, "tree %zu lies outside the forest", t);
        splits += shape->leaf_count - 1;
        leaves += shape->leaf_count;
        *most_leaves = shape->leaf_count > *most_leaves ? shape->leaf_count : *most_leaves;
    }
    if (leaves != forest->leaf_count)
        return err_set(err, ERR_CORRUPT, "the trees have %zu leaves, the forest %zu", leaves,
                       forest->leaf_count);
    return ERR_OK;
}

enum err_code forest_seal(struct forest *forest, struct err *err)
{
    uint32_t most_leaves = 0, next = 0;
    enum err_code code = check_shapes(forest, &most_leaves, err);
    if (code)
        return code;
    size_t most_nodes = 2 * (size_t)most_leaves;
    bool *has_parent = calloc(most_nodes, sizeof *has_parent);
    struct layout layout = {
        .reference = calloc(most_nodes, sizeof *layout.reference),
        .level = calloc(most_nodes, sizeof *layout.level),
    };
    if (!has_parent || !layout.reference || !layout.level)
        code = err_nomem(err, most_nodes * sizeof *layout.reference);
    for (size_t t = 0; !code && t < forest->tree_count; t++) {
        forest->node_first[t] = next;
        next += 2 * forest->trees[t].leaf_count - 1;
        code = check_tree(forest, t, has_parent, err);
        if (!code)
            lay_out(forest, t, &layout);
    }
    free(has_parent);
    free(layout.reference);
    free(layout.level);
    return code;
}

/* ---- the walk ---- */

static void make_keys(const float *x, size_t columns, int32_t *keys)
{
    for (size_t c = 0; c < columns; c++) {
        int32_t key = key_of(x[c]);
        bool is_missing = isnan(x[c]);
        keys[KEYS_PER_COLUMN * c] = is_missing ? INT32_MAX : key;
        keys[KEYS_PER_COLUMN * c + 1] = is_missing ? INT32_MIN : key;
    }
}

static inline uint32_t step(const struct forest_node *nodes, uint32_t at, const int32_t *keys)
{
    const struct forest_node *node = nodes + at;
    return node->child + (uint32_t)(keys[node->key] > node->threshold);
}

/* Named variables, not an array: arrays of positions end up on the stack, and the walk waits for it. */
#define WALK(NODES, KEYS, STEPS)                                                                             \
    uint32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;                                         \
    for (unsigned left = (STEPS); left > 0; left--) {                                                        \
        a = step(NODES(0), a, KEYS(0));                                                                      \
        b = step(NODES(1), b, KEYS(1));                                                                      \
        c = step(NODES(2), c, KEYS(2));                                                                      \
        d = step(NODES(3), d, KEYS(3));                                                                      \
        e = step(NODES(4), e, KEYS(4));                                                                      \
        f = step(NODES(5), f, KEYS(5));                                                                      \
        g = step(NODES(6), g, KEYS(6));                                                                      \
        h = step(NODES(7), h, KEYS(7));                                                                      \
    }                                                                                                        \
    const uint32_t end[LANES] = {a, b, c, d, e, f, g, h};

static unsigned deepest(const uint16_t *depth)
{
    unsigned most = 0;
    for (size_t i = 0; i < LANES; i++)
        most = depth[i] > most ? depth[i] : most;
    return most;
}

/* Trees t..t+LANES-1 for one row. */
static void walk_trees(const struct forest *forest, size_t t, const int32_t *keys, double *values)
{
    const uint32_t *first = forest->node_first + t;
    const struct forest_node *nodes = forest->nodes;
#define NODES(lane) (nodes + first[lane])
#define KEYS(lane)  keys
    WALK(NODES, KEYS, deepest(forest->depth + t))
#undef NODES
#undef KEYS
    for (size_t i = 0; i < LANES; i++)
        values[i] = forest->node_value[first[i] + end[i]];
}

/* One tree for LANES rows; keys of a row are `stride` apart. */
static void walk_rows(const struct forest *forest, size_t t, const int32_t *keys, size_t stride,
                      double *values)
{
    const struct forest_node *nodes = forest->nodes + forest->node_first[t];
#define NODES(lane) nodes
#define KEYS(lane)  (keys + (lane)*stride)
    WALK(NODES, KEYS, forest->depth[t])
#undef NODES
#undef KEYS
    for (size_t i = 0; i < LANES; i++)
        values[i] = forest->node_value[forest->node_first[t] + end[i]];
}

static void predict_row(const struct forest *forest, const int32_t *keys, double *out)
{
    size_t output = 0, t = 0;
    double values[LANES];
    for (; t < forest->tree_count; t += LANES) {
        size_t count = forest->tree_count - t;
        if (count >= LANES) {
            count = LANES;
            walk_trees(forest, t, keys, values);
        } else {
            for (size_t i = 0; i < count; i++) {
                const struct forest_node *nodes = forest->nodes + forest->node_first[t + i];
                uint32_t at = 0;
                for (unsigned left = forest->depth[t + i]; left > 0; left--)
                    at = step(nodes, at, keys);
                values[i] = forest->node_value[forest->node_first[t + i] + at];
            }
        }
        for (size_t i = 0; i < count; i++) {
            out[output] += values[i];
            output = output + 1 == forest->outputs ? 0 : output + 1;
        }
    }
}

/* rows is a multiple of LANES. */
static void predict_block(const struct forest *forest, const int32_t *keys, size_t rows, double *out)
{
    size_t stride = KEYS_PER_COLUMN * forest->columns, output = 0;
    for (size_t t = 0; t < forest->tree_count; t++) {
        for (size_t row = 0; row < rows; row += LANES) {
            double values[LANES];
            walk_rows(forest, t, keys + row * stride, stride, values);
            for (size_t i = 0; i < LANES; i++)
                out[(row + i) * forest->outputs + output] += values[i];
        }
        output = output + 1 == forest->outputs ? 0 : output + 1;
    }
}

void forest_predict_raw(const struct forest *forest, const float *x, size_t rows, double *out)
{
    int32_t keys[BLOCK_KEYS];
    size_t stride = KEYS_PER_COLUMN * forest->columns;
    size_t fit = BLOCK_KEYS / stride < BLOCK_ROWS ? BLOCK_KEYS / stride / LANES * LANES : BLOCK_ROWS;
    for (size_t row = 0; row < rows;) {
        size_t count = rows - row < fit ? (rows - row) / LANES * LANES : fit;
        bool is_single = count == 0;
        count = is_single ? 1 : count;
        for (size_t i = 0; i < count; i++)
            make_keys(x + (row + i) * forest->columns, forest->columns, keys + i * stride);
        double *scores = out + row * forest->outputs;
        memset(scores, 0, count * forest->outputs * sizeof *scores);
        if (is_single)
            predict_row(forest, keys, scores);
        else
            predict_block(forest, keys, count, scores);
        row += count;
    }
    size_t rounds = forest->tree_count / forest->outputs;
    for (size_t i = 0; forest->is_average && i < rows * forest->outputs; i++)
        out[i] /= (double)rounds;
}

/* ---- the rest ---- */

size_t forest_tree_count(const struct forest *forest)
{
    return forest->tree_count;
}

size_t forest_outputs(const struct forest *forest)
{
    return forest->outputs;
}

size_t forest_columns(const struct forest *forest)
{
    return forest->columns;
}

void forest_gain(const struct forest *forest, double *out)
{
    memset(out, 0, forest->columns * sizeof *out);
    for (size_t i = 0; i < forest->split_count; i++)
        out[forest->splits[i].feature] += (double)forest->splits[i].gain;
}
