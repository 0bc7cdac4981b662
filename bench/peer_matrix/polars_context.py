"""Peer of the row `features`: the families form, h2h and table of `almanac features build`, in Polars alone.

    polars_context.py PARQUET [--repeat N] [--check MATRIX.csv]

The matches are in memory when the clock starts (prepare.py made them) and the result is a Polars frame of float32
columns. No loop over matches, teams or leagues, no grouping that Polars does not need: sorts of packed integers, running
sums that are cut off where a team, a pair or a season begins, and gathers.

- form   as in polars_matrix.py, its faster way of writing the windows.
- h2h    the matches in order of (pair, time); the last ten meetings are the difference of two running sums.
- table  a league's table changes only when results become known. A *moment* is one state of one league's table that some
         match is played under. The state of a team lasts from the moment after one match of its to the moment after the next
         one: repeated for each of these moments it gives all tables at once (a row per moment and team), and one sort of
         (moment, points, goal difference, goals) ranks them. What depends on a team only is a running sum over its season.

It may assume more than ours: that no team changes leagues within a season and that seasons do not overlap within a league
(true of this data; ours does not need it).
"""

import argparse
import json
import sys
import time

import numpy
import polars
from polars import col

import polars_matrix

FAMILIES = ["form", "h2h", "table"]
MEETINGS, FORM_MATCHES, HIGH = 10, 5, 99
GOALS_BITS, DIFFERENCE_BITS, KEY_BITS = 10, 11, 31
GOALS_HIGH = (1 << GOALS_BITS) - 1
KEY_HIGH = (1 << KEY_BITS) - 1
FORM_BITS = 4


def starts_of(changes):
    """From a column that is true where a new group begins: where the group of each row began."""
    return polars.when(changes).then(polars.int_range(polars.len())).forward_fill()


def changed(*names):
    return polars.any_horizontal(col(name) != col(name).shift(1) for name in names).fill_null(True)


def before(name):
    """The running sum of a lane before each row, over all rows."""
    return col(name).cast(polars.Int32).cum_sum() - col(name)


# Meetings.

MEETING_LANES = ["won", "drawn", "goals_low", "goals_high", "over"]
VENUE_LANES = ["venue_meetings", "venue_points", "venue_difference"]


def points(own, other):
    return polars.when(own > other).then(3).when(own == other).then(1).otherwise(0)


def meetings_by_pair(matches):
    """A row per match, in order of (pair, time), seen from the team with the lower id."""
    low_home = col("home") < col("away")
    low = polars.when(low_home).then("home_goals").otherwise("away_goals").fill_null(0)
    high = polars.when(low_home).then("away_goals").otherwise("home_goals").fill_null(0)
    pair = polars.min_horizontal("home", "away").cast(polars.Int64) * 65536 + polars.max_horizontal("home", "away")
    rows = matches.select(pair=pair, row=polars.int_range(polars.len()), day="day", low_home=low_home, low=low, high=high,
                          is_played="is_played", is_neutral=col("is_neutral") == 1)
    order = rows.select((col("pair") * (1 << 20) + col("row")).arg_sort()).to_series()
    rows = rows.select(polars.all().gather(order))
    return rows.filter("is_played"), rows


