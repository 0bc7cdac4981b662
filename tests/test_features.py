"""Features, computed a second time in Python from their definitions and compared with the program's matrix, every row.

The recomputation reads the season files, not the store, and does everything the slow and obvious way: lists of past
matches, sums over slices. It knows one rule of order: a result can be used 2 h 15 min after a known kick-off, else from
the end of the local day on.
"""
import datetime
import math
import shutil
import subprocess
from collections import defaultdict

import numpy as np
import pytest
from conftest import FAST, Almanac, day_of, league_files, read_csv
from scipy.optimize import brentq

UTC = datetime.timezone.utc
TIERS = {"E0": 1, "E1": 2}
WINDOWS = (3, 5, 10, 20)
PLAYED = datetime.timedelta(minutes=135)


# ---- matches ----

def last_sunday(year, month):
    day = datetime.date(year, month, 31)
    return day - datetime.timedelta(days=(day.weekday() + 1) % 7)


def london(date, clock):
    """Local time of London as UTC. Summer: last Sunday of March to last Sunday of October, at 01:00 UTC."""
    local = datetime.datetime.combine(date, clock, UTC)
    begin, end = (datetime.datetime.combine(last_sunday(date.year, month), datetime.time(1), UTC) for month in (3, 10))
    return local - datetime.timedelta(hours=1) if begin <= local - datetime.timedelta(hours=1) < end else local


def number(text):
    return float(text) if text else math.nan


def read_matches(folder):
    matches = []
    for path in league_files(folder):
        rows = read_csv(path)
        dates = [datetime.datetime.strptime(row["Date"], "%d/%m/%Y").date() for row in rows]
        first = min(dates)
        for row, date in zip(rows, dates):
            clock = datetime.time.fromisoformat(row["Time"]) if row.get("Time") else None
            start = london(date, clock or datetime.time())
            known = start + PLAYED if clock else london(date + datetime.timedelta(days=1), datetime.time())
            pair = lambda home, away: (number(row.get(home)), number(row.get(away)))
            matches.append({
                "league": row["Div"], "date": date, "start": start, "known": known, "season": first.year,
                "teams": (row["HomeTeam"], row["AwayTeam"]), "goals": (int(row["FTHG"]), int(row["FTAG"])),
                "shots": pair("HS", "AS"), "target": pair("HST", "AST"), "corners": pair("HC", "AC"),
                "fouls": pair("HF", "AF"), "yellows": pair("HY", "AY"), "reds": pair("HR", "AR"),
                "avg": [number(row.get(name)) for name in ("AvgH", "AvgD", "AvgA")],
                "max": [number(row.get(name)) for name in ("MaxH", "MaxD", "MaxA")],
                "avg25": [number(row.get(name)) for name in ("Avg<2.5", "Avg>2.5")],
                "max25": [number(row.get(name)) for name in ("Max<2.5", "Max>2.5")]})
    return matches


# ---- families ----

class Elo:
    RULES = {"plain": (20, lambda gd: 1), "world": (20, lambda gd: 1 if gd <= 1 else 1.5 if gd == 2 else (11 + gd) / 8),
             "club": (12, lambda gd: math.sqrt(gd) if gd else 1)}

    def __init__(self):
        self.rating = {rule: defaultdict(lambda: 1500.0) for rule in self.RULES}

    def expectation(self, rule, match):
        home, away = (self.rating[rule][team] for team in match["teams"])
        return 1 / (1 + 10 ** (-(home + 60 - away) / 400))

    def emit(self, match):
        out = {}
        for rule, rating in self.rating.items():
            home, away = (rating[team] for team in match["teams"])
            out |= {f"elo_{rule}_home": home, f"elo_{rule}_away": away, f"elo_{rule}_difference": home + 60 - away,
                    f"elo_{rule}_expectation": self.expectation(rule, match)}
        return out

    def apply(self, match):
        home, away = match["goals"]
        score = 1 if home > away else 0.5 if home == away else 0
        for rule, (k, margin) in self.RULES.items():
            change = k * margin(abs(home - away)) * (score - self.expectation(rule, match))
            self.rating[rule][match["teams"][0]] += change
            self.rating[rule][match["teams"][1]] -= change


