/* Names: a dictionary from text to dense ids 0..count-1, in order of first appearance. Owns its bytes. */
#ifndef ALMANAC_BASE_NAMES_H
#define ALMANAC_BASE_NAMES_H

#include "base/err.h"
#include "base/text.h"
#include <stdint.h>

struct names;

enum { NAMES_NONE = -1 };

struct names *names_create(void); /* NULL when out of memory */
void names_destroy(struct names *names);
/* The id of `text`, added if new; NAMES_NONE when out of memory. */
int32_t names_add(struct names *names, struct text text);
int32_t names_find(const struct names *names, struct text text); /* NAMES_NONE if absent */
const char *names_text(const struct names *names, int32_t id);   /* zero-terminated, valid until destroy */
int32_t names_count(const struct names *names);

#endif
