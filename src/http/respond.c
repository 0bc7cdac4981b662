/* What handlers fill responses with: the one error shape (see http_respond_error in router.h), further headers. */
#include "base/json.h"
#include "http/router.h"

#include <assert.h>

void http_response_header(struct http_response *response, const char *name, const char *value)
{
    assert(response->header_count < HTTP_RESPONSE_HEADERS);
    response->headers[response->header_count++] = (struct http_header){name, value};
}

void http_respond_error(struct http_response *response, const struct err *err)
{
    struct json_writer writer;
    assert(err->code != ERR_OK);
    buffer_clear(&response->body);
    response->status = err_http_status(err->code);
    response->content_type = "application/json";
    response->stream = NULL;
    response->deferred = NULL;
    response->borrowed = NULL;
    response->header_count = 0;
    response->attachment[0] = response->accept[0] = '\0';
    json_writer_init(&writer, &response->body);
    json_begin_object(&writer);
    json_key(&writer, "error");
    json_begin_object(&writer);
    json_field_text(&writer, "code", err_name(err->code));
    json_field_text(&writer, "message", err->text);
    json_field_text(&writer, "field", err->field[0] == '\0' ? NULL : err->field);
    json_end_object(&writer);
    json_end_object(&writer);
}
