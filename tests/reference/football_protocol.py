#!/usr/bin/env python3
"""Independent oracle of the football reference protocol.

Reads a folder of football-data.co.uk files (main layout), rates every team by
Elo and pi-ratings, turns rating differences into probabilities with an ordered
logit refitted once per season, and scores them, beside Pinnacle's closing
price, on every judged match.  Prints one JSON object.  It shares no code with
the C program, so that the test-suite can compare the two.

    football_protocol.py --data DIR [--check] [--indent N]

`--check` also compares with the published figures and exits 1 when one is off.
Needs Python 3.9 or later and numpy.

The protocol, every decision spelled out
----------------------------------------
Files.  DIR/<country>/<League>_<YYYY>-<YYYY>.csv.  The folder is the country and
so the rating pool; the first year in the file NAME is the season of every row
of the file, whatever its date says (the summer of 2020 played season 2019 into
August).  The league is the `Div` field; the Premier League is `E0`.

Bytes.  A leading UTF-8 byte order mark is removed.  A file that is not valid
UTF-8 is read as Windows-1252 (an undefined byte becomes U+FFFD).  Lines end in
LF or CR LF.  Fields are separated by commas with RFC 4180 double quotes; no
quoted field spans lines.

Header.  The first line.  Names are stripped of white space and the first of two
equal names wins.  Five files call the teams HT and AT.

Fields.  Stripped of blanks, tabs and no-break spaces (so "Ajax " is "Ajax").  A
row shorter than the header misses its last fields, a longer one has extra
fields which are ignored; neither is a reason to drop the row.

Rows dropped, by reason, in this order: `blank` (nothing but commas and white
space), `team` (a team missing), `score` (FTHG or FTAG not an unsigned whole
number), `date` (not a calendar day).  Nothing else is dropped: there are no
duplicates of country + date + home + away, and a fixture played again in the
same season on another day is another match.

Dates.  d/m/yy or d/m/yyyy; two digits from 50 up are 19yy, below 20yy.  The
kick-off time is not used.

Teams.  Country + name, compared without regard to ASCII case: this joins
M'gladbach with M'Gladbach and nothing else.  Play-off and lower-division rows
belong to the same pool; a team absent for years keeps its rating.

Order.  By date, then by file (sorted by country, then file name), then by line.
All matches of a day are predicted before any of them updates.  No team plays
twice on a day in this data, so a strictly sequential pass gives the same
ratings and the order within a day is without effect.

Every kept match updates the ratings, with or without prices, from the first
season on.  Ratings never decay and are never reset or pulled to the mean.

Elo.  Start 1500.  E = 1 / (1 + 10^(-(Rh + H - Ra) / 400)), S = 1, 0.5 or 0,
d = K * G * (S - E); Rh += d, Ra -= d.  H = 60 everywhere.  With
gd = |home goals - away goals|, G is 1 (plain); 1 for gd <= 1, 1.5 for 2,
(11 + gd) / 8 for 3 and more (World Football); sqrt(gd) for gd >= 1, else 1
(square root).  The regressor of the logit is x = Rh - Ra before the match (the
constant H would only move both cut points).

Pi.  Each team has a home and an away rating, both from 0.
g(R) = sign(R) * (10^(|R|/3) - 1).  The regressor is the expected goal
difference x = g(Rh.home) - g(Ra.away) before the match.  Neither the difference
of the raw ratings nor the mean of the two venues reproduces the figures.  With
e = (home goals - away goals) - x, psi = sign(e) * 3 * log10(1 + |e|) and
u = lambda * psi:
    Rh.home += u   Rh.away += gamma * u   Ra.away -= u   Ra.home -= gamma * u

Ordered logit.  With s(z) = 1 / (1 + exp(-z)): P(away) = s(c1 - b*x),
P(home) = 1 - s(c2 - b*x), P(draw) is the rest; c1 < c2.  For each judged season
Y one fit, by unpenalised maximum likelihood, equal weights, all leagues
together, on every kept match of the seasons 1997 <= season < Y, with or without
prices.  Its three numbers predict all matches of season Y.

Judged.  Season >= 2012, all of PSCH PSCD PSCA are numbers, and
0.97 < 1/PSCH + 1/PSCD + 1/PSCA < 1.30, both strict.  Pinnacle's probabilities are
the inverse prices divided by their sum.

Scores.  Means over all judged matches (a match counts the same in any season).
Classes in the order home, draw, away.  Log loss -ln p_y without clipping;
Brier: sum over classes of (p - o)^2; RPS: half the sum over the first two
cumulated differences squared; accuracy: the FIRST greatest probability in the
order home, draw, away is right (212 judged matches have equal home and away
prices, so the order is part of Pinnacle's accuracy).

Agreement.  All counts, log losses, RPS and Brier scores equal the published
figures in all four digits, and so does Pinnacle's accuracy.  The accuracies of
the rating rows are within 0.01 percentage points, which is at most two matches
beyond rounding; why is not known.  Fits that stop a little short of the maximum
move as many matches across the decision threshold.
"""

