/* Payloads, signatures, mails. */
#include "job/notify_message.h"

#include "base/hmac.h"
#include "base/text.h"
#include "base/time.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const events[] = {
#define NOTIFY_EVENT(name, doc) name,
#include "job/notify_event_list.h"
#undef NOTIFY_EVENT
    NULL,
};

const char *notify_event_at(size_t index)
{
    return index < sizeof events / sizeof events[0] ? events[index] : NULL;
}

bool notify_wants(const char *wanted, const char *event)
{
    struct text rest = text_of(wanted), part;
    if (wanted[0] == '\0' || strcmp(event, "test") == 0)
        return true;
    while (text_split(&rest, ',', &part)) {
        if (text_equal(text_trim(part), event))
            return true;
    }
    return false;
}

enum err_code notify_check_events(const char *wanted, struct err *err)
{
    struct text rest = text_of(wanted), part;
    while (rest.size_bytes > 0 && text_split(&rest, ',', &part)) {
        bool known = false;
        part = text_trim(part);
        for (size_t index = 0; events[index] != NULL; index++)
            known = known || text_equal(part, events[index]);
        if (!known)
            return err_set_field(err, ERR_INVALID, "events",
                                 "no event is called '%.*s'; there are completed, failed, drift, promoted",
                                 (int)(part.size_bytes < 40 ? part.size_bytes : 40), part.data);
    }
    return ERR_OK;
}

enum err_code notify_payload(struct db *db, const struct notification_row *row, struct buffer *out,
                             struct err *err)
{
    struct json_writer writer;
    struct buffer data;
    char at[TIME_TEXT_BYTES];
    buffer_init(&data, out->max_bytes);
    enum err_code code = notify_store_data(db, row->id, &data, err);
    if (code == ERR_OK) {
        time_format_iso(row->at_us, at);
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        json_field_i64(&writer, "id", row->id);
        json_field_text(&writer, "event", row->event);
        json_field_text(&writer, "at", at);
        json_key(&writer, "data");
        json_put_raw(&writer, buffer_text(&data), data.size_bytes);
        json_end_object(&writer);
        code = buffer_check(out, "a notification", err);
    }
    buffer_release(&data);
    return code;
}

void notify_sign(const char *secret, int64_t now_us, const char *body, size_t body_bytes,
                 char out[NOTIFY_SIGNATURE_BYTES])
{
    char head[32], hex[HMAC_HEX_BYTES];
    int size = snprintf(head, sizeof head, "%lld.", (long long)(now_us / TIME_SECOND_US));
    hmac_sha256_hex(secret, strlen(secret), head, (size_t)size, body, body_bytes, hex);
    (void)snprintf(out, NOTIFY_SIGNATURE_BYTES, "t=%.*s,v1=%s", size - 1, head, hex);
}

/* ---- words ---- */

static const char *word(const json_t *data, const char *key)
{
    const char *text = json_string_value(json_object_get(data, key));
    return text != NULL ? text : "";
}

/* "E0/1x2/lightgbm", the label of the job, or its task. */
static void name_subject(const json_t *data, char *out, size_t out_bytes)
{
    if (word(data, "subject")[0] != '\0')
        (void)snprintf(out, out_bytes, "%.60s/%.30s/%.30s", word(data, "subject"), word(data, "variant"),
                       word(data, "bot"));
    else
        (void)snprintf(out, out_bytes, "%.100s",
                       word(data, "label")[0] != '\0' ? word(data, "label") : word(data, "task"));
}

void notify_title(const char *event, const json_t *data, char *out, size_t out_bytes)
{
    static const struct {
        const char *event, *words;
    } titles[] = {{"completed", "training completed"},
                  {"failed", "training failed"},
                  {"drift", "drift"},
                  {"promoted", "now in production"},
                  {"test", "test of notifications"}};
    char subject[160];
    const char *words = event;
    for (size_t index = 0; index < sizeof titles / sizeof titles[0]; index++) {
        if (strcmp(titles[index].event, event) == 0)
            words = titles[index].words;
    }
    name_subject(data, subject, sizeof subject);
    (void)snprintf(out, out_bytes, "%s%s%s", words, subject[0] != '\0' ? ": " : "", subject);
}

/* ---- mail ---- */

enum { BASE64_LINE_BYTES = 57, SUBJECT_CHUNK_BYTES = 42 };

