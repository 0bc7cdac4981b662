#!/usr/bin/env python3
"""Independent oracle of the feature families h2h, table, tactical and style.

Each family is a class with emit(match) and apply(match), written from the
definition at the head of its file (src/football/<family>.c) and done the slow
and obvious way: every table is counted anew from the list of results, every
league's members are looked for among all teams, windows are slices of lists.
It shares no code with the program and needs nothing but Python.

One object stands for one country.  A match is a dictionary: league, season,
date, teams (home, away), goals, shots, target, corners, fouls, yellows, reds
(home, away; NaN unknown), neutral (optional).  tests/test_features.py can feed
simulated seasons; run as a program it reads the store and the exported matrix
of a data directory, recomputes every row and compares:

    almanac features build --csv --data-dir DIR
    families_context.py --data-dir DIR [--league E0 ...]

With --league, only the countries of those leagues are compared.  Prints one
JSON object (per family: rows and values compared, largest difference, names
that are off) and exits 1 when a value is off.
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

NAN = math.nan
SIDES = ("home", "away")


def tier(league):
    """E0 is the first level of its country, E1 the second; EC the fifth; SC0, D1, N1, JPN are first."""
    if league == "EC":
        return 5
    last = league[-1]
    if league.startswith(("E", "SC")) and last.isdigit():
        return int(last) + 1
    return int(last) if last.isdigit() else 1


def divide(part, whole):
    return part / whole if whole else NAN


def points(own, other):
    return 3 if own > other else 1 if own == other else 0


class HeadToHead:
    """The last ten meetings, from the side of the home team of this match."""

    def __init__(self):
        self.meetings = defaultdict(list)  # unordered pair -> (date, home, goals of home, goals of away, neutral)

    def emit(self, match):
        home, away = match["teams"]
        past = self.meetings[frozenset((home, away))][-10:]
        scores = [(own, other) if host == home else (other, own) for _, host, own, other, _ in past]
        here = [score for score, (_, host, _, _, neutral) in zip(scores, past) if host == home and not neutral]
        out = {"meetings": len(past), "venue_meetings": len(here), "last_score": NAN, "last_days": NAN,
               "win_share": divide(sum(own > other for own, other in scores), len(past)),
               "draw_share": divide(sum(own == other for own, other in scores), len(past)),
               "loss_share": divide(sum(own < other for own, other in scores), len(past)),
               "goals_for": divide(sum(own for own, _ in scores), len(past)),
               "goals_against": divide(sum(other for _, other in scores), len(past)),
               "over_share": divide(sum(own + other > 2.5 for own, other in scores), len(past)),
               "venue_points": divide(sum(points(*score) for score in here), len(here)),
               "venue_goal_difference": divide(sum(own - other for own, other in here), len(here))}
        if past:
            out["last_score"] = {3: 1, 1: 0.5, 0: 0}[points(*scores[-1])]
            out["last_days"] = min(max((match["date"] - past[-1][0]).days, 0), 3650)
        return {f"h2h_{name}": value for name, value in out.items()}

    def apply(self, match):
        self.meetings[frozenset(match["teams"])].append(
            (match["date"], match["teams"][0], *match["goals"], match.get("neutral")))


class Standing:
    """What a team has done in one league and season."""

    def __init__(self, league):
        self.league, self.results, self.venue = league, [], {"home": [], "away": []}

    def add(self, side, own, other):
        self.results.append((own, other))
        self.venue[side].append(points(own, other))

    @property
    def played(self):
        return len(self.results)

    @property
    def points(self):
        return sum(points(*result) for result in self.results)

    @property
    def form(self):
        return sum(points(*result) for result in self.results[-5:])

    @property
    def goals(self):
        return sum(own for own, _ in self.results), sum(other for _, other in self.results)

    @property
    def order(self):
        own, other = self.goals
        return self.points, own - other, own


class Table:
    """Tables counted anew from the results of the season."""

    def __init__(self):
        self.results = defaultdict(list)  # season -> matches that count
        self.season = {}                  # league -> running season
        self.most = {}                    # league -> most matches of a team in it
        self.ended = defaultdict(list)    # league -> (season, teams, most matches of a team)
        self.team_seasons = defaultdict(list)
        self.cache = {}

    def standings(self, season):
        """team -> Standing, in the league of its latest match of the season."""
        if season not in self.cache:
            table = {}
            for match in self.results[season]:
                for side, team in enumerate(match["teams"]):
                    if team not in table or table[team].league != match["league"]:
                        table[team] = Standing(match["league"])
                    if not match.get("neutral"):
                        table[team].add(SIDES[side], match["goals"][side], match["goals"][1 - side])
                    else:
                        table[team].results.append((match["goals"][side], match["goals"][1 - side]))
            self.cache[season] = (table, {team: (s.order, s.form) for team, s in table.items()})
        return self.cache[season]

    def size(self, league, season):
        return sum(standing.league == league for standing in self.standings(season)[0].values())

    def expected(self, league, season):
        """(teams, matches per team, was the league played the season before?)"""
        runs = self.season.get(league) == season
        past = list(self.ended[league])
        if not runs and league in self.season:
            past.append((self.season[league], self.size(league, self.season[league]), self.most[league]))
        seen, most = (self.size(league, season), self.most[league]) if runs else (0, 0)
        teams = seen if most >= 3 else max(seen, past[-1][1]) if past and past[-1][1] else 0
        rounds = max([count / (size - 1) for _, size, count in past[-2:] if size >= 2] or [0]) or 2
        return teams, max(rounds * (teams - 1), most), bool(past) and past[-1][0] == season - 1

    def emit(self, match):
        league, season = match["league"], match["season"]
        teams, matches, follows = self.expected(league, season)
        running = self.season.get(league) == season
        table, order = self.standings(season)
        members = {team: order[team] for team, standing in table.items() if standing.league == league} if running else {}
        out, played = {}, 0
        for side, team in zip(SIDES, match["teams"]):
            own = table[team] if team in members else Standing(league)
            rank, form = members.get(team, ((0, 0, 0), 0))
            scored, conceded = own.goals
            values = {"position": 1 + sum(other > rank for other, _ in members.values()),
                      "form_position": 1 + sum(other > form for _, other in members.values()),
                      "points": divide(own.points, own.played),
                      "goal_difference": divide(scored - conceded, own.played),
                      "venue_points": divide(sum(own.venue[side]), len(own.venue[side]))}
            values |= self.lines(own, [other for name, (other, _) in members.items() if name != team], teams, matches)
            values |= self.past(team, league, season, follows)
            out |= {f"table_{side}_{name}": value for name, value in values.items()}
            played += own.played
        for name in ("position", "points"):
            out[f"table_{name}_gap"] = out[f"table_home_{name}"] - out[f"table_away_{name}"]
        out["table_progress"] = played / (2 * matches) if teams >= 2 else NAN
        out["table_teams"] = teams if teams >= 2 else NAN
        return out

    @staticmethod
    def lines(own, others, teams, matches):
        names = ("title_distance", "europe_distance", "relegation_distance")
        if teams < 2:
            return dict.fromkeys(names + ("pressure", "playoff_pressure"), NAN)
        places = (1, 6 if teams >= 20 else 5 if teams >= 16 else 4,
                  teams - (3 if teams >= 18 else 2 if teams >= 12 else 1))
        best = sorted((rank[0] for rank in others), reverse=True)
        distance = [own.points - (best[k - 1] if k <= len(best) else 0) for k in places]
        left = matches - own.played
        near = [max(0, 1 - abs(gap) / (3 * left + 1)) for gap in distance]
        share = own.played / matches
        return dict(zip(names, distance)) | {"pressure": share * max(near), "playoff_pressure": share * near[1]}

    def past(self, team, league, season, follows):
        """Promoted, relegated; points of the season before."""
        seasons = [year for year in self.team_seasons[team] if year < season]
        if seasons and seasons[-1] == season - 1:
            old = self.standings(season - 1)[0][team]
            before, now = tier(old.league), tier(league)
            return {"moved": (before > now) - (before < now), "last_points": old.points / old.played}
        return {"moved": 1 if follows else NAN, "last_points": NAN}

    def apply(self, match):
        league, season = match["league"], match["season"]
        latest = [self.team_seasons[team][-1] for team in match["teams"] if self.team_seasons[team]]
        if season < max(latest + [self.season.get(league, season)]):
            return
        if self.season.get(league) != season:
            if league in self.season:
                old = self.season[league]
                self.ended[league].append((old, self.size(league, old), self.most[league]))
            self.season[league], self.most[league] = season, 0
        self.results[season].append(match)
        self.cache.pop(season, None)
        for team in match["teams"]:
            if not self.team_seasons[team] or self.team_seasons[team][-1] != season:
                self.team_seasons[team].append(season)
            own = 0
            for other in reversed(self.results[season]):  # its unbroken run in this league
                if team in other["teams"]:
                    if other["league"] != league:
                        break
                    own += 1
            self.most[league] = max(self.most[league], own)


class Tactical:
    """Ratios of sums over the last 5 and 10 matches with all statistics, and over those of the season."""

    KEYS = ("shots", "target", "corners", "fouls", "yellows", "reds")

    def __init__(self):
        self.past = defaultdict(list)

    @staticmethod
    def ratios(entries):
        total = {key: sum(entry[key] for entry in entries) for key in (entries[0] if entries else ())}
        get = lambda name: total.get(name, 0)
        ratio = lambda part, whole, high: min(divide(part, whole), high) if whole else NAN
        share = lambda key: ratio(get(key), get(key) + get(key + "_against"), 1)
        ball = get("shots") + get("corners") + get("fouls_against")
        other_ball = get("shots_against") + get("corners_against") + get("fouls")
        return {"shot_share": share("shots"), "target_share": share("target"),
                "possession": ratio(ball, ball + other_ball, 1), "accuracy": ratio(get("target"), get("shots"), 1),
                "accuracy_against": ratio(get("target_against"), get("shots_against"), 1),
                "conversion": ratio(get("goals"), get("target"), 5),
                "conversion_against": ratio(get("goals_against"), get("target_against"), 5),
                "corners_per_shot": ratio(get("corners"), get("shots"), 9),
                "fouls_per_card": ratio(get("fouls"), get("cards"), 99)}

    WANTED = {5: ("shot_share", "possession"),
              10: ("shot_share", "target_share", "possession", "accuracy", "accuracy_against", "corners_per_shot",
                   "fouls_per_card"),
              "season": ("shot_share", "possession", "accuracy", "conversion", "conversion_against")}

    def emit(self, match):
        out = {}
        for side, team in zip(SIDES, match["teams"]):
            past = self.past[team]
            season = past[-1][0] if past else None
            for window, names in self.WANTED.items():
                chosen = past[-window:] if window != "season" else [
                    entry for entry in past if entry[0] == season] if season == match["season"] else []
                values = self.ratios([entry for _, entry in chosen])
                out |= {f"tactical_{side}_{name}_{window}": values[name] for name in names}
        for name in ("shot_share", "possession"):
            out[f"tactical_{name}_gap_10"] = out[f"tactical_home_{name}_10"] - out[f"tactical_away_{name}_10"]
        return out

    def apply(self, match):
        if any(math.isnan(value) for key in self.KEYS for value in match[key]):
            return
        cards = [match["yellows"][side] + match["reds"][side] for side in (0, 1)]
        for side, team in enumerate(match["teams"]):
            entry = {"cards": cards[side]}
            for key in ("goals", "shots", "target", "corners", "fouls"):
                entry[key], entry[key + "_against"] = match[key][side], match[key][1 - side]
            past = self.past[team]
            if len(past) > 200:
                del past[:60]  # no season is as long
            past.append((match["season"], entry))


class Style:
    """The league's character and the two teams against it."""

    def __init__(self):
        self.rating = defaultdict(lambda: 1500.0)
        self.last = {}      # team -> [league, season, matches in them, is it still a member?]
        self.season = {}    # league -> running season
        self.sure = set()   # leagues in which all teams of the season have been seen
        self.matches = defaultdict(lambda: [[], []])  # league -> [season before, running season]
        self.figures = {}   # league -> (mean, lead, spread, third)
        self.goals, self.hardness = defaultdict(list), defaultdict(list)

    def emit(self, match):
        league = match["league"]
        mean, lead, spread, third = self.figures.get(league, (NAN,) * 4)
        past = self.matches[league][0] + self.matches[league][1]
        hard = [entry[2] for entry in past if entry[2] is not None]
        usual_goals = divide(sum(own + other for own, other, _ in past), len(past))
        usual_hardness = divide(sum(hard), len(hard))
        out = {"top_three_lead": lead, "rating_spread": spread,
               "top_three_teams": NAN if math.isnan(third) else sum(self.rating[team] >= third for team in match["teams"]),
               "league_goals": usual_goals, "league_intensity": usual_hardness,
               "league_home_wins": divide(sum(own > other for own, other, _ in past), len(past)),
               "league_draws": divide(sum(own == other for own, other, _ in past), len(past))}
        relative = lambda values, usual: min(divide(sum(values), len(values)) / usual, 9) if values and usual > 0 else NAN
        for side, team in zip(SIDES, match["teams"]):
            goals = self.goals[team][-10:]
            out[f"{side}_rating_lead"] = self.rating[team] - mean
            out[f"{side}_attack"] = relative([own for own, _ in goals], usual_goals / 2)
            out[f"{side}_openness"] = relative([own + other for own, other in goals], usual_goals)
            out[f"{side}_intensity"] = relative(self.hardness[team][-10:], usual_hardness / 2)
        return {f"style_{name}": value for name, value in out.items()}

    def apply(self, match):
        league, teams, goals = match["league"], match["teams"], match["goals"]
        if match["season"] > self.season.get(league, -math.inf):
            self.season[league] = match["season"]
            self.sure.discard(league)
            self.matches[league] = [self.matches[league][1], []]
        self.rate(match)
        hard = [match["fouls"][side] + match["yellows"][side] + match["reds"][side] for side in (0, 1)]
        for side, team in enumerate(teams):
            self.goals[team].append((goals[side], goals[1 - side]))
            if not math.isnan(sum(hard)):
                self.hardness[team].append(hard[side])
            before = self.last.get(team)
            again = before is not None and before[:2] == [league, self.season[league]]
            self.last[team] = [league, self.season[league], before[2] + 1 if again else 1, True]
        self.matches[league][1].append((*goals, None if math.isnan(sum(hard)) else sum(hard)))
        if league not in self.sure and max(self.last[team][2] for team in teams) >= 3:
            self.sure.add(league)
            for entry in self.last.values():
                entry[3] = entry[3] and (entry[0] != league or entry[1] == self.season[league])
        self.count(league)

    def rate(self, match):
        """Elo, K 20, home advantage 60, World Football margin."""
        (home, away), (own, other) = match["teams"], match["goals"]
        advantage = 0 if match.get("neutral") else 60
        expected = 1 / (1 + 10 ** (-(self.rating[home] + advantage - self.rating[away]) / 400))
        gap = abs(own - other)
        margin = 1 if gap <= 1 else 1.5 if gap == 2 else (11 + gap) / 8
        change = 20 * margin * ((1 if own > other else 0.5 if own == other else 0) - expected)
        self.rating[home] += change
        self.rating[away] -= change

    def count(self, league):
        ratings = sorted((self.rating[team] for team, (where, _, _, member) in self.last.items()
                          if where == league and member), reverse=True)
        mean = sum(ratings) / len(ratings)
        self.figures[league] = mean, NAN, NAN, NAN
        if len(ratings) >= 6:
            lead = sum(ratings[:3]) / 3 - sum(ratings[3:]) / (len(ratings) - 3)
            spread = math.sqrt(sum((rating - mean) ** 2 for rating in ratings) / len(ratings))
            self.figures[league] = mean, lead, spread, ratings[2]


