/* Protocol: what server and worker say to each other, docs/protocols/worker.md. One JSON object per line.
 *
 * Writers append one whole line; their texts may hold anything (bad UTF-8 becomes U+FFFD). The reader refuses what is
 * not exactly a message. Threads: values belong to one thread. Memory: a message owns what it points to until
 * protocol_message_release. */
#ifndef ALMANAC_JOB_PROTOCOL_H
#define ALMANAC_JOB_PROTOCOL_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include <stddef.h>
#include <stdint.h>

enum { PROTOCOL_VERSION = 1 };

enum protocol_kind {
    PROTOCOL_HELLO,
    PROTOCOL_PROGRESS,
    PROTOCOL_METRIC,
    PROTOCOL_LOG,
    PROTOCOL_RESULT,
    PROTOCOL_FAILED,
    PROTOCOL_KIND_COUNT
};
const char *protocol_kind_name(enum protocol_kind kind); /* "hello" ... */

struct protocol_message {
    enum protocol_kind kind;
    json_t *root;     /* owns the rest */
    const char *text; /* phase, name of the metric, log line, message of a failure */
    const char *code; /* of a failure: err_name */
    int64_t version;  /* of a hello */
    int64_t pid;      /* of a hello */
    int64_t done, total;
    int64_t step;
    double value;         /* NaN: not a number */
    const json_t *result; /* an object */
};

/* The request, without an end of line. options_json: a JSON object. */
void protocol_write_request(struct buffer *out, const char *task, const char *options_json,
                            const char *data_dir, int64_t job, int64_t attempt);
void protocol_write_hello(struct buffer *out, int64_t pid);
void protocol_write_progress(struct buffer *out, const char *phase, size_t done, size_t total);
void protocol_write_metric(struct buffer *out, const char *name, double value, size_t step);
void protocol_write_log(struct buffer *out, const char *line);
void protocol_write_result(struct buffer *out, const json_t *result);
void protocol_write_failed(struct buffer *out, enum err_code code, const char *message, const char *field);
/* One line without its end. ERR_INVALID: not a message of this version. */
enum err_code protocol_read(const char *line, size_t size_bytes, struct protocol_message *out,
                            struct err *err) CHECKED;
void protocol_message_release(struct protocol_message *message);

#endif
