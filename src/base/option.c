/* Options: see option.h; printing is in option_print.c.
 *
 * Every way in ends in option_parse: text (or a JSON member) of one row becomes a union value, checked, and
 * only then is written to the member. Readers of many values (environment, file, JSON, flags) run twice over
 * their input, first only checking: either everything is taken or the target is untouched. */
#include "base/option.h"
#include "base/option_row.h"
#include "base/text.h"
#include "base/time.h"
#include <assert.h>
#include <ini.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* A checked value on its way to the member. */
union option_value {
    bool boolean;
    int64_t integer; /* OPTION_INT, OPTION_DATE */
    double real;
    int choice;
    const char *text;
};

/* '-' and '_' are the same. */
static bool option_is_named(const struct option_row *row, struct text name)
{
    if (strlen(row->name) != name.size_bytes)
        return false;
    for (size_t index = 0; index < name.size_bytes; index++) {
        char byte = name.data[index] == '-' ? '_' : name.data[index];
        if (byte != row->name[index])
            return false;
    }
    return true;
}

const struct option_row *option_find(const struct option_table *table, struct text name)
{
    for (size_t index = 0; index < table->count; index++)
        if (option_is_named(&table->rows[index], name))
            return &table->rows[index];
    return NULL;
}

static enum err_code option_refuse(const struct option_row *row, const char *value, struct err *err)
{
    char wanted[256];
    option_describe(row, wanted, sizeof(wanted));
    return err_set_field(err, ERR_INVALID, row->name, "option '%s' must be %s, not '%s'", row->name, wanted,
                         value);
}

static bool option_parse_bool(struct text text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t index = 0; index < 4; index++) {
        if (text_equal_nocase(text, yes[index]) || text_equal_nocase(text, no[index])) {
            *out = text_equal_nocase(text, yes[index]);
            return true;
        }
    }
    return false;
}

static bool option_parse_date(struct text text, int64_t *out_us)
{
    bool has_clock;
    if (text.size_bytes > 0)
        return time_parse_iso(text, out_us, &has_clock);
    *out_us = TIME_NONE;
    return true;
}

static bool option_parse_choice(const struct option_row *row, struct text text, int *out)
{
    struct text rest = text_of(row->unit);
    struct text choice;
    for (int index = 0; text_split(&rest, '|', &choice); index++) {
        if (choice.size_bytes == text.size_bytes && memcmp(choice.data, text.data, text.size_bytes) == 0) {
            *out = index;
            return true;
        }
    }
    return false;
}

/* Must fit with its terminator, and be text: control characters would travel into logs, paths and SQL. */
static bool option_text_is_valid(const struct option_row *row, struct text text)
{
    if (text.size_bytes >= row->size_bytes || !text_is_utf8(text))
        return false;
    for (size_t index = 0; index < text.size_bytes; index++)
        if ((unsigned char)text.data[index] < 0x20 || text.data[index] == 0x7F)
            return false;
    return true;
}

static bool option_integer_is_valid(const struct option_row *row, int64_t value)
{
    return (double)value >= row->min && (double)value <= row->max;
}

static bool option_parse_value(const struct option_row *row, const char *value, union option_value *out)
{
    struct text text = text_of(value);
    switch (row->type) {
    case OPTION_BOOL:
        return option_parse_bool(text, &out->boolean);
    case OPTION_INT:
        return text_parse_i64(text, &out->integer) && option_integer_is_valid(row, out->integer);
    case OPTION_REAL:
        return text_parse_f64(text, &out->real) && out->real >= row->min && out->real <= row->max;
    case OPTION_TEXT:
        out->text = value;
        return option_text_is_valid(row, text);
    case OPTION_DATE:
        return option_parse_date(text, &out->integer);
    case OPTION_ENUM:
        return option_parse_choice(row, text, &out->choice);
    }
    return false;
}

static enum err_code option_parse(const struct option_row *row, const char *value, union option_value *out,
                                  struct err *err)
{
    return option_parse_value(row, value, out) ? ERR_OK : option_refuse(row, value, err);
}

