/* Redis tier: see redis_tier.h.
 *
 * hiredis connects, writes commands down as bytes and takes answers apart; sending and waiting are done here, because its
 * own time-out counts every piece of an answer anew and its writes raise SIGPIPE. A call has one deadline for all of it:
 * the turn at the connection, connecting, sending, and the whole answer. (A host name is looked up by the system's resolver,
 * which has time-outs of its own: give an address, or a name of the hosts file.)
 * After a failure the connection is closed, for half an answer could be mistaken for the next one, and the tier rests:
 * REST_MIN_MS, then twice as long each time up to REST_MAX_MS. A connection that the server closed while nothing was asked
 * (it was restarted) is opened again at once, and the command given again: every command here may be given twice. */
#include "cache/redis_tier.h"

#include "base/log.h"
#include "base/text.h"
#include "cache/redis_address.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    REST_MIN_MS = 200,
    REST_MAX_MS = 10000,
    KEYS_MAX = 1024, /* of one command */
    ANSWERS_AT_ONCE_COUNT = 512
};

struct redis_tier {
    struct redis_address address;
    char *prefix;
    size_t prefix_bytes;
    int64_t timeout_ms;
    struct clock clock;
    pthread_mutex_t lock;   /* guards is_busy only, never held for long */
    pthread_cond_t is_free; /* waited for by the monotonic clock */
    bool is_busy;           /* somebody has the turn; what follows is theirs */
    redisContext *link;     /* NULL: not connected */
    bool is_resting;
    int64_t retry_us;                              /* when resting */
    int64_t rest_ms;                               /* of the next rest */
    _Atomic uint64_t hits, misses, writes, errors; /* read by any thread at any time */
    atomic_bool is_connected;
};

/* ---- life ---- */

static void init_turns(struct redis_tier *tier)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&tier->is_free, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&tier->lock, NULL);
}

enum err_code redis_tier_create(const char *url, const char *prefix, int64_t timeout_ms, struct clock clock,
                                struct redis_tier **out, struct err *err)
{
    assert(timeout_ms > 0);
    struct redis_tier *tier = calloc(1, sizeof(*tier));
    if (tier == NULL)
        return err_nomem(err, sizeof(*tier));
    init_turns(tier);
    tier->timeout_ms = timeout_ms;
    tier->clock = clock;
    tier->rest_ms = REST_MIN_MS;
    tier->prefix_bytes = strlen(prefix);
    tier->prefix = strdup(prefix);
    enum err_code code = tier->prefix == NULL ? err_nomem(err, tier->prefix_bytes)
                                              : redis_address_parse(url, &tier->address, err);
    if (code != ERR_OK) {
        redis_tier_destroy(tier);
        return code;
    }
    *out = tier;
    return ERR_OK;
}

void redis_tier_destroy(struct redis_tier *tier)
{
    if (tier == NULL)
        return;
    if (tier->link != NULL)
        redisFree(tier->link);
    (void)pthread_cond_destroy(&tier->is_free);
    (void)pthread_mutex_destroy(&tier->lock);
    explicit_bzero(tier->address.password, sizeof(tier->address.password));
    free(tier->prefix);
    free(tier);
}

/* ---- one command, by whoever has the turn ---- */

struct turn {
    struct redis_tier *tier;
    int64_t deadline_us; /* of the real clock: sockets do not wait in simulated time */
    char why[160];       /* of a failure */
    bool is_closed;      /* the failure is that the server has closed */
};

/* False when others keep the connection busy beyond the deadline; then end_turn is not called. */
static bool take_turn(struct redis_tier *tier, struct turn *turn)
{
    struct timespec until;
    *turn = (struct turn){.tier = tier, .deadline_us = clock_monotonic_us() + tier->timeout_ms * 1000};
    until.tv_sec = turn->deadline_us / 1000000;
    until.tv_nsec = turn->deadline_us % 1000000 * 1000;
    int failure = 0;
    (void)pthread_mutex_lock(&tier->lock);
    while (tier->is_busy && failure == 0)
        failure = pthread_cond_timedwait(&tier->is_free, &tier->lock, &until);
    bool is_mine = !tier->is_busy;
    tier->is_busy = true;
    (void)pthread_mutex_unlock(&tier->lock);
    return is_mine;
}

static void end_turn(struct redis_tier *tier)
{
    (void)pthread_mutex_lock(&tier->lock);
    tier->is_busy = false;
    (void)pthread_mutex_unlock(&tier->lock);
    (void)pthread_cond_signal(&tier->is_free);
}

PRINTF_LIKE(2, 3) static bool fail(struct turn *turn, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(turn->why, sizeof(turn->why), format, arguments);
    va_end(arguments);
    return false;
}

