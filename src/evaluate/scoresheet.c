/* Score sheet: loops over forecasts and metrics. */
#include "evaluate/scoresheet.h"

#include <math.h>
#include <string.h>

enum { RELIABILITY_BINS = 10 };

void scoresheet_write_interval(struct json_writer *out, const char *key, const struct interval *interval)
{
    json_key(out, key);
    json_begin_object(out);
    json_field_f64(out, "value", interval->value);
    json_field_f64(out, "low", interval->low);
    json_field_f64(out, "high", interval->high);
    json_end_object(out);
}

static enum err_code write_forecast(const struct scoresheet *sheet, size_t index, struct json_writer *out,
                                    struct err *err)
{
    const struct forecast *forecast = &sheet->forecasts[index];
    struct interval interval;
    json_begin_object(out);
    json_field_text(out, "name", forecast->name);
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        enum err_code code =
            metric_interval((enum metric)metric, forecast->p, sheet->label, sheet->block, sheet->rows,
                            sheet->classes, sheet->draws, sheet->seed, &interval, err);
        if (code != ERR_OK)
            return code;
        scoresheet_write_interval(out, metric_name((enum metric)metric), &interval);
    }
    if (sheet->reference >= 0 && (size_t)sheet->reference != index) {
        enum err_code code = metric_difference(
            METRIC_LOG_LOSS, forecast->p, sheet->forecasts[sheet->reference].p, sheet->label, sheet->block,
            sheet->rows, sheet->classes, sheet->draws, sheet->seed, &interval, err);
        if (code != ERR_OK)
            return code;
        scoresheet_write_interval(out, "against_reference", &interval);
    } else {
        json_field_null(out, "against_reference");
    }
    json_end_object(out);
    return ERR_OK;
}

enum err_code scoresheet_write_json(const struct scoresheet *sheet, struct json_writer *out, struct err *err)
{
    json_begin_object(out);
    json_field_i64(out, "rows", (int64_t)sheet->rows);
    json_field_text(out, "reference", sheet->reference >= 0 ? sheet->forecasts[sheet->reference].name : NULL);
    json_key(out, "forecasts");
    json_begin_array(out);
    for (size_t i = 0; i < sheet->forecast_count; i++) {
        enum err_code code = write_forecast(sheet, i, out, err);
        if (code != ERR_OK)
            return code;
    }
    json_end_array(out);
    json_end_object(out);
    return ERR_OK;
}

void scoresheet_write_reliability(const double *p, const int32_t *label, size_t rows, size_t classes,
                                  struct json_writer *out)
{
    struct reliability_bin bins[RELIABILITY_BINS];
    metric_reliability(p, label, rows, classes, RELIABILITY_BINS, bins);
    json_begin_array(out);
    for (size_t i = 0; i < RELIABILITY_BINS; i++) {
        if (bins[i].count == 0)
            continue;
        json_begin_object(out);
        json_field_f64(out, "low", bins[i].low);
        json_field_f64(out, "high", bins[i].high);
        json_field_f64(out, "mean_p", bins[i].mean_p);
        json_field_f64(out, "mean_o", bins[i].mean_o);
        json_field_i64(out, "count", (int64_t)bins[i].count);
        json_end_object(out);
    }
    json_end_array(out);
}

static double member(const json_t *object, const char *key, const char *part)
{
    const json_t *value = json_object_get(json_object_get(object, key), part);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void print_forecast(const json_t *forecast, struct buffer *out)
{
    buffer_printf(out, "  %-24s %7.4f [%6.4f, %6.4f]  %6.4f  %6.4f  %5.2f %%  %6.4f",
                  json_string_value(json_object_get(forecast, "name")), member(forecast, "log_loss", "value"),
                  member(forecast, "log_loss", "low"), member(forecast, "log_loss", "high"),
                  member(forecast, "rps", "value"), member(forecast, "brier", "value"),
                  100 * member(forecast, "accuracy", "value"), member(forecast, "ece", "value"));
    if (json_is_object(json_object_get(forecast, "against_reference")))
        buffer_printf(out, "  %+.4f [%+.4f, %+.4f]", member(forecast, "against_reference", "value"),
                      member(forecast, "against_reference", "low"),
                      member(forecast, "against_reference", "high"));
    buffer_append_char(out, '\n');
}

void scoresheet_print(const json_t *sheet, struct buffer *out)
{
    const char *reference = json_string_value(json_object_get(sheet, "reference"));
    buffer_printf(out, "  %-24s %-26s  %-6s  %-6s  %-7s  %-6s  %s%s\n", "forecast",
                  "log loss [95 % interval]", "RPS", "Brier", "correct", "ECE",
                  reference != NULL ? "log loss minus that of " : "", reference != NULL ? reference : "");
    size_t index;
    const json_t *forecast;
    json_array_foreach(json_object_get(sheet, "forecasts"), index, forecast) print_forecast(forecast, out);
    buffer_printf(out, "  over %lld matches\n",
                  (long long)json_integer_value(json_object_get(sheet, "rows")));
}
