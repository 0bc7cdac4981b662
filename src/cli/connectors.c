/* Settings of connectors in the environment, under the names that it has for them anyway (ALMANAC_ODDS_API_KEY): a worker
 * cannot tell who set them. */
#include "cli/connectors.h"

#include "base/json.h"
#include "base/option.h"
#include "cli/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *environment(const char *name)
{
    return getenv(name);
}

static bool is_connector(const struct option_row *row)
{
    size_t first = offsetof(struct settings, connectors);
    return row->offset >= first && row->offset < first + sizeof(struct connector_settings);
}

static enum err_code write_row(const struct option_row *row, const struct settings *settings, struct err *err)
{
    const char *member = (const char *)settings + row->offset;
    char name[80], number[24];
    size_t size = (size_t)snprintf(name, sizeof name, "ALMANAC_%s", row->name);
    for (size_t index = 0; index < size; index++)
        name[index] =
            name[index] >= 'a' && name[index] <= 'z' ? (char)(name[index] - 'a' + 'A') : name[index];
    if (row->type == OPTION_INT) {
        int64_t value;
        memcpy(&value, member, sizeof value);
        (void)snprintf(number, sizeof number, "%lld", (long long)value);
        member = number;
    }
    return setenv(name, member, 1) == 0 ? ERR_OK : err_set_errno(err, errno, "cannot set '%s'", name);
}

enum err_code connectors_write_environment(const struct connector_settings *settings, struct err *err)
{
    struct settings all;
    option_defaults(&settings_table, &all);
    all.connectors = *settings;
    for (size_t index = 0; index < settings_table.count; index++) {
        const struct option_row *row = &settings_table.rows[index];
        enum err_code code = is_connector(row) ? write_row(row, &all, err) : ERR_OK;
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code connectors_read_environment(struct connector_settings *out, struct err *err)
{
    struct settings settings;
    option_defaults(&settings_table, &settings);
    enum err_code code = option_read_environment(&settings_table, &settings, environment, err);
    *out = settings.connectors;
    return code;
}
