"""Appends: data that comes in steps (weeks, late results, corrections, new teams, fixtures before their results, prices)
leaves after each step the very matrix that a build from the first match gives, without being one.
"""
import collections
import csv
import datetime
import re
import shutil

import pytest
from conftest import FAST, Almanac, league_files, read_csv, wait_for

WEEKS = 5


def date_of(row):
    return datetime.datetime.strptime(row["Date"], "%d/%m/%Y").date()


class Source:
    """The season files as a source publishes them, from time to time and longer each time."""

    def __init__(self, simulated, folder):
        self.simulated, self.folder = simulated, folder
        self.files = {path.relative_to(simulated): read_csv(path) for path in league_files(simulated)}
        self.last = max(date_of(row) for rows in self.files.values() for row in rows)
        self.until = self.last - datetime.timedelta(weeks=WEEKS)
        self.hidden = set()  # id() of rows that come late
        self.published = 0

    def rows(self, name):
        return [row for row in self.files[name] if date_of(row) <= self.until and id(row) not in self.hidden]

    def recent(self, days):
        """(file, row) of the last days that are published."""
        return [(name, row) for name in self.files for row in self.rows(name)
                if date_of(row) > self.until - datetime.timedelta(days=days)]

    def publish(self):
        """A folder with the files that are not empty."""
        self.published += 1
        folder = self.folder / f"published-{self.published}"
        for name in self.files:
            rows = self.rows(name)
            if not rows:
                continue
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with open(folder / name, "w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, list(self.files[name][0]))
                writer.writeheader()
                writer.writerows(rows)
        return folder


@pytest.fixture
def source(simulated, tmp_path):
    return Source(simulated, tmp_path / "source")


def build(almanac):
    """(way, rows computed) of `features build`."""
    text = almanac.run("features", "build").text
    found = re.search(r"feature matrix \w{8} (opened|extended|built|got new families)(?:: (\d+) rows computed)?", text)
    assert found, text
    return found[1], int(found[2] or 0)


def matrix_bytes(almanac, *flags):
    almanac.run("features", "build", "--csv", *flags)
    path = almanac.data_dir / "feature_matrix_last.csv"
    data = path.read_bytes()
    path.unlink()
    return data


def without_caches(almanac, folder):
    """The same store, and nothing of what was ever computed of it."""
    shutil.copytree(almanac.data_dir, folder / "data", ignore=shutil.ignore_patterns("matrix"))
    (folder / "data" / "matrix").mkdir(mode=0o700)
    return Almanac(folder / "data", folder)


def assert_same_as_from_scratch(almanac, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    fresh = without_caches(almanac, folder)
    kept = matrix_bytes(almanac)
    assert kept == matrix_bytes(fresh), f"after '{name}' the extended matrix differs from one built from scratch"
    shutil.rmtree(folder)
    return kept


def take_in(almanac, source):
    almanac.run("import", "football", source.publish())
    return build(almanac)


def test_every_step_gives_the_matrix_of_a_build_from_scratch(empty, source, tmp_path):
    late = source.files[list(source.files)[-1]]
    late = next(row for row in late if date_of(row) > source.until)
    source.hidden.add(id(late))
    assert take_in(empty, source)[0] == "built"
    assert build(empty)[0] == "opened"

    def step(name, most_rows):
        way, computed = take_in(empty, source)
        assert way == "extended", f"{name}: {way}"
        assert computed <= most_rows, f"{name}: {computed} rows"
        assert_same_as_from_scratch(empty, tmp_path, name)
        return computed

    source.until += datetime.timedelta(weeks=1)
    new = len(source.recent(7))
    assert step("a week", new) == new > 5
    source.until += datetime.timedelta(weeks=1)
    source.hidden.clear()
    step("a late result", len(source.recent(21)))
    name, row = source.recent(20)[0]
    row["FTHG"], row["FTAG"], row["FTR"] = "7", "0", "H"
    step("an old result corrected", len(source.recent(21)))
    name, row = source.recent(3)[-1]
    stranger = dict(row, HomeTeam="Strangers United", Date=source.until.strftime("%d/%m/%Y"))
    source.files[name].append(stranger)
    step("a new team", len(source.recent(4)))
    name, row = source.recent(5)[0]
    row["AvgH"] = row["B365H"] = "9.5"
    step("prices only", len(source.recent(6)))
    source.until = source.last
    step("the rest", len(source.recent(7 * WEEKS)))


def test_publishing_the_same_again_computes_nothing(empty, source):
    assert take_in(empty, source)[0] == "built"
    for name in source.files:  # other bytes, the same matches
        for row in source.files[name]:
            row["Referee"] = "Somebody Else"
    assert take_in(empty, source) == ("extended", 0)


def test_a_correction_of_the_first_season_builds_again(empty, source, tmp_path):
    assert take_in(empty, source)[0] == "built"
    first = min((row for rows in source.files.values() for row in rows), key=date_of)
    first["FTHG"] = str(int(first["FTHG"]) + 3)
    first["FTR"] = "H"
    assert take_in(empty, source)[0] == "built"
    assert_same_as_from_scratch(empty, tmp_path, "first season")


def test_rebuild_replaces_what_is_kept(empty, source):
    take_in(empty, source)
    kept = matrix_bytes(empty)
    assert matrix_bytes(empty, "--rebuild") == kept
    assert build(empty)[0] == "opened"


def test_a_build_that_is_killed_leaves_the_way_open(empty, source, tmp_path):
    """kill -9 at many instants, during builds and during extensions; the next start is right."""
    empty.run("import", "football", source.publish())
    for moment in range(12):
        if moment == 6:
            build(empty)
            source.until += datetime.timedelta(weeks=1)
            empty.run("import", "football", source.publish())
        process = empty.start("features", "build")
        try:
            process.wait(0.01 + 0.03 * (moment % 6))
        except Exception:
            process.kill()
            process.wait(10)
    build(empty)
    assert_same_as_from_scratch(empty, tmp_path, "kills")
    left = collections.Counter(path.suffix for path in (empty.data_dir / "matrix").iterdir() if path.name[0] != ".")
    assert left[".state"] == 1 and left[".checkpoint"] == 1, left


def probabilities(server, rows, league):
    answers = [server.predict(league=league, home=row["HomeTeam"], away=row["AwayTeam"], date=date_of(row).isoformat())
               for row in rows]
    assert all(answer["prediction"] is not None for answer in answers), answers
    return answers


def test_a_server_after_an_import_answers_as_one_without_caches(empty, source, serve, tmp_path):
    """Extended in the running server, after a restart, and from scratch: the same answers, played matches and to come."""
    name = list(source.files)[-1]
    league = source.files[name][0]["Div"]
    empty.run("import", "football", source.publish())
    empty.run("train", "--league", league, *FAST)
    server = serve(empty)
    server.wait_ready()
    source.until += datetime.timedelta(weeks=2)
    played = [row for row in source.rows(name)][-12:]
    to_come = [row for row in source.files[name] if date_of(row) > source.until][:12]
    assert played and to_come
    empty.run("import", "football", source.publish())
    wait_for(lambda: "(extended" in server.log(), 30, lambda: f"the import is taken in: {server.log()}")
    running = probabilities(server, played + to_come, league)
    server.stop()
    server = serve(empty)
    server.wait_ready()
    restarted = probabilities(server, played + to_come, league)
    server.stop()
    folder = tmp_path / "fresh"
    folder.mkdir()
    fresh = without_caches(empty, folder)
    assert build(fresh)[0] == "built"
    server = serve(fresh)
    server.wait_ready()
    scratch = probabilities(server, played + to_come, league)
    assert running == restarted == scratch
