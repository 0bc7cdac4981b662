/* Backtest.
 *
 *   windows of the walk --> fit on the pool before each refit --> forecasts of the league's matches after it
 *   the same matches: baselines (fitted the same way), bookmaker before the match, closing price
 *   --> score sheet in all and per season, paired against the close; trust alarm; betting at a named bookmaker
 *
 * All forecasts are kept in <data>/backtests/<id>.csv, so that any other figure can be computed from them. */
#include "task/backtest.h"

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "evaluate/trust.h"
#include "football/bookmaker.h"
#include "football/feature_sets.h"
#include "football/league.h"
#include "learn/metric.h"
#include "limits.h"
#include "os/file.h"
#include "task/betting.h"
#include "task/judge.h"
#include "task/learn_rows.h"
#include "task/prepare.h"
#include "task/walk.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER(name) OPTION_MEMBER(struct backtest_options, name)
static const struct option_row rows[] = {
    LEARN_ROW_LEAGUE(MEMBER),
    LEARN_ROW_TARGET(MEMBER),
    LEARN_ROW_ENGINE(MEMBER),
    {"features", OPTION_ENUM, MEMBER(features), FEATURE_SET_CHOICES_AND_BOTH, 0, 0, "both",
     "feature set to walk with; both: no_prices, then with_prices"},
    LEARN_ROW_POOL(MEMBER, "country"),
    LEARN_ROWS_WALK(MEMBER, "monthly"),
    LEARN_ROW_FOLDS(MEMBER, "5", "folds of the yearly calibration; 0: no calibration"),
    LEARN_ROW_SEED(MEMBER, 2147483647, "seed of everything random"),
    LEARN_ROW_PARAMETERS(MEMBER),
    {"bookmaker", OPTION_TEXT, MEMBER(bookmaker), "", 0, 0, "B365", "whose prices are bet at"},
    {"min_edge", OPTION_REAL, MEMBER(min_edge), "share", 0, 1, "0.042", "least edge p * odds - 1 of a bet"},
    {"fraction", OPTION_REAL, MEMBER(fraction), "share", 0.01, 1, "0.25", "of the Kelly stake"},
    {"cap", OPTION_REAL, MEMBER(cap), "share", 0.001, 1, "0.02", "largest share of the bankroll on one bet"},
    {"prices", OPTION_ENUM, MEMBER(prices), "pre_close|close", 0, 0, "pre_close",
     "prices that pick the bets; close is labelled as not achievable"},
};
static const struct option_table backtest_table = {"backtest", rows, sizeof(rows) / sizeof(*rows)};

struct backtest {
    struct task_context *context;
    const struct backtest_options *options;
    int league, bookmaker;
    struct walk_plan settings;
    struct matrix *matrix;
    struct history *history;
    struct selected league_rows;
    struct walk_forward plan;
    size_t first_row, end_row; /* judged rows of the league */
    struct judge judge;
    size_t model[2]; /* forecasts of the judge that are models */
    size_t model_count;
};

static void release(struct backtest *backtest)
{
    judge_release(&backtest->judge);
    walk_forward_release(&backtest->plan);
    prepare_selected_release(&backtest->league_rows);
    history_destroy(backtest->history);
    matrix_close(backtest->matrix);
}

static enum err_code check_options(const void *options, struct err *err)
{
    const struct backtest_options *wanted = options;
    struct recipe recipe;
    if (league_find(text_of(wanted->league)) < 0)
        return err_set_field(err, ERR_INVALID, "league", "no league has the code '%s'", wanted->league);
    if (bookmaker_find(wanted->bookmaker) < 0)
        return err_set_field(err, ERR_INVALID, "bookmaker", "no bookmaker is called '%s'", wanted->bookmaker);
    if (wanted->from_us == TIME_NONE || wanted->to_us == TIME_NONE || wanted->from_us >= wanted->to_us)
        return err_set_field(err, ERR_INVALID, "to", "the last day judged must come after the first");
    return recipe_init(&recipe, wanted->engine, wanted->parameters, err);
}

