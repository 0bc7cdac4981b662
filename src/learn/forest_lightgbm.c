/* Forest from LightGBM's model text, format v4 (its src/boosting/gbdt_model_text.cpp and src/io/tree.cpp).
 *
 * The text is `key=value` lines: a head, an empty line, one paragraph per tree, "end of trees", and notes
 * that do not matter here. Every key is known or the model is refused: a categorical split or a linear leaf
 * read past would give wrong numbers silently.
 *
 * LightGBM compares float values, cast to double, with double thresholds. For a float x, x <= t is the same
 * as x <= (the largest float not above t), so float thresholds lose nothing. Two more rules of its predictor
 * are folded into the split: values of magnitude up to 1e-35f count as 0, and where NaN was never seen in
 * training
 * ("missing type none") NaN counts as 0, which fixes the side it takes. */
#include "learn/forest.h"
#include "learn/forest_parts.h"
#include "limits.h"

#include <math.h>
#include <string.h>

#define ZERO_MAGNITUDE 1e-35f /* LightGBM's kZeroThreshold */

enum { DECISION_CATEGORICAL = 1, DECISION_DEFAULT_LEFT = 2, DECISION_MISSING_SHIFT = 2 };
enum { MISSING_NONE, MISSING_ZERO, MISSING_NAN };

struct head {
    int64_t tree_per_iteration, max_feature;
    bool is_average;
};

/* One tree's lines; a view stays empty when its key is absent. */
struct tree_text {
    int64_t leaf_count, categorical_count, is_linear;
    struct text feature, gain, threshold, decision, left, right, leaf_value, leaf_count_list, internal_count;
};

static enum err_code refuse_line(struct text line, const char *why, struct err *err)
{
    int shown = (int)(line.size_bytes < 60 ? line.size_bytes : 60);
    return err_set(err, ERR_INVALID, "cannot read LightGBM's model text: %s: '%.*s'", why, shown, line.data);
}

/* key=value; a line without '=' is a key with an empty value. */
static void split_line(struct text line, struct text *key, struct text *value)
{
    const char *sign = memchr(line.data, '=', line.size_bytes);
    size_t key_bytes = sign ? (size_t)(sign - line.data) : line.size_bytes;
    *key = (struct text){line.data, key_bytes};
    *value = sign ? (struct text){sign + 1, line.size_bytes - key_bytes - 1} : (struct text){line.data, 0};
}

static bool is_one_of(struct text key, const char *const *names)
{
    for (; *names; names++)
        if (text_equal(key, *names))
            return true;
    return false;
}

static enum err_code read_head_line(struct text line, struct head *head, struct err *err)
{
    static const char *const ignored[] = {
        "tree",          "num_class",  "label_index",          "objective", "feature_names",
        "feature_infos", "tree_sizes", "monotone_constraints", NULL};
    struct text key, value;
    split_line(line, &key, &value);
    bool is_good = true;
    if (text_equal(key, "version"))
        is_good = text_equal(value, "v4");
    else if (text_equal(key, "num_tree_per_iteration"))
        is_good = text_parse_i64(value, &head->tree_per_iteration);
    else if (text_equal(key, "max_feature_idx"))
        is_good = text_parse_i64(value, &head->max_feature);
    else if (text_equal(key, "average_output"))
        head->is_average = true;
    else
        is_good = is_one_of(key, ignored);
    return is_good ? ERR_OK : refuse_line(line, "unknown line or value", err);
}

static enum err_code read_tree_line(struct text line, struct tree_text *tree, struct err *err)
{
    static const char *const ignored[] = {"leaf_weight", "internal_value", "internal_weight", "shrinkage",
                                          NULL};
    const struct {
        const char *name;
        struct text *view;
        int64_t *number;
    } known[] = {
        {"num_leaves", NULL, &tree->leaf_count},
        {"num_cat", NULL, &tree->categorical_count},
        {"is_linear", NULL, &tree->is_linear},
        {"split_feature", &tree->feature, NULL},
        {"split_gain", &tree->gain, NULL},
        {"threshold", &tree->threshold, NULL},
        {"decision_type", &tree->decision, NULL},
        {"left_child", &tree->left, NULL},
        {"right_child", &tree->right, NULL},
        {"leaf_value", &tree->leaf_value, NULL},
        {"leaf_count", &tree->leaf_count_list, NULL},
        {"internal_count", &tree->internal_count, NULL},
    };
    struct text key, value;
    split_line(line, &key, &value);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!text_equal(key, known[i].name))
            continue;
        if (known[i].view)
            *known[i].view = value;
        else if (!text_parse_i64(value, known[i].number))
            return refuse_line(line, "not an integer", err);
        return ERR_OK;
    }
    return is_one_of(key, ignored) ? ERR_OK : refuse_line(line, "unknown line", err);
}

