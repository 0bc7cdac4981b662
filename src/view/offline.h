/* Offline store: rows of feature views as Parquet files, partitioned by year of the event, versioned.
 *
 *   <folder>/<view>@<version>/year=YYYY/*.parquet     columns: keys..., event_timestamp, features...
 *   <folder>/<view>@<version>/view.json               name, version, entity, owner, description, schema, statistics,
 *                                                     source hash, rows, range, created
 *
 * <version> is 8 hex digits over schema (feature_view_hash) and nothing else: rows of new data join the same version, other
 * code makes another. A write replaces the partitions it touches, whole or not at all (written beside, renamed, the JSON
 * last); readers see the old or the new. Needs DuckDB (duck/duck.h). */
#ifndef ALMANAC_VIEW_OFFLINE_H
#define ALMANAC_VIEW_OFFLINE_H

#include "base/buffer.h"
#include "base/err.h"
#include "base/json.h"
#include "duck/duck.h"
#include "feature/view.h"

/* Name of the key columns per entity: {"match"}, {"team"}, {"home", "away"}. */
const char *const *offline_key_names(enum view_entity entity, size_t *count);

/* Rows in order of event_us. */
struct offline_rows {
    const int64_t *key[VIEW_KEYS]; /* [rows] */
    const int64_t *event_us;       /* [rows] */
    const float *values;           /* [rows][columns] */
    size_t row_count, columns;
};
struct offline_write {
    const struct feature_view *view;
    const struct view_column *columns;
    size_t column_count;
    const char *source_hash; /* of the data */
    int64_t from_us;         /* partitions from the year of this moment on are replaced; INT64_MIN: all */
    int64_t now_us;
};
enum err_code offline_store_write(const char *folder, struct duck *duck, const struct offline_write *write,
                                  const struct offline_rows *rows, struct err *err) CHECKED;

/* JSON array of every view.json in the folder (without statistics), by name, newest first. */
enum err_code offline_store_list(const char *folder, json_t **out, struct err *err) CHECKED;
/* "form" (newest) or "form@1a2b3c4d"; ERR_NOT_FOUND names those there are. */
enum err_code offline_store_describe(const char *folder, const char *view, json_t **out,
                                     struct err *err) CHECKED;
/* Removes one version; "form" alone is refused when there are several. */
enum err_code offline_store_delete(const char *folder, const char *view, struct err *err) CHECKED;

/* Point-in-time join: for each row of a CSV or Parquet file with the view's key columns and `event_timestamp` (ISO 8601 or
 * TIMESTAMP, UTC), all columns of the file and the features of the newest row with event_timestamp <= its own, NULL when
 * there is none; in the order of the file. max_age_us 0: any age. features: NULL-terminated names, NULL: all.
 * output: a path ending in .csv or .parquet. Bad input names file, line and field. *out_rows: rows written. */
struct offline_join {
    const char *view, *entities, *output;
    const char *const *features;
    int64_t max_age_us;
};
enum err_code offline_store_join(const char *folder, struct duck *duck, const struct offline_join *join,
                                 int64_t *out_rows, struct err *err) CHECKED;
/* Rows of one entity (keys NULL: all) with from_us <= event < to_us, newest last, at most limit. */
enum err_code offline_store_range(const char *folder, struct duck *duck, const char *view,
                                  const int64_t *keys, int64_t from_us, int64_t to_us, int64_t limit,
                                  struct duck_result **out, struct err *err) CHECKED;
/* Makes every view visible to SQL as "form" (newest version) and "form@1a2b3c4d". */
enum err_code offline_store_attach(const char *folder, struct duck *duck, struct err *err) CHECKED;

#endif