static enum err_code open_data(struct backtest *backtest, struct err *err)
{
    const struct backtest_options *options = backtest->options;
    enum err_code code = prepare_matrix(backtest->context, &backtest->matrix, err);
    if (code == ERR_OK)
        code = prepare_history(backtest->context, (struct history_options){.with_close = true},
                               &backtest->history, err);
    if (code != ERR_OK)
        return code;
    if (history_rows(backtest->history) != matrix_rows(backtest->matrix))
        return err_set(err, ERR_CONFLICT, "the store changed while the backtest began; start it again");
    struct selection selection = {.target = (enum target)options->target,
                                  .set = football_feature_set_widest(),
                                  .league = backtest->league,
                                  .pool = POOL_LEAGUE,
                                  .from_us = TIME_NONE,
                                  .to_us = options->to_us + TIME_DAY_US};
    code = prepare_select(backtest->matrix, &selection, &backtest->league_rows, err);
    if (code == ERR_OK)
        code = walk_forward_plan(&backtest->league_rows.data, &backtest->settings, &backtest->plan, err);
    if (code != ERR_OK)
        return code;
    backtest->first_row = backtest->plan.windows[0].test_begin;
    backtest->end_row = backtest->plan.windows[backtest->plan.count - 1].test_end;
    struct dataset judged = dataset_slice(&backtest->league_rows.data, backtest->first_row,
                                          backtest->end_row - backtest->first_row);
    return judge_init(&backtest->judge, (enum target)options->target, &judged,
                      backtest->league_rows.row + backtest->first_row, err);
}

static enum err_code walk_set(struct backtest *backtest, const struct walk *walk,
                              const struct feature_set *set, struct err *err)
{
    const struct backtest_options *options = backtest->options;
    struct selection selection = {.target = (enum target)options->target,
                                  .set = set,
                                  .league = backtest->league,
                                  .pool = (enum prepare_pool)options->pool,
                                  .from_us = TIME_NONE,
                                  .to_us = options->to_us + TIME_DAY_US};
    struct selected pool;
    struct recipe recipe;
    struct checkpoint checkpoint;
    char name[JUDGE_NAME_BYTES];
    size_t index = 0;
    enum err_code code = recipe_init(&recipe, options->engine, options->parameters, err);
    if (code == ERR_OK)
        code = prepare_select(backtest->matrix, &selection, &pool, err);
    if (code != ERR_OK)
        return code;
    recipe.seed = (uint64_t)options->seed;
    recipe.folds = (recipe.engine->capabilities & ENGINE_IS_BASELINE) != 0 ? 0 : (size_t)options->folds;
    checkpoint_init(&checkpoint, backtest->context->job_folder, matrix_key_of(backtest->matrix),
                    backtest->context->reporter);
    recipe.checkpoint = &checkpoint;
    (void)snprintf(name, sizeof(name), "%.20s %.20s", options->engine, set->name);
    for (char *at = name; (at = strchr(at, '_')) != NULL;) /* "lightgbm no prices" */
        *at = ' ';
    code = judge_add(&backtest->judge, name, &index, err);
    if (code == ERR_OK)
        code = walk_model(walk, &recipe, &pool, name, backtest->judge.p[index], err);
    backtest->model[backtest->model_count++] = index;
    prepare_selected_release(&pool);
    return code;
}

static enum err_code walk_all(struct backtest *backtest, struct err *err)
{
    const struct feature_set *told = football_feature_set_at((size_t)backtest->options->features);
    struct walk walk = {&backtest->plan,     &backtest->settings,     &backtest->league_rows,
                        backtest->first_row, backtest->context->pool, backtest->context->reporter};
    enum err_code code = ERR_OK;
    if (told != NULL) {
        code = walk_set(backtest, &walk, told, err);
    } else { /* both */
        code = walk_set(backtest, &walk, football_feature_set("no_prices"), err);
        if (code == ERR_OK)
            code = walk_set(backtest, &walk, football_feature_set("with_prices"), err);
    }
    for (size_t i = 0; code == ERR_OK && engine_at(i) != NULL; i++) {
        size_t index = 0;
        if ((engine_at(i)->capabilities & ENGINE_IS_YARDSTICK) == 0 ||
            strcmp(engine_at(i)->name, backtest->options->engine) == 0)
            continue;
        code = judge_add(&backtest->judge, engine_at(i)->name, &index, err);
        if (code == ERR_OK)
            code = walk_baseline(&walk, engine_at(i)->name, backtest->judge.p[index], err);
    }
    return code == ERR_OK ? judge_add_closing(&backtest->judge, backtest->history, err) : code;
}

/* ---- what is written ---- */

static int season_of_row(const struct backtest *backtest, size_t row)
{
    return history_fixture(backtest->history, backtest->judge.row[row])->season;
}

