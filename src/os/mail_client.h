/* Mail: one message to an SMTP server (libcurl), blocking, for pool threads. A password is sent over TLS only, except to a
 * loopback address. Threads: any. */
#ifndef ALMANAC_OS_MAIL_CLIENT_H
#define ALMANAC_OS_MAIL_CLIENT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAIL_RECIPIENTS_MAX = 16, MAIL_ADDRESS_BYTES = 256 };

struct mail {
    const char *url; /* smtp://host[:port] (TLS where the server offers it) or smtps://host[:port] */
    const char *user, *password; /* "" none */
    const char *from;
    char to[MAIL_RECIPIENTS_MAX][MAIL_ADDRESS_BYTES];
    size_t to_count;
    const char *message; /* header and body as sent, lines end with CR LF */
    size_t message_bytes;
    int64_t total_ms;                  /* 0: 30 s */
    bool (*is_stopped)(void *context); /* as http_call */
    void *context;
};
/* ERR_OK: the server has taken it. status: its last reply, 0 none. ERR_IO: no server, or it refused; ERR_INVALID: the
 * address of the server is none; ERR_CANCELLED. */
enum err_code mail_send(const struct mail *mail, int *out_status, struct err *err) CHECKED;
/* "a@b, c@d" into mail->to. ERR_INVALID: an address without '@', with blanks or control characters; too many. */
enum err_code mail_read_recipients(const char *text, struct mail *mail, struct err *err) CHECKED;
enum err_code mail_check_address(const char *address, struct err *err) CHECKED;
enum err_code mail_check_url(const char *url, struct err *err) CHECKED;

#endif
