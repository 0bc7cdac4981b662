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
/* What the commands about one job begin with: settings, and the id. */
enum err_code jobs_parse_id(const struct command *command, int argc, char **argv, struct settings *settings,
                            int64_t *id, struct err *err) CHECKED;
/* The answer of GET /api/jobs/{id}. */
enum err_code jobs_ask(struct server_client *client, int64_t id, json_t **out, struct err *err) CHECKED;
/* A member of an object; "" when it is not there, null or no text. */
const char *jobs_text(const json_t *object, const char *key);

#endif
