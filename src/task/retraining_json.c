/* Auto-retraining as JSON: see retraining_json.h. */
#include "task/retraining_json.h"

void retraining_write_settings(struct json_writer *out, const struct performance_options *options)
{
    json_field_f64(out, "drift_threshold", options->monitor.drift_threshold);
    json_field_f64(out, "performance_threshold", options->monitor.performance_threshold);
    json_field_f64(out, "false_alarm_rate", options->monitor.rate);
    json_field_i64(out, "horizon_matches", options->monitor.horizon);
    json_field_i64(out, "cooldown_h", options->cooldown_h);
}

void retraining_write_event(struct json_writer *out, const struct retraining_event *event)
{
    json_field_i64(out, "id", event->id);
    json_field_time(out, "at", event->at_us);
    json_field_text(out, "trigger", event->cause);
    json_field_text(out, "subject", event->model.subject);
    json_field_text(out, "variant", event->model.variant);
    json_field_text(out, "bot", event->model.bot);
    json_field_text(out, "version", event->model.version);
    json_field_text(out, "decision", event->decision);
    json_field_text(out, "reason", event->reason);
    json_field_id(out, "job_id", event->job_id);
}