class Pi:
    def __init__(self):
        self.rating = defaultdict(lambda: [0.0, 0.0])  # at home, away

    @staticmethod
    def goals(rating):
        return math.copysign(10 ** (abs(rating) / 3) - 1, rating)

    def expected(self, match):
        home, away = (self.rating[team] for team in match["teams"])
        return self.goals(home[0]) - self.goals(away[1])

    def emit(self, match):
        home, away = (self.rating[team] for team in match["teams"])
        return {"pi_home_team_at_home": home[0], "pi_home_team_away": home[1], "pi_away_team_at_home": away[0],
                "pi_away_team_away": away[1], "pi_mean_difference": sum(home) / 2 - sum(away) / 2,
                "pi_expected_goal_difference": self.expected(match)}

    def apply(self, match):
        error = match["goals"][0] - match["goals"][1] - self.expected(match)
        change = 0.035 * math.copysign(3 * math.log10(1 + abs(error)), error)
        home, away = (self.rating[team] for team in match["teams"])
        home[0] += change
        home[1] += 0.7 * change
        away[1] -= change
        away[0] -= 0.7 * change


def weighted(past, window):
    """The most recent half (rounded up) weighs 1.5, the older half 0.7."""
    recent = past[-window:][::-1]
    if not recent:
        return math.nan
    weights = [1.5 if place < math.ceil(window / 2) else 0.7 for place in range(len(recent))]
    return sum(w * value for w, value in zip(weights, recent)) / sum(weights)


def means(past, key, window):
    return weighted([entry[key] for entry in past[-window:]], window)


class Form:
    def __init__(self):
        self.past = defaultdict(list)  # (team, "overall" or side)

    def emit(self, match):
        out = {}
        for side, name in enumerate(("home", "away")):
            for scope, share in (("overall", "win_share"), ("venue", "over_share")):
                past = self.past[match["teams"][side], scope if scope == "overall" else side]
                for window in WINDOWS:
                    for key in ("points", "goals_for", "goals_against", share):
                        out[f"form_{name}_{scope}_{key}_{window}"] = means(past, key, window)
        for window in WINDOWS:
            value = lambda name, key: out[f"form_{name}_overall_{key}_{window}"]
            out[f"form_points_gap_{window}"] = value("home", "points") - value("away", "points")
            out[f"form_goal_difference_gap_{window}"] = (value("home", "goals_for") - value("home", "goals_against") -
                                                         value("away", "goals_for") + value("away", "goals_against"))
        return out

    def apply(self, match):
        for side, team in enumerate(match["teams"]):
            own, other = match["goals"][side], match["goals"][1 - side]
            entry = {"points": 3 if own > other else 1 if own == other else 0, "goals_for": own, "goals_against": other,
                     "win_share": own > other, "over_share": own + other > 2.5}
            self.past[team, "overall"].append(entry)
            self.past[team, side].append(entry)


class Shots:
    def __init__(self):
        self.volume, self.target = defaultdict(list), defaultdict(list)

    def emit(self, match):
        out = {}
        for side, name in enumerate(("home", "away")):
            volume, target = self.volume[match["teams"][side]], self.target[match["teams"][side]]
            for window in WINDOWS:
                for key in ("total", "total_against", "corners", "corners_against"):
                    out[f"shots_{name}_{key}_{window}"] = means(volume, key, window)
                for end in ("", "_against"):
                    shots = out[f"shots_{name}_on_target{end}_{window}"] = means(target, "on_target" + end, window)
                    goals = means(target, "goals" + end, window)
                    out[f"shots_{name}_conversion{end}_{window}"] = min(goals / shots, 5) if shots > 0 else math.nan
        return out

    def apply(self, match):
        for side, team in enumerate(match["teams"]):
            if not np.isnan([*match["shots"], *match["corners"]]).any():
                self.volume[team].append({"total": match["shots"][side], "total_against": match["shots"][1 - side],
                                          "corners": match["corners"][side], "corners_against": match["corners"][1 - side]})
            if not np.isnan(match["target"]).any():
                self.target[team].append({"on_target": match["target"][side], "on_target_against": match["target"][1 - side],
                                          "goals": match["goals"][side], "goals_against": match["goals"][1 - side]})


