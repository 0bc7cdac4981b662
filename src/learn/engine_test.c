/* The list of engines keeps the promises of engine.h. */
#include "learn/engine.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka.h needs setjmp.h, stdarg.h, stddef.h, stdint.h before it */
#include <cmocka.h>

static void every_engine_is_whole(void **state)
{
    (void)state;
    size_t count = 0;
    for (const struct engine *engine; (engine = engine_at(count)) != NULL; count++) {
        _Alignas(16) char options[ENGINE_OPTIONS_BYTES];
        assert_non_null(engine->name);
        assert_non_null(engine->doc);
        assert_true(engine->options_bytes <= ENGINE_OPTIONS_BYTES);
        assert_true(engine->train && engine->predict && engine->save && engine->load && engine->destroy);
        assert_string_equal(engine->options->name, engine->name);
        option_defaults(engine->options, options);
        assert_ptr_equal(engine_find(engine->name), engine);
        engine->destroy(NULL);
    }
    assert_true(count >= 4);
    assert_null(engine_at(count + 1000));
}

static void unknown_engines_are_not_found(void **state)
{
    (void)state;
    assert_null(engine_find("oracle"));
    assert_null(engine_find(""));
    assert_null(engine_find("LIGHTGBM"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_engine_is_whole),
        cmocka_unit_test(unknown_engines_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
