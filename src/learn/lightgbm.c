/* LightGBM: gradient boosted trees, random forest or extremely randomised trees through LightGBM's C API.
 *
 * The library grows the trees; then its model text becomes a struct forest and everything of LightGBM is
 * freed. What predicts, is saved and served is the forest: no foreign code on the serving path.
 *
 * The matrix goes in as it lies (row-major float32, NaN missing); LightGBM bins it and keeps its own bytes
 * only. Same data, options, seed and threads give the same trees: `deterministic`, and the way of building
 * histograms is fixed, where LightGBM would otherwise time both and take the faster. */
#include "learn/dataset.h"
#include "learn/engine.h"
#include "learn/forest.h"
#include "learn/lightgbm_library.h"
#include "limits.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS_BYTES = 1024, EVALUATED = 20, EVALUATIONS = 8, BIN_SAMPLE_ROWS = 10000 };
enum boosting { BOOSTING_GBDT, BOOSTING_RF, BOOSTING_EXTRA_TREES };

struct lightgbm_options {
    int64_t trees, leaves, max_depth, min_child_samples, bins;
    double learning_rate, subsample, colsample, lambda_l2;
    int boosting;
};

#define MEMBER(member) OPTION_MEMBER(struct lightgbm_options, member)
static const struct option_row rows[] = {
    {"trees", OPTION_INT, MEMBER(trees), "", 1, 10000, "100",
     "Boosting rounds; each grows one tree per class."},
    {"learning_rate", OPTION_REAL, MEMBER(learning_rate), "", 1e-4, 1, "0.05", "Weight of each new tree."},
    {"leaves", OPTION_INT, MEMBER(leaves), "", 2, 4096, "8", "Most leaves of a tree."},
    {"max_depth", OPTION_INT, MEMBER(max_depth), "", -1, 64, "-1", "Most splits above a leaf; -1: no bound."},
    {"min_child_samples", OPTION_INT, MEMBER(min_child_samples), "rows", 1, 1000000, "100",
     "Least training rows of a leaf."},
    {"subsample", OPTION_REAL, MEMBER(subsample), "", 0.05, 1, "0.8",
     "Share of the rows drawn for each round."},
    {"colsample", OPTION_REAL, MEMBER(colsample), "", 0.01, 1, "0.3",
     "Share of the features drawn for each tree."},
    {"lambda_l2", OPTION_REAL, MEMBER(lambda_l2), "", 0, 1e6, "5",
     "Ridge penalty on the values of the leaves."},
    {"bins", OPTION_INT, MEMBER(bins), "", 15, 255, "63",
     "Most histogram bins of a feature; fewer train faster and, on noisy outcomes, no worse."},
    {"boosting", OPTION_ENUM, MEMBER(boosting), "gbdt|rf|extra_trees", 0, 0, "gbdt",
     "gbdt boosts, rf averages independent trees, extra_trees boosts with random thresholds."},
};
static const struct option_table table = {"lightgbm", rows, sizeof rows / sizeof rows[0]};

struct predictor {
    const struct engine *engine;
    struct forest *forest;
    size_t classes; /* 2: one score, of class 1; more: one score each */
};

/* Everything of LightGBM that must be freed. */
struct grower {
    const struct lightgbm_library *library;
    void *dataset, *booster;
    char *text;
    int64_t text_bytes;
};

static size_t outputs_of(size_t classes)
{
    return classes == 2 ? 1 : classes;
}

static void ignore_log(const char *text)
{
    (void)text; /* errors come back as codes with last_error; the rest would litter standard output */
}

static enum err_code library_error(const struct grower *grower, const char *doing, struct err *err)
{
    return err_set(err, ERR_INTERNAL, "LightGBM failed while %s: %s", doing, grower->library->last_error());
}

/* ---- training ---- */

static enum err_code check(const struct dataset *data, const struct lightgbm_options *options,
                           struct err *err)
{
    if (data->rows < 1 || data->rows > INT32_MAX)
        return err_set(err, ERR_INVALID, "cannot train on %zu rows, 1 to %d are possible", data->rows,
                       INT32_MAX);
    if (data->columns < 1 || data->columns > LIMIT_FEATURES)
        return err_set(err, ERR_INVALID, "cannot train on %zu features, 1 to %d are possible", data->columns,
                       LIMIT_FEATURES);
    if (data->classes < 2)
        return err_set(err, ERR_INVALID, "cannot train on %zu classes, at least 2 are needed", data->classes);
    if (options->boosting == BOOSTING_RF && options->subsample >= 1)
        return err_set_field(
            err, ERR_INVALID, "subsample",
            "a random forest needs subsample below 1: its trees differ by the rows they see");
    if (options->trees * (int64_t)outputs_of(data->classes) > LIMIT_TREES)
        return err_set_field(err, ERR_INVALID, "trees", "%lld rounds of %zu trees exceed %d trees",
                             (long long)options->trees, outputs_of(data->classes), LIMIT_TREES);
    return ERR_OK;
}

/* LightGBM's seed is a positive int; small seeds stay what they are. */
static int seed_of(uint64_t seed)
{
    return (int)((seed ^ seed >> 31 ^ seed >> 62) & INT32_MAX);
}

