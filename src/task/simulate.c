/* Simulate: countries side by side on the pool, each with its own random numbers, so threads cannot change a byte.
 * A country keeps its rows of the side file in memory (some 70 bytes a match); they are put together at the end. */
#include "task/simulate.h"

#include "base/names.h"
#include "base/time.h"
#include "football/simulation.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 22, TRUTH_BYTES_MAX = 1 << 30 };

#define MEMBER(name) OPTION_MEMBER(struct simulate_options, name)
static const struct option_row rows[] = {
    {"leagues", OPTION_INT, MEMBER(leagues), "leagues", 1, SIMULATION_LEAGUES_MAX, "4",
     "how many leagues: E0, E1, SP1, SP2, D1, D2, I1, I2, F1, F2, SC0, SC1, N1, P1, B1, T1, G1, E2, E3, EC, "
     "SC2, SC3"},
    {"seasons", OPTION_INT, MEMBER(seasons), "seasons", 1, SIMULATION_SEASONS_MAX, "10",
     "how many seasons of each"},
    {"seed", OPTION_INT, MEMBER(seed), "", 0, 9007199254740991.0, "7", "the same seed gives the same bytes"},
    {"end_year", OPTION_INT, MEMBER(end_year), "", 1900, 2200, "2025",
     "year in whose May the last season ends"},
    {"out", OPTION_TEXT, MEMBER(out), "", 0, 0, "", "folder to write to; made if it does not exist"},
    {"attributes", OPTION_BOOL, MEMBER(attributes), "", 0, 0, "false",
     "also write " SIMULATE_ATTRIBUTES_FILE ": wages, ages and so on of every team, for 'import attributes'"},
    {"shift", OPTION_ENUM, MEMBER(shift), SIMULATION_SHIFT_CHOICES, 0, 0, "none",
     "what changes in the world at shift_at: everybody scores more, the ground helps the guest, or the "
     "strong become the weak"},
    {"shift_at", OPTION_DATE, MEMBER(shift_at_us), "", 0, 0, "",
     "first day of the changed world; the matches before it are the same as without"},
};
const struct option_table simulate_option_table = {"simulate_football", rows, sizeof(rows) / sizeof(*rows)};

/* What one country leaves behind. */
struct country {
    struct buffer truth, attributes;
    size_t files, matches;
    uint64_t size_bytes;
    enum err_code code;
    struct err err;
};
struct run {
    struct simulation_plan plan;
    const struct simulate_options *options;
    const struct reporter *reporter;
    struct country *countries;
    size_t country_count;
    atomic_size_t done;
    atomic_bool is_broken; /* another country failed */
};

/* ---- the folder ---- */

static enum err_code add_name(struct names *names, const char *folder, const char *name, struct err *err)
{
    char path[FILE_PATH_BYTES];
    enum err_code code = file_join(folder, name, path, err);
    if (code == ERR_OK && names_add(names, text_of(path)) == NAMES_NONE)
        code = err_nomem(err, sizeof path);
    return code;
}

/* Every file that this simulation writes. */
static enum err_code add_names(const struct run *run, struct names *names, struct err *err)
{
    enum err_code code = add_name(names, run->options->out, SIMULATE_TRUTH_FILE, err);
    if (code == ERR_OK) /* there or not: that of an earlier run may stand in the folder */
        code = add_name(names, run->options->out, SIMULATE_ATTRIBUTES_FILE, err);
    for (size_t i = 0; code == ERR_OK && i < simulation_season_count(&run->plan); i++) {
        char path[SIMULATION_PATH_BYTES];
        simulation_path(&run->plan, i, path);
        code = add_name(names, run->options->out, path, err);
    }
    return code;
}

