/* DUCK_FUNCTION(result, name, arguments): what we call of DuckDB's C API (duckdb.h of 1.2), without its prefix "duckdb_".
 *
 * Handles are void *; a function that ends one takes its address. States are int, 0 is success. Strings returned as char *
 * are freed with free(), as const char * they belong to the handle. */
DUCK_FUNCTION(const char *, library_version, (void))
DUCK_FUNCTION(void, free, (void *memory))

/* engine and connection */
DUCK_FUNCTION(int, create_config, (void **out_config))
DUCK_FUNCTION(int, set_config, (void *config, const char *name, const char *option))
DUCK_FUNCTION(void, destroy_config, (void **config))
DUCK_FUNCTION(int, open_ext, (const char *path, void **out_database, void *config, char **out_error))
DUCK_FUNCTION(void, close, (void **database))
DUCK_FUNCTION(int, connect, (void *database, void **out_connection))
DUCK_FUNCTION(void, disconnect, (void **connection))
DUCK_FUNCTION(void, interrupt, (void *connection))

/* statements */
DUCK_FUNCTION(int, prepare, (void *connection, const char *sql, void **out_statement))
DUCK_FUNCTION(void, destroy_prepare, (void **statement))
DUCK_FUNCTION(const char *, prepare_error, (void *statement))
DUCK_FUNCTION(uint64_t, nparams, (void *statement))
DUCK_FUNCTION(int, bind_int64, (void *statement, uint64_t index, int64_t value))
DUCK_FUNCTION(int, bind_double, (void *statement, uint64_t index, double value))
DUCK_FUNCTION(int, bind_varchar, (void *statement, uint64_t index, const char *value))
DUCK_FUNCTION(int, bind_null, (void *statement, uint64_t index))
DUCK_FUNCTION(int, execute_prepared, (void *statement, struct duck_raw_result *out))
DUCK_FUNCTION(int, execute_prepared_streaming, (void *statement, struct duck_raw_result *out))

/* results */
DUCK_FUNCTION(void, destroy_result, (struct duck_raw_result * result))
DUCK_FUNCTION(const char *, result_error, (struct duck_raw_result * result))
DUCK_FUNCTION(int, result_return_type, (struct duck_raw_result result))
DUCK_FUNCTION(uint64_t, rows_changed, (struct duck_raw_result * result))
DUCK_FUNCTION(uint64_t, column_count, (struct duck_raw_result * result))
DUCK_FUNCTION(const char *, column_name, (struct duck_raw_result * result, uint64_t column))
DUCK_FUNCTION(void *, column_logical_type, (struct duck_raw_result * result, uint64_t column))
DUCK_FUNCTION(void *, fetch_chunk, (struct duck_raw_result result))

/* chunks and vectors */
DUCK_FUNCTION(void *, create_data_chunk, (void **types, uint64_t column_count))
DUCK_FUNCTION(void, destroy_data_chunk, (void **chunk))
DUCK_FUNCTION(void, data_chunk_reset, (void *chunk))
DUCK_FUNCTION(void *, data_chunk_get_vector, (void *chunk, uint64_t column))
DUCK_FUNCTION(uint64_t, data_chunk_get_size, (void *chunk))
DUCK_FUNCTION(void, data_chunk_set_size, (void *chunk, uint64_t size))
DUCK_FUNCTION(uint64_t, vector_size, (void))
DUCK_FUNCTION(void *, vector_get_data, (void *vector))
DUCK_FUNCTION(uint64_t *, vector_get_validity, (void *vector))
DUCK_FUNCTION(void, vector_ensure_validity_writable, (void *vector))
DUCK_FUNCTION(void, vector_assign_string_element, (void *vector, uint64_t index, const char *text))
DUCK_FUNCTION(void *, list_vector_get_child, (void *vector))
DUCK_FUNCTION(void *, array_vector_get_child, (void *vector))
DUCK_FUNCTION(void *, struct_vector_get_child, (void *vector, uint64_t index))

