/* Walk-forward validation. The matches since the champion was judged are cut into equal spans of time; before each the recipe
 * is fitted on all that was known (task/walk.h), the champion stays as it is. Both forecast the same matches, none of which
 * they have seen; the paired difference of the Brier scores over match days says whether training again would have helped.
 * It is no gate for better: that is the holdout of the training itself. It only stops what is shown to be worse. */
#include "base/time.h"
#include "evaluate/scoresheet.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "learn/metric.h"
#include "learn/model.h"
#include "task/prepare.h"
#include "task/retrain.h"
#include "task/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MATCHES_LEAST = 40, DRAWS = 2000 };

struct course {
    const struct train_options *options;
    struct selected league, pool;
    struct recipe recipe;
    struct walk_plan settings;
    struct walk_forward plan;
    size_t first, end;             /* judged rows of the league */
    double *champion, *challenger; /* [end - first][classes] */
};

static void course_release(struct course *course)
{
    prepare_selected_release(&course->league);
    prepare_selected_release(&course->pool);
    walk_forward_release(&course->plan);
    free(course->champion);
    free(course->challenger);
}

static enum err_code select_rows(struct course *course, const struct matrix *matrix, int64_t at_us,
                                 struct err *err)
{
    const struct train_options *options = course->options;
    struct selection selection = {.target = (enum target)options->target,
                                  .set = football_feature_set_widest(),
                                  .league = league_find(text_of(options->league)),
                                  .pool = POOL_LEAGUE,
                                  .from_us = TIME_NONE,
                                  .to_us = at_us};
    enum err_code code = prepare_select(matrix, &selection, &course->league, err);
    if (code != ERR_OK)
        return code;
    selection.set = football_feature_set(options->features);
    selection.pool = (enum prepare_pool)options->pool;
    selection.from_us = options->from_us;
    if (selection.set == NULL)
        return err_set(err, ERR_CONFLICT, "no feature set is called '%s' any more", options->features);
    code = prepare_select(matrix, &selection, &course->pool, err);
    if (code == ERR_OK)
        code = recipe_init(&course->recipe, options->engine, options->parameters, err);
    course->recipe.seed = (uint64_t)options->seed;
    if (code == ERR_OK)
        course->recipe.folds =
            (course->recipe.engine->capabilities & ENGINE_IS_BASELINE) != 0 ? 0 : (size_t)options->folds;
    return code;
}

static enum err_code plan_course(struct course *course, int64_t from_us, int64_t at_us, size_t windows,
                                 struct err *err)
{
    int64_t days = (at_us - from_us) / TIME_DAY_US / (int64_t)windows + 1;
    course->settings = (struct walk_plan){.from_us = from_us,
                                          .to_us = at_us,
                                          .cadence = WALK_DAYS,
                                          .every_days = days,
                                          .embargo_us = 3 * TIME_HOUR_US,
                                          .least_rows = 1};
    enum err_code code = walk_forward_plan(&course->league.data, &course->settings, &course->plan, err);
    if (code != ERR_OK)
        return code;
    course->first = course->plan.windows[0].test_begin;
    course->end = course->plan.windows[course->plan.count - 1].test_end;
    size_t values = (course->end - course->first) * course->league.data.classes + 1;
    course->champion = malloc(values * sizeof(double));
    course->challenger = malloc(values * sizeof(double));
    return course->champion != NULL && course->challenger != NULL
               ? ERR_OK
               : err_nomem(err, 2 * values * sizeof(double));
}

static enum err_code predict_champion(struct course *course, const struct model *model, struct err *err)
{
    const struct dataset *data = &course->league.data;
    size_t columns = model_columns(model), rows = course->end - course->first;
    float *x = malloc((rows * columns + 1) * sizeof(*x));
    enum err_code code = x != NULL ? ERR_OK : err_nomem(err, rows * columns * sizeof(*x));
    for (size_t c = 0; code == ERR_OK && c < columns; c++) {
        int from = dataset_column(data->names, data->columns, model_names(model)[c]);
        if (from < 0)
            code = err_set(err, ERR_CONFLICT, "feature '%s' no longer exists", model_names(model)[c]);
        for (size_t i = 0; code == ERR_OK && i < rows; i++)
            x[i * columns + c] = data->x[(course->first + i) * data->columns + (size_t)from];
    }
    if (code == ERR_OK)
        model_predict(model, x, rows, course->champion);
    free(x);
    return code;
}

