/* The integral is a trapezoid sum in x with t = exp(x - exp(-x)): the integrand then dies doubly
 * exponentially on the left and, e^-tW with W >= 0.05, on the right as well, so that equal steps converge
 * geometrically. With F the sum of all stakes, P(t) = E e^-tW = e^-t(1-F) * product over matches of psi, psi
 * = p(none wins) + sum p_s e^(-t f_s o_s); taking e^(tF) out keeps every factor within 0..1. With a_s = p_s
 * o_s e^(-t f_s o_s) / psi: dG/df_s        =  integral P (a_s - 1) d2G/df_s df_u  = -integral t P (a_s -
 * 1)(a_u - 1)            different matches = -integral t P (1 - a_s - a_u)               same match d2G/df_s2
 * = -integral t P (1 - 2 a_s + a_s o_s)  */
#include "evaluate/kelly.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { NODES = 88 };
#define NODE_FIRST (-3.4)
#define NODE_STEP  0.118

struct problem {
    const struct kelly_bet *bets;
    size_t count;
    double cap, total_cap;
    double t[NODES], weight[NODES];
};

/* What one evaluation fills; hessian is that of -G, so positive definite. */
struct slopes {
    double gradient[KELLY_BETS_MAX];
    double hessian[KELLY_BETS_MAX][KELLY_BETS_MAX];
};

double kelly_fraction(double p, double odds)
{
    double edge = p * odds - 1;
    return edge > 0 ? edge / (odds - 1) : 0;
}

static void problem_init(struct problem *problem, const struct kelly_bet *bets, size_t count)
{
    assert(count <= KELLY_BETS_MAX);
    *problem = (struct problem){.bets = bets, .count = count};
    for (int node = 0; node < NODES; node++) {
        double x = NODE_FIRST + NODE_STEP * node;
        problem->t[node] = exp(x - exp(-x));
        problem->weight[node] = NODE_STEP * problem->t[node] * (1 + exp(-x));
    }
    for (size_t index = 0; index < count; index++)
        assert(bets[index].p >= 0 && bets[index].p <= 1 && bets[index].odds > 1 &&
               (index == 0 || bets[index].match >= bets[index - 1].match));
}

/* P(t); fills a[count]. */
static double transform_at(const struct problem *problem, const double *f, double total, double t, double *a)
{
    double product = exp(-t * (1 - total));
    for (size_t first = 0, next; first < problem->count; first = next) {
        double won = 0, psi = 0;
        for (next = first; next < problem->count && problem->bets[next].match == problem->bets[first].match;
             next++) {
            const struct kelly_bet *bet = &problem->bets[next];
            double part = bet->p * exp(-t * f[next] * bet->odds);
            a[next] = part * bet->odds;
            psi += part;
            won += bet->p;
        }
        psi += fmax(0, 1 - won);
        for (size_t index = first; index < next; index++)
            a[index] = psi > 0 ? a[index] / psi : 0; /* psi 0: the product is 0 as well */
        product *= psi;
    }
    return product;
}

static void add_slopes(const struct problem *problem, const double *a, double weight, double t,
                       struct slopes *out)
{
    for (size_t s = 0; s < problem->count; s++) {
        const struct kelly_bet *bet = &problem->bets[s];
        out->gradient[s] += weight * (a[s] - 1);
        for (size_t u = 0; u < s; u++) {
            int is_same = problem->bets[u].match == bet->match;
            out->hessian[s][u] += weight * t * (is_same ? 1 - a[s] - a[u] : (a[s] - 1) * (a[u] - 1));
        }
        out->hessian[s][s] += weight * t * (1 - 2 * a[s] + a[s] * bet->odds);
    }
}

/* G = E ln W; slopes may be NULL. */
static double growth_at(const struct problem *problem, const double *f, struct slopes *slopes)
{
    double a[KELLY_BETS_MAX], total = 0, growth = 0;
    for (size_t index = 0; index < problem->count; index++)
        total += f[index];
    if (slopes != NULL)
        memset(slopes, 0, sizeof *slopes);
    for (int node = 0; node < NODES; node++) {
        double t = problem->t[node], weight = problem->weight[node];
        double transform = transform_at(problem, f, total, t, a);
        growth += weight * (exp(-t) - transform) / t;
        if (slopes != NULL && transform > 0)
            add_slopes(problem, a, weight * transform, t, slopes);
    }
    return growth;
}