static enum err_code write_seasons(const struct backtest *backtest, struct json_writer *out, struct err *err)
{
    const struct judge *judge = &backtest->judge;
    enum err_code code = ERR_OK;
    json_key(out, "seasons");
    json_begin_array(out);
    for (size_t begin = 0, end; code == ERR_OK && begin < judge->rows; begin = end) {
        int season = season_of_row(backtest, begin);
        for (end = begin + 1; end < judge->rows && season_of_row(backtest, end) == season; end++)
            ;
        if (judge_common_rows(judge, begin, end) == 0)
            continue;
        json_begin_object(out);
        json_field_i64(out, "season", season);
        json_key(out, "scores");
        code = judge_write(judge, begin, end, out, err);
        json_end_object(out);
    }
    json_end_array(out);
    return code;
}

/* Evidence over the rows that both the model and the close cover. */
static enum err_code trust_of(const struct backtest *backtest, size_t index, struct trust_evidence *out,
                              struct err *err)
{
    const struct judge *judge = &backtest->judge;
    const double *model = judge->p[index], *close = judge->closing >= 0 ? judge->p[judge->closing] : NULL;
    size_t classes = judge->classes, count = 0;
    struct interval difference;
    double *p = malloc(2 * judge->rows * classes * sizeof(*p));
    int32_t *label = malloc(judge->rows * sizeof(*label));
    int64_t *block = malloc(judge->rows * sizeof(*block));
    enum err_code code =
        p != NULL && label != NULL && block != NULL ? ERR_OK : err_nomem(err, judge->rows * sizeof(*p));
    double *q = p != NULL ? p + judge->rows * classes : NULL;
    for (size_t i = 0; code == ERR_OK && i < judge->rows; i++) {
        if (isnan(model[i * classes]) || (close != NULL && isnan(close[i * classes])))
            continue;
        memcpy(p + count * classes, model + i * classes, classes * sizeof(*p));
        memcpy(q + count * classes, (close != NULL ? close : model) + i * classes, classes * sizeof(*q));
        label[count] = judge->label[i];
        block[count++] = judge->block[i];
    }
    double ceiling = target_at(judge->target)->accuracy_ceiling;
    *out = (struct trust_evidence){.matches = count,
                                   .difference = NAN,
                                   .standard_error = NAN,
                                   .accuracy = NAN,
                                   .closing_accuracy = NAN,
                                   .ceiling = ceiling};
    if (code == ERR_OK && count > 0) {
        out->accuracy = metric_value(METRIC_ACCURACY, p, label, NULL, count, classes);
        if (close != NULL) {
            out->closing_accuracy = metric_value(METRIC_ACCURACY, q, label, NULL, count, classes);
            code = metric_difference(METRIC_LOG_LOSS, p, q, label, block, count, classes, JUDGE_DRAWS, 1,
                                     &difference, err);
            out->difference = difference.value;
            out->standard_error = difference.standard_error;
        }
    }
    free(p);
    free(label);
    free(block);
    return code;
}

static enum err_code write_models(const struct backtest *backtest, struct json_writer *out, struct err *err)
{
    const struct backtest_options *options = backtest->options;
    struct betting betting = {(enum bookmaker)backtest->bookmaker, options->prices == 1, options->min_edge,
                              options->fraction, options->cap};
    enum err_code code = ERR_OK;
    json_key(out, "models");
    json_begin_array(out);
    for (size_t i = 0; code == ERR_OK && i < backtest->model_count; i++) {
        struct trust_evidence evidence;
        char sentence[TRUST_SENTENCE_BYTES];
        code = trust_of(backtest, backtest->model[i], &evidence, err);
        if (code != ERR_OK)
            break;
        enum trust_verdict verdict = trust_judge(&evidence, sentence);
        json_begin_object(out);
        json_field_text(out, "name", backtest->judge.names[backtest->model[i]]);
        json_field_text(out, "trust", trust_name(verdict));
        json_field_bool(out, "trust_alarm", trust_is_alarm(verdict));
        json_field_text(out, "trust_sentence", sentence);
        json_key(out, "betting");
        code = betting_write(&backtest->judge, backtest->model[i], backtest->history, &betting, out, err);
        json_end_object(out);
    }
    json_end_array(out);
    return code;
}

static void predictions_row(const struct backtest *backtest, size_t row, struct buffer *csv)
{
    const struct judge *judge = &backtest->judge;
    const struct fixture *fixture = history_fixture(backtest->history, judge->row[row]);
    const struct target_info *target = target_at(judge->target);
    size_t stream = (size_t)league_country((size_t)fixture->league);
    char day[TIME_TEXT_BYTES];
    time_format_date(fixture->day, day);
    for (size_t f = 0; f < judge->forecast_count; f++) {
        const double *p = judge->p[f] + row * judge->classes;
        if (isnan(p[0]))
            continue;
        buffer_printf(csv, "%lld,%s,%d,\"%s\",\"%s\",%s,%s", (long long)fixture->id, day, fixture->season,
                      history_team_name(backtest->history, stream, fixture->home),
                      history_team_name(backtest->history, stream, fixture->away),
                      target->class_names[judge->label[row]], judge->names[f]);
        for (size_t c = 0; c < judge->classes; c++)
            buffer_printf(csv, ",%.9f", p[c]);
        buffer_append_char(csv, '\n');
    }
}

