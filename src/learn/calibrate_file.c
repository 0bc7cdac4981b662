/* The calibrator's bytes, little endian; a section of the model file (docs/formats/model.md), whose checksum
 * covers it. No number is trusted all the same: the checksum can be forged, and an index or a NaN would reach
 * the server.
 *
 *   u32 magic "CAL1"   u32 kind   u32 classes   u32 0
 *   platt        classes x (f64 slope, f64 intercept)
 *   isotonic     classes x (u64 count, count x f64 x, count x f64 y)
 *   temperature  f64 T
 */
#include "learn/calibrate_kinds.h"
#include "learn/reader.h"

#define MAGIC       UINT32_C(0x314c4143) /* "CAL1" */
#define SIGMOID_MAX 1e9 /* |slope| and |intercept|; fits stay far below, products stay finite */

static void append_curve(struct buffer *out, const struct isotonic_curve *curve)
{
    buffer_append_u64(out, curve->count);
    for (size_t index = 0; index < curve->count; index++)
        writer_f64(out, curve->x[index]);
    for (size_t index = 0; index < curve->count; index++)
        writer_f64(out, curve->y[index]);
}

enum err_code calibrator_save(const struct calibrator *calibrator, struct buffer *out, struct err *err)
{
    buffer_append_u32(out, MAGIC);
    buffer_append_u32(out, (uint32_t)calibrator->kind);
    buffer_append_u32(out, (uint32_t)calibrator->classes);
    buffer_append_u32(out, 0);
    for (size_t index = 0; calibrator->sigmoids != NULL && index < calibrator->classes; index++) {
        writer_f64(out, calibrator->sigmoids[index].slope);
        writer_f64(out, calibrator->sigmoids[index].intercept);
    }
    for (size_t index = 0; calibrator->curves != NULL && index < calibrator->classes; index++)
        append_curve(out, &calibrator->curves[index]);
    if (calibrator->kind == CALIBRATION_TEMPERATURE)
        writer_f64(out, calibrator->temperature);
    return buffer_check(out, "calibrator", err);
}

/* A number within [low, high]; anything else, NaN included, fails the reader. */
static double take_f64(struct reader *reader, double low, double high)
{
    double value = reader_f64(reader);
    if (!(value >= low && value <= high)) {
        reader->failed = true;
        return low;
    }
    return value;
}

static enum err_code corrupt(struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "the calibrator is damaged: %s", what);
}

static enum err_code load_curve(struct reader *reader, struct isotonic_curve *curve, struct err *err)
{
    uint64_t count = reader_u64(reader);
    if (reader->failed || count == 0 ||
        count > reader_left(reader) / 16) /* memory follows the bytes there are */
        return corrupt(err, "a curve's length does not fit");
    enum err_code code = isotonic_curve_create((size_t)count, curve, err);
    if (code != ERR_OK)
        return code;
    for (size_t index = 0; index < count; index++) {
        curve->x[index] = take_f64(reader, 0, 1);
        if (index > 0 && curve->x[index] <= curve->x[index - 1])
            return corrupt(err, "a curve's knots do not rise");
    }
    for (size_t index = 0; index < count; index++)
        curve->y[index] = take_f64(reader, index > 0 ? curve->y[index - 1] : 0, 1);
    return reader->failed ? corrupt(err, "a curve is out of range or falls") : ERR_OK;
}

static enum err_code load_body(struct reader *reader, struct calibrator *calibrator, struct err *err)
{
    for (size_t index = 0; calibrator->sigmoids != NULL && index < calibrator->classes; index++) {
        calibrator->sigmoids[index].slope = take_f64(reader, -SIGMOID_MAX, SIGMOID_MAX);
        calibrator->sigmoids[index].intercept = take_f64(reader, -SIGMOID_MAX, SIGMOID_MAX);
    }
    for (size_t index = 0; calibrator->curves != NULL && index < calibrator->classes; index++) {
        enum err_code code = load_curve(reader, &calibrator->curves[index], err);
        if (code != ERR_OK)
            return code;
    }
    if (calibrator->kind == CALIBRATION_TEMPERATURE)
        calibrator->temperature = take_f64(reader, CALIBRATOR_T_MIN, CALIBRATOR_T_MAX);
    if (reader->failed)
        return corrupt(err, "a number is missing or out of range");
    return reader_is_done(reader) ? ERR_OK : corrupt(err, "bytes are left over");
}

enum err_code calibrator_load(const void *data, size_t size_bytes, struct calibrator **out, struct err *err)
{
    struct reader reader;
    reader_init(&reader, data, size_bytes);
    uint32_t magic = reader_u32(&reader), kind = reader_u32(&reader);
    uint32_t classes = reader_u32(&reader), zero = reader_u32(&reader);
    if (reader.failed || magic != MAGIC || zero != 0)
        return corrupt(err, "it does not begin as one");
    if (kind >= CALIBRATION_COUNT || classes < 2 || classes > CALIBRATOR_CLASSES_MAX)
        return corrupt(err, "its kind or number of classes is unknown");
    struct calibrator *calibrator = NULL;
    enum err_code code = calibrator_create((enum calibration)kind, classes, &calibrator, err);
    if (code != ERR_OK)
        return code;
    code = load_body(&reader, calibrator, err);
    if (code != ERR_OK) {
        calibrator_destroy(calibrator);
        return code;
    }
    *out = calibrator;
    return ERR_OK;
}
