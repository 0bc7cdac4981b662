/* Forecast log: what was told over HTTP about matches still to come, so that it can be judged when they are played.
 *
 * Kept is what the model itself said and which layer (serve/models_layer.h) was put over it: models are judged by what they
 * say, and a layer is never fitted on what a layer has changed.
 *
 * Of each (match, version) the newest forecast; the same probabilities again are nothing new. Kept in a table of fixed size
 * and written once a second in one transaction that does not wait for the disk: a power cut may lose the last seconds, a
 * request never waits. Not logged: what is no stored match, was played or has begun, or rests on prices that the client
 * made up. Loop thread. */
#ifndef ALMANAC_API_FORECAST_LOG_H
#define ALMANAC_API_FORECAST_LOG_H

#include "base/err.h"
#include "os/clock.h"
#include "os/loop.h"
#include "serve/forecaster.h"
#include "store/store.h"

struct forecast_log;
struct stored_forecast;

enum err_code forecast_log_create(struct loop *loop, struct store *store, struct clock clock,
                                  struct forecast_log **out, struct err *err) CHECKED;
/* From now on `written` is called after each writing: with some of the forecasts written (FORECAST_NEWS_MAX at most, in no
 * order), and how many there were. */
enum { FORECAST_NEWS_MAX = 100 };
void forecast_log_tell(struct forecast_log *log,
                       void (*written)(void *context, const struct stored_forecast *const *forecasts,
                                       size_t count, size_t total),
                       void *context);
/* Writes what is left. NULL is fine. */
void forecast_log_destroy(struct forecast_log *log);
/* One look-up in a hash table. log NULL: nothing happens. */
void forecast_log_note(struct forecast_log *log, const struct forecast_request *request,
                       const struct forecast_answer *answer);
/* Forecasts noted as new, and those that found no room before they were written. */
void forecast_log_counts(const struct forecast_log *log, uint64_t *out_noted, uint64_t *out_dropped);

#endif