/* <data>/backtests/<hash of the content>.csv; the folder is made. */
static enum err_code predictions_path(const struct backtest *backtest, const struct buffer *csv,
                                      char path[FILE_PATH_BYTES], struct err *err)
{
    struct hash hash;
    char hex[HASH_HEX_BYTES], name[64], folder[FILE_PATH_BYTES];
    hash_init(&hash);
    hash_add(&hash, csv->data, csv->size_bytes);
    hash_final_hex(&hash, hex);
    (void)snprintf(name, sizeof(name), "%.16s.csv", hex);
    enum err_code code = file_join(backtest->context->store->folder, "backtests", folder, err);
    if (code == ERR_OK)
        code = file_make_folders(folder, err);
    return code == ERR_OK ? file_join(folder, name, path, err) : code;
}

static enum err_code keep_predictions(const struct backtest *backtest, char path[FILE_PATH_BYTES],
                                      struct err *err)
{
    const struct target_info *target = target_at(backtest->judge.target);
    struct buffer csv;
    buffer_init(&csv, LIMIT_RESULT_BYTES);
    buffer_append_text(&csv, "match,date,season,home,away,outcome,forecast");
    for (size_t c = 0; c < target->classes; c++)
        buffer_printf(&csv, ",p_%s", target->class_names[c]);
    buffer_append_char(&csv, '\n');
    for (size_t row = 0; row < backtest->judge.rows; row++)
        predictions_row(backtest, row, &csv);
    enum err_code code = buffer_check(&csv, "kept predictions", err);
    if (code == ERR_OK)
        code = predictions_path(backtest, &csv, path, err);
    if (code == ERR_OK)
        code = file_write_atomic(path, csv.data, csv.size_bytes, err);
    buffer_release(&csv);
    return code;
}

static enum err_code write_result(const struct backtest *backtest, struct buffer *result, struct err *err)
{
    struct json_writer out;
    char path[FILE_PATH_BYTES];
    json_writer_init(&out, result);
    json_begin_object(&out);
    json_key(&out, "options");
    option_write_json(&backtest_table, backtest->options, &out);
    json_field_i64(&out, "refits", (int64_t)backtest->plan.count);
    json_key(&out, "total");
    enum err_code code = judge_write(&backtest->judge, 0, backtest->judge.rows, &out, err);
    if (code == ERR_OK)
        code = write_seasons(backtest, &out, err);
    if (code == ERR_OK)
        code = write_models(backtest, &out, err);
    if (code == ERR_OK)
        code = keep_predictions(backtest, path, err);
    if (code != ERR_OK)
        return code;
    json_field_text(&out, "predictions", path);
    json_end_object(&out);
    return buffer_check(result, "backtest result", err);
}

static enum err_code backtest_run(struct task_context *context, const void *options, struct buffer *result,
                                  struct err *err)
{
    struct backtest backtest = {.context = context, .options = options};
    const struct backtest_options *wanted = options;
    enum err_code code = check_options(options, err);
    if (code != ERR_OK)
        return code;
    backtest.league = league_find(text_of(wanted->league));
    backtest.bookmaker = bookmaker_find(wanted->bookmaker);
    /* a day's embargo: matches whose clock is unknown are over by then */
    backtest.settings = (struct walk_plan){.from_us = wanted->from_us,
                                           .to_us = wanted->to_us + TIME_DAY_US,
                                           .cadence = (enum walk_cadence)wanted->refit,
                                           .every_days = wanted->every_days,
                                           .window_days = wanted->window_days,
                                           .embargo_us = TIME_DAY_US,
                                           .least_rows = 100};
    code = open_data(&backtest, err);
    if (code == ERR_OK)
        code = walk_all(&backtest, err);
    if (code == ERR_OK) {
        report_progress(context->reporter, "judging", 0, 0);
        code = write_result(&backtest, result, err);
    }
    release(&backtest);
    return code;
}

const struct task task_backtest = {
    .name = "backtest",
    .doc = "walk through the past, refit as it goes, judge against baselines and the closing price",
    .options = &backtest_table,
    .options_bytes = sizeof(struct backtest_options),
    .check = check_options,
    .run = backtest_run,
};