double kelly_growth(const struct kelly_bet *bets, size_t count, const double *stake)
{
    struct problem problem;
    problem_init(&problem, bets, count);
    return growth_at(&problem, stake, NULL);
}

/* G + mu * (sum ln f + sum ln(cap - f) + ln(total_cap - F)); -infinity outside. */
static double barrier_at(const struct problem *problem, const double *f, double mu)
{
    double logs = 0, total = 0;
    for (size_t index = 0; index < problem->count; index++) {
        if (!(f[index] > 0 && f[index] < problem->cap))
            return -INFINITY;
        logs += log(f[index]) + log(problem->cap - f[index]);
        total += f[index];
    }
    if (!(total < problem->total_cap))
        return -INFINITY;
    return growth_at(problem, f, NULL) + mu * (logs + log(problem->total_cap - total));
}

static void add_barrier(const struct problem *problem, const double *f, double mu, struct slopes *slopes)
{
    double room = problem->total_cap;
    for (size_t index = 0; index < problem->count; index++)
        room -= f[index];
    for (size_t s = 0; s < problem->count; s++) {
        double over = f[s], under = problem->cap - f[s];
        slopes->gradient[s] += mu * (1 / over - 1 / under - 1 / room);
        slopes->hessian[s][s] += mu * (1 / (over * over) + 1 / (under * under));
        for (size_t u = 0; u <= s; u++)
            slopes->hessian[s][u] += mu / (room * room);
    }
}

/* Solves hessian * way = gradient by Cholesky in place (lower triangle). 0 when not positive definite. */
static int solve(struct slopes *slopes, size_t count, double *way)
{
    for (size_t s = 0; s < count; s++)
        for (size_t u = 0; u <= s; u++) {
            double sum = slopes->hessian[s][u];
            for (size_t k = 0; k < u; k++)
                sum -= slopes->hessian[s][k] * slopes->hessian[u][k];
            if (s == u && !(sum > 0))
                return 0;
            slopes->hessian[s][u] = s == u ? sqrt(sum) : sum / slopes->hessian[u][u];
        }
    for (size_t s = 0; s < count; s++) {
        way[s] = slopes->gradient[s];
        for (size_t k = 0; k < s; k++)
            way[s] -= slopes->hessian[s][k] * way[k];
        way[s] /= slopes->hessian[s][s];
    }
    for (size_t s = count; s-- > 0;) {
        for (size_t k = s + 1; k < count; k++)
            way[s] -= slopes->hessian[k][s] * way[k];
        way[s] /= slopes->hessian[s][s];
    }
    return 1;
}

/* One Newton step uphill on the barrier function; 0 when at its top. */
static int step_up(const struct problem *problem, double mu, double *f, struct slopes *slopes)
{
    double gradient[KELLY_BETS_MAX], way[KELLY_BETS_MAX], next[KELLY_BETS_MAX], rise = 0;
    growth_at(problem, f, slopes);
    add_barrier(problem, f, mu, slopes);
    memcpy(gradient, slopes->gradient, problem->count * sizeof *gradient);
    if (!solve(slopes, problem->count, way))
        return 0;
    for (size_t index = 0; index < problem->count; index++)
        rise += gradient[index] * way[index];
    if (rise < 0.01 * mu) /* the rest is less than the barrier's own error */
        return 0;
    double start = barrier_at(problem, f, mu);
    for (double length = 1; length > 1e-9; length /= 2) {
        for (size_t index = 0; index < problem->count; index++)
            next[index] = f[index] + length * way[index];
        if (barrier_at(problem, next, mu) < start + 0.1 * length * rise)
            continue;
        memcpy(f, next, problem->count * sizeof *f);
        return 1;
    }
    return 0;
}

void kelly_joint(const struct kelly_bet *bets, size_t count, double cap, double total_cap, double *stake)
{
    struct problem problem;
    struct slopes slopes;
    assert(cap > 0 && total_cap > 0);
    if (count == 0)
        return;
    problem_init(&problem, bets, count);
    problem.total_cap = fmin(total_cap, KELLY_TOTAL_MAX);
    problem.cap = fmin(cap, problem.total_cap);
    for (size_t index = 0; index < count; index++)
        stake[index] = 0.25 * problem.cap / (double)count;
    for (double mu = 1e-3; mu > 1e-11; mu /= 20)
        for (int step = 0; step < 50 && step_up(&problem, mu, stake, &slopes); step++)
            continue;
    for (size_t index = 0; index < count; index++)
        if (stake[index] < 1e-6) /* what the barrier keeps above 0 */
            stake[index] = 0;
}