def h2h_features(matches):
    played, wanted = meetings_by_pair(matches)
    at_low, at_high = col("low_home") & ~col("is_neutral"), ~col("low_home") & ~col("is_neutral")
    sides = {"low": (at_low, col("low"), col("high")), "high": (at_high, col("high"), col("low"))}
    lanes = {"won": col("low") > col("high"), "drawn": col("low") == col("high"), "goals_low": col("low"),
             "goals_high": col("high"), "over": col("low") + col("high") > 2}
    for side, (here, own, other) in sides.items():
        lanes[f"venue_meetings_{side}"] = here
        lanes[f"venue_points_{side}"] = polars.when(here).then(points(own, other)).otherwise(0)
        lanes[f"venue_difference_{side}"] = polars.when(here).then(own - other).otherwise(0)
    running = played.select(**{name: lane.cast(polars.Int32).cum_sum() for name, lane in lanes.items()})
    running = polars.concat([polars.DataFrame({name: [0] for name in lanes}, schema=running.schema), running])
    # how many meetings of any pair were played before each row, and before the first row of its pair
    place = wanted.select("is_played", changed=changed("pair"), end=before("is_played"))
    place = place.select("end", begin=polars.when("changed").then("end").forward_fill())
    place = place.select("end", count=(col("end") - col("begin")).clip(upper_bound=MEETINGS))
    ends, begins = place["end"], place["end"] - place["count"]
    sums = running.select([(col(name).gather(ends) - col(name).gather(begins)).cast(polars.Float32) for name in lanes])
    last = played.select(last_day=col("day").gather(ends - 1, null_on_oob=True), last_low=col("low").gather(ends - 1, null_on_oob=True),
                         last_high=col("high").gather(ends - 1, null_on_oob=True))
    table = polars.concat([wanted.select("row", "day", "low_home"), place.select(col("count").cast(polars.Float32)), sums, last],
                          how="horizontal")
    return meeting_columns(table).select(polars.exclude("row").gather(wanted["row"].arg_sort()))


def meeting_columns(table):
    """From the sums, of the lower team and of the other, to the home team's."""
    def home(low, high):
        return polars.when("low_home").then(low).otherwise(high)

    count, lost = col("count"), col("count") - col("won") - col("drawn")
    venue = {name: home(f"{name}_low", f"{name}_high") for name in VENUE_LANES}
    own, other = home("last_low", "last_high"), home("last_high", "last_low")
    met = count > 0
    return table.select(
        "row",
        h2h_meetings=count,
        h2h_win_share=home(col("won"), lost) / count,
        h2h_draw_share=col("drawn") / count,
        h2h_loss_share=home(lost, col("won")) / count,
        h2h_goals_for=home("goals_low", "goals_high") / count,
        h2h_goals_against=home("goals_high", "goals_low") / count,
        h2h_over_share=col("over") / count,
        h2h_last_score=polars.when(met).then(polars.when(own > other).then(1.0).when(own == other).then(0.5).otherwise(0.0))
        .cast(polars.Float32),
        h2h_last_days=polars.when(met).then((col("day") - col("last_day")).clip(0, 3650)).cast(polars.Float32),
        h2h_venue_meetings=venue["venue_meetings"],
        h2h_venue_points=venue["venue_points"] / venue["venue_meetings"],
        h2h_venue_goal_difference=venue["venue_difference"] / venue["venue_meetings"],
    )


# Tables.

class Tables:
    """The matches in order of (league, season, start), and the moments they are played under."""

    def __init__(self, matches):
        packed = col("division").cast(polars.Int64) * 4096 + col("season")
        order = matches.select(((packed * (1 << 32)) + col("start_s")).arg_sort()).to_series()
        self.back = order.arg_sort()
        self.matches = matches.select(
            "home", "away", "home_goals", "away_goals", "season", "tier", "division", "start_s", "known_s", "is_played",
            packed=packed, is_neutral=col("is_neutral") == 1).select(polars.all().gather(order))
        is_first = self.matches.select(changed("packed")).to_series().to_numpy()
        self.group = numpy.cumsum(is_first, dtype=numpy.int64) - 1
        self.groups = self.matches.filter(is_first).select("division", "season")
        self.find_moments()

    def find_moments(self):
        """How many results of the league's season are known at a match's start says which table it meets; a result counts
        from the first moment at which as many are known as were when it became known."""
        group, matches = self.group << 32, self.matches
        known = group | matches["known_s"].to_numpy()
        in_order = polars.Series(known[matches["is_played"].to_numpy()]).sort().to_numpy()
        results = numpy.searchsorted(in_order, group | matches["start_s"].to_numpy(), side="right")
        is_new = numpy.ones(len(results), dtype=bool)
        is_new[1:] = (results[1:] != results[:-1]) | (self.group[1:] != self.group[:-1])
        self.moment = numpy.cumsum(is_new, dtype=numpy.int64) - 1
        self.moment_group = self.group[is_new]
        by_result = numpy.searchsorted(in_order, known, side="right")
        self.counts_from = numpy.searchsorted(results[is_new], by_result, side="left")
        self.group_end = numpy.searchsorted(self.moment_group, numpy.arange(len(self.groups)), side="right")

    def team_rows(self):
        """Two rows per match in order of (team, start), with what the match brought the team; and where a match's two are."""
        halves = []
        shared = {"group": self.group, "counts_from": self.counts_from}
        for side, other in (("home", "away"), ("away", "home")):
            own, against = col(f"{side}_goals").fill_null(0), col(f"{other}_goals").fill_null(0)
            won = points(own, against) * col("is_played")
            here = col("is_played") & ~col("is_neutral")
            halves.append(self.matches.lazy().select(
                "season", "tier", "is_played", key=col(side).cast(polars.Int64) * (1 << 32) + col("start_s"), team=side,
                played=col("is_played"), points=won, goals_for=own, goals_against=against,
                home_played=here & (side == "home"), home_points=won * (here & (side == "home")),
                away_played=here & (side == "away"), away_points=won * (here & (side == "away")),
                **{name: polars.lit(polars.Series(values)) for name, values in shared.items()}))
        rows = polars.concat(halves).collect()
        order = rows["key"].arg_sort()
        place = order.arg_sort()
        return rows.select(polars.exclude("key").gather(order)), place[: len(self.matches)], place[len(self.matches) :]