class Discipline:
    def __init__(self):
        self.past = {key: defaultdict(list) for key in ("yellows", "reds", "fouls")}

    def emit(self, match):
        return {f"discipline_{name}_{key}_{window}": weighted(past[match["teams"][side]], window)
                for side, name in enumerate(("home", "away")) for key, past in self.past.items() for window in WINDOWS}

    def apply(self, match):
        for side, team in enumerate(match["teams"]):
            yellows, reds, fouls = (match[key][side] for key in ("yellows", "reds", "fouls"))
            if not np.isnan([yellows, reds]).any():
                self.past["yellows"][team].append(yellows)
                self.past["reds"][team].append(reds)
            if not math.isnan(fouls):
                self.past["fouls"][team].append(fouls)


class Rest:
    def __init__(self):
        self.past = defaultdict(list)

    def emit(self, match):
        out = {}
        for side, name in enumerate(("home", "away")):
            past = self.past[match["teams"][side]]
            out[f"rest_{name}_days"] = min((match["date"] - past[-1][0]).days, 30) if past else math.nan
            for span in (7, 14, 30):
                out[f"rest_{name}_matches_{span}"] = sum((match["date"] - day).days <= span for day, _ in past)
            out[f"rest_{name}_season_matches"] = sum(season == match["season"] for _, season in past)
        out["rest_days_gap"] = out["rest_home_days"] - out["rest_away_days"]
        for span in (14, 30):
            out[f"rest_congestion_gap_{span}"] = out[f"rest_home_matches_{span}"] - out[f"rest_away_matches_{span}"]
        out["rest_midweek"] = match["date"].weekday() in (1, 2, 3)
        return out

    def apply(self, match):
        for team in match["teams"]:
            self.past[team].append((match["date"], match["season"]))


class Calendar:
    def emit(self, match):
        return {"calendar_month": match["date"].month, "calendar_weekday": match["date"].weekday(),
                "calendar_season_progress": (match["date"] - datetime.date(match["season"], 7, 1)).days / 365,
                "calendar_tier": TIERS[match["league"]], "calendar_neutral": 0}

    def apply(self, match):
        pass


def shin(inverse):
    """Probabilities for the z that makes them sum to 1 (Shin 1993)."""
    total = sum(inverse)
    p = lambda z: [(math.sqrt(z * z + 4 * (1 - z) * r * r / total) - z) / (2 * (1 - z)) for r in inverse]
    return p(brentq(lambda z: sum(p(z)) - 1, 0, 0.9, xtol=1e-14))


def fair(inverse):
    """Five ways to take the overround out."""
    total, count = sum(inverse), len(inverse)
    power = brentq(lambda k: sum(r ** k for r in inverse) - 1, 0.5, 3, xtol=1e-14)
    ratio = brentq(lambda c: sum(r / (c + r - c * r) for r in inverse) - 1, 0.3, 5, xtol=1e-14)
    additive = [r - (total - 1) / count for r in inverse]  # can fall below 0: then it has no solution
    return {"multiplicative": [r / total for r in inverse],
            "additive": additive if min(additive) > 0 else [math.nan] * count,
            "power": [r ** power for r in inverse], "shin": shin(inverse),
            "odds_ratio": [r / (ratio + r - ratio * r) for r in inverse]}


