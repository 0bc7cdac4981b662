/* Instants are made one after the other from the calendar; rows are found by bisection, so a plan over 30
 * years of weeks costs microseconds. Stretches without matches (summer) give windows without judged rows,
 * which are left out: the refit after them sees the same training rows. */
#include "evaluate/walk_forward.h"

#include "base/time.h"
#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

const char *walk_cadence_name(enum walk_cadence cadence)
{
    static const char *const names[WALK_CADENCE_COUNT] = {"weekly", "monthly", "season", "days", "once"};
    assert(cadence < WALK_CADENCE_COUNT);
    return names[cadence];
}

/* First row with kick-off >= time_us. */
static size_t first_at(const struct dataset *data, int64_t time_us)
{
    size_t low = 0, high = data->rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (data->time_us[middle] < time_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The row itself when a block begins there, else the first of the next block. */
static size_t border_from(const struct dataset *data, size_t row)
{
    while (row > 0 && row < data->rows && data->block[row] == data->block[row - 1])
        row++;
    return row;
}

static int64_t first_of_next_month(int64_t day)
{
    int year, month, of_month;
    time_civil_from_day(day, &year, &month, &of_month);
    return month == 12 ? time_day_from_civil(year + 1, 1, 1) : time_day_from_civil(year, month + 1, 1);
}

static int64_t next_first_of_july(int64_t day)
{
    int year, month, of_month;
    time_civil_from_day(day, &year, &month, &of_month);
    return time_day_from_civil(month >= 7 ? year + 1 : year, 7, 1);
}

/* The refit after `refit_us`, at most plan->to_us. */
static int64_t next_refit(const struct walk_plan *plan, int64_t refit_us)
{
    int64_t day = time_day_of(refit_us), next_us = plan->to_us;
    switch (plan->cadence) {
    case WALK_WEEKLY:
        next_us = (day + 7 - time_weekday(day)) * TIME_DAY_US;
        break;
    case WALK_MONTHLY:
        next_us = first_of_next_month(day) * TIME_DAY_US;
        break;
    case WALK_SEASON:
        next_us = next_first_of_july(day) * TIME_DAY_US;
        break;
    case WALK_DAYS:
        next_us = refit_us + plan->every_days * TIME_DAY_US;
        break;
    default:
        assert(plan->cadence == WALK_ONCE);
    }
    return next_us < plan->to_us ? next_us : plan->to_us;
}

static enum err_code check_plan(const struct walk_plan *plan, struct err *err)
{
    const int64_t least_us = time_day_from_civil(1800, 1, 1) * TIME_DAY_US;
    const int64_t most_us = time_day_from_civil(2201, 1, 1) * TIME_DAY_US, most_days = 150000;
    if (plan->from_us < least_us || plan->from_us >= most_us)
        return err_set_field(err, ERR_INVALID, "from",
                             "the start of the backtest is not within the years 1800 to 2200");
    if (plan->to_us < least_us || plan->to_us > most_us)
        return err_set_field(err, ERR_INVALID, "to",
                             "the end of the backtest is not within the years 1800 to 2200");
    if (plan->from_us >= plan->to_us)
        return err_set_field(err, ERR_INVALID, "from", "the backtest starts at or after its end");
    if (plan->cadence == WALK_DAYS && (plan->every_days < 1 || plan->every_days > most_days))
        return err_set_field(err, ERR_INVALID, "every_days", "a refit every %" PRId64 " days is not possible",
                             plan->every_days);
    if (plan->window_days < 0 || plan->window_days > most_days)
        return err_set_field(err, ERR_INVALID, "window_days",
                             "a training window of %" PRId64 " days is not possible", plan->window_days);
    if (plan->embargo_us < 0 || plan->embargo_us > most_days * TIME_DAY_US)
        return err_set_field(err, ERR_INVALID, "embargo", "an embargo of %" PRId64 " us is not possible",
                             plan->embargo_us);
    return ERR_OK;
}

/* Judged rows of the fit at refit_us, whose rule lasts until end_us. */
static struct walk_window window_at(const struct dataset *data, const struct walk_plan *plan,
                                    int64_t refit_us, int64_t end_us)
{
    struct walk_window window = {.refit_us = refit_us};
    window.test_begin = border_from(data, first_at(data, refit_us));
    window.test_end = border_from(data, first_at(data, end_us));
    if (end_us == plan->to_us) /* the last day asked for is cut rather than rows beyond `to` judged */
        window.test_end = first_at(data, end_us);
    window.train_end = first_at(data, refit_us - plan->embargo_us);
    if (plan->window_days > 0)
        window.train_begin = border_from(data, first_at(data, refit_us - plan->window_days * TIME_DAY_US));
    if (window.train_begin > window.train_end)
        window.train_begin = window.train_end;
    return window;
}

static bool append(struct walk_forward *walk, size_t *capacity, struct walk_window window)
{
    if (walk->count == *capacity) {
        size_t more = *capacity > 0 ? 2 * *capacity : 64;
        struct walk_window *moved = realloc(walk->windows, more * sizeof *moved);
        if (moved == NULL)
            return false;
        walk->windows = moved;
        *capacity = more;
    }
    walk->windows[walk->count++] = window;
    return true;
}

static enum err_code fill(const struct dataset *data, const struct walk_plan *plan, struct walk_forward *out,
                          struct err *err)
{
    size_t capacity = 0, least = plan->least_rows > 0 ? plan->least_rows : 1;
    for (int64_t refit_us = plan->from_us, end_us; refit_us < plan->to_us; refit_us = end_us) {
        end_us = next_refit(plan, refit_us);
        assert(end_us > refit_us);
        struct walk_window window = window_at(data, plan, refit_us, end_us);
        if (window.test_begin >= window.test_end)
            continue;
        assert(window.train_end <= window.test_begin);
        if (window.train_end - window.train_begin < least)
            out->skipped_rows += window.test_end - window.test_begin;
        else if (!append(out, &capacity, window))
            return err_nomem(err, 2 * capacity * sizeof window);
    }
    if (out->count > 0)
        return ERR_OK;
    if (out->skipped_rows > 0)
        return err_set(err, ERR_INVALID,
                       "no fit has %zu training rows before it: start later or ask for fewer", least);
    return err_set(err, ERR_INVALID, "no match lies between start and end of the backtest");
}

enum err_code walk_forward_plan(const struct dataset *data, const struct walk_plan *plan,
                                struct walk_forward *out, struct err *err)
{
    *out = (struct walk_forward){0};
    for (size_t row = 1; row < data->rows; row++)
        assert(data->time_us[row - 1] <= data->time_us[row] && data->block[row - 1] <= data->block[row]);
    enum err_code code = check_plan(plan, err);
    if (code == ERR_OK)
        code = fill(data, plan, out, err);
    if (code != ERR_OK)
        walk_forward_release(out);
    return code;
}

void walk_forward_release(struct walk_forward *walk)
{
    free(walk->windows);
    *walk = (struct walk_forward){0};
}
