/* Finds the command, runs it, prints its error, returns its exit status. Nothing else. */
#include "base/log.h"
#include "cli/command.h"
#include "os/clock.h"

#include <stdio.h>
#include <unistd.h>

static void log_to_stderr(void *context, enum log_level level, const char *line, size_t size_bytes)
{
    (void)context;
    (void)level;
    /* one write per line; a log that cannot be written has nowhere to complain */
    if (write(STDERR_FILENO, line, size_bytes) < 0)
        return;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    int used = 0;
    log_start(LOG_INFO, clock_now_us, log_to_stderr, NULL);
    const struct command *command = command_find(argc - 1, argv + 1, &used);
    if (command == NULL) {
        (void)fprintf(stderr, argc > 1 ? "almanac: no command '%s'; see 'almanac help'\n" : "usage: almanac COMMAND ...; see 'almanac help'\n",
                      argc > 1 ? argv[1] : "");
        return err_exit_code(ERR_INVALID);
    }
    enum err_code code = command->run(command, argc - 1 - used, argv + 1 + used, &err);
    terminal_finish();
    if (code != ERR_OK)
        (void)fprintf(stderr, "almanac %s: %s\n", command->name, err.text);
    return err_exit_code(code);
}
