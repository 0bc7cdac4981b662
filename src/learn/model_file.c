/* Model file: docs/formats/model.md, byte by byte.
 *
 * A head, seven sections in fixed order, and BLAKE2b-256 of everything before it at the end: one flipped bit
 * anywhere, or one byte more or less, and the file is refused. The checksum guards against accidents; every
 * length and index is checked all the same, since whoever can write a file can write its checksum. */
#include "learn/model_parts.h"
#include "learn/reader.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

const char model_section_tags[MODEL_SECTION_COUNT][MODEL_TAG_BYTES + 1] = {
    "version", "engine", "classes", "names", "describe", "predict", "calibrat",
};

/* ---- writing ---- */

static void write_list(const char *const *list, size_t count, struct buffer *out)
{
    buffer_append_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        writer_text(out, list[i]);
}

static enum err_code write_payload(const struct model *model, enum model_section section, struct buffer *out,
                                   struct err *err)
{
    switch (section) {
    case MODEL_SECTION_VERSION:
        buffer_append_text(out, model->version);
        break;
    case MODEL_SECTION_ENGINE:
        buffer_append_text(out, model->engine->name);
        break;
    case MODEL_SECTION_CLASSES:
        write_list(model->class_names, model->classes, out);
        break;
    case MODEL_SECTION_NAMES:
        write_list(model->names, model->columns, out);
        break;
    case MODEL_SECTION_DESCRIPTION:
        buffer_append_text(out, model->description);
        break;
    case MODEL_SECTION_PREDICTOR:
        return model->engine->save(model->predictor, out, err);
    default:
        return model->calibrator ? calibrator_save(model->calibrator, out, err) : ERR_OK;
    }
    return ERR_OK;
}

/* Puts a number over 8 bytes written before. */
static void patch_u64(struct buffer *out, size_t offset, uint64_t value)
{
    for (size_t i = 0; !out->failed && i < 8; i++)
        out->data[offset + i] = (char)(value >> (8 * i));
}

static enum err_code write_section(const struct model *model, enum model_section section, struct buffer *out,
                                   struct err *err)
{
    buffer_append(out, model_section_tags[section], MODEL_TAG_BYTES);
    buffer_append_u64(out, 0);
    size_t begin = out->size_bytes;
    enum err_code code = write_payload(model, section, out, err);
    if (code)
        return code;
    if (!out->failed)
        patch_u64(out, begin - 8, out->size_bytes - begin);
    return ERR_OK;
}

enum err_code model_write(const struct model *model, struct buffer *out, struct err *err)
{
    size_t begin = out->size_bytes;
    unsigned char sum[HASH_BYTES];
    buffer_append(out, MODEL_MAGIC, MODEL_MAGIC_BYTES);
    buffer_append_u32(out, MODEL_FORMAT);
    buffer_append_u32(out, MODEL_SECTION_COUNT);
    buffer_append_u64(out, 0);
    for (int section = 0; section < MODEL_SECTION_COUNT; section++) {
        enum err_code code = write_section(model, (enum model_section)section, out, err);
        if (code)
            return code;
    }
    enum err_code code = buffer_check(out, "model file", err);
    if (code)
        return code;
    patch_u64(out, begin + 16, out->size_bytes - begin + HASH_BYTES);
    hash_bytes(out->data + begin, out->size_bytes - begin, sum);
    buffer_append(out, sum, sizeof sum);
    return buffer_check(out, "model file", err);
}

/* ---- reading ---- */

