/* Forest file: the forest as bytes, inside a model file (docs/formats/model.md, "Forest").
 *
 * Only what was grown is written; the layout for walking is made again on loading, with all checks. Sizes are
 * compared with the bytes that are there before anything is allocated. */
#include "learn/forest.h"
#include "learn/forest_parts.h"
#include "learn/reader.h"
#include "limits.h"

enum { SPLIT_BYTES = 25, LEAF_BYTES = 12, FOREST_FORMAT = 1, FLAG_AVERAGE = 1 };

static void save_tree(const struct forest *forest, const struct forest_tree *tree, struct buffer *out)
{
    const struct forest_split *splits = forest->splits + tree->first_split;
    for (uint32_t i = 0; i + 1 < tree->leaf_count; i++) {
        buffer_append_u32(out, splits[i].feature);
        writer_f32(out, splits[i].threshold);
        buffer_append_u32(out, (uint32_t)splits[i].left);
        buffer_append_u32(out, (uint32_t)splits[i].right);
        writer_f32(out, splits[i].gain);
        buffer_append_u32(out, splits[i].cover);
        buffer_append_char(out, splits[i].default_left ? 1 : 0);
    }
    for (uint32_t i = 0; i < tree->leaf_count; i++) {
        writer_f64(out, forest->leaf_value[tree->first_leaf + i]);
        buffer_append_u32(out, forest->leaf_cover[tree->first_leaf + i]);
    }
}

enum err_code forest_save(const struct forest *forest, struct buffer *out, struct err *err)
{
    buffer_append_u32(out, FOREST_FORMAT);
    buffer_append_u32(out, forest->is_average ? FLAG_AVERAGE : 0);
    buffer_append_u32(out, (uint32_t)forest->columns);
    buffer_append_u32(out, (uint32_t)forest->outputs);
    buffer_append_u32(out, (uint32_t)forest->tree_count);
    buffer_append_u32(out, (uint32_t)forest->leaf_count);
    for (size_t t = 0; t < forest->tree_count; t++)
        buffer_append_u32(out, forest->trees[t].leaf_count);
    for (size_t t = 0; t < forest->tree_count; t++)
        save_tree(forest, &forest->trees[t], out);
    return buffer_check(out, "forest", err);
}

static void load_tree(struct reader *in, struct forest *forest, const struct forest_tree *tree)
{
    struct forest_split *splits = forest->splits + tree->first_split;
    for (uint32_t i = 0; i + 1 < tree->leaf_count; i++) {
        splits[i].feature = reader_u32(in);
        splits[i].threshold = reader_f32(in);
        splits[i].left = (int32_t)reader_u32(in);
        splits[i].right = (int32_t)reader_u32(in);
        splits[i].gain = reader_f32(in);
        splits[i].cover = reader_u32(in);
        uint8_t default_left = reader_u8(in);
        splits[i].default_left = default_left != 0;
        in->failed = in->failed || default_left > 1;
    }
    for (uint32_t i = 0; i < tree->leaf_count; i++) {
        forest->leaf_value[tree->first_leaf + i] = reader_f64(in);
        forest->leaf_cover[tree->first_leaf + i] = reader_u32(in);
    }
}

/* The leaf counts, which say where each tree's arrays begin; their sum must be the forest's. */
static enum err_code load_shapes(struct reader *in, struct forest *forest, struct err *err)
{
    size_t leaves = 0;
    for (size_t t = 0; t < forest->tree_count; t++) {
        uint32_t count = reader_u32(in);
        if (count < 1 || count > FOREST_TREE_LEAVES || count > forest->leaf_count - leaves)
            return err_set(err, ERR_CORRUPT, "forest: tree %zu cannot have %u leaves", t, count);
        forest->trees[t] = (struct forest_tree){(uint32_t)(leaves - t), (uint32_t)leaves, count};
        leaves += count;
    }
    if (leaves != forest->leaf_count)
        return err_set(err, ERR_CORRUPT, "forest: the trees have %zu leaves, the head says %zu", leaves,
                       forest->leaf_count);
    return ERR_OK;
}

enum err_code forest_load(const void *data, size_t size_bytes, struct forest **out, struct err *err)
{
    struct reader in;
    struct forest *forest = NULL;
    *out = NULL;
    reader_init(&in, data, size_bytes);
    uint32_t format = reader_u32(&in), flags = reader_u32(&in), columns = reader_u32(&in),
             outputs = reader_u32(&in), trees = reader_u32(&in), leaves = reader_u32(&in);
    if (in.failed || format != FOREST_FORMAT || flags > FLAG_AVERAGE)
        return err_set(err, ERR_CORRUPT, "forest: not a forest of format %d", FOREST_FORMAT);
    if (leaves < trees || reader_left(&in) != UINT64_C(4) * trees + (uint64_t)SPLIT_BYTES * (leaves - trees) +
                                                  (uint64_t)LEAF_BYTES * leaves)
        return err_set(err, ERR_CORRUPT, "forest: %zu bytes do not hold %u trees with %u leaves", size_bytes,
                       trees, leaves);
    enum err_code code = forest_allocate(columns, outputs, trees, leaves, &forest, err);
    if (code) /* a limit exceeded by a file that must have been written within it */
        return code == ERR_TOO_LARGE ? err_set(err, ERR_CORRUPT, "forest: %u columns, %u outputs, %u trees",
                                               columns, outputs, trees)
                                     : code;
    forest->is_average = flags & FLAG_AVERAGE;
    code = load_shapes(&in, forest, err);
    for (size_t t = 0; !code && t < forest->tree_count; t++)
        load_tree(&in, forest, &forest->trees[t]);
    if (!code && in.failed)
        code = err_set(err, ERR_CORRUPT, "forest: a split's default side is neither 0 nor 1");
    if (!code)
        code = forest_seal(forest, err);
    if (code) {
        forest_destroy(forest);
        return code;
    }
    *out = forest;
    return ERR_OK;
}
