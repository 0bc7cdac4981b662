/* Issues: the reasons as a table, and the list of one file. A row that only lengthens a run is not formatted: on real
 * files most issues are two-digit years, and they must not cost a snprintf each. */
#include "source/issue.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *doc;
    bool rejects;
} reasons[] = {
#define ISSUE(symbol, name, rejects, doc) {name, doc, rejects},
#include "source/issue_list.h"
#undef ISSUE
};

const char *issue_name(enum issue_reason reason)
{
    assert((unsigned)reason < ISSUE_COUNT);
    return reasons[reason].name;
}

const char *issue_doc(enum issue_reason reason)
{
    assert((unsigned)reason < ISSUE_COUNT);
    return reasons[reason].doc;
}

bool issue_rejects(enum issue_reason reason)
{
    assert((unsigned)reason < ISSUE_COUNT);
    return reasons[reason].rejects;
}

enum issue_reason issue_find(const char *name)
{
    for (int reason = 0; reason < ISSUE_COUNT; reason++) {
        if (strcmp(reasons[reason].name, name) == 0)
            return (enum issue_reason)reason;
    }
    return ISSUE_COUNT;
}

int issue_cut_bytes(struct text text, size_t max_bytes)
{
    size_t count = text.size_bytes < max_bytes ? text.size_bytes : max_bytes;
    while (count > 0 && count < text.size_bytes && ((unsigned char)text.data[count] & 0xC0) == 0x80)
        count--;
    return (int)count;
}

void issue_list_release(struct issue_list *list)
{
    free(list->items);
    *list = (struct issue_list){0};
}

static bool lengthens_run(const struct issue_list *list, enum issue_reason reason, size_t line,
                          const char *field)
{
    if (list->last_by[reason] == 0)
        return false;
    const struct issue *last = &list->items[list->last_by[reason] - 1];
    return (line == last->line_last + 1 || line == last->line_last) && strcmp(last->field, field) == 0;
}

/* The next free item, or NULL when there is no memory. */
static struct issue *new_item(struct issue_list *list)
{
    if (list->kept == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        struct issue *items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        list->items = items;
        list->capacity = capacity;
    }
    return &list->items[list->kept];
}

void issue_add(struct issue_list *list, enum issue_reason reason, size_t line, const char *field,
               const char *format, ...)
{
    assert((unsigned)reason < ISSUE_COUNT);
    list->counts[reason]++;
    if (lengthens_run(list, reason, line, field)) {
        list->items[list->last_by[reason] - 1].line_last = line;
        return;
    }
    if (list->kept_by[reason] >= (reasons[reason].rejects ? ISSUE_KEPT_REJECTED : ISSUE_KEPT_REPAIRED))
        return;
    struct issue *item = new_item(list);
    if (item == NULL)
        return;
    *item = (struct issue){.reason = reason, .line = line, .line_last = line};
    (void)snprintf(item->field, sizeof item->field, "%s", field);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(item->detail, sizeof item->detail, format, arguments);
    va_end(arguments);
    list->kept++;
    list->kept_by[reason]++;
    list->last_by[reason] = list->kept;
}
