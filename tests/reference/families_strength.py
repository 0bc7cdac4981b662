#!/usr/bin/env python3
"""Independent oracle of the feature families berrar, dixon_coles and xg.

Each family is a class with emit(match) and apply(match), written from the
definition at the head of its file (src/football/<family>.c) and done the slow
and obvious way: scores are tables of probabilities, regressions are solved over
all past sides, windows are slices of lists.  It shares no code with the program.

A match is a dictionary: league, date, teams (home, away; names unique within
the rating pool), goals, shots, target, xg (home, away; NaN unknown; xg measured,
in thousandths), neutral
(optional).  tests/test_features.py feeds simulated seasons; run as a program it
reads the store and the exported matrix of a data directory, recomputes every
row and compares:

    almanac features build --csv --data-dir DIR
    families_strength.py --data-dir DIR [--league E0 ...]

With --league, only the countries of those leagues are compared.  Prints one
JSON object (per family: values compared, largest difference) and exits 1 when a
value is off.  Needs numpy.
"""
import argparse
import csv
import datetime
import json
import math
import pathlib
import sqlite3
import sys
from collections import defaultdict

import numpy as np

WINDOWS = (5, 10, 20)
SCORES = 60  # goals per side in the table of scores: the rest is nothing


def clamp(value, low, high):
    return min(max(value, low), high)


class Berrar:
    """Berrar, Lopes, Davis & Dubitzky (2019): offence o, defence d (high is weak), expected goals by a sigmoid."""

    ALPHA, GAMMA, OMEGA = 5, (-0.85, -1.25), 0.02

    def __init__(self):
        self.offence, self.defence = defaultdict(float), defaultdict(float)

    def expected(self, match):
        gamma = [sum(self.GAMMA) / 2] * 2 if match.get("neutral") else self.GAMMA
        home, away = match["teams"]
        return [self.ALPHA / (1 + math.exp(-(self.offence[own] + self.defence[other]) - gamma[side]))
                for side, (own, other) in enumerate(((home, away), (away, home)))]

    def emit(self, match):
        home, away = self.expected(match)
        out = {"berrar_expected_home": home, "berrar_expected_away": away,
               "berrar_expected_difference": home - away, "berrar_expected_total": home + away}
        for name, team in zip(("home", "away"), match["teams"]):
            out[f"berrar_{name}_offence"], out[f"berrar_{name}_defence"] = self.offence[team], self.defence[team]
        return out

    def apply(self, match):
        expected = self.expected(match)
        for side, team in enumerate(match["teams"]):
            error = match["goals"][side] - expected[side]
            other = match["teams"][1 - side]
            self.offence[team] = clamp(self.offence[team] + self.OMEGA * error, -5, 5)
            self.defence[other] = clamp(self.defence[other] + self.OMEGA * error, -5, 5)


class Strength:
    """Attack and defence by a Newton step per result; data fade, the prior does not.

    A value is the maximum of prior and data, both Gaussian: v = (P m + I b)/(P + I), b what the data alone say.
    """

    XI, XI_LEAGUE, P, P_LEAGUE, ANCHOR, MEAN_RATE = 0.002, 0.0005, 10, 150, 0.95, 0.005

    def __init__(self):
        self.team = {}  # name -> attack, defence: [value, information]; date
        self.league = defaultdict(lambda: {"level": [0.22, 0.0], "advantage": [0.35, 0.0], "mean": [0.0, 0.0],
                                           "date": None})

    def of(self, team, league):
        known = self.team.get(team)
        if known:
            return known
        return {"values": [[mean, 0.0] for mean in self.league[league]["mean"]], "date": None}

    def expected(self, match, spread=1):
        league = self.league[match["league"]]
        half = 0 if match.get("neutral") else league["advantage"][0] / 2
        (home, away) = (self.of(team, match["league"])["values"] for team in match["teams"])
        level = league["level"][0]
        return [clamp(math.exp(level + half + spread * (home[0][0] - away[1][0])), 0.05, 5),
                clamp(math.exp(level - half + spread * (away[0][0] - home[1][0])), 0.05, 5)]

    def fade(self, match):
        league = self.league[match["league"]]
        for name in match["teams"]:
            team = self.team[name] = self.of(name, match["league"])
            days = max(0, (match["date"] - team["date"]).days) if team["date"] else 0
            for value, mean in zip(team["values"], league["mean"]):
                if value[1] > 0 and days:
                    m = self.ANCHOR * mean
                    b = (value[0] * (self.P + value[1]) - self.P * m) / value[1]
                    value[1] *= math.exp(-self.XI * days)
                    value[0] = (self.P * m + value[1] * b) / (self.P + value[1])
            team["date"] = max(team["date"] or match["date"], match["date"])
        days = max(0, (match["date"] - league["date"]).days) if league["date"] else 0
        for value in (league["level"], league["advantage"]):
            value[1] *= math.exp(-self.XI_LEAGUE * days)
        league["date"] = max(league["date"] or match["date"], match["date"])
        return days

    def step(self, match, expected, score):
        league = self.league[match["league"]]
        for side in (0, 1):
            attack = self.team[match["teams"][side]]["values"][0]
            defence = self.team[match["teams"][1 - side]]["values"][1]
            for value, sign in ((attack, 1), (defence, -1)):
                value[1] += expected[side]
                value[0] = clamp(value[0] + sign * score[side] / (self.P + value[1]), -3, 3)
        level, advantage = league["level"], league["advantage"]
        level[1] += sum(expected)
        level[0] = clamp(level[0] + sum(score) / (self.P_LEAGUE + level[1]), -1.5, 1.5)
        if not match.get("neutral"):
            advantage[1] += sum(expected) / 4
            advantage[0] = clamp(advantage[0] + (score[0] - score[1]) / 2 / (self.P_LEAGUE + advantage[1]), -1, 1)
        for k in (0, 1):
            now = sum(self.team[team]["values"][k][0] for team in match["teams"]) / 2
            league["mean"][k] += self.MEAN_RATE * (now - league["mean"][k])


