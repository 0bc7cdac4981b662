/* Every message there and back, and what is refused. The texts are those of docs/protocols/worker.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job/protocol.h"

#include <math.h>
#include <string.h>

static void check_text(struct buffer *out, const char *expected)
{
    assert_string_equal(buffer_text(out), expected);
    buffer_clear(out);
}

static void test_texts(void **state)
{
    struct buffer out;

    (void)state;
    buffer_init(&out, 4096);
    protocol_write_request(&out, "train", "{\"league\":\"E0\"}", "almanac-data", 7, 2);
    check_text(&out, "{\"task\":\"train\",\"options\":{\"league\":\"E0\"},\"data_dir\":\"almanac-data\","
                     "\"job\":7,\"attempt\":2}");
    protocol_write_hello(&out, 4711);
    check_text(&out, "{\"type\":\"hello\",\"version\":1,\"pid\":4711}\n");
    protocol_write_progress(&out, "building features", 240000, 480000);
    check_text(&out,
               "{\"type\":\"progress\",\"phase\":\"building features\",\"done\":240000,\"total\":480000}\n");
    protocol_write_metric(&out, "log_loss", 0.9875, 3);
    check_text(&out, "{\"type\":\"metric\",\"name\":\"log_loss\",\"value\":0.9875,\"step\":3}\n");
    protocol_write_metric(&out, "log_loss", NAN, 4);
    check_text(&out, "{\"type\":\"metric\",\"name\":\"log_loss\",\"value\":null,\"step\":4}\n");
    protocol_write_log(&out, "two\nlines \xFF");
    check_text(&out, "{\"type\":\"log\",\"line\":\"two\\nlines \xEF\xBF\xBD\"}\n");
    protocol_write_failed(&out, ERR_NOT_FOUND, "there is no league 'XX'", "league");
    check_text(
        &out, "{\"type\":\"failed\",\"code\":\"not_found\",\"message\":\"there is no league 'XX'\",\"field\":"
              "\"league\"}\n");
    buffer_release(&out);
}

static struct protocol_message read_back(const struct buffer *out)
{
    struct protocol_message message;
    struct err err = {0};

    assert_int_equal(out->data[out->size_bytes - 1], '\n');
    assert_ptr_equal(memchr(out->data, '\n', out->size_bytes), out->data + out->size_bytes - 1);
    assert_int_equal(protocol_read(out->data, out->size_bytes - 1, &message, &err), ERR_OK);
    return message;
}

static void test_there_and_back(void **state)
{
    struct buffer out;
    struct protocol_message message;
    json_t *result = json_pack("{s:i, s:s}", "answer", 42, "text", "a\nb");

    (void)state;
    buffer_init(&out, 4096);
    protocol_write_hello(&out, 12);
    message = read_back(&out);
    assert_int_equal(message.kind, PROTOCOL_HELLO);
    assert_int_equal(message.version, PROTOCOL_VERSION);
    assert_int_equal(message.pid, 12);
    protocol_message_release(&message);
    buffer_clear(&out);

    protocol_write_progress(&out, "phase \"one\"", 3, 4);
    message = read_back(&out);
    assert_int_equal(message.kind, PROTOCOL_PROGRESS);
    assert_string_equal(message.text, "phase \"one\"");
    assert_int_equal(message.done, 3);
    assert_int_equal(message.total, 4);
    protocol_message_release(&message);
    buffer_clear(&out);

    protocol_write_metric(&out, "m", NAN, 9);
    message = read_back(&out);
    assert_int_equal(message.kind, PROTOCOL_METRIC);
    assert_true(isnan(message.value));
    assert_int_equal(message.step, 9);
    protocol_message_release(&message);
    buffer_clear(&out);

    protocol_write_result(&out, result);
    message = read_back(&out);
    assert_int_equal(message.kind, PROTOCOL_RESULT);
    assert_true(json_equal(message.result, result));
    protocol_message_release(&message);
    buffer_clear(&out);

    protocol_write_failed(&out, ERR_CANCELLED, "stopped", "");
    message = read_back(&out);
    assert_int_equal(message.kind, PROTOCOL_FAILED);
    assert_string_equal(message.code, "cancelled");
    assert_string_equal(message.text, "stopped");
    protocol_message_release(&message);
    buffer_release(&out);
    json_decref(result);
}

static void test_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"type\":1}",
        "{\"type\":\"goodbye\"}",
        "{\"type\":\"hello\",\"version\":1}",
        "{\"type\":\"hello\",\"version\":-1,\"pid\":1}",
        "{\"type\":\"hello\",\"version\":1,\"pid\":1,\"more\":1}",
        "{\"type\":\"progress\",\"phase\":\"a\",\"done\":-1,\"total\":2}",
        "{\"type\":\"progress\",\"phase\":\"a\",\"done\":1.5,\"total\":2}",
        "{\"type\":\"progress\",\"done\":1,\"total\":2}",
        "{\"type\":\"metric\",\"name\":\"a\",\"value\":\"b\",\"step\":2}",
        "{\"type\":\"log\"}",
        "{\"type\":\"log\",\"line\":null}",
        "{\"type\":\"result\"}",
        "{\"type\":\"result\",\"result\":[]}",
        "{\"type\":\"failed\",\"code\":\"invalid\"}",
        "{\"type\":\"log\",\"line\":\"a\"} trailing",
        "{\"type\":\"log\",\"line\":\"\xFF\"}",
    };

    (void)state;
    for (size_t index = 0; index < sizeof lines / sizeof lines[0]; index++) {
        struct protocol_message message;
        struct err err = {0};
        assert_int_equal(protocol_read(lines[index], strlen(lines[index]), &message, &err), ERR_INVALID);
        assert_true(err.text[0] != '\0');
        assert_null(message.root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
