/* Names of other sources: which team they mean, and when they mean none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/test_folder.h"
#include "store/store.h"
#include "store/team_names.h"

#include <string.h>

static struct test_folder folder;
static struct store store;

static int open_store(void **state)
{
    (void)state;
    test_folder_create(&folder);
    if (store_open(folder.path, DB_READ_WRITE, &store, NULL) != ERR_OK)
        return 1;
    return db_execute(
               store.db,
               "INSERT INTO team(id, country, name, name_key) VALUES "
               "(1, 'Germany', 'FC Koln', 'fc koln'), (2, 'Germany', 'M''gladbach', 'm''gladbach'), "
               "(3, 'Germany', 'Bayern Munich', 'bayern munich'), (4, 'Germany', 'Mainz', 'mainz'), "
               "(5, 'England', 'Wimbledon', 'wimbledon'), (6, 'England', 'AFC Wimbledon', 'afc wimbledon'), "
               "(7, 'England', 'Brighton', 'brighton'), (8, 'England', 'Everton', 'everton'), "
               "(9, 'England', 'Nott''m Forest', 'nott''m forest');"
               "INSERT INTO team_alias(country, name_key, team_id, name, from_day, to_day) VALUES "
               "('Germany', 'borussia monchengladbach', 2, 'Borussia Monchengladbach', -1000000, 1000000), "
               "('England', 'brighton & hove albion', 7, 'Brighton & Hove Albion', -1000000, 1000000), "
               "('England', 'everton', 7, 'Everton', 100, 200);",
               NULL) != ERR_OK;
}

static int close_store(void **state)
{
    (void)state;
    store_close(&store);
    test_folder_remove(&folder);
    return 0;
}

static int64_t find(const char *country, int64_t day, const char *name)
{
    struct team_names *names;
    assert_int_equal(team_names_open(store.db, country, day, &names, NULL), ERR_OK);
    const struct team_name *team = team_names_find(names, name);
    int64_t id = team != NULL ? team->id : 0;
    team_names_close(names);
    return id;
}

static void exact_then_folded(void **state)
{
    (void)state;
    assert_int_equal(find("Germany", 0, "FC Koln"), 1);
    assert_int_equal(find("Germany", 0, " fc KOLN "), 1);
    assert_int_equal(find("Germany", 0, "1. FC K\xC3\xB6ln"), 1);
    assert_int_equal(find("Germany", 0, "F Koln"), 0); /* another club */
    assert_int_equal(find("Germany", 0, "Borussia M\xC3\xB6nchengladbach"), 2);
    assert_int_equal(find("Germany", 0, "FC Bayern M\xC3\xBCnchen"), 3); /* a spelling of the list */
    assert_int_equal(find("Germany", 0, "1. FSV Mainz 05"), 4);
    assert_int_equal(find("England", 0, "Brighton and Hove Albion FC"), 7);
    assert_int_equal(find("England", 0, "Nott\xE2\x80\x99m Forest"), 9);
    assert_int_equal(find("England", 0, "Mainz"), 0); /* of another country */
    assert_int_equal(find("England", 0, ""), 0);
    assert_int_equal(find("England", 0, "FC"), 0);
}

static void what_is_not_clear_is_nobody(void **state)
{
    (void)state;
    assert_int_equal(find("England", 0, "Wimbledon"), 5);
    assert_int_equal(find("England", 0, "AFC Wimbledon"), 6);
    assert_int_equal(find("England", 0, "Wimbledon F.C."), 0);
}

static void dated_aliases_hold_on_their_days(void **state)
{
    (void)state;
    assert_int_equal(find("England", 99, "Everton"), 8);
    assert_int_equal(find("England", 150, "Everton"), 7);
    assert_int_equal(find("England", 201, "Everton"), 8);
}

static void folding(void **state)
{
    static const char *const pairs[][2] = {
        {"1. FC K\xC3\xB6ln", "koln"},
        {"Brighton & Hove Albion FC", "brighton hove albion"},
        {"Saint-\xC3\x89tienne", "saint etienne"},
        {"\xC5\x81"
         "KS \xC5\x81\xC3\xB3"
         "d\xC5\xBA",
         "lks lodz"},
        {"FC U Craiova \xC8\x98tiin\xC8\x9B"
         "a",
         "u craiova stiinta"},
        {"Nott'm  Forest", "nottm forest"},
        {"  ", ""},
        {"FC 1904", ""},
        {"\xE6\xB5\xA6\xE5\x92\x8C", ""},
        {"A.C. Milan", "milan"},
    };
    char out[64], small[6];
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        team_names_fold(pairs[i][0], out, sizeof out);
        assert_string_equal(out, pairs[i][1]);
    }
    team_names_fold("Manchester United", small, sizeof small);
    assert_string_equal(small, "manch");       /* cut, ended, never beyond */
    team_names_fold("a\xC3", out, sizeof out); /* a character that is cut off */
    assert_string_equal(out, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exact_then_folded, open_store, close_store),
        cmocka_unit_test_setup_teardown(what_is_not_clear_is_nobody, open_store, close_store),
        cmocka_unit_test_setup_teardown(dated_aliases_hold_on_their_days, open_store, close_store),
        cmocka_unit_test(folding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
