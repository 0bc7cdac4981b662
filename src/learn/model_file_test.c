/* The file: there and back, every cut, every flipped bit, forged checksums. */
#include "learn/model.h"
#include "learn/test_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static const float rows[3 * TEST_MODEL_COLUMNS] = {1, .5f, .3f, .2f, -3, NAN, NAN, NAN, NAN, .1f, .1f, .8f};
enum { ROWS = 3, FORMAT_AT = 8, SECTIONS_AT = 12, SIZE_AT = 16, HEAD_BYTES = 24 };

static struct buffer written(const struct model *model)
{
    struct buffer out;
    struct err err = {.code = ERR_OK};
    buffer_init(&out, 1 << 24);
    if (model_write(model, &out, &err))
        fail_msg("%s", err.text);
    return out;
}

static void every_engine_and_calibration_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; engine_at(i); i++) {
        for (int kind = 0; kind < CALIBRATION_COUNT; kind++) {
            struct model *model = test_model_create(engine_at(i), (enum calibration)kind), *back = NULL;
            struct buffer first = written(model);
            struct err err = {.code = ERR_OK};
            double a[ROWS * 3], b[ROWS * 3];
            if (model_read(first.data, first.size_bytes, "m", &back, &err))
                fail_msg("%s: %s", engine_at(i)->name, err.text);
            struct buffer second = written(back);
            assert_int_equal(first.size_bytes, second.size_bytes);
            assert_memory_equal(first.data, second.data, first.size_bytes);
            model_predict(model, rows, ROWS, a);
            model_predict(back, rows, ROWS, b);
            assert_memory_equal(a, b, sizeof a);
            assert_string_equal(model_version(back), "0123456789abcdef");
            assert_string_equal(model_names(back)[3], "market_shin_away");
            assert_string_equal(model_class_names(back)[1], "draw");
            assert_string_equal(model_description(back), model_description(model));
            assert_true((model_calibrator(back) == NULL) == (kind == CALIBRATION_NONE));
            buffer_release(&first);
            buffer_release(&second);
            model_destroy(model);
            model_destroy(back);
        }
    }
}

static void a_model_is_appended_to_what_is_there(void **state)
{
    (void)state;
    struct model *model = test_model_create(&engine_base_rate, CALIBRATION_NONE), *back = NULL;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    buffer_append_text(&out, "before");
    assert_int_equal(model_write(model, &out, NULL), ERR_OK);
    assert_int_equal(model_read(out.data + 6, out.size_bytes - 6, "m", &back, NULL), ERR_OK);
    model_destroy(back);
    buffer_release(&out);
    buffer_init(&out, 100); /* too small: an error, no crash */
    assert_int_equal(model_write(model, &out, NULL), ERR_TOO_LARGE);
    buffer_release(&out);
    model_destroy(model);
}

static void refused(const void *data, size_t size_bytes, const char *why)
{
    struct model *model = NULL;
    struct err err = {.code = ERR_OK};
    assert_int_equal(model_read(data, size_bytes, "E0.model", &model, &err), ERR_CORRUPT);
    assert_null(model);
    assert_int_equal(err.code, ERR_CORRUPT);
    if (!strstr(err.text, "'E0.model'") || !strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct model *model = test_model_create(&engine_lightgbm, CALIBRATION_ISOTONIC);
    struct buffer out = written(model);
    for (size_t size_bytes = 0; size_bytes < out.size_bytes; size_bytes++) {
        char *cut = malloc(size_bytes + 1);
        assert_non_null(cut);
        memcpy(cut, out.data, size_bytes);
        refused(cut, size_bytes, "");
        free(cut);
    }
    buffer_append_char(&out, 0);
    refused(out.data, out.size_bytes, "bytes and says");
    buffer_release(&out);
    model_destroy(model);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct model *model = test_model_create(&engine_elo_logit, CALIBRATION_PLATT);
    struct buffer out = written(model);
    for (size_t i = 0; i < 8 * out.size_bytes; i++) {
        out.data[i / 8] = (char)(out.data[i / 8] ^ (1 << (i % 8)));
        refused(out.data, out.size_bytes, "");
        out.data[i / 8] = (char)(out.data[i / 8] ^ (1 << (i % 8)));
    }
    out.data[100] ^= 1;
    refused(out.data, out.size_bytes, "checksum");
    buffer_release(&out);
    model_destroy(model);
}

/* With a good checksum over changed bytes lengths and indices count: refused, or a model that predicts. */
static void forged_files_do_no_harm(void **state)
{
    (void)state;
    for (size_t e = 0; engine_at(e); e++) {
        struct model *model = test_model_create(engine_at(e), CALIBRATION_ISOTONIC);
        struct buffer out = written(model);
        unsigned char *bytes = (unsigned char *)out.data;
        size_t accepted = 0;
        for (size_t i = 0; i < out.size_bytes - HASH_BYTES; i++) {
            for (unsigned change = 1; change < 256; change += 60) {
                struct model *back = NULL;
                double p[ROWS * 64];
                bytes[i] = (unsigned char)(bytes[i] ^ change);
                test_model_forge(bytes, out.size_bytes);
                if (!model_read(bytes, out.size_bytes, "m", &back, NULL)) {
                    accepted++;
                    model_predict(back, rows, model_columns(back) == TEST_MODEL_COLUMNS ? ROWS : 0, p);
                }
                model_destroy(back);
                bytes[i] = (unsigned char)(bytes[i] ^ change);
            }
        }
        assert_true(accepted > 0); /* names and numbers may differ: the forging works */
        buffer_release(&out);
        model_destroy(model);
    }
}

static void forged(struct buffer *out, size_t at, unsigned char value, const char *why)
{
    unsigned char *bytes = (unsigned char *)out->data, was = bytes[at];
    bytes[at] = value;
    test_model_forge(bytes, out->size_bytes);
    refused(bytes, out->size_bytes, why);
    bytes[at] = was;
}

static void the_message_names_the_fault(void **state)
{
    (void)state;
    struct model *model = test_model_create(&engine_base_rate, CALIBRATION_PLATT);
    struct buffer out = written(model);
    /* sections: 16 bytes of head each; version 16 bytes, then engine "base_rate" */
    size_t version_at = HEAD_BYTES + 16, engine_at_byte = version_at + 16 + 16;
    assert_memory_equal(out.data + engine_at_byte, "base_rate", 9);
    forged(&out, 0, 'B', "not a model file");
    forged(&out, FORMAT_AT, 2, "format 2");
    forged(&out, SECTIONS_AT, 6, "6 sections");
    forged(&out, SIZE_AT, (unsigned char)(out.data[SIZE_AT] + 1), "bytes and says");
    forged(&out, HEAD_BYTES, 'V', "section 'version'");
    forged(&out, HEAD_BYTES + 8 + 7, 0xff, "section 'version'");
    forged(&out, version_at, 'g', "hexadecimal");
    forged(&out, engine_at_byte, 'B', "'Base_rate' is unknown");
    refused("", 0, "not a model file");
    refused("ALMODEL\n", 8, "cut off");
    buffer_release(&out);
    model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_engine_and_calibration_comes_back),
        cmocka_unit_test(a_model_is_appended_to_what_is_there),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(forged_files_do_no_harm),
        cmocka_unit_test(the_message_names_the_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
