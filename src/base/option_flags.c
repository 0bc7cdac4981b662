/* Options from the command line: see option_read_flags in option.h.
 *
 * What begins with "--" is a flag; "-5" and "-" are not, other "-x" are refused because Almanac has no short
 * flags and taking them for a file name would hide a mistake. The arguments are read twice: once to check,
 * once to store, so a bad last argument leaves every target as it was. */
#include "base/option.h"
#include "base/option_row.h"
#include "base/text.h"
#include <string.h>

struct option_flags {
    const struct option_table *const *tables;
    void *const *targets;
    size_t table_count;
    int argc;
    char **argv;
    int at; /* index of the argument being read */
    bool is_storing;
};

/* The first table that has the name. */
static const struct option_row *option_find_flag(const struct option_flags *flags, struct text name,
                                                 size_t *out_table)
{
    for (size_t index = 0; index < flags->table_count; index++) {
        const struct option_row *row = option_find(flags->tables[index], name);
        if (row) {
            *out_table = index;
            return row;
        }
    }
    return NULL;
}

static enum err_code option_apply(const struct option_flags *flags, size_t table,
                                  const struct option_row *row, const char *value, struct err *err)
{
    void *target = flags->is_storing ? flags->targets[table] : NULL;
    enum err_code code = option_take(row, target, value, err);
    if (code)
        (void)err_prefix(err, "cannot use flag '%s'", flags->argv[flags->at]);
    return code;
}

/* The value behind "--name": the next argument, unless it looks like a flag (a forgotten value, most likely).
 */
static enum err_code option_next_value(struct option_flags *flags, const struct option_row *row,
                                       const char **out, struct err *err)
{
    const char *flag = flags->argv[flags->at];
    if (flags->at + 1 >= flags->argc)
        return err_set_field(err, ERR_INVALID, row->name, "flag '%s' needs a value", flag);
    const char *value = flags->argv[flags->at + 1];
    if (strncmp(value, "--", 2) == 0)
        return err_set_field(err, ERR_INVALID, row->name,
                             "flag '%s' needs a value, not '%s' (write '%s=%s' if that is meant)", flag,
                             value, flag, value);
    *out = value;
    return ERR_OK;
}

/* "--no-name" of a boolean row. */
static enum err_code option_read_negation(struct option_flags *flags, struct text name, struct err *err)
{
    size_t table;
    const struct option_row *row = NULL;
    if (text_starts(name, "no-"))
        row = option_find_flag(flags, (struct text){name.data + 3, name.size_bytes - 3}, &table);
    if (!row || row->type != OPTION_BOOL)
        return err_set_field(err, ERR_INVALID, row ? row->name : "",
                             "flag '%s' does not exist; --help lists them", flags->argv[flags->at]);
    return option_apply(flags, table, row, "false", err);
}

static enum err_code option_read_flag(struct option_flags *flags, struct err *err)
{
    const char *argument = flags->argv[flags->at];
    const char *value = strchr(argument, '=');
    struct text name = {argument + 2, (value ? (size_t)(value - argument) : strlen(argument)) - 2};
    size_t table;
    const struct option_row *row = option_find_flag(flags, name, &table);
    if (!row) {
        if (!value)
            return option_read_negation(flags, name, err);
        return err_set(err, ERR_INVALID, "flag '%s' does not exist; --help lists them", argument);
    }
    if (value)
        return option_apply(flags, table, row, value + 1, err);
    if (row->type == OPTION_BOOL)
        return option_apply(flags, table, row, "true", err);
    enum err_code code = option_next_value(flags, row, &value, err);
    if (!code)
        code = option_apply(flags, table, row, value, err);
    flags->at++;
    return code;
}

static bool option_is_short_flag(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0' && argument[1] != '.' &&
           (argument[1] < '0' || argument[1] > '9');
}

static enum err_code option_flags_pass(struct option_flags flags, const char **positionals,
                                       size_t max_positionals, size_t *out_count, struct err *err)
{
    bool is_ended = false;
    size_t count = 0;
    enum err_code code = ERR_OK;
    for (flags.at = 0; flags.at < flags.argc && !code; flags.at++) {
        const char *argument = flags.argv[flags.at];
        if (!is_ended && strcmp(argument, "--") == 0)
            is_ended = true;
        else if (!is_ended && strncmp(argument, "--", 2) == 0)
            code = option_read_flag(&flags, err);
        else if (!is_ended && option_is_short_flag(argument))
            code = err_set(err, ERR_INVALID, "flag '%s' does not exist; flags begin with '--'", argument);
        else if (count == max_positionals)
            code = err_set(err, ERR_INVALID, "argument '%s' is not expected (at most %zu)", argument,
                           max_positionals);
        else
            positionals[count++] = argument;
    }
    *out_count = code ? 0 : count;
    return code;
}

enum err_code option_read_flags(const struct option_table *const *tables, void *const *targets,
                                size_t table_count, int argc, char **argv, const char **positionals,
                                size_t max_positionals, size_t *out_count, struct err *err)
{
    struct option_flags flags = {
        .tables = tables, .targets = targets, .table_count = table_count, .argc = argc, .argv = argv};
    size_t count;
    if (!out_count)
        out_count = &count;
    enum err_code code = option_flags_pass(flags, positionals, max_positionals, out_count, err);
    if (code)
        return code;
    flags.is_storing = true;
    return option_flags_pass(flags, positionals, max_positionals, out_count, err);
}
