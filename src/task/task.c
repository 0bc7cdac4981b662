/* The list of tasks. */
#include "task/task.h"

#include <string.h>

#define TASK(symbol) extern const struct task task_##symbol;
#include "task/task_list.h"
#undef TASK

static const struct task *const tasks[] = {
#define TASK(symbol) &task_##symbol,
#include "task/task_list.h"
#undef TASK
    NULL,
};

const struct task *task_at(size_t index)
{
    return index < sizeof(tasks) / sizeof(*tasks) ? tasks[index] : NULL;
}

const struct task *task_find(const char *name)
{
    for (size_t i = 0; tasks[i] != NULL; i++) {
        if (strcmp(tasks[i]->name, name) == 0)
            return tasks[i];
    }
    return NULL;
}
