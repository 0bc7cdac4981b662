/* Feature value: see feature_value.h. Floats are written as this machine has them: Almanac runs on little-endian machines
 * only, as the matrix files do. */
#include "serve/feature_value.h"

#include "base/time.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[4] = {'A', 'F', 'V', '1'};

enum {
    AT_COUNT = 4,
    AT_SCHEMA = 8,
    AT_DATA = 24,
    AT_EVENT = 56,
    AT_MADE = 64,
    AT_ORIGIN = 72,
    AT_CHECK = 80
};
_Static_assert(AT_DATA + HASH_BYTES == AT_EVENT, "the header has no holes");
_Static_assert(AT_CHECK + 8 == FEATURE_VALUE_HEADER_BYTES, "the check ends the header");

static uint64_t check_of(const unsigned char *bytes, size_t count)
{
    uint64_t head = hash_u64(bytes, AT_CHECK, 0);
    return hash_u64(bytes + FEATURE_VALUE_HEADER_BYTES, count * sizeof(float), head);
}

void feature_value_write(const struct feature_value *value, struct buffer *out)
{
    size_t size_bytes = FEATURE_VALUE_HEADER_BYTES + value->count * sizeof(float);
    unsigned char *bytes = buffer_extend(out, size_bytes);
    uint32_t count = (uint32_t)value->count;
    int64_t origin = value->origin;
    if (bytes == NULL)
        return;
    memcpy(bytes, magic, sizeof(magic));
    memcpy(bytes + AT_COUNT, &count, sizeof(count));
    memcpy(bytes + AT_SCHEMA, value->schema, FEATURE_SCHEMA_BYTES);
    memcpy(bytes + AT_DATA, value->data, HASH_BYTES);
    memcpy(bytes + AT_EVENT, &value->event_us, 8);
    memcpy(bytes + AT_MADE, &value->made_us, 8);
    memcpy(bytes + AT_ORIGIN, &origin, 8);
    if (value->count > 0)
        memcpy(bytes + FEATURE_VALUE_HEADER_BYTES, value->values, value->count * sizeof(float));
    uint64_t check = check_of(bytes, value->count);
    memcpy(bytes + AT_CHECK, &check, 8);
}

void feature_value_read_own(const void *data, size_t size_bytes, struct feature_value *out)
{
    const unsigned char *bytes = data;
    uint32_t count;
    int64_t origin;
    memcpy(&count, bytes + AT_COUNT, sizeof(count));
    memcpy(out->schema, bytes + AT_SCHEMA, FEATURE_SCHEMA_BYTES);
    memcpy(out->data, bytes + AT_DATA, HASH_BYTES);
    memcpy(&out->event_us, bytes + AT_EVENT, 8);
    memcpy(&out->made_us, bytes + AT_MADE, 8);
    memcpy(&origin, bytes + AT_ORIGIN, 8);
    out->origin = (enum feature_origin)origin;
    out->count = count;
    size_t used_bytes = FEATURE_VALUE_HEADER_BYTES + count * sizeof(float);
    assert(used_bytes <= size_bytes);
    out->values = (const float *)(const void *)(bytes + FEATURE_VALUE_HEADER_BYTES);
    out->json_bytes = size_bytes - used_bytes;
    out->json = out->json_bytes > 0 ? (const char *)bytes + used_bytes : NULL;
}

/* Of the calendar (base/time.h), so that nobody who computes with it leaves int64. */
static bool is_moment(int64_t time_us)
{
    int64_t day = time_day_of(time_us);
    return day >= time_day_from_civil(1800, 1, 1) && day <= time_day_from_civil(2201, 1, 1);
}

bool feature_value_read(const void *data, size_t size_bytes, struct feature_value *out)
{
    const unsigned char *bytes = data;
    uint32_t count;
    uint64_t check;
    int64_t origin;
    if (size_bytes < FEATURE_VALUE_HEADER_BYTES || memcmp(bytes, magic, sizeof(magic)) != 0)
        return false;
    memcpy(&count, bytes + AT_COUNT, sizeof(count));
    memcpy(&origin, bytes + AT_ORIGIN, 8);
    memcpy(&check, bytes + AT_CHECK, 8);
    if ((size_bytes - FEATURE_VALUE_HEADER_BYTES) / sizeof(float) != count ||
        (size_bytes - FEATURE_VALUE_HEADER_BYTES) % sizeof(float) != 0 || origin < FEATURE_OF_STATE ||
        origin > FEATURE_OF_MATRIX || check != check_of(bytes, count))
        return false;
    feature_value_read_own(data, size_bytes, out);
    return is_moment(out->event_us) && is_moment(out->made_us);
}

/* number / 10^decimals, digit by digit. */
static void write_decimal(struct buffer *out, bool is_negative, uint64_t number, int decimals)
{
    char text[32];
    size_t at = sizeof(text);
    for (int written = 0; written <= decimals || number > 0; written++) {
        if (written == decimals && decimals > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    }
    if (is_negative)
        text[--at] = '-';
    buffer_append(out, text + at, sizeof(text) - at);
}

/* Most values are of a size at which the fewest decimals that read back are found by trying, ten times as fast as by
 * printf; the quotient of two exact doubles is what a reader of the text will get. */
void feature_value_write_number(struct buffer *out, float value)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
    char text[32];
    float size = fabsf(value);
    if (!isfinite(value)) {
        buffer_append(out, "null", 4);
        return;
    }
    for (int decimals = 0; (size >= 1e-3f && size < 1e6f) || size == 0; decimals++) {
        uint64_t number = (uint64_t)((double)size * powers[decimals] + 0.5);
        if ((float)((double)number / powers[decimals]) == size) {
            write_decimal(out, value < 0, number, decimals);
            return;
        }
        if (decimals == sizeof(powers) / sizeof(*powers) - 1)
            break;
    }
    for (int digits = 6; digits <= 9; digits++) { /* nine are always enough */
        (void)snprintf(text, sizeof(text), "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    buffer_append_text(out, text);
}
