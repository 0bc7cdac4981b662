/* One row of the table of distances at a time. */
#include "base/text_distance.h"

#include <stdint.h>
#include <string.h>

size_t text_distance(const char *left, const char *right)
{
    size_t row[TEXT_DISTANCE_BYTES + 1], width = strlen(right);
    if (width > TEXT_DISTANCE_BYTES)
        return SIZE_MAX;
    for (size_t column = 0; column <= width; column++)
        row[column] = column;
    for (size_t line = 1; *left != '\0'; left++, line++) {
        size_t diagonal = row[0];
        row[0] = line;
        for (size_t column = 1; column <= width; column++) {
            size_t replaced = diagonal + (right[column - 1] != *left);
            size_t shorter = row[column] < row[column - 1] ? row[column] + 1 : row[column - 1] + 1;
            diagonal = row[column];
            row[column] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[width];
}
