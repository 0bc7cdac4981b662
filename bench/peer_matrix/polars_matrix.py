"""Peer of the row `matrix`: eight families of `almanac features build`, by Polars and numba.

    polars_matrix.py PARQUET [--windows rolling|cumulative] [--repeat N] [--check MATRIX.csv --families NAME...]

The matches are in memory when the clock starts (prepare.py made them) and the result is a Polars frame of float32
columns, the layout Polars likes best; ours is the row-major matrix that training reads.

Form, shots and discipline are Polars: the matches are laid out once per team and family, and every window is an
expression, so that Polars runs them on all threads. Two ways of writing a window are measured:
- rolling     `rolling_sum(w).over("team")`: how Polars' own documentation does it;
- cumulative  differences of one running sum, cut off at the team's first match: hand-tuned, no grouping at all.
Elo, pi, rest and overround removal are numba (sequential.py).
"""

import argparse
import json
import sys
import time

import numpy
import polars
from polars import col

import sequential

WINDOWS = [3, 5, 10, 20]
LENGTHS = [2, 3, 5, 10, 20]
STATISTICS = ["shots", "shots_on_target", "corners", "fouls", "yellows", "reds"]
ELO = [f"elo_{rule}_{name}" for rule in ("plain", "world", "club") for name in ("home", "away", "difference", "expectation")]
PI = ["pi_home_team_at_home", "pi_home_team_away", "pi_away_team_at_home", "pi_away_team_away", "pi_mean_difference",
      "pi_expected_goal_difference"]
REST = [f"rest_{side}_{name}" for side in ("home", "away")
        for name in ("days", "matches_7", "matches_14", "matches_30", "season_matches")]
REST += ["rest_days_gap", "rest_congestion_gap_14", "rest_congestion_gap_30"]
METHODS = ["multiplicative", "additive", "power", "shin", "odds_ratio"]
MARKET = [f"market_{method}_{side}" for method in METHODS for side in ("home", "draw", "away")]
MARKET += ["market_booksum", "market_price_source", "market_disagreement_home", "market_disagreement_draw",
           "market_disagreement_away", "market_ou_multiplicative_under", "market_ou_multiplicative_over",
           "market_ou_shin_under", "market_ou_shin_over", "market_ou_booksum", "market_ou_price_source",
           "market_disagreement_under", "market_disagreement_over", "market_expected_total"]


def by_team(matches):
    """Two rows per match, one per team, in the team's order of time; and where each match's two rows came to lie."""
    halves = []
    for side, other in (("home", "away"), ("away", "home")):
        own, against = col(f"{side}_goals"), col(f"{other}_goals")
        columns = {"key": col(side).cast(polars.Int64) * len(matches) + polars.int_range(polars.len()), "team": col(side),
                   "is_played": col("is_played"), "is_home": polars.lit(side == "home"),
                   "points": polars.when(own > against).then(3).when(own == against).then(1).otherwise(0).cast(polars.Int32),
                   "goals_for": own, "goals_against": against, "won": (own > against).cast(polars.Int32),
                   "over": (own + against > 2).cast(polars.Int32)}
        for name in STATISTICS:
            columns[name] = col(f"{side}_{name}")
            columns[f"{name}_against"] = col(f"{other}_{name}")
        halves.append(matches.lazy().select(**columns))
    long = polars.concat(halves).collect()
    order = long["key"].arg_sort().to_numpy()
    place = numpy.empty(len(order), dtype=numpy.int64)
    place[order] = numpy.arange(len(order))
    return long.drop("key").select(polars.all().gather(order)), place[: len(matches)], place[len(matches) :]


def rolling_sums(lane, name):
    return [col(lane).rolling_sum(length, min_samples=1).over("team", mapping_strategy="explode").alias(f"{name}:{length}")
            for length in LENGTHS]


def cumulative_sums(lane, name):
    """Counts are never negative, so a running sum never falls: max() cuts the window off where the team begins."""
    running = col(f"running_{lane}")
    return [(running - polars.max_horizontal(running.shift(length, fill_value=0), col(f"base_{lane}")))
            .alias(f"{name}:{length}") for length in LENGTHS]


def add_running(table, lanes):
    table = table.with_columns(place=polars.int_range(polars.len()),
                               is_first=(col("team") != col("team").shift(1)).fill_null(True))
    table = table.with_columns(
        played=col("place") - polars.when("is_first").then("place").forward_fill() + 1,
        **{f"running_{lane}": col(lane).cum_sum() for lane in set(lanes)},
    )
    return table.with_columns(**{
        f"base_{lane}": polars.when("is_first").then(col(f"running_{lane}") - col(lane)).forward_fill() for lane in set(lanes)
    })


