/* Options: one table row parses a flag, an environment variable, a line of the configuration file and a JSON
 * member, prints the help, the documentation and (later) the dashboard form.
 *
 * A row describes one member of a plain struct by offset. Text members are `char name[N]` inside the struct,
 * so an options struct is copied by assignment. Precedence, lowest first: default, file, environment, flag
 * (or JSON). Names are written with '-' in flags (--data-dir), '_' in JSON and files (data_dir),
 * ALMANAC_DATA_DIR in the environment. Threads: tables are constant; the target struct is the caller's. */
#ifndef ALMANAC_BASE_OPTION_H
#define ALMANAC_BASE_OPTION_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_BOOL, /* bool */
    OPTION_INT,  /* int64_t, min..max */
    OPTION_REAL, /* double, min..max */
    OPTION_TEXT, /* char[size] */
    OPTION_DATE, /* int64_t microseconds UTC, TIME_NONE when empty */
    OPTION_ENUM, /* int: index into the '|'-separated choices in `unit` */
};

struct option_row {
    const char *name; /* with '_' */
    enum option_type type;
    size_t offset;        /* of the member */
    size_t size_bytes;    /* of the member */
    const char *unit;     /* "s", "matches", "" ...; the choices of an OPTION_ENUM */
    double min, max;      /* OPTION_INT and OPTION_REAL; ignored otherwise */
    const char *fallback; /* the default, as text */
    const char *doc;      /* one sentence */
};

struct option_table {
    const char *name; /* section of the file and of the documentation */
    const struct option_row *rows;
    size_t count;
};

#define OPTION_MEMBER(type, member) offsetof(type, member), sizeof(((type *)0)->member)

void option_defaults(const struct option_table *table,
                     void *target); /* asserts that the defaults are valid */
/* One value as text, by name ('-' and '_' are the same). ERR_NOT_FOUND for an unknown name, ERR_INVALID for a
 * value that does not parse or is out of range (the text says the range). On an error the target is
 * unchanged. */
enum err_code option_set(const struct option_table *table, void *target, const char *name, const char *value,
                         struct err *err) CHECKED;
/* ALMANAC_<NAME> for every row, where set. `get` is getenv in the program, a fake in tests. */
enum err_code option_read_environment(const struct option_table *table, void *target,
                                      const char *(*get)(const char *name), struct err *err) CHECKED;
/* The section [table->name] of an INI text (also lines before any section). Unknown names are errors with
 * line. */
enum err_code option_read_ini(const struct option_table *table, void *target, const char *ini,
                              const char *path, struct err *err) CHECKED;
/* Members of a JSON object that have a row; numbers, booleans and text as fitting. Members without a row are
 * errors when `strict`. All or nothing: on an error the target is unchanged. */
enum err_code option_read_json(const struct option_table *table, void *target, const json_t *object,
                               bool strict, struct err *err) CHECKED;
/* Flags `--name value`, `--name=value`, `--flag`, `--no-flag` over one or more tables (targets in parallel).
 * What is not a flag goes to positionals (at most max, else ERR_INVALID); "--" ends the flags. argv begins
 * with the first argument (no program or command name). All or nothing, as the environment and the file are.
 */
enum err_code option_read_flags(const struct option_table *const *tables, void *const *targets,
                                size_t table_count, int argc, char **argv, const char **positionals,
                                size_t max_positionals, size_t *out_count, struct err *err) CHECKED;
void option_write_json(const struct option_table *table, const void *target,
                       struct json_writer *out);                              /* an object */
void option_write_help(const struct option_table *table, struct buffer *out); /* for a terminal */
void option_write_markdown(const struct option_table *table,
                           struct buffer *out); /* a table for docs/generated */

#endif
