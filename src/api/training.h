/* Training: what the files of /api/training share, and its status for those who follow it live.
 * For football a symbol is a league, a timeframe is a target, and a bot is the name of a kind of model: an engine, with
 * "_prices" behind it when it needs prices to forecast. */
#ifndef ALMANAC_API_TRAINING_H
#define ALMANAC_API_TRAINING_H

#include "base/err.h"
#include "base/json.h"
#include "job/supervisor.h"
#include "learn/engine.h"
#include "task/train.h"

struct api;

#define TRAINING_QUEUE                "training"
#define TRAINING_FEATURES_WITH_PRICES "with_prices"

enum { TRAINING_BOT_BYTES = 32, TRAINING_BOTS_MAX = 64 };
struct training_bot {
    char name[TRAINING_BOT_BYTES];
    const struct engine *engine;
    bool has_prices;
};
/* Every bot there is; returns how many. */
size_t training_bots(struct training_bot out[TRAINING_BOTS_MAX]);

/* The object of GET /api/training/status (websocket: the data of the topic "training"). */
enum err_code training_write_status(struct api *api, struct json_writer *out, struct err *err) CHECKED;
/* The batch that is under way, or the newest one; "" when there never was one. */
enum err_code training_batch(struct api *api, bool only_active, char out[JOB_BATCH_BYTES],
                             struct err *err) CHECKED;

/* What people call a training: "E0 1x2 lightgbm"; "" when the request (JSON) is none. */
void training_label(const char *request, char out[JOB_LABEL_BYTES]);

#endif