def tau(x, y, home, away, rho):
    """Dixon & Coles 1997, eq. 4.2."""
    return {(0, 0): 1 - home * away * rho, (0, 1): 1 + home * rho, (1, 0): 1 + away * rho, (1, 1): 1 - rho}.get((x, y), 1)


def usable_rho(home, away, rho):
    """Where every tau is above 0, with a margin of 5 %."""
    return clamp(rho, -0.95 / max(home, away), 0.95 / max(1, home * away))


LOG_FACTORIAL = np.array([math.lgamma(k + 1) for k in range(SCORES)])


def chances(home, away, rho):
    """home, draw, away, over 2.5, both score: sums over the table of scores."""
    goals = np.arange(SCORES)
    p = np.outer(*(np.exp(goals * math.log(m) - m - LOG_FACTORIAL) for m in (home, away)))
    for x in (0, 1):
        for y in (0, 1):
            p[x, y] *= tau(x, y, home, away, rho)
    total = goals[:, None] + goals[None, :]
    return np.tril(p, -1).sum(), np.trace(p), np.triu(p, 1).sum(), p[total > 2].sum(), p[1:, 1:].sum()


class DixonColes:
    RHO_START, RHO_RANGE, RHO_P, XI_RHO = -0.05, (-0.25, 0.15), 100, 0.0005

    def __init__(self):
        self.strength = Strength()
        self.rho = defaultdict(lambda: [self.RHO_START, 0.0])  # league -> value, information

    def emit(self, match):
        home, away = self.strength.expected(match)
        rho = usable_rho(home, away, self.rho[match["league"]][0])
        names = ("home", "draw", "away", "over", "both_score")
        out = {f"dixon_coles_{name}": p for name, p in zip(names, chances(home, away, rho))}
        out |= {"dixon_coles_expected_home": home, "dixon_coles_expected_away": away,
                "dixon_coles_expected_difference": home - away, "dixon_coles_expected_total": home + away}
        league = self.strength.league[match["league"]]
        for name, team in zip(("home", "away"), match["teams"]):
            attack, defence = self.strength.of(team, match["league"])["values"]
            out[f"dixon_coles_{name}_attack"] = attack[0] - league["mean"][0]
            out[f"dixon_coles_{name}_defence"] = defence[0] - league["mean"][1]
            out[f"dixon_coles_{name}_information"] = min(attack[1], 500)
        out["dixon_coles_home_advantage"] = 0 if match.get("neutral") else league["advantage"][0]
        return out

    def apply(self, match):
        days = self.strength.fade(match)
        home, away = self.strength.expected(match)
        rho = usable_rho(home, away, self.rho[match["league"]][0])
        x, y = (int(goals) for goals in match["goals"])
        likelihood = lambda lh, la, r: (x * lh - math.exp(lh) + y * la - math.exp(la) +
                                        math.log(tau(x, y, math.exp(lh), math.exp(la), r)))
        h, a, step = math.log(home), math.log(away), 1e-5  # derivatives by central differences
        score = [(likelihood(h + step, a, rho) - likelihood(h - step, a, rho)) / (2 * step),
                 (likelihood(h, a + step, rho) - likelihood(h, a - step, rho)) / (2 * step)]
        by_rho = (likelihood(h, a, rho + step) - likelihood(h, a, rho - step)) / (2 * step)
        self.strength.step(match, (home, away), score)
        value = self.rho[match["league"]]
        value[1] = value[1] * math.exp(-self.XI_RHO * days) + self.information(home, away, rho)
        value[0] = clamp(value[0] + by_rho / (self.RHO_P + value[1]), *self.RHO_RANGE)

    @staticmethod
    def information(home, away, rho):
        """The expected square of the score of rho, over the four scores that depend on it."""
        slope = {(0, 0): -home * away, (0, 1): home, (1, 0): away, (1, 1): -1}
        none = math.exp(-home - away)
        return sum(none * home ** x * away ** y * d ** 2 / tau(x, y, home, away, rho) for (x, y), d in slope.items())


