/* Temperature scaling (Guo et al. 2017): q = softmax(log p / T) with the T of least log loss. The loss is
 * convex in beta = 1/T; its slope, mean over rows of (E_q[log p] - log p_y), is found zero by Newton steps
 * kept inside a shrinking bracket, so it ends even where the curvature vanishes (all probabilities equal). */
#include "learn/calibrate_kinds.h"

#include <math.h>
#include <stdlib.h>

#define LOG_P_MIN (-34.538776394910684) /* ln 1e-15, the clip of log loss */

static double log_of(double p)
{
    return p > 1e-15 ? log(p) : LOG_P_MIN;
}

/* Slope and curvature in beta of the loss of one row. */
static void row_slope(const double *log_p, size_t classes, int32_t label, double beta, double *slope,
                      double *curvature)
{
    double top = log_p[0], sum = 0, mean = 0, square = 0;
    for (size_t index = 1; index < classes; index++)
        top = fmax(top, log_p[index]);
    for (size_t index = 0; index < classes; index++) {
        double q = exp(beta * (log_p[index] - top));
        sum += q;
        mean += q * log_p[index];
        square += q * log_p[index] * log_p[index];
    }
    mean /= sum;
    *slope += mean - log_p[label];
    *curvature += square / sum - mean * mean;
}

static double fit_beta(const double *log_p, const int32_t *label, size_t rows, size_t classes)
{
    double low = 1 / CALIBRATOR_T_MAX, high = 1 / CALIBRATOR_T_MIN, beta = 1;
    for (int step = 0; step < 200 && high - low > 1e-13 * high; step++) {
        double slope = 0, curvature = 0;
        for (size_t row = 0; row < rows; row++)
            row_slope(log_p + row * classes, classes, label[row], beta, &slope, &curvature);
        if (fabs(slope) < 1e-12 * (double)rows)
            break;
        if (slope > 0)
            high = beta;
        else
            low = beta;
        double next = beta - slope / curvature; /* NaN or infinite when level: then halve */
        if (!(next > low && next < high))
            next = low + (high - low) / 2;
        beta = next;
    }
    return beta;
}

enum err_code calibrate_temperature_fit(struct calibrator *calibrator, const double *p, const int32_t *label,
                                        size_t rows, struct err *err)
{
    size_t count = rows * calibrator->classes;
    double *log_p = calloc(count, sizeof *log_p);
    if (log_p == NULL)
        return err_nomem(err, count * sizeof *log_p);
    for (size_t index = 0; index < count; index++)
        log_p[index] = log_of(p[index]);
    double temperature = 1 / fit_beta(log_p, label, rows, calibrator->classes);
    calibrator->temperature = fmin(fmax(temperature, CALIBRATOR_T_MIN), CALIBRATOR_T_MAX);
    free(log_p);
    return ERR_OK;
}

void calibrate_temperature_map(const struct calibrator *calibrator, double *row)
{
    double top = LOG_P_MIN;
    for (size_t index = 0; index < calibrator->classes; index++) {
        row[index] = log_of(row[index]);
        top = fmax(top, row[index]);
    }
    for (size_t index = 0; index < calibrator->classes; index++)
        row[index] = exp((row[index] - top) / calibrator->temperature);
}
