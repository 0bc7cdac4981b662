/* Model dump: the file section by section with offsets, for a person. Written for damaged files above all: it
 * walks the bytes itself, says where they stop making sense, and only then asks model_read for what needs the
 * whole. */
#include "base/text.h"
#include "learn/model_parts.h"
#include "learn/reader.h"
#include "limits.h"

#include <stdlib.h>
#include <string.h>

enum { DUMP_TEXT_BYTES = 4000, DUMP_FEATURES = 10 };

/* Text of unknown origin on a terminal: printable ASCII and whole UTF-8 stay, controls become '?'. */
static void put_text(struct buffer *out, const void *data, size_t size_bytes)
{
    const unsigned char *bytes = data;
    size_t shown = size_bytes < DUMP_TEXT_BYTES ? size_bytes : DUMP_TEXT_BYTES;
    bool is_utf8 = text_is_utf8((struct text){data, size_bytes});
    for (size_t i = 0; i < shown; i++) {
        bool is_plain = (bytes[i] >= ' ' && bytes[i] < 0x7f) || (bytes[i] >= 0x80 && is_utf8);
        buffer_append_char(out, is_plain ? (char)bytes[i] : '?');
    }
    if (shown < size_bytes)
        buffer_printf(out, "... (%zu bytes more)", size_bytes - shown);
}

static void put_list(struct buffer *out, struct model_span span)
{
    struct reader in;
    reader_init(&in, span.data, span.size_bytes);
    uint32_t count = reader_u32(&in);
    buffer_printf(out, "  %u names:", count);
    for (uint32_t i = 0; i < count && reader_left(&in) > 0; i++) {
        uint32_t size_bytes = reader_u32(&in);
        const void *name = reader_bytes(&in, size_bytes);
        if (!name)
            break;
        buffer_append_char(out, ' ');
        put_text(out, name, size_bytes);
    }
    buffer_append_text(out, reader_is_done(&in) ? "\n" : "\n  DAMAGED: the names do not fill the section\n");
}

static void put_payload(struct buffer *out, const char *tag, struct model_span span)
{
    bool is_list =
        strncmp(tag, "names", MODEL_TAG_BYTES) == 0 || strncmp(tag, "classes", MODEL_TAG_BYTES) == 0;
    bool is_text = strncmp(tag, "version", MODEL_TAG_BYTES) == 0 ||
                   strncmp(tag, "engine", MODEL_TAG_BYTES) == 0 ||
                   strncmp(tag, "describe", MODEL_TAG_BYTES) == 0;
    if (is_list) {
        put_list(out, span);
    } else if (is_text) {
        buffer_append_text(out, "  ");
        put_text(out, span.data, span.size_bytes);
        buffer_append_char(out, '\n');
    }
}

/* Sections from the head on, as far as they make sense. */
static void put_sections(struct buffer *out, const unsigned char *data, size_t size_bytes)
{
    struct reader in;
    reader_init(&in, data, size_bytes - HASH_BYTES);
    (void)reader_bytes(&in, MODEL_HEAD_BYTES);
    while (reader_left(&in) > 0) {
        size_t at = in.offset;
        char tag[MODEL_TAG_BYTES + 1] = "";
        const void *bytes = reader_bytes(&in, MODEL_TAG_BYTES);
        uint64_t payload_bytes = reader_u64(&in);
        if (in.failed || payload_bytes > reader_left(&in)) {
            buffer_printf(out, "%08zx  DAMAGED: no section fits here\n", at);
            return;
        }
        memcpy(tag, bytes, MODEL_TAG_BYTES);
        buffer_printf(out, "%08zx  section ", at);
        put_text(out, tag, strlen(tag));
        buffer_printf(out, ", %llu bytes at %08zx\n", (unsigned long long)payload_bytes, in.offset);
        struct model_span span = {.size_bytes = (size_t)payload_bytes, .offset = in.offset};
        span.data = reader_bytes(&in, span.size_bytes);
        put_payload(out, tag, span);
    }
}

