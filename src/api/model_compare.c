/* Two versions side by side.
 *
 * Figures of different matches say nothing about which model is better, so a difference of the holdouts is given only where
 * both were judged on the same window of the same league and target ("same_window"). The figure to believe is "paired": both
 * forecast every match that neither learned from, over again, from the newer feature matrix that is kept; their difference
 * has an interval. "decision" is what was said when one of them was a challenger of the other. */
#include "api/model_object.h"

#include "base/time.h"
#include "learn/metric.h"
#include "limits.h"
#include "task/duel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct side {
    struct version_row row;
    json_t *details, *config, *decisions;
};
struct pair {
    struct side a, b;
    bool same_window;
};

static void release_side(struct side *side)
{
    json_decref(side->details);
    json_decref(side->config);
    json_decref(side->decisions);
}

static enum err_code parse(struct buffer *text, enum err_code code, json_t **out, struct err *err)
{
    if (code == ERR_OK)
        code = json_read(buffer_text(text), text->size_bytes, out, err);
    buffer_clear(text);
    return code;
}

static enum err_code read_side(struct store *store, const char *version, struct side *out, struct err *err)
{
    struct buffer text;
    buffer_init(&text, LIMIT_RESULT_BYTES);
    enum err_code code = registry_find(store, version, &out->row, err);
    if (code == ERR_OK) {
        code = parse(&text, registry_details(store, out->row.version, &text, err), &out->details, err);
    }
    if (code == ERR_OK)
        code = parse(&text, registry_config(store, out->row.version, &text, err), &out->config, err);
    if (code == ERR_OK)
        code = parse(&text, registry_decisions(store, out->row.version, &text, err), &out->decisions, err);
    buffer_release(&text);
    return code;
}

static const json_t *described(const struct side *side, const char *member)
{
    return json_object_get(json_object_get(side->details, "description"), member);
}

static bool is_same_window(const struct side *a, const struct side *b)
{
    return strcmp(a->row.name.subject, b->row.name.subject) == 0 &&
           strcmp(a->row.name.variant, b->row.name.variant) == 0 && described(a, "holdout") != NULL &&
           json_equal(described(a, "holdout"), described(b, "holdout"));
}

/* ---- metrics ---- */

