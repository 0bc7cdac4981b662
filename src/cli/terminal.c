/* Terminal reporter: a bar redrawn in place on a terminal; one plain line a second otherwise, so that logs stay readable.
 * Pace and wording are those of job/report.h. */
#include "cli/command.h"
#include "os/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 30 };
#define REDRAW_PERIOD_US INT64_C(50000)
#define LINE_PERIOD_US   INT64_C(1000000)

/* One terminal per process. Guarded by `busy`: a thread that finds it taken skips its redraw. */
static struct {
    atomic_flag busy;
    bool is_terminal, bar_is_open;
    struct report_pace pace;
} terminal = {.busy = ATOMIC_FLAG_INIT};

static void draw_bar(const char *line)
{
    char cells[BAR_CELLS + 1];
    size_t full = terminal.pace.total > 0 ? terminal.pace.done * BAR_CELLS / terminal.pace.total : 0;
    memset(cells, '.', BAR_CELLS);
    memset(cells, '#', full < BAR_CELLS ? full : BAR_CELLS);
    cells[BAR_CELLS] = '\0';
    if (terminal.pace.total > 0)
        (void)fprintf(stderr, "\r\033[K[%s] %s", cells, line);
    else
        (void)fprintf(stderr, "\r\033[K%s ...", line);
    terminal.bar_is_open = true;
}

static void on_progress(void *context, const char *phase, size_t done, size_t total)
{
    (void)context;
    if (atomic_flag_test_and_set(&terminal.busy))
        return;
    int64_t now_us = clock_monotonic_us();
    if (report_pace_step(&terminal.pace, phase, done, total, now_us)) {
        char line[REPORT_LINE_BYTES];
        report_pace_format(&terminal.pace, now_us, line);
        if (terminal.is_terminal)
            draw_bar(line);
        else
            (void)fprintf(stderr, "%s\n", line);
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
    report_pace_init(&terminal.pace, terminal.is_terminal ? REDRAW_PERIOD_US : LINE_PERIOD_US);
    return (struct reporter){.progress = on_progress, .log = on_log};
}

void terminal_finish(void)
{
    if (terminal.bar_is_open)
        (void)fprintf(stderr, "\r\033[K");
    terminal.bar_is_open = false;
}
