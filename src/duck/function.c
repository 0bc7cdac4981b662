/* Functions of SQL that are answered by C: scalar functions of DuckDB's. The engine keeps what it was given for ever, so that
 * a name is registered once and points to a record of ours, in which callback and context may change between statements. */
#include "duck/duck.h"
#include "duck/duck_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct duck_bound {
    struct duck_bound *next;
    char *name;
    size_t argument_count;
    duck_callback *callback;
    void *context;
};

static void bound_destroy(void *info)
{
    struct duck_bound *bound = info;
    free(bound->name);
    free(bound);
}

enum { MOST_ARGUMENTS = 2048 }; /* on the stack of an engine's thread: 32 KB */

static void answer(void *info, void *chunk, void *out_vector)
{
    const struct duck_library *library;
    enum err_code code = duck_library_open(&library, NULL);
    assert(code == ERR_OK);
    (void)code;
    const struct duck_bound *bound = library->scalar_function_get_extra_info(info);
    const size_t row_count = (size_t)library->data_chunk_get_size(chunk);
    library->vector_ensure_validity_writable(out_vector);
    if (bound->callback == NULL) {
        memset(library->vector_get_validity(out_vector), 0, (row_count + 63) / 64 * sizeof(uint64_t));
        return;
    }
    const void *arguments[MOST_ARGUMENTS];
    const uint64_t *is_set[MOST_ARGUMENTS];
    for (size_t i = 0; i < bound->argument_count; i++) {
        void *vector = library->data_chunk_get_vector(chunk, i);
        arguments[i] = library->vector_get_data(vector);
        is_set[i] = library->vector_get_validity(vector);
    }
    const struct duck_call call = {row_count, arguments, is_set, library->vector_get_data(out_vector),
                                   library->vector_get_validity(out_vector)};
    bound->callback(bound->context, &call);
}

static int type_of(enum duck_column_kind kind)
{
    assert(kind != DUCK_COLUMN_TEXT && kind != DUCK_COLUMN_CODE);
    return duck_column_type(&(struct duck_column){.kind = kind});
}

static enum err_code register_function(struct duck *duck, const struct duck_function *function,
                                       struct duck_bound *bound, struct err *err)
{
    const struct duck_library *library = duck->library;
    void *made = library->create_scalar_function();
    library->scalar_function_set_name(made, function->name);
    for (size_t i = 0; i < function->argument_count; i++) {
        void *type = library->create_logical_type(type_of(function->arguments[i]));
        library->scalar_function_add_parameter(made, type);
        library->destroy_logical_type(&type);
    }
    void *type = library->create_logical_type(type_of(function->result));
    library->scalar_function_set_return_type(made, type);
    library->destroy_logical_type(&type);
    library->scalar_function_set_special_handling(made); /* NULLs are for the callback */
    library->scalar_function_set_volatile(made);         /* it may answer otherwise in the next statement */
    library->scalar_function_set_extra_info(made, bound, bound_destroy);
    library->scalar_function_set_function(made, answer);
    int failed = library->register_scalar_function(duck->connection, made);
    library->destroy_scalar_function(&made); /* refused: frees bound too */
    return failed ? err_set(err, ERR_INTERNAL, "DuckDB refuses the function '%s'", function->name) : ERR_OK;
}

enum err_code duck_bind_function(struct duck *duck, const struct duck_function *function, struct err *err)
{
    assert(function->argument_count <= MOST_ARGUMENTS);
    for (struct duck_bound *bound = duck->bound; bound != NULL; bound = bound->next) {
        if (strcmp(bound->name, function->name) != 0)
            continue;
        assert(bound->argument_count == function->argument_count);
        bound->callback = function->callback;
        bound->context = function->context;
        return ERR_OK;
    }
    enum err_code code = duck_settle(duck, err);
    if (code != ERR_OK)
        return code;
    struct duck_bound *bound = calloc(1, sizeof(*bound));
    char *name = strdup(function->name);
    if (bound == NULL || name == NULL) {
        free(bound);
        free(name);
        return err_nomem(err, sizeof(*bound));
    }
    *bound = (struct duck_bound){duck->bound, name, function->argument_count, function->callback,
                                 function->context};
    code = register_function(duck, function, bound, err);
    if (code == ERR_OK)
        duck->bound = bound;
    return code;
}

void duck_unbind_function(struct duck *duck, const char *name)
{
    for (struct duck_bound *bound = duck->bound; bound != NULL; bound = bound->next) {
        if (strcmp(bound->name, name) == 0)
            bound->callback = NULL;
    }
}
