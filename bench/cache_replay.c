/* Bench: a match day replayed against the online store's memory with the shipped times to live, in simulated time.
 *
 *     bench_cache_replay [PAGES_PER_S [MATCHES [SEED]]]       defaults: 25 100 1
 *
 * One JSON line: the share of reads that found a value, in all and per view. The cache, the views, their times to live, the
 * form of the keys and the sizes of the values are those of the server; only the computing of a missing row is left out.
 *
 * What is assumed of the day:
 *   matches      MATCHES of one Saturday, in COUNTRIES countries; kick-offs at 12:30 (10 %), 15:00 (55 %), 17:30 (20 %),
 *                20:00 (15 %); no team plays twice
 *   page views   a Poisson process with PAGES_PER_S on average over 24 hours, by hour as in `hour_weight`: a quiet night, most
 *                in the afternoon. 25 per second are 2.2 million page views a day
 *   popularity   Zipf with exponent 1 over the matches; eight times that from three hours before kick-off to two after
 *   a page view  reads the seven groups of a match: form and standings of both teams, head-to-head, odds, match
 *   changes      prices are fetched every five minutes, which drops all rows of matches; a result is known 115 minutes
 *                after kick-off, and drops what its country has
 * Readers that poll a page are page views like any other: they would only raise the share. */
#include "base/random.h"
#include "base/text.h"
#include "cache/cache.h"
#include "football/feature_sets.h"
#include "football/views.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNTRIES = 11,
    DAY_S = 86400,
    CACHE_BYTES = 64 << 20, /* the shipped setting */
    PRICES_EVERY_S = 300,
    RESULT_AFTER_S = 115 * 60,
    POPULAR_BEFORE_S = 3 * 3600,
    POPULAR_AFTER_S = 2 * 3600,
    POPULAR_TIMES = 8,
    GROUPS = 7,
    VIEWS_MAX = 16,
    MATCHES_MAX = 1000,
    KEY_BYTES = 96,
    VALUE_BYTES = 1 << 16
};

static const double hour_weight[24] = {1.0, 0.5, 0.3, 0.2, 0.2, 0.3, 0.6, 1.2, 2.2, 3.2, 4.2, 5.2,
                                       6.5, 7.0, 8.0, 8.5, 8.0, 7.5, 6.5, 6.0, 6.0, 5.0, 3.5, 2.0};

struct group {
    const char *view;
    int side; /* 0, 1: that team; 2: the pair; 3: the match */
};
static const struct group groups[GROUPS] = {{"form", 0}, {"form", 1}, {"standings", 0}, {"standings", 1},
                                            {"h2h", 2},  {"odds", 3}, {"match", 3}};

struct match {
    int country, kickoff_s;
    double popularity;
};

struct day {
    struct random random;
    struct match matches[MATCHES_MAX];
    size_t match_count;
    double cumulative[MATCHES_MAX]; /* of the popularity in the present minute */
    struct cache *cache;
    size_t value_bytes[VIEWS_MAX];
    uint64_t reads[VIEWS_MAX], hits[VIEWS_MAX], pages;
    double pages_per_s;
};

static int64_t now_us; /* of the simulated day */

static int64_t simulated_us(void *context)
{
    (void)context;
    return now_us;
}

static int draw_kickoff(struct random *random)
{
    double p = random_uniform(random);
    return p < 0.10 ? 45000 : p < 0.65 ? 54000 : p < 0.85 ? 63000 : 72000;
}

static size_t view_at(const char *name)
{
    size_t index = 0;
    while (strcmp(football_view_at(index)->name, name) != 0)
        index++;
    return index;
}

/* As feature_value.h: header, floats, and about 30 bytes of JSON for a feature. */
static void size_values(struct day *day)
{
    for (size_t i = 0; football_view_at(i) != NULL && i < VIEWS_MAX; i++) {
        size_t columns = feature_view_columns(football_view_at(i), football_feature_set_widest(), NULL, 0);
        day->value_bytes[i] = 88 + 34 * columns + 150;
    }
}

static void draw_matches(struct day *day)
{
    for (size_t i = 0; i < day->match_count; i++)
        day->matches[i] = (struct match){(int)random_below(&day->random, COUNTRIES),
                                         draw_kickoff(&day->random), 1.0 / (double)(i + 1)};
}

static void weigh_matches(struct day *day, int at_s)
{
    double sum = 0;
    for (size_t i = 0; i < day->match_count; i++) {
        const struct match *match = &day->matches[i];
        bool is_near =
            at_s >= match->kickoff_s - POPULAR_BEFORE_S && at_s < match->kickoff_s + POPULAR_AFTER_S;
        sum += match->popularity * (is_near ? POPULAR_TIMES : 1);
        day->cumulative[i] = sum;
    }
}

static size_t draw_match(struct day *day)
{
    double at = random_uniform(&day->random) * day->cumulative[day->match_count - 1];
    size_t index = 0;
    while (day->cumulative[index] <= at)
        index++;
    return index;
}

