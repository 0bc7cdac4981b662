/* Server client: what a command asks a running server over HTTP. Blocking; one request at a time.
 *
 * The server is where the setting server_url says, else on this machine at the port of the settings. An answer that is an
 * error becomes that error: code, sentence and field. When no server answers the code is ERR_UNAVAILABLE, and nothing else has it
 * from here, so a command may then read the store itself. Threads: one. */
#ifndef ALMANAC_CLI_SERVER_CLIENT_H
#define ALMANAC_CLI_SERVER_CLIENT_H

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/settings.h"

struct server_client;

enum err_code server_client_create(const struct settings *settings, struct server_client **out,
                                   struct err *err) CHECKED;
void server_client_destroy(struct server_client *client);
/* method "GET" or "POST"; body: JSON, NULL none. *out: the answer, released with json_decref. */
enum err_code server_client_call(struct server_client *client, const char *method, const char *path,
                                 const char *body, json_t **out, struct err *err) CHECKED;
/* Server-sent events, until `event` answers false or there are no more: a server that ends them and a connection that is
 * lost are the same (ERR_OK), and whoever waits for a last event knows whether it came. id: of the event, -1 without one.
 * ERR_UNAVAILABLE, ERR_IO: there never were any. */
enum err_code server_client_events(struct server_client *client, const char *path,
                                   bool (*event)(void *context, int64_t id, const char *name,
                                                 struct text data),
                                   void *context, struct err *err) CHECKED;

#endif