static void disconnect(struct redis_tier *tier)
{
    if (tier->link != NULL)
        redisFree(tier->link);
    tier->link = NULL;
    tier->is_connected = false;
}

static int64_t now_us(const struct redis_tier *tier)
{
    return tier->clock.monotonic_us(tier->clock.context);
}

static void rest(struct turn *turn)
{
    struct redis_tier *tier = turn->tier;
    disconnect(tier);
    tier->errors++;
    log_line(tier->is_resting ? LOG_DEBUG : LOG_WARN, "redis", "%s; going on without it, next try in %lld ms",
             turn->why, (long long)tier->rest_ms);
    tier->is_resting = true;
    tier->retry_us = now_us(tier) + tier->rest_ms * 1000;
    tier->rest_ms = tier->rest_ms * 2 > REST_MAX_MS ? REST_MAX_MS : tier->rest_ms * 2;
}

static int64_t left_us(const struct turn *turn)
{
    int64_t left = turn->deadline_us - clock_monotonic_us();
    return left > 0 ? left : 0;
}

static bool await(struct turn *turn, short events)
{
    struct pollfd wait = {.fd = turn->tier->link->fd, .events = events};
    for (;;) {
        int count = poll(&wait, 1, (int)((left_us(turn) + 999) / 1000));
        if (count > 0)
            return true;
        if (count == 0)
            return fail(turn, "no answer from Redis within %lld ms", (long long)turn->tier->timeout_ms);
        if (errno != EINTR)
            return fail(turn, "cannot wait for Redis: %s", strerrordesc_np(errno));
    }
}

static bool send_bytes(struct turn *turn, const char *data, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t sent = send(turn->tier->link->fd, data, size_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            data += sent;
            size_bytes -= (size_t)sent;
            continue;
        }
        if (errno == EAGAIN) {
            if (!await(turn, POLLOUT))
                return false;
        } else if (errno != EINTR) {
            turn->is_closed = true;
            return fail(turn, "cannot send to Redis: %s", strerrordesc_np(errno));
        }
    }
    return true;
}

static redisReply *receive(struct turn *turn)
{
    redisContext *link = turn->tier->link;
    void *reply = NULL;
    for (;;) {
        if (redisGetReplyFromReader(link, &reply) != REDIS_OK)
            break;
        if (reply != NULL)
            return reply;
        if (!await(turn, POLLIN))
            return NULL;
        if (redisBufferRead(link) != REDIS_OK)
            break;
    }
    turn->is_closed = link->err == REDIS_ERR_EOF || link->err == REDIS_ERR_IO;
    (void)fail(turn, "lost Redis: %s", link->errstr);
    return NULL;
}

struct arguments {
    size_t count;
    const char *data[8];
    size_t size_bytes[8];
};

static void add(struct arguments *arguments, const void *data, size_t size_bytes)
{
    assert(arguments->count < sizeof(arguments->data) / sizeof(*arguments->data));
    arguments->data[arguments->count] = data;
    arguments->size_bytes[arguments->count++] = size_bytes;
}

static void add_text(struct arguments *arguments, const char *text)
{
    add(arguments, text, strlen(text));
}

/* NULL: `why`. */
static redisReply *exchange(struct turn *turn, int count, const char **data, const size_t *size_bytes)
{
    char *command = NULL;
    int command_bytes = redisFormatCommandArgv(&command, count, data, size_bytes);
    if (command_bytes < 0) {
        (void)fail(turn, "no memory for a command to Redis");
        return NULL;
    }
    bool is_sent = send_bytes(turn, command, (size_t)command_bytes);
    redisFreeCommand(command);
    return is_sent ? receive(turn) : NULL;
}

static bool expect_ok(struct turn *turn, struct arguments *arguments)
{
    redisReply *reply = exchange(turn, (int)arguments->count, arguments->data, arguments->size_bytes);
    if (reply == NULL)
        return false;
    bool is_ok = reply->type != REDIS_REPLY_ERROR;
    if (!is_ok)
        (void)fail(turn, "Redis refuses %s: %.100s", arguments->data[0], reply->str);
    freeReplyObject(reply);
    return is_ok;
}

static bool log_in(struct turn *turn)
{
    struct redis_tier *tier = turn->tier;
    struct arguments auth = {0}, choose = {0};
    char database[16];
    if (tier->address.password[0] != '\0') {
        add_text(&auth, "AUTH");
        if (tier->address.user[0] != '\0')
            add_text(&auth, tier->address.user);
        add_text(&auth, tier->address.password);
        if (!expect_ok(turn, &auth))
            return false;
    }
    if (tier->address.database == 0)
        return true;
    (void)snprintf(database, sizeof(database), "%d", tier->address.database);
    add_text(&choose, "SELECT");
    add_text(&choose, database);
    return expect_ok(turn, &choose);
}

