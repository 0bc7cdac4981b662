/* Online: the present, and an index of its matrix by match id. */
#include "serve/online.h"

#include "base/time.h"
#include "store/attribute_store.h"
#include "store/fixture_store.h"

#include <stdlib.h>

struct id_row {
    int64_t id;
    uint32_t row;
};

static int compare_ids(const void *a, const void *b)
{
    const struct id_row *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Without memory for it matches already played are answered with a reason. */
static void index_rows(struct online *online)
{
    const struct matrix *matrix = online->present.matrix;
    size_t rows = matrix_rows(matrix);
    struct id_row *order = malloc((rows + 1) * sizeof(*order));
    uint32_t *by_id = malloc((rows + 1) * sizeof(*by_id));
    for (size_t i = 0; order != NULL && i < rows; i++)
        order[i] = (struct id_row){matrix_row_info(matrix)[i].id, (uint32_t)i};
    if (order != NULL && by_id != NULL) {
        qsort(order, rows, sizeof(*order), compare_ids);
        for (size_t i = 0; i < rows; i++)
            by_id[i] = order[i].row;
        online->by_id = by_id;
        by_id = NULL;
    }
    free(order);
    free(by_id);
}

int64_t online_row(const struct online *online, int64_t match_id)
{
    const struct matrix *matrix = online->present.matrix;
    if (matrix == NULL || online->by_id == NULL)
        return -1;
    const struct matrix_row *rows = matrix_row_info(matrix);
    size_t low = 0, high = matrix_rows(matrix);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[online->by_id[middle]].id < match_id)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < matrix_rows(matrix) && rows[online->by_id[low]].id == match_id;
    return is_found ? (int64_t)online->by_id[low] : -1;
}

void online_destroy(struct online *online)
{
    if (online == NULL)
        return;
    present_release(&online->present);
    attributes_destroy(online->attributes);
    free(online->by_id);
    free(online);
}

void online_fill_attributes(const struct online *online, size_t stream, struct fixture *fixture)
{
    const int32_t team[SIDE_COUNT] = {fixture->home, fixture->away};
    for (size_t side = 0; side < SIDE_COUNT; side++)
        attributes_fill(online->attributes, teams_id(online->present.teams, stream, team[side]),
                        fixture->season, fixture->day, fixture->attributes[side]);
}

static enum err_code load_attributes(struct store *store, struct attributes **out, struct err *err)
{
    static const struct history_options whole;
    struct frame *frame = NULL;
    enum err_code code = attribute_store_load(store->db, &frame, err);
    if (code == ERR_OK)
        code = attributes_create(frame, &whole, out, err);
    frame_destroy(frame);
    return code;
}

/* With the matrix if that is no more than the effort, else the state alone. */
static enum err_code open_present(struct store *store, enum online_effort effort, struct present *out,
                                  struct err *err)
{
    struct present_request request = {.store = store,
                                      .want_matrix = true,
                                      .want_state = true,
                                      .only_open = effort == ONLINE_OPEN,
                                      .only_extend = true};
    enum err_code code = present_open(&request, out, err);
    if (code != ERR_NOT_FOUND)
        return code;
    request.want_matrix = false;
    request.only_extend = effort != ONLINE_BUILD;
    return present_open(&request, out, err);
}

enum err_code online_open(struct store *store, enum online_effort effort, struct online **out,
                          struct err *err)
{
    struct online *online = calloc(1, sizeof(*online));
    if (online == NULL)
        return err_nomem(err, sizeof(*online));
    enum err_code code = football_store_last_kickoff(store->db, &online->last_kickoff_us, err);
    if (code == ERR_OK)
        code = load_attributes(store, &online->attributes, err);
    if (code == ERR_OK)
        code = open_present(store, effort, &online->present, err);
    if (code != ERR_OK) {
        online_destroy(online);
        return code;
    }
    if (online->present.matrix != NULL)
        index_rows(online);
    *out = online;
    return ERR_OK;
}
