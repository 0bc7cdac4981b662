/* Names of clubs, made of a stem, an ending and, for some, a word before or behind: invented, readable, ASCII. Two of
 * England's are real, so that the examples of the documentation work on simulated data; their strength is as invented
 * as that of all others.
 *
 * Name k takes stem k modulo stems and, each time the stems are through, the next ending: no pair comes twice before
 * stems * endings names. */
#include "football/simulation_private.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { STEMS_MAX = 24, ENDINGS_MAX = 10, FORMS = 4 };

struct name_style {
    const char *country;          /* code of its first league */
    const char *first[2];         /* names 0 and 1, where they are given */
    const char *stems[STEMS_MAX]; /* up to the first NULL */
    const char *endings[ENDINGS_MAX];
    const char *forms[FORMS]; /* what stands around the name, in turn */
};

static const struct name_style styles[] = {
    {"E0",
     {"Arsenal", "Chelsea"},
     {"Wex",  "Hart", "Thorn", "Alder", "Brock", "Kirk", "Marl", "Penn", "Raven", "Stan", "Ulver", "Win",
      "Cald", "Dray", "Elms",  "Fern",  "Gar",   "Holm", "Ing",  "Lang", "Merri", "Nor",  "Oak",   "Pel"},
     {"combe", "ford", "wick", "bury", "dale", "stead", "mouth", "leigh"},
     {"%s", "%s Town", "%s", "%s United"}},
    {"SP1",
     {NULL},
     {"Alca", "Bel", "Cara", "Don", "Esca", "Fuen", "Gran", "Lora", "Mira", "Olme", "Peda", "Ribe", "Sala",
      "Torre", "Val", "Zara"},
     {"mar", "dura", "lobos", "nera", "rosa", "vega"},
     {"%s", "Real %s", "%s", "Deportivo %s"}},
    {"D1",
     {NULL},
     {"Alten", "Birken", "Dorn", "Eichen", "Falken", "Gruen", "Hohen", "Kalten", "Linden", "Nieder", "Rosen",
      "Stein"},
     {"burg", "feld", "hausen", "stadt", "bach", "berg"},
     {"%s", "SV %s", "%s", "FC %s"}},
    {"I1",
     {NULL},
     {"Acqua", "Bella", "Campo", "Fonte", "Gradi", "Monte", "Nova", "Pietra", "Rocca", "Selva", "Terra",
      "Valle"},
     {"longa", "forte", "chiara", "verde", "mora", "serra"},
     {"%s", "%s", "Virtus %s", "%s"}},
    {"F1",
     {NULL},
     {"Aubi", "Beau", "Cham", "Dorm", "Ferr", "Haute", "Lavi", "Mont", "Neuv", "Pleni", "Roche", "Vau"},
     {"court", "gny", "lac", "mont", "rive", "ville"},
     {"%s", "%s", "Stade %s", "%s"}},
    {"SC0",
     {NULL},
     {"Aber", "Bal", "Cairn", "Dun", "Glen", "Inver", "Kil", "Loch", "Pit", "Strath", "Tulli", "Auchter"},
     {"ruan", "garvie", "morar", "lachan", "nevan"},
     {"%s", "%s Thistle", "%s", "%s Rovers"}},
    {"N1",
     {NULL},
     {"Amers", "Boven", "Dalen", "Elst", "Hoog", "Kamper", "Linde", "Noorder", "Oude", "Wester"},
     {"dam", "veen", "wijk", "hoven"},
     {"%s", "%s", "FC %s", "%s"}},
    {"P1",
     {NULL},
     {"Alva", "Bom", "Cama", "Ervi", "Foz", "Lagoa", "Monte", "Olivei", "Ribei", "Serra"},
     {"dora", "sende", "vale", "mira"},
     {"%s", "%s", "Uniao %s", "%s"}},
    {"B1",
     {NULL},
     {"Ander", "Brae", "Den", "Eeck", "Hare", "Lier", "Mole", "Oost", "Ronse", "Wever"},
     {"beke", "gem", "kerke", "laar"},
     {"%s", "%s", "KV %s", "%s"}},
    {"T1",
     {NULL},
     {"Ak", "Bey", "Demir", "Gok", "Kara", "Kizil", "Sari", "Tas", "Yeni", "Yesil"},
     {"dere", "hisarli", "kaya", "ovaspor", "tepe"},
     {"%s", "%s", "%s", "%s"}},
    {"G1",
     {NULL},
     {"Aigi", "Chalki", "Doxa", "Erate", "Kalli", "Lefko", "Neapo", "Panthe", "Proso", "Xiro"},
     {"damos", "nia", "ros", "thea"},
     {"%s", "%s", "AO %s", "%s"}},
};

static const struct name_style *style_of(const char *country)
{
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        if (strcmp(styles[i].country, country) == 0)
            return &styles[i];
    }
    assert(!"no names for this country");
    return NULL;
}

static size_t part_count(const char *const *parts, size_t max)
{
    size_t count = 0;
    while (count < max && parts[count] != NULL)
        count++;
    return count;
}

/* The forms are constants of the table above with one %s each; written out so that the compiler sees it. */
static void put_name(const char *form, const char *stem, const char *ending, char out[SIMULATION_NAME_BYTES])
{
    const char *place = strstr(form, "%s");
    assert(place != NULL);
    int length = snprintf(out, SIMULATION_NAME_BYTES, "%.*s%s%s%s", (int)(place - form), form, stem, ending,
                          place + 2);
    assert(length > 0 && length < SIMULATION_NAME_BYTES);
    (void)length;
}

void simulation_name(const char *country, size_t index, char out[SIMULATION_NAME_BYTES])
{
    const struct name_style *style = style_of(country);
    if (index < 2 && style->first[index] != NULL) {
        put_name("%s", style->first[index], "", out);
        return;
    }
    size_t stems = part_count(style->stems, STEMS_MAX), endings = part_count(style->endings, ENDINGS_MAX);
    assert(stems > 0 && endings > 0);
    size_t stem = index % stems, pass = index / stems;
    assert(pass < endings);
    put_name(style->forms[(index + pass) % FORMS], style->stems[stem],
             style->endings[(stem + pass) % endings], out);
}
