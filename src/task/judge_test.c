/* The judge compares forecasts on the rows that all of them cover, and on no others. */
#include "task/judge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 40 };

struct rows {
    int32_t label[ROWS];
    int64_t block[ROWS], time_us[ROWS];
    uint32_t row[ROWS];
    struct dataset data;
};

static void fill(struct rows *rows)
{
    for (size_t i = 0; i < ROWS; i++) {
        rows->label[i] = (int32_t)(i % 2);
        rows->block[i] = (int64_t)i / 2;
        rows->time_us[i] = (int64_t)i;
        rows->row[i] = (uint32_t)i;
    }
    rows->data = (struct dataset){
        .rows = ROWS, .label = rows->label, .classes = 2, .time_us = rows->time_us, .block = rows->block};
}

static void set(struct judge *judge, size_t forecast, size_t begin, size_t end, double p_second)
{
    for (size_t i = begin; i < end; i++) {
        judge->p[forecast][i * 2] = 1 - p_second;
        judge->p[forecast][i * 2 + 1] = p_second;
    }
}

static json_t *scores(const struct judge *judge, size_t begin, size_t end)
{
    struct buffer out;
    struct json_writer writer;
    json_t *json = NULL;
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    assert_int_equal(judge_write(judge, begin, end, &writer, NULL), ERR_OK);
    assert_int_equal(json_read(out.data, out.size_bytes, &json, NULL), ERR_OK);
    buffer_release(&out);
    return json;
}

static void only_common_rows_are_compared(void **state)
{
    static struct rows rows;
    struct judge judge;
    size_t whole, half, none;
    (void)state;
    fill(&rows);
    assert_int_equal(judge_init(&judge, TARGET_OU25, &rows.data, rows.row, NULL), ERR_OK);
    assert_int_equal(judge_add(&judge, "whole", &whole, NULL), ERR_OK);
    assert_int_equal(judge_add(&judge, "half", &half, NULL), ERR_OK);
    assert_int_equal(judge_add(&judge, "none", &none, NULL), ERR_OK);
    set(&judge, whole, 0, ROWS, 0.5);
    set(&judge, half, ROWS / 2, ROWS, 0.25);
    assert_int_equal(judge_common_rows(&judge, 0, ROWS), ROWS / 2);
    json_t *json = scores(&judge, 0, ROWS);
    const json_t *forecasts = json_object_get(json, "forecasts");
    assert_int_equal(json_integer_value(json_object_get(json, "rows")), ROWS / 2);
    assert_int_equal(json_array_size(forecasts), 2); /* "none" covers nothing and is left out */
    const json_t *loss = json_object_get(json_array_get(forecasts, 1), "log_loss");
    double expected = -(log(0.75) + log(0.25)) / 2;
    assert_true(fabs(json_number_value(json_object_get(loss, "value")) - expected) < 1e-12);
    json_decref(json);
    json = scores(&judge, 0, ROWS / 2); /* here "half" covers nothing: "whole" stands alone */
    assert_int_equal(json_array_size(json_object_get(json, "forecasts")), 1);
    json_decref(json);
    judge_release(&judge);
}

static void nothing_in_common_is_an_error(void **state)
{
    static struct rows rows;
    struct judge judge;
    size_t a, b;
    struct buffer out;
    struct json_writer writer;
    struct err err = {0};
    (void)state;
    fill(&rows);
    assert_int_equal(judge_init(&judge, TARGET_OU25, &rows.data, rows.row, NULL), ERR_OK);
    assert_int_equal(judge_add(&judge, "early", &a, NULL), ERR_OK);
    assert_int_equal(judge_add(&judge, "late", &b, NULL), ERR_OK);
    set(&judge, a, 0, 10, 0.5);
    set(&judge, b, 30, ROWS, 0.5);
    buffer_init(&out, 1 << 20);
    json_writer_init(&writer, &out);
    assert_int_equal(judge_write(&judge, 0, ROWS, &writer, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "covered by every forecast"));
    buffer_release(&out);
    judge_release(&judge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_common_rows_are_compared),
        cmocka_unit_test(nothing_in_common_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
