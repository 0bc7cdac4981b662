/* Names of one country in three dictionaries: aliases, names, and both folded, all to an index of `teams`. A key that leads to
 * two teams is marked, so that the order in which teams were stored decides nothing. */
#include "store/team_names.h"

#include "base/names.h"
#include "base/text.h"
#include "limits.h"
#include "store/football_teams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FOLD_BYTES = 2 * LIMIT_NAME_BYTES, UNCLEAR = -1 };

struct dictionary {
    struct names *names;
    int32_t *team; /* by id of names: index of teams, or UNCLEAR */
    size_t capacity;
};
struct team_names {
    struct team_name *teams;
    size_t count, capacity;
    struct dictionary aliases, exact, folded;
};

static const struct {
    const char *country, *other, *name;
} spellings[] = {
#define SPELLING(country, other, name) {country, other, name},
#include "store/team_spelling_list.h"
#undef SPELLING
};

/* ---- folding ---- */

/* Plain letters of U+00C0..U+017F; '*': none. */
static const char plain[] = "aaaaaaaceeeeiiiidnooooo*ouuuuyts"
                            "aaaaaaaceeeeiiiidnooooo*ouuuuyty"
                            "aaaaaaccccccccddddeeeeeeeeeegggggggg"
                            "hhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnn"
                            "oooooooorrrrrrssssssssttttttuuuuuuuuuuuu"
                            "wwyyyzzzzzzs";
enum { PLAIN_FIRST = 0xC0, PLAIN_COUNT = sizeof plain - 1 };
_Static_assert(PLAIN_COUNT == 0x180 - PLAIN_FIRST, "a letter for each of U+00C0..U+017F");

/* The next character as a small letter, a digit, ' ' (between words) or '\0' (nothing: an apostrophe, a dot). */
static char fold_next(const unsigned char **at)
{
    unsigned code = *(*at)++;
    if (code >= 0x80 && code >> 5 == 6 && (**at & 0xC0) == 0x80)
        code = (code & 0x1F) << 6 | (*(*at)++ & 0x3F);
    else if (code >= 0x80) {
        bool is_mark = code == 0xE2 && (*at)[0] == 0x80 && ((*at)[1] == 0x98 || (*at)[1] == 0x99);
        while ((**at & 0xC0) == 0x80)
            (*at)++;
        return is_mark ? '\0' : ' ';
    }
    if (code >= 'A' && code <= 'Z')
        return (char)(code - 'A' + 'a');
    if ((code >= 'a' && code <= 'z') || (code >= '0' && code <= '9'))
        return (char)code;
    if (code >= 0x218 && code <= 0x21B) /* Romanian s and t with a comma below */
        return code < 0x21A ? 's' : 't';
    if (code >= PLAIN_FIRST && code < PLAIN_FIRST + PLAIN_COUNT && plain[code - PLAIN_FIRST] != '*')
        return plain[code - PLAIN_FIRST];
    return code == '\'' || code == '.' ? '\0' : ' ';
}

/* Words that clubs put before or behind their name, and numbers. */
static bool is_dropped(const char *word, size_t size_bytes)
{
    static const char *const words[] = {"fc", "afc", "cf", "sc",  "cfc", "ac",  "as",  "ssc",  "acf",   "ss",
                                        "us", "cd",  "ud", "rcd", "rc",  "sv",  "vfb", "vfl",  "tsg",   "fsv",
                                        "bk", "if",  "fk", "sk",  "the", "and", "de",  "club", "calcio"};
    size_t digits = 0;
    for (size_t index = 0; index < size_bytes; index++)
        digits += word[index] >= '0' && word[index] <= '9';
    if (digits == size_bytes)
        return true;
    for (size_t index = 0; index < sizeof words / sizeof *words; index++) {
        if (strlen(words[index]) == size_bytes && memcmp(words[index], word, size_bytes) == 0)
            return true;
    }
    return false;
}

void team_names_fold(const char *name, char *out, size_t out_bytes)
{
    const unsigned char *at = (const unsigned char *)name;
    size_t size = 0, word = 0; /* word: where the present one begins */
    assert(out_bytes > 1);
    for (bool is_end = false; !is_end;) {
        is_end = *at == '\0';
        char next = is_end ? ' ' : fold_next(&at);
        if (next == '\0' || (next != ' ' && size + 2 > out_bytes))
            continue;
        if (next != ' ') {
            out[size++] = next;
            continue;
        }
        if (size == word || is_dropped(out + word, size - word)) {
            size = word;
        } else if (size + 2 <= out_bytes) {
            out[size++] = ' ';
            word = size;
        }
    }
    size = size > word ? size : word;
    out[size > 0 && out[size - 1] == ' ' ? size - 1 : size] = '\0';
}

/* ---- the dictionaries ---- */

static enum err_code put(struct dictionary *dictionary, const char *key, int32_t team, struct err *err)
{
    if (key[0] == '\0')
        return ERR_OK;
    int32_t known = names_count(dictionary->names), place = names_add(dictionary->names, text_of(key));
    if (place == NAMES_NONE)
        return err_nomem(err, strlen(key));
    if ((size_t)place >= dictionary->capacity) {
        size_t capacity = dictionary->capacity == 0 ? 256 : 2 * dictionary->capacity;
        int32_t *moved = realloc(dictionary->team, capacity * sizeof *moved);
        if (moved == NULL)
            return err_nomem(err, capacity * sizeof *moved);
        dictionary->team = moved;
        dictionary->capacity = capacity;
    }
    assert(dictionary->team != NULL);
    if (place >= known)
        dictionary->team[place] = team;
    else if (dictionary->team[place] != team)
        dictionary->team[place] = UNCLEAR;
    return ERR_OK;
}

