/* Finds the command, runs it, prints its error, returns its exit status. Nothing else. */
#include "cli/command.h"
#include "os/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* `almanac WORDS --help ...` is `almanac help WORDS`: how many words there are; -1 without --help. */
static int words_before_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return i;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    int used = 0;
    memory_set_up();
    terminal_log_start(LOG_INFO);
    const struct command *command = command_find(argc - 1, argv + 1, &used);
    int words = words_before_help(argc - 1, argv + 1);
    if (words >= 0)
        command = &command_help;
    if (command == NULL) {
        (void)fprintf(stderr,
                      argc > 1 ? "almanac: no command '%s'; see 'almanac help'\n"
                               : "usage: almanac COMMAND ...; see 'almanac help'\n",
                      argc > 1 ? argv[1] : "");
        return err_exit_code(ERR_INVALID);
    }
    enum err_code code = words >= 0 ? command->run(command, words, argv + 1, &err)
                                    : command->run(command, argc - 1 - used, argv + 1 + used, &err);
    terminal_finish();
    if (code != ERR_OK)
        (void)fprintf(stderr, "almanac %s: %s\n", command->name, err.text);
    return err_exit_code(code);
}
