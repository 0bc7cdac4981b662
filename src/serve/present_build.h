/* The computing half of present: histories, spans, where rows go. Private to present*.c. */
#ifndef ALMANAC_SERVE_PRESENT_BUILD_H
#define ALMANAC_SERVE_PRESENT_BUILD_H

#include "football/history.h"
#include "serve/present.h"
#include "serve/present_states.h"
#include "store/football_store.h"

/* A copy of a state, at its moment. */
struct kept_state {
    struct live_state *state; /* NULL: none */
    int64_t at_us;
};

/* One call of present_open. */
struct present_work {
    const struct present_request *request;
    const struct feature_set *set;
    struct present *out;
    struct frame *teams;
    struct known_states known;
    struct matrix *basis; /* of earlier data and the same set, or of the same data and another set; NULL */
    int64_t changed_us;   /* rows of the basis that start before are those of the present data */
    bool needs_audit;     /* before the matrix counts; what is to be kept waits for it */
    struct kept_state unaudited[STATE_KINDS];
    struct football_frames frames; /* what was read of the store; without teams */
    struct history *history;       /* of the frames */
    struct live_state *state; /* of the present data at at_us, in front of what is to be computed; NULL */
    int64_t at_us;
    bool has_kept_recent; /* by present_extend: time to look after the checkpoint */
};

/* Reads the matches of local days >= from_day; inside the caller's transaction. */
enum err_code present_read(struct present_work *work, int64_t from_day, struct err *err) CHECKED;
/* The history of what was read, which is released unless it is audited later. */
enum err_code present_derive(struct present_work *work, struct err *err) CHECKED;
/* Local day from which on matches are needed to advance a state that stands at the moment. */
int64_t present_day_needed(int64_t at_us);

/* A state on its way to the end of work->history, which stops where rows begin and where the caller wants. */
struct present_walk {
    struct present_work *work;
    struct live_state *state;
    int64_t at_us, rows_from_us; /* rows that start before are only passed; not before at_us */
    struct build_target target;  /* values NULL: no rows */
    struct matrix_build *build;  /* that of the target */
    bool is_silent;              /* shows no progress */
};
/* Nothing when the moment is behind. */
enum err_code present_walk_to(struct present_walk *walk, int64_t until_us, struct err *err) CHECKED;
/* So far before the newest outcome of the history; INT64_MIN when there is none. */
int64_t present_before_newest_us(const struct history *history, int64_t distance_us);

/* Each needs work->history and leaves the matrix (if wanted) and the state in work->out. ERR_CONFLICT: the basis does not
 * fit the history; build without it. */
enum err_code present_extend(struct present_work *work, struct err *err) CHECKED;
enum err_code present_add_families(struct present_work *work, struct err *err) CHECKED;
enum err_code present_build(struct present_work *work, struct err *err) CHECKED;
/* After an extension, in a transaction of its own: moves the checkpoint forward when it is far behind. What goes wrong is
 * logged. */
void present_move_checkpoint(struct present_work *work);
/* Keeps a state of the present data (present_states.h); one of an audited build is kept when the audit has passed. */
void present_keep(struct present_work *work, enum state_kind kind, const struct live_state *state,
                  int64_t at_us);
/* The audit, where one is needed, of a build whose values are all there; rows: of the matrix. Ends work->history, as the
 * rebuilds take its room. */
enum err_code present_audit(struct present_work *work, const struct matrix_build *build,
                            const struct matrix_row *rows, struct err *err) CHECKED;

#endif
