/* A look as JSON: one object of GET /api/drift. */
#include "task/monitor.h"

#include "base/time.h"

#include <math.h>
#include <stdlib.h>

static int64_t start_of(const struct monitor *monitor, size_t row)
{
    return matrix_row_info(monitor->matrix)[monitor->rows[row]].start_us;
}

/* Times of the first and last of rows [begin, end). */
static void write_range(const struct monitor *monitor, const char *key, size_t begin, size_t end,
                        struct json_writer *out)
{
    json_key(out, key);
    json_begin_object(out);
    json_field_time(out, "from", begin < end ? start_of(monitor, begin) : TIME_NONE);
    json_field_time(out, "to", begin < end ? start_of(monitor, end - 1) : TIME_NONE);
    json_field_i64(out, "matches", begin < end ? (int64_t)(end - begin) : 0);
    json_end_object(out);
}

struct ranked {
    size_t column;
    double rank; /* PSI over its limit */
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

static void write_feature(const struct monitor *monitor, const struct monitor_look *look, size_t column,
                          struct json_writer *out)
{
    const struct drift *drift = &look->drift[column], *limit = &monitor->drift_limits[column];
    json_begin_object(out);
    json_field_text(out, "name", model_names(monitor->model)[column]);
    json_field_f64(out, "psi", drift->psi);
    json_field_f64(out, "ks", drift->ks);
    json_field_f64(out, "js", drift->js);
    json_field_f64(out, "w1", drift->w1);
    json_field_f64(out, "missing_change", drift->missing_change);
    json_field_f64(out, "threshold", limit->psi);
    json_key(out, "thresholds");
    json_begin_object(out);
    json_field_f64(out, "psi", limit->psi);
    json_field_f64(out, "ks", limit->ks);
    json_field_f64(out, "js", limit->js);
    json_field_f64(out, "w1", limit->w1);
    json_field_f64(out, "missing_change", limit->missing_change);
    json_end_object(out);
    json_field_bool(out, "is_drifted", drift_is_beyond(drift, limit));
    json_end_object(out);
}

static void write_features(const struct monitor *monitor, const struct monitor_look *look, size_t most,
                           struct json_writer *out)
{
    struct ranked *order = malloc((monitor->columns + 1) * sizeof(*order));
    json_key(out, "features");
    json_begin_array(out);
    for (size_t c = 0; order != NULL && look->has_drift && c < monitor->columns; c++) {
        double rank = look->drift[c].psi / monitor->drift_limits[c].psi;
        order[c] = (struct ranked){c, isnan(rank) ? -1 : rank};
    }
    if (order != NULL && look->has_drift) {
        qsort(order, monitor->columns, sizeof(*order), compare_ranked);
        for (size_t i = 0; i < monitor->columns && i < most; i++)
            write_feature(monitor, look, order[i].column, out);
    }
    json_end_array(out);
    free(order);
}

static void write_live_loss(const struct monitor *monitor, const struct monitor_look *look,
                            struct json_writer *out)
{
    const struct loss_alarm *loss = &look->loss;
    const struct loss_alarm_limits *limits = &monitor->loss_limits;
    size_t served = 0;
    for (size_t i = monitor->live_begin; i < look->live_end; i++)
        served += monitor->is_served[i - monitor->judged_begin];
    json_key(out, "live_loss");
    json_begin_object(out);
    json_field_i64(out, "count", (int64_t)loss->count);
    json_field_i64(out, "served", (int64_t)served);
    json_field_f64(out, "mean", loss->loss);
    json_field_f64(out, "expected", loss->expected);
    json_field_f64(out, "reference", look->has_loss ? limits->loss : NAN);
    json_field_f64(out, "page_hinkley", loss->page_hinkley);
    json_field_f64(out, "page_hinkley_threshold", look->has_loss ? limits->lambda : NAN);
    json_field_time(out, "page_hinkley_at", loss->page_hinkley_us);
    json_field_f64(out, "adwin", loss->adwin_least);
    json_field_f64(out, "adwin_threshold", look->has_loss ? limits->adwin_delta : NAN);
    json_field_time(out, "adwin_cut", loss->adwin_us);
    json_field_bool(out, "is_alarm", loss->page_hinkley_us != INT64_MIN || loss->adwin_us != INT64_MIN);
    json_end_object(out);
}

/* The last days: what a person wants to see, too few matches to decide on. */
static void write_days(const struct monitor *monitor, const struct monitor_look *look,
                       struct json_writer *out)
{
    double loss = 0, expected = 0, count = 0;
    int64_t from_us = look->at_us - monitor->options->days * TIME_DAY_US;
    for (size_t i = look->live_end; i > monitor->live_begin && start_of(monitor, i - 1) >= from_us; i--) {
        loss += monitor->loss[i - 1 - monitor->judged_begin].loss;
        expected += monitor->loss[i - 1 - monitor->judged_begin].expected;
        count++;
    }
    json_key(out, "recent");
    json_begin_object(out);
    json_field_i64(out, "days", monitor->options->days);
    json_field_i64(out, "count", (int64_t)count);
    json_field_f64(out, "mean", count > 0 ? loss / count : NAN);
    json_field_f64(out, "expected", count > 0 ? expected / count : NAN);
    json_end_object(out);
}

static void write_performance(const struct monitor *monitor, const struct monitor_look *look,
                              struct json_writer *out)
{
    json_key(out, "performance");
    json_begin_object(out);
    json_field_f64(out, "score", look->loss.score);
    json_field_f64(out, "threshold", look->score_threshold);
    json_field_i64(out, "matches", monitor->options->least);
    json_field_bool(out, "is_alarm", look->has_loss && look->loss.score < look->score_threshold);
    write_days(monitor, look, out);
    json_end_object(out);
}

void monitor_write_look(const struct monitor *monitor, const struct monitor_look *look, size_t features,
                        struct json_writer *out)
{
    size_t window = (size_t)monitor->options->window, live = look->live_end - monitor->live_begin;
    json_field_time(out, "at", look->at_us);
    json_field_text(out, "subject", monitor->row.name.subject);
    json_field_text(out, "variant", monitor->row.name.variant);
    json_field_text(out, "bot", monitor->row.name.bot);
    json_field_text(out, "version", monitor->row.version);
    write_range(monitor, "window", look->live_end - (live < window ? live : window), look->live_end, out);
    write_range(monitor, "reference", monitor->learned_begin, monitor->live_begin, out);
    write_features(monitor, look, features, out);
    json_field_f64(out, "share_drifted", look->has_drift ? look->share_drifted : NAN);
    json_field_f64(out, "share_threshold", look->share_threshold);
    json_field_f64(out, "psi_max", look->has_drift ? look->psi_most : NAN);
    write_live_loss(monitor, look, out);
    write_performance(monitor, look, out);
    json_field_text(out, "trigger",
                    look->trigger == MONITOR_STEADY ? NULL : monitor_trigger_name(look->trigger));
    json_field_text(out, "reason", look->reason);
}
