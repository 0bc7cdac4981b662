/* Sockets: where one can listen, and what the other end sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listening;
static uint16_t port;

static int set_up(void **state)
{
    (void)state;
    return socket_listen("127.0.0.1", 0, &listening, &port, NULL) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close(listening);
    return 0;
}

static enum err_code listen_on(const char *address, uint16_t wanted, struct err *err)
{
    int descriptor;
    uint16_t got;
    enum err_code code = socket_listen(address, wanted, &descriptor, &got, err);
    if (code == ERR_OK) {
        assert_true(got != 0);
        close(descriptor);
    }
    return code;
}

static void addresses_are_digits_or_localhost(void **state)
{
    struct err err;
    (void)state;
    assert_int_equal(listen_on("localhost", 0, &err), ERR_OK);
    assert_int_equal(listen_on("0.0.0.0", 0, &err), ERR_OK);
    assert_int_equal(listen_on("example.com", 0, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "'example.com'"));
    assert_int_equal(listen_on("", 0, &err), ERR_INVALID);
    assert_int_equal(listen_on("127.0.0.1:80", 0, &err), ERR_INVALID);
    assert_int_equal(listen_on("192.0.2.1", 0, &err), ERR_INVALID); /* TEST-NET-1: nobody's */
}

static void a_taken_port_is_busy(void **state)
{
    struct err err;
    char text[32];
    (void)state;
    assert_int_equal(listen_on("127.0.0.1", port, &err), ERR_BUSY);
    (void)snprintf(text, sizeof text, "port %u:", (unsigned)port);
    assert_non_null(strstr(err.text, text));
}

static void ends_are_seen(void **state)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct pollfd wait = {.events = POLLIN};
    char byte;
    (void)state;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&where, sizeof where), 0);
    wait.fd = listening;
    assert_int_equal(poll(&wait, 1, 5000), 1);
    int server = accept(listening, NULL, NULL);
    assert_true(server >= 0);
    socket_keep_alive(server);
    assert_false(socket_is_ended(server)); /* silent */
    assert_int_equal(send(client, "x", 1, 0), 1);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    wait.fd = server;
    assert_int_equal(poll(&wait, 1, 5000), 1);
    assert_false(socket_is_ended(server)); /* ended, but a byte is left */
    assert_int_equal(recv(server, &byte, 1, 0), 1);
    assert_int_equal(poll(&wait, 1, 5000), 1);
    assert_true(socket_is_ended(server));
    socket_cut(server);
    assert_int_equal(recv(client, &byte, 1, 0), 0);
    close(server);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addresses_are_digits_or_localhost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_taken_port_is_busy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_are_seen, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