SUMS = ["played", "points", "goals_for", "goals_against", "home_played", "home_points", "away_played", "away_points"]


def standings(rows):
    """What each team stands at after each row, within its season; row 0 is a team that has not played."""
    rows = rows.with_columns(polars.int_range(polars.len()).alias("place"), **{name: col(name).cast(polars.Int32) for name in SUMS})
    rows = rows.with_columns(begin=polars.when(changed("team", "group")).then("place").forward_fill(),
                             **{f"all_{name}": col(name).cum_sum() for name in SUMS})
    at_begin = [(col(f"all_{name}") - (col(f"all_{name}") - col(name)).gather("begin")).alias(name) for name in SUMS]
    after = rows.select("begin", "all_points", "season", "tier", "group", "is_played", "counts_from", "place", "team", *at_begin)
    played = after.filter("is_played").with_columns(at=polars.int_range(polars.len()))
    back = col("at") - polars.min_horizontal(col("played"), FORM_MATCHES)
    earlier = polars.when(back >= 0).then(col("all_points").gather(polars.max_horizontal(back, 0))).otherwise(0)
    return after, played.with_columns(form=col("all_points") - earlier, key=key_of("points", "goals_for", "goals_against"))


def key_of(earned, scored, conceded):
    difference = (col(scored) - col(conceded)).clip(-GOALS_HIGH, GOALS_HIGH) + GOALS_HIGH
    return ((col(earned).cast(polars.Int64) * (1 << DIFFERENCE_BITS)) + difference) * (1 << GOALS_BITS) + col(scored)


class Ranking:
    """All tables: who stands where at every moment."""

    def __init__(self, played, tables):
        first = played["counts_from"].to_numpy()
        group, begin = played["group"].to_numpy(), played["begin"].to_numpy()
        last = tables.group_end[group]
        last[:-1] = numpy.where(begin[1:] == begin[:-1], first[1:], last[:-1])
        lasts = numpy.maximum(last - first, 0)
        count = len(tables.moment_group)
        cell = numpy.repeat(numpy.arange(len(first)), lasts)
        moment = numpy.arange(len(cell)) + numpy.repeat(first - (numpy.cumsum(lasts) - lasts), lasts)
        packed = (moment << KEY_BITS) | (KEY_HIGH - played["key"].to_numpy()[cell])
        self.sorted = polars.Series(packed).sort().to_numpy()
        self.seen = numpy.bincount(moment, minlength=count)
        self.begin = numpy.cumsum(self.seen) - self.seen
        by_form = numpy.bincount((moment << FORM_BITS) + played["form"].to_numpy()[cell], minlength=count << FORM_BITS)
        self.up_to_form = numpy.cumsum(by_form)
        # the most matches of a team: of a group, it only grows
        most = numpy.zeros(count, dtype=numpy.int64)
        there = first < tables.group_end[group]
        numpy.maximum.at(most, first[there], played["played"].to_numpy()[there].astype(numpy.int64))
        self.most_played = numpy.maximum.accumulate(most + (tables.moment_group << 16)) - (tables.moment_group << 16)

    def greater(self, moment, key):
        """How many teams stand above this key; asked in order of the moments, so that the search stays near."""
        return numpy.searchsorted(self.sorted, (moment << KEY_BITS) | (KEY_HIGH - key)) - self.begin[moment]

    def better_form(self, moment, form):
        return self.up_to_form[(moment << FORM_BITS) + 15] - self.up_to_form[(moment << FORM_BITS) + form]

    def points_at(self, moment, place):
        at = numpy.minimum(self.begin[moment] + place, len(self.sorted) - 1)
        value = (KEY_HIGH - (self.sorted[at] & KEY_HIGH)) >> (DIFFERENCE_BITS + GOALS_BITS)
        return numpy.where(place < self.seen[moment], value, 0)


