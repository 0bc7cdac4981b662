#!/usr/bin/env python3
"""Independent oracle of the feature families finance, youth, congestion, intensity and dominance.

Each family is a class with emit(match) and apply(match), written from the
definition at the head of its file (src/football/<family>.c) and done the slow
and obvious way, from the full list of what was.  What is told of teams is read
from the table team_attribute and looked up by going through all of its rows:
of the seasons up to that of the match the newest with a value known before the
day of the match, and of that season the value told last.

The reading of store and matrix and the order of events are those of
families_context.py.  Run as a program it recomputes every row of an exported
matrix and compares:

    almanac features build --csv --data-dir DIR
    families_attributes.py --data-dir DIR [--league E0 ...]

Prints one JSON object (per family: rows and values compared, how many were
not missing, largest difference, names that are off), exits 1 when a value is
off.
"""
import argparse
import json
import math
import pathlib
import sqlite3
import statistics
import struct
import sys
from collections import defaultdict

import families_context as context

NAN = math.nan
SIDES = ("home", "away")


def single(value):
    """As a fixture holds it: 32 bits."""
    return struct.unpack("f", struct.pack("f", value))[0]


def read_attributes(path):
    """(team, name) -> [(season, known_day, value)]"""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    told = defaultdict(list)
    for team, season, name, day, value in connection.execute(
            "SELECT team_id, season, name, known_day, value FROM team_attribute"):
        told[team, name].append((season, day, single(value)))
    connection.close()
    return told


class Told:
    """What is told of the teams of a match as of its day."""

    def __init__(self, told):
        self.told = told

    def __call__(self, match, side, name):
        day = (match["date"] - context.EPOCH).days
        known = [row for row in self.told.get((match["teams"][side], name), ())
                 if row[0] <= match["season"] and row[1] < day]
        return max(known)[2] if known else NAN


def clip(value, low, high):
    return value if math.isnan(value) else min(max(value, low), high)


def mean(values):
    return sum(values) / len(values) if values else NAN


class Finance:
    def __init__(self, told):
        self.told = told
        self.last = {}  # team -> (league, season, wages, squad value) at its latest match

    def emit(self, match):
        out, told = {}, {side: {name: self.told(match, side, name) for name in
                                ("wages", "squad_value", "transfer_spend", "transfer_income", "manager_changes")}
                         for side in (0, 1)}
        for side, name in enumerate(SIDES):
            own = told[side]
            others = [row[2:] for team, row in self.last.items()
                      if team != match["teams"][side] and row[:2] == (match["league"], match["season"])]
            for place, (key, column) in enumerate((("wages", "wages_rank"), ("squad_value", "value_rank"))):
                known = [row[place] for row in others if not math.isnan(row[place])]
                missing = math.isnan(own[key]) or not known
                out[f"finance_{name}_{column}"] = NAN if missing else sum(v < own[key] for v in known) / len(known)
            net, value = own["transfer_spend"] - own["transfer_income"], own["squad_value"]
            out[f"finance_{name}_net_spend"] = clip(net / value, -5, 5) if value > 0 else NAN
            out[f"finance_{name}_manager_changes"] = own["manager_changes"]
        for key, column in (("wages", "wages"), ("squad_value", "value")):
            home, away = told[0][key], told[1][key]
            ratio = home / away if home > 0 and away > 0 else NAN
            out[f"finance_{column}_ratio"] = clip(ratio, 0, 1000)
            out[f"finance_{column}_log_ratio"] = clip(math.log(ratio), -7, 7)
        out["finance_net_spend_gap"] = out["finance_home_net_spend"] - out["finance_away_net_spend"]
        wages = [row[2] for row in self.last.values()
                 if row[:2] == (match["league"], match["season"]) and not math.isnan(row[2])]
        told_now = not (math.isnan(told[0]["wages"]) and math.isnan(told[1]["wages"]))
        out["finance_league_disparity"] = (clip(statistics.pstdev(wages) / statistics.fmean(wages), 0, 20)
                                           if told_now and len(wages) >= 2 and sum(wages) else NAN)
        return out

    def apply(self, match):
        for side, team in enumerate(match["teams"]):
            self.last[team] = (match["league"], match["season"], self.told(match, side, "wages"),
                               self.told(match, side, "squad_value"))


