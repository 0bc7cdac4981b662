/* Feature view: a named, versioned group of features of one kind of entity: what the feature store keeps offline (Parquet)
 * and online (memory, Redis). Declared data of a domain pack (football/view_list.h).
 *
 * A view's row says what was known of an entity from `event_us` on:
 *   match  at its start: the matrix row
 *   team   at the moment a result of its became known: its features after that result
 *   pair   the same for two teams (home, away) after they met
 * So the row as of t is the newest with event_us <= t, and never contains anything that became known after t. */
#ifndef ALMANAC_FEATURE_VIEW_H
#define ALMANAC_FEATURE_VIEW_H

#include "feature/set.h"
#include <stdbool.h>
#include <stdint.h>

enum view_entity { VIEW_MATCH, VIEW_TEAM, VIEW_PAIR };
enum { VIEW_KEYS = 2 }; /* entity key: match id; team id; home and away team id */

/* Columns of the set that begin with `prefix`, renamed to `as` + rest, taken from a fixture in which the entity plays at
 * `side` (0 home, 1 away; teams only). A column is taken once, by the first pick that fits; `as` NULL: it is left out. */
struct view_pick {
    const char *prefix, *as; /* as + rest is the name in the view */
    int side;
};
struct feature_view {
    const char *name; /* "form" */
    int version;      /* raise when the meaning of a row changes */
    enum view_entity entity;
    const char *doc, *owner;
    int64_t ttl_ms;                /* how long an online copy may be served without asking again */
    const struct view_pick *picks; /* ends with prefix NULL */
};

/* A picked column of the widest set. */
struct view_column {
    const struct feature *feature;
    char name[96];   /* in the view */
    uint32_t column; /* of the set */
    int side;
};
/* Columns of a view over a set, in order of the picks; returns the count, writes at most `capacity`. */
size_t feature_view_columns(const struct feature_view *view, const struct feature_set *set,
                            struct view_column *out, size_t capacity);
/* Hash over name, version, columns and the versions of their families: names the schema. */
void feature_view_hash(const struct feature_view *view, const struct feature_set *set, struct hash *hash);

#endif
