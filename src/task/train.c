/* Train.
 *
 *   league rows --- holdout split --> T, the first judged match
 *   pool rows before T ------------> folds -> calibrator; all -> predictor
 *   league rows from T on ---------> score sheet: model, baselines, bookmaker before the match, closing price
 *   the same rows -----------------> paired test against the Production version: promote only if better
 *
 * The version is a hash of everything that decides the bytes: matrix key (data, features, code), options, seed. Threads do
 * not: every fit runs on one, and the pool only decides when.
 * The file says nothing that depends on the clock or on later data, so that it can be made again byte for byte. */
#include "task/train.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "evaluate/scoresheet.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "football/profile.h"
#include "learn/metric.h"
#include "learn/model.h"
#include "learn/probability_error.h"
#include "learn/split.h"
#include "limits.h"
#include "os/clock.h"
#include "os/file.h"
#include "registry/registry.h"
#include "task/fit.h"
#include "task/judge.h"
#include "task/learn_rows.h"
#include "task/prepare.h"
#include "task/promote.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER(name) OPTION_MEMBER(struct train_options, name)
static const struct option_row rows[] = {
    LEARN_ROW_LEAGUE(MEMBER),
    LEARN_ROW_TARGET(MEMBER),
    LEARN_ROW_ENGINE(MEMBER),
    {"features", OPTION_TEXT, MEMBER(features), "", 0, 0, "",
     "feature set, by its name ('almanac features sets'); empty: that of the league's profile"},
    LEARN_ROW_POOL(MEMBER, "all"),
    {"last", OPTION_INT, MEMBER(last), "matches", 0, 1e9, "0",
     "learn from the last N matches of the pool; 0: all"},
    {"from", OPTION_DATE, MEMBER(from_us), "", 0, 0, "", "learn from matches on or after this date"},
    {"to", OPTION_DATE, MEMBER(to_us), "", 0, 0, "",
     "use matches before this date only, the holdout included"},
    {"holdout", OPTION_REAL, MEMBER(holdout), "share", 0.02, 0.9, "0.2",
     "share of the league's matches, the latest, kept for judging"},
    LEARN_ROW_FOLDS(MEMBER, "5", "expanding folds for the calibration; 0: no calibration"),
    LEARN_ROW_SEED(MEMBER, 2147483647, "seed of everything random"),
    LEARN_ROW_PARAMETERS(MEMBER),
    {"matrix", OPTION_TEXT, MEMBER(matrix), "", 0, 0, "",
     "key of an existing feature matrix; empty: of the present data"},
};
static const struct option_table train_table = {"train", rows, sizeof(rows) / sizeof(*rows)};

/* Everything one training holds; released by plan_release. */
struct plan {
    const struct train_options *options;
    struct model_name name;
    int league;
    const struct feature_set *set;
    struct recipe recipe;
    struct checkpoint checkpoint;
    double training_loss; /* of the final fit */
    size_t rounds;
    struct matrix *matrix;
    struct selected pool;        /* what is learned from, columns of the set */
    struct selected league_rows; /* all of the league, columns of the widest set */
    struct split split;          /* of league_rows */
    struct model *model;
    double *holdout_p; /* [test rows][classes] */
    char version[MODEL_VERSION_BYTES];
};

static void plan_release(struct plan *plan)
{
    free(plan->holdout_p);
    model_destroy(plan->model);
    prepare_selected_release(&plan->pool);
    prepare_selected_release(&plan->league_rows);
    matrix_close(plan->matrix);
}

static void name_model(struct plan *plan)
{
    const struct train_options *options = plan->options;
    (void)snprintf(plan->name.subject, sizeof(plan->name.subject), "%s", options->league);
    (void)snprintf(plan->name.variant, sizeof(plan->name.variant), "%s",
                   target_at((enum target)options->target)->name);
    /* with and without prices are different models: the one cannot serve where there are no prices */
    bool has_prices = football_feature_set_has_prices(plan->set);
    (void)snprintf(plan->name.bot, sizeof(plan->name.bot), "%.23s%s", options->engine,
                   has_prices ? "_prices" : "");
}