class Youth:
    def __init__(self, told):
        self.told = told
        self.past = defaultdict(list)  # team -> (season, minutes of the young) of its matches

    def emit(self, match):
        out, told = {}, {}
        for side, name in enumerate(SIDES):
            told[side] = {key: self.told(match, side, key)
                          for key in ("u21_minutes", "academy_minutes", "average_age", "squad_size")}
            for key in ("u21_minutes", "academy_minutes", "average_age"):
                out[f"youth_{name}_{key}"] = told[side][key]
            before = [value for season, value in self.past[match["teams"][side]] if season < match["season"]]
            out[f"youth_{name}_u21_change"] = told[side]["u21_minutes"] - before[-1] if before else NAN
        for key, column in (("u21_minutes", "u21"), ("academy_minutes", "academy"), ("average_age", "age"),
                            ("squad_size", "squad")):
            out[f"youth_{column}_gap"] = told[0][key] - told[1][key]
        return out

    def apply(self, match):
        for side, team in enumerate(match["teams"]):
            self.past[team].append((match["season"], self.told(match, side, "u21_minutes")))


class Congestion:
    def __init__(self, _):
        self.days = defaultdict(list)

    def emit(self, match):
        out = {}
        for side, name in enumerate(SIDES):
            days = self.days[match["teams"][side]]
            since = [(match["date"] - day).days for day in days]
            for span, high in ((7, 16), (28, 48)):
                out[f"congestion_{name}_load_{span}"] = min(sum(2 ** (-gap / span) for gap in since), high)
            calendar = days + [match["date"]]
            out[f"congestion_{name}_short_rests"] = sum(
                (later - earlier).days <= 3 and (match["date"] - later).days <= 30
                for earlier, later in zip(calendar, calendar[1:]))
        for key, column in (("load_7", "load_gap_7"), ("load_28", "load_gap_28"), ("short_rests", "short_rests_gap")):
            out[f"congestion_{column}"] = out[f"congestion_home_{key}"] - out[f"congestion_away_{key}"]
        return out

    def apply(self, match):
        for team in match["teams"]:
            self.days[team].append(match["date"])


class Intensity:
    def __init__(self, _):
        self.past = defaultdict(list)    # team -> (own, of both sides)
        self.league = defaultdict(list)  # league -> [season it counts for, of both sides]
        self.season = {}

    @staticmethod
    def hardness(match):
        return [min(match["fouls"][side] + match["yellows"][side] + match["reds"][side], 99)
                if not math.isnan(match["fouls"][side] + match["yellows"][side] + match["reds"][side]) else NAN
                for side in (0, 1)]

    def emit(self, match):
        seasons = sorted({season for season, _ in self.league[match["league"]]})[-2:]
        usual = mean([both for season, both in self.league[match["league"]] if season in seasons])
        out = {}
        for side, name in enumerate(SIDES):
            past = self.past[match["teams"][side]][-10:]
            total = sum(both for _, both in past)
            out[f"intensity_{name}_share_10"] = sum(own for own, _ in past) / total if total else NAN
            out[f"intensity_{name}_match_10"] = min(mean([b for _, b in past]) / usual, 9) if past and usual > 0 else NAN
            out[f"intensity_{name}_trend"] = mean([b for _, b in past[-3:]]) - mean([b for _, b in past])
        out["intensity_share_gap"] = out["intensity_home_share_10"] - out["intensity_away_share_10"]
        out["intensity_expected"] = clip(
            usual * out["intensity_home_match_10"] * out["intensity_away_match_10"], 0, 198)
        return out

    def apply(self, match):
        hard = self.hardness(match)
        if math.isnan(sum(hard)):
            return
        league = match["league"]
        self.season[league] = max(self.season.get(league, match["season"]), match["season"])
        self.league[league].append((self.season[league], sum(hard)))
        for side, team in enumerate(match["teams"]):
            self.past[team].append((hard[side], sum(hard)))


