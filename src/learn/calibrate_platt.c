/* Platt scaling: for each class against the rest a sigmoid of the log odds, by maximum likelihood with
 * smoothed targets (Platt 1999): (n+ + 1)/(n+ + 2) where the class happened, 1/(n- + 2) where not. The
 * smoothing keeps the maximum finite on separable data. Newton's method with a backtracking line search (Lin,
 * Lin & Weng 2007, "A note on Platt's probabilistic outputs"); the loss is convex in the two parameters, so
 * it ends at the maximum. The ridge is for rows that all have the same log odds, where slope and intercept
 * cannot be told apart. */
#include "learn/calibrate_kinds.h"

#include <math.h>
#include <stdlib.h>

enum { NEWTON_STEPS = 100 };

struct platt_rows {
    double *log_odds, *target;
    size_t rows;
};

static double log_odds_of(double p)
{
    double kept = fmin(fmax(p, 1e-12), 1 - 1e-12);
    return log(kept) - log1p(-kept);
}

static double sigmoid_of(double z)
{
    if (z >= 0)
        return 1 / (1 + exp(-z));
    double e = exp(z);
    return e / (1 + e);
}

/* Mean of -(t ln s + (1 - t) ln(1 - s)) = ln(1 + e^z) - t z, without overflow. */
static double mean_loss(const struct platt_rows *data, struct sigmoid at)
{
    double sum = 0;
    for (size_t row = 0; row < data->rows; row++) {
        double z = at.slope * data->log_odds[row] + at.intercept;
        sum += fmax(z, 0) + log1p(exp(-fabs(z))) - data->target[row] * z;
    }
    return sum / (double)data->rows;
}

struct slopes {
    double g_slope, g_intercept; /* gradient of the mean loss */
    double h_ss, h_si, h_ii;     /* its second derivatives */
};

static struct slopes slopes_at(const struct platt_rows *data, struct sigmoid at)
{
    struct slopes sum = {0};
    for (size_t row = 0; row < data->rows; row++) {
        double f = data->log_odds[row], s = sigmoid_of(at.slope * f + at.intercept);
        double miss = s - data->target[row], curve = s * (1 - s);
        sum.g_slope += miss * f;
        sum.g_intercept += miss;
        sum.h_ss += curve * f * f;
        sum.h_si += curve * f;
        sum.h_ii += curve;
    }
    double n = (double)data->rows;
    return (struct slopes){sum.g_slope / n, sum.g_intercept / n, sum.h_ss / n, sum.h_si / n, sum.h_ii / n};
}

static struct sigmoid fit_sigmoid(const struct platt_rows *data)
{
    struct sigmoid at = {.slope = 1, .intercept = 0}; /* the identity: a good model is near it */
    double loss = mean_loss(data, at);
    for (int step = 0; step < NEWTON_STEPS; step++) {
        struct slopes d = slopes_at(data, at);
        if (fabs(d.g_slope) + fabs(d.g_intercept) < 1e-12)
            break;
        double ridge = 1e-9 * (d.h_ss + d.h_ii) + 1e-15;
        double a = d.h_ss + ridge, c = d.h_ii + ridge, determinant = a * c - d.h_si * d.h_si;
        struct sigmoid way = {.slope = -(c * d.g_slope - d.h_si * d.g_intercept) / determinant,
                              .intercept = -(a * d.g_intercept - d.h_si * d.g_slope) / determinant};
        double slope = d.g_slope * way.slope + d.g_intercept * way.intercept, length = 1, next_loss = loss;
        struct sigmoid next = at;
        for (; length > 1e-10; length /= 2) {
            next = (struct sigmoid){at.slope + length * way.slope, at.intercept + length * way.intercept};
            next_loss = mean_loss(data, next);
            if (next_loss < loss + 1e-4 * length * slope)
                break;
        }
        if (length <= 1e-10) /* no descent left in double precision */
            break;
        at = next;
        loss = next_loss;
    }
    return at;
}

enum err_code calibrate_platt_fit(struct calibrator *calibrator, const double *p, const int32_t *label,
                                  size_t rows, struct err *err)
{
    size_t classes = calibrator->classes;
    double *memory = malloc(2 * rows * sizeof *memory);
    if (memory == NULL)
        return err_nomem(err, 2 * rows * sizeof *memory);
    struct platt_rows data = {.log_odds = memory, .target = memory + rows, .rows = rows};
    for (size_t class_index = 0; class_index < classes; class_index++) {
        size_t happened = 0;
        for (size_t row = 0; row < rows; row++)
            happened += (size_t)label[row] == class_index;
        double high = ((double)happened + 1) / ((double)happened + 2),
               low = 1 / ((double)(rows - happened) + 2);
        for (size_t row = 0; row < rows; row++) {
            data.log_odds[row] = log_odds_of(p[row * classes + class_index]);
            data.target[row] = (size_t)label[row] == class_index ? high : low;
        }
        calibrator->sigmoids[class_index] = fit_sigmoid(&data);
    }
    free(memory);
    return ERR_OK;
}

void calibrate_platt_map(const struct calibrator *calibrator, double *row)
{
    for (size_t index = 0; index < calibrator->classes; index++) {
        struct sigmoid sigmoid = calibrator->sigmoids[index];
        row[index] = sigmoid_of(sigmoid.slope * log_odds_of(row[index]) + sigmoid.intercept);
    }
}
