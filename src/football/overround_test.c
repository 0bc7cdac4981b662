/* Overround removal against values computed with 30 digits by bisection (mpmath), bad input, and properties
 * over random books. */
#include "football/overround.h"

#include "base/random.h"
#include "football/test_events.h"

struct known_book {
    float odds[3];
    size_t n;
    double booksum;
    double p[OVERROUND_COUNT][3]; /* first 0: no solution */
};

static const struct known_book known_books[] = {
    {{2.1f, 3.4f, 3.75f},
     3,
     1.03697480329,
     {{0.45921125210012, 0.28363045840216, 0.25715828949772},
      {0.46386556338526, 0.28179270437856, 0.25434173223618},
      {0.4638560718615, 0.28165774559012, 0.25448618254837},
      {0.46267647275191, 0.28225900819875, 0.25506451904934},
      {0.4619613247445, 0.28239591689425, 0.25564275836125}}},
    {{1.02f, 19.0f, 41.0f},
     3,
     1.05741399805,
     {{0.92716020121525, 0.049773862502914, 0.023065936281838},
      {0.96125417584712, 0.033493579598904, 0.0052522445539749},
      {0.97380316816464, 0.019310190726542, 0.0068866411088147},
      {0.9525017619873, 0.036033035905914, 0.011465202106787},
      {0.96108941391298, 0.026711285265285, 0.012199300821736}}},
    {{1.25f, 6.5f, 13.0f},
     3,
     1.03076923077,
     {{0.77611940298507, 0.14925373134328, 0.074626865671642},
      {0.78974358974359, 0.14358974358974, 0.066666666666667},
      {0.79144375004667, 0.14057681329864, 0.067979436654685},
      {0.78628536089769, 0.144938228801, 0.068776410301318},
      {0.78593167547736, 0.14301537584171, 0.071052948680929}}},
    {{5.0f, 4.0f, 1.7f},
     3,
     1.03823527762,
     {{0.19263456396785, 0.24079320495981, 0.56657223107234},
      {0.18725490746064, 0.23725490746064, 0.57549018507873},
      {0.18755404604867, 0.23654032647497, 0.57590562747636},
      {0.18864163406882, 0.23814236330548, 0.5732160026257},
      {0.18974408107877, 0.23794270167856, 0.57231321724267}}},
    {{2.2f, 3.6f, 3.9f}, /* best prices of several bookmakers: the sum is below 1 */
     3,
     0.98873347997,
     {{0.4597249449945, 0.28094303547281, 0.25933201953269},
      {0.4583009513701, 0.28153329181303, 0.26016575681686},
      {0.45833626040933, 0.28155115901459, 0.26011258057608},
      {0},
      {0.45890659724541, 0.2813176462437, 0.25977575651089}}},
    {{1.9f, 1.95f},
     2,
     1.03913629636,
     {{0.50649351574233, 0.49350648425767},
      {0.50674764789883, 0.49325235210117},
      {0.50687425034914, 0.49312574965086},
      {0.50674764789883, 0.49325235210117},
      {0.50675800067686, 0.49324199932314}}},
    {{1.3f, 3.6f},
     2,
     1.04700858258,
     {{0.73469387953701, 0.26530612046299},
      {0.74572650615481, 0.25427349384519},
      {0.75173524853015, 0.24826475146985},
      {0.74572650615481, 0.25427349384519},
      {0.74644519129519, 0.25355480870481}}},
};

static void known_books_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known_books) / sizeof(known_books[0]); i++) {
        const struct known_book *book = &known_books[i];
        assert_close(overround_booksum(book->odds, book->n), book->booksum, 1e-11);
        for (int method = 0; method < OVERROUND_COUNT; method++) {
            double p[3] = {7, 7, 7};
            bool is_solved = overround_remove((enum overround_method)method, book->odds, book->n, p);
            assert_int_equal(is_solved, book->p[method][0] > 0);
            for (size_t k = 0; k < book->n; k++)
                assert_close(p[k], is_solved ? book->p[method][k] : 7, 1e-11);
        }
    }
}

