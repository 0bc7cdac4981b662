/* Offline store, private: what its parts share. offline.c finds versions, offline_write.c makes them, offline_statistics.c
 * describes their columns, offline_entities.c reads what is asked for, offline_parts.c knows the
 * partitions, offline_gather.c finds the rows, offline_values.c their features, offline_read.c answers. */
#ifndef ALMANAC_VIEW_OFFLINE_PRIVATE_H
#define ALMANAC_VIEW_OFFLINE_PRIVATE_H

#include "base/buffer.h"
#include "base/names.h"
#include "os/file.h"
#include "view/offline.h"

enum { OFFLINE_SQL_BYTES = 4 << 20, OFFLINE_JSON_BYTES = 16 << 20 };

/* A version that is there. */
struct offline_version {
    char path[FILE_PATH_BYTES];
    json_t *meta;
    enum view_entity entity;
};
enum err_code offline_find(const char *folder, const char *view, struct offline_version *out,
                           struct err *err) CHECKED;
void offline_version_release(struct offline_version *version);
const char *offline_entity_name(enum view_entity entity); /* "match", "team", "pair" */

/* read_parquet(...) over all partitions below a path. */
void offline_put_source(struct buffer *sql, const char *path);
/* The same with a column file_row_number, the row's place in its partition. */
void offline_put_numbered_source(struct buffer *sql, const char *path);
/* One statement from a buffer that is cleared behind it; out may be NULL. */
enum err_code offline_query(struct duck *duck, struct buffer *sql, struct duck_result **out,
                            struct err *err) CHECKED;
/* The first value of the first row. */
enum err_code offline_query_i64(struct duck *duck, struct buffer *sql, int64_t *out, struct err *err) CHECKED;

/* Member "statistics" of view.json: {feature: {mean, ...}} over the partitions below `path`. */
enum err_code offline_write_statistics(struct duck *duck, const char *path, const struct view_column *columns,
                                       size_t count, int64_t rows, struct json_writer *out,
                                       struct err *err) CHECKED;

/* What is asked for: keys and moments, and the file's rows as the table offline_entity of the engine, columns as in the file,
 * whose rowid is the place of a row (not for rows in memory, whose keys and moments are borrowed). */
struct offline_entities {
    int64_t rows;
    const int64_t *key[VIEW_KEYS], *moment_us; /* [rows]; key[0] is -1 when a name is unknown */
    int64_t *own[VIEW_KEYS + 1];
    struct names *names;   /* the file's columns; NULL for rows in memory */
    struct buffer columns; /* the file's columns, quoted, separated by commas, each as `e."name"` */
};
enum err_code offline_entities_load(struct duck *duck, const struct offline_join *join,
                                    enum view_entity entity, struct offline_entities *out,
                                    struct err *err) CHECKED;
/* duck NULL: the table stays, as an open result ends with the next statement; the next join replaces it. */
void offline_entities_release(struct duck *duck, struct offline_entities *entities);

#endif
