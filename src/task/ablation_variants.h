/* The variants of an ablation: which feature sets walk, made of names alone. */
#ifndef ALMANAC_TASK_ABLATION_VARIANTS_H
#define ALMANAC_TASK_ABLATION_VARIANTS_H

#include "feature/set.h"
#include "learn/bootstrap.h"
#include "task/ablation.h"

enum { FAMILIES_MAX = 64, VARIANTS_MAX = 2 * FAMILIES_MAX + 16, VARIANT_NAME_BYTES = 96 };
enum variant_kind { VARIANT_FULL, VARIANT_CONTROL, VARIANT_DROP, VARIANT_ONLY, VARIANT_AGAINST };

struct variant {
    enum variant_kind kind;
    char name[VARIANT_NAME_BYTES];
    const char *family; /* left out, or alone; NULL */
    struct feature_set set;
    const struct tracker *trackers[FAMILIES_MAX + 1]; /* of `set` when it is none of the declared ones */
    uint64_t seed;                                    /* of its first repeat; the others follow */
    /* filled by its walk */
    size_t columns;
    double *p;   /* [repeats][judged rows][classes] */
    double *row; /* [judged rows] log loss of the row, mean over the repeats */
    double rps, brier;
    struct interval loss, difference; /* difference: minus the full set's */
    int64_t took_us;
};
struct variants {
    struct variant *items; /* the full set is the first, its control, if any, the second; they do not move */
    size_t count;
};

/* ERR_INVALID naming the option: no such set or family. Release also after an error. */
enum err_code variants_list(struct variants *list, const struct ablation_options *options,
                            struct err *err) CHECKED;
void variants_release(struct variants *list);

#endif
