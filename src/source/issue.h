/* Issue: rows (or a whole file) of a source that were repaired or rejected: kept, counted by reason, shown.
 * One row per reason in issue_list.h.
 *
 * Neighbouring lines with the same reason and field are one issue with a range of lines, so that 380 two-digit years
 * or a tail of 20,000 blank rows cost one item while no line is lost. Invariant: counts[] counts every row, kept items
 * or not. Threads: a list belongs to one thread. Memory: issue_list_release. */
#ifndef ALMANAC_SOURCE_ISSUE_H
#define ALMANAC_SOURCE_ISSUE_H

#include "base/err.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

enum issue_reason {
#define ISSUE(symbol, name, rejects, doc) ISSUE_##symbol,
#include "source/issue_list.h"
#undef ISSUE
    ISSUE_COUNT
};

struct issue {
    enum issue_reason reason;
    size_t line;      /* 0: the whole file */
    size_t line_last; /* of the run; equal to line for a single row */
    char field[48];   /* column at fault, or "" */
    char detail[160]; /* the value and what was done, of the first line */
};

struct issue_list {
    struct issue *items;
    size_t kept, capacity;
    size_t counts[ISSUE_COUNT];  /* rows, all of them */
    size_t kept_by[ISSUE_COUNT]; /* items */
    size_t last_by[ISSUE_COUNT]; /* 1 + index of the last item, 0: none */
};
/* Items per file and reason that are kept: rejected rows practically all, repaired ones as examples. */
enum { ISSUE_KEPT_REJECTED = 5000, ISSUE_KEPT_REPAIRED = 100 };

const char *issue_name(enum issue_reason reason);
const char *issue_doc(enum issue_reason reason);
bool issue_rejects(
    enum issue_reason reason); /* the row is left out; otherwise it was repaired or flagged and kept */
enum issue_reason issue_find(const char *name); /* ISSUE_COUNT: unknown */
enum { ISSUE_SHOWN_BYTES = 60 };                /* of a value */
/* For "%.*s": at most max_bytes of a text, whole characters of UTF-8. */
int issue_cut_bytes(struct text text, size_t max_bytes);
void issue_list_release(struct issue_list *list);
/* Lines of one reason must not go back. Never fails: without memory the row is counted only. */
void issue_add(struct issue_list *list, enum issue_reason reason, size_t line, const char *field,
               const char *format, ...) PRINTF_LIKE(5, 6);

#endif
