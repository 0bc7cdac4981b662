/* Ordered logit: likelihood, derivatives, Newton steps.
 *
 * Write s = sum_j slope_j z_j, g_k = exp(s - cut_k), F_k = 1 / (1 + g_k) = P(class <= k). One exponential per
 * row gives all g_k, and the probability of a class between two cuts is (g_lower - g_upper) F_lower F_upper:
 * no difference of nearly equal numbers. A row's derivatives by its two cuts are u = dl/dcut_upper = f_upper
 * / P        l = dl/dcut_lower = -f_lower / P        (f = F (1 - F)) uu = u (1 - 2 F_upper) - u^2 ll = l (1 -
 * 2 F_lower) - l^2            ul = -u l and those by the slopes follow, because only cut - s enters: dl/ds =
 * -(u + l), and so on.
 *
 * Rows are sorted by class once, so that the inner loop has no branch on the class. A football history of
 * 150,000 matches is fitted in about 15 ms. */
#include "learn/ordered_logit.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS = ORDERED_LOGIT_CLASSES - 1 + ORDERED_LOGIT_FEATURES, ITERATIONS = 100, HALVINGS = 40 };

#define SCORE_BOUND 200.0 /* |s| beyond this is cut: exp stays finite, and p is 1e-87 already */
#define CONVERGED   1e-10 /* largest step, as a share of 1 + the largest parameter */
/* Curvature added for each slope. On standardised features it says "slopes of 30 are unusual": collinear
 * features and separable classes have an optimum too, and with hundreds of rows nothing visible moves. */
#define SLOPE_RIDGE   1e-3
#define PRODUCT_LEAST 1e-100 /* see add_class */

/* Rows grouped by class, and the sums of one evaluation. Parameters: cuts first, then slopes. */
struct fit {
    size_t rows, features, classes, parameters;
    double *z;                               /* [rows][features], class by class */
    size_t first[ORDERED_LOGIT_CLASSES + 1]; /* first row of each class in z */
    double likelihood;                       /* penalised log likelihood */
    double gradient[PARAMETERS];
    double curvature[PARAMETERS][PARAMETERS]; /* minus the Hessian; both triangles after evaluate() */
};

static double bounded(double s)
{
    return fmin(fmax(s, -SCORE_BOUND), SCORE_BOUND); /* NaN becomes the lower bound */
}

static double score(const double *slope, const double *z, size_t features)
{
    double s = 0;
    for (size_t j = 0; j < features; j++)
        s += slope[j] * z[j];
    return bounded(s);
}

/* ---- one evaluation ---- */

/* Sums over the rows of one class. */
struct sums {
    double u, l, uu, ll, ul;
    double slope[ORDERED_LOGIT_FEATURES];                                /* dl/dslope */
    double upper[ORDERED_LOGIT_FEATURES], lower[ORDERED_LOGIT_FEATURES]; /* cut by slope */
    double square[ORDERED_LOGIT_FEATURES][ORDERED_LOGIT_FEATURES];       /* slope by slope, j <= i */
};

struct row_terms {
    double p, u, l, uu, ll, ul;
};

/* base = exp(s); upper, lower = exp(-cut): 0 above the last class, +infinity (flagged) below the first. */
static inline struct row_terms terms_of(double base, double upper, double lower, bool has_upper,
                                        bool has_lower)
{
    struct row_terms t;
    double gu = base * upper, gl = base * lower;
    double fu = 1 / (1 + gu), fl = has_lower ? 1 / (1 + gl) : 0;
    if (!has_lower) {
        t.p = fu;
        t.u = gu * fu;
        t.l = 0;
    } else if (!has_upper) {
        t.p = gl * fl;
        t.u = 0;
        t.l = -fl;
    } else {
        double between = gl - gu;
        t.p = between * fl * fu;
        t.u = gu * fu / (between * fl);
        t.l = -gl * fl / (between * fu);
    }
    t.uu = t.u * (1 - 2 * fu) - t.u * t.u;
    t.ll = t.l * (1 - 2 * fl) - t.l * t.l;
    t.ul = -t.u * t.l;
    return t;
}

static inline void add_row(struct sums *sums, struct row_terms t, const double *z, size_t features)
{
    sums->u += t.u;
    sums->l += t.l;
    sums->uu += t.uu;
    sums->ll += t.ll;
    sums->ul += t.ul;
    for (size_t i = 0; i < features; i++) {
        sums->slope[i] -= (t.u + t.l) * z[i];
        sums->upper[i] -= (t.uu + t.ul) * z[i];
        sums->lower[i] -= (t.ll + t.ul) * z[i];
        for (size_t j = 0; j <= i; j++)
            sums->square[i][j] += (t.uu + 2 * t.ul + t.ll) * z[i] * z[j];
    }
}