static void option_store(const struct option_row *row, void *target, union option_value value)
{
    char *member = (char *)target + row->offset;
    const void *from = &value;
    switch (row->type) {
    case OPTION_BOOL:
        assert(row->size_bytes == sizeof(value.boolean));
        break;
    case OPTION_INT:
    case OPTION_DATE:
        assert(row->size_bytes == sizeof(value.integer));
        break;
    case OPTION_REAL:
        assert(row->size_bytes == sizeof(value.real));
        break;
    case OPTION_ENUM:
        assert(row->size_bytes == sizeof(value.choice));
        break;
    case OPTION_TEXT: /* the rest of the member is zeroed, so that equal options are equal bytes */
        memset(member, 0, row->size_bytes);
        memcpy(member, value.text, strlen(value.text));
        return;
    }
    memcpy(member, from, row->size_bytes);
}

enum err_code option_take(const struct option_row *row, void *target, const char *value, struct err *err)
{
    union option_value parsed;
    enum err_code code = option_parse(row, value, &parsed, err);
    if (!code && target)
        option_store(row, target, parsed);
    return code;
}

void option_defaults(const struct option_table *table, void *target)
{
    for (size_t index = 0; index < table->count; index++) {
        enum err_code code = option_take(&table->rows[index], target, table->rows[index].fallback, NULL);
        assert(code == ERR_OK);
        (void)code;
    }
}

enum err_code option_set(const struct option_table *table, void *target, const char *name, const char *value,
                         struct err *err)
{
    const struct option_row *row = option_find(table, text_of(name));
    if (!row)
        return err_set_field(err, ERR_NOT_FOUND, name, "option '%s' does not exist in '%s'", name,
                             table->name);
    return option_take(row, target, value, err);
}