static void put_head(struct buffer *out, const unsigned char *data, size_t size_bytes)
{
    struct reader in;
    reader_init(&in, data, size_bytes);
    const void *magic = reader_bytes(&in, MODEL_MAGIC_BYTES);
    bool is_model = magic && memcmp(magic, MODEL_MAGIC, MODEL_MAGIC_BYTES) == 0;
    buffer_printf(out, "%08x  magic %s\n", 0, is_model ? "good" : "DAMAGED: not a model file");
    uint32_t format = reader_u32(&in), sections = reader_u32(&in);
    uint64_t stated_bytes = reader_u64(&in);
    buffer_printf(out, "%08x  format %u%s\n", 8, format, format == MODEL_FORMAT ? "" : ", UNKNOWN");
    buffer_printf(out, "%08x  %u sections%s\n", 12, sections,
                  sections == MODEL_SECTION_COUNT ? "" : ", UNEXPECTED");
    buffer_printf(out, "%08x  %llu bytes%s\n", 16, (unsigned long long)stated_bytes,
                  stated_bytes == size_bytes ? "" : ", DAMAGED: not the file's size");
}

static void put_checksum(struct buffer *out, const unsigned char *data, size_t size_bytes)
{
    unsigned char sum[HASH_BYTES];
    hash_bytes(data, size_bytes - HASH_BYTES, sum);
    bool is_good = memcmp(sum, data + size_bytes - HASH_BYTES, HASH_BYTES) == 0;
    buffer_printf(out, "%08zx  checksum ", size_bytes - HASH_BYTES);
    for (size_t i = 0; i < HASH_BYTES; i++)
        buffer_printf(out, "%02x", data[size_bytes - HASH_BYTES + i]);
    buffer_append_text(out, is_good ? " good\n" : " DAMAGED: does not fit the bytes\n");
}

/* The features that gain most, most first. */
static void put_importance(struct buffer *out, const struct model *model)
{
    size_t columns = model_columns(model);
    double *gain = calloc(columns, sizeof *gain);
    if (!gain || !model_engine(model)->importance) {
        free(gain);
        return;
    }
    model_engine(model)->importance(model_predictor(model), gain);
    buffer_append_text(out, "gain:");
    for (size_t shown = 0; shown < DUMP_FEATURES; shown++) {
        size_t best = 0;
        for (size_t i = 1; i < columns; i++)
            best = gain[i] > gain[best] ? i : best;
        if (!(gain[best] > 0))
            break;
        buffer_append_char(out, ' ');
        put_text(out, model_names(model)[best], strlen(model_names(model)[best]));
        buffer_printf(out, "=%.4g", gain[best]);
        gain[best] = 0;
    }
    buffer_append_char(out, '\n');
    free(gain);
}

static void put_verdict(struct buffer *out, const void *data, size_t size_bytes)
{
    struct model *model = NULL;
    struct err err = {.code = ERR_OK};
    if (model_read(data, size_bytes, "the file", &model, &err)) {
        buffer_printf(out, "refused: %s\n", err.text);
        return;
    }
    const struct calibrator *calibrator = model_calibrator(model);
    buffer_printf(out, "intact: %s %s, %zu features, %zu classes, calibration %s\n",
                  model_engine(model)->name, model_version(model), model_columns(model), model_classes(model),
                  calibration_name(calibrator ? calibrator_kind(calibrator) : CALIBRATION_NONE));
    put_importance(out, model);
    model_destroy(model);
}

void model_dump(const void *data, size_t size_bytes, struct buffer *out)
{
    put_head(out, data, size_bytes);
    if (size_bytes >= MODEL_HEAD_BYTES + HASH_BYTES) {
        put_sections(out, data, size_bytes);
        put_checksum(out, data, size_bytes);
    } else {
        buffer_printf(out, "%08zx  DAMAGED: the file ends here, cut off in its head\n", size_bytes);
    }
    put_verdict(out, data, size_bytes);
}