static enum err_code check_plan(struct plan *plan, struct err *err)
{
    const struct train_options *options = plan->options;
    plan->league = league_find(text_of(options->league));
    if (plan->league < 0)
        return err_set_field(err, ERR_INVALID, "league", "no league has the code '%s'", options->league);
    bool is_told = options->features[0] != '\0';
    plan->set = is_told ? football_feature_set(options->features) : profile_feature_set((size_t)plan->league);
    if (plan->set == NULL)
        return err_set_field(err, ERR_INVALID, "features", "no feature set is called '%s'; there are %s",
                             options->features, FEATURE_SET_CHOICES);
    enum err_code code = recipe_init(&plan->recipe, options->engine, options->parameters, err);
    if (code != ERR_OK)
        return code;
    if ((plan->recipe.engine->capabilities & ENGINE_NEEDS_PRICES) != 0 &&
        !football_feature_set_has_prices(plan->set))
        return err_set_field(err, ERR_INVALID, "features",
                             "engine '%s' needs a feature set with prices, such as with_prices",
                             options->engine);
    plan->recipe.seed = (uint64_t)options->seed;
    plan->recipe.folds =
        (plan->recipe.engine->capabilities & ENGINE_IS_BASELINE) != 0 ? 0 : (size_t)options->folds;
    name_model(plan);
    return ERR_OK;
}

static enum err_code check_options(const void *options, struct err *err)
{
    struct plan plan = {.options = options};
    return check_plan(&plan, err);
}

enum err_code train_model_name(const struct train_options *options, struct model_name *out, struct err *err)
{
    struct plan plan = {.options = options};
    enum err_code code = check_plan(&plan, err);
    *out = plan.name;
    return code;
}

static enum err_code select_rows(struct plan *plan, struct err *err)
{
    const struct train_options *options = plan->options;
    struct selection league = {.target = (enum target)options->target,
                               .set = football_feature_set_widest(),
                               .league = plan->league,
                               .pool = POOL_LEAGUE,
                               .from_us = TIME_NONE,
                               .to_us = options->to_us};
    enum err_code code = prepare_select(plan->matrix, &league, &plan->league_rows, err);
    if (code != ERR_OK)
        return code;
    if (plan->league_rows.data.rows < 20)
        return err_set_field(err, ERR_NOT_FOUND, "league",
                             "league '%s' has %zu played matches; at least 20 are needed", options->league,
                             plan->league_rows.data.rows);
    code = split_holdout(&plan->league_rows.data, options->holdout, 0, &plan->split, err);
    if (code != ERR_OK)
        return code;
    /* the pool ends before the first judged day, whatever its clock */
    int64_t first_day = plan->league_rows.block[plan->split.test_begin];
    struct selection pool = {.target = league.target,
                             .set = plan->set,
                             .league = plan->league,
                             .pool = (enum prepare_pool)options->pool,
                             .from_us = options->from_us,
                             .to_us = first_day * TIME_DAY_US - TIME_HOUR_US,
                             .last = (size_t)options->last};
    code = prepare_select(plan->matrix, &pool, &plan->pool, err);
    if (code == ERR_OK && plan->pool.data.rows < 100)
        return err_set(err, ERR_INVALID, "only %zu matches to learn from; at least 100 are needed",
                       plan->pool.data.rows);
    return code;
}

static void name_version(struct plan *plan)
{
    const struct train_options *options = plan->options;
    struct hash hash;
    char hex[HASH_HEX_BYTES];
    hash_init(&hash);
    hash_add_text(&hash, "model 1");
    hash_add_text(&hash, matrix_key_of(plan->matrix));
    hash_add_text(&hash, options->league);
    hash_add_i64(&hash, options->target);
    hash_add_text(&hash, options->engine);
    hash_add_i64(&hash, plan->recipe.engine->version);
    hash_add_text(&hash, plan->set->name);
    feature_set_hash(plan->set, &hash);
    hash_add_i64(&hash, options->pool);
    hash_add_i64(&hash, options->last);
    hash_add_i64(&hash, options->from_us);
    hash_add_i64(&hash, options->to_us);
    hash_add_f64(&hash, options->holdout);
    hash_add_i64(&hash, options->folds);
    hash_add_i64(&hash, options->seed);
    struct buffer parameters;
    struct json_writer writer;
    buffer_init(&parameters, 1 << 16);
    json_writer_init(&writer, &parameters);
    if (plan->recipe.engine->options != NULL)
        option_write_json(plan->recipe.engine->options, plan->recipe.options, &writer);
    hash_add_text(&hash, buffer_text(&parameters));
    buffer_release(&parameters);
    hash_final_hex(&hash, hex);
    (void)snprintf(plan->version, sizeof(plan->version), "%.16s", hex);
}

static void write_range(struct json_writer *out, const char *key, const struct dataset *data, size_t begin,
                        size_t end)
{
    json_key(out, key);
    json_begin_object(out);
    json_field_time(out, "from", data->time_us[begin]);
    json_field_time(out, "to", data->time_us[end - 1]);
    json_field_i64(out, "rows", (int64_t)(end - begin));
    json_end_object(out);
}

