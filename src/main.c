/* Finds the command, runs it, prints its error, returns its exit status. Nothing else. */
#include "cli/command.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct err err = {0};
    int used = 0;
    terminal_log_start(LOG_INFO);
    const struct command *command = command_find(argc - 1, argv + 1, &used);
    if (command == NULL) {
        (void)fprintf(stderr,
                      argc > 1 ? "almanac: no command '%s'; see 'almanac help'\n"
                               : "usage: almanac COMMAND ...; see 'almanac help'\n",
                      argc > 1 ? argv[1] : "");
        return err_exit_code(ERR_INVALID);
    }
    enum err_code code = command->run(command, argc - 1 - used, argv + 1 + used, &err);
    terminal_finish();
    if (code != ERR_OK)
        (void)fprintf(stderr, "almanac %s: %s\n", command->name, err.text);
    return err_exit_code(code);
}