def ago(name, seasons):
    return polars.when(col("division") == col("division").shift(seasons)).then(col(name).shift(seasons))


def seasons_before(after, groups):
    """Per row: the team's season before, if it was last year's. Per group: size, matches per opponent of the two before."""
    ends = after.filter((col("begin") != col("begin").shift(-1)).fill_null(True))
    ends = ends.with_columns(is_next=(col("team") == col("team").shift(1)) & (col("season") == col("season").shift(1) + 1))
    ends = ends.with_columns(last_tier=polars.when("is_next").then(col("tier").shift(1)),
                             last_points=polars.when("is_next").then(col("points").shift(1).cast(polars.Float32) / col("played").shift(1)))
    sizes = ends.filter(col("played") > 0).group_by("group").agg(size=polars.len(), most=col("played").max())
    groups = groups.with_columns(group=polars.int_range(polars.len(), dtype=polars.Int64)).join(sizes, on="group", how="left")
    groups = groups.sort("group").with_columns(rounds=polars.when(col("size") >= 2).then(col("most") / (col("size") - 1)).otherwise(0.0))
    rounds = polars.max_horizontal(ago("rounds", 1), ago("rounds", 2)).fill_null(0)
    groups = groups.select(last_size=ago("size", 1).fill_null(0), rounds=polars.when(rounds > 0).then(rounds).otherwise(2.0),
                           follows=(ago("season", 1) == col("season") - 1).fill_null(False))
    # the number of each row's season among the ends
    number = after.select(changed("begin").cast(polars.Int32).cum_sum() - 1).to_series()
    return ends.select("last_tier", "last_points"), number, groups


def closeness(distance):
    return (1 - col(distance).abs() / (3 * (col("matches") - col("played")) + 1)).clip(lower_bound=0)


def side_features(side, own, ranking, moment, league):
    """own: standing of the team before each match; moments in order."""
    is_in, key, form = own["played"].to_numpy() > 0, own["key"].to_numpy(), own["form"].to_numpy()
    greater = ranking.greater(moment, key)
    place = numpy.where(is_in, greater, ranking.seen[moment])
    teams = league["teams"].to_numpy()
    earned = own["points"].to_numpy()
    lines = {"title": numpy.ones_like(teams),
             "europe": numpy.where(teams >= 20, 6, numpy.where(teams >= 16, 5, 4)),
             "relegation": teams - numpy.where(teams >= 18, 3, numpy.where(teams >= 12, 2, 1))}
    distance = {}
    for name, k in lines.items():
        at = numpy.maximum(k, 1) - 1
        distance[name] = numpy.clip(earned - ranking.points_at(moment, at + (at >= place)), -HIGH, HIGH)
    table = polars.concat([own, league, polars.DataFrame(distance),
                           polars.DataFrame({"greater": greater, "better": ranking.better_form(moment, form)})], how="horizontal")
    is_sure, share = col("teams") >= 2, (col("played") / col("matches"))
    moved = polars.when(col("last_tier").is_not_null()).then((col("last_tier") - col("tier")).sign()).otherwise(
        polars.when("follows").then(1))
    return table.select(**{f"table_{side}_{name}": value.cast(polars.Float32) for name, value in {
        "position": (col("greater") + 1).clip(1, HIGH),
        "points": col("points") / col("played"),
        "goal_difference": (col("goals_for") - col("goals_against")) / col("played"),
        "venue_points": col(f"{side}_points") / col(f"{side}_played"),
        "form_position": (col("better") + 1).clip(1, HIGH),
        "title_distance": polars.when(is_sure).then("title"),
        "europe_distance": polars.when(is_sure).then("europe"),
        "relegation_distance": polars.when(is_sure).then("relegation"),
        "pressure": polars.when(is_sure).then(share * polars.max_horizontal(*[closeness(name) for name in lines])),
        "playoff_pressure": polars.when(is_sure).then(share * closeness("europe")),
        "moved": moved,
        "last_points": col("last_points"),
    }.items()})


