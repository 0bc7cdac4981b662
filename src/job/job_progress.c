/* What a running job tells about itself: phase, steps, metrics. Kept in the row at most every 250 ms; `changed` is called
 * with it. The metric "loss" gives epoch, loss and best; the metric "epochs" says how many are expected. What is left is
 * estimated from the mean pace of the phase, or of the epochs when it has no steps. */
#include "job/supervisor_parts.h"

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define PROGRESS_PERIOD_US INT64_C(250000)

static int64_t estimate(int64_t elapsed_us, int64_t done, int64_t total)
{
    if (done <= 0 || total <= done)
        return total > 0 && done >= total ? 0 : TIME_NONE;
    double left_us = (double)elapsed_us * (double)(total - done) / (double)done;
    return left_us < 1e15 ? (int64_t)left_us : TIME_NONE;
}

static int64_t eta_of(const struct running_job *job)
{
    const struct job_row *told = &job->told;
    int64_t now_us = supervisor_monotonic_us(job->supervisor);

    if (told->progress_total > 0)
        return estimate(now_us - job->phase_begun_us, told->progress_done, told->progress_total);
    return estimate(now_us - job->begun_us, told->epoch, told->epochs);
}

void running_job_save_progress(struct running_job *job)
{
    struct err err = {0};

    if (!job->has_progress)
        return;
    job->has_progress = false;
    job->progress_saved_us = supervisor_monotonic_us(job->supervisor);
    job->told.eta_us = eta_of(job);
    if (job_store_progress(job->supervisor->store->db, &job->told, &err) == ERR_OK)
        supervisor_tell(job->supervisor, job->id);
    else
        log_line(LOG_WARN, "jobs", "progress of job %" PRId64 " is lost: %s", job->id, err.text);
}

static void on_progress_due(void *context)
{
    struct running_job *job = context;

    job->progress_timer = NULL;
    running_job_save_progress(job);
}

/* At once when the last time was long ago, else when it will be. */
static void save_soon(struct running_job *job)
{
    job->has_progress = true;
    if (job->progress_timer != NULL)
        return;
    int64_t wait_us = job->progress_saved_us + PROGRESS_PERIOD_US - supervisor_monotonic_us(job->supervisor);
    if (wait_us <= 0 || loop_timer_add(job->supervisor->loop, (wait_us + 999) / 1000, 0, on_progress_due, job,
                                       &job->progress_timer, NULL) != ERR_OK)
        running_job_save_progress(job);
}

void running_job_on_progress(void *context, const char *phase, int64_t done, int64_t total)
{
    struct running_job *job = context;
    struct job_row *told = &job->told;

    if (strncmp(told->phase, phase, sizeof told->phase - 1) != 0 || done < told->progress_done ||
        job->phase_begun_us == 0)
        job->phase_begun_us = supervisor_monotonic_us(job->supervisor);
    (void)text_copy(text_of(phase), told->phase, sizeof told->phase);
    told->progress_done = done;
    told->progress_total = total;
    save_soon(job);
}

void running_job_on_metric(void *context, const char *name, double value, int64_t step)
{
    struct running_job *job = context;
    struct job_row *told = &job->told;

    if (strcmp(name, "epochs") == 0) {
        told->epochs = isfinite(value) && value >= 0 && value < 1e15 ? (int64_t)value : 0;
        if (step < told->epoch) /* another model begins */
            told->epoch = step;
    } else if (strcmp(name, "loss") == 0) {
        told->epoch = step;
        told->loss = isfinite(value) ? value : NAN;
        if (isfinite(value) && !(told->best <= value))
            told->best = value;
    } else {
        return;
    }
    save_soon(job);
}

void running_job_warn(struct running_job *job)
{
    job->told.has_warning = true;
    job->has_progress = true;
    running_job_save_progress(job);
}
