/* Model parts: the model's members and the names of its file's sections, shared by model*.c only. */
#ifndef ALMANAC_LEARN_MODEL_PARTS_H
#define ALMANAC_LEARN_MODEL_PARTS_H

#include "base/hash.h"
#include "learn/model.h"

enum {
    MODEL_MAGIC_BYTES = 8,
    MODEL_FORMAT = 1,
    MODEL_HEAD_BYTES = 24,         /* magic, format, section count, file size */
    MODEL_SECTION_HEAD_BYTES = 16, /* tag, size */
    MODEL_TAG_BYTES = 8,
    MODEL_CLASSES = 64,
};
#define MODEL_MAGIC "ALMODEL\n"

/* In the order of the file; every section is there exactly once. */
enum model_section {
    MODEL_SECTION_VERSION,
    MODEL_SECTION_ENGINE,
    MODEL_SECTION_CLASSES,
    MODEL_SECTION_NAMES,
    MODEL_SECTION_DESCRIPTION,
    MODEL_SECTION_PREDICTOR,
    MODEL_SECTION_CALIBRATOR,
    MODEL_SECTION_COUNT
};
extern const char model_section_tags[MODEL_SECTION_COUNT][MODEL_TAG_BYTES + 1];

struct model_span {
    const unsigned char *data;
    size_t size_bytes, offset; /* offset of data in the file */
};

struct model {
    const struct engine *engine;
    struct predictor *predictor;
    struct calibrator *calibrator; /* NULL: none */
    const char **names, **class_names;
    size_t columns, classes;
    char *description;
    char version[MODEL_VERSION_BYTES];
};

/* The sections of an intact file; spans[MODEL_SECTION_COUNT]. ERR_CORRUPT says what is wrong, without the
 * name. */
enum err_code model_find_sections(const void *data, size_t size_bytes, struct model_span *spans,
                                  struct err *err) CHECKED;

#endif
