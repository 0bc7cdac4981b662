/* For clang-tidy only (tools/check.sh includes it in front of every file but base/err.c): the functions that write an
 * error always return a failure, which the analyzer cannot see from another translation unit. Without this it follows
 * paths on which `return err_nomem(...)` means success, and reports null pointers on them. */
#ifndef ALMANAC_TOOLS_ANALYZER_H
#define ALMANAC_TOOLS_ANALYZER_H

#include "base/err.h"

#define err_set(err, code, ...)       ((void)(err_set)((err), (code), __VA_ARGS__), (code))
#define err_set_field(err, code, ...) ((void)(err_set_field)((err), (code), __VA_ARGS__), (code))
#define err_set_errno(...)            ((void)(err_set_errno)(__VA_ARGS__), ERR_IO)
#define err_prefix(...)               ((void)(err_prefix)(__VA_ARGS__), ERR_IO)
#define err_nomem(...)                ((void)(err_nomem)(__VA_ARGS__), ERR_NOMEM)

#endif
