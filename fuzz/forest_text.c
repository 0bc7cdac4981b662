/* Fuzzes the reader of LightGBM's model text; what it accepts must predict, save and load to the same
 * bytes. */
#include "learn/forest.h"
#include "limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

enum { COLUMNS = 2, ROWS = 9, OUTPUTS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static const float x[ROWS * COLUMNS] = {0,     1, NAN, NAN, -1, 0.1f, 1e-35f, -1e-35f, 5,
                                            -0.5f, 3, 2,   NAN, 1,  -7,   8,      0,       0};
    static double out[ROWS * OUTPUTS];
    struct forest *forest = NULL, *back = NULL;
    struct buffer first, second;
    struct err err;
    if (forest_read_lightgbm((struct text){(const char *)data, size_bytes}, COLUMNS, &forest, &err))
        return 0;
    forest_predict_raw(forest, x, ROWS, out);
    buffer_init(&first, 1 << 26);
    buffer_init(&second, 1 << 26);
    if (forest_save(forest, &first, &err) || forest_load(first.data, first.size_bytes, &back, &err) ||
        forest_save(back, &second, &err) || first.size_bytes != second.size_bytes ||
        memcmp(first.data, second.data, first.size_bytes) != 0)
        abort();
    buffer_release(&first);
    buffer_release(&second);
    forest_destroy(forest);
    forest_destroy(back);
    return 0;
}
