/* Checkpoint files: <job folder>/fits/<key>.fit
 *
 *   "ALMFIT1\n"  8 bytes
 *   loss         f64, rounds u64
 *   predictor    as the engine saves it
 *   BLAKE2b      32 bytes, of all before
 */
#include "task/checkpoint.h"

#include "base/buffer.h"
#include "base/text.h"
#include "limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char magic[8] = {'A', 'L', 'M', 'F', 'I', 'T', '1', '\n'};
enum { HEAD_BYTES = sizeof magic + 16, LEAST_BYTES = HEAD_BYTES + HASH_BYTES };

void checkpoint_init(struct checkpoint *checkpoint, const char *job_folder, const char *data,
                     const struct reporter *reporter)
{
    *checkpoint = (struct checkpoint){.reporter = reporter};
    atomic_init(&checkpoint->reused, 0);
    atomic_init(&checkpoint->saved, 0);
    (void)text_copy(text_of(data), checkpoint->data, sizeof checkpoint->data);
    if (job_folder == NULL)
        return;
    struct err err = {0};
    enum err_code code = file_join(job_folder, "fits", checkpoint->folder, &err);
    if (code == ERR_OK)
        code = file_make_folders(checkpoint->folder, &err);
    if (code == ERR_OK)
        return;
    report_log(reporter, "no fit is kept for a later attempt: %s", err.text);
    checkpoint->folder[0] = '\0';
}

/* The program in this file: another build makes its fits itself. */
static void hash_program(struct hash *hash)
{
    struct file_info info = {0};

    if (file_stat("/proc/self/exe", &info, NULL) != ERR_OK)
        return;
    hash_add_i64(hash, info.size_bytes);
    hash_add_i64(hash, info.modified_us);
}

static void hash_rows(struct hash *hash, const struct dataset *data)
{
    hash_add_i64(hash, (int64_t)data->rows);
    hash_add_i64(hash, (int64_t)data->columns);
    hash_add_i64(hash, (int64_t)data->classes);
    for (size_t column = 0; data->names != NULL && column < data->columns; column++)
        hash_add_text(hash, data->names[column]);
    hash_add(hash, data->label, data->rows * sizeof *data->label);
    if (data->time_us != NULL)
        hash_add(hash, data->time_us, data->rows * sizeof *data->time_us);
    if (data->group != NULL)
        hash_add(hash, data->group, data->rows * sizeof *data->group);
}

static void hash_options(struct hash *hash, const struct checkpoint_fit *fit)
{
    struct buffer text;
    struct json_writer writer;

    if (fit->engine->options == NULL)
        return;
    buffer_init(&text, 1 << 16);
    json_writer_init(&writer, &text);
    option_write_json(fit->engine->options, fit->options, &writer);
    buffer_append_char(&text, '\0');
    hash_add_text(hash, buffer_text(&text));
    buffer_release(&text);
}

static enum err_code fit_path(const struct checkpoint *checkpoint, const struct checkpoint_fit *fit,
                              char out[FILE_PATH_BYTES], struct err *err)
{
    struct hash hash;
    char hex[HASH_HEX_BYTES], name[64];

    hash_init(&hash);
    hash_add_text(&hash, "fit 1");
    hash_program(&hash);
    hash_add_text(&hash, checkpoint->data);
    hash_add_text(&hash, fit->engine->name);
    hash_add_i64(&hash, fit->engine->version);
    hash_options(&hash, fit);
    hash_add_i64(&hash, (int64_t)fit->seed);
    hash_rows(&hash, fit->train);
    hash_final_hex(&hash, hex);
    (void)snprintf(name, sizeof name, "%.32s.fit", hex);
    return file_join(checkpoint->folder, name, out, err);
}

/* ---- bytes ---- */

static void write_head(struct buffer *out, const struct checkpoint_fit *fit)
{
    uint64_t bits;

    memcpy(&bits, &fit->loss, sizeof bits);
    buffer_append(out, magic, sizeof magic);
    buffer_append_u64(out, bits);
    buffer_append_u64(out, fit->rounds);
}

static uint64_t read_u64(const char *data)
{
    uint64_t value = 0;

    for (int index = 7; index >= 0; index--)
        value = value << 8 | (unsigned char)data[index];
    return value;
}

static enum err_code read_fit(const struct file_map *map, struct checkpoint_fit *fit, struct err *err)
{
    unsigned char hash[HASH_BYTES];
    const struct dataset *train = fit->train;

    if (map->size_bytes < LEAST_BYTES || memcmp(map->data, magic, sizeof magic) != 0)
        return err_set(err, ERR_CORRUPT, "it is no fit");
    size_t payload_bytes = map->size_bytes - HASH_BYTES;
    hash_bytes(map->data, payload_bytes, hash);
    if (memcmp(hash, map->data + payload_bytes, HASH_BYTES) != 0)
        return err_set(err, ERR_CORRUPT, "its checksum does not fit");
    uint64_t bits = read_u64(map->data + sizeof magic);
    memcpy(&fit->loss, &bits, sizeof bits);
    fit->rounds = (size_t)read_u64(map->data + sizeof magic + 8);
    return fit->engine->load(map->data + HEAD_BYTES, payload_bytes - HEAD_BYTES, train->names, train->columns,
                             train->classes, &fit->predictor, err);
}

bool checkpoint_load(struct checkpoint *checkpoint, struct checkpoint_fit *fit)
{
    char path[FILE_PATH_BYTES];
    struct file_map map = {0};
    struct err err = {0};

    if (checkpoint == NULL || checkpoint->folder[0] == '\0' ||
        fit_path(checkpoint, fit, path, NULL) != ERR_OK || !file_exists(path))
        return false;
    enum err_code code = file_map_open(path, LIMIT_MODEL_BYTES, &map, &err);
    if (code == ERR_OK)
        code = read_fit(&map, fit, &err);
    file_map_close(&map);
    if (code != ERR_OK) {
        report_log(checkpoint->reporter, "a kept fit is ignored, '%s': %s", path, err.text);
        return false;
    }
    atomic_fetch_add(&checkpoint->reused, 1);
    return true;
}

void checkpoint_save(struct checkpoint *checkpoint, const struct checkpoint_fit *fit)
{
    char path[FILE_PATH_BYTES];
    unsigned char hash[HASH_BYTES];
    struct buffer bytes;
    struct err err = {0};

    if (checkpoint == NULL || checkpoint->folder[0] == '\0')
        return;
    buffer_init(&bytes, LIMIT_MODEL_BYTES);
    write_head(&bytes, fit);
    enum err_code code = fit->engine->save(fit->predictor, &bytes, &err);
    if (code == ERR_OK) {
        hash_bytes(bytes.data, bytes.size_bytes, hash);
        buffer_append(&bytes, hash, sizeof hash);
        code = buffer_check(&bytes, "a fit", &err);
    }
    if (code == ERR_OK)
        code = fit_path(checkpoint, fit, path, &err);
    if (code == ERR_OK)
        code = file_write_atomic(path, bytes.data, bytes.size_bytes, &err);
    buffer_release(&bytes);
    if (code == ERR_OK)
        atomic_fetch_add(&checkpoint->saved, 1);
    else
        report_log(checkpoint->reporter, "a fit is not kept for a later attempt: %s", err.text);
}
