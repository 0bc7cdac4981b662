/* Variants. A declared set is copied and its list of trackers replaced by a shorter one; the columns are then picked from
 * the one matrix by name, as those of any set are. */
#include "task/ablation_variants.h"

#include "base/text.h"
#include "football/feature_sets.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct variant *add(struct variants *list, const struct ablation_options *options,
                           enum variant_kind kind, const struct feature_set *set, const char *format,
                           const char *name)
{
    assert(list->count < VARIANTS_MAX);
    struct variant *variant = &list->items[list->count++];
    *variant = (struct variant){
        .kind = kind,
        .set = *set,
        .seed = (uint64_t)(options->seed + (kind == VARIANT_CONTROL ? options->repeats : 0))};
    (void)snprintf(variant->name, sizeof(variant->name), format, name); /* one %s */
    variant->set.name = variant->name;
    return variant;
}

static const struct tracker *find_family(const struct feature_set *set, struct text name)
{
    for (size_t t = 0; set->trackers[t] != NULL; t++) {
        if (text_equal(name, set->trackers[t]->family))
            return set->trackers[t];
    }
    return NULL;
}

/* The trackers of `set` but one, or only that one. */
static void narrow(struct variant *variant, const struct feature_set *set, const struct tracker *one,
                   bool only)
{
    size_t count = 0;
    for (size_t t = 0; set->trackers[t] != NULL; t++) {
        if ((set->trackers[t] == one) == only)
            variant->trackers[count++] = set->trackers[t];
    }
    variant->trackers[count] = NULL;
    variant->set.trackers = variant->trackers;
    variant->family = one->family;
}

static bool is_listed(const char *families, const char *family)
{
    struct text rest = text_of(families), name;
    if (rest.size_bytes == 0)
        return true;
    while (rest.size_bytes > 0 && text_split(&rest, ',', &name)) {
        if (text_equal(text_trim(name), family))
            return true;
    }
    return false;
}

/* Each family of the list must be one of the set: a mistyped one would else be measured by its silence. */
static enum err_code check_families(const struct ablation_options *options, const struct feature_set *set,
                                    struct err *err)
{
    struct text rest = text_of(options->families), name;
    while (rest.size_bytes > 0 && text_split(&rest, ',', &name)) {
        name = text_trim(name);
        if (find_family(set, name) == NULL)
            return err_set_field(err, ERR_INVALID, "families", "the set '%s' has no family '%.*s'",
                                 options->features, (int)name.size_bytes, name.data);
    }
    return ERR_OK;
}

/* A declared set, or families joined by '+' in the order of the widest set. */
static enum err_code add_against(struct variants *list, const struct ablation_options *options,
                                 struct text name, struct err *err)
{
    char text[VARIANT_NAME_BYTES];
    const struct feature_set *widest = football_feature_set_widest();
    if (name.size_bytes == 0 || !text_copy(name, text, sizeof(text)))
        return err_set_field(err, ERR_INVALID, "against", "'%.*s' is no name of a set", (int)name.size_bytes,
                             name.data);
    if (football_feature_set(text) != NULL) {
        (void)add(list, options, VARIANT_AGAINST, football_feature_set(text), "%s", text);
        return ERR_OK;
    }
    struct variant *variant = add(list, options, VARIANT_AGAINST, widest, "%s", text);
    struct text rest = text_of(variant->name), family;
    bool is_wanted[FAMILIES_MAX] = {false};
    size_t count = 0;
    while (rest.size_bytes > 0 && text_split(&rest, '+', &family)) {
        const struct tracker *tracker = find_family(widest, family);
        if (tracker == NULL)
            return err_set_field(err, ERR_INVALID, "against", "no feature set or family is called '%.*s'",
                                 (int)family.size_bytes, family.data);
        for (size_t t = 0; widest->trackers[t] != NULL; t++)
            is_wanted[t] = is_wanted[t] || widest->trackers[t] == tracker;
    }
    for (size_t t = 0; widest->trackers[t] != NULL; t++) {
        if (is_wanted[t])
            variant->trackers[count++] = widest->trackers[t];
    }
    variant->trackers[count] = NULL;
    variant->set.trackers = variant->trackers;
    return ERR_OK;
}

enum err_code variants_list(struct variants *list, const struct ablation_options *options, struct err *err)
{
    const struct feature_set *set = football_feature_set(options->features);
    size_t families = 0, wide_families = 0;
    if (set == NULL)
        return err_set_field(err, ERR_INVALID, "features", "no feature set is called '%s'",
                             options->features);
    while (set->trackers[families] != NULL)
        families++;
    while (football_feature_set_widest()->trackers[wide_families] != NULL)
        wide_families++;
    assert(wide_families <= FAMILIES_MAX && families <= wide_families);
    list->items = calloc(VARIANTS_MAX, sizeof(*list->items));
    if (list->items == NULL)
        return err_nomem(err, VARIANTS_MAX * sizeof(*list->items));
    (void)add(list, options, VARIANT_FULL, set, "%s", options->features);
    if (options->control)
        (void)add(list, options, VARIANT_CONTROL, set, "%s, another seed", options->features);
    enum err_code code = check_families(options, set, err);
    struct text rest = text_of(options->against), name;
    while (code == ERR_OK && rest.size_bytes > 0 && text_split(&rest, ',', &name)) {
        code = list->count + 2 * families < VARIANTS_MAX
                   ? add_against(list, options, text_trim(name), err)
                   : err_set_field(err, ERR_INVALID, "against", "too many sets to compare with");
    }
    for (size_t t = 0; code == ERR_OK && families > 1 && t < families; t++) {
        const struct tracker *tracker = set->trackers[t];
        if (options->drop_one && is_listed(options->families, tracker->family))
            narrow(add(list, options, VARIANT_DROP, set, "without %s", tracker->family), set, tracker, false);
        if (options->only_one && is_listed(options->families, tracker->family))
            narrow(add(list, options, VARIANT_ONLY, set, "only %s", tracker->family), set, tracker, true);
    }
    return code;
}

void variants_release(struct variants *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].p);
        free(list->items[i].row);
    }
    free(list->items);
    *list = (struct variants){0};
}