/* All rows of class c into *sums; returns their log likelihood. Logarithms are expensive: probabilities are
 * multiplied while the product is comfortably above the smallest double (each is above 1e-90), and one
 * logarithm is taken. */
static double add_class(const struct fit *fit, const struct ordered_logit *at, size_t c, struct sums *sums)
{
    bool has_lower = c > 0, has_upper = c + 1 < fit->classes;
    double lower = has_lower ? exp(-at->cut[c - 1]) : 0, upper = has_upper ? exp(-at->cut[c]) : 0;
    double likelihood = 0, product = 1;
    for (size_t row = fit->first[c]; row < fit->first[c + 1]; row++) {
        const double *z = fit->z + row * fit->features;
        struct row_terms t =
            terms_of(exp(score(at->slope, z, fit->features)), upper, lower, has_upper, has_lower);
        add_row(sums, t, z, fit->features);
        product *= t.p;
        if (product < PRODUCT_LEAST) {
            likelihood += log(product);
            product = 1;
        }
    }
    return likelihood + log(product);
}

static void add_sums(struct fit *fit, size_t c, const struct sums *sums)
{
    size_t cuts = fit->classes - 1, u = c, l = c - 1;
    bool has_lower = c > 0, has_upper = c < cuts;
    if (has_upper) {
        fit->gradient[u] += sums->u;
        fit->curvature[u][u] -= sums->uu;
    }
    if (has_lower) {
        fit->gradient[l] += sums->l;
        fit->curvature[l][l] -= sums->ll;
    }
    if (has_upper && has_lower)
        fit->curvature[u][l] -= sums->ul;
    for (size_t i = 0; i < fit->features; i++) {
        fit->gradient[cuts + i] += sums->slope[i];
        if (has_upper)
            fit->curvature[cuts + i][u] -= sums->upper[i];
        if (has_lower)
            fit->curvature[cuts + i][l] -= sums->lower[i];
        for (size_t j = 0; j <= i; j++)
            fit->curvature[cuts + i][cuts + j] -= sums->square[i][j];
    }
}

static void evaluate(struct fit *fit, const struct ordered_logit *at)
{
    size_t cuts = fit->classes - 1;
    fit->likelihood = 0;
    memset(fit->gradient, 0, sizeof fit->gradient);
    memset(fit->curvature, 0, sizeof fit->curvature);
    for (size_t c = 0; c < fit->classes; c++) {
        struct sums sums = {.u = 0};
        fit->likelihood += add_class(fit, at, c, &sums);
        add_sums(fit, c, &sums);
    }
    for (size_t i = 0; i < fit->features; i++) {
        fit->likelihood -= 0.5 * SLOPE_RIDGE * at->slope[i] * at->slope[i];
        fit->gradient[cuts + i] -= SLOPE_RIDGE * at->slope[i];
        fit->curvature[cuts + i][cuts + i] += SLOPE_RIDGE;
    }
}

/* ---- Newton ---- */

/* Solves curvature * step = gradient by Cholesky's decomposition, in place; false if not positive definite.
 */
static bool solve(struct fit *fit, double *step)
{
    double(*a)[PARAMETERS] = fit->curvature;
    size_t n = fit->parameters;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i][k] * a[j][k];
            if (i == j && !(sum > 0))
                return false;
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
    }
    for (size_t i = 0; i < n; i++) {
        step[i] = fit->gradient[i];
        for (size_t k = 0; k < i; k++)
            step[i] -= a[i][k] * step[k];
        step[i] /= a[i][i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            step[i] -= a[k][i] * step[k];
        step[i] /= a[i][i];
    }
    return true;
}

/* from + share * step; false when the cuts are no longer in order. */
static bool move(const struct fit *fit, const struct ordered_logit *from, const double *step, double share,
                 struct ordered_logit *to)
{
    size_t cuts = fit->classes - 1;
    bool in_order = true;
    *to = *from;
    for (size_t k = 0; k < cuts; k++) {
        to->cut[k] += share * step[k];
        in_order = in_order && fabs(to->cut[k]) < SCORE_BOUND && (k == 0 || to->cut[k] > to->cut[k - 1]);
    }
    for (size_t i = 0; i < fit->features; i++)
        to->slope[i] += share * step[cuts + i];
    return in_order;
}