import argparse
import csv
import datetime
import json
import math
import re
import sys
from collections import Counter, namedtuple
from itertools import groupby
from pathlib import Path

import numpy as np

FIRST_FIT_SEASON = 1997
FIRST_JUDGED_SEASON = 2012
OVERROUND_ABOVE, OVERROUND_BELOW = 0.97, 1.30
HOME, DRAW, AWAY = 0, 1, 2
BLANKS = " \t\u00a0\r\n"

Match = namedtuple(
    "Match", "country division season date home away home_goals away_goals prices file line"
)

# name -> (all: log loss, RPS, Brier, accuracy; Premier League: log loss, RPS)
PUBLISHED = {
    "pinnacle_close": (1.0003, 0.2034, 0.5982, 50.24, 0.9495, 0.1924),
    "pi_035_07": (1.0215, 0.2099, 0.6126, 48.61, 0.9699, 0.1990),
    "pi_06_06": (1.0232, 0.2104, 0.6136, 48.45, 0.9786, 0.2016),
    "elo_k20_world": (1.0218, 0.2100, 0.6127, 48.66, 0.9699, 0.1989),
    "elo_k12_sqrt": (1.0222, 0.2101, 0.6131, 48.51, 0.9685, 0.1985),
    "elo_k20_plain": (1.0231, 0.2104, 0.6137, 48.41, 0.9718, 0.1995),
}
PUBLISHED_COUNTS = {"all": 90825, "premier_league": 4560}


# --- reading -----------------------------------------------------------------


def read_text(path):
    """The text of a file: byte order mark removed, UTF-8 or else Windows-1252."""
    data = path.read_bytes()
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def parse_date(text):
    """d/m/yy or d/m/yyyy as a date; None when it is no calendar day."""
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})", text)
    if not found:
        return None
    day, month, year = (int(part) for part in found.groups())
    if len(found[3]) == 2:
        year += 1900 if year >= 50 else 2000
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def parse_price(text):
    """A decimal price, or NaN."""
    return float(text) if re.fullmatch(r"\d+(\.\d*)?|\.\d+", text) else math.nan


def parse_row(fields):
    """(values of a match, None) or (None, reason) for one row given by column name."""
    home = fields.get("HomeTeam", fields.get("HT", ""))
    away = fields.get("AwayTeam", fields.get("AT", ""))
    if not home or not away:
        return None, "team"
    goals = [fields.get(name, "") for name in ("FTHG", "FTAG")]
    if not all(re.fullmatch(r"[0-9]+", text) for text in goals):
        return None, "score"
    date = parse_date(fields.get("Date", ""))
    if date is None:
        return None, "date"
    prices = tuple(parse_price(fields.get(name, "")) for name in ("PSCH", "PSCD", "PSCA"))
    return (date, home, away, int(goals[0]), int(goals[1]), prices), None


def read_file(path, counts):
    """The matches of one file in file order; counts rows by what became of them."""
    country = path.parent.name
    season = int(re.search(r"_(\d{4})-\d{4}\.csv$", path.name)[1])
    lines = read_text(path).split("\n")
    header = [name.strip(BLANKS) for name in next(csv.reader(lines[:1]))]
    matches = []
    for number, line in enumerate(lines[1:], 2):
        if number == len(lines) and not line:
            break  # what follows the last line end is not a row
        counts["rows"] += 1
        if not line.replace(",", "").strip(BLANKS):
            counts["blank"] += 1
            continue
        fields = {}
        for name, text in zip(header, next(csv.reader([line]))):
            fields.setdefault(name, text.strip(BLANKS))
        values, reason = parse_row(fields)
        if reason:
            counts[reason] += 1
            continue
        counts["kept"] += 1
        date, home, away, home_goals, away_goals, prices = values
        matches.append(
            Match(country, fields["Div"], season, date, home, away,
                  home_goals, away_goals, prices, path.name, number)
        )
    return matches


