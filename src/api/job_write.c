/* The objects Job and Queue as JSON, and what the headers of a request say about an order: shared by all routes that start or
 * show jobs. */
#include "api/api.h"

#include "base/time.h"

#include <string.h>

enum err_code api_read_who(const struct http_request *request, const char **out, struct err *err)
{
    const char *who = http_request_header(request, "X-Almanac-Who");
    *out = "api";
    if (who == NULL || who[0] == '\0')
        return ERR_OK;
    size_t size = strlen(who);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)who[i] < ' ' || (unsigned char)who[i] > '~')
            return err_set_field(err, ERR_INVALID, "X-Almanac-Who",
                                 "the name has a character that is not printable");
    }
    if (size >= JOB_WHO_BYTES)
        return err_set_field(err, ERR_INVALID, "X-Almanac-Who", "the name is longer than %d bytes",
                             JOB_WHO_BYTES - 1);
    *out = who;
    return ERR_OK;
}

enum err_code api_order_from(const struct http_request *request, struct job_order *out, struct err *err)
{
    *out = (struct job_order){.key = http_request_header(request, "Idempotency-Key")};
    return api_read_who(request, &out->who, err);
}

static void write_after(struct json_writer *out, const struct api *api, int64_t id)
{
    int64_t after[JOB_AFTER_MAX];
    size_t count = 0;
    if (job_store_after(api->store->db, id, after, &count, NULL) != ERR_OK)
        count = 0;
    json_key(out, "after");
    json_begin_array(out);
    for (size_t i = 0; i < count; i++)
        json_put_i64(out, after[i]);
    json_end_array(out);
}

static void write_progress(struct json_writer *out, const struct job_row *job)
{
    json_field_text_or_null(out, "phase", job->phase);
    json_field_i64(out, "done", job->progress_done);
    json_field_i64(out, "total", job->progress_total);
    json_field_seconds(out, "eta_s", job->eta_us);
    json_field_i64(out, "epoch", job->epoch);
    json_field_i64(out, "epochs", job->epochs);
    json_field_f64(out, "loss", job->loss);
    json_field_f64(out, "best_loss", job->best);
    json_field_bool(out, "warning", job->has_warning);
    json_field_text_or_null(out, "error", job->error);
}

void api_write_job(struct json_writer *out, const struct api *api, const struct job_row *job)
{
    json_begin_object(out);
    json_field_i64(out, "id", job->id);
    json_field_text(out, "task", job->task);
    json_field_text(out, "label", job->label[0] != '\0' ? job->label : job->task);
    json_field_text(out, "queue", job->queue);
    json_field_text(out, "state", job_state_name(job->state));
    json_field_id(out, "pid", job->pid);
    json_field_i64(out, "priority", job->priority);
    json_field_i64(out, "attempt", job->attempt);
    json_field_i64(out, "max_attempts", job->max_attempts);
    json_field_text_or_null(out, "key", job->key);
    json_field_text_or_null(out, "who", job->who);
    json_field_text_or_null(out, "batch", job->batch);
    write_after(out, api, job->id);
    json_field_time(out, "created_at", job->created_us);
    json_field_time(out, "not_before", job->not_before_us);
    json_field_time(out, "started_at", job->started_us);
    json_field_time(out, "ended_at", job->ended_us);
    write_progress(out, job);
    json_end_object(out);
}

void api_write_queue(struct json_writer *out, const struct queue_status *status)
{
    json_begin_object(out);
    json_field_text(out, "name", status->name);
    json_field_bool(out, "is_running", status->is_running);
    json_field_bool(out, "is_paused", status->is_paused);
    json_field_bool(out, "is_stopping", status->is_stopping);
    json_field_i64(out, "queued", (int64_t)status->queued);
    json_field_i64(out, "running", (int64_t)status->running);
    json_field_i64(out, "completed", status->completed);
    json_field_i64(out, "failed", status->failed);
    json_field_i64(out, "stopped", status->stopped);
    json_field_id(out, "current", status->current);
    json_field_seconds(out, "eta_s", status->eta_us);
    json_field_i64(out, "parallel", (int64_t)status->parallel);
    json_field_text_or_null(out, "paused_by", status->paused_by);
    json_field_time(out, "paused_at", status->paused_us);
    json_end_object(out);
}

void api_answer_job(const struct api *api, const struct job_row *job, struct http_response *response)
{
    struct json_writer out;
    response->status = 202;
    json_writer_init(&out, &response->body);
    json_begin_object(&out);
    json_field_i64(&out, "job_id", job->id);
    json_field_id(&out, "pid", job->pid);
    json_key(&out, "job");
    api_write_job(&out, api, job);
    json_end_object(&out);
}
