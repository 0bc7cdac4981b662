/* Settings: the options of the program as a whole, from the configuration file, the environment and flags. */
#ifndef ALMANAC_CLI_SETTINGS_H
#define ALMANAC_CLI_SETTINGS_H

#include "base/option.h"
#include "os/file.h"
#include "task/connector.h"
#include <stdbool.h>

struct settings {
    char config[FILE_PATH_BYTES];
    char data_dir[FILE_PATH_BYTES];
    char address[64];
    int64_t port;
    char server_url[256];
    int64_t parallel_jobs;
    int64_t parallel_training;
    int64_t job_grace_ms;
    int64_t job_time_s;
    int64_t job_warn_s;
    int64_t job_memory_mb;
    int64_t job_cpu_s;
    int64_t job_retry_ms;
    char time_zone[64];
    bool schedule;
    int64_t online_cache_mb;
    char redis_url[1024];
    int64_t redis_timeout_ms;
    char smtp_url[1024];
    char smtp_from[256];
    char smtp_to[2048];
    char smtp_user[256];
    char smtp_password[512];
    char smtp_events[64];
    int64_t notify_retry_ms;
    int64_t notify_attempts;
    int64_t notify_timeout_ms;
    struct connector_settings connectors;
    int log_level;
    bool json;
};
extern const struct option_table settings_table;

#endif
