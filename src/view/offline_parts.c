/* Offline store: the partitions of a version, as a join sees them. See offline_parts.h. */
#include "view/offline_parts.h"

#include "base/time.h"
#include "os/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- partitions ---- */

static void add_part(struct offline_parts *parts, const char *name, int64_t from_us, int64_t to_us)
{
    int64_t year;
    struct offline_part *part = &parts->items[parts->count];
    if (!text_starts(text_of(name), "year=") || !text_parse_i64(text_of(name + strlen("year=")), &year) ||
        strlen(name) >= sizeof(part->name))
        return;
    *part = (struct offline_part){.first_us = time_day_from_civil((int)year, 1, 1) * TIME_DAY_US,
                                  .end_us = time_day_from_civil((int)year + 1, 1, 1) * TIME_DAY_US};
    (void)snprintf(part->name, sizeof(part->name), "%s", name);
    parts->count += part->first_us <= to_us && part->end_us > from_us;
}

static int compare_parts(const void *a, const void *b)
{
    const struct offline_part *x = a, *y = b;
    return x->first_us < y->first_us ? -1 : x->first_us > y->first_us;
}

enum err_code offline_parts_find(const char *path, int64_t from_us, int64_t to_us, struct offline_parts *out,
                                 struct err *err)
{
    struct folder_list list;
    *out = (struct offline_parts){.path = path};
    enum err_code code = folder_list_open(path, &list, err);
    if (code != ERR_OK)
        return code;
    out->items = calloc(list.count + 1, sizeof(*out->items));
    if (out->items == NULL)
        code = err_nomem(err, list.count * sizeof(*out->items));
    if (code == ERR_OK && list.count > OFFLINE_PARTS_MOST)
        code = err_set(err, ERR_CORRUPT, "'%s' has more than %d partitions", path, OFFLINE_PARTS_MOST);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        add_part(out, list.names[i], from_us, to_us);
    folder_list_close(&list);
    if (code == ERR_OK && out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), compare_parts);
    return code;
}

void offline_parts_release(struct offline_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        free(parts->items[i].slots);
        free(parts->items[i].hits);
    }
    free(parts->items);
    *parts = (struct offline_parts){0};
}

void offline_parts_put(const struct offline_parts *parts, bool left_only, struct buffer *sql)
{
    struct buffer path;
    const char *between = "";
    buffer_init(&path, FILE_PATH_BYTES + 64);
    buffer_append_text(sql, " FROM read_parquet([");
    for (size_t i = 0; i < parts->count; i++) {
        if (left_only && !parts->items[i].is_for_engine)
            continue;
        buffer_clear(&path);
        buffer_printf(&path, "%s/%s/rows.parquet", parts->path, parts->items[i].name);
        buffer_append_text(sql, between);
        (void)duck_quote(sql, buffer_text(&path));
        between = ", ";
    }
    buffer_append_text(sql, "], hive_partitioning = false, file_row_number = true)");
    buffer_release(&path);
}

size_t offline_parts_of(const struct offline_parts *parts, int64_t event_us, size_t likely)
{
    for (size_t i = 0; i < parts->count; i++) {
        size_t at = (likely + i) % parts->count;
        if (event_us >= parts->items[at].first_us && event_us < parts->items[at].end_us)
            return at;
    }
    return parts->count;
}

/* ---- hits ---- */

enum err_code offline_part_hit(struct offline_part *part, size_t row, struct err *err)
{
    if (row >= part->slot_rows) {
        size_t rows = row + row / 2 + 1024;
        int32_t *grown = realloc(part->slots, rows * sizeof(*grown));
        if (grown == NULL)
            return err_nomem(err, rows * sizeof(*grown));
        memset(grown + part->slot_rows, 0xff, (rows - part->slot_rows) * sizeof(*grown));
        part->slots = grown;
        part->slot_rows = rows;
    }
    part->hit_count += part->slots[row] < 0;
    part->slots[row] = 0;
    return ERR_OK;
}

static enum err_code number_part(struct offline_part *part, size_t first_slot, struct err *err)
{
    size_t count = 0;
    part->first_slot = first_slot;
    part->hits = malloc(part->hit_count * sizeof(*part->hits) + 1);
    if (part->hits == NULL)
        return err_nomem(err, part->hit_count * sizeof(*part->hits));
    for (size_t row = 0; row < part->slot_rows; row++) {
        if (part->slots[row] < 0)
            continue;
        part->slots[row] = (int32_t)(first_slot + count);
        part->hits[count++] = (int32_t)row;
    }
    return ERR_OK;
}

enum err_code offline_parts_number(struct offline_parts *parts, size_t *out_count, struct err *err)
{
    enum err_code code = ERR_OK;
    *out_count = 0;
    for (size_t i = 0; code == ERR_OK && i < parts->count; i++) {
        code = number_part(&parts->items[i], *out_count, err);
        *out_count += parts->items[i].hit_count;
    }
    return code;
}
