/* Notes of a writer. A file holds one league, a few at most: a list is enough. */
#include "store/football_notes.h"

#include "base/text.h"
#include "base/time.h"

#include <stdlib.h>
#include <string.h>

void stored_values_read(const struct query *query, int first, struct stored_values *out)
{
    (void)text_copy(text_of(query_text(query, first)), out->league, sizeof out->league);
    for (int index = 0; index < STORED_NUMBERS; index++) {
        out->number[index] = query_i64(query, first + 1 + index);
        /* NULL reads as 0 */
        out->is_null[index] = out->number[index] == 0 && query_is_null(query, first + 1 + index);
    }
}

/* The day, unless the kick-off lies before any instant of it in London: then the earlier day of the two, as it is the
 * kick-off that decides the place in time. */
static int64_t first_day(int64_t day, int64_t kickoff_us)
{
    return kickoff_us < day * TIME_DAY_US - TIME_HOUR_US ? time_day_of(kickoff_us) : day;
}

static struct league_change *find(struct football_notes *notes, const char *league)
{
    if (notes->last < notes->count && strcmp(notes->items[notes->last].league, league) == 0)
        return &notes->items[notes->last];
    for (size_t index = 0; index < notes->count; index++) {
        if (strcmp(notes->items[index].league, league) == 0) {
            notes->last = index;
            return &notes->items[index];
        }
    }
    return NULL;
}

enum err_code football_notes_add(struct football_notes *notes, const char *league, int64_t day,
                                 int64_t kickoff_us, struct err *err)
{
    struct league_change *change = find(notes, league);

    day = first_day(day, kickoff_us);
    if (change != NULL) {
        change->from_day = day < change->from_day ? day : change->from_day;
        return ERR_OK;
    }
    struct league_change *grown = realloc(notes->items, (notes->count + 1) * sizeof *grown);
    if (grown == NULL)
        return err_nomem(err, (notes->count + 1) * sizeof *grown);
    notes->items = grown;
    notes->last = notes->count++;
    (void)text_copy(text_of(league), grown[notes->last].league, sizeof grown[notes->last].league);
    grown[notes->last].from_day = day;
    return ERR_OK;
}

static bool is_equal(const struct stored_values *a, const struct stored_values *b)
{
    return strcmp(a->league, b->league) == 0 && memcmp(a->number, b->number, sizeof a->number) == 0 &&
           memcmp(a->is_null, b->is_null, sizeof a->is_null) == 0;
}

enum err_code football_notes_compare(struct football_notes *notes, const struct stored_values *before,
                                     const struct stored_values *after, struct err *err)
{
    enum { DAY, KICKOFF }; /* as STORED_COLUMNS orders them, after the league */

    if (is_equal(before, after))
        return ERR_OK;
    enum err_code code =
        football_notes_add(notes, before->league, before->number[DAY], before->number[KICKOFF], err);
    if (code != ERR_OK)
        return code;
    return football_notes_add(notes, after->league, after->number[DAY], after->number[KICKOFF], err);
}

enum err_code football_notes_flush(struct football_notes *notes, struct db *db, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t index = 0; index < notes->count && code == ERR_OK; index++)
        code = change_store_note(db, notes->items[index].league, notes->items[index].from_day, err);
    notes->count = 0;
    return code;
}

void football_notes_release(struct football_notes *notes)
{
    free(notes->items);
    *notes = (struct football_notes){0};
}
