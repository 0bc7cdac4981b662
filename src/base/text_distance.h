/* How far two names are apart: for "did you mean". Pure. */
#ifndef ALMANAC_BASE_TEXT_DISTANCE_H
#define ALMANAC_BASE_TEXT_DISTANCE_H

#include <stddef.h>

enum { TEXT_DISTANCE_BYTES = 256 };

/* Edits (insert, delete, replace a byte) that turn one into the other (Wagner & Fischer 1974); SIZE_MAX when the second is
 * longer than TEXT_DISTANCE_BYTES. */
size_t text_distance(const char *left, const char *right);

#endif
