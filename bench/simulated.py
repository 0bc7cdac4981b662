"""Simulated matches in any number for the rows that need many: football-data files as `almanac simulate football` writes them,
less the last matches of the last season, of which ten follow as a match day of their own."""

import csv
import datetime
import json
import os
import shutil

import common

LEAGUES, PER_SEASON, SEED, DAY = 22, 7214, 7, 10


def date_of(row):
    day, month, year = row["Date"].split("/")
    return datetime.date(int(year), int(month), int(day)), row["Time"]


def last_season(folder):
    """The files of the last season: those whose name ends with the latest year."""
    paths = sorted(folder.glob("*/*.csv"))
    latest = max(path.stem.rsplit("_", 1)[1] for path in paths)
    return [path for path in paths if path.stem.endswith(f"_{latest}")]


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


def cut(folder, surplus):
    """Takes the last `surplus` matches out of the last season's files; returns them by file, earliest first."""
    rows = [(date_of(row), path, number, row) for path in last_season(folder) for number, row in enumerate(read(path))]
    rows.sort(key=lambda one: (one[0], str(one[1]), one[2]))
    if surplus >= len(rows):
        raise common.Failed(f"cannot take {surplus} matches out of a season of {len(rows)}")
    kept, taken = rows[: len(rows) - surplus], rows[len(rows) - surplus :]
    for path in last_season(folder):
        write(path, [row for _, of, _, row in kept if of == path])
    return [(path, row) for _, path, _, row in taken]


def files(matches, data):
    """Writes exactly so many matches into `data`; and into <data>-next the file that holds a match day more."""
    following = data.with_name(data.name + "-next")
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(following, ignore_errors=True)
    seasons = matches // PER_SEASON + 1
    common.measure([common.BINARY, "simulate", "football", "--leagues", LEAGUES, "--seasons", seasons, "--seed", SEED, "--out", data])
    taken = cut(data, seasons * PER_SEASON - matches)
    path = next(path for path, _ in taken if path.stem.startswith("PremierLeague"))
    first_day = date_of(taken[0][1])[0]
    day = [row for of, row in taken if of == path and date_of(row)[0] > first_day][:DAY]  # after everything that was kept
    if len(day) < DAY:
        raise common.Failed("the season ends before the next match day")
    write(following / path.relative_to(data), read(path) + day)


def store(matches):
    """A data folder with so many matches imported, made anew for another program; and the folder of the next match day."""
    data, folder = common.WORK / f"simulated-{matches}", common.WORK / f"store-{matches}"
    stamp = folder / "bench-imported"
    wanted = json.dumps({"matches": matches, "seed": SEED, "program": common.program_hash()})
    if not stamp.exists() or stamp.read_text() != wanted:
        common.note(f"simulating and importing {matches:,} matches")
        files(matches, data)
        shutil.rmtree(folder, ignore_errors=True)
        common.measure([common.BINARY, "import", "football", data, "--data-dir", folder])
        found = common.query(folder / "almanac.db", "SELECT count(*) FROM match")[0][0]
        if found != matches:
            raise common.Failed(f"{found} matches were imported, not {matches}")
        stamp.write_text(wanted)
    return folder, data.with_name(data.name + "-next")


def extended(matches):
    """A copy of that folder, its matrix built, the next match day imported and the matrix extended by it; and how long the two
    commands took."""
    folder, following = store(matches)
    common.measure([common.BINARY, "features", "build", "--data-dir", folder])
    copy = common.WORK / f"store-{matches}-next"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    os.sync()
    imported = common.measure([common.BINARY, "import", "football", following, "--data-dir", copy])
    built = common.measure([common.BINARY, "features", "build", "--data-dir", copy])
    if "extended" not in built["err"] or f"{DAY} rows computed" not in built["err"]:
        raise common.Failed(f"the matrix was not extended: {built['err'][-500:]}")
    return copy, imported, built