/* The next number of a list separated by single spaces. */
static bool next_f64(struct text *list, double *out)
{
    struct text part;
    return text_split(list, ' ', &part) && text_parse_f64(part, out);
}

/* A threshold may be infinite: "is there a value at all" is a split too. */
static bool next_threshold(struct text *list, double *out)
{
    struct text part;
    if (!text_split(list, ' ', &part))
        return false;
    bool is_infinite = text_equal(part, "inf") || text_equal(part, "-inf");
    if (is_infinite)
        *out = part.data[0] == '-' ? (double)-INFINITY : (double)INFINITY;
    return is_infinite || text_parse_f64(part, out);
}

static bool next_int(struct text *list, int64_t least, int64_t most, int64_t *out)
{
    struct text part;
    return text_split(list, ' ', &part) && text_parse_i64(part, out) && *out >= least && *out <= most;
}

/* The largest float not above t, with the values that LightGBM takes for 0 all on the side of 0. */
static float float_threshold(double t)
{
    if (t >= -(double)ZERO_MAGNITUDE && t < 0)
        return nextafterf(-ZERO_MAGNITUDE, -INFINITY);
    if (t >= 0 && t < (double)ZERO_MAGNITUDE)
        return ZERO_MAGNITUDE;
    float nearest = (float)t;
    return (double)nearest > t ? nextafterf(nearest, -INFINITY) : nearest;
}

static bool read_split(struct tree_text *text, size_t columns, struct forest_split *split)
{
    int64_t feature, decision, left, right, cover = 0;
    double threshold, gain;
    if (!next_int(&text->feature, 0, (int64_t)columns - 1, &feature) ||
        !next_threshold(&text->threshold, &threshold) || !next_int(&text->decision, 0, INT8_MAX, &decision) ||
        !next_f64(&text->gain, &gain) || !next_int(&text->left, INT32_MIN, INT32_MAX, &left) ||
        !next_int(&text->right, INT32_MIN, INT32_MAX, &right) ||
        !next_int(&text->internal_count, 0, UINT32_MAX, &cover))
        return false;
    int missing = (int)(decision >> DECISION_MISSING_SHIFT);
    if ((decision & DECISION_CATEGORICAL) || (missing != MISSING_NONE && missing != MISSING_NAN))
        return false;
    *split = (struct forest_split){
        .threshold = float_threshold(threshold),
        .gain = (float)gain,
        .feature = (uint32_t)feature,
        .cover = (uint32_t)cover,
        .left = (int32_t)left,
        .right = (int32_t)right,
        .default_left = missing == MISSING_NAN ? (decision & DECISION_DEFAULT_LEFT) != 0 : 0.0 <= threshold,
    };
    return true;
}

static enum err_code read_tree(struct tree_text *text, struct forest *forest, size_t index, struct err *err)
{
    const struct forest_tree *tree = &forest->trees[index];
    for (uint32_t i = 0; i + 1 < tree->leaf_count; i++)
        if (!read_split(text, forest->columns, &forest->splits[tree->first_split + i]))
            return err_set(
                err, ERR_INVALID,
                "cannot read LightGBM's model text: tree %zu split %u is malformed or not a numerical split",
                index, i);
    for (uint32_t i = 0; i < tree->leaf_count; i++) {
        int64_t cover = 0;
        if (!next_f64(&text->leaf_value, &forest->leaf_value[tree->first_leaf + i]) ||
            !next_int(&text->leaf_count_list, 0, UINT32_MAX, &cover))
            return err_set(err, ERR_INVALID,
                           "cannot read LightGBM's model text: tree %zu leaf %u is malformed", index, i);
        forest->leaf_cover[tree->first_leaf + i] = (uint32_t)cover;
    }
    return ERR_OK;
}