/* types */
DUCK_FUNCTION(void *, create_logical_type, (int type))
DUCK_FUNCTION(void, destroy_logical_type, (void **type))
DUCK_FUNCTION(int, get_type_id, (void *type))
DUCK_FUNCTION(uint8_t, decimal_width, (void *type))
DUCK_FUNCTION(uint8_t, decimal_scale, (void *type))
DUCK_FUNCTION(int, decimal_internal_type, (void *type))
DUCK_FUNCTION(int, enum_internal_type, (void *type))
DUCK_FUNCTION(char *, enum_dictionary_value, (void *type, uint64_t index))
DUCK_FUNCTION(void *, list_type_child_type, (void *type))
DUCK_FUNCTION(void *, array_type_child_type, (void *type))
DUCK_FUNCTION(uint64_t, array_type_array_size, (void *type))
DUCK_FUNCTION(void *, map_type_key_type, (void *type))
DUCK_FUNCTION(void *, map_type_value_type, (void *type))
DUCK_FUNCTION(uint64_t, struct_type_child_count, (void *type))
DUCK_FUNCTION(char *, struct_type_child_name, (void *type, uint64_t index))
DUCK_FUNCTION(void *, struct_type_child_type, (void *type, uint64_t index))

/* bulk insertion */
DUCK_FUNCTION(int, appender_create,
              (void *connection, const char *schema, const char *table, void **out_appender))
DUCK_FUNCTION(const char *, appender_error, (void *appender))
DUCK_FUNCTION(int, appender_close, (void *appender))
DUCK_FUNCTION(int, appender_destroy, (void **appender))
DUCK_FUNCTION(int, append_data_chunk, (void *appender, void *chunk))

/* rows of our memory as a table function */
DUCK_FUNCTION(void *, create_table_function, (void))
DUCK_FUNCTION(void, destroy_table_function, (void **function))
DUCK_FUNCTION(void, table_function_set_name, (void *function, const char *name))
DUCK_FUNCTION(void, table_function_set_extra_info, (void *function, void *info, void (*destroy)(void *info)))
DUCK_FUNCTION(void, table_function_set_bind, (void *function, void (*bind)(void *info)))
DUCK_FUNCTION(void, table_function_set_init, (void *function, void (*init)(void *info)))
DUCK_FUNCTION(void, table_function_set_function, (void *function, void (*fill)(void *info, void *chunk)))
DUCK_FUNCTION(void, table_function_supports_projection_pushdown, (void *function, bool does))
DUCK_FUNCTION(int, register_table_function, (void *connection, void *function))
DUCK_FUNCTION(void *, bind_get_extra_info, (void *info))
DUCK_FUNCTION(void, bind_add_result_column, (void *info, const char *name, void *type))
DUCK_FUNCTION(void, bind_set_cardinality, (void *info, uint64_t rows, bool is_exact))
DUCK_FUNCTION(void *, init_get_extra_info, (void *info))
DUCK_FUNCTION(void, init_set_init_data, (void *info, void *data, void (*destroy)(void *data)))
DUCK_FUNCTION(void, init_set_error, (void *info, const char *text))
DUCK_FUNCTION(uint64_t, init_get_column_count, (void *info))
DUCK_FUNCTION(uint64_t, init_get_column_index, (void *info, uint64_t index))
DUCK_FUNCTION(void *, function_get_init_data, (void *info))

/* functions of ours in SQL */
DUCK_FUNCTION(void *, create_scalar_function, (void))
DUCK_FUNCTION(void, destroy_scalar_function, (void **function))
DUCK_FUNCTION(void, scalar_function_set_name, (void *function, const char *name))
DUCK_FUNCTION(void, scalar_function_add_parameter, (void *function, void *type))
DUCK_FUNCTION(void, scalar_function_set_return_type, (void *function, void *type))
DUCK_FUNCTION(void, scalar_function_set_special_handling, (void *function))
DUCK_FUNCTION(void, scalar_function_set_volatile, (void *function))
DUCK_FUNCTION(void, scalar_function_set_extra_info, (void *function, void *info, void (*destroy)(void *info)))
DUCK_FUNCTION(void, scalar_function_set_function,
              (void *function, void (*call)(void *info, void *chunk, void *out_vector)))
DUCK_FUNCTION(void *, scalar_function_get_extra_info, (void *info))
DUCK_FUNCTION(int, register_scalar_function, (void *connection, void *function))
