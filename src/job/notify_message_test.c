/* Payloads, signatures, mails. The signatures were computed by Python's hmac module. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "job/notify_message.h"
#include "os/test_folder.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_signature(void **state)
{
    char text[NOTIFY_SIGNATURE_BYTES];

    (void)state;
    notify_sign("whsec-0123456789", 1700000000 * TIME_SECOND_US + 999999, "{\"id\":1}", 8, text);
    assert_string_equal(text,
                        "t=1700000000,v1=c9acb5a9fd0ecd4db3a2960bb13281de917ad57a4467eea182781c19274f56a5");
}

static void test_wants(void **state)
{
    struct err err = {0};

    (void)state;
    assert_true(notify_wants("", "failed"));
    assert_true(notify_wants("failed,drift", "drift"));
    assert_true(notify_wants(" failed , drift", "failed"));
    assert_false(notify_wants("failed,drift", "promoted"));
    assert_false(notify_wants("failed", "fail"));
    assert_true(notify_wants("failed", "test"));
    assert_int_equal(notify_check_events("", NULL), ERR_OK);
    assert_int_equal(notify_check_events("completed,failed,drift,promoted", NULL), ERR_OK);
    assert_int_equal(notify_check_events("failed,drift, ,", NULL), ERR_INVALID);
    assert_int_equal(notify_check_events("test", &err), ERR_INVALID);
    assert_string_equal(err.field, "events");
}

static void check_title(const char *event, const char *data, const char *expected)
{
    char text[256];
    json_t *json = NULL;

    assert_int_equal(json_read(data, strlen(data), &json, NULL), ERR_OK);
    notify_title(event, json, text, sizeof text);
    assert_string_equal(text, expected);
    json_decref(json);
}

static void test_title(void **state)
{
    (void)state;
    check_title("completed", "{\"subject\":\"E0\",\"variant\":\"1x2\",\"bot\":\"lightgbm\"}",
                "training completed: E0/1x2/lightgbm");
    check_title("failed", "{\"subject\":null,\"label\":\"E0 1x2\",\"task\":\"train\"}",
                "training failed: E0 1x2");
    check_title("failed", "{\"label\":\"\",\"task\":\"train\"}", "training failed: train");
    check_title("test", "{}", "test of notifications");
}

static struct mail make_mail(void)
{
    struct mail mail = {.from = "almanac@example.org"};

    assert_int_equal(mail_read_recipients("ann@example.org, bob@example.org", &mail, NULL), ERR_OK);
    return mail;
}

/* No line is longer than a mail may have, none ends in a bare CR or LF, and nothing of the data reaches the header raw. */
static void check_lines(const struct buffer *text)
{
    size_t length = 0;

    for (size_t i = 0; i < text->size_bytes; i++) {
        if (text->data[i] == '\n')
            assert_true(i > 0 && text->data[i - 1] == '\r');
        if (text->data[i] == '\r')
            assert_int_equal(text->data[i + 1], '\n');
        length = text->data[i] == '\n' ? 0 : length + 1;
        assert_true(length <= 78 + 1 && (unsigned char)text->data[i] < 128);
    }
}

static void test_mail(void **state)
{
    static const char payload[] =
        "{\"id\":3,\"event\":\"failed\",\"at\":\"2026-03-01T12:00:00Z\",\"data\":"
        "{\"label\":\"E0\\r\\nBcc: all@example.org\",\"error\":\"caf\xC3\xA9\",\"n\":4}}";
    struct mail mail = make_mail();
    struct buffer text;

    (void)state;
    buffer_init(&text, 1 << 16);
    assert_int_equal(notify_write_mail(&mail, payload, 9, 1772366400 * TIME_SECOND_US, &text, NULL), ERR_OK);
    check_lines(&text);
    assert_non_null(
        strstr(text.data, "From: <almanac@example.org>\r\nTo: <ann@example.org>,\r\n <bob@example.org>\r\n"));
    assert_non_null(strstr(text.data, "Date: Sun, 1 Mar 2026 12:00:00 +0000\r\n"));
    assert_non_null(strstr(text.data, "Message-ID: <almanac.9.1772366400000000@example.org>\r\n"));
    assert_non_null(strstr(text.data, "Subject: [Almanac]\r\n =?UTF-8?B?"));
    assert_null(strstr(text.data, "Bcc"));
    buffer_release(&text);
}

static void test_recipients(void **state)
{
    static const char *const bad[] = {"nobody", "@b",     "a@", "a b@c", "a@b\r\nRCPT TO:<x>",
                                      "<a@b>",  "a@b;c@d"};
    struct mail mail;

    (void)state;
    assert_int_equal(mail_read_recipients(" a@b ,, c@d,", &mail, NULL), ERR_OK);
    assert_int_equal(mail.to_count, 2);
    assert_string_equal(mail.to[1], "c@d");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mail_read_recipients(bad[i], &mail, NULL), ERR_INVALID);
    assert_int_equal(mail_read_recipients(
                         "a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b,a@b", &mail, NULL),
                     ERR_INVALID);
}

static void test_payload(void **state)
{
    struct test_folder folder;
    struct store store;
    struct notification_row row;
    struct buffer text;
    int64_t id = 0;

    (void)state;
    test_folder_create(&folder);
    assert_int_equal(store_open(folder.path, DB_READ_WRITE, &store, NULL), ERR_OK);
    assert_int_equal(notify_store_add(store.db, "drift", "{\"a\":1}", "once", 0, 0, &id, NULL), ERR_OK);
    assert_int_equal(id, 1);
    assert_int_equal(notify_store_add(store.db, "drift", "{\"a\":2}", "once", 0, 0, &id, NULL), ERR_OK);
    assert_int_equal(id, 0); /* told already */
    assert_int_equal(notify_store_next(store.db, &row, NULL), ERR_OK);
    buffer_init(&text, 1 << 16);
    assert_int_equal(notify_payload(store.db, &row, &text, NULL), ERR_OK);
    assert_string_equal(buffer_text(&text),
                        "{\"id\":1,\"event\":\"drift\",\"at\":\"1970-01-01T00:00:00Z\",\"data\":{\"a\":1}}");
    buffer_release(&text);
    store_close(&store);
    test_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature), cmocka_unit_test(test_wants),      cmocka_unit_test(test_title),
        cmocka_unit_test(test_mail),      cmocka_unit_test(test_recipients), cmocka_unit_test(test_payload),
    };

    return cmocka_run_group_tests_name("notify message", tests, NULL, NULL);
}