static enum err_code check_folder(const struct run *run, struct err *err)
{
    struct file_list list = {0};
    if (!file_exists(run->options->out))
        return ERR_OK;
    struct names *names = names_create();
    enum err_code code = names == NULL ? err_nomem(err, sizeof(void *)) : add_names(run, names, err);
    if (code == ERR_OK)
        code = file_list_open(run->options->out, ".csv", &list, err);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        if (names_find(names, text_of(list.paths[i])) == NAMES_NONE)
            code = err_set_field(
                err, ERR_CONFLICT, "out",
                "'%s' is no file of this simulation: choose a folder without other CSV files", list.paths[i]);
    }
    file_list_close(&list);
    names_destroy(names);
    return code;
}

static enum err_code make_folders(const struct run *run, struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < run->country_count; i++) {
        char path[FILE_PATH_BYTES];
        code = file_join(run->options->out, simulation_folder(i), path, err);
        if (code == ERR_OK)
            code = file_make_folders(path, err);
    }
    return code;
}

/* Older side files would vouch for files that are about to change. */
static enum err_code remove_side_files(const struct run *run, struct err *err)
{
    static const char *const names[] = {SIMULATE_TRUTH_FILE, SIMULATE_ATTRIBUTES_FILE};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof(names) / sizeof(*names); i++) {
        char path[FILE_PATH_BYTES];
        code = file_join(run->options->out, names[i], path, err);
        if (code == ERR_OK && file_exists(path))
            code = file_remove(path, err);
    }
    return code;
}

/* ---- a country ---- */

static enum err_code write_file(const struct run *run, const char *name, const struct buffer *text,
                                struct err *err)
{
    char path[FILE_PATH_BYTES];
    enum err_code code = buffer_check(text, name, err);
    if (code == ERR_OK)
        code = file_join(run->options->out, name, path, err);
    if (code == ERR_OK)
        code = file_write_atomic(path, buffer_text(text), text->size_bytes, err);
    return code;
}

static enum err_code check_stop(struct run *run, struct err *err)
{
    if (report_is_stopped(run->reporter) || atomic_load(&run->is_broken))
        return err_set(err, ERR_CANCELLED, "the simulation was stopped");
    return ERR_OK;
}

static enum err_code write_seasons(struct run *run, struct country *country, struct simulation *simulation,
                                   struct buffer *text)
{
    struct simulated_season season;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && simulation_next(simulation, &season)) {
        buffer_clear(text);
        simulation_write_csv(simulation, &season, text);
        simulation_write_truth(simulation, &season, &country->truth);
        if (run->options->attributes)
            simulation_write_attributes(simulation, &season, &country->attributes);
        code = write_file(run, season.path, text, &country->err);
        if (code == ERR_OK)
            code = check_stop(run, &country->err);
        country->files++;
        country->matches += season.count;
        country->size_bytes += text->size_bytes;
        report_progress(run->reporter, "simulating", atomic_fetch_add(&run->done, 1) + 1,
                        simulation_season_count(&run->plan));
    }
    return code;
}

static void simulate_country(void *context, size_t index)
{
    struct run *run = context;
    struct country *country = &run->countries[index];
    struct simulation *simulation = NULL;
    struct buffer text;
    buffer_init(&text, FILE_BYTES_MAX);
    country->code = simulation_create(&run->plan, index, &simulation, &country->err);
    if (country->code == ERR_OK)
        country->code = write_seasons(run, country, simulation, &text);
    if (country->code != ERR_OK)
        atomic_store(&run->is_broken, true);
    simulation_destroy(simulation);
    buffer_release(&text);
}

/* The first failure that is not the echo of another one. */
static enum err_code find_failure(const struct run *run, struct err *err)
{
    const struct country *failed = NULL;
    for (size_t i = 0; i < run->country_count; i++) {
        const struct country *country = &run->countries[i];
        if (country->code != ERR_OK &&
            (failed == NULL || (failed->code == ERR_CANCELLED && country->code != ERR_CANCELLED)))
            failed = country;
    }
    if (failed == NULL)
        return ERR_OK;
    if (err != NULL)
        *err = failed->err;
    return failed->code;
}

/* ---- the whole ---- */