static void write_span(const struct course *course, size_t begin, size_t end, struct json_writer *out)
{
    const struct dataset *data = &course->league.data;
    size_t offset = (begin - course->first) * data->classes;
    json_field_time(out, "from", data->time_us[begin]);
    json_field_time(out, "to", data->time_us[end - 1]);
    json_field_i64(out, "rows", (int64_t)(end - begin));
    json_field_f64(out, "champion",
                   metric_value(METRIC_BRIER, course->champion + offset, data->label + begin, NULL,
                                end - begin, data->classes));
    json_field_f64(out, "challenger",
                   metric_value(METRIC_BRIER, course->challenger + offset, data->label + begin, NULL,
                                end - begin, data->classes));
}

static enum err_code conclude(const struct course *course, struct json_writer *out,
                              struct validation *validation, struct err *err)
{
    const struct dataset *data = &course->league.data;
    struct interval brier;
    enum err_code code = metric_difference(METRIC_BRIER, course->challenger, course->champion,
                                           data->label + course->first, data->block + course->first,
                                           course->end - course->first, data->classes, DRAWS, 1, &brier, err);
    if (code != ERR_OK)
        return code;
    validation->is_worse = brier.low > 0;
    (void)snprintf(validation->verdict, sizeof(validation->verdict),
                   "walk-forward over %zu matches in %zu refits: Brier minus the champion's %+.5f [%+.5f, "
                   "%+.5f]: training again %s",
                   course->end - course->first, course->plan.count, brier.value, brier.low, brier.high,
                   brier.high < 0  ? "helps"
                   : brier.low > 0 ? "makes it worse"
                                   : "is not shown to change anything");
    json_begin_object(out);
    write_span(course, course->first, course->end, out);
    json_key(out, "windows");
    json_begin_array(out);
    for (size_t i = 0; i < course->plan.count; i++) {
        json_begin_object(out);
        write_span(course, course->plan.windows[i].test_begin, course->plan.windows[i].test_end, out);
        json_end_object(out);
    }
    json_end_array(out);
    scoresheet_write_interval(out, "brier", &brier);
    json_field_text(out, "verdict", validation->verdict);
    json_end_object(out);
    return ERR_OK;
}

static enum err_code walk_course(struct task_context *context, struct course *course,
                                 const struct version_row *champion, struct json_writer *out,
                                 struct validation *validation, struct err *err)
{
    struct model *model = NULL;
    struct walk walk = {&course->plan, &course->settings, &course->league,
                        course->first, context->pool,     context->reporter};
    enum err_code code = registry_load(champion, &model, err);
    if (code == ERR_OK)
        code = predict_champion(course, model, err);
    if (code == ERR_OK)
        code = walk_model(&walk, &course->recipe, &course->pool, "validating", course->challenger, err);
    if (code == ERR_OK)
        code = conclude(course, out, validation, err);
    model_destroy(model);
    return code;
}

enum err_code retrain_validate(struct task_context *context, const struct matrix *matrix,
                               const struct version_row *champion, const struct train_options *options,
                               int64_t at_us, size_t windows, struct json_writer *out,
                               struct validation *validation, struct err *err)
{
    struct course course = {.options = options};
    size_t since = 0;
    *validation = (struct validation){0};
    enum err_code code = select_rows(&course, matrix, at_us, err);
    for (size_t i = 0; code == ERR_OK && i < course.league.data.rows; i++)
        since += course.league.data.time_us[i] > champion->test_to_us;
    if (code == ERR_OK && (windows == 0 || since < MATCHES_LEAST)) {
        (void)snprintf(validation->verdict, sizeof(validation->verdict),
                       windows == 0 ? "not validated, as asked"
                                    : "%zu matches since the champion was judged are too few to walk over",
                       since);
        json_put_null(out);
        goto out;
    }
    if (code == ERR_OK)
        code = plan_course(&course, champion->test_to_us + 1, at_us, windows, err);
    if (code == ERR_OK)
        code = walk_course(context, &course, champion, out, validation, err);
out:
    course_release(&course);
    return code;
}
