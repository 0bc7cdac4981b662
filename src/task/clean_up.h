/* Clean up: removes what nobody needs any more, and says how much it was.
 *
 *   forecasts of matches older than `forecast_days`, with the value bets of then
 *   jobs that ended more than `job_days` ago: row, log, folder (job_days 0 keeps them)
 *   model files that no version owns; logs and folders of jobs that are not known; what killed writers left behind
 *
 * Nothing is touched that is younger than an hour or than the oldest running job, so nothing that a running job uses or is about
 * to record. With dry_run it only counts. Result: {"dry_run", "forecasts", "value_bets", "jobs", "model_files", "log_files",
 * "job_folders", "temporary_files", "freed_bytes"}; rows are removed by the commit, files by the run. */
#ifndef ALMANAC_TASK_CLEAN_UP_H
#define ALMANAC_TASK_CLEAN_UP_H

#include "task/task.h"

struct clean_up_options {
    int64_t forecast_days, job_days;
    bool dry_run;
};
extern const struct task task_clean_up;

#endif