/* Adds what a country wrote to a side file. */
static void take_part(struct buffer *text, struct buffer *part)
{
    if (part->failed != ERR_OK && text->failed == ERR_OK)
        text->failed = part->failed;
    buffer_append(text, buffer_text(part), part->size_bytes);
    buffer_release(part);
}

static enum err_code write_side_file(const struct run *run, const char *name, struct buffer *text,
                                     struct simulate_result *out, struct err *err)
{
    enum err_code code = write_file(run, name, text, err);
    out->files++;
    out->size_bytes += text->size_bytes;
    buffer_release(text);
    return code;
}

static enum err_code write_attributes(const struct run *run, struct simulate_result *out, struct err *err)
{
    struct buffer text;
    buffer_init(&text, TRUTH_BYTES_MAX);
    simulation_write_attributes_header(&text);
    for (size_t i = 0; i < run->country_count; i++)
        take_part(&text, &run->countries[i].attributes);
    return write_side_file(run, SIMULATE_ATTRIBUTES_FILE, &text, out, err);
}

static enum err_code write_truth(const struct run *run, struct simulate_result *out, struct err *err)
{
    struct buffer text;
    buffer_init(&text, TRUTH_BYTES_MAX);
    buffer_append_text(&text, SIMULATION_TRUTH_HEADER);
    for (size_t i = 0; i < run->country_count; i++) {
        struct country *country = &run->countries[i];
        take_part(&text, &country->truth);
        out->files += country->files;
        out->matches += country->matches;
        out->size_bytes += country->size_bytes;
    }
    return write_side_file(run, SIMULATE_TRUTH_FILE, &text, out, err);
}

static enum err_code check_options(const struct simulate_options *options, struct simulation_plan *plan,
                                   struct err *err)
{
    *plan = (struct simulation_plan){.leagues = options->leagues,
                                     .seasons = options->seasons,
                                     .end_year = options->end_year,
                                     .seed = (uint64_t)options->seed,
                                     .shift = (enum simulation_shift)options->shift,
                                     .shift_day = time_day_of(options->shift_at_us)};
    if ((options->shift == SHIFT_NONE) != (options->shift_at_us == TIME_NONE))
        return err_set_field(err, ERR_INVALID, "shift_at",
                             "'shift' and 'shift_at' belong together: what changes, and when");
    if (options->out[0] == '\0')
        return err_set_field(err, ERR_INVALID, "out",
                             "'out' is missing: name the folder to write to (--out DIR)");
    return simulation_plan_check(plan, err);
}

enum err_code simulate_football(struct pool *pool, const struct simulate_options *options,
                                const struct reporter *reporter, struct simulate_result *out, struct err *err)
{
    struct run run = {.options = options, .reporter = reporter};
    *out = (struct simulate_result){0};
    enum err_code code = check_options(options, &run.plan, err);
    if (code != ERR_OK)
        return code;
    run.country_count = simulation_country_count(&run.plan);
    run.countries = calloc(run.country_count, sizeof *run.countries);
    if (run.countries == NULL)
        return err_nomem(err, run.country_count * sizeof *run.countries);
    for (size_t i = 0; i < run.country_count; i++) {
        buffer_init(&run.countries[i].truth, TRUTH_BYTES_MAX);
        buffer_init(&run.countries[i].attributes, TRUTH_BYTES_MAX);
    }
    code = check_folder(&run, err);
    if (code == ERR_OK)
        code = make_folders(&run, err);
    if (code == ERR_OK)
        code = remove_side_files(&run, err);
    if (code == ERR_OK) {
        pool_for(pool, run.country_count, simulate_country, &run);
        code = find_failure(&run, err);
    }
    if (code == ERR_OK && options->attributes)
        code = write_attributes(&run, out, err);
    if (code == ERR_OK)
        code = write_truth(&run, out, err);
    for (size_t i = 0; i < run.country_count; i++) {
        buffer_release(&run.countries[i].truth);
        buffer_release(&run.countries[i].attributes);
    }
    free(run.countries);
    return code;
}
