/* Connector: asking a source over HTTP, politely. One run asks for some resources in turn; each is asked for at most so many
 * times a minute, with the validators of what is stored, again after a failure that may pass, and no more in this run once the
 * source has said that it is too much (429). What a run remembers for the next one is written with what it brought.
 *
 * Invariant: the key is in the request only: not in errors, results, logs or the store.
 * Threads: a connector belongs to one thread. */
#ifndef ALMANAC_TASK_CONNECTOR_H
#define ALMANAC_TASK_CONNECTOR_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "store/connector_store.h"
#include "store/team_names.h"
#include "task/task.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the program's settings (cli/settings.c). A key of "": that source is off. */
struct connector_settings {
    char odds_api_url[512], odds_api_key[256];
    char football_data_org_url[512], football_data_org_token[256];
    int64_t odds_api_per_minute, football_data_org_per_minute; /* requests */
    int64_t connector_retries, connector_timeout_ms, connector_retry_ms;
};

/* What makes one source other than another. */
struct connector_source {
    const char *name;    /* in the store, "odds" */
    const char *title;   /* in sentences, "The Odds API" */
    const char *setting; /* that turns it on, "odds_api_key" */
    const char *header;  /* that carries the key, NULL: the query parameter does */
    const char *parameter;
    bool is_tiered; /* 403 means that this resource is not in the plan, not that the key is wrong */
};

enum { CONNECTOR_NOTE_BYTES = 256, CONNECTOR_ANSWERS = 128 };

struct connector {
    const struct connector_source *source;
    struct task_context *task;
    const char *url, *key;
    int64_t per_minute, retries, timeout_ms, retry_ms;
    struct connector_row row;
    int64_t began_us; /* monotonic */
    size_t requests, repeated, unchanged, not_offered;
    struct connector_answer answers[CONNECTOR_ANSWERS]; /* to be kept */
    size_t answer_count;
    char note[CONNECTOR_NOTE_BYTES]; /* why it was skipped or cut short; "" */
    bool is_skipped;                 /* nothing may be asked now */
};

enum connector_outcome {
    CONNECTOR_NEW,         /* body holds the answer */
    CONNECTOR_UNCHANGED,   /* 304: what is stored is still so */
    CONNECTOR_NOT_OFFERED, /* the source does not have it, or not for this key */
    CONNECTOR_TOO_MUCH     /* ask no more in this run; note says why */
};

/* Ready to ask, or is_skipped with a note (off, asked to wait). settings NULL: everything is off. ERR_INVALID: the key or the
 * address cannot be one. */
enum err_code connector_open(struct connector *connector, const struct connector_source *source,
                             struct task_context *task, const char *url, const char *key, int64_t per_minute,
                             struct err *err) CHECKED;
/* path: from the host on, with its query ("/v4/..."); resource: what it is called in the store. Errors name the source and
 * the resource. ERR_IO after the last try, ERR_UNAUTHORIZED, ERR_CANCELLED. *out_answer (may be NULL) receives the entry of
 * `answers` of a new answer: a caller that cannot use all of it forgets its validators (connector_forget). */
enum err_code connector_get(struct connector *connector, const char *resource, const char *path,
                            struct buffer *body, enum connector_outcome *out,
                            struct connector_answer **out_answer, struct err *err) CHECKED;
/* The next run asks for all of it again. NULL is allowed. */
void connector_forget(struct connector_answer *answer);

/* ---- result and commit ---- */

/* Members of the result that all connectors have; outcome "skipped" when is_skipped. payload: JSON for the commit, kept
 * beside the result (a file of the job's folder, else inside); NULL: none. */
enum err_code connector_write_result(const struct connector *connector, const struct buffer *payload,
                                     struct json_writer *out, struct err *err) CHECKED;
/* The commit of a connector's task: `keep` stores what was fetched (payload NULL: nothing), validators and waiting times with
 * it, all in one transaction; nothing when nothing was asked. salt: begins the name of the change. */
enum err_code connector_commit(struct store *store, const json_t *result,
                               enum err_code (*keep)(struct db *db, const json_t *payload, struct err *err),
                               const char *salt, struct err *err) CHECKED;

/* ---- names ---- */

/* The names of a league's teams as of now. Those of a country serve all its leagues, which stand together in the list: *names
 * stays while *country (-1 at the start) does. The caller closes it. */
enum err_code connector_names(struct task_context *context, const char *league, int64_t now_us, int *country,
                              struct team_names **names, struct err *err) CHECKED;

enum { CONNECTOR_LISTED = 100 };
struct connector_list {
    struct buffer text; /* a JSON array without its end */
    struct json_writer out;
    size_t count; /* all; the first CONNECTOR_LISTED are listed */
};
void connector_list_begin(struct connector_list *list);
void connector_list_add(struct connector_list *list, const char *league, const char *name, const char *more);
/* Members <name> (the array) and <name>_count; releases the list. */
void connector_list_end(struct connector_list *list, const char *name, struct json_writer *out);

#endif