static void write_holdout_metrics(const struct plan *plan, struct json_writer *out)
{
    const struct dataset *data = &plan->league_rows.data;
    size_t begin = plan->split.test_begin, test_rows = plan->split.test_end - begin;
    json_key(out, "holdout_metrics");
    json_begin_object(out);
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        json_field_f64(out, metric_name((enum metric)metric),
                       metric_value((enum metric)metric, plan->holdout_p, data->label + begin, NULL,
                                    test_rows, data->classes));
    json_end_object(out);
}

static void write_description(const struct plan *plan, const struct fitted *fitted, struct json_writer *out)
{
    json_begin_object(out);
    json_field_text(out, "subject", plan->name.subject);
    json_field_text(out, "variant", plan->name.variant);
    json_field_text(out, "bot", plan->name.bot);
    json_field_text(out, "matrix", matrix_key_of(plan->matrix));
    json_field_text(out, "feature_set", plan->set->name);
    json_key(out, "options");
    struct train_options options = *plan->options;
    options.matrix[0] = '\0'; /* said above, and the same whether it was asked for by key or not */
    (void)snprintf(options.features, sizeof(options.features), "%s",
                   plan->set->name); /* profiles may change */
    option_write_json(&train_table, &options, out);
    json_key(out, "engine_options");
    if (plan->recipe.engine->options != NULL)
        option_write_json(plan->recipe.engine->options, plan->recipe.options, out);
    else
        json_put_null(out);
    write_range(out, "learned", &plan->pool.data, 0, plan->pool.data.rows);
    write_range(out, "holdout", &plan->league_rows.data, plan->split.test_begin, plan->split.test_end);
    write_holdout_metrics(plan, out);
    json_key(out, "calibration");
    json_begin_object(out);
    json_field_text(out, "kind",
                    calibration_name(fitted->calibrator != NULL ? calibrator_kind(fitted->calibrator)
                                                                : CALIBRATION_NONE));
    json_field_i64(out, "out_of_fold_rows", (int64_t)fitted->out_of_fold_rows);
    json_key(out, "log_loss");
    json_begin_object(out);
    for (int kind = 0; kind < CALIBRATION_COUNT; kind++)
        json_field_f64(out, calibration_name((enum calibration)kind), fitted->losses[kind]);
    json_end_object(out);
    json_end_object(out);
    json_end_object(out);
}

/* The league's holdout in the columns of the model's set. */
static enum err_code predict_holdout(struct plan *plan, const struct fitted *fitted, struct err *err)
{
    size_t columns = plan->pool.data.columns, test_rows = plan->split.test_end - plan->split.test_begin;
    const struct dataset *wide = &plan->league_rows.data;
    float *x = malloc((test_rows * columns + 1) * sizeof(*x));
    plan->holdout_p = malloc((test_rows * wide->classes + 1) * sizeof(double));
    if (x == NULL || plan->holdout_p == NULL) {
        free(x);
        return err_nomem(err, test_rows * columns * sizeof(*x));
    }
    for (size_t c = 0; c < columns; c++) {
        int from = dataset_column(wide->names, wide->columns, plan->pool.names[c]);
        assert(from >= 0);
        for (size_t i = 0; i < test_rows; i++)
            x[i * columns + c] = wide->x[(plan->split.test_begin + i) * wide->columns + (size_t)from];
    }
    struct dataset holdout = {.x = x, .rows = test_rows, .columns = columns, .classes = wide->classes};
    fitted_predict(fitted, &holdout, plan->holdout_p);
    free(x);
    return ERR_OK;
}

static enum err_code make_model(struct plan *plan, struct fitted *fitted, struct err *err)
{
    const struct target_info *target = target_at((enum target)plan->options->target);
    struct buffer description;
    struct json_writer writer;
    buffer_init(&description, LIMIT_DESCRIPTION_BYTES);
    json_writer_init(&writer, &description);
    write_description(plan, fitted, &writer);
    enum err_code code = buffer_check(&description, "model description", err);
    if (code == ERR_OK) {
        struct model_parts parts = {.engine = fitted->engine,
                                    .predictor = fitted->predictor,
                                    .calibrator = fitted->calibrator,
                                    .names = plan->pool.names,
                                    .columns = plan->pool.data.columns,
                                    .class_names = target->class_names,
                                    .classes = target->classes,
                                    .version = plan->version,
                                    .description = buffer_text(&description)};
        code = model_create(parts, &plan->model, err);
        if (code == ERR_OK)
            *fitted = (struct fitted){0}; /* owned by the model now */
    }
    buffer_release(&description);
    return code;
}

