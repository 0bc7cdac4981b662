/* What the files of `almanac jobs` share. */
#ifndef ALMANAC_CLI_JOBS_H
#define ALMANAC_CLI_JOBS_H

#include "base/json.h"
#include "cli/command.h"
#include "cli/server_client.h"

/* One line, as in a list. job: the object Job of the API. */
void jobs_print_line(const json_t *job);
/* The whole object, indented. */
void jobs_print_json(const json_t *value);
/* A job that has ended: ERR_OK when it succeeded, ERR_CONFLICT when it failed, ERR_CANCELLED when it was stopped. */
enum err_code jobs_outcome(const char *id, const char *state, const char *error, struct err *err) CHECKED;
bool jobs_state_is_final(const char *state);
/* The positional argument of a command as an id; ERR_INVALID. */
enum err_code jobs_read_id(const char *argument, int64_t *out, struct err *err) CHECKED;

#endif
