/* Terminal reporter: `building features [#####.....]  50%  240000/480000  eta 2s`, redrawn in place on a terminal; one
 * plain line a second otherwise, so that logs stay readable. */
#include "cli/command.h"

#include "os/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 30, PHASE_BYTES = 64 };
#define REDRAW_PERIOD_US INT64_C(50000)
#define LINE_PERIOD_US   INT64_C(1000000)

/* One terminal per process. Guarded by `busy`: a thread that finds it taken skips its redraw. */
static struct {
    atomic_flag busy;
    bool is_terminal, bar_is_open;
    char phase[PHASE_BYTES];
    int64_t phase_started_us, last_us;
} terminal = {.busy = ATOMIC_FLAG_INIT};

static void format_eta(char *out, size_t out_bytes, size_t done, size_t total, int64_t elapsed_us)
{
    double rest_s = done > 0 ? (double)elapsed_us / 1e6 * (double)(total - done) / (double)done : 0;
    if (done == 0 || done >= total)
        out[0] = '\0';
    else if (rest_s < 120)
        (void)snprintf(out, out_bytes, "eta %.0fs", rest_s);
    else
        (void)snprintf(out, out_bytes, "eta %.0fm", rest_s / 60);
}

static void draw_bar(const char *phase, size_t done, size_t total, const char *eta)
{
    char cells[BAR_CELLS + 1];
    size_t full = total > 0 ? done * BAR_CELLS / total : 0;
    memset(cells, '.', BAR_CELLS);
    memset(cells, '#', full < BAR_CELLS ? full : BAR_CELLS);
    cells[BAR_CELLS] = '\0';
    if (total > 0)
        (void)fprintf(stderr, "\r\033[K%-24s [%s] %3zu%%  %zu/%zu  %s", phase, cells, done * 100 / total,
                      done, total, eta);
    else
        (void)fprintf(stderr, "\r\033[K%s ...", phase);
    terminal.bar_is_open = true;
}

static void draw_line(const char *phase, size_t done, size_t total, const char *eta)
{
    if (total > 0)
        (void)fprintf(stderr, "%s: %zu/%zu (%zu%%) %s\n", phase, done, total, done * 100 / total, eta);
    else
        (void)fprintf(stderr, "%s\n", phase);
}

static void on_progress(void *context, const char *phase, size_t done, size_t total)
{
    (void)context;
    if (atomic_flag_test_and_set(&terminal.busy))
        return;
    int64_t now_us = clock_monotonic_us();
    bool is_new = strcmp(terminal.phase, phase) != 0;
    if (is_new) {
        (void)snprintf(terminal.phase, sizeof(terminal.phase), "%s", phase);
        terminal.phase_started_us = now_us;
    }
    int64_t period_us = terminal.is_terminal ? REDRAW_PERIOD_US : LINE_PERIOD_US;
    if (is_new || now_us - terminal.last_us >= period_us || (total > 0 && done == total)) {
        char eta[32];
        format_eta(eta, sizeof(eta), done, total, now_us - terminal.phase_started_us);
        if (terminal.is_terminal)
            draw_bar(phase, done, total, eta);
        else
            draw_line(phase, done, total, eta);
        terminal.last_us = now_us;
    }
    atomic_flag_clear(&terminal.busy);
}

static void on_log(void *context, const char *line)
{
    (void)context;
    terminal_finish();
    (void)fprintf(stderr, "%s\n", line);
}

static void log_to_stderr(void *context, enum log_level level, const char *line, size_t size_bytes)
{
    (void)context;
    (void)level;
    /* one write per line; a log that cannot be written has nowhere to complain */
    if (write(STDERR_FILENO, line, size_bytes) < 0)
        return;
}

void terminal_log_start(enum log_level least)
{
    log_start(least, clock_now_us, log_to_stderr, NULL);
}

struct reporter terminal_reporter(void)
{
    terminal.is_terminal = isatty(STDERR_FILENO) == 1;
    return (struct reporter){.progress = on_progress, .log = on_log};
}

void terminal_finish(void)
{
    if (terminal.bar_is_open)
        (void)fprintf(stderr, "\r\033[K");
    terminal.bar_is_open = false;
}