def window_means(table, lanes, style):
    """{name: lane} -> columns name_3 .. name_20: weighted means after each match of the team."""
    if style == "cumulative":
        table = add_running(table, lanes.values())
        sums = [e for name, lane in lanes.items() for e in cumulative_sums(lane, name)]
        played = col("played")
    else:
        table = table.with_columns(played=polars.int_range(1, polars.len() + 1).over("team", mapping_strategy="explode"))
        sums = [e for name, lane in lanes.items() for e in rolling_sums(lane, name)]
        played = col("played")
    weights = [(8 * played.clip(upper_bound=LENGTHS[i]) + 7 * played.clip(upper_bound=w)).cast(polars.Float32).alias(f"weight_{w}")
               for i, w in enumerate(WINDOWS)]
    table = table.with_columns(*sums, *weights)
    return table.select([
        ((8 * col(f"{name}:{LENGTHS[i]}") + 7 * col(f"{name}:{w}")).cast(polars.Float32) / col(f"weight_{w}")).alias(f"{name}_{w}")
        for i, w in enumerate(WINDOWS) for name in lanes
    ])


class Family:
    """The weighted means over a part of the team rows, and what they were before each match."""

    def __init__(self, long, condition, lanes, style):
        mask = long.select(condition.fill_null(False)).to_series()
        part = long.filter(mask)
        self.means = window_means(part, lanes, style)
        teams, mask = long["team"].to_numpy(), mask.to_numpy()
        last = numpy.cumsum(mask) - mask - 1  # the place in `part` of the last row before this one
        self.last = last
        self.is_there = (last >= 0) & (part["team"].to_numpy()[last] == teams)

    def before(self, place, prefix):
        at = polars.DataFrame({"last": self.last[place], "is_there": self.is_there[place]})
        at = at.select(polars.when("is_there").then("last")).to_series()
        return self.means.select(polars.all().gather(at).name.prefix(prefix))


def form_features(long, places, style):
    lanes = {"points": "points", "goals_for": "goals_for", "goals_against": "goals_against"}
    overall = Family(long, col("is_played"), {**lanes, "win_share": "won"}, style)
    parts = []
    for side, place in places.items():
        at_venue = col("is_played") & (col("is_home") == (side == "home"))
        venue = Family(long, at_venue, {**lanes, "over_share": "over"}, style)
        parts += [overall.before(place, f"form_{side}_overall_"), venue.before(place, f"form_{side}_venue_")]
    out = polars.concat(parts, how="horizontal")
    h, a = "form_home_overall_", "form_away_overall_"
    return out.with_columns(
        *[(col(f"{h}points_{w}") - col(f"{a}points_{w}")).alias(f"form_points_gap_{w}") for w in WINDOWS],
        *[(col(f"{h}goals_for_{w}") - col(f"{h}goals_against_{w}") - (col(f"{a}goals_for_{w}") - col(f"{a}goals_against_{w}")))
          .alias(f"form_goal_difference_gap_{w}") for w in WINDOWS],
    )


def present(*names):
    return col("is_played") & polars.all_horizontal(col(name).is_not_null() for name in names)


def shots_features(long, places, style):
    volume = Family(long, present("shots", "shots_against", "corners", "corners_against"),
                    {"total": "shots", "total_against": "shots_against", "corners": "corners",
                     "corners_against": "corners_against"}, style)
    target = Family(long, present("shots_on_target", "shots_on_target_against"),
                    {"on_target": "shots_on_target", "on_target_against": "shots_on_target_against", "goals": "goals_for",
                     "goals_against": "goals_against"}, style)
    ratio = {f"conversion{kind}_{w}": polars.when(col(f"on_target{kind}_{w}") > 0)
             .then((col(f"goals{kind}_{w}") / col(f"on_target{kind}_{w}")).clip(upper_bound=5))
             for kind in ("", "_against") for w in WINDOWS}
    target.means = target.means.with_columns(**ratio).select(polars.exclude("^goals_.*$"))
    return polars.concat([family.before(place, f"shots_{side}_") for side, place in places.items()
                          for family in (volume, target)], how="horizontal")


def discipline_features(long, places, style):
    cards = Family(long, present("yellows", "reds"), {"yellows": "yellows", "reds": "reds"}, style)
    fouls = Family(long, present("fouls"), {"fouls": "fouls"}, style)
    return polars.concat([family.before(place, f"discipline_{side}_") for side, place in places.items()
                          for family in (cards, fouls)], how="horizontal")