/* The lines of the next tree up to the next empty line; *found false at "end of trees". */
static enum err_code next_tree(struct text *rest, size_t index, struct tree_text *tree, bool *found,
                               struct err *err)
{
    struct text line, key, value;
    int64_t number = -1;
    *tree = (struct tree_text){.leaf_count = 0};
    *found = false;
    do {
        if (!text_split(rest, '\n', &line))
            return err_set(err, ERR_INVALID, "cannot read LightGBM's model text: no 'end of trees'");
    } while (line.size_bytes == 0);
    if (text_equal(line, "end of trees"))
        return ERR_OK;
    split_line(line, &key, &value);
    if (!text_equal(key, "Tree") || !text_parse_i64(value, &number) || number != (int64_t)index)
        return refuse_line(line, "the next tree was expected", err);
    while (text_split(rest, '\n', &line) && line.size_bytes > 0) {
        enum err_code code = read_tree_line(line, tree, err);
        if (code)
            return code;
    }
    *found = true;
    if (tree->categorical_count != 0 || tree->is_linear != 0)
        return err_set(err, ERR_INVALID,
                       "cannot read LightGBM's model text: tree %zu has categorical splits or linear "
                       "leaves; only numerical splits are understood",
                       index);
    if (tree->leaf_count < 1 || tree->leaf_count > FOREST_TREE_LEAVES)
        return err_set(err, ERR_INVALID,
                       "cannot read LightGBM's model text: tree %zu has %lld leaves, 1 to %d are "
                       "possible",
                       index, (long long)tree->leaf_count, FOREST_TREE_LEAVES);
    return ERR_OK;
}

/* First pass: how many trees and leaves there are. */
static enum err_code count_trees(struct text rest, size_t *trees, size_t *leaves, struct err *err)
{
    struct tree_text tree;
    const size_t text_bytes = rest.size_bytes;
    bool found = true;
    for (*trees = *leaves = 0; found; *trees += found) {
        enum err_code code = next_tree(&rest, *trees, &tree, &found, err);
        if (code)
            return code;
        *leaves += (size_t)tree.leaf_count;
        if (*leaves > text_bytes) /* each has a value in the text: do not allocate for what cannot be there */
            return err_set(err, ERR_INVALID, "cannot read LightGBM's model text: %zu leaves in %zu bytes",
                           *leaves, text_bytes);
    }
    return ERR_OK;
}

/* Second pass: their numbers. */
static enum err_code read_trees(struct text rest, struct forest *forest, struct err *err)
{
    uint32_t splits = 0, leaves = 0;
    for (size_t t = 0; t < forest->tree_count; t++) {
        struct tree_text tree;
        bool found = true;
        enum err_code code = next_tree(&rest, t, &tree, &found, err);
        if (code)
            return code;
        forest->trees[t] = (struct forest_tree){splits, leaves, (uint32_t)tree.leaf_count};
        code = read_tree(&tree, forest, t, err);
        if (code)
            return code;
        splits += (uint32_t)tree.leaf_count - 1;
        leaves += (uint32_t)tree.leaf_count;
    }
    return ERR_OK;
}

static enum err_code read_head(struct text *rest, size_t columns, struct head *head, struct err *err)
{
    struct text line;
    *head = (struct head){.tree_per_iteration = 0, .max_feature = -1};
    while (text_split(rest, '\n', &line) && line.size_bytes > 0) {
        enum err_code code = read_head_line(line, head, err);
        if (code)
            return code;
    }
    if (head->max_feature != (int64_t)columns - 1)
        return err_set(err, ERR_INVALID,
                       "cannot read LightGBM's model text: it was trained on %lld columns, not %zu",
                       (long long)head->max_feature + 1, columns);
    if (head->tree_per_iteration < 1 || head->tree_per_iteration > FOREST_OUTPUTS)
        return err_set(err, ERR_INVALID,
                       "cannot read LightGBM's model text: %lld trees per iteration, 1 to %d are "
                       "possible",
                       (long long)head->tree_per_iteration, FOREST_OUTPUTS);
    return ERR_OK;
}

enum err_code forest_read_lightgbm(struct text model, size_t columns, struct forest **out, struct err *err)
{
    struct head head;
    struct forest *forest = NULL;
    size_t trees = 0, leaves = 0;
    *out = NULL;
    enum err_code code = read_head(&model, columns, &head, err);
    if (!code)
        code = count_trees(model, &trees, &leaves, err);
    if (!code)
        code = forest_allocate(columns, (size_t)head.tree_per_iteration, trees, leaves, &forest, err);
    if (code)
        return code;
    forest->is_average = head.is_average;
    code = read_trees(model, forest, err);
    if (!code)
        code = forest_seal(forest, err);
    if (code) {
        forest_destroy(forest);
        return code;
    }
    *out = forest;
    return ERR_OK;
}
