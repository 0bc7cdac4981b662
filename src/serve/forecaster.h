/* Forecaster: answers "what will happen in this match?" from the models in production and the live tracker state.
 *
 * A match still to be played gets its features from the live state, the code that built the training matrix. A stored
 * match already played gets the row of the matrix, i.e. what was known before its kick-off. A date before the newest known
 * result that is no stored match is refused: the state has seen its future.
 * A version in production may have a layer (serve/models_layer.h): it is put over forecasts of matches to come. A match
 * already played is a replay: what the model itself says.
 * Missing models, teams or data are no errors: the answer carries a reason instead of probabilities (SPEC J2).
 * Belongs to the loop's thread; a changed store is noticed by forecaster_check and taken in on the pool; what
 * fails there is tried again by later calls. */
#ifndef ALMANAC_SERVE_FORECASTER_H
#define ALMANAC_SERVE_FORECASTER_H

#include "base/err.h"
#include "football/match.h"
#include "football/target.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/thread.h"
#include "serve/models.h"
#include "serve/online.h"
#include "store/store.h"

struct forecaster;

enum { FORECAST_TEXT_BYTES = 160, FORECAST_REASON_BYTES = 320 };

struct forecast_request {
    char match[64]; /* own id or source id; "" when named by teams */
    char league[16], home[FORECAST_TEXT_BYTES], away[FORECAST_TEXT_BYTES];
    int64_t kickoff_us; /* TIME_NONE: the next moment */
    bool has_clock;     /* kickoff_us has a time of day */
    enum target target;
    char bot[32];         /* "" any */
    struct prices prices; /* NaN where not given */
    bool has_prices;
};
/* Why there is no forecast, as classes to count; the reason says it in words. */
enum forecast_outcome {
    FORECAST_ANSWERED,
    FORECAST_NOT_READY, /* the live state is being built, or there are no matches */
    FORECAST_UNKNOWN_LEAGUE,
    FORECAST_UNKNOWN_TEAM,
    FORECAST_UNKNOWN_MATCH,
    FORECAST_NO_MODEL,
    FORECAST_NO_FEATURES, /* those of a match already played are not at hand */
    FORECAST_PAST,        /* the state has seen the future of that date */
    FORECAST_OUTCOME_COUNT
};
const char *forecast_outcome_name(enum forecast_outcome outcome); /* "answered" ... */
struct forecast_answer {
    bool is_available;
    enum forecast_outcome outcome;
    char reason[FORECAST_REASON_BYTES]; /* why not, or "" */
    double p[3];                        /* what is told */
    double own[3]; /* the same without the layer, what the model itself says: what it is judged by */
    const struct serving_layer *layer; /* that makes p of own; NULL: they are the same. As valid as model */
    size_t classes;
    const struct serving_model *model; /* valid until the loop goes on; NULL when none was found */
    char league[16], home[FORECAST_TEXT_BYTES], away[FORECAST_TEXT_BYTES]; /* as the store names them */
    int64_t match_id;                                                      /* 0: not a stored match */
    int64_t kickoff_us;
    bool is_played; /* features as of its kick-off, from the matrix */
    bool used_prices;
};

enum err_code forecaster_create(struct loop *loop, struct pool *pool, struct store *store, struct clock clock,
                                struct forecaster **out, struct err *err) CHECKED;
void forecaster_destroy(struct forecaster *forecaster);
/* Looks whether the store's data or versions changed, and takes the change in. Cheap when nothing did. */
void forecaster_check(struct forecaster *forecaster);
/* The same without asking: after this process itself changed the store. */
void forecaster_reload(struct forecaster *forecaster);
/* Errors are those of the store only; everything else is a reason. */
enum err_code forecaster_answer(struct forecaster *forecaster, const struct forecast_request *request,
                                struct forecast_answer *out, struct err *err) CHECKED;
const struct serving_models *forecaster_models(const struct forecaster *forecaster);
/* The layer over a model that is live now, or NULL. */
const struct serving_layer *forecaster_layer(const struct forecaster *forecaster,
                                             const struct serving_model *item);
bool forecaster_is_ready(const struct forecaster *forecaster); /* live state loaded */
/* The state that answers now; NULL before the first. Valid until the loop goes on. */
const struct online *forecaster_online(const struct forecaster *forecaster);
/* Another number whenever the store was found changed or another state answers: for caches of either. */
uint64_t forecaster_changes(const struct forecaster *forecaster);

#endif
