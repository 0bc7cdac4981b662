/* Settings of connectors on their way to the workers: the server puts them into its environment, which its children have too,
 * so that it does not matter whether they came from a file, a flag or the environment. They are never part of a job. */
#ifndef ALMANAC_CLI_CONNECTORS_H
#define ALMANAC_CLI_CONNECTORS_H

#include "base/err.h"
#include "task/connector.h"

/* Before there are threads. */
enum err_code connectors_write_environment(const struct connector_settings *settings,
                                           struct err *err) CHECKED;
enum err_code connectors_read_environment(struct connector_settings *out, struct err *err) CHECKED;

#endif