def table_features(matches):
    tables = Tables(matches)
    rows, *places = tables.team_rows()
    after, played = standings(rows)
    ranking = Ranking(played, tables)
    last_season, season_number, groups = seasons_before(after, tables.groups)
    moment = tables.moment
    league = groups.select(polars.all().gather(polars.Series(tables.group)))
    league = league.with_columns(tables.matches["tier"], seen=ranking.seen[moment], most=ranking.most_played[moment])
    is_sure = col("most") >= 3
    league = league.with_columns(teams=polars.when(is_sure).then("seen").when(col("last_size") == 0).then(0).otherwise(
        polars.max_horizontal("seen", "last_size")))
    league = league.select("follows", "tier", "teams",
                           matches=polars.max_horizontal(col("rounds") * (col("teams").cast(polars.Float64) - 1), "most"))
    # the last played row before each row, if it is of the same season; 0: none
    lane = rows.select(count=col("is_played").cast(polars.Int64).cum_sum() - col("is_played"), begin=after["begin"])
    lane = lane.select(polars.when(col("count") > col("count").gather("begin")).then("count").otherwise(0)).to_series()
    names = [*SUMS, "key", "form"]
    nothing = {name: [GOALS_HIGH << GOALS_BITS if name == "key" else 0] for name in names}
    standing = polars.concat([polars.DataFrame(nothing, schema=played.select(names).schema), played.select(names)])
    parts, counts = [], []
    for side, place in zip(("home", "away"), places):
        own = standing.select(polars.all().gather(lane.gather(place)))
        own = polars.concat([own, last_season.select(polars.all().gather(season_number.gather(place)))], how="horizontal")
        parts.append(side_features(side, own, ranking, moment, league))
        counts.append(own["played"])
    out = polars.concat([*parts, league.select("teams", "matches"), polars.DataFrame({"both": counts[0] + counts[1]})], how="horizontal")
    is_sure = col("teams") >= 2
    out = out.with_columns(
        table_position_gap=col("table_home_position") - col("table_away_position"),
        table_points_gap=col("table_home_points") - col("table_away_points"),
        table_progress=polars.when(is_sure).then(col("both") / (2 * col("matches"))).cast(polars.Float32),
        table_teams=polars.when(is_sure).then(col("teams").clip(2, HIGH)).cast(polars.Float32),
    ).drop("teams", "matches", "both")
    return out.select(polars.all().gather(tables.back))


def form_features(matches):
    long, home_place, away_place = polars_matrix.by_team(matches)
    return polars_matrix.form_features(long, {"home": home_place, "away": away_place}, "cumulative")


def build(matches):
    return polars.concat([form_features(matches), h2h_features(matches), table_features(matches)], how="horizontal")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parquet")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--check")
    options = parser.parse_args()
    matches = polars.read_parquet(options.parquet)
    times, parts = [], {}
    for _ in range(options.repeat):
        begin = time.perf_counter()
        result = build(matches)
        times.append(round((time.perf_counter() - begin) * 1000, 1))
    for name, family in {"form": form_features, "h2h": h2h_features, "table": table_features}.items():
        begin = time.perf_counter()
        family(matches)
        parts[name] = round((time.perf_counter() - begin) * 1000, 1)
    out = {"rows": len(result), "columns": len(result.columns), "first_ms": times[0], "build_ms": min(times[1:] or times),
           "parts_ms": parts, "threads": polars.thread_pool_size()}
    if options.check:
        out["check"] = polars_matrix.check(matches, result, options.check, FAMILIES)
    print(json.dumps(out))
    return 1 if options.check and out["check"]["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