def calendar_features(matches):
    date = polars.from_epoch("day", time_unit="d")
    progress = (col("day") - polars.date(col("season"), 7, 1).to_physical()) / 365
    weekday = date.dt.weekday() - 1
    return matches.select(
        rest_midweek=weekday.is_between(1, 3).cast(polars.Float32),
        calendar_month=date.dt.month().cast(polars.Float32),
        calendar_weekday=weekday.cast(polars.Float32),
        calendar_season_progress=progress.clip(0, 1.25).cast(polars.Float32),
        calendar_tier=col("tier").cast(polars.Float32),
        calendar_neutral=col("is_neutral").cast(polars.Float32),
    )


def as_columns(values, names):
    return polars.DataFrame([polars.Series(name, values[i]) for i, name in enumerate(names)])


def odds_array(matches, market, count):
    books = [[matches[f"{book}_{market}_{i}"].to_numpy() for i in range(1, count + 1)] for book in ("avg", "b365", "ps", "max")]
    return numpy.array(books, dtype=numpy.float64)


def sequential_features(matches, home, away):
    stream = matches["stream"].to_numpy()
    order = numpy.argsort(stream, kind="stable")
    begin = numpy.searchsorted(stream[order], numpy.arange(stream.max() + 2))
    goals = [matches[name].fill_null(0).to_numpy() for name in ("home_goals", "away_goals")]
    played, neutral = matches["is_played"].to_numpy(), matches["is_neutral"].to_numpy()
    teams = int(max(home.max(), away.max())) + 1
    ratings = sequential.ratings(begin, order, home, away, *goals, played, neutral, teams)
    rest = sequential.rest(begin, order, home, away, matches["day"].to_numpy(), matches["season"].to_numpy(), played, teams)
    market = sequential.market(odds_array(matches, "1x2", 3), odds_array(matches, "ou25", 2))
    return [as_columns(ratings, ELO + PI), as_columns(rest, REST), as_columns(market, MARKET)]


def build(matches, style):
    home, away = matches["home"].to_numpy(), matches["away"].to_numpy()
    long, home_place, away_place = by_team(matches)
    places = {"home": home_place, "away": away_place}
    parts = sequential_features(matches, home, away)
    parts += [family(long, places, style) for family in (form_features, shots_features, discipline_features)]
    parts.append(calendar_features(matches))
    return polars.concat(parts, how="horizontal")


def check(matches, result, path, families):
    """Every row and every feature of these families of our matrix against the peer's; within 1e-5 of the value (2e-7 near
    zero), missing where missing."""
    names = polars.read_csv(path, n_rows=0).columns[5:]
    names = [name for name in names if name.split("_")[0] in families]
    known = [name for name in names if name in result.columns]
    ours = polars.read_csv(path, infer_schema_length=0, columns=["id", *known])
    ids = ours["id"].cast(polars.Int64)
    report = {"rows": len(ours), "columns": len(names), "values": 0, "worst_share_of_tolerance": 0.0, "worst_column": "", "wrong": {}}
    if set(names) != set(result.columns) or not ids.equals(matches["id"].alias("id")):
        report["wrong"] = {"layout": sorted(set(names) ^ set(result.columns)) or ["row order"]}
        return report
    for name in names:
        a = ours[name].cast(polars.Float64).to_numpy()
        b = result[name].cast(polars.Float64).to_numpy()
        missing = numpy.isnan(a)
        excess = numpy.abs(a - b) / (1e-5 * numpy.abs(a) + 2e-7)  # differences of float32 near 1 carry 1e-7
        wrong = int((missing != numpy.isnan(b)).sum() + (excess > 1).sum())
        worst = float(numpy.nanmax(excess, initial=0))
        report["values"] += int((~missing).sum())
        if worst > report["worst_share_of_tolerance"]:
            report["worst_share_of_tolerance"], report["worst_column"] = worst, name
        if wrong:
            report["wrong"][name] = wrong
    return report


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parquet")
    parser.add_argument("--windows", choices=["rolling", "cumulative"], default="rolling")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--check")
    parser.add_argument("--families", nargs="*", default=[])
    options = parser.parse_args()
    matches = polars.read_parquet(options.parquet)
    times = []
    for _ in range(options.repeat):
        begin = time.perf_counter()
        result = build(matches, options.windows)
        times.append(round((time.perf_counter() - begin) * 1000, 1))
    out = {"rows": len(result), "columns": len(result.columns), "first_ms": times[0], "build_ms": min(times[1:] or times),
           "threads": polars.thread_pool_size()}
    if options.check:
        out["check"] = check(matches, result, options.check, options.families)
    print(json.dumps(out))
    return 1 if options.check and out["check"]["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