def read_matches(folder):
    """All matches of all files in the order of the protocol, and the row counts."""
    counts = Counter(files=0, rows=0, kept=0, blank=0, team=0, score=0, date=0)
    matches = []
    for path in sorted(Path(folder).glob("*/*_*.csv"), key=lambda p: (p.parent.name, p.name)):
        counts["files"] += 1
        matches += read_file(path, counts)
    matches.sort(key=lambda match: match.date)  # stable: file and line order stay
    return matches, counts


def number_teams(matches):
    """Home and away team numbers of each match, and the number of teams per country."""
    teams = {}
    home, away = [], []
    for match in matches:
        for numbers, name in ((home, match.home), (away, match.away)):
            numbers.append(teams.setdefault((match.country, name.lower()), len(teams)))
    return home, away, Counter(country for country, _ in teams)


# --- ratings -----------------------------------------------------------------


class Elo:
    """Elo with one of three weights of the goal margin."""

    def __init__(self, team_count, k, margin, home_advantage=60.0):
        self.ratings = [1500.0] * team_count
        self.k, self.margin, self.home_advantage = k, margin, home_advantage

    def weight(self, difference):
        """The factor G of a goal difference."""
        size = abs(difference)
        if self.margin == "plain" or size <= 1:
            return 1.0
        if self.margin == "sqrt":
            return math.sqrt(size)
        return 1.5 if size == 2 else (11 + size) / 8

    def predict(self, home, away):
        """The regressor of the logit."""
        return self.ratings[home] - self.ratings[away]

    def update(self, home, away, home_goals, away_goals, predicted):
        """Applies one result to the ratings the prediction was made from."""
        difference = home_goals - away_goals
        expected = 1.0 / (1.0 + 10.0 ** (-(predicted + self.home_advantage) / 400.0))
        score = 1.0 if difference > 0 else 0.0 if difference < 0 else 0.5
        change = self.k * self.weight(difference) * (score - expected)
        self.ratings[home] += change
        self.ratings[away] -= change


class Pi:
    """Pi-ratings of Constantinou and Fenton (2013)."""

    def __init__(self, team_count, rate, gamma):
        self.at_home = [0.0] * team_count
        self.away = [0.0] * team_count
        self.rate, self.gamma = rate, gamma

    @staticmethod
    def goals(rating):
        """Expected goal difference of a rating against an average opponent."""
        return math.copysign(10.0 ** (abs(rating) / 3.0) - 1.0, rating)

    def predict(self, home, away):
        """The expected goal difference, which is the regressor of the logit."""
        return self.goals(self.at_home[home]) - self.goals(self.away[away])

    def update(self, home, away, home_goals, away_goals, predicted):
        """Applies one result to the ratings the prediction was made from."""
        error = home_goals - away_goals - predicted
        change = self.rate * math.copysign(3.0 * math.log10(1.0 + abs(error)), error)
        self.at_home[home] += change
        self.away[home] += self.gamma * change
        self.away[away] -= change
        self.at_home[away] -= self.gamma * change


def run_ratings(rating, matches, home, away):
    """The regressor of every match; each day is predicted before it is applied."""
    regressors = np.empty(len(matches))
    for _, group in groupby(range(len(matches)), key=lambda i: matches[i].date):
        day = list(group)
        for i in day:
            regressors[i] = rating.predict(home[i], away[i])
        for i in day:
            rating.update(home[i], away[i], matches[i].home_goals, matches[i].away_goals,
                          float(regressors[i]))
    return regressors


# --- ordered logit -----------------------------------------------------------


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def logit_probabilities(parameters, x):
    """Probabilities [n, 3] (home, draw, away) of the parameters (c1, c2, b)."""
    c1, c2, b = parameters
    low, high = sigmoid(c1 - b * x), sigmoid(c2 - b * x)
    return np.column_stack((1.0 - high, high - low, low))