static void append_base64(struct buffer *out, const char *data, size_t size_bytes)
{
    char text[sodium_base64_ENCODED_LEN(BASE64_LINE_BYTES, sodium_base64_VARIANT_ORIGINAL)];
    (void)sodium_bin2base64(text, sizeof text, (const unsigned char *)data, size_bytes,
                            sodium_base64_VARIANT_ORIGINAL);
    buffer_append_text(out, text);
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
            return false;
    }
    return true;
}

/* Encoded words (RFC 2047) where a plain line would not do; cut between characters, never inside one. */
static void append_subject(struct buffer *out, const char *title)
{
    if (is_plain(title)) {
        buffer_printf(out, "Subject: [Almanac] %s\r\n", title);
        return;
    }
    buffer_append_text(out, "Subject: [Almanac]");
    for (size_t left = strlen(title); left > 0;) {
        size_t size = left < SUBJECT_CHUNK_BYTES ? left : SUBJECT_CHUNK_BYTES;
        while (size < left && size > 1 && ((unsigned char)title[size] & 0xC0) == 0x80)
            size--;
        buffer_append_text(out, "\r\n =?UTF-8?B?");
        append_base64(out, title, size);
        buffer_append_text(out, "?=");
        title += size;
        left -= size;
    }
    buffer_append_text(out, "\r\n");
}

static void append_date(struct buffer *out, int64_t now_us)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil civil = time_to_civil(now_us, ZONE_UTC);
    int64_t day = time_day_from_civil(civil.year, civil.month, civil.day);
    buffer_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[((day + 4) % 7 + 7) % 7],
                  (int)civil.day, months[civil.month - 1], (int)civil.year, (int)civil.hour,
                  (int)civil.minute, (int)civil.second);
}

static void append_header(struct buffer *out, const struct mail *mail, const char *title, int64_t delivery_id,
                          int64_t now_us)
{
    const char *domain = strchr(mail->from, '@');
    buffer_printf(out, "From: <%s>\r\nTo: ", mail->from);
    for (size_t index = 0; index < mail->to_count; index++)
        buffer_printf(out, "%s<%s>", index > 0 ? ",\r\n " : "", mail->to[index]);
    buffer_append_text(out, "\r\n");
    append_subject(out, title);
    append_date(out, now_us);
    buffer_printf(out, "Message-ID: <almanac.%lld.%lld%s>\r\n", (long long)delivery_id, (long long)now_us,
                  domain != NULL ? domain : "@localhost");
    buffer_append_text(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                            "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n");
}

static void append_value(struct buffer *out, const char *key, const json_t *value)
{
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!json_is_null(value))
        buffer_printf(out, "%-14s %s\n", key, json_is_string(value) ? json_string_value(value) : text);
    free(text);
}

static void write_words(const char *title, const json_t *payload, struct buffer *out)
{
    const json_t *data = json_object_get(payload, "data");
    const char *key;
    json_t *value;
    buffer_printf(out, "%s\n\n", title);
    append_value(out, "event", json_object_get(payload, "event"));
    append_value(out, "at", json_object_get(payload, "at"));
    json_object_foreach((json_t *)data, key, value)
    {
        append_value(out, key, value);
    }
}

enum err_code notify_write_mail(const struct mail *mail, const char *payload, int64_t delivery_id,
                                int64_t now_us, struct buffer *out, struct err *err)
{
    struct buffer words;
    json_t *json = NULL;
    char title[256];
    enum err_code code = json_read(payload, strlen(payload), &json, err);
    if (code != ERR_OK)
        return code;
    buffer_init(&words, out->max_bytes / 2);
    notify_title(word(json, "event"), json_object_get(json, "data"), title, sizeof title);
    write_words(title, json, &words);
    append_header(out, mail, title, delivery_id, now_us);
    for (size_t begin = 0; begin < words.size_bytes; begin += BASE64_LINE_BYTES) {
        size_t left = words.size_bytes - begin;
        append_base64(out, words.data + begin, left < BASE64_LINE_BYTES ? left : BASE64_LINE_BYTES);
        buffer_append_text(out, "\r\n");
    }
    code = buffer_check(&words, "a mail", err);
    if (code == ERR_OK)
        code = buffer_check(out, "a mail", err);
    buffer_release(&words);
    json_decref(json);
    return code;
}
