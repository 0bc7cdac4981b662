/* almanac help, almanac version. */
#include "cli/command.h"

#include <string.h>

#define ALMANAC_VERSION "0.1.0"

/* "jobs list" begins with the word "jobs"; every command with "". */
static bool begins_with(const char *name, const char *word)
{
    size_t length = strlen(word);
    return length == 0 || (strncmp(name, word, length) == 0 && name[length] == ' ');
}

/* The commands whose first word is `word`; false when there are none. */
static bool print_list(const char *word)
{
    int width = 0;
    for (size_t i = 0; command_at(i) != NULL; i++) {
        int bytes = begins_with(command_at(i)->name, word) ? (int)strlen(command_at(i)->name) : 0;
        width = bytes > width ? bytes : width;
    }
    if (width == 0)
        return false;
    command_printf("usage: almanac %s%sCOMMAND [flags]\n\n", word, word[0] != '\0' ? " " : "");
    for (size_t i = 0; command_at(i) != NULL; i++) {
        if (begins_with(command_at(i)->name, word))
            command_printf("  %-*s  %s\n", width, command_at(i)->name, command_at(i)->doc);
    }
    command_printf("\n'almanac help COMMAND' shows its flags. Options may also stand in almanac.ini and in "
                   "ALMANAC_<NAME>.\n");
    return true;
}

static enum err_code run_help(const struct command *command, int argc, char **argv, struct err *err)
{
    struct buffer text;
    int used = 0;
    (void)command;
    const struct command *asked = command_find(argc, argv, &used);
    if (asked == NULL && argc < 2 && print_list(argc == 0 ? "" : argv[0]))
        return ERR_OK;
    if (asked == NULL)
        return err_set(err, ERR_NOT_FOUND, "no command '%s'; 'almanac help' lists all", argv[0]);
    buffer_init(&text, 1 << 20);
    buffer_printf(&text, "usage: almanac %s%s%s\n\n%s\n\n", asked->name, asked->usage[0] != '\0' ? " " : "",
                  asked->usage, asked->doc);
    if (command_options(asked) != NULL) {
        option_write_help(command_options(asked), &text);
        buffer_append_char(&text, '\n');
    }
    buffer_append_text(&text, "for every command:\n");
    option_write_help(&settings_table, &text);
    command_print(&text);
    buffer_release(&text);
    return ERR_OK;
}

static enum err_code run_version(const struct command *command, int argc, char **argv, struct err *err)
{
    (void)command;
    (void)argc;
    (void)argv;
    (void)err;
    command_printf("almanac " ALMANAC_VERSION "\n");
    return ERR_OK;
}

const struct command command_help = {.name = "help",
                                     .usage = "[COMMAND]",
                                     .doc = "this list, or the flags of a command; also --help",
                                     .run = run_help};
const struct command command_version = {
    .name = "version", .usage = "", .doc = "the program's version", .run = run_version};