def weighted(past, window):
    """The most recent half (rounded up) weighs 1.5, the older half 0.7."""
    recent = past[-window:][::-1]
    if not recent:
        return math.nan
    weights = [1.5 if place < math.ceil(window / 2) else 0.7 for place in range(len(recent))]
    return sum(w * value for w, value in zip(weights, recent)) / sum(weights)


class Xg:
    KEEP, RIDGE, START, SPREAD, RHO = 0.996, 100, np.array([0.28, 0.02]), 1.2, -0.06

    def __init__(self):
        self.strength = Strength()
        self.seen = set()  # leagues with expected goals of some match
        self.sides = defaultdict(lambda: np.empty((0, 3)))  # league -> target, other, goals of every past side
        self.past = defaultdict(lambda: {"for": [], "against": [], "over": [], "over_against": []})

    def coefficients(self, league):
        """Goals per shot on target and per other shot, of everything the league played before."""
        x = self.sides[league][-16000:]  # 0.996^8000 is nothing
        weight = self.KEEP ** (np.arange(len(x))[::-1] // 2)
        normal = (x[:, :2] * weight[:, None]).T @ x[:, :2] + self.RIDGE * np.eye(2)
        return np.linalg.solve(normal, (x[:, :2] * weight[:, None]).T @ x[:, 2] + self.RIDGE * self.START)

    def emit(self, match):
        out, difference = {}, []
        for name, team in zip(("home", "away"), match["teams"]):
            past = self.past[team]
            for window in WINDOWS:
                for key in ("for", "against"):
                    out[f"xg_{name}_{key}_{window}"] = weighted(past[key], window)
            for window in (10, 20):
                out[f"xg_{name}_over_performance_{window}"] = weighted(past["over"], window)
            out[f"xg_{name}_over_performance_against_20"] = weighted(past["over_against"], 20)
        for window in WINDOWS:
            net = lambda name: out[f"xg_{name}_for_{window}"] - out[f"xg_{name}_against_{window}"]
            out[f"xg_gap_{window}"] = net("home") - net("away")
        home, away = self.strength.expected(match, self.SPREAD)
        values = [home, away, home - away, *chances(home, away, usable_rho(home, away, self.RHO))[:4]]
        if match["league"] not in self.seen:
            values = [math.nan] * len(values)
        names = ("expected_home", "expected_away", "expected_difference", "chance_home", "chance_draw", "chance_away",
                 "chance_over")
        return out | {f"xg_{name}": value for name, value in zip(names, values)}

    def estimate(self, match):
        """Expected goals of both sides, in whole units of 2^-16; None without statistics."""
        if not any(math.isnan(value) for value in match["xg"]):  # measured, in thousandths
            measured = [min(value / 1000, 10) for value in match["xg"]]
            return [math.floor(65536 * value + 0.5) / 65536 for value in measured], measured
        if any(math.isnan(value) for value in (*match["shots"], *match["target"])):
            return None
        a, b = self.coefficients(match["league"])
        return [math.floor(65536 * clamp(a * t + b * o, 0, 10) + 0.5) / 65536 for t, o in self.kinds(match)], \
               [clamp(a * t + b * o, 0, 10) for t, o in self.kinds(match)]

    @staticmethod
    def kinds(match):
        """Shots on target and others, per side; 99 is the most a source is believed."""
        pairs = [(min(t, 99), min(s, 99)) for t, s in zip(match["target"], match["shots"])]
        return [(t, max(0, s - t)) for t, s in pairs]

    def apply(self, match):
        found = self.estimate(match)
        self.strength.fade(match)
        expected = self.strength.expected(match)
        goals = match["goals"]
        seen = [(g + x) / 2 for g, x in zip(goals, found[1])] if found else goals
        self.strength.step(match, expected, [s - e for s, e in zip(seen, expected)])
        if not found:
            return
        for side, team in enumerate(match["teams"]):
            past = self.past[team]
            own, other = found[0][side], found[0][1 - side]
            past["for"].append(own)
            past["against"].append(other)
            past["over"].append(min(goals[side], 99) - own)
            past["over_against"].append(min(goals[1 - side], 99) - other)
        self.seen.add(match["league"])
        if any(math.isnan(value) for value in (*match["shots"], *match["target"])):
            return
        rows = [[t, o, min(g, 99)] for (t, o), g in zip(self.kinds(match), goals)]
        self.sides[match["league"]] = np.vstack([self.sides[match["league"]], rows])


FAMILIES = {"berrar": Berrar, "dixon_coles": DixonColes, "xg": Xg}


# ---- as a program ----

COLUMNS = ("m.id, m.league, m.day, m.kickoff_us, m.time_known, m.is_neutral, m.home_id, m.away_id, m.home_goals, "
           "m.away_goals, m.home_shots, m.away_shots, m.home_shots_on_target, m.away_shots_on_target, "
           "m.home_xg_milli, m.away_xg_milli, t.country")


def read_store(path):
    """Matches by country. Times are whole microseconds; a day without times ends where London's next day begins."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    query = f"SELECT {COLUMNS} FROM match m JOIN team t ON t.id = m.home_id WHERE m.state IN (0, 1)"
    countries = defaultdict(list)
    for (key, league, day, kickoff, known, neutral, home, away, hg, ag, hs, as_, ht, at, hx, ax, country) in connection.execute(query):
        pair = lambda a, b: tuple(math.nan if v is None else v for v in (a, b))
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
        played = hg is not None and ag is not None
        start = kickoff if known else midnight_us(date)
        end = None if not played else kickoff + 135 * 60 * 10 ** 6 if known else midnight_us(date + datetime.timedelta(days=1))
        countries[country].append({"id": key, "league": league, "date": date, "start": start, "known": end,
                                   "neutral": neutral, "teams": (home, away), "goals": (hg, ag), "shots": pair(hs, as_),
                                   "target": pair(ht, at), "xg": pair(hx, ax)})
    connection.close()
    return countries


def midnight_us(date):
    """London's midnight as UTC: an hour earlier from the last Sunday of March to that of October."""
    sundays = []
    for month in (3, 10):
        last = datetime.date(date.year, month, 31)
        sundays.append(last - datetime.timedelta(days=(last.weekday() + 1) % 7))
    hours = (date - datetime.date(1970, 1, 1)).days * 24 - (sundays[0] < date <= sundays[1])
    return hours * 3600 * 10 ** 6


def recompute(matches, families):
    """Every match in order of start; before each, all results known by then in order of knowledge."""
    matches = sorted(matches, key=lambda match: (match["start"], match["id"]))
    waiting = sorted((match for match in matches if match["known"] is not None), key=lambda match: match["known"])
    applied = 0
    for match in matches:
        while applied < len(waiting) and waiting[applied]["known"] <= match["start"]:
            for family in families:
                family.apply(waiting[applied])
            applied += 1
        yield match, {name: value for family in families for name, value in family.emit(match).items()}


def read_matrix(path, names):
    with open(path, newline="") as file:
        return {int(row["id"]): [float(row[name]) if row[name] else math.nan for name in names]
                for row in csv.DictReader(file)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, type=pathlib.Path)
    parser.add_argument("--league", action="append")
    arguments = parser.parse_args()
    countries = read_store(arguments.data_dir / "almanac.db")
    probe = {"league": "", "date": None, "teams": ("", "-"), "goals": (0, 0), "shots": (0, 0), "target": (0, 0),
             "xg": (math.nan, math.nan)}
    names = [name for family in FAMILIES.values() for name in family().emit(probe)]
    matrix = read_matrix(arguments.data_dir / "feature_matrix_last.csv", names)
    report = {family: {"values": 0, "off": 0, "largest": 0.0} for family in FAMILIES}
    for matches in countries.values():
        if arguments.league and not any(match["league"] in arguments.league for match in matches):
            continue
        for match, features in recompute(matches, [family() for family in FAMILIES.values()]):
            for name, theirs in zip(names, matrix[match["id"]]):
                entry = report[next(family for family in FAMILIES if name.startswith(family + "_"))]
                ours = features[name]
                entry["values"] += 1
                if math.isnan(ours) or math.isnan(theirs):
                    entry["off"] += math.isnan(ours) != math.isnan(theirs)
                    continue
                entry["largest"] = max(entry["largest"], float(abs(ours - theirs)))
                entry["off"] += bool(abs(ours - theirs) > 1e-6 + 1e-6 * abs(ours))
    json.dump(report, sys.stdout, indent=1)
    print()
    return 1 if any(entry["off"] for entry in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