static enum err_code option_read_variables(const struct option_table *table, void *target,
                                           const char *(*get)(const char *name), struct err *err)
{
    for (size_t index = 0; index < table->count; index++) {
        const struct option_row *row = &table->rows[index];
        char name[OPTION_VARIABLE_BYTES];
        option_variable_name(row, name);
        const char *value = get(name);
        if (value && option_take(row, target, value, err) != ERR_OK) {
            (void)err_prefix(err, "cannot use environment variable %s", name);
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

enum err_code option_read_environment(const struct option_table *table, void *target,
                                      const char *(*get)(const char *name), struct err *err)
{
    enum err_code code = option_read_variables(table, NULL, get, err);
    return code ? code : option_read_variables(table, target, get, err);
}

/* What inih's two callbacks share. inih itself does not hand line numbers to the handler, so they are counted
 * by the reader, which is asked for one line at a time. */
struct option_ini {
    const struct option_table *table;
    void *target; /* NULL: only check */
    const char *path;
    const char *rest;
    int line;
    enum err_code code;
    struct err *err;
};

enum { OPTION_INI_LINE_BYTES = 4096 };

/* fgets for a string. Indentation is dropped: inih would take an indented line for more of the value above.
 */
static char *option_ini_read(char *out, int size_bytes, void *stream)
{
    struct option_ini *ini = stream;
    if (*ini->rest == '\0')
        return NULL;
    ini->line++;
    const char *end = strchrnul(ini->rest, '\n');
    const char *begin = ini->rest;
    while (begin < end && (*begin == ' ' || *begin == '\t'))
        begin++;
    size_t taken = (size_t)(end - begin);
    if (taken >= (size_t)size_bytes) {
        taken = 0;
        if (!ini->code)
            ini->code = err_set(ini->err, ERR_INVALID, "cannot read '%s' line %d: longer than %d bytes",
                                ini->path, ini->line, size_bytes - 1);
    }
    memcpy(out, begin, taken);
    out[taken] = '\0';
    ini->rest = *end ? end + 1 : end;
    return out;
}

static int option_ini_take(void *user, const char *section, const char *name, const char *value)
{
    struct option_ini *ini = user;
    if (ini->code || (section[0] != '\0' && strcmp(section, ini->table->name) != 0))
        return 1;
    const struct option_row *row = option_find(ini->table, text_of(name));
    if (!row) {
        ini->code =
            err_set_field(ini->err, ERR_INVALID, name, "cannot read '%s' line %d: option '%s' does not exist",
                          ini->path, ini->line, name);
    } else if (option_take(row, ini->target, value, ini->err) != ERR_OK) {
        (void)err_prefix(ini->err, "cannot read '%s' line %d", ini->path, ini->line);
        ini->code = ERR_INVALID;
    }
    return 1;
}

/* inih's limit of 200 bytes a line would split a long path into two lines; its settings are process-wide. */
static void option_ini_start(void)
{
    ini_max_line = OPTION_INI_LINE_BYTES;
}

static enum err_code option_ini_pass(struct option_ini ini, const char *text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, option_ini_start);
    ini.rest = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    int bad_line = ini_parse_stream(option_ini_read, &ini, option_ini_take, &ini);
    if (ini.code)
        return ini.code;
    if (bad_line != 0)
        return err_set(ini.err, ERR_INVALID,
                       "cannot read '%s' line %d: neither '[section]' nor 'name = value'", ini.path,
                       bad_line);
    return ERR_OK;
}

enum err_code option_read_ini(const struct option_table *table, void *target, const char *ini,
                              const char *path, struct err *err)
{
    struct option_ini pass = {.table = table, .path = path, .err = err};
    enum err_code code = option_ini_pass(pass, ini);
    if (code)
        return code;
    pass.target = target;
    return option_ini_pass(pass, ini);
}

/* The member as the row's type; JSON types are not bent ("5" is no number, 1 is not true). */
static bool option_from_json(const struct option_row *row, const json_t *member, union option_value *out)
{
    switch (row->type) {
    case OPTION_BOOL:
        out->boolean = json_is_true(member);
        return json_is_boolean(member);
    case OPTION_INT:
        out->integer = json_integer_value(member);
        return json_is_integer(member) && option_integer_is_valid(row, out->integer);
    case OPTION_REAL:
        out->real = json_number_value(member);
        return json_is_number(member) && out->real >= row->min && out->real <= row->max;
    default:
        return json_is_string(member) && option_parse_value(row, json_string_value(member), out);
    }
}

static enum err_code option_refuse_json(const struct option_row *row, const json_t *member, struct err *err)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_put_value(&writer, member);
    enum err_code code = option_refuse(row, text.failed ? "a long value" : buffer_text(&text), err);
    buffer_release(&text);
    return code;
}

static enum err_code option_read_members(const struct option_table *table, void *target, const json_t *object,
                                         struct err *err)
{
    for (size_t index = 0; index < table->count; index++) {
        const struct option_row *row = &table->rows[index];
        const json_t *member = json_object_get(object, row->name);
        if (!member || json_is_null(member))
            continue;
        union option_value value;
        if (!option_from_json(row, member, &value))
            return option_refuse_json(row, member, err);
        if (target)
            option_store(row, target, value);
    }
    return ERR_OK;
}

static enum err_code option_refuse_unknown(const struct option_table *table, const json_t *object,
                                           struct err *err)
{
    json_t *members = (json_t *)(uintptr_t)object; /* jansson's iterators take no const */
    for (void *at = json_object_iter(members); at; at = json_object_iter_next(members, at)) {
        const char *key = json_object_iter_key(at);
        const struct option_row *row = option_find(table, text_of(key));
        if (!row || strcmp(row->name, key) != 0)
            return err_set_field(err, ERR_INVALID, key,
                                 "member '%s' is unknown; remove it or correct its name", key);
    }
    return ERR_OK;
}

enum err_code option_read_json(const struct option_table *table, void *target, const json_t *object,
                               bool strict, struct err *err)
{
    if (!json_is_object(object))
        return err_set(err, ERR_INVALID, "an object with options of '%s' is expected", table->name);
    enum err_code code = strict ? option_refuse_unknown(table, object, err) : ERR_OK;
    if (!code)
        code = option_read_members(table, NULL, object, err);
    return code ? code : option_read_members(table, target, object, err);
}