static double metric_of(const struct side *side, const char *name)
{
    const json_t *value = json_object_get(described(side, "holdout_metrics"), name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void write_metric(struct json_writer *out, const struct pair *pair, const char *name, double a,
                         double b, bool lower_is_better)
{
    double difference = pair->same_window ? b - a : NAN;
    const char *better = isnan(difference) || difference == 0  ? NULL
                         : (difference < 0) == lower_is_better ? "b"
                                                               : "a";
    json_begin_object(out);
    json_field_text(out, "name", name);
    json_field_bool(out, "lower_is_better", lower_is_better);
    json_field_f64(out, "a", a);
    json_field_f64(out, "b", b);
    json_field_f64(out, "difference", difference);
    json_field_text(out, "better", better);
    json_end_object(out);
}

static void write_metrics(struct json_writer *out, const struct pair *pair)
{
    json_key(out, "metrics");
    json_begin_array(out);
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        const char *name = metric_name((enum metric)metric);
        write_metric(out, pair, name, metric_of(&pair->a, name), metric_of(&pair->b, name),
                     metric_lower_is_better((enum metric)metric) != 0);
    }
    write_metric(out, pair, "rmse", pair->a.row.rmse, pair->b.row.rmse, true);
    write_metric(out, pair, "mae", pair->a.row.mae, pair->b.row.mae, true);
    json_end_array(out);
}

/* ---- the decision between them ---- */

/* The newest decision about `challenger` with `champion` on the other side, and figures. */
static const json_t *find_decision(const struct side *challenger, const struct side *champion)
{
    for (size_t i = json_array_size(challenger->decisions); i-- > 0;) {
        const json_t *decision = json_array_get(challenger->decisions, i);
        const json_t *numbers = json_object_get(decision, "numbers");
        const char *other = json_string_value(json_object_get(numbers, "champion"));
        if (other != NULL && strcmp(other, champion->row.version) == 0 &&
            json_is_object(json_object_get(numbers, "brier")))
            return decision;
    }
    return NULL;
}

static void put_number(struct json_writer *out, const char *key, const json_t *value)
{
    json_field_f64(out, key, json_is_number(value) ? json_number_value(value) : NAN);
}

static void write_decision(struct json_writer *out, const struct pair *pair)
{
    const struct side *challenger = &pair->b, *champion = &pair->a;
    const json_t *decision = find_decision(challenger, champion);
    if (decision == NULL) {
        challenger = &pair->a;
        champion = &pair->b;
        decision = find_decision(challenger, champion);
    }
    json_key(out, "decision");
    if (decision == NULL) {
        json_put_null(out);
        return;
    }
    const json_t *brier = json_object_get(json_object_get(decision, "numbers"), "brier");
    json_begin_object(out);
    json_field_text(out, "metric", "brier");
    json_field_text(out, "challenger", challenger->row.version);
    json_field_text(out, "champion", champion->row.version);
    put_number(out, "difference", json_object_get(brier, "value"));
    put_number(out, "low", json_object_get(brier, "low"));
    put_number(out, "high", json_object_get(brier, "high"));
    json_field_text(out, "reason", json_string_value(json_object_get(decision, "reason")));
    json_end_object(out);
}

/* ---- both over again ---- */

static const char *matrix_of(const struct side *side)
{
    const char *key = json_string_value(described(side, "matrix"));
    return key != NULL ? key : "";
}

/* On the newer matrix if it is kept, else on the older. */
static enum err_code fight(struct store *store, const struct pair *pair, struct duel *out, struct err *err)
{
    struct task_context context = {.store = store};
    bool b_is_newer = pair->b.row.trained_us >= pair->a.row.trained_us;
    const struct side *newer = b_is_newer ? &pair->b : &pair->a, *older = b_is_newer ? &pair->a : &pair->b;
    enum err_code code = duel_versions(&context, &pair->a.row, &pair->b.row, matrix_of(newer), out, err);
    if (code == ERR_NOT_FOUND && strcmp(matrix_of(newer), matrix_of(older)) != 0)
        code = duel_versions(&context, &pair->a.row, &pair->b.row, matrix_of(older), out, err);
    return code;
}

static void write_interval(struct json_writer *out, const char *key, const struct interval *interval)
{
    json_key(out, key);
    json_begin_object(out);
    json_field_f64(out, "difference", interval->value);
    json_field_f64(out, "low", interval->low);
    json_field_f64(out, "high", interval->high);
    json_end_object(out);
}

/* Why they cannot be compared is an answer, not an error. */
static void write_paired(struct store *store, struct json_writer *out, const struct pair *pair)
{
    struct duel duel = {0};
    struct err err = {0};
    enum err_code code = pair->a.row.cleared_us != TIME_NONE || pair->b.row.cleared_us != TIME_NONE
                             ? err_set(&err, ERR_NOT_FOUND, "the file of a cleared version is gone")
                             : fight(store, pair, &duel, &err);
    json_key(out, "paired");
    if (code != ERR_OK) {
        json_put_null(out);
        json_field_text(out, "paired_reason", err.text);
        return;
    }
    json_begin_object(out);
    json_field_i64(out, "matches", (int64_t)duel.matches);
    json_field_time(out, "from", duel.from_us);
    json_field_time(out, "to", duel.to_us);
    write_interval(out, "brier", &duel.brier);
    write_interval(out, "log_loss", &duel.log_loss);
    json_end_object(out);
    json_field_null(out, "paired_reason");
}

/* ---- options ---- */

static void put_value(struct json_writer *out, const char *key, const json_t *value)
{
    json_key(out, key);
    if (value == NULL)
        json_put_null(out);
    else
        json_put_value(out, value);
}

static void write_difference(struct json_writer *out, const char *section, const char *name, const json_t *a,
                             const json_t *b)
{
    bool is_equal = a == NULL ? b == NULL : b != NULL && json_equal(a, b);
    if (is_equal)
        return;
    json_begin_object(out);
    json_field_text(out, "section", section);
    json_field_text(out, "name", name);
    put_value(out, "a", a);
    put_value(out, "b", b);
    json_end_object(out);
}

/* What one has and the other has not is a difference as well. */
static void write_section(struct json_writer *out, const struct pair *pair, const char *section)
{
    json_t *a = json_object_get(pair->a.config, section), *b = json_object_get(pair->b.config, section);
    const char *name;
    json_t *value;
    json_object_foreach(a, name, value)
    {
        write_difference(out, section, name, value, json_object_get(b, name));
    }
    json_object_foreach(b, name, value)
    {
        if (json_object_get(a, name) == NULL)
            write_difference(out, section, name, NULL, value);
    }
}

static enum err_code write_model(struct store *store, struct json_writer *out, const char *key,
                                 const struct side *side, int64_t now_us, struct err *err)
{
    struct model_entry entry = model_entry_of(&side->row, now_us);
    json_key(out, key);
    return model_object_write(store, &entry, now_us, out, err);
}

static enum err_code write_pair(struct store *store, const struct pair *pair, int64_t now_us,
                                struct json_writer *out, struct err *err)
{
    json_begin_object(out);
    enum err_code code = write_model(store, out, "a", &pair->a, now_us, err);
    if (code == ERR_OK)
        code = write_model(store, out, "b", &pair->b, now_us, err);
    if (code != ERR_OK)
        return code;
    json_field_bool(out, "same_window", pair->same_window);
    write_metrics(out, pair);
    write_paired(store, out, pair);
    write_decision(out, pair);
    json_key(out, "options");
    json_begin_array(out);
    write_section(out, pair, "options");
    write_section(out, pair, "engine_options");
    json_end_array(out);
    json_end_object(out);
    return ERR_OK;
}

enum err_code model_object_write_comparison(struct store *store, const char *a, const char *b, int64_t now_us,
                                            struct json_writer *out, struct err *err)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    if (pair == NULL)
        return err_nomem(err, sizeof(*pair));
    enum err_code code = read_side(store, a, &pair->a, err);
    if (code == ERR_OK)
        code = read_side(store, b, &pair->b, err);
    if (code == ERR_OK) {
        pair->same_window = is_same_window(&pair->a, &pair->b);
        code = write_pair(store, pair, now_us, out, err);
    }
    release_side(&pair->a);
    release_side(&pair->b);
    free(pair);
    return code;
}