def log_likelihood(parameters, x, outcome):
    """The mean log likelihood; minus infinity where the cut points are out of order."""
    if not parameters[0] < parameters[1]:
        return -math.inf
    chosen = logit_probabilities(parameters, x)[np.arange(len(x)), outcome]
    return float(np.mean(np.log(chosen))) if np.all(chosen > 0) else -math.inf


def logit_derivatives(parameters, x, outcome):
    """Gradient [3] and Hessian [3, 3] of the mean log likelihood in (c1, c2, b).

    With z1 = c1 - b*x, z2 = c2 - b*x and w = c2 - c1 the log likelihood is ln s(z1)
    of an away win, ln(1 - s(z2)) of a home win and, of a draw,
    ln(exp(z2) - exp(z1)) - ln(1 + exp(z1)) - ln(1 + exp(z2)).
    """
    c1, c2, b = parameters
    low, high = sigmoid(c1 - b * x), sigmoid(c2 - b * x)
    away, draw, home = ((outcome == kind).astype(float) for kind in (AWAY, DRAW, HOME))
    width = math.expm1(c2 - c1)
    bend = (width + 1.0) / width**2
    # d1, d2: derivatives by z1 and z2; d11, d22, d12: the second ones
    d1 = away * (1.0 - low) - draw * (low + 1.0 / width)
    d2 = draw * (1.0 - high + 1.0 / width) - home * high
    d11 = -(away + draw) * low * (1.0 - low) - draw * bend
    d22 = -(home + draw) * high * (1.0 - high) - draw * bend
    d12 = draw * bend
    gradient = np.array([d1.mean(), d2.mean(), -(x * (d1 + d2)).mean()])
    h1, h2 = -(x * (d11 + d12)).mean(), -(x * (d22 + d12)).mean()
    hb = (x * x * (d11 + 2.0 * d12 + d22)).mean()
    hessian = np.array([[d11.mean(), d12.mean(), h1], [d12.mean(), d22.mean(), h2], [h1, h2, hb]])
    return gradient, hessian


def fit_logit(x, outcome):
    """The maximum likelihood (c1, c2, b), by Newton's method with halved steps.

    Works on x over its standard deviation; starts from the base rates and no slope.
    """
    scale = float(np.std(x))
    x = x / scale
    rates = np.bincount(outcome, minlength=3) / len(outcome)
    start = (-math.log(1.0 / rates[AWAY] - 1.0), math.log(1.0 / rates[HOME] - 1.0), 0.0)
    parameters = np.array(start)
    value = log_likelihood(parameters, x, outcome)
    for _ in range(50):
        gradient, hessian = logit_derivatives(parameters, x, outcome)
        if np.abs(gradient).max() < 1e-12:
            break
        step = -np.linalg.solve(hessian, gradient)
        while (moved := log_likelihood(parameters + step, x, outcome)) < value - 1e-14:
            step /= 2.0
        parameters, value = parameters + step, moved
    return parameters / (1.0, 1.0, scale)


def walk_forward(x, outcome, season):
    """Probabilities of every judged season by the fit before it, and those fits."""
    probabilities = np.full((len(x), 3), np.nan)
    fits = {}
    for year in range(FIRST_JUDGED_SEASON, int(season.max()) + 1):
        past = (season >= FIRST_FIT_SEASON) & (season < year)
        fits[year] = fit_logit(x[past], outcome[past])
        probabilities[season == year] = logit_probabilities(fits[year], x[season == year])
    return probabilities, fits


# --- scores ------------------------------------------------------------------


def scores(probabilities, outcome):
    """Log loss, RPS, Brier score and accuracy (percent) of a set of matches."""
    happened = np.eye(3)[outcome]
    chosen = probabilities[np.arange(len(outcome)), outcome]
    cumulated = np.cumsum(probabilities - happened, axis=1)[:, :2]
    return {
        "matches": len(outcome),
        "log_loss": float(np.mean(-np.log(chosen))),
        "rps": float(np.mean(0.5 * np.sum(cumulated**2, axis=1))),
        "brier": float(np.mean(np.sum((probabilities - happened) ** 2, axis=1))),
        "accuracy_percent": float(100.0 * np.mean(probabilities.argmax(axis=1) == outcome)),
    }