static void bad_prices_are_refused(void **state)
{
    (void)state;
    const float books[][3] = {{NAN, 3, 4}, {2, 1.0f, 4},        {2, 3, 0.5f},
                              {2, 3, -1},  {INFINITY, 1.5f, 3}, {0, 3, 4}};
    for (size_t i = 0; i < sizeof(books) / sizeof(books[0]); i++) {
        for (int method = 0; method < OVERROUND_COUNT; method++) {
            double p[3] = {7, 7, 7};
            assert_false(overround_remove((enum overround_method)method, books[i], 3, p));
            assert_close(p[0] + p[1] + p[2], 21, 0); /* untouched */
        }
    }
    assert_true(isnan(overround_booksum(books[0], 3)));
    assert_true(isnan(overround_booksum(books[1], 3)));
    /* a long shot that the additive method would push below 0 */
    const float lopsided[3] = {1.01f, 15, 101};
    double p[3];
    assert_false(overround_remove(OVERROUND_ADDITIVE, lopsided, 3, p));
    assert_true(overround_remove(OVERROUND_POWER, lopsided, 3, p));
}

static void random_books_sum_to_one_in_order(void **state)
{
    (void)state;
    struct random random;
    random_init(&random, 7);
    for (int round = 0; round < 20000; round++) {
        size_t n = 2 + random_below(&random, 2);
        double raw[3], sum = 0, margin = 1 + 0.25 * random_uniform(&random);
        for (size_t i = 0; i < n; i++)
            sum += raw[i] = exp(2 * random_normal(&random));
        float odds[3];
        bool is_usable = true;
        for (size_t i = 0; i < n; i++) {
            odds[i] = (float)(sum / raw[i] / margin);
            is_usable = is_usable && odds[i] > 1.001f && odds[i] < 5000;
        }
        for (int method = 0; is_usable && method < OVERROUND_COUNT; method++) {
            double p[3];
            if (!overround_remove((enum overround_method)method, odds, n, p)) {
                assert_true(method == OVERROUND_ADDITIVE || (method == OVERROUND_SHIN && n == 2));
                continue;
            }
            double total = 0;
            for (size_t i = 0; i < n; i++) {
                total += p[i];
                for (size_t k = 0; k < n; k++) /* the lower price never has the lower probability */
                    assert_true(odds[i] > odds[k] || p[i] >= p[k] - 1e-12);
            }
            assert_close(total, 1, 1e-9);
        }
    }
}

static void fair_books_are_left_alone(void **state)
{
    (void)state;
    const float odds[3] = {2, 4, 4};
    for (int method = 0; method < OVERROUND_COUNT; method++) {
        double p[3];
        assert_true(overround_remove((enum overround_method)method, odds, 3, p));
        assert_close(p[0], 0.5, 1e-12);
        assert_close(p[1], 0.25, 1e-12);
    }
}

static void methods_have_names(void **state)
{
    (void)state;
    assert_string_equal(overround_name(OVERROUND_SHIN), "shin");
    assert_string_equal(overround_name(OVERROUND_MULTIPLICATIVE), "multiplicative");
}

static void one_book_serves_all_methods(void **state)
{
    (void)state;
    const float odds[3] = {2.1f, 3.4f, 3.75f}, missing[3] = {2.1f, NAN, 3.75f};
    struct overround_book book;
    assert_false(overround_book_init(&book, missing, 3));
    assert_true(overround_book_init(&book, odds, 3));
    assert_close(book.sum, overround_booksum(odds, 3), 0);
    for (int method = 0; method < OVERROUND_COUNT; method++) {
        double p[3], alone[3];
        assert_true(overround_book_remove(&book, (enum overround_method)method, p));
        assert_true(overround_remove((enum overround_method)method, odds, 3, alone));
        assert_memory_equal(p, alone, sizeof(p));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_books_come_out),
        cmocka_unit_test(bad_prices_are_refused),
        cmocka_unit_test(random_books_sum_to_one_in_order),
        cmocka_unit_test(fair_books_are_left_alone),
        cmocka_unit_test(one_book_serves_all_methods),
        cmocka_unit_test(methods_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