class Market:
    """Of the average prices before the close, which the simulation always has."""

    def emit(self, match):
        inverse, goals = [1 / price for price in match["avg"]], [1 / price for price in match["avg25"]]
        out = {"market_booksum": sum(inverse), "market_price_source": 0, "market_ou_booksum": sum(goals),
               "market_ou_price_source": 0}
        for method, p in fair(inverse).items():
            out |= {f"market_{method}_{name}": value for name, value in zip(("home", "draw", "away"), p)}
        under = goals[0] / sum(goals)
        out |= {"market_ou_multiplicative_under": under, "market_ou_multiplicative_over": 1 - under}
        out |= {f"market_ou_shin_{name}": value for name, value in zip(("under", "over"), shin(goals))}
        out |= {f"market_disagreement_{name}": best / mean - 1
                for name, best, mean in zip(("home", "draw", "away"), match["max"], match["avg"])}
        out |= {f"market_disagreement_{name}": best / mean - 1
                for name, best, mean in zip(("under", "over"), match["max25"], match["avg25"])}
        out["market_expected_total"] = brentq(lambda m: math.exp(-m) * (1 + m + m * m / 2) - under, 1e-6, 20, xtol=1e-13)
        return out

    def apply(self, match):
        pass


def recompute(matches):
    """Features of every match: before a match is emitted, all results known by its start are applied, and no other."""
    families = [Elo(), Pi(), Form(), Shots(), Discipline(), Rest(), Calendar(), Market()]
    waiting = sorted(matches, key=lambda match: match["known"])
    out, applied = [], 0
    for match in sorted(matches, key=lambda match: match["start"]):
        while applied < len(waiting) and waiting[applied]["known"] <= match["start"]:
            for family in families:
                family.apply(waiting[applied])
            applied += 1
        out.append((match, {name: value for family in families for name, value in family.emit(match).items()}))
    return out


# ---- comparison ----

@pytest.fixture(scope="module")
def matrix(imported_once, tmp_path_factory):
    """(rows of feature_matrix_last.csv by league, date, home, away)"""
    folder = tmp_path_factory.mktemp("matrix")
    shutil.copytree(imported_once.data_dir, folder / "data")
    almanac = Almanac(folder / "data", folder)
    almanac.run("features", "build", "--csv")
    names = {str(match_id): (league, day_of(day), home, away) for match_id, league, day, home, away in almanac.rows(
        "SELECT m.id, m.league, m.day, h.name, a.name FROM match m JOIN team h ON h.id = m.home_id "
        "JOIN team a ON a.id = m.away_id")}
    rows = read_csv(almanac.data_dir / "feature_matrix_last.csv")
    assert len(rows) == len(names)
    return [row["id"] for row in rows], {names[row["id"]]: row for row in rows}


@pytest.fixture(scope="module")
def expected(simulated):
    return recompute(read_matches(simulated))


def test_every_feature_of_every_row(matrix, expected):
    _, rows = matrix
    names = sorted(expected[0][1])
    theirs = np.array([[number(rows[key_of(match)][name]) for name in names] for match, _ in expected])
    ours = np.array([[features[name] for name in names] for _, features in expected])
    assert theirs.shape == ours.shape and len(names) >= 200 and len(ours) > 5000
    missing = np.isnan(theirs) != np.isnan(ours)
    assert not missing.any(), [names[i] for i in np.unique(np.nonzero(missing)[1])]
    off = np.abs(theirs - ours) > 1e-6 + 1e-6 * np.abs(ours)  # theirs are 32-bit numbers, and differences of such
    worst = {names[i]: int(off[:, i].sum()) for i in np.nonzero(off.any(0))[0]}
    assert not worst, worst


def key_of(match):
    return match["league"], match["date"], *match["teams"]


def test_all_columns_are_recomputed(matrix, expected):
    """Of the families of this file no column is left unchecked; at least 80 features."""
    _, rows = matrix
    columns = list(next(iter(rows.values())))
    head, features = columns[:5], columns[5:]
    assert head == ["id", "start", "league", "label_1", "label_2"]
    ours = expected[0][1]
    families = {name.partition("_")[0] for name in ours}
    unchecked = {name for name in features if name.partition("_")[0] in families} - set(ours)
    assert not unchecked and len(features) >= 80