def report(probabilities, outcome, season, judged, premier_league):
    """The scores of one row of the table, also by season."""
    years = sorted(set(season[judged].tolist()))
    return {
        "all": scores(probabilities[judged], outcome[judged]),
        "premier_league": scores(
            probabilities[judged & premier_league], outcome[judged & premier_league]
        ),
        "seasons": {
            str(year): scores(
                probabilities[judged & (season == year)], outcome[judged & (season == year)]
            )
            for year in years
        },
    }


def run(folder):
    """The whole protocol on a folder, as the object that is printed."""
    matches, counts = read_matches(folder)
    home, away, team_counts = number_teams(matches)
    season = np.array([match.season for match in matches])
    difference = np.array([match.home_goals - match.away_goals for match in matches])
    outcome = np.where(difference > 0, HOME, np.where(difference == 0, DRAW, AWAY))
    premier_league = np.array([match.division == "E0" for match in matches])

    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / np.array([match.prices for match in matches])
        total = inverse.sum(axis=1)
        judged = (total > OVERROUND_ABOVE) & (total < OVERROUND_BELOW)
        judged &= season >= FIRST_JUDGED_SEASON
        close = inverse / total[:, None]

    team_count = sum(team_counts.values())
    ratings = {
        "pi_035_07": Pi(team_count, 0.035, 0.7),
        "pi_06_06": Pi(team_count, 0.06, 0.6),
        "elo_k20_world": Elo(team_count, 20.0, "world"),
        "elo_k12_sqrt": Elo(team_count, 12.0, "sqrt"),
        "elo_k20_plain": Elo(team_count, 20.0, "plain"),
    }
    rows = {"pinnacle_close": report(close, outcome, season, judged, premier_league)}
    for name, rating in ratings.items():
        x = run_ratings(rating, matches, home, away)
        probabilities, fits = walk_forward(x, outcome, season)
        rows[name] = report(probabilities, outcome, season, judged, premier_league)
        rows[name]["fits"] = {
            str(year): dict(zip(("c1", "c2", "b"), fit.tolist())) for year, fit in fits.items()
        }
    return {
        "counts": dict(counts),
        "matches_by_country": dict(sorted(Counter(m.country for m in matches).items())),
        "teams_by_country": dict(sorted(team_counts.items())),
        "matches_by_division": dict(sorted(Counter(m.division for m in matches).items())),
        "judged": {
            "all": int(judged.sum()),
            "premier_league": int((judged & premier_league).sum()),
        },
        "rows": rows,
    }


def differences(result):
    """What is off the published figures, one line each."""
    found = [
        f"judged {name}: {result['judged'][name]}, published {count}"
        for name, count in PUBLISHED_COUNTS.items()
        if result["judged"][name] != count
    ]
    for name, published in PUBLISHED.items():
        for part, keys, figures in (
            ("all", ("log_loss", "rps", "brier", "accuracy_percent"), published[:4]),
            ("premier_league", ("log_loss", "rps"), published[4:]),
        ):
            for key, figure in zip(keys, figures):
                mine = result["rows"][name][part][key]
                # half a unit of the last printed digit; a whole one for the fitted accuracies
                slack = 0.00005
                if key == "accuracy_percent":
                    slack = 0.005 if name == "pinnacle_close" else 0.01
                if abs(mine - figure) > slack:
                    found.append(f"{name} {part} {key}: {mine:.6f}, published {figure}")
    return found


def main():
    parser = argparse.ArgumentParser(description="the football reference protocol, as JSON")
    parser.add_argument("--data", required=True, metavar="DIR", help="folder of country folders")
    parser.add_argument("--check", action="store_true", help="compare with the published figures")
    parser.add_argument("--indent", type=int, default=2, help="spaces of indentation of the JSON")
    options = parser.parse_args()
    if not any(Path(options.data).glob("*/*_*.csv")):
        parser.error(f"no <country>/<League>_<season>.csv below '{options.data}'")
    result = run(options.data)
    json.dump(result, sys.stdout, indent=options.indent)
    print()
    found = differences(result) if options.check else []
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