/* Options to model; the plan is released by the caller in any case. */
static enum err_code run_plan(struct task_context *context, struct plan *plan, struct err *err)
{
    struct fitted fitted = {0};
    enum err_code code = check_plan(plan, err);
    if (code == ERR_OK)
        code = plan->options->matrix[0] != '\0'
                   ? prepare_matrix_by_key(context, plan->options->matrix, &plan->matrix, err)
                   : prepare_matrix(context, &plan->matrix, err);
    if (code == ERR_OK)
        code = select_rows(plan, err);
    if (code != ERR_OK)
        return code;
    name_version(plan);
    report_log(context->reporter, "training %s/%s/%s on %zu matches, judging on %zu", plan->name.subject,
               plan->name.variant, plan->name.bot, plan->pool.data.rows,
               plan->split.test_end - plan->split.test_begin);
    checkpoint_init(&plan->checkpoint, context->job_folder, matrix_key_of(plan->matrix), context->reporter);
    plan->recipe.checkpoint = &plan->checkpoint;
    code = fit_calibrated(&plan->recipe, &plan->pool.data, context->pool, context->reporter, &fitted, err);
    plan->training_loss = fitted.training_loss;
    plan->rounds = fitted.rounds;
    if (code == ERR_OK)
        code = predict_holdout(plan, &fitted, err);
    if (code == ERR_OK)
        code = make_model(plan, &fitted, err);
    fitted_release(&fitted);
    return code;
}

enum err_code train_bytes(struct task_context *context, const struct train_options *options,
                          struct buffer *out, char *version, struct err *err)
{
    struct plan plan = {.options = options};
    enum err_code code = run_plan(context, &plan, err);
    if (code == ERR_OK)
        code = model_write(plan.model, out, err);
    (void)snprintf(version, MODEL_VERSION_BYTES, "%s", plan.version);
    plan_release(&plan);
    return code;
}

/* ---- judging ---- */

/* A baseline is fitted on the league's own rows before the holdout. */
static enum err_code add_baseline(const struct plan *plan, const char *engine, struct judge *judge,
                                  struct err *err)
{
    struct recipe recipe;
    struct fitted fitted = {0};
    const struct dataset *data = &plan->league_rows.data;
    struct dataset train =
        dataset_slice(data, plan->split.train_begin, plan->split.train_end - plan->split.train_begin);
    struct dataset test =
        dataset_slice(data, plan->split.test_begin, plan->split.test_end - plan->split.test_begin);
    size_t index = 0;
    enum err_code code = recipe_init(&recipe, engine, "", err);
    if (code == ERR_OK)
        code = fit_predictor(&recipe, &train, NULL, "baseline", &fitted, err);
    if (code == ERR_OK)
        code = judge_add(judge, engine, &index, err);
    if (code == ERR_OK)
        fitted_predict(&fitted, &test, judge->p[index]);
    fitted_release(&fitted);
    return code;
}

static enum err_code judge_plan(struct task_context *context, const struct plan *plan,
                                struct json_writer *out, struct err *err)
{
    const struct dataset *data = &plan->league_rows.data;
    struct dataset test =
        dataset_slice(data, plan->split.test_begin, plan->split.test_end - plan->split.test_begin);
    struct history *history = NULL;
    struct judge judge;
    size_t index = 0;
    enum err_code code = judge_init(&judge, (enum target)plan->options->target, &test,
                                    plan->league_rows.row + plan->split.test_begin, err);
    if (code != ERR_OK)
        return code;
    code = judge_add(&judge, plan->name.bot, &index, err);
    if (code == ERR_OK)
        memcpy(judge.p[index], plan->holdout_p, test.rows * test.classes * sizeof(double));
    for (size_t i = 0; code == ERR_OK && engine_at(i) != NULL; i++) {
        if ((engine_at(i)->capabilities & ENGINE_IS_YARDSTICK) != 0 && engine_at(i) != plan->recipe.engine)
            code = add_baseline(plan, engine_at(i)->name, &judge, err);
    }
    if (code == ERR_OK)
        code = prepare_history(context, (struct history_options){.with_close = true}, &history, err);
    if (code == ERR_OK && history_rows(history) == matrix_rows(plan->matrix))
        code = judge_add_closing(&judge, history, err);
    if (code == ERR_OK)
        code = judge_write(&judge, 0, judge.rows, out, err);
    history_destroy(history);
    judge_release(&judge);
    return code;
}