FAMILIES = {"h2h": HeadToHead, "table": Table, "tactical": Tactical, "style": Style}

# A matrix holds 32-bit numbers: 6e-8 of a rating of 1500 is 1e-4.
TOLERANCE = {"style": 2e-4}

COLUMNS = ("m.id, m.league, m.season, m.day, m.kickoff_us, m.time_known, m.is_neutral, m.home_id, m.away_id, "
           "m.home_goals, m.away_goals, m.home_shots, m.away_shots, m.home_shots_on_target, m.away_shots_on_target, "
           "m.home_corners, m.away_corners, m.home_fouls, m.away_fouls, m.home_yellows, m.away_yellows, m.home_reds, "
           "m.away_reds, t.country")
EPOCH = datetime.date(1970, 1, 1)
DAY = datetime.timedelta(days=1)


def midnight_us(date):
    """London's midnight as UTC: an hour earlier from the last Sunday of March to that of October."""
    sundays = [max(datetime.date(date.year, month, day) for day in range(25, 32)
                   if datetime.date(date.year, month, day).weekday() == 6) for month in (3, 10)]
    return ((date - EPOCH).days * 24 - (sundays[0] < date <= sundays[1])) * 3600 * 10 ** 6


def read_store(path):
    """Matches by country; known: None when not yet played."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    countries = defaultdict(list)
    for row in connection.execute(f"SELECT {COLUMNS} FROM match m JOIN team t ON t.id = m.home_id WHERE m.state IN (0, 1)"):
        key, league, season, day, kickoff, known, neutral, home, away, *counts, country = row
        date = EPOCH + day * DAY
        pairs = [tuple(NAN if count is None else count for count in counts[i:i + 2]) for i in range(0, len(counts), 2)]
        match = dict(zip(("goals", "shots", "target", "corners", "fouls", "yellows", "reds"), pairs))
        match |= {"id": key, "league": league, "season": season, "date": date, "neutral": neutral,
                  "teams": (home, away), "start": kickoff if known else midnight_us(date),
                  "known": kickoff + 135 * 60 * 10 ** 6 if known else midnight_us(date + DAY)}
        if math.isnan(sum(match["goals"])):
            match["known"] = None
        countries[country].append(match)
    connection.close()
    return countries


def recompute(matches, families):
    """Every match in order of start; before each, all results known by then in order of knowledge."""
    matches = sorted(matches, key=lambda match: (match["start"], match["id"]))
    waiting = sorted((match for match in matches if match["known"] is not None), key=lambda match: match["known"])
    applied = 0
    for match in matches:
        while applied < len(waiting) and waiting[applied]["known"] <= match["start"]:
            for family in families.values():
                family.apply(waiting[applied])
            applied += 1
        yield match, {name: family.emit(match) for name, family in families.items()}


def read_matrix(path):
    with open(path, newline="") as file:
        rows = csv.reader(file)
        names = next(rows)
        wanted = [i for i, name in enumerate(names) if name.partition("_")[0] in FAMILIES]
        return [names[i] for i in wanted], {int(row[0]): [float(row[i]) if row[i] else NAN for i in wanted] for row in rows}


def compare(report, ours, theirs, tolerance):
    for name, value in ours.items():
        other = theirs[name]
        report["values"] += 1
        if math.isnan(value) and math.isnan(other):
            continue
        gap = abs(value - other)
        if math.isnan(gap) or gap > tolerance + 1e-6 * abs(value):
            report["off"][name] = report["off"].get(name, 0) + 1
        if not math.isnan(gap):
            report["largest"] = max(report["largest"], gap)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True, type=pathlib.Path)
    parser.add_argument("--league", action="append")
    arguments = parser.parse_args()
    names, matrix = read_matrix(arguments.data_dir / "feature_matrix_last.csv")
    report = {name: {"rows": 0, "values": 0, "largest": 0.0, "off": {}} for name in FAMILIES}
    for matches in read_store(arguments.data_dir / "almanac.db").values():
        if arguments.league and not any(match["league"] in arguments.league for match in matches):
            continue
        for match, features in recompute(matches, {name: family() for name, family in FAMILIES.items()}):
            theirs = dict(zip(names, matrix[match["id"]]))
            for family, ours in features.items():
                assert set(ours) == {name for name in names if name.startswith(family + "_")}, family
                report[family]["rows"] += 1
                compare(report[family], ours, theirs, TOLERANCE.get(family, 1e-6))
    json.dump(report, sys.stdout, indent=1)
    print()
    return 1 if any(entry["off"] or not entry["rows"] for entry in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
