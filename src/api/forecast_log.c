/* Forecast log. Open addressing with linear probing. An entry that is written stays, so that the same answer again is known
 * to be no news; when the table is three quarters full, it is emptied after the next writing. */
#include "api/forecast_log.h"

#include "base/log.h"
#include "base/time.h"
#include "football/target.h"
#include "store/forecast_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 8192, ENTRIES_MOST = PLACES / 4 * 3, PERIOD_MS = 1000 };

struct entry {
    struct stored_forecast forecast; /* match_id 0: free */
    bool is_new;
};
struct forecast_log {
    struct loop *loop;
    struct store *store;
    struct clock clock;
    struct loop_timer *timer;
    struct entry *entries; /* [PLACES] */
    size_t count, new_count;
    uint64_t noted, dropped;
    void (*written)(void *context, const struct stored_forecast *const *forecasts, size_t count,
                    size_t total); /* NULL: nobody */
    void *context;
};

static enum err_code write_new(struct forecast_log *log, struct err *err)
{
    struct db *db = log->store->db;
    enum err_code code = db_begin_lazy(db, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; code == ERR_OK && i < PLACES; i++) {
        if (log->entries[i].is_new)
            code = forecast_store_put(db, &log->entries[i].forecast, err);
    }
    if (code == ERR_OK)
        code = db_commit(db, err);
    else
        db_rollback(db);
    return code;
}

static void tell(const struct forecast_log *log)
{
    const struct stored_forecast *news[FORECAST_NEWS_MAX];
    size_t count = 0;
    if (log->written == NULL)
        return;
    for (size_t i = 0; i < PLACES && count < FORECAST_NEWS_MAX; i++) {
        if (log->entries[i].is_new)
            news[count++] = &log->entries[i].forecast;
    }
    log->written(log->context, news, count, log->new_count);
}

/* What could not be written (somebody else holds the store) is tried again in a second. */
static void flush(void *context)
{
    struct forecast_log *log = context;
    struct err err = {0};
    if (log->new_count == 0)
        return;
    if (write_new(log, &err) != ERR_OK) {
        log_line(LOG_WARN, "forecasts", "%zu forecasts are not written yet: %s", log->new_count, err.text);
        return;
    }
    tell(log);
    log->new_count = 0;
    bool is_full = log->count >= ENTRIES_MOST;
    for (size_t i = 0; i < PLACES; i++) {
        log->entries[i].is_new = false;
        if (is_full)
            log->entries[i].forecast.match_id = 0;
    }
    if (is_full)
        log->count = 0;
}

enum err_code forecast_log_create(struct loop *loop, struct store *store, struct clock clock,
                                  struct forecast_log **out, struct err *err)
{
    struct forecast_log *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return err_nomem(err, sizeof(*log));
    *log = (struct forecast_log){.loop = loop, .store = store, .clock = clock};
    log->entries = calloc(PLACES, sizeof(*log->entries));
    enum err_code code = log->entries != NULL
                             ? loop_timer_add(loop, PERIOD_MS, PERIOD_MS, flush, log, &log->timer, err)
                             : err_nomem(err, PLACES * sizeof(*log->entries));
    if (code != ERR_OK) {
        forecast_log_destroy(log);
        return code;
    }
    *out = log;
    return ERR_OK;
}

void forecast_log_tell(struct forecast_log *log,
                       void (*written)(void *context, const struct stored_forecast *const *forecasts,
                                       size_t count, size_t total),
                       void *context)
{
    log->written = written;
    log->context = context;
}

void forecast_log_destroy(struct forecast_log *log)
{
    if (log == NULL)
        return;
    if (log->timer != NULL) {
        flush(log);
        loop_timer_remove(log->loop, log->timer);
    }
    free(log->entries);
    free(log);
}

static size_t place_of(int64_t match_id, const char *version)
{
    uint64_t hash = (uint64_t)match_id * UINT64_C(0x9e3779b97f4a7c15), word = 0;
    memcpy(&word, version, sizeof(word)); /* 16 hexadecimal digits */
    hash ^= word * UINT64_C(0xff51afd7ed558ccd);
    return (size_t)((hash ^ (hash >> 32)) % PLACES);
}

/* The entry of the key, or the free place for it. The table is never full. */
static struct entry *find(struct forecast_log *log, int64_t match_id, const char *version)
{
    size_t place = place_of(match_id, version);
    for (;; place = (place + 1) % PLACES) {
        struct entry *entry = &log->entries[place];
        if (entry->forecast.match_id == 0 ||
            (entry->forecast.match_id == match_id && strcmp(entry->forecast.version, version) == 0))
            return entry;
    }
}

static bool is_worth_keeping(const struct forecast_request *request, const struct forecast_answer *answer,
                             int64_t now_us)
{
    return answer->is_available && answer->match_id != 0 && !answer->is_played &&
           answer->kickoff_us > now_us && !(answer->used_prices && request->has_prices);
}

void forecast_log_note(struct forecast_log *log, const struct forecast_request *request,
                       const struct forecast_answer *answer)
{
    if (log == NULL || answer->match_id == 0 || answer->is_played)
        return;
    int64_t now_us = log->clock.now_us(log->clock.context);
    if (!is_worth_keeping(request, answer, now_us))
        return;
    const struct version_row *row = &answer->model->row;
    struct entry *entry = find(log, answer->match_id, row->version);
    bool is_known = entry->forecast.match_id != 0;
    int64_t layer_us = answer->layer != NULL ? answer->layer->made_us : 0;
    if (is_known && entry->forecast.layer_us == layer_us &&
        memcmp(entry->forecast.p, answer->own, answer->classes * sizeof(double)) == 0)
        return;
    if (!is_known && log->count >= ENTRIES_MOST) {
        log->dropped++;
        return;
    }
    log->count += !is_known;
    log->new_count += !entry->is_new;
    log->noted++;
    entry->is_new = true;
    entry->forecast = (struct stored_forecast){.match_id = answer->match_id,
                                               .kickoff_us = answer->kickoff_us,
                                               .made_us = now_us,
                                               .is_served = true,
                                               .layer_us = layer_us,
                                               .classes = answer->classes,
                                               .settled_us = TIME_NONE,
                                               .outcome = -1,
                                               .loss = NAN};
    memcpy(entry->forecast.p, answer->own, answer->classes * sizeof(double));
    (void)text_copy(text_of(row->version), entry->forecast.version, sizeof(entry->forecast.version));
    (void)text_copy(text_of(row->name.subject), entry->forecast.subject, sizeof(entry->forecast.subject));
    (void)text_copy(text_of(target_at(request->target)->name), entry->forecast.target,
                    sizeof(entry->forecast.target));
}

void forecast_log_counts(const struct forecast_log *log, uint64_t *out_noted, uint64_t *out_dropped)
{
    *out_noted = log->noted;
    *out_dropped = log->dropped;
}
