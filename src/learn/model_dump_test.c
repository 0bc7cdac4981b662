/* The account of a whole, a damaged and no file. */
#include "learn/model.h"
#include "learn/test_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static struct buffer file, text;

static int setup(void **state)
{
    (void)state;
    struct model *model = test_model_create(&engine_lightgbm, CALIBRATION_TEMPERATURE);
    buffer_init(&file, 1 << 20);
    buffer_init(&text, 1 << 20);
    enum err_code code = model_write(model, &file, NULL);
    model_destroy(model);
    return code ? 1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    buffer_release(&file);
    buffer_release(&text);
    return 0;
}

static void dumped(const void *data, size_t size_bytes)
{
    buffer_clear(&text);
    model_dump(data, size_bytes, &text);
    assert_int_equal(text.failed, ERR_OK);
}

static void says(const char *what)
{
    if (!strstr(buffer_text(&text), what))
        fail_msg("no '%s' in:\n%s", what, buffer_text(&text));
}

static void a_whole_file_is_told(void **state)
{
    (void)state;
    dumped(file.data, file.size_bytes);
    says("00000000  magic good");
    says("00000018  section version, 16 bytes at 00000028\n  0123456789abcdef");
    says("section engine");
    says("3 names: home draw away\n");
    says("4 names: elo_plain_difference market_shin_home");
    says("{\"league\": \"E0\", \"log_loss\": 0.98}");
    says("section predict");
    says("checksum");
    says(" good\nintact: lightgbm 0123456789abcdef, 4 features, 3 classes, calibration temperature");
    says("gain: ");
    assert_null(strstr(buffer_text(&text), "DAMAGED"));
}

static void damage_is_told(void **state)
{
    (void)state;
    file.data[100] ^= 1;
    dumped(file.data, file.size_bytes);
    file.data[100] ^= 1;
    says("DAMAGED: does not fit the bytes");
    says("refused: cannot read model");
    says("section predict"); /* and the rest is still shown */
    dumped(file.data, file.size_bytes / 2);
    says("DAMAGED: not the file's size");
    says("DAMAGED: no section fits here");
    dumped("ALMO", 4);
    says("DAMAGED: not a model file");
    says("cut off in its head");
    dumped(NULL, 0);
    says("DAMAGED");
}

static void controls_never_reach_the_terminal(void **state)
{
    (void)state;
    char *at = memchr(file.data, '{', file.size_bytes); /* the description */
    assert_non_null(at);
    at[3] = '\033';
    dumped(file.data, file.size_bytes);
    at[3] = 'e';
    assert_null(strchr(buffer_text(&text), '\033'));
}

static void any_cut_and_any_byte_is_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < file.size_bytes; i++) {
        char *cut = malloc(i + 1);
        assert_non_null(cut);
        memcpy(cut, file.data, i);
        dumped(cut, i);
        free(cut);
        file.data[i] = (char)~file.data[i];
        dumped(file.data, file.size_bytes);
        file.data[i] = (char)~file.data[i];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_told),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(controls_never_reach_the_terminal),
        cmocka_unit_test(any_cut_and_any_byte_is_survived),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
