/* Metrics text: see metrics_text.h. */
#include "api/metrics_text.h"

#include "base/json.h"

#include <math.h>
#include <stdarg.h>

static void put_escaped(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            buffer_append_text(out, "\\n");
        else if (*text == '\\' || *text == '"')
            buffer_printf(out, "\\%c", *text);
        else
            buffer_append_char(out, *text);
    }
}

static void put_label(struct buffer *out, const char *separator, const char *label, const char *value)
{
    buffer_printf(out, "%s%s=\"", separator, label);
    put_escaped(out, value);
    buffer_append_char(out, '"');
}

/* The shortest text that reads back. */
static void put_value(struct buffer *out, double value)
{
    struct json_writer writer;
    if (isnan(value)) {
        buffer_append_text(out, "NaN");
    } else if (isinf(value)) {
        buffer_append_text(out, value > 0 ? "+Inf" : "-Inf");
    } else {
        json_writer_init(&writer, out);
        json_put_f64(&writer, value);
    }
}

void metrics_sample(struct buffer *out, const char *name, double value, ...)
{
    va_list labels;
    const char *separator = "{", *label;
    buffer_append_text(out, name);
    va_start(labels, value);
    while ((label = va_arg(labels, const char *)) != NULL) {
        put_label(out, separator, label, va_arg(labels, const char *));
        separator = ",";
    }
    va_end(labels);
    buffer_append_text(out, separator[0] == ',' ? "} " : " ");
    put_value(out, value);
    buffer_append_char(out, '\n');
}

void histogram_add(struct histogram *histogram, const struct histogram_scale *scale, double value)
{
    size_t bucket = 0;
    while (bucket < scale->count && value > scale->bounds[bucket])
        bucket++;
    histogram->counts[bucket]++;
    histogram->sum += value;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
        count += histogram->counts[i];
    return count;
}

static void put_bucket(struct buffer *out, const char *name, const char *label, const char *value,
                       double bound, uint64_t count)
{
    buffer_printf(out, "%s_bucket", name);
    put_label(out, "{", label, value);
    buffer_append_text(out, ",le=\"");
    put_value(out, bound);
    buffer_printf(out, "\"} %llu\n", (unsigned long long)count);
}

static void put_total(struct buffer *out, const char *name, const char *suffix, const char *label,
                      const char *value, double total)
{
    buffer_printf(out, "%s_%s", name, suffix);
    put_label(out, "{", label, value);
    buffer_append_text(out, "} ");
    put_value(out, total);
    buffer_append_char(out, '\n');
}

void metrics_histogram(struct buffer *out, const char *name, const struct histogram *histogram,
                       const struct histogram_scale *scale, const char *label, const char *value)
{
    uint64_t count = 0;
    for (size_t i = 0; i < scale->count; i++) {
        count += histogram->counts[i];
        put_bucket(out, name, label, value, scale->bounds[i], count);
    }
    count += histogram->counts[scale->count];
    put_bucket(out, name, label, value, INFINITY, count);
    put_total(out, name, "sum", label, value, histogram->sum);
    put_total(out, name, "count", label, value, (double)count);
}