static double largest(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

/* One step, halved until the likelihood does not fall; *size is the largest change made, relative. The
 * tolerance is the rounding of a sum over all rows: at the optimum the likelihood cannot be seen to rise. */
static bool newton(struct fit *fit, struct ordered_logit *at, double *size)
{
    double step[PARAMETERS] = {0}, before = fit->likelihood, share = 1;
    double rounding = 1e-11 * fabs(before);
    if (!solve(fit, step))
        return false;
    for (int i = 0; i < HALVINGS; i++, share /= 2) {
        struct ordered_logit next;
        if (!move(fit, at, step, share, &next))
            continue;
        evaluate(fit, &next);
        if (fit->likelihood >= before - rounding) {
            *at = next;
            *size = share * largest(step, fit->parameters) /
                    (1 + fmax(largest(at->cut, fit->classes - 1), largest(at->slope, fit->features)));
            return true;
        }
    }
    return false;
}

/* ---- fit ---- */

static enum err_code group_by_class(struct fit *fit, const double *z, const int32_t *label, struct err *err)
{
    size_t next[ORDERED_LOGIT_CLASSES];
    for (size_t i = 0; i < fit->rows; i++) {
        assert(label[i] >= 0 && (size_t)label[i] < fit->classes);
        fit->first[label[i] + 1]++;
    }
    for (size_t c = 0; c < fit->classes; c++) {
        if (fit->first[c + 1] == 0)
            return err_set(err, ERR_INVALID,
                           "cannot fit the ordered logit: none of %zu training rows has class %zu", fit->rows,
                           c);
        fit->first[c + 1] += fit->first[c];
        next[c] = fit->first[c];
    }
    fit->z = malloc(fit->rows * fit->features * sizeof *fit->z + 1);
    if (!fit->z)
        return err_nomem(err, fit->rows * fit->features * sizeof *fit->z);
    for (size_t i = 0; fit->features > 0 && i < fit->rows; i++)
        memcpy(fit->z + next[label[i]]++ * fit->features, z + i * fit->features, fit->features * sizeof *z);
    return ERR_OK;
}

/* The optimum without slopes: the cumulative class frequencies. */
static void start_at(const struct fit *fit, struct ordered_logit *at)
{
    *at = (struct ordered_logit){.features = fit->features, .classes = fit->classes};
    for (size_t k = 0; k + 1 < fit->classes; k++) {
        double below = (double)fit->first[k + 1];
        at->cut[k] = log(below / ((double)fit->rows - below));
    }
}

enum err_code ordered_logit_fit(const double *z, const int32_t *label, size_t rows, size_t features,
                                size_t classes, bool (*stop)(void *context), void *context,
                                struct ordered_logit *out, double *loss, struct err *err)
{
    assert(features <= ORDERED_LOGIT_FEATURES && classes >= 2 && classes <= ORDERED_LOGIT_CLASSES);
    struct fit fit = {
        .rows = rows, .features = features, .classes = classes, .parameters = classes - 1 + features};
    double size = INFINITY;
    enum err_code code = group_by_class(&fit, z, label, err);
    if (code)
        goto out;
    start_at(&fit, out);
    evaluate(&fit, out);
    for (int i = 0; size > CONVERGED && !code; i++) {
        if (stop && stop(context))
            code = err_set(err, ERR_CANCELLED, "training stopped on request");
        else if (i == ITERATIONS || !newton(&fit, out, &size))
            code = err_set(err, ERR_INTERNAL, "the ordered logit did not converge in %d steps on %zu rows", i,
                           rows);
    }
    for (size_t i = 0; i < features; i++)
        fit.likelihood += 0.5 * SLOPE_RIDGE * out->slope[i] * out->slope[i]; /* tell what the data say */
    *loss = -fit.likelihood / (double)rows;
out:
    free(fit.z);
    return code;
}

void ordered_logit_predict(const struct ordered_logit *logit, const double *z, double *p)
{
    double base = exp(score(logit->slope, z, logit->features)), gl = 0, fl = 0;
    for (size_t c = 0; c + 1 < logit->classes; c++) {
        double gu = base * exp(-logit->cut[c]), fu = 1 / (1 + gu);
        p[c] = c == 0 ? fu : (gl - gu) * fl * fu;
        gl = gu;
        fl = fu;
    }
    p[logit->classes - 1] = gl * fl;
}
