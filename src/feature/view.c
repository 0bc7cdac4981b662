/* Feature view: see view.h. A view over a set is found by walking the set once per pick, so that its columns stand in the
 * order of the picks; sets have some hundred columns, and a plan is made once. */
#include "feature/view.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The first pick that the column fits; NULL: none. */
static const struct view_pick *pick_of(const struct feature_view *view, const char *name)
{
    for (const struct view_pick *pick = view->picks; pick->prefix != NULL; pick++) {
        if (strncmp(name, pick->prefix, strlen(pick->prefix)) == 0)
            return pick;
    }
    return NULL;
}

static void fill(const struct view_pick *pick, const struct feature *feature, size_t column,
                 struct view_column *out)
{
    *out = (struct view_column){.feature = feature, .column = (uint32_t)column, .side = pick->side};
    int length =
        snprintf(out->name, sizeof(out->name), "%s%s", pick->as, feature->name + strlen(pick->prefix));
    assert(length > 0 && (size_t)length < sizeof(out->name)); /* a table says so, no input does */
}

size_t feature_view_columns(const struct feature_view *view, const struct feature_set *set,
                            struct view_column *out, size_t capacity)
{
    size_t count = 0, columns = feature_set_columns(set);
    for (const struct view_pick *pick = view->picks; pick->prefix != NULL; pick++) {
        assert(pick->side == 0 || view->entity == VIEW_TEAM);
        for (size_t column = 0; pick->as != NULL && column < columns; column++) {
            const struct feature *feature = feature_set_at(set, column);
            if (pick_of(view, feature->name) != pick)
                continue;
            if (count < capacity)
                fill(pick, feature, column, &out[count]);
            count++;
        }
    }
    return count;
}

static bool gives(const struct feature_view *view, const struct tracker *tracker)
{
    for (size_t i = 0; i < tracker->feature_count; i++) {
        const struct view_pick *pick = pick_of(view, tracker->features[i].name);
        if (pick != NULL && pick->as != NULL)
            return true;
    }
    return false;
}

void feature_view_hash(const struct feature_view *view, const struct feature_set *set, struct hash *hash)
{
    size_t count = feature_view_columns(view, set, NULL, 0);
    hash_add_text(hash, view->name);
    hash_add_i64(hash, view->version);
    hash_add_i64(hash, view->entity);
    hash_add_i64(hash, (int64_t)count);
    for (const struct view_pick *pick = view->picks; pick->prefix != NULL; pick++) {
        for (size_t column = 0; pick->as != NULL && column < feature_set_columns(set); column++) {
            const struct feature *feature = feature_set_at(set, column);
            if (pick_of(view, feature->name) != pick)
                continue;
            hash_add_text(hash, feature->name);
            hash_add_text(hash, pick->as);
            hash_add_i64(hash, pick->side);
        }
    }
    for (const struct tracker *const *tracker = set->trackers; *tracker != NULL; tracker++) {
        if (!gives(view, *tracker))
            continue;
        hash_add_text(hash, (*tracker)->family);
        hash_add_i64(hash, (*tracker)->version);
    }
}
