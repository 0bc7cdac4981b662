/* Retrain: decides which models in production are to be trained again, validates the recipe by walking forward over the
 * matches since, and asks for the trainings. What is trained is promoted only if it is better (task/promote.h). */
#ifndef ALMANAC_TASK_RETRAIN_H
#define ALMANAC_TASK_RETRAIN_H

#include "feature/matrix.h"
#include "task/train.h"

enum retrain_trigger { RETRAIN_SCHEDULE, RETRAIN_DRIFT, RETRAIN_PERFORMANCE, RETRAIN_STALE, RETRAIN_MANUAL };
#define RETRAIN_TRIGGER_CHOICES "schedule|drift|performance|stale|manual"

struct retrain_options {
    char subject[16], variant[16], bot[32]; /* "" all */
    int trigger;                            /* enum retrain_trigger */
    int window;                             /* 0 full, 1 the last 180 days */
    int64_t cooldown_h, stale_h, least_new, validate;
    int64_t at_us; /* TIME_NONE: now */
};
extern const struct task task_retrain;

/* ---- retrain_validate.c ---- */

/* The champion against its own recipe, refitted at the beginning of each of `windows` parts of the matches since: did
 * learning again help on matches that neither had seen? */
struct validation {
    bool is_worse; /* the refits are: the interval of challenger minus champion lies above 0 */
    char verdict[256];
};
/* options: those of the next training, `to` included. Writes {"rows", "from", "to", "windows": [{"from", "to", "rows",
 * "champion", "challenger"}], "brier": {...}, "verdict"}; or null with too few matches, the verdict says so. */
enum err_code retrain_validate(struct task_context *context, const struct matrix *matrix,
                               const struct version_row *champion, const struct train_options *options,
                               int64_t at_us, size_t windows, struct json_writer *out,
                               struct validation *validation, struct err *err) CHECKED;

#endif