/* Beside the description, not in it: its bytes are those of the file. */
static void write_errors(const struct plan *plan, struct json_writer *out)
{
    const struct dataset *data = &plan->league_rows.data;
    size_t begin = plan->split.test_begin;
    struct probability_error error = probability_error_of(plan->holdout_p, data->label + begin,
                                                          plan->split.test_end - begin, data->classes);
    json_field_f64(out, "rmse", error.rmse);
    json_field_f64(out, "mae", error.mae);
}

static void write_row(const struct plan *plan, const char *path, size_t size_bytes, int64_t started_us,
                      struct json_writer *out)
{
    const struct dataset *data = &plan->league_rows.data;
    json_field_text(out, "version", plan->version);
    json_field_text(out, "subject", plan->name.subject);
    json_field_text(out, "variant", plan->name.variant);
    json_field_text(out, "bot", plan->name.bot);
    json_field_text(out, "feature_set", plan->set->name);
    json_field_text(out, "path", path);
    json_field_i64(out, "size_bytes", (int64_t)size_bytes);
    json_field_i64(out, "trained_us", clock_now_us());
    json_field_i64(out, "duration_ms", (clock_monotonic_us() - started_us) / 1000);
    json_field_i64(out, "rows", (int64_t)plan->pool.data.rows);
    json_field_i64(out, "epochs", (int64_t)plan->rounds);
    json_field_f64(out, "train_loss", plan->training_loss);
    json_field_i64(out, "train_from_us", plan->pool.data.time_us[0]);
    json_field_i64(out, "train_to_us", plan->pool.data.time_us[plan->pool.data.rows - 1]);
    json_field_i64(out, "test_from_us", data->time_us[plan->split.test_begin]);
    json_field_i64(out, "test_to_us", data->time_us[plan->split.test_end - 1]);
    write_errors(plan, out);
    json_key(out, "description");
    json_put_raw(out, model_description(plan->model), strlen(model_description(plan->model)));
}

static enum err_code store_model(struct task_context *context, const struct plan *plan,
                                 char path[FILE_PATH_BYTES], size_t *size_bytes, struct err *err)
{
    struct buffer bytes;
    buffer_init(&bytes, LIMIT_MODEL_BYTES);
    enum err_code code = model_write(plan->model, &bytes, err);
    if (code == ERR_OK)
        code = registry_path(context->store, &plan->name, plan->version, path, err);
    if (code == ERR_OK)
        code = file_write_atomic(path, bytes.data, bytes.size_bytes, err);
    *size_bytes = bytes.size_bytes;
    buffer_release(&bytes);
    return code;
}

static enum err_code train_run(struct task_context *context, const void *options, struct buffer *result,
                               struct err *err)
{
    struct plan plan = {.options = options};
    struct json_writer writer;
    int64_t started_us = clock_monotonic_us();
    char path[FILE_PATH_BYTES];
    size_t size_bytes = 0;
    json_writer_init(&writer, result);
    enum err_code code = run_plan(context, &plan, err);
    if (code == ERR_OK)
        code = store_model(context, &plan, path, &size_bytes, err);
    if (code != ERR_OK)
        goto out;
    json_begin_object(&writer);
    write_row(&plan, path, size_bytes, started_us, &writer);
    json_key(&writer, "scores");
    report_progress(context->reporter, "judging", 0, 0);
    code = judge_plan(context, &plan, &writer, err);
    if (code != ERR_OK)
        goto out;
    json_key(&writer, "reliability");
    size_t begin = plan.split.test_begin;
    scoresheet_write_reliability(plan.holdout_p, plan.league_rows.label + begin, plan.split.test_end - begin,
                                 plan.league_rows.data.classes, &writer);
    json_key(&writer, "decision");
    code = promote_decide(context, &plan.name, plan.version, plan.matrix, &plan.league_rows, plan.split,
                          plan.holdout_p, &writer, err);
    if (code == ERR_OK) {
        json_end_object(&writer);
        code = buffer_check(result, "training result", err);
    }
out:
    plan_release(&plan);
    return code;
}

const struct task task_train = {
    .name = "train",
    .doc = "train a model of one league and target, judge it on an untouched holdout, promote it if it is "
           "better",
    .queue = "training",
    .options = &train_table,
    .options_bytes = sizeof(struct train_options),
    .check = check_options,
    .run = train_run,
    .commit = promote_commit,
};