static bool connect_link(struct turn *turn)
{
    struct redis_tier *tier = turn->tier;
    int64_t left = left_us(turn);
    struct timeval wait = {.tv_sec = left / 1000000, .tv_usec = left % 1000000 + (left == 0)};
    tier->link = tier->address.path[0] != '\0'
                     ? redisConnectUnixWithTimeout(tier->address.path, wait)
                     : redisConnectWithTimeout(tier->address.host, tier->address.port, wait);
    if (tier->link == NULL)
        return fail(turn, "no memory to connect to Redis");
    if (tier->link->err != 0)
        return fail(turn, "cannot connect to Redis: %s", tier->link->errstr);
    if (!log_in(turn))
        return false;
    if (tier->is_resting)
        log_line(LOG_INFO, "redis", "Redis is back");
    tier->is_resting = false;
    tier->rest_ms = REST_MIN_MS;
    tier->is_connected = true;
    return true;
}

/* NULL: Redis is not at hand, or said it cannot. */
static redisReply *ask(struct turn *turn, int count, const char **data, const size_t *size_bytes)
{
    struct redis_tier *tier = turn->tier;
    redisReply *reply = NULL;
    bool was_open = tier->link != NULL;
    if (tier->is_resting && now_us(tier) < tier->retry_us)
        return NULL;
    if (was_open || connect_link(turn))
        reply = exchange(turn, count, data, size_bytes);
    if (reply == NULL && was_open && turn->is_closed) {
        disconnect(tier);
        if (connect_link(turn))
            reply = exchange(turn, count, data, size_bytes);
    }
    if (reply == NULL) {
        rest(turn);
        return NULL;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        tier->errors++;
        log_line(LOG_DEBUG, "redis", "%s: %.200s", data[0], reply->str);
        freeReplyObject(reply);
        return NULL;
    }
    return reply;
}

static redisReply *ask_arguments(struct turn *turn, struct arguments *arguments)
{
    return ask(turn, (int)arguments->count, arguments->data, arguments->size_bytes);
}

/* prefix + key */
static char *full_key(const struct redis_tier *tier, const char *key, size_t *size_bytes)
{
    size_t key_bytes = strlen(key);
    char *full = malloc(tier->prefix_bytes + key_bytes + 1);
    if (full == NULL)
        return NULL;
    memcpy(full, tier->prefix, tier->prefix_bytes);
    memcpy(full + tier->prefix_bytes, key, key_bytes + 1);
    *size_bytes = tier->prefix_bytes + key_bytes;
    return full;
}

/* ---- reading ---- */

bool redis_tier_get(struct redis_tier *tier, const char *key, struct buffer *out)
{
    bool is_found = false;
    redis_tier_get_many(tier, &key, 1, out, &is_found);
    return is_found;
}

/* found[] and out[] from the reply to MGET. */
static void take_values(const redisReply *reply, size_t count, struct buffer *out, bool *found)
{
    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != count)
        return;
    for (size_t i = 0; i < count; i++) {
        const redisReply *value = reply->element[i];
        if (value->type != REDIS_REPLY_STRING)
            continue;
        buffer_append(&out[i], value->str, value->len);
        found[i] = out[i].failed == ERR_OK;
    }
}

static void get_some(struct redis_tier *tier, const char *const *keys, size_t count, struct buffer *out,
                     bool *found)
{
    const char **data = calloc(count + 1, sizeof(*data));
    size_t *size_bytes = calloc(count + 1, sizeof(*size_bytes));
    redisReply *reply = NULL;
    struct turn turn;
    size_t made = 0;
    if (data == NULL || size_bytes == NULL)
        goto out;
    data[0] = "MGET";
    size_bytes[0] = 4;
    while (made < count && (data[made + 1] = full_key(tier, keys[made], &size_bytes[made + 1])) != NULL)
        made++;
    if (made < count || !take_turn(tier, &turn))
        goto out;
    reply = ask(&turn, (int)count + 1, data, size_bytes);
    take_values(reply, count, out, found);
    for (size_t i = 0; i < count; i++) {
        tier->hits += found[i];
        tier->misses += !found[i];
    }
    end_turn(tier);
out:
    freeReplyObject(reply);
    for (size_t i = 0; i < made; i++)
        free((void *)(uintptr_t)data[i + 1]);
    free(data);
    free(size_bytes);
}

void redis_tier_get_many(struct redis_tier *tier, const char *const *keys, size_t count, struct buffer *out,
                         bool *found)
{
    for (size_t i = 0; i < count; i++)
        found[i] = false;
    for (size_t begin = 0; begin < count; begin += KEYS_MAX) {
        size_t some = count - begin < KEYS_MAX ? count - begin : KEYS_MAX;
        get_some(tier, keys + begin, some, out + begin, found + begin);
    }
}