def test_labels_and_starts(matrix, expected):
    _, rows = matrix
    for match, _ in expected:
        row, (home, away) = rows[key_of(match)], match["goals"]
        assert int(row["label_1"]) == (0 if home > away else 1 if home == away else 2)
        assert int(row["label_2"]) == (home + away > 2.5)
        assert row["start"][:16] == match["start"].strftime("%Y-%m-%dT%H:%M"), row["start"]
        assert row["league"] == match["league"]


def test_rows_are_in_time_order(matrix, expected):
    _, rows = matrix
    starts = [row["start"] for row in rows.values()]
    assert starts == sorted(starts)
    assert any(a == b for a, b in zip(starts, starts[1:])), "some kick-offs are shared"


def test_list_names_every_column(matrix, imported_once):
    _, rows = matrix
    listed = [line.split()[0] for line in imported_once.run("features", "list").stdout.splitlines()]
    assert listed == list(next(iter(rows.values())))[5:]


def test_live_features_are_those_of_the_matrix(imported, simulated, serve, league, tmp_path):
    """A fixture predicted before it is played, and the same match predicted as played: one answer (no skew)."""
    imported.run("import", "attributes", simulated / "team_attributes.csv")
    home, away = (name for name, in imported.rows(
        "SELECT DISTINCT t.name FROM match m JOIN team t ON t.id = m.home_id WHERE m.league = ? AND m.season = "
        "(SELECT max(season) FROM match) ORDER BY 1 LIMIT 2", league))
    day = day_of(imported.one("SELECT max(day) FROM match") + 9)
    imported.run("train", "--league", league, *FAST)
    server = serve(imported)
    server.wait_ready()
    before = server.predict(league=league, home=home, away=away, date=f"{day}T15:00Z", bot="lightgbm")
    assert before["reason"] is None
    assert server.stop() == 0
    clock = (london(day, datetime.time(12)).hour == 11) + 15
    path = tmp_path / "played.csv"
    path.write_text(f"Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG\n{league},{day:%d/%m/%Y},{clock}:00,{home},{away},4,1\n")
    imported.run("import", "football", path)
    imported.run("features", "build")
    again = serve(imported)
    again.wait_ready()
    after = again.predict(league=league, home=home, away=away, date=str(day), bot="lightgbm")
    assert after["match"]["is_played"] is True and after["match"]["kickoff"][:16] == f"{day}T15:00"
    for name in before["prediction"]:
        assert math.isclose(before["prediction"][name], after["prediction"][name], abs_tol=1e-12)


def test_leak_audit_passes(imported):
    assert "passed" in imported.run("features", "audit", "--cuts", "10").stdout


def test_matrix_is_opened_not_rebuilt(imported):
    first = imported.run("features", "build").text
    assert "built" in first
    files = {path.name: path.stat().st_mtime_ns for path in (imported.data_dir / "matrix").glob("*.mat")}
    again = imported.run("features", "build").text
    assert "opened" in again and "built" not in again
    assert {path.name: path.stat().st_mtime_ns for path in (imported.data_dir / "matrix").glob("*.mat")} == files


@pytest.mark.parametrize("damage", ["truncated", "bit in the head", "empty"])
def test_damaged_matrix_is_built_anew(imported, damage):
    imported.run("features", "build", "--csv")
    path, = (imported.data_dir / "matrix").glob("*.mat")
    good = (imported.data_dir / "feature_matrix_last.csv").read_bytes()
    data = bytearray(path.read_bytes())
    if damage == "bit in the head":
        data[9] ^= 8
    path.write_bytes({"truncated": data[:len(data) // 2], "empty": b""}.get(damage, bytes(data)))
    assert "built" in imported.run("features", "build", "--csv").text
    assert (imported.data_dir / "feature_matrix_last.csv").read_bytes() == good


def test_csv_is_plain(imported):
    """Another program reads it without knowing ours."""
    imported.run("features", "build", "--csv")
    done = subprocess.run(["awk", "-F,", "NR > 1 && NF != columns { exit 1 } { columns = NF }",
                           imported.data_dir / "feature_matrix_last.csv"], timeout=120)
    assert done.returncode == 0
