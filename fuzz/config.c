/* Fuzzes the configuration file: the bytes as the text of almanac.ini, read for the program's settings and for every
 * command's options, and each of its lines as a flag. All or nothing; what is refused names the line. */
#include "base/text.h"
#include "cli/command.h"
#include "task/task.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

enum { OPTIONS_BYTES = 1 << 16, FLAGS_MAX = 16 };

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void read_table(const struct option_table *table, const char *text)
{
    static _Alignas(16) unsigned char options[OPTIONS_BYTES], before[OPTIONS_BYTES];
    struct err err = {0};
    memset(options, 0, sizeof options);
    option_defaults(table, options);
    memcpy(before, options, sizeof options);
    if (option_read_ini(table, options, text, "almanac.ini", &err) != ERR_OK) {
        require(strstr(err.text, "almanac.ini") != NULL && strstr(err.text, "line") != NULL);
        require(memcmp(options, before, sizeof options) == 0);
        return;
    }
    struct json_writer writer;
    struct buffer out;
    json_t *back = NULL;
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    option_write_json(table, options, &writer);
    require(json_read(buffer_text(&out), out.size_bytes, &back, NULL) == ERR_OK);
    json_decref(back);
    buffer_release(&out);
}

/* The lines as the words of a command line, each preceded by "--" when it has a '='. */
static void read_flags(const struct option_table *table, const char *text)
{
    static _Alignas(16) unsigned char options[OPTIONS_BYTES], before[OPTIONS_BYTES];
    const struct option_table *tables[1] = {table};
    void *targets[1] = {options};
    char *words[FLAGS_MAX], *copy = NULL;
    const char *positionals[FLAGS_MAX];
    size_t positional_count = 0, bytes = strlen(text);
    int count = 0;
    struct err err = {0};
    copy = malloc(2 * bytes + 2 * FLAGS_MAX + 1);
    require(copy != NULL);
    char *to = copy;
    for (struct text rest = {text, bytes}, line; count < FLAGS_MAX && text_split(&rest, '\n', &line);
         count++) {
        words[count] = to;
        if (line.size_bytes > 0 && memchr(line.data, '=', line.size_bytes) != NULL) {
            memcpy(to, "--", 2);
            to += 2;
        }
        if (line.size_bytes > 0)
            memcpy(to, line.data, line.size_bytes);
        to += line.size_bytes;
        *to++ = '\0';
    }
    memset(options, 0, sizeof options);
    option_defaults(table, options);
    memcpy(before, options, sizeof options);
    if (option_read_flags(tables, targets, 1, count, words, positionals, FLAGS_MAX, &positional_count,
                          &err) != ERR_OK)
        require(err.text[0] != '\0' && memcmp(options, before, sizeof options) == 0);
    else
        require(positional_count <= (size_t)count);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    char *text = malloc(size_bytes + 1);
    require(text != NULL);
    memcpy(text, data, size_bytes);
    text[size_bytes] = '\0';
    read_table(&settings_table, text);
    read_flags(&settings_table, text);
    for (size_t i = 0; command_at(i) != NULL; i++) {
        if (command_options(command_at(i)) == NULL)
            continue;
        read_table(command_options(command_at(i)), text);
        read_flags(command_options(command_at(i)), text);
    }
    free(text);
    return 0;
}
