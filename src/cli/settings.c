/* Settings table. */
#include "cli/settings.h"

#define MEMBER(name) OPTION_MEMBER(struct settings, name)
static const struct option_row rows[] = {
    {"config", OPTION_TEXT, MEMBER(config), "", 0, 0, "almanac.ini", "configuration file; read if it exists"},
    {"data_dir", OPTION_TEXT, MEMBER(data_dir), "", 0, 0, "almanac-data",
     "folder of the database, matrices, models and logs"},
    {"address", OPTION_TEXT, MEMBER(address), "", 0, 0, "127.0.0.1",
     "address the server listens on; loopback only, as there are no tokens yet"},
    {"port", OPTION_INT, MEMBER(port), "", 0, 65535, "5050", "port the server listens on; 0: any free one"},
    {"parallel_jobs", OPTION_INT, MEMBER(parallel_jobs), "jobs", 1, 64, "1",
     "jobs the server runs at the same time, trainings apart"},
    {"parallel_training", OPTION_INT, MEMBER(parallel_training), "jobs", 1, 64, "1",
     "trainings the server runs at the same time"},
    {"job_grace_ms", OPTION_INT, MEMBER(job_grace_ms), "ms", 0, 600000, "5000",
     "time between asking a job to stop and killing it"},
    {"job_time_s", OPTION_INT, MEMBER(job_time_s), "s", 1, 604800, "3600",
     "longest run of a job; then it is ended and has failed"},
    {"job_warn_s", OPTION_INT, MEMBER(job_warn_s), "s", 1, 604800, "3000",
     "a job that runs longer is marked, and its log says so"},
    {"job_memory_mb", OPTION_INT, MEMBER(job_memory_mb), "MB", 0, 1 << 24, "0",
     "most memory of a job's processes, mapped files apart; 0: three quarters of the machine's"},
    {"job_cpu_s", OPTION_INT, MEMBER(job_cpu_s), "s", 0, 604800, "0",
     "most processor time of one process of a job; 0: no limit"},
    {"job_retry_ms", OPTION_INT, MEMBER(job_retry_ms), "ms", 1, 3600000, "1000",
     "wait before a job is tried again, doubled for each further attempt"},
    {"online_cache_mb", OPTION_INT, MEMBER(online_cache_mb), "MB", 0, 1 << 20, "64",
     "most memory the online feature store takes; what was used longest ago makes room"},
    {"redis_url", OPTION_TEXT, MEMBER(redis_url), "", 0, 0, "",
     "Redis that servers share as a level of the online feature store: "
     "redis://[:password@]host[:port][/database] or "
     "unix:///path; empty: none"},
    {"redis_timeout_ms", OPTION_INT, MEMBER(redis_timeout_ms), "ms", 1, 60000, "50",
     "longest wait for Redis; then the store answers"},
    {"log_level", OPTION_ENUM, MEMBER(log_level), "debug|info|warn|error", 0, 0, "info",
     "least important log lines shown"},
    {"json", OPTION_BOOL, MEMBER(json), "", 0, 0, "false", "print results as JSON"},
};
const struct option_table settings_table = {"almanac", rows, sizeof(rows) / sizeof(*rows)};
