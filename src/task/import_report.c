/* What a person and a program see of imports. */
#include "task/import.h"

#include "source/issue.h"
#include "store/import_store.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *doc_of(const char *reason)
{
    enum issue_reason found = issue_find(reason);

    return found == ISSUE_COUNT ? "" : issue_doc(found);
}

static bool rejects(const char *reason)
{
    enum issue_reason found = issue_find(reason);

    return found != ISSUE_COUNT && issue_rejects(found);
}

static enum err_code read_totals(struct store *store, struct import_totals **out, struct err *err)
{
    *out = malloc(sizeof **out);
    if (*out == NULL)
        return err_nomem(err, sizeof **out);
    enum err_code code = import_store_totals(store->db, *out, err);
    if (code != ERR_OK) {
        free(*out);
        *out = NULL;
    }
    return code;
}

static void text_place(const struct import_example *example, struct buffer *out)
{
    buffer_printf(out, "      %s", example->path);
    if (example->line > 0 && example->line_last > example->line)
        buffer_printf(out, " lines %" PRId64 "-%" PRId64, example->line, example->line_last);
    else if (example->line > 0)
        buffer_printf(out, " line %" PRId64, example->line);
    if (example->field[0] != '\0')
        buffer_printf(out, ", %s", example->field);
    buffer_printf(out, ": %s\n", example->detail);
}

enum err_code import_report_text(struct store *store, struct buffer *out, struct err *err)
{
    struct import_totals *totals;

    enum err_code code = read_totals(store, &totals, err);
    if (code != ERR_OK)
        return code;
    buffer_printf(out,
                  "files %" PRId64 " (%" PRId64 " could not be read), rows %" PRId64 ", kept %" PRId64
                  "\nstored: %" PRId64 " matches, %" PRId64 " sets of prices, %" PRId64 " teams\n",
                  totals->files, totals->files_failed, totals->rows_read, totals->rows_kept, totals->matches,
                  totals->prices, totals->teams);
    for (size_t index = 0; index < totals->failed_count; index++) {
        buffer_append_text(out, "  could not be read\n");
        text_place(&totals->failed[index], out);
    }
    for (size_t index = 0; index < totals->reason_count; index++) {
        const struct import_reason *reason = &totals->reasons[index];
        buffer_printf(out, "  %9" PRId64 " %-16s %s in %" PRId64 " files: %s\n", reason->count, reason->name,
                      rejects(reason->name) ? "rejected" : "kept", reason->files, doc_of(reason->name));
        for (size_t place = 0; place < reason->example_count; place++)
            text_place(&reason->examples[place], out);
    }
    free(totals);
    return buffer_check(out, "import report", err);
}

static void json_place(const struct import_example *example, struct json_writer *out)
{
    json_begin_object(out);
    json_field_text(out, "file", example->path);
    json_field_i64(out, "line", example->line);
    json_field_i64(out, "line_last", example->line_last);
    json_field_text(out, "field", example->field);
    json_field_text(out, "detail", example->detail);
    json_end_object(out);
}

static void json_reason(const struct import_reason *reason, struct json_writer *out)
{
    json_begin_object(out);
    json_field_text(out, "reason", reason->name);
    json_field_text(out, "doc", doc_of(reason->name));
    json_field_bool(out, "rejects", rejects(reason->name));
    json_field_i64(out, "count", reason->count);
    json_field_i64(out, "files", reason->files);
    json_key(out, "examples");
    json_begin_array(out);
    for (size_t place = 0; place < reason->example_count; place++)
        json_place(&reason->examples[place], out);
    json_end_array(out);
    json_end_object(out);
}

enum err_code import_report_json(struct store *store, struct json_writer *out, struct err *err)
{
    struct import_totals *totals;

    enum err_code code = read_totals(store, &totals, err);
    if (code != ERR_OK)
        return code;
    json_begin_object(out);
    json_field_i64(out, "files", totals->files);
    json_field_i64(out, "files_failed", totals->files_failed);
    json_field_i64(out, "rows_read", totals->rows_read);
    json_field_i64(out, "rows_kept", totals->rows_kept);
    json_field_i64(out, "matches", totals->matches);
    json_field_i64(out, "prices", totals->prices);
    json_field_i64(out, "teams", totals->teams);
    json_key(out, "failed");
    json_begin_array(out);
    for (size_t index = 0; index < totals->failed_count; index++)
        json_place(&totals->failed[index], out);
    json_end_array(out);
    json_key(out, "issues");
    json_begin_array(out);
    for (size_t index = 0; index < totals->reason_count; index++)
        json_reason(&totals->reasons[index], out);
    json_end_array(out);
    json_end_object(out);
    free(totals);
    return buffer_check(out->out, "import report", err);
}

void import_result_text(const struct import_result *result, struct buffer *out)
{
    size_t rejected = 0, repaired = 0;

    for (int reason = 0; reason < ISSUE_COUNT; reason++) {
        if (issue_rejects((enum issue_reason)reason))
            rejected += result->counts[reason];
        else
            repaired += result->counts[reason];
    }
    buffer_printf(
        out,
        "%zu files: %zu imported, %zu unchanged, %zu could not be read; %" PRId64 " matches new, %" PRId64
        " updated, %" PRId64 " sets of prices; %zu rows rejected, %zu values repaired or flagged",
        result->files, result->files_imported, result->files_unchanged, result->files_failed,
        result->saved.matches_new, result->saved.matches_updated, result->saved.prices, rejected, repaired);
}
