/* almanac simulate football: invented football with known probabilities, as football-data files. Opens no store. */
#include "task/simulate.h"
#include "cli/command.h"

static void print_result(const struct settings *settings, const struct simulate_options *options,
                         const struct simulate_result *result)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, 1 << 16);
    if (settings->json) {
        json_writer_init(&writer, &text);
        json_begin_object(&writer);
        json_field_text(&writer, "out", options->out);
        json_field_i64(&writer, "files", (int64_t)result->files);
        json_field_i64(&writer, "matches", (int64_t)result->matches);
        json_field_i64(&writer, "size_bytes", (int64_t)result->size_bytes);
        json_end_object(&writer);
        buffer_append_char(&text, '\n');
    } else {
        buffer_printf(&text, "%zu matches of %lld leagues in %lld seasons: %zu files, %.1f MB in '%s'\n",
                      result->matches, (long long)options->leagues, (long long)options->seasons,
                      result->files, (double)result->size_bytes / 1e6, options->out);
    }
    command_print(&text);
    buffer_release(&text);
}

static enum err_code run(const struct command *command, int argc, char **argv, struct err *err)
{
    struct settings settings;
    struct simulate_options options;
    struct simulate_result result;
    struct pool *pool = NULL;
    struct reporter reporter = terminal_reporter();
    enum err_code code = command_parse(command, argc, argv, &settings, &options, NULL, 0, NULL, err);
    if (code == ERR_OK)
        code = pool_create(0, &pool, err);
    if (code != ERR_OK)
        return code;
    code = simulate_football(pool, &options, &reporter, &result, err);
    terminal_finish();
    pool_destroy(pool);
    if (code == ERR_OK)
        print_result(&settings, &options, &result);
    return code;
}

const struct command command_simulate_football = {
    .name = "simulate football",
    .usage = "--out DIR [--leagues N] [--seasons N] [--seed N] [--end-year YEAR] [--attributes] "
             "[--shift KIND --shift-at DATE]",
    .doc = "write invented leagues as football-data files, with the true probabilities of every match beside "
           "them",
    .options = &simulate_option_table,
    .run = run,
};