static enum err_code write_parameters(const struct training *training, struct buffer *out, struct err *err)
{
    const struct lightgbm_options *options = training->options;
    if (training->data->classes == 2)
        buffer_append_text(out, "objective=binary metric=binary_logloss");
    else
        buffer_printf(out, "objective=multiclass metric=multi_logloss num_class=%zu",
                      training->data->classes);
    buffer_printf(out, " boosting=%s extra_trees=%s", options->boosting == BOOSTING_RF ? "rf" : "gbdt",
                  options->boosting == BOOSTING_EXTRA_TREES ? "true" : "false");
    buffer_printf(out, " num_iterations=%lld num_leaves=%lld max_depth=%lld min_data_in_leaf=%lld",
                  (long long)options->trees, (long long)options->leaves, (long long)options->max_depth,
                  (long long)options->min_child_samples);
    buffer_printf(out, " learning_rate=%.17g bagging_fraction=%.17g bagging_freq=%d feature_fraction=%.17g",
                  options->learning_rate, options->subsample, options->subsample < 1 ? 1 : 0,
                  options->colsample);
    buffer_printf(out, " lambda_l2=%.17g seed=%d num_threads=%d", options->lambda_l2, seed_of(training->seed),
                  training->threads > 0 ? training->threads : 1);
    /* the bins need no more rows to be placed well, and LightGBM copies the sample as doubles: 200,000 rows, its
     * default, would be the peak of the program's memory */
    buffer_printf(out, " max_bin=%lld bin_construct_sample_cnt=%d", (long long)options->bins,
                  BIN_SAMPLE_ROWS);
    buffer_append_text(out, " deterministic=true force_col_wise=true verbosity=-1");
    return buffer_check(out, "LightGBM parameters", err);
}

static enum err_code make_dataset(struct grower *grower, const struct dataset *data, const char *parameters,
                                  struct err *err)
{
    const struct lightgbm_library *library = grower->library;
    int rows_count = (int)data->rows;
    if (library->dataset_create_from_mat(data->x, LIGHTGBM_FLOAT32, rows_count, (int)data->columns, 1,
                                         parameters, NULL, &grower->dataset))
        return library_error(grower, "reading the matrix", err);
    float *label = malloc(data->rows * sizeof *label);
    if (!label)
        return err_nomem(err, data->rows * sizeof *label);
    for (size_t i = 0; i < data->rows; i++) {
        assert(data->label[i] >= 0 && (size_t)data->label[i] < data->classes);
        label[i] = (float)data->label[i];
    }
    int failed = library->dataset_set_field(grower->dataset, "label", label, rows_count, LIGHTGBM_FLOAT32);
    free(label);
    return failed ? library_error(grower, "reading the labels", err) : ERR_OK;
}

/* The training loss, NaN when LightGBM does not tell. */
static double training_loss(const struct grower *grower)
{
    double values[EVALUATIONS];
    int count = 0;
    if (grower->library->booster_get_eval_counts(grower->booster, &count) || count != 1 ||
        grower->library->booster_get_eval(grower->booster, 0, &count, values) || count != 1)
        return (double)NAN;
    return values[0];
}

static void report(const struct grower *grower, const struct training_watch *watch, size_t done, size_t total)
{
    if (!watch->progress)
        return;
    size_t every = total / EVALUATED + 1; /* it costs a pass over the rows: as often as a person can follow */
    bool is_evaluated = done % every == 0 || done == total;
    watch->progress(watch->context, done, total, is_evaluated ? training_loss(grower) : (double)NAN);
}

static enum err_code grow(const struct grower *grower, const struct training *training, struct err *err)
{
    const struct lightgbm_options *options = training->options;
    const struct training_watch *watch = &training->watch;
    size_t total = (size_t)options->trees;
    int is_finished = 0;
    for (size_t done = 0; done < total && !is_finished; done++) {
        if (watch->stop && watch->stop(watch->context))
            return err_set(err, ERR_CANCELLED, "training stopped on request after %zu of %zu rounds", done,
                           total);
        if (grower->library->booster_update_one_iter(grower->booster, &is_finished))
            return library_error(grower, "growing trees", err);
        report(grower, watch, is_finished ? total : done + 1,
               total); /* finished: no split gains anything any more */
    }
    return ERR_OK;
}

static enum err_code take_text(struct grower *grower, struct err *err)
{
    int64_t room = 1 << 20;
    for (int attempt = 0; attempt < 2; attempt++) {
        free(grower->text);
        grower->text = malloc((size_t)room);
        if (!grower->text)
            return err_nomem(err, (size_t)room);
        if (grower->library->booster_save_model_to_string(grower->booster, 0, -1, 0, room,
                                                          &grower->text_bytes, grower->text))
            return library_error(grower, "writing the model", err);
        if (grower->text_bytes <= room) /* with its terminator */
            return ERR_OK;
        room = grower->text_bytes;
    }
    return err_set(err, ERR_INTERNAL, "LightGBM's model text grew while it was written");
}

