/* Mail over libcurl's SMTP. */
#include "os/mail_client.h"

#include "base/text.h"
#include "os/http_client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MS = 5000, TOTAL_MS = 30000 };

struct sending {
    const struct mail *mail;
    size_t sent_bytes;
    bool is_stopped;
};

static size_t give(char *data, size_t size, size_t count, void *context)
{
    struct sending *sending = context;
    size_t left = sending->mail->message_bytes - sending->sent_bytes, room = size * count,
           taken = left < room ? left : room;
    memcpy(data, sending->mail->message + sending->sent_bytes, taken);
    sending->sent_bytes += taken;
    return taken;
}

static int look(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct sending *sending = context;
    const struct mail *mail = sending->mail;
    (void)a, (void)b, (void)c, (void)d;
    if (mail->is_stopped != NULL && mail->is_stopped(mail->context))
        sending->is_stopped = true;
    return sending->is_stopped ? 1 : 0;
}

static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           strncasecmp(host, "localhost", 9) == 0;
}

enum err_code mail_check_url(const char *url, struct err *err)
{
    if ((strncmp(url, "smtp://", 7) == 0 && url[7] != '\0') ||
        (strncmp(url, "smtps://", 8) == 0 && url[8] != '\0'))
        return ERR_OK;
    return err_set_field(err, ERR_INVALID, "smtp_url",
                         "a mail server is smtp://host:port or smtps://host:port");
}

/* What could end a line of the protocol or of a header is refused here, once for all. */
enum err_code mail_check_address(const char *address, struct err *err)
{
    size_t size = strlen(address);
    const char *at = strchr(address, '@');
    bool ok = size < MAIL_ADDRESS_BYTES && at != NULL && at != address && at[1] != '\0';
    for (size_t index = 0; ok && index < size; index++)
        ok = (unsigned char)address[index] > ' ' && address[index] != 0x7f &&
             strchr("<>,;\"\\", address[index]) == NULL;
    return ok ? ERR_OK : err_set(err, ERR_INVALID, "'%.80s' is no mail address", address);
}

enum err_code mail_read_recipients(const char *text, struct mail *mail, struct err *err)
{
    struct text rest = text_of(text), part;
    mail->to_count = 0;
    while (text_split(&rest, ',', &part)) {
        part = text_trim(part);
        if (part.size_bytes == 0)
            continue;
        if (mail->to_count == MAIL_RECIPIENTS_MAX)
            return err_set(err, ERR_INVALID, "at most %d addresses take mail", MAIL_RECIPIENTS_MAX);
        char *address = mail->to[mail->to_count];
        if (!text_copy(part, address, MAIL_ADDRESS_BYTES))
            return err_set(err, ERR_INVALID, "'%.80s...' is no mail address", address);
        enum err_code code = mail_check_address(address, err);
        if (code != ERR_OK)
            return code;
        mail->to_count++;
    }
    return ERR_OK;
}

static void set_options(CURL *curl, const struct mail *mail, struct sending *sending,
                        struct curl_slist *recipients)
{
    bool has_password = mail->password != NULL && mail->password[0] != '\0';
    (void)curl_easy_setopt(curl, CURLOPT_URL, mail->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(mail->total_ms > 0 ? mail->total_ms : TOTAL_MS));
    (void)curl_easy_setopt(curl, CURLOPT_USE_SSL,
                           has_password && !is_loopback(mail->url) ? (long)CURLUSESSL_ALL
                                                                   : (long)CURLUSESSL_TRY);
    if (mail->user != NULL && mail->user[0] != '\0')
        (void)curl_easy_setopt(curl, CURLOPT_USERNAME, mail->user);
    if (has_password)
        (void)curl_easy_setopt(curl, CURLOPT_PASSWORD, mail->password);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, mail->from);
    (void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    (void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    (void)curl_easy_setopt(curl, CURLOPT_READDATA, sending);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, sending);
}

static enum err_code send_to(CURL *curl, const struct mail *mail, struct curl_slist *recipients,
                             int *out_status, struct err *err)
{
    struct sending sending = {.mail = mail};
    long status = 0;
    set_options(curl, mail, &sending, recipients);
    CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *out_status = (int)status;
    if (code == CURLE_OK)
        return ERR_OK;
    if (sending.is_stopped)
        return err_set(err, ERR_CANCELLED, "sending mail was broken off");
    return err_set(err, ERR_IO, "the mail server did not take the mail: %s", curl_easy_strerror(code));
}

enum err_code mail_send(const struct mail *mail, int *out_status, struct err *err)
{
    struct curl_slist *recipients = NULL;
    *out_status = 0;
    http_client_start();
    enum err_code code = mail_check_url(mail->url, err);
    if (code != ERR_OK)
        return code;
    for (size_t index = 0; code == ERR_OK && index < mail->to_count; index++) {
        struct curl_slist *longer = curl_slist_append(recipients, mail->to[index]);
        if (longer == NULL)
            code = err_nomem(err, MAIL_ADDRESS_BYTES);
        else
            recipients = longer;
    }
    CURL *curl = code == ERR_OK ? curl_easy_init() : NULL;
    if (code == ERR_OK)
        code = curl != NULL ? send_to(curl, mail, recipients, out_status, err) : err_nomem(err, 0);
    if (curl != NULL)
        curl_easy_cleanup(curl);
    curl_slist_free_all(recipients);
    return code;
}
