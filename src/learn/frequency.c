/* Frequency: see frequency.h. */
#include "learn/frequency.h"

#include <assert.h>
#include <math.h>

void frequency_of(const struct dataset *data, double smoothing, double *out)
{
    double total = (double)data->rows + smoothing * (double)data->classes;
    for (size_t c = 0; c < data->classes; c++)
        out[c] = smoothing;
    for (size_t row = 0; row < data->rows; row++) {
        assert(data->label[row] >= 0 && (size_t)data->label[row] < data->classes);
        out[data->label[row]] += 1;
    }
    for (size_t c = 0; c < data->classes; c++)
        out[c] = total > 0 ? out[c] / total : 1 / (double)data->classes;
}

void frequency_save(const double *frequency, size_t classes, struct buffer *out)
{
    for (size_t c = 0; c < classes; c++)
        writer_f64(out, frequency[c]);
}

bool frequency_load(struct reader *in, size_t classes, double *out)
{
    double sum = 0;
    bool is_good = true;
    for (size_t c = 0; c < classes; c++) {
        out[c] = reader_f64(in);
        is_good = is_good && out[c] >= 0 && out[c] <= 1;
        sum += out[c];
    }
    return is_good && !in->failed && fabs(sum - 1) < 1e-9;
}