/* Magic, size and checksum, in the order that gives the most telling message. */
static enum err_code check_frame(const void *data, size_t size_bytes, struct err *err)
{
    struct reader in;
    unsigned char sum[HASH_BYTES];
    reader_init(&in, data, size_bytes);
    const void *magic = reader_bytes(&in, MODEL_MAGIC_BYTES);
    if (!magic || memcmp(magic, MODEL_MAGIC, MODEL_MAGIC_BYTES) != 0)
        return err_set(err, ERR_CORRUPT, "it is not a model file");
    uint32_t format = reader_u32(&in), sections = reader_u32(&in);
    uint64_t stated_bytes = reader_u64(&in);
    if (in.failed || size_bytes < MODEL_HEAD_BYTES + HASH_BYTES)
        return err_set(err, ERR_CORRUPT, "it is cut off in its head, %zu bytes", size_bytes);
    if (format != MODEL_FORMAT)
        return err_set(err, ERR_CORRUPT, "it has format %u, this program reads format %d", format,
                       MODEL_FORMAT);
    if (stated_bytes != size_bytes)
        return err_set(err, ERR_CORRUPT, "it has %zu bytes and says %llu", size_bytes,
                       (unsigned long long)stated_bytes);
    hash_bytes(data, size_bytes - HASH_BYTES, sum);
    if (memcmp(sum, (const unsigned char *)data + size_bytes - HASH_BYTES, HASH_BYTES) != 0)
        return err_set(err, ERR_CORRUPT, "its checksum does not fit: some byte was changed");
    if (sections != MODEL_SECTION_COUNT)
        return err_set(err, ERR_CORRUPT, "it has %u sections instead of %d", sections, MODEL_SECTION_COUNT);
    return ERR_OK;
}

enum err_code model_find_sections(const void *data, size_t size_bytes, struct model_span *spans,
                                  struct err *err)
{
    struct reader in;
    if (size_bytes > LIMIT_MODEL_BYTES)
        return err_set(err, ERR_CORRUPT, "it has %zu bytes, at most %lld are possible", size_bytes,
                       LIMIT_MODEL_BYTES);
    enum err_code code = check_frame(data, size_bytes, err);
    if (code)
        return code;
    reader_init(&in, data, size_bytes - HASH_BYTES);
    (void)reader_bytes(&in, MODEL_HEAD_BYTES);
    for (int i = 0; i < MODEL_SECTION_COUNT; i++) {
        const void *tag = reader_bytes(&in, MODEL_TAG_BYTES);
        uint64_t payload_bytes = reader_u64(&in);
        if (in.failed || memcmp(tag, model_section_tags[i], MODEL_TAG_BYTES) != 0 ||
            payload_bytes > reader_left(&in))
            return err_set(err, ERR_CORRUPT, "section '%s' is missing or cut off", model_section_tags[i]);
        spans[i].offset = in.offset;
        spans[i].size_bytes = (size_t)payload_bytes;
        spans[i].data = reader_bytes(&in, (size_t)payload_bytes);
    }
    return reader_is_done(&in) ? ERR_OK
                               : err_set(err, ERR_CORRUPT, "there are bytes behind its last section");
}

/* A whole section as text, copied with a terminator; NULL when it holds a zero or memory is short. */
static char *take_text(struct model_span span, size_t most_bytes)
{
    char *text = span.size_bytes <= most_bytes && !memchr(span.data, 0, span.size_bytes)
                     ? malloc(span.size_bytes + 1)
                     : NULL;
    if (text) {
        memcpy(text, span.data, span.size_bytes);
        text[span.size_bytes] = '\0';
    }
    return text;
}

/* Names of a section: one block holds the pointers and behind them the texts. *out is released with free. */
static enum err_code take_list(struct model_span span, size_t most, const char ***out, size_t *count,
                               struct err *err)
{
    struct reader in;
    reader_init(&in, span.data, span.size_bytes);
    *count = reader_u32(&in);
    *out = NULL;
    if (in.failed || *count < 1 || *count > most || *count > reader_left(&in) / 4)
        return err_set(err, ERR_CORRUPT, "%zu names are not possible", *count);
    const char **list = malloc(*count * (sizeof *list + LIMIT_NAME_BYTES));
    if (!list)
        return err_nomem(err, *count * (sizeof *list + LIMIT_NAME_BYTES));
    char *texts = (char *)(list + *count);
    for (size_t i = 0; i < *count; i++) {
        list[i] = texts + i * LIMIT_NAME_BYTES;
        (void)reader_text(&in, texts + i * LIMIT_NAME_BYTES, LIMIT_NAME_BYTES); /* failure sticks */
    }
    if (!reader_is_done(&in)) {
        free(list);
        return err_set(err, ERR_CORRUPT, "its names are malformed");
    }
    *out = list;
    return ERR_OK;
}

