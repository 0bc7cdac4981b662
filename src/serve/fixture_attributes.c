/* One query, one look-up. */
#include "serve/fixture_attributes.h"

#include "football/attributes.h"
#include "store/attribute_store.h"

enum err_code fixture_attributes(struct db *db, int64_t home_id, int64_t away_id, struct fixture *fixture,
                                 struct err *err)
{
    const struct history_options whole = {0};
    struct frame *frame = NULL;
    struct attributes *attributes = NULL;
    enum err_code code = attribute_store_load_pair(db, home_id, away_id, &frame, err);
    if (code == ERR_OK)
        code = attributes_create(frame, &whole, &attributes, err);
    if (code == ERR_OK) {
        attributes_fill(attributes, home_id, fixture->season, fixture->day, fixture->attributes[SIDE_HOME]);
        attributes_fill(attributes, away_id, fixture->season, fixture->day, fixture->attributes[SIDE_AWAY]);
    }
    attributes_destroy(attributes);
    frame_destroy(frame);
    return code;
}
