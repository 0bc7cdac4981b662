/* Offline store: rows of feature views as Parquet files, partitioned by year of the event, versioned.
 *
 *   <folder>/<view>@<version>/year=YYYY/rows.parquet  columns: keys..., event_timestamp, features...
 *   <folder>/<view>@<version>/view.json               name, version, entity, owner, description, schema, statistics,
 *                                                     source hash, rows, range, created
 *
 * <version> is 8 hex digits over schema (feature_view_hash) and nothing else: rows of new data join the same version, other
 * code makes another. A write replaces the partitions it touches, whole or not at all: the folder of a version is made
 * beside its place (partitions that stay are links) and takes it in one step; readers see the old or the new.
 * Missing features are NULL. Needs DuckDB (duck/duck.h), except list, describe and delete.
 * Threads: any; one writer at a time per version (ERR_BUSY). A struct duck belongs to one thread at a time. */
#ifndef ALMANAC_VIEW_OFFLINE_H
#define ALMANAC_VIEW_OFFLINE_H

#include "base/err.h"
#include "base/json.h"
#include "duck/duck.h"
#include "feature/view.h"

enum { OFFLINE_NAME_BYTES = 80 };

/* Name of the key columns per entity: {"match"}, {"team"}, {"home", "away"}. */
const char *const *offline_key_names(enum view_entity entity, size_t *count);
/* "form@1a2b3c4d": the version that this program writes. */
void offline_store_name(const struct feature_view *view, const struct feature_set *set,
                        char out[OFFLINE_NAME_BYTES]);

/* ---- writing ---- */

struct offline_write {
    const struct feature_view *view;
    const struct feature_set *set;
    const char *source_hash; /* of the data */
    int64_t from_us;         /* partitions from the year of this moment on are replaced; INT64_MIN: all */
    int64_t now_us;
};
/* Rows in order of event_us. */
struct offline_rows {
    const int64_t *key[VIEW_KEYS]; /* [rows] */
    const int64_t *event_us;       /* [rows] */
    const float *values;           /* [rows][columns of the view]; NaN: missing */
    size_t row_count;
};
struct offline_writer;
/* The strings of `write` and the engine outlive the writer. */
enum err_code offline_writer_open(const char *folder, struct duck *duck, const struct offline_write *write,
                                  struct offline_writer **out, struct err *err) CHECKED;
/* The next rows; those before the year of from_us are refused by an assertion. */
enum err_code offline_writer_add(struct offline_writer *writer, const struct offline_rows *rows,
                                 struct err *err) CHECKED;
/* Statistics, view.json, and all of it visible. ERR_NOT_FOUND: there is no row at all. */
enum err_code offline_writer_finish(struct offline_writer *writer, struct err *err) CHECKED;
void offline_writer_close(struct offline_writer *writer); /* undoes what was not finished; NULL is fine */
/* All three in one. */
enum err_code offline_store_write(const char *folder, struct duck *duck, const struct offline_write *write,
                                  const struct offline_rows *rows, struct err *err) CHECKED;

/* ---- what there is ---- */

/* JSON array of every view.json in the folder (without statistics), by name, newest first. */
enum err_code offline_store_list(const char *folder, json_t **out, struct err *err) CHECKED;
/* "form" (newest) or "form@1a2b3c4d"; ERR_NOT_FOUND names those there are. */
enum err_code offline_store_describe(const char *folder, const char *view, json_t **out,
                                     struct err *err) CHECKED;
/* What the view is about; ERR_CORRUPT when the description does not say. */
enum err_code offline_entity(const json_t *meta, enum view_entity *out, struct err *err) CHECKED;
/* Removes one version; "form" alone is refused when there are several. */
enum err_code offline_store_delete(const char *folder, const char *view, struct err *err) CHECKED;

/* ---- reading ---- */

/* Id of a team by country and name; its error says what is near. */
struct offline_resolver {
    enum err_code (*resolve)(void *context, const char *country, const char *name, int64_t *out_id,
                             struct err *err);
    void *context;
};

/* Point-in-time join: for each row of a CSV or Parquet file with the view's key columns and `event_timestamp` (ISO 8601 or
 * TIMESTAMP; without a zone UTC, a date alone its first instant), all columns of the file and the features of the newest
 * row with event_timestamp <= its own, NULL when there is none; in the order of the file.
 * A team is an id or "Country/Name", or stands in two columns: `country`, and `team_name` in place of `team` (`home_name`,
 * `away_name`). Bad input names file, line and field.
 * entities NULL: the rows are in key, event_us and count instead; answered by *out_result only: `row` (0..), features.
 * output: a path ending in .csv or .parquet, "-" (CSV to stdout), or NULL: the rows are in *out_result. */
struct offline_join {
    const char *view, *entities, *output;
    const int64_t *key[VIEW_KEYS], *event_us;
    size_t count;
    const char *const *features; /* NULL-terminated names; NULL: all */
    int64_t max_age_us;          /* 0: any age */
    struct offline_resolver resolver;
    bool allow_unknown; /* unknown names have no features instead of being errors */
};
struct offline_joined {
    int64_t rows, found;
    struct duck_result *result; /* only without output */
};
enum err_code offline_store_join(const char *folder, struct duck *duck, const struct offline_join *join,
                                 struct offline_joined *out, struct err *err) CHECKED;

/* Rows of one entity (keys NULL: all) with from_us <= event < to_us, newest last, at most the newest `limit`. */
struct offline_range {
    const char *view;
    const int64_t *keys;
    const char *const *features; /* NULL-terminated names; NULL: all */
    int64_t from_us, to_us, limit;
};
enum err_code offline_store_range(const char *folder, struct duck *duck, const struct offline_range *range,
                                  struct duck_result **out, struct err *err) CHECKED;
/* Makes every view visible to SQL as "form" (newest version) and "form@1a2b3c4d". */
enum err_code offline_store_attach(const char *folder, struct duck *duck, struct err *err) CHECKED;

#endif
