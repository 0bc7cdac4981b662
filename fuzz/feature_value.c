/* Fuzzes rows of features that come back from a Redis which others write to as well: the bytes as they are, with a size and
 * check that fit them, and as the row of a view that a reader takes: then all but its moments and numbers is as the reader
 * wants it.
 *
 * What is read writes back to the same bytes; what is taken is of an age that its view allows, and its answer is JSON with
 * the numbers of the row; what is not taken leaves no trace. */
#include "serve/feature_value.h"
#include "base/json.h"
#include "base/time.h"
#include "football/league.h"
#include "serve/feature_reader_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

/* Places in the header (docs/formats/online.md). */
enum { AT_COUNT = 4, AT_SCHEMA = 8, AT_DATA = 24, AT_ORIGIN = 72, AT_CHECK = 80, SKEW_US = 60000000 };
static const int64_t present_us = INT64_C(1700000000000000);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- a reader without a store: two teams, no Redis ---- */

static int64_t now_us(void *context)
{
    (void)context;
    return present_us;
}

static struct teams *make_teams(void)
{
    static const struct frame_field fields[] = {
        {"id", FRAME_I64}, {"country", FRAME_TEXT}, {"name", FRAME_TEXT}};
    struct frame_builder *builder = NULL;
    struct frame *frame = NULL;
    struct teams *teams = NULL;
    require(frame_builder_create(fields, 3, 0, &builder, NULL) == ERR_OK);
    for (int64_t id = 1; id <= 2; id++) {
        frame_set_i64(builder, 0, id);
        frame_set_text(builder, 1, text_of(league_country_name(0)));
        frame_set_text(builder, 2, text_of(id == 1 ? "Red \"Star\"" : "Bl\xC3\xA5"));
        frame_next_row(builder);
    }
    require(frame_builder_finish(builder, &frame, NULL) == ERR_OK);
    require(teams_create(frame, &teams, NULL) == ERR_OK);
    frame_destroy(frame);
    frame_builder_destroy(builder);
    return teams;
}

static struct feature_reader *the_reader(void)
{
    static struct online online;
    static struct feature_reader *reader;
    if (reader != NULL)
        return reader;
    struct feature_reader_options options = {.clock = {.now_us = now_us, .monotonic_us = now_us},
                                             .memory_bytes = 1 << 20};
    require(feature_reader_create(&options, &reader, NULL) == ERR_OK);
    online.present.teams = make_teams();
    reader->online = &online;
    memset(reader->data, 0x5a, sizeof(reader->data));
    return reader;
}

/* ---- any bytes ---- */

static void check_number(float value)
{
    struct buffer text;
    buffer_init(&text, 64);
    feature_value_write_number(&text, value);
    require(text.failed == ERR_OK && text.size_bytes > 0);
    if (isfinite(value))
        require(strtof(buffer_text(&text), NULL) == value);
    else
        require(strcmp(buffer_text(&text), "null") == 0);
    buffer_release(&text);
}

static bool read_one(const void *data, size_t size_bytes)
{
    struct feature_value value;
    struct buffer back;
    if (!feature_value_read(data, size_bytes, &value))
        return false;
    require(value.count * sizeof(float) == size_bytes - FEATURE_VALUE_HEADER_BYTES);
    require(value.json == NULL && value.json_bytes == 0);
    require(value.origin == FEATURE_OF_STATE || value.origin == FEATURE_OF_MATRIX);
    for (size_t i = 0; i < value.count; i++)
        check_number(value.values[i]);
    buffer_init(&back, size_bytes);
    feature_value_write(&value, &back);
    require(back.failed == ERR_OK && back.size_bytes == size_bytes &&
            memcmp(back.data, data, size_bytes) == 0);
    buffer_release(&back);
    return true;
}

/* Magic, count and check made to fit; size_bytes: header and whole floats. */
static void forge(uint8_t *bytes, size_t size_bytes)
{
    size_t values_bytes = size_bytes - FEATURE_VALUE_HEADER_BYTES;
    uint32_t count = (uint32_t)(values_bytes / sizeof(float));
    memcpy(bytes, "AFV1", 4);
    memcpy(bytes + AT_COUNT, &count, sizeof(count));
    uint64_t check = hash_u64(bytes + FEATURE_VALUE_HEADER_BYTES, values_bytes, hash_u64(bytes, AT_CHECK, 0));
    memcpy(bytes + AT_CHECK, &check, sizeof(check));
}

