/* Offline store, private: the partitions of a version that a join may hit, and which of their rows it hits.
 *
 * Each row that is hit has a slot, which is where its features are put. Slots are numbered in the order of partitions and
 * rows, so that those of a partition are one piece.
 * Threads: one at a time; several may read. Memory: 4 bytes for each row of a partition that is hit, and for each hit. */
#ifndef ALMANAC_VIEW_OFFLINE_PARTS_H
#define ALMANAC_VIEW_OFFLINE_PARTS_H

#include "view/offline_private.h"

enum { OFFLINE_PARTS_MOST = 4096 };

/* A year's file, and the slots of its rows. */
struct offline_part {
    int64_t first_us, end_us;
    int32_t *slots; /* [slot_rows]; -1: not hit */
    size_t slot_rows;
    int32_t *hits; /* [hit_count]: the rows that are hit, ascending, whose slots are first_slot, ... */
    size_t hit_count, first_slot;
    bool is_for_engine; /* its features are read by the engine (offline_values.c) */
    char name[32];      /* "year=2001" */
};
struct offline_parts {
    struct offline_part *items; /* [count], by year */
    size_t count;
    const char *path; /* of the version; borrowed */
};
/* Those with moments from from_us to to_us. Released in any case. */
enum err_code offline_parts_find(const char *path, int64_t from_us, int64_t to_us, struct offline_parts *out,
                                 struct err *err) CHECKED;
void offline_parts_release(struct offline_parts *parts);
/* " FROM read_parquet([...])" of all, or of those left to the engine, with the column file_row_number. */
void offline_parts_put(const struct offline_parts *parts, bool left_only, struct buffer *sql);
/* The part of a moment, tried first where the last one was; parts->count: there is none. */
size_t offline_parts_of(const struct offline_parts *parts, int64_t event_us, size_t likely);

enum err_code offline_part_hit(struct offline_part *part, size_t row, struct err *err) CHECKED;
/* When all hits are known: the slots. */
enum err_code offline_parts_number(struct offline_parts *parts, size_t *out_count, struct err *err) CHECKED;

#endif