/* ---- writing ---- */

void redis_tier_put(struct redis_tier *tier, const char *key, const void *data, size_t size_bytes,
                    int64_t ttl_ms)
{
    struct arguments arguments = {0};
    struct turn turn;
    char ttl[32];
    size_t key_bytes;
    if (ttl_ms <= 0)
        return;
    char *full = full_key(tier, key, &key_bytes);
    if (full == NULL)
        return;
    (void)snprintf(ttl, sizeof(ttl), "%lld", (long long)ttl_ms);
    add_text(&arguments, "PSETEX");
    add(&arguments, full, key_bytes);
    add_text(&arguments, ttl);
    add(&arguments, data, size_bytes);
    if (take_turn(tier, &turn)) {
        redisReply *reply = ask_arguments(&turn, &arguments);
        tier->writes += reply != NULL;
        freeReplyObject(reply);
        end_turn(tier);
    }
    free(full);
}

void redis_tier_remove(struct redis_tier *tier, const char *key)
{
    struct arguments arguments = {0};
    struct turn turn;
    size_t key_bytes;
    char *full = full_key(tier, key, &key_bytes);
    if (full == NULL)
        return;
    add_text(&arguments, "UNLINK");
    add(&arguments, full, key_bytes);
    if (take_turn(tier, &turn)) {
        freeReplyObject(ask_arguments(&turn, &arguments));
        end_turn(tier);
    }
    free(full);
}

/* A pattern of SCAN that matches exactly what begins with prefix + text. */
static char *scan_pattern(const struct redis_tier *tier, const char *text)
{
    size_t size_bytes = tier->prefix_bytes + strlen(text), used = 0;
    char *pattern = malloc(2 * size_bytes + 2);
    if (pattern == NULL)
        return NULL;
    for (size_t i = 0; i < size_bytes; i++) {
        char byte = i < tier->prefix_bytes ? tier->prefix[i] : text[i - tier->prefix_bytes];
        if (strchr("*?[]\\", byte) != NULL)
            pattern[used++] = '\\';
        pattern[used++] = byte;
    }
    pattern[used++] = '*';
    pattern[used] = '\0';
    return pattern;
}

static bool unlink_keys(struct turn *turn, const redisReply *keys)
{
    for (size_t begin = 0; begin < keys->elements; begin += KEYS_MAX) {
        size_t count = keys->elements - begin < KEYS_MAX ? keys->elements - begin : KEYS_MAX;
        const char *data[KEYS_MAX + 1] = {"UNLINK"};
        size_t size_bytes[KEYS_MAX + 1] = {6};
        for (size_t i = 0; i < count; i++) {
            data[i + 1] = keys->element[begin + i]->str;
            size_bytes[i + 1] = keys->element[begin + i]->len;
        }
        redisReply *reply = ask(turn, (int)count + 1, data, size_bytes);
        if (reply == NULL)
            return false;
        freeReplyObject(reply);
    }
    return true;
}

/* One step of the scan; false at its end or when Redis is not at hand. */
static bool scan_step(struct turn *turn, const char *pattern, char cursor[32])
{
    struct arguments arguments = {0};
    char count[16];
    (void)snprintf(count, sizeof(count), "%d", (int)ANSWERS_AT_ONCE_COUNT);
    add_text(&arguments, "SCAN");
    add_text(&arguments, cursor);
    add_text(&arguments, "MATCH");
    add_text(&arguments, pattern);
    add_text(&arguments, "COUNT");
    add_text(&arguments, count);
    redisReply *reply = ask_arguments(turn, &arguments);
    if (reply == NULL)
        return false;
    bool goes_on = reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                   reply->element[0]->type == REDIS_REPLY_STRING &&
                   reply->element[1]->type == REDIS_REPLY_ARRAY &&
                   text_copy(text_of(reply->element[0]->str), cursor, 32) &&
                   unlink_keys(turn, reply->element[1]) && strcmp(cursor, "0") != 0;
    freeReplyObject(reply);
    return goes_on;
}

void redis_tier_remove_prefix(struct redis_tier *tier, const char *prefix)
{
    char cursor[32] = "0";
    char *pattern = scan_pattern(tier, prefix);
    struct turn turn;
    bool goes_on = pattern != NULL;
    while (goes_on) { /* a turn for each step: readers come in between */
        if (!take_turn(tier, &turn))
            break;
        goes_on = scan_step(&turn, pattern, cursor);
        end_turn(tier);
    }
    free(pattern);
}

struct redis_counts redis_tier_counts(struct redis_tier *tier)
{
    return (struct redis_counts){.hits = tier->hits,
                                 .misses = tier->misses,
                                 .writes = tier->writes,
                                 .errors = tier->errors,
                                 .is_connected = tier->is_connected};
}
