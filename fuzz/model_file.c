/* Fuzzes model_read with the bytes as they are, with a size and checksum that fit them (or the fuzzer
 * would never get past those), and inside a well-formed file: first byte the engine, second the share of
 * the rest that is the predictor, what remains the calibrator. Then model_dump, and prediction with
 * whatever was accepted. */
#include "base/hash.h"
#include "learn/model.h"
#include "limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

enum { ROWS = 9, CLASSES = 64, SIZE_AT = 16, HEAD_BYTES = 24 };

static void read_one(const void *data, size_t size_bytes)
{
    static float x[ROWS * LIMIT_FEATURES];
    static double p[ROWS * CLASSES];
    struct model *model = NULL;
    struct err err;
    if (model_read(data, size_bytes, "fuzz", &model, &err))
        return;
    size_t columns = model_columns(model);
    for (size_t i = 0; i < ROWS * columns; i++)
        x[i] = i % 7 == 0 ? NAN : (float)((int)(i * 37 % 41) - 20) * 0.3f;
    model_predict(model, x, ROWS, p);
    struct buffer out;
    buffer_init(&out, 1 << 26);
    if (model_write(model, &out, &err)) /* what can be read can be written */
        abort();
    buffer_release(&out);
    model_destroy(model);
}

static void put_section(struct buffer *out, const char *tag, const void *data, size_t size_bytes)
{
    buffer_append(out, tag, 8);
    buffer_append_u64(out, size_bytes);
    buffer_append(out, data, size_bytes);
}

/* Size and checksum made to fit. */
static void forge(uint8_t *file, size_t size_bytes)
{
    for (size_t i = 0; i < 8; i++)
        file[SIZE_AT + i] = (uint8_t)((uint64_t)size_bytes >> (8 * i));
    hash_bytes(file, size_bytes - HASH_BYTES, file + size_bytes - HASH_BYTES);
}

static void read_in_frame(const uint8_t *data, size_t size_bytes)
{
    static const char classes[] = "\3\0\0\0\1\0\0\0h\1\0\0\0d\1\0\0\0a",
                      names[] = "\2\0\0\0\1\0\0\0x\1\0\0\0y";
    const struct engine *engine = size_bytes > 2 ? engine_at(data[0] % 4) : NULL;
    struct buffer file;
    if (!engine)
        return;
    size_t predictor_bytes = (size_bytes - 2) * data[1] / 255;
    buffer_init(&file, 1 << 26);
    buffer_append(&file, "ALMODEL\n\1\0\0\0\7\0\0\0\0\0\0\0\0\0\0\0", HEAD_BYTES);
    put_section(&file, "version\0", "0", 1);
    put_section(&file, "engine\0\0", engine->name, strlen(engine->name));
    put_section(&file, "classes\0", classes, sizeof classes - 1);
    put_section(&file, "names\0\0\0", names, sizeof names - 1);
    put_section(&file, "describe", "{}", 2);
    put_section(&file, "predict\0", data + 2, predictor_bytes);
    put_section(&file, "calibrat", data + 2 + predictor_bytes, size_bytes - 2 - predictor_bytes);
    if (buffer_extend(&file, HASH_BYTES)) {
        forge((uint8_t *)file.data, file.size_bytes);
        read_one(file.data, file.size_bytes);
    }
    buffer_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct buffer text;
    read_one(data, size_bytes);
    read_in_frame(data, size_bytes);
    buffer_init(&text, 1 << 24);
    model_dump(data, size_bytes, &text);
    buffer_release(&text);
    uint8_t *forged = malloc(size_bytes + 1);
    if (forged && size_bytes >= HEAD_BYTES + HASH_BYTES) {
        memcpy(forged, data, size_bytes);
        forge(forged, size_bytes);
        read_one(forged, size_bytes);
    }
    free(forged);
    return 0;
}
