"""Train/serve replay: the last matches are lived through once more. Before each kick-off the store holds what was known then,
the running server is asked for the features of the match, and they are compared, bit by bit, with the row of the matrix that
is built when everything is known.

What is known at a moment: results of matches that began 2 h 15 min before, or on an earlier day where the clock is unknown.
Matches still to come are in the store with the prices before the close, and with nothing that happens later. Kick-offs
between which no result of the same country becomes known share one step.
"""
import datetime
import json
import re
from collections import defaultdict

import numpy as np
import pytest
from conftest import Almanac, league_files, wait_for
from test_features import PLAYED, london

# what a file holds of a match only afterwards
LATER = re.compile(r"FT[HA]G|FTR|HT[HA]G|HTR|H[SCFYR]|A[SCFYR]|HST|AST|Referee|"
                   r"([A-Z0-9]+[a-z]*)C([HDA]|[<>]2\.5|AH[HA])|PC[<>]2\.5|PCAH[HA]|AHCh")
OPENING = {"VCH", "VCD", "VCA"}  # VC Bet before the close


class SeasonFile:
    """A file of the source: its rows, when each match began and when its result was known."""

    def __init__(self, path, root):
        self.place = path.relative_to(root)
        text = path.read_bytes().decode("utf-8-sig", "replace")
        self.header, *rows = (line.split(",") for line in text.splitlines() if line.strip(","))
        self.later = [i for i, name in enumerate(self.header) if LATER.fullmatch(name) and name not in OPENING]
        place = {name: i for i, name in enumerate(self.header)}
        self.matches = []
        for row in rows:
            date = next(datetime.datetime.strptime(row[place["Date"]], form).date() for form in ("%d/%m/%Y", "%d/%m/%y")
                        if len(row[place["Date"]]) == (10 if "Y" in form else 8))
            clock = row[place["Time"]] if "Time" in place else ""
            start = london(date, datetime.time.fromisoformat(clock) if clock else datetime.time())
            known = start + PLAYED if clock else london(date + datetime.timedelta(days=1), datetime.time())
            self.matches.append({"row": row, "date": date, "start": start, "known": known, "country": path.parent.name,
                                 "key": (row[place["Div"]], date, row[place["HomeTeam"]], row[place["AwayTeam"]])})
        self.matches.sort(key=lambda match: match["start"])

    def write(self, folder, moment, until):
        """As it would be at this moment: results that are known, fixtures up to a day."""
        lines = [self.header]
        for match in self.matches:
            if match["known"] <= moment:
                lines.append(match["row"])
            elif match["date"] <= until:
                lines.append(["" if i in self.later else field for i, field in enumerate(match["row"])])
        path = folder / self.place
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(",".join(row) for row in lines) + "\n"
        if len(lines) > 1 and (not path.exists() or path.read_text("utf-8") != text):
            path.write_text(text, "utf-8")


def steps_of(files, count):
    """[(moment, [key, ...]), ...]: the last `count` matches, together where no result becomes known in between."""
    every = sorted((match for file in files for match in file.matches), key=lambda match: match["start"])
    known = defaultdict(list)  # by country: what happens in one says nothing about another
    for match in every:
        known[match["country"]].append(match["known"])
    steps = []
    for match in every[-count:]:
        start = match["start"]
        if not steps or any(steps[-1][0] < moment <= start for moment in known[match["country"]]):
            steps.append((start, []))
        steps[-1][1].append(match["key"])
    return steps


def read_json(answer):
    """-0 stays what it is."""
    return json.loads(answer.text, parse_int=float)


def ids_of(almanac):
    return {(league, datetime.date(1970, 1, 1) + datetime.timedelta(days=day), home, away): number
            for number, league, day, home, away in almanac.rows(
                "SELECT m.id, m.league, m.day, h.name, a.name FROM match m JOIN team h ON h.id = m.home_id "
                "JOIN team a ON a.id = m.away_id")}


