/* A schedule in simulated time. */
#include "job/schedule_simulation.h"

#include "base/text.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

struct world {
    const struct schedule_simulation *simulation;
    struct scheduler *scheduler;
    int64_t now_us, jobs;
};

static int64_t world_now(void *context)
{
    const struct world *world = context;
    return world->now_us;
}

/* A job that is done when it is accepted. The due time stands in its key: "schedule:<name>:<due>". */
static enum err_code submit(void *context, const struct job_order *order, struct job_row *out,
                            struct err *err)
{
    struct world *world = context;
    const struct schedule_task *task = NULL;
    int64_t due_us = TIME_NONE;
    bool has_clock;
    enum err_code code = scheduler_find(world->scheduler, order->label, &task, err);
    if (code != ERR_OK)
        return code;
    const char *due = strchr(strchr(order->key, ':') + 1, ':') + 1;
    if (!time_parse_iso(text_of(due), &due_us, &has_clock))
        return err_set(err, ERR_INTERNAL, "the key '%s' has no due time", order->key);
    world->simulation->fired(world->simulation->context, task, due_us, world->now_us);
    *out = (struct job_row){.id = ++world->jobs,
                            .state = JOB_SUCCEEDED,
                            .created_us = world->now_us,
                            .started_us = world->now_us,
                            .ended_us = world->now_us};
    return ERR_OK;
}

static enum err_code copy_rows(const struct schedule_simulation *simulation, struct db *to,
                               const struct scheduler *scheduler, struct err *err)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < scheduler_count(scheduler); i++) {
        struct schedule_row row;
        const char *name = scheduler_at(scheduler, i)->name;
        code = schedule_store_get(simulation->db != NULL ? simulation->db : to, name, &row, err);
        if (code != ERR_OK && code != ERR_NOT_FOUND)
            return code;
        row.seen_us = simulation->from_us - 1; /* the first moment counts */
        if (simulation->only != NULL)
            row.is_enabled = strcmp(simulation->only, name) == 0;
        code = schedule_store_set(to, &row, err);
    }
    return code;
}

static enum err_code run(struct world *world, const struct scheduler_options *options, struct err *err)
{
    const struct schedule_task *task;
    enum err_code code = scheduler_create(options, &world->scheduler, err);
    if (code == ERR_OK && world->simulation->only != NULL)
        code = scheduler_find(world->scheduler, world->simulation->only, &task, err);
    if (code == ERR_OK)
        code = copy_rows(world->simulation, options->db, world->scheduler, err);
    scheduler_destroy(world->scheduler);
    world->scheduler = NULL;
    if (code == ERR_OK) /* once more, with the rows */
        code = scheduler_create(options, &world->scheduler, err);
    if (code == ERR_OK)
        scheduler_begin(world->scheduler);
    while (code == ERR_OK) {
        scheduler_run_due(world->scheduler);
        int64_t next_us = scheduler_next_us(world->scheduler);
        if (next_us == TIME_NONE || next_us >= world->simulation->to_us)
            break;
        world->now_us = next_us;
    }
    scheduler_destroy(world->scheduler);
    return code;
}

enum err_code schedule_simulate(const struct schedule_simulation *simulation, struct err *err)
{
    struct world world = {.simulation = simulation, .now_us = simulation->from_us};
    struct db *db = NULL;
    enum err_code code = db_open(":memory:", DB_READ_WRITE, &db, err);
    if (code != ERR_OK)
        return code;
    struct scheduler_options options = {.db = db,
                                        .clock = {world_now, world_now, &world},
                                        .time_zone = simulation->time_zone,
                                        .submit = submit,
                                        .context = &world};
    code = run(&world, &options, err);
    db_close(db);
    return code;
}