static void read_group(struct day *day, size_t match, const struct group *group, struct buffer *out)
{
    static char value[VALUE_BYTES];
    char key[KEY_BYTES];
    size_t view = view_at(group->view);
    int country = day->matches[match].country;
    if (group->side < 2)
        (void)snprintf(key, sizeof(key), "country %d/%s@00000000/%zu", country, group->view,
                       2 * match + (size_t)group->side);
    else if (group->side == 2)
        (void)snprintf(key, sizeof(key), "country %d/%s@00000000/%zu-%zu", country, group->view, 2 * match,
                       2 * match + 1);
    else
        (void)snprintf(key, sizeof(key), "match/%s@00000000/%zu", group->view, match);
    buffer_clear(out);
    day->reads[view]++;
    if (cache_get(day->cache, key, out))
        day->hits[view]++;
    else
        cache_put(day->cache, key, value, day->value_bytes[view], football_view_at(view)->ttl_ms);
}

static void change_data(struct day *day, int at_s)
{
    char prefix[KEY_BYTES];
    if (at_s % PRICES_EVERY_S == 0)
        (void)cache_invalidate_prefix(day->cache, "match/");
    for (size_t i = 0; i < day->match_count; i++) {
        if (day->matches[i].kickoff_s + RESULT_AFTER_S != at_s)
            continue;
        (void)snprintf(prefix, sizeof(prefix), "country %d/", day->matches[i].country);
        (void)cache_invalidate_prefix(day->cache, prefix);
        (void)cache_invalidate_prefix(day->cache, "match/");
    }
}

static void replay(struct day *day)
{
    struct buffer out;
    double weight_sum = 0;
    buffer_init(&out, VALUE_BYTES);
    for (int hour = 0; hour < 24; hour++)
        weight_sum += hour_weight[hour];
    for (int at_s = 0; at_s < DAY_S; at_s++) {
        if (at_s % 60 == 0)
            weigh_matches(day, at_s);
        now_us = (int64_t)at_s * 1000000;
        change_data(day, at_s);
        int pages =
            random_poisson(&day->random, day->pages_per_s * hour_weight[at_s / 3600] * 24 / weight_sum);
        for (int page = 0; page < pages; page++) {
            now_us = (int64_t)at_s * 1000000 + (int64_t)page * 1000000 / pages;
            size_t match = draw_match(day);
            for (size_t i = 0; i < GROUPS; i++)
                read_group(day, match, &groups[i], &out);
        }
        day->pages += (uint64_t)pages;
    }
    buffer_release(&out);
}

static void print_day(const struct day *day)
{
    uint64_t reads = 0, hits = 0;
    struct cache_counts counts = cache_counts(day->cache);
    for (size_t i = 0; i < VIEWS_MAX; i++) {
        reads += day->reads[i];
        hits += day->hits[i];
    }
    (void)printf("{\"pages_per_s\": %g, \"matches\": %zu, \"pages\": %" PRIu64 ", \"reads\": %" PRIu64
                 ", \"hits\": %" PRIu64 ", \"hit_ratio\": %.5f, \"expirations\": %" PRIu64
                 ", \"invalidations\": %" PRIu64 ", \"evictions\": %" PRIu64 ", \"views\": {",
                 day->pages_per_s, day->match_count, day->pages, reads, hits, (double)hits / (double)reads,
                 counts.expirations, counts.invalidations, counts.evictions);
    const char *comma = "";
    for (size_t i = 0; football_view_at(i) != NULL && i < VIEWS_MAX; i++) {
        if (day->reads[i] == 0)
            continue;
        (void)printf("%s\"%s\": {\"ttl_ms\": %" PRId64 ", \"hit_ratio\": %.5f}", comma,
                     football_view_at(i)->name, football_view_at(i)->ttl_ms,
                     (double)day->hits[i] / (double)day->reads[i]);
        comma = ", ";
    }
    (void)printf("}}\n");
}

static bool take_number(int argc, char **argv, int at, double max, double *out)
{
    return argc <= at || (text_parse_f64(text_of(argv[at]), out) && *out > 0 && *out <= max);
}

int main(int argc, char **argv)
{
    static struct day day;
    struct err err;
    double matches = 100, seed = 1;
    day.pages_per_s = 25;
    if (argc > 4 || !take_number(argc, argv, 1, 500, &day.pages_per_s) ||
        !take_number(argc, argv, 2, MATCHES_MAX, &matches) || !take_number(argc, argv, 3, 1e9, &seed)) {
        (void)fprintf(stderr, "usage: bench_cache_replay [PAGES_PER_S (to 500) [MATCHES (to %d) [SEED]]]\n",
                      MATCHES_MAX);
        return 2;
    }
    day.match_count = (size_t)matches;
    random_init(&day.random, (uint64_t)seed);
    if (cache_create(CACHE_BYTES, (struct clock){simulated_us, simulated_us, NULL}, &day.cache, &err) !=
        ERR_OK) {
        (void)fprintf(stderr, "bench_cache_replay: %s\n", err.text);
        return 1;
    }
    size_values(&day);
    draw_matches(&day);
    replay(&day);
    print_day(&day);
    cache_destroy(day.cache);
    return 0;
}
