/* Teams: an array sorted by stored id for the import side, names per country for people. */
#include "football/teams.h"

#include "base/names.h"
#include "football/history_columns.h"
#include "football/league.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TEAMS_COUNTRIES = 64 };

struct team {
    int64_t id;
    int32_t stream, dense;
};

struct teams {
    struct team *items; /* by id */
    size_t count, stream_count;
    struct names **exact;   /* [stream] name -> dense id, as dense ids are given in order of appearance */
    struct names **folded;  /* [stream] lower-case name -> folded id */
    int32_t **folded_dense; /* [stream][folded id] */
    int64_t **ids;          /* [stream][dense id] */
    struct stream_size *sizes;
};

static int compare_id(const void *a, const void *b)
{
    const struct team *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Names of the countries, asked for once: finding them goes through all leagues. */
struct countries {
    size_t count;
    const char *names[TEAMS_COUNTRIES];
};

static void countries_init(struct countries *countries)
{
    countries->count = league_country_count();
    assert(countries->count <= TEAMS_COUNTRIES);
    for (size_t i = 0; i < countries->count; i++)
        countries->names[i] = league_country_name(i);
}

static int find_country(const struct countries *countries, const char *name)
{
    for (size_t i = 0; i < countries->count; i++) {
        if (strcmp(countries->names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

static size_t fold(struct text name, char *out, size_t out_bytes)
{
    size_t size_bytes = name.size_bytes < out_bytes ? name.size_bytes : out_bytes;
    for (size_t i = 0; i < size_bytes; i++)
        out[i] =
            (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + ('a' - 'A') : name.data[i]);
    return size_bytes;
}

enum { FOLD_BYTES = 512 };

static bool add_folded(struct teams *teams, size_t stream, struct text name, int32_t dense)
{
    char folded[FOLD_BYTES];
    size_t size_bytes = fold(name, folded, sizeof(folded));
    int32_t id = names_add(teams->folded[stream], (struct text){folded, size_bytes});
    int32_t *grown = realloc(teams->folded_dense[stream], ((size_t)id + 1) * sizeof(int32_t));
    if (id < 0 || grown == NULL)
        return false;
    if (id + 1 == names_count(teams->folded[stream]))
        grown[id] = dense;
    teams->folded_dense[stream] = grown;
    return true;
}

static bool add_id(struct teams *teams, const struct team *team)
{
    int64_t *grown = realloc(teams->ids[team->stream], ((size_t)team->dense + 1) * sizeof(*grown));
    if (grown == NULL)
        return false;
    grown[team->dense] = team->id;
    teams->ids[team->stream] = grown;
    return true;
}

static bool allocate(struct teams *teams, size_t count)
{
    size_t streams = league_country_count();
    teams->stream_count = streams;
    teams->items = calloc(count + 1, sizeof(*teams->items));
    teams->exact = calloc(streams, sizeof(*teams->exact));
    teams->folded = calloc(streams, sizeof(*teams->folded));
    teams->folded_dense = calloc(streams, sizeof(*teams->folded_dense));
    teams->ids = calloc(streams, sizeof(*teams->ids));
    teams->sizes = calloc(streams, sizeof(*teams->sizes));
    if (teams->items == NULL || teams->exact == NULL || teams->folded == NULL ||
        teams->folded_dense == NULL || teams->ids == NULL || teams->sizes == NULL)
        return false;
    for (size_t i = 0; i < streams; i++) {
        teams->exact[i] = names_create();
        teams->folded[i] = names_create();
        teams->sizes[i].groups = league_count();
        if (teams->exact[i] == NULL || teams->folded[i] == NULL)
            return false;
    }
    return true;
}

static enum err_code fill(struct teams *teams, const struct team_columns *columns, struct err *err)
{
    struct countries countries;
    countries_init(&countries);
    for (size_t row = 0; row < frame_rows(columns->frame); row++) {
        const char *country = frame_text(columns->frame, columns->country, row);
        int stream = find_country(&countries, country);
        if (stream < 0)
            return err_set(err, ERR_INVALID, "team %lld is of the unknown country '%s'",
                           (long long)columns->id[row], country);
        teams->items[teams->count++] = (struct team){columns->id[row], stream, (int32_t)row};
    }
    qsort(teams->items, teams->count, sizeof(*teams->items), compare_id);
    /* dense holds the row of the frame until here; names are added by rising id */
    for (size_t i = 0; i < teams->count; i++) {
        struct team *team = &teams->items[i];
        struct text name = text_of(frame_text(columns->frame, columns->name, (size_t)team->dense));
        size_t stream = (size_t)team->stream;
        int32_t dense = names_add(teams->exact[stream], name);
        if (dense < 0 || !add_folded(teams, stream, name, dense))
            return err_nomem(err, name.size_bytes);
        team->dense = dense;
        if (!add_id(teams, team))
            return err_nomem(err, sizeof(team->id));
        size_t count = (size_t)names_count(teams->exact[stream]);
        teams->sizes[stream].entities = (count + TEAMS_ROUND - 1) / TEAMS_ROUND * TEAMS_ROUND;
    }
    return ERR_OK;
}

enum err_code teams_create(const struct frame *frame, struct teams **out, struct err *err)
{
    struct team_columns columns;
    enum err_code code = team_columns_find(frame, &columns, err);
    if (code != ERR_OK)
        return code;
    struct teams *teams = calloc(1, sizeof(*teams));
    if (teams == NULL)
        return err_nomem(err, sizeof(*teams));
    code =
        allocate(teams, frame_rows(frame)) ? fill(teams, &columns, err) : err_nomem(err, frame_rows(frame));
    if (code != ERR_OK) {
        teams_destroy(teams);
        return code;
    }
    *out = teams;
    return ERR_OK;
}

void teams_destroy(struct teams *teams)
{
    if (teams == NULL)
        return;
    for (size_t i = 0; i < teams->stream_count; i++) {
        if (teams->exact != NULL)
            names_destroy(teams->exact[i]);
        if (teams->folded != NULL)
            names_destroy(teams->folded[i]);
        if (teams->folded_dense != NULL)
            free(teams->folded_dense[i]);
        if (teams->ids != NULL)
            free(teams->ids[i]);
    }
    free(teams->exact);
    free(teams->folded);
    free(teams->folded_dense);
    free(teams->ids);
    free(teams->sizes);
    free(teams->items);
    free(teams);
}

int32_t teams_dense(const struct teams *teams, int64_t id, size_t *stream)
{
    struct team key = {.id = id};
    const struct team *team = bsearch(&key, teams->items, teams->count, sizeof(*teams->items), compare_id);
    if (team == NULL)
        return TEAMS_NONE;
    *stream = (size_t)team->stream;
    return team->dense;
}

int32_t teams_find(const struct teams *teams, size_t stream, struct text name)
{
    char folded[FOLD_BYTES];
    int32_t dense = names_find(teams->exact[stream], name);
    if (dense >= 0)
        return dense;
    size_t size_bytes = fold(name, folded, sizeof(folded));
    int32_t id = names_find(teams->folded[stream], (struct text){folded, size_bytes});
    return id >= 0 ? teams->folded_dense[stream][id] : TEAMS_NONE;
}

int64_t teams_id(const struct teams *teams, size_t stream, int32_t team)
{
    return teams->ids[stream][team];
}

const char *teams_name(const struct teams *teams, size_t stream, int32_t team)
{
    return names_text(teams->exact[stream], team);
}

const struct stream_size *teams_sizes(const struct teams *teams)
{
    return teams->sizes;
}
