/* Notifications of the API: the notifier of the server. Threads: the loop's. */
#ifndef ALMANAC_API_NOTIFICATIONS_H
#define ALMANAC_API_NOTIFICATIONS_H

#include "api/api.h"

/* api->notifier; its deliveries are told to the followers of "notifications". */
enum err_code api_notifications_create(struct api *api, const struct api_options *options,
                                       struct err *err) CHECKED;

#endif
