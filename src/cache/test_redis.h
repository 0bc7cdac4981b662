/* For tests only: a real redis-server on a free port, with a folder of its own, that can be killed, paused and started
 * again. */
#ifndef ALMANAC_CACHE_TEST_REDIS_H
#define ALMANAC_CACHE_TEST_REDIS_H

#include "base/text.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/socket.h"
#include "os/test_folder.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct test_redis {
    struct test_folder folder;
    struct process process;
    char program[FILE_PATH_BYTES], port_text[8], socket[FILE_PATH_BYTES + 16];
    uint16_t port;
    const char *password; /* "" none */
    bool is_running;
};

/* False when no redis-server is installed. */
static inline bool test_redis_find(char out[FILE_PATH_BYTES])
{
    struct text rest = text_of(getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin"), folder;
    while (text_split(&rest, ':', &folder)) {
        snprintf(out, FILE_PATH_BYTES, "%.*s/redis-server", (int)folder.size_bytes, folder.data);
        if (access(out, X_OK) == 0)
            return true;
    }
    return false;
}

static inline bool test_redis_answers(const struct test_redis *redis)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(redis->port)};
    char answer[64];
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool does = client >= 0 && connect(client, (struct sockaddr *)&where, sizeof where) == 0 &&
                send(client, "PING\r\n", 6, MSG_NOSIGNAL) == 6 && recv(client, answer, sizeof answer, 0) > 0;
    if (client >= 0)
        close(client);
    return does;
}

/* On the port it had before, if any. */
static inline void test_redis_run(struct test_redis *redis)
{
    const char *argv[] = {redis->program,
                          "--port",
                          redis->port_text,
                          "--bind",
                          "127.0.0.1",
                          "--save",
                          "",
                          "--appendonly",
                          "no",
                          "--dir",
                          redis->folder.path,
                          "--logfile",
                          "redis.log",
                          "--unixsocket",
                          redis->socket,
                          "--requirepass",
                          redis->password,
                          NULL};
    struct err err;
    enum err_code code = process_start(argv, &redis->process, &err);
    assert(code == ERR_OK);
    (void)code;
    for (int round = 0; !test_redis_answers(redis); round++) {
        assert(round < 6000);
        usleep(10000);
    }
    redis->is_running = true;
}

static inline bool test_redis_start(struct test_redis *redis, const char *password)
{
    struct err err;
    int socket;
    *redis = (struct test_redis){.password = password};
    if (!test_redis_find(redis->program))
        return false;
    test_folder_create(&redis->folder);
    /* below the ports that the system gives to whoever asks for some port: nobody takes it before Redis does */
    enum err_code code = ERR_BUSY;
    for (int wanted = 20000 + (int)getpid() % 10000; code == ERR_BUSY && wanted < 32000; wanted++)
        code = socket_listen("127.0.0.1", (uint16_t)wanted, &socket, &redis->port, &err);
    assert(code == ERR_OK);
    (void)code;
    close(socket);
    snprintf(redis->port_text, sizeof redis->port_text, "%u", (unsigned)redis->port);
    snprintf(redis->socket, sizeof redis->socket, "%s/redis.sock", redis->folder.path);
    test_redis_run(redis);
    return true;
}

static inline void test_redis_kill(struct test_redis *redis)
{
    struct process_end end;
    if (!redis->is_running)
        return;
    process_signal(&redis->process, SIGKILL);
    bool has_ended = process_wait(&redis->process, 60000, &end);
    assert(has_ended);
    (void)has_ended;
    process_close(&redis->process);
    redis->is_running = false;
}

static inline void test_redis_stop(struct test_redis *redis)
{
    test_redis_kill(redis);
    test_folder_remove(&redis->folder);
}

#endif
