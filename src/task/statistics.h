/* Statistics: what the features look like, and how far those of the last season have moved from what the model in
 * production learned from. A page of figures about the matrix, made once per state of the data and kept as a file:
 *
 *   <data>/features/statistics-<league>-<request>.json      begins with {"id": "<hash>", ...
 *
 * The id is a hash over matrix, windows and model: a file with another id is of the past, and is written over. So there is
 * one file per question ever asked, not one per state of the data.
 *
 *   {"id", "matrix": key, "league": "E0" or null for all, "rows", "first", "last": days,
 *    "reference": {"from", "to": days, "rows", "model": version or null},
 *    "recent":    {"from", "to": days, "rows"},
 *    "quantile_levels": [0.01, ...], "families": ["elo", ...],
 *    "features": [{"name", "family", "unit", "doc", "needs_prices",
 *                  "count", "missing_share", "mean", "deviation", "low", "high", "quantiles": [...],
 *                  "reference_mean", "reference_deviation", "reference_missing_share",
 *                  "recent_mean", "recent_deviation", "recent_missing_share",
 *                  "psi", "ks", "js", "w1", "missing_change"}, ...]}
 *
 * Features come in order of PSI, the most drifted first; a figure that does not exist is null (evaluate/drift.h says when).
 * Rows are the played matches; reference and recent window never overlap. Threads: reads the store through the handle
 * given; columns are measured on the pool. */
#ifndef ALMANAC_TASK_STATISTICS_H
#define ALMANAC_TASK_STATISTICS_H

#include "task/task.h"

struct statistics_options {
    char league[16];         /* "" all */
    int64_t reference_to_us; /* last day of the reference window; TIME_NONE: see the rows below */
    int64_t recent_days;
};
/* Rows of an option table whose struct holds a statistics_options: member(name) is its place there. */
#define STATISTICS_OPTION_ROWS(member)                                                                       \
    {"league", OPTION_TEXT, member(league), "", 0, 0, "", "matches of this league only, by its code"},       \
        {"reference_to",                                                                                     \
         OPTION_DATE,                                                                                        \
         member(reference_to_us),                                                                            \
         "",                                                                                                 \
         0,                                                                                                  \
         0,                                                                                                  \
         "",                                                                                                 \
         "last day compared with; default: what the league's model in production learned from, else all "    \
         "before the recent window"},                                                                        \
    {                                                                                                        \
        "recent_days", OPTION_INT, member(recent_days), "days", 1, 36500, "365",                             \
            "the recent window: this many days up to the last match played"                                  \
    }

extern const struct task task_statistics;

/* ERR_INVALID naming the field. */
enum err_code statistics_check(const void *options, struct err *err) CHECKED;
/* The kept JSON of the present data, to an empty buffer; ERR_NOT_FOUND when it is still to be made. Cheap: one file of
 * some 300 kB. */
enum err_code statistics_read(struct store *store, const struct statistics_options *options,
                              struct buffer *out, struct err *err) CHECKED;
/* The same, made and kept when there is none; *out_was_kept (may be NULL). */
enum err_code statistics_make(struct task_context *context, const struct statistics_options *options,
                              struct buffer *out, bool *out_was_kept, struct err *err) CHECKED;
/* Keeps in `json` only the features of a family ("" all), and only the first `limit` (0: all). ERR_INVALID: no such
 * family. */
enum err_code statistics_select(json_t *json, const char *family, size_t limit, struct err *err) CHECKED;

#endif