static int32_t look_up(const struct dictionary *dictionary, const char *key)
{
    int32_t place = names_find(dictionary->names, text_of(key));
    if (place == NAMES_NONE)
        return UNCLEAR;
    assert(dictionary->team != NULL);
    return dictionary->team[place];
}

/* A name that `team` has, as it is and folded. */
static enum err_code put_name(struct team_names *names, struct dictionary *exact, const char *name,
                              int32_t team, struct err *err)
{
    char key[FOLD_BYTES];
    if (!football_name_key(text_trim(text_of(name)), key, sizeof key))
        return ERR_OK;
    enum err_code code = put(exact, key, team, err);
    team_names_fold(name, key, sizeof key);
    return code == ERR_OK ? put(&names->folded, key, team, err) : code;
}

static int32_t index_of(const struct team_names *names, int64_t id)
{
    for (size_t index = 0; index < names->count; index++) {
        if (names->teams[index].id == id)
            return (int32_t)index;
    }
    return UNCLEAR;
}

static enum err_code add_team(struct team_names *names, int64_t id, const char *name, struct err *err)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 256 : 2 * names->capacity;
        struct team_name *moved = realloc(names->teams, capacity * sizeof *moved);
        if (moved == NULL)
            return err_nomem(err, capacity * sizeof *moved);
        names->teams = moved;
        names->capacity = capacity;
    }
    struct team_name *team = &names->teams[names->count];
    team->id = id;
    (void)text_copy(text_of(name), team->name, sizeof team->name);
    return put_name(names, &names->exact, name, (int32_t)names->count++, err);
}

static enum err_code load_teams(struct team_names *names, struct db *db, const char *country, struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code =
        db_query(db, "SELECT id, name FROM team WHERE country = $1 ORDER BY id", &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, country);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row)
        code = add_team(names, query_i64(query, 0), query_text(query, 1), err);
    query_reset(query);
    return code;
}

/* Those that hold on that day. */
static enum err_code load_aliases(struct team_names *names, struct db *db, const char *country, int64_t day,
                                  struct err *err)
{
    struct query *query;
    bool has_row;
    enum err_code code = db_query(db,
                                  "SELECT team_id, name FROM team_alias WHERE country = $1 AND "
                                  "from_day <= $2 AND to_day >= $2 ORDER BY team_id",
                                  &query, err);
    if (code != ERR_OK)
        return code;
    query_bind_text(query, 1, country);
    query_bind_i64(query, 2, day);
    while (code == ERR_OK && (code = query_next(query, &has_row, err)) == ERR_OK && has_row) {
        int32_t team = index_of(names, query_i64(query, 0));
        if (team != UNCLEAR)
            code = put_name(names, &names->aliases, query_text(query, 1), team, err);
    }
    query_reset(query);
    return code;
}

static enum err_code put_spellings(struct team_names *names, const char *country, struct err *err)
{
    char key[FOLD_BYTES];
    for (size_t index = 0; index < sizeof spellings / sizeof *spellings; index++) {
        const struct team_name *team = NULL;
        if (strcmp(spellings[index].country, country) == 0)
            team = team_names_find(names, spellings[index].name);
        if (team == NULL)
            continue;
        team_names_fold(spellings[index].other, key, sizeof key);
        enum err_code code = put(&names->folded, key, (int32_t)(team - names->teams), err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code team_names_open(struct db *db, const char *country, int64_t day, struct team_names **out,
                              struct err *err)
{
    struct team_names *names = calloc(1, sizeof *names);
    *out = NULL;
    if (names == NULL)
        return err_nomem(err, sizeof *names);
    names->aliases.names = names_create();
    names->exact.names = names_create();
    names->folded.names = names_create();
    enum err_code code = ERR_OK;
    if (names->aliases.names == NULL || names->exact.names == NULL || names->folded.names == NULL)
        code = err_nomem(err, sizeof *names);
    if (code == ERR_OK)
        code = load_teams(names, db, country, err);
    if (code == ERR_OK)
        code = load_aliases(names, db, country, day, err);
    if (code == ERR_OK)
        code = put_spellings(names, country, err);
    if (code != ERR_OK) {
        team_names_close(names);
        return code;
    }
    *out = names;
    return ERR_OK;
}

void team_names_close(struct team_names *names)
{
    if (names == NULL)
        return;
    names_destroy(names->aliases.names);
    names_destroy(names->exact.names);
    names_destroy(names->folded.names);
    free(names->aliases.team);
    free(names->exact.team);
    free(names->folded.team);
    free(names->teams);
    free(names);
}

const struct team_name *team_names_find(const struct team_names *names, const char *name)
{
    char key[FOLD_BYTES];
    if (!football_name_key(text_trim(text_of(name)), key, sizeof key))
        return NULL;
    int32_t team = look_up(&names->aliases, key); /* before names, as for an import */
    if (team == UNCLEAR)
        team = look_up(&names->exact, key);
    if (team == UNCLEAR) {
        team_names_fold(name, key, sizeof key);
        team = look_up(&names->folded, key);
    }
    return team == UNCLEAR ? NULL : &names->teams[team];
}
