/* RMSE and MAE of probabilities. */
#include "learn/probability_error.h"

#include <assert.h>
#include <math.h>

struct probability_error probability_error_of(const double *p, const int32_t *label, size_t rows,
                                              size_t classes)
{
    double squares = 0, distances = 0, count = (double)rows * (double)classes;

    for (size_t i = 0; i < rows; i++) {
        assert(label[i] >= 0 && (size_t)label[i] < classes);
        for (size_t k = 0; k < classes; k++) {
            double error = p[i * classes + k] - ((size_t)label[i] == k ? 1 : 0);
            squares += error * error;
            distances += fabs(error);
        }
    }
    return (struct probability_error){.rmse = sqrt(squares / count), .mae = distances / count};
}