class Dominance:
    def __init__(self, _):
        self.season = {}                   # league -> season on record
        self.matches = defaultdict(list)   # league -> (season it counts for, teams, points, were they big?)
        self.against = defaultdict(list)   # team -> points against big teams
        self.cache = {}

    def big(self, league):
        """(points of all, the big ones or None) over the last three seasons on record."""
        if league not in self.cache:
            points = defaultdict(int)
            for _, teams, won, _ in self.recent(league):
                for team, own in zip(teams, won):
                    points[team] += own
            best = sorted(points.values(), reverse=True)
            self.cache[league] = points, best[2] if len(best) >= 6 else None
        return self.cache[league]

    def recent(self, league):
        seasons = sorted({entry[0] for entry in self.matches[league]})[-3:]
        return [entry for entry in self.matches[league] if entry[0] in seasons]

    def is_big(self, league, team):
        points, least = self.big(league)
        return least is not None and points.get(team, 0) >= least

    def emit(self, match):
        league, out = match["league"], {}
        points, least = self.big(league)
        for name, team in zip(SIDES, match["teams"]):
            out[f"dominance_{name}_big"] = NAN if least is None else float(self.is_big(league, team))
            out[f"dominance_{name}_points_vs_big"] = mean(self.against[team][-10:])
        total = sum(points.values())
        out["dominance_points_share"] = (sum(own for own in points.values() if own >= least) / total
                                         if least is not None and total else NAN)
        won = [own for _, _, result, big in self.recent(league)
               for own, is_big, other in ((result[0], *big), (result[1], *big[::-1])) if is_big and not other]
        out["dominance_big_points"] = mean(won)
        return out

    def apply(self, match):
        league = match["league"]
        if match["season"] > self.season.get(league, -10000):
            self.season[league] = match["season"]
            # a season begins: the oldest of three goes before anybody is looked at
            kept = sorted({entry[0] for entry in self.matches[league]})[-2:]
            self.matches[league] = [entry for entry in self.matches[league] if entry[0] in kept]
            self.cache.pop(league, None)
        big = [self.is_big(league, team) for team in match["teams"]]
        own, other = match["goals"]
        result = [context.points(own, other), context.points(other, own)]
        for side, team in enumerate(match["teams"]):
            if big[1 - side]:
                self.against[team].append(result[side])
        self.matches[league].append((self.season[league], match["teams"], result, big))
        self.cache.pop(league, None)


FAMILIES = {"finance": Finance, "youth": Youth, "congestion": Congestion, "intensity": Intensity, "dominance": Dominance}
# a 32-bit load of 10 matches, fouls of 50
TOLERANCE = {"congestion": 3e-6, "intensity": 3e-5}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, type=pathlib.Path)
    parser.add_argument("--league", action="append")
    arguments = parser.parse_args()
    context.FAMILIES = FAMILIES
    names, matrix = context.read_matrix(arguments.data_dir / "feature_matrix_last.csv")
    told = Told(read_attributes(arguments.data_dir / "almanac.db"))
    report = {name: {"rows": 0, "values": 0, "present": 0, "largest": 0.0, "off": {}} for name in FAMILIES}
    for matches in context.read_store(arguments.data_dir / "almanac.db").values():
        if arguments.league and not any(match["league"] in arguments.league for match in matches):
            continue
        for match, features in context.recompute(matches, {name: family(told) for name, family in FAMILIES.items()}):
            theirs = dict(zip(names, matrix[match["id"]]))
            for family, ours in features.items():
                assert set(ours) == {name for name in names if name.startswith(family + "_")}, family
                report[family]["rows"] += 1
                report[family]["present"] += sum(not math.isnan(value) for value in ours.values())
                context.compare(report[family], ours, theirs, TOLERANCE.get(family, 1e-6))
    json.dump(report, sys.stdout, indent=1)
    print()
    return 1 if any(entry["off"] or not entry["rows"] for entry in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