static void read_forged(const uint8_t *data, size_t size_bytes)
{
    if (size_bytes < FEATURE_VALUE_HEADER_BYTES)
        return;
    size_bytes -= (size_bytes - FEATURE_VALUE_HEADER_BYTES) % sizeof(float);
    uint8_t *forged = malloc(size_bytes);
    require(forged != NULL);
    memcpy(forged, data, size_bytes);
    forge(forged, size_bytes);
    (void)read_one(forged, size_bytes);
    free(forged);
}

/* ---- rows of a view ---- */

static void check_answer(const struct feature_reader *reader, size_t view,
                         const struct feature_answer *answer)
{
    struct feature_value value;
    struct buffer text;
    json_t *json = NULL;
    feature_value_read_own(answer->value.data, answer->value.size_bytes, &value);
    require(value.count == view_plan_columns(reader->views[view].plan) && value.json != NULL);
    buffer_init(&text, 1 << 20);
    buffer_append_char(&text, '{');
    buffer_append(&text, value.json, value.json_bytes);
    buffer_append_char(&text, '}');
    require(json_read(buffer_text(&text), text.size_bytes, &json, NULL) == ERR_OK);
    const json_t *features = json_object_get(json, "features");
    require(json_object_size(features) == value.count);
    for (size_t i = 0; i < value.count; i++) {
        const json_t *number = json_object_get(features, view_plan_column(reader->views[view].plan, i)->name);
        require(isfinite(value.values[i]) ? (float)json_number_value(number) == value.values[i]
                                          : json_is_null(number));
    }
    require(json_is_string(json_object_get(json, "event_timestamp")));
    json_decref(json);
    buffer_release(&text);
}

/* Takes the row as if Redis had answered with it. */
static void take(struct feature_reader *reader, size_t view, const struct buffer *bytes)
{
    struct feature_key key = {.view = view, .id = {1, 2}};
    struct feature_answer answer, again;
    struct feature_value value;
    (void)snprintf(key.text, sizeof(key.text), "fuzz/%zu", view);
    feature_answer_init(&answer);
    feature_answer_init(&again);
    cache_invalidate(reader->memory, key.text);
    bool is_taken = reader_take_redis(reader, &key, bytes, &answer);
    require(reader_take_memory(reader, &key, &again) == is_taken);
    if (is_taken) {
        require(feature_value_read(bytes->data, bytes->size_bytes, &value));
        require(value.made_us <= present_us + SKEW_US &&
                value.made_us > present_us - reader->views[view].view->ttl_ms * 1000);
        require(answer.value.size_bytes == again.value.size_bytes &&
                memcmp(answer.value.data, again.value.data, again.value.size_bytes) == 0);
        check_answer(reader, view, &answer);
    } else {
        require(!answer.is_answered && answer.value.size_bytes == 0);
    }
    feature_answer_release(&answer);
    feature_answer_release(&again);
}

/* The last byte of the header's check, which is made anew, chooses the view; numbers that are not there are 0. Rows of matches
 * are left out, as they ask the store. */
static void take_served(const uint8_t *data, size_t size_bytes)
{
    struct feature_reader *reader = the_reader();
    struct buffer bytes;
    if (size_bytes < FEATURE_VALUE_HEADER_BYTES)
        return;
    size_t view = data[AT_CHECK + 7] % reader->view_count;
    if (reader->views[view].view->entity == VIEW_MATCH)
        return;
    size_t row_bytes =
        FEATURE_VALUE_HEADER_BYTES + view_plan_columns(reader->views[view].plan) * sizeof(float);
    buffer_init(&bytes, row_bytes);
    uint8_t *row = buffer_extend(&bytes, row_bytes);
    require(row != NULL);
    memset(row, 0, row_bytes);
    memcpy(row, data, size_bytes < row_bytes ? size_bytes : row_bytes);
    memcpy(row + AT_SCHEMA, reader->views[view].schema, FEATURE_SCHEMA_BYTES);
    memcpy(row + AT_DATA, reader->data, HASH_BYTES);
    memset(row + AT_ORIGIN + 1, 0, 7);
    forge(row, row_bytes);
    take(reader, view, &bytes);
    buffer_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    (void)read_one(data, size_bytes);
    read_forged(data, size_bytes);
    take_served(data, size_bytes);
    return 0;
}