def live_features(server, ids):
    """{match id: every feature of the match, as the server knows it now}"""
    features = {number: {} for number in ids}
    for view in ("match", "odds"):
        answer = server.post(f"/api/features/online/{view}", {"entities": ids})
        assert answer.status_code == 200, answer.text
        for number, row in zip(ids, read_json(answer)["rows"], strict=True):
            features[number] |= row["features"]
    return features


def bits(value):
    return np.float32("nan" if value in (None, "") else value).tobytes()


def replay(almanac, serve, files, folder, count):
    """Lives through the last matches; {match id: {feature: bits}}."""
    steps, seen, server = steps_of(files, count), {}, None
    for moment, keys in steps:
        for file in files:
            file.write(folder, moment, max(date for _, date, _, _ in keys) + datetime.timedelta(days=1))
        almanac.run("import", "football", folder)
        if server is None:
            almanac.run("features", "build")
            server = serve(almanac)
            server.wait_ready()
        wait_for(lambda: server.get("/health").json()["features_current"], 60, "what was imported is live")
        ids = ids_of(almanac)
        for number, features in live_features(server, [ids[key] for key in keys]).items():
            seen[number] = {name: bits(value) for name, value in features.items()}
    assert len(seen) == count
    assert server.stop() == 0
    return seen


def compare(almanac, seen):
    """With a matrix that is built once more, from the first match."""
    for path in (almanac.data_dir / "matrix").iterdir():
        path.unlink()
    assert "built" in almanac.run("features", "build", "--csv", timeout=600).stderr
    rows = {}
    with open(almanac.data_dir / "feature_matrix_last.csv", encoding="utf-8") as file:
        header = file.readline().rstrip("\n").split(",")
        for line in file:
            number = int(line[:line.index(",")])
            if number in seen:
                rows[number] = dict(zip(header, line.rstrip("\n").split(",")))
    columns = [name for name in header if name not in ("id", "start", "league") and not name.startswith("label")]
    different = [(number, name, features.get(name), rows[number][name]) for number, features in seen.items()
                 for name in columns if features.get(name) != bits(rows[number][name])]
    assert not different, f"{len(different)} of {len(seen) * len(columns)} values differ, e.g. {different[:5]}"
    assert all(set(features) == set(columns) for features in seen.values())
    return columns


def finish(almanac, files, folder):
    for file in files:
        file.write(folder, max(match["known"] for match in file.matches), datetime.date.max)
    almanac.run("import", "football", folder)


def run(almanac, serve, source, folder, count):
    files = [SeasonFile(path, source) for path in league_files(source)]
    seen = replay(almanac, serve, files, folder, count)
    finish(almanac, files, folder)
    assert almanac.one("SELECT count(*) FROM match WHERE state = 1") == sum(len(file.matches) for file in files)
    columns = compare(almanac, seen)
    there = sum(value != bits(None) for features in seen.values() for value in features.values())
    assert there > 0.6 * len(seen) * len(columns), "most features have a value"


def test_live_features_are_the_rows_of_the_matrix(empty, serve, simulated, tmp_path):
    """The last 60 simulated matches."""
    run(empty, serve, simulated, tmp_path / "lived", 60)


def test_the_last_thousand_real_matches(binary, serve, real_data, tmp_path):
    """Of all leagues, with kick-off times; earlier seasons as they are."""
    almanac = Almanac(tmp_path / "data", tmp_path)
    last = max(int(re.search(r"_(\d{4})-\d{4}", path.name)[1]) for path in league_files(real_data))
    recent = tmp_path / "recent"
    recent.mkdir()
    for path in league_files(real_data):
        if f"_{last}-" in path.name:
            target = recent / path.relative_to(real_data)
            target.parent.mkdir(exist_ok=True)
            target.symlink_to(path)
    almanac.run("import", "football", *[path for path in league_files(real_data) if f"_{last}-" not in path.name])
    files = [SeasonFile(path, recent) for path in league_files(recent)]
    folder = tmp_path / "lived"
    seen = replay(almanac, serve, files, folder, 1000)
    finish(almanac, files, folder)
    compare(almanac, seen)
