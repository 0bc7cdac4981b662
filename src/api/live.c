/* Live: see live.h. */
#include "api/live.h"

#include "api/api.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const topics[] = {
#define TOPIC(name, doc) name,
#include "api/topic_list.h"
#undef TOPIC
};
enum { TOPIC_COUNT = sizeof(topics) / sizeof(*topics) };

struct live {
    struct api *api;
    uint64_t seq[TOPIC_COUNT];
};

static size_t topic_find(const char *name)
{
    size_t index = 0;
    while (index < TOPIC_COUNT && strcmp(topics[index], name) != 0)
        index++;
    return index;
}

enum err_code live_create(struct api *api, struct live **out, struct err *err)
{
    struct live *live = calloc(1, sizeof(*live));
    if (live == NULL)
        return err_nomem(err, sizeof(*live));
    live->api = api;
    *out = live;
    return ERR_OK;
}

void live_destroy(struct live *live)
{
    free(live);
}

bool live_has_subscribers(const struct live *live, const char *topic)
{
    (void)topic;
    return live != NULL && false;
}

void live_publish(struct live *live, const char *topic, void (*write)(void *context, struct json_writer *out),
                  void *context)
{
    size_t index = topic_find(topic);
    assert(index < TOPIC_COUNT);
    (void)write;
    (void)context;
    if (live != NULL)
        live->seq[index]++;
}

void live_job_changed(struct live *live, const struct job_row *job)
{
    (void)job;
    live_publish(live, "jobs", NULL, NULL);
}

size_t live_client_count(const struct live *live)
{
    (void)live;
    return 0;
}