static void grower_free_library_side(struct grower *grower)
{
    if (grower->booster)
        grower->library->booster_free(grower->booster);
    if (grower->dataset)
        grower->library->dataset_free(grower->dataset);
    grower->booster = grower->dataset = NULL;
}

static struct predictor *predictor_create(struct forest *forest, size_t classes)
{
    struct predictor *predictor = malloc(sizeof *predictor);
    if (predictor)
        *predictor = (struct predictor){&engine_lightgbm, forest, classes};
    return predictor;
}

static enum err_code read_forest(struct grower *grower, const struct dataset *data, struct predictor **out,
                                 struct err *err)
{
    struct forest *forest = NULL;
    struct text text = {grower->text, (size_t)grower->text_bytes - 1};
    enum err_code code = forest_read_lightgbm(text, data->columns, &forest, err);
    if (code)
        return code;
    assert(forest_outputs(forest) == outputs_of(data->classes));
    *out = predictor_create(forest, data->classes);
    if (!*out) {
        forest_destroy(forest);
        return err_nomem(err, sizeof **out);
    }
    return ERR_OK;
}

static enum err_code train(const struct training *training, struct predictor **out, struct err *err)
{
    struct grower grower = {.library = NULL};
    struct buffer parameters;
    *out = NULL;
    buffer_init(&parameters, PARAMETERS_BYTES);
    enum err_code code = check(training->data, training->options, err);
    if (!code)
        code = lightgbm_library_open(&grower.library, err);
    if (!code)
        code = write_parameters(training, &parameters, err);
    if (code)
        goto out;
    grower.library->register_log_callback(ignore_log);
    code = make_dataset(&grower, training->data, buffer_text(&parameters), err);
    if (code)
        goto out;
    if (grower.library->booster_create(grower.dataset, buffer_text(&parameters), &grower.booster))
        code = library_error(&grower, "starting", err);
    if (!code)
        code = grow(&grower, training, err);
    if (!code)
        code = take_text(&grower, err);
    grower_free_library_side(&grower); /* before the forest is made: the two need not be in memory together */
    if (!code)
        code = read_forest(&grower, training->data, out, err);
out:
    if (grower.library)
        grower_free_library_side(&grower);
    free(grower.text);
    buffer_release(&parameters);
    return code;
}

/* ---- prediction ---- */

/* Scores to probabilities in place, in the order of LightGBM's own Softmax, so that the results are equal
 * too. */
static void softmax(double *p, size_t classes)
{
    double most = p[0], sum = 0;
    for (size_t c = 1; c < classes; c++)
        most = p[c] > most ? p[c] : most;
    for (size_t c = 0; c < classes; c++) {
        p[c] = exp(p[c] - most);
        sum += p[c];
    }
    for (size_t c = 0; c < classes; c++)
        p[c] /= sum;
}

static void predict(const struct predictor *predictor, const float *x, size_t row_count, double *out)
{
    size_t classes = predictor->classes;
    forest_predict_raw(predictor->forest, x, row_count, out);
    if (classes > 2) {
        for (size_t row = 0; row < row_count; row++)
            softmax(out + row * classes, classes);
        return;
    }
    for (size_t row = row_count;
         row-- > 0;) { /* one score per row widens to two probabilities: from the end */
        double p = 1.0 / (1.0 + exp(-out[row]));
        out[2 * row] = 1.0 - p;
        out[2 * row + 1] = p;
    }
}

/* ---- bytes ---- */

static enum err_code save(const struct predictor *predictor, struct buffer *out, struct err *err)
{
    return forest_save(predictor->forest, out, err);
}

static enum err_code load(const void *data, size_t size_bytes, const char *const *names, size_t columns,
                          size_t classes, struct predictor **out, struct err *err)
{
    struct forest *forest = NULL;
    (void)names;
    *out = NULL;
    enum err_code code = forest_load(data, size_bytes, &forest, err);
    if (code)
        return code;
    if (forest_columns(forest) != columns || classes < 2 || forest_outputs(forest) != outputs_of(classes))
        code = err_set(err, ERR_CORRUPT,
                       "forest has %zu columns and %zu outputs, the model %zu features, %zu classes",
                       forest_columns(forest), forest_outputs(forest), columns, classes);
    if (!code && !(*out = predictor_create(forest, classes)))
        code = err_nomem(err, sizeof **out);
    if (code)
        forest_destroy(forest);
    return code;
}

static void destroy(struct predictor *predictor)
{
    if (!predictor)
        return;
    forest_destroy(predictor->forest);
    free(predictor);
}

static void importance(const struct predictor *predictor, double *out)
{
    forest_gain(predictor->forest, out);
}

const struct engine engine_lightgbm = {
    .name = "lightgbm",
    .doc = "Gradient boosted trees by LightGBM (also its random forest and extra trees), predicted by "
           "Almanac's own "
           "forest.",
    .version = 1,
    .capabilities = ENGINE_IS_FOREST,
    .options = &table,
    .options_bytes = sizeof(struct lightgbm_options),
    .train = train,
    .predict = predict,
    .save = save,
    .load = load,
    .destroy = destroy,
    .importance = importance,
};