/* What is read before the model exists. */
struct loading {
    char *version, *engine_name, *description;
    const char **names, **class_names;
    struct model_parts parts;
};

static enum err_code load_texts(struct loading *loading, const struct model_span *spans, struct err *err)
{
    struct model_parts *parts = &loading->parts;
    loading->version = take_text(spans[MODEL_SECTION_VERSION], MODEL_VERSION_BYTES - 1);
    loading->engine_name = take_text(spans[MODEL_SECTION_ENGINE], LIMIT_NAME_BYTES);
    loading->description = take_text(spans[MODEL_SECTION_DESCRIPTION], LIMIT_JSON_BYTES);
    if (!loading->version || !loading->engine_name || !loading->description)
        return err_set(err, ERR_CORRUPT, "its texts are malformed");
    enum err_code code =
        take_list(spans[MODEL_SECTION_NAMES], LIMIT_FEATURES, &loading->names, &parts->columns, err);
    if (!code)
        code = take_list(spans[MODEL_SECTION_CLASSES], MODEL_CLASSES, &loading->class_names, &parts->classes,
                         err);
    parts->version = loading->version;
    parts->description = loading->description;
    parts->names = loading->names;
    parts->class_names = loading->class_names;
    parts->engine = engine_find(loading->engine_name);
    if (!code && !parts->engine)
        code =
            err_set(err, ERR_CORRUPT, "its engine '%.40s' is unknown to this program", loading->engine_name);
    return code;
}

static enum err_code load_machines(struct model_parts *parts, const struct model_span *spans, struct err *err)
{
    struct model_span predictor = spans[MODEL_SECTION_PREDICTOR],
                      calibrator = spans[MODEL_SECTION_CALIBRATOR];
    enum err_code code = parts->engine->load(predictor.data, predictor.size_bytes, parts->names,
                                             parts->columns, parts->classes, &parts->predictor, err);
    if (!code && calibrator.size_bytes > 0) {
        code = calibrator_load(calibrator.data, calibrator.size_bytes, &parts->calibrator, err);
        if (!code && calibrator_classes(parts->calibrator) != parts->classes)
            code = err_set(err, ERR_CORRUPT, "its calibrator is for %zu classes instead of %zu",
                           calibrator_classes(parts->calibrator), parts->classes);
    }
    return code;
}

static void destroy_machines(struct model_parts *parts)
{
    if (parts->engine)
        parts->engine->destroy(parts->predictor);
    if (parts->calibrator)
        calibrator_destroy(parts->calibrator);
}

enum err_code model_read(const void *data, size_t size_bytes, const char *name, struct model **out,
                         struct err *err)
{
    struct model_span spans[MODEL_SECTION_COUNT];
    struct loading loading = {.version = NULL};
    *out = NULL;
    enum err_code code = model_find_sections(data, size_bytes, spans, err);
    if (!code)
        code = load_texts(&loading, spans, err);
    if (!code)
        code = load_machines(&loading.parts, spans, err);
    if (!code)
        code = model_create(loading.parts, out, err);
    if (code)
        destroy_machines(&loading.parts);
    free(loading.version);
    free(loading.engine_name);
    free(loading.description);
    free(loading.names);
    free(loading.class_names);
    if (!code)
        return ERR_OK;
    if (err && code != ERR_NOMEM)
        err->code = ERR_CORRUPT; /* whatever a part calls it: the file is not one that this program wrote */
    err_prefix(err, "cannot read model '%.200s'", name);
    return code == ERR_NOMEM ? code : ERR_CORRUPT;
}
