"""Attributes of teams (wages, ages, ...): their import, the day from which on they are used, and the feature sets and
rows that `features list|show|sets` print."""
import csv
import datetime
import io
import json
import math

import pytest
from conftest import FAST, day_of, read_csv

HEADER = "country,team,season,known_from,wages,squad_value,average_age\n"


@pytest.fixture(scope="module")
def told(simulated):
    return simulated / "team_attributes.csv"


def write(path, *lines, header=HEADER):
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


def stored(almanac):
    return almanac.rows("SELECT t.name, a.season, a.name, a.known_day, a.value FROM team_attribute a "
                        "JOIN team t ON t.id = a.team_id ORDER BY 1, 2, 3, 4")


def revision(almanac):
    return almanac.one("SELECT value FROM meta WHERE key = 'football_revision'")


def features(almanac):
    """Rows of the exported matrix by match id, and its log."""
    log = almanac.run("features", "build", "--csv").text
    return {row["id"]: row for row in read_csv(almanac.data_dir / "feature_matrix_last.csv")}, log


def test_simulated_file_is_stored_as_written(imported, told):
    before = imported.counts()
    result = json.loads(imported.run("import", "attributes", told, "--json").stdout)
    rows = read_csv(told)
    expected = {(row["team"], int(row["season"][:4]), name, row["known_from"], float(row[name]))
                for row in rows for name in list(row)[4:] if row[name] != ""}
    assert {(team, season, name, str(day_of(day)), value) for team, season, name, day, value in stored(imported)} == expected
    assert result["rows_read"] == result["rows_kept"] == len(rows) and result["issues"] == {}
    assert result["values"] == result["values_changed"] == len(expected) > 2000
    assert {key: value for key, value in imported.counts().items() if "file" not in key} == \
           {key: value for key, value in before.items() if "file" not in key}


def test_twice_is_once(imported, told, tmp_path):
    imported.run("import", "attributes", told)
    first, rows = revision(imported), stored(imported)
    assert "known" in imported.run("import", "attributes", told).stdout
    copy = tmp_path / "copy.csv"  # other bytes, the same values
    copy.write_text(told.read_text() + "\n")
    assert "0 of them new or changed" in imported.run("import", "attributes", copy).stdout
    assert revision(imported) == first and stored(imported) == rows


def test_dirt_is_counted_by_reason_with_file_and_line(imported, tmp_path):
    team, = imported.rows("SELECT name FROM team ORDER BY id LIMIT 1")[0]
    path = write(tmp_path / "dirty.csv", f"England,{team},2020,2020-08-01,1000,2000,25",
                 f"England,{team[:-1]}x,2020,2020-08-01,1000,2000,25",     # line 3: nobody is called so
                 f"Atlantis,{team},2020,2020-08-01,1000,2000,25",          # line 4
                 f"England,{team},2020-22,2020-08-01,1000,2000,25",        # line 5
                 f"England,{team},2021,,1000,2000,25",                     # line 6: no day, no use
                 f"England,{team},2022,2022-08-01,-1,2000,25")             # line 7: only the value goes
    result = json.loads(imported.run("import", "attributes", path, "--json").stdout)
    assert result["issues"] == {"unknown_team": 1, "unknown_division": 1, "bad_season": 1, "bad_date": 1, "bad_attribute": 1}
    assert (result["rows_read"], result["rows_kept"], result["values"]) == (6, 2, 5)
    report = imported.run("import", "--report").stdout
    assert f"{path} line 3, team: no team of 'England' is called '{team[:-1]}x'; the nearest are" in report
    assert f"'{team}'" in report and f"{path} line 7, wages: '-1'" in report
    assert {(season, name) for _, season, name, _, _ in stored(imported)} == {
        (2020, "wages"), (2020, "squad_value"), (2020, "average_age"), (2022, "squad_value"), (2022, "average_age")}


def test_strict_stores_nothing(imported, tmp_path):
    team, = imported.rows("SELECT name FROM team ORDER BY id LIMIT 1")[0]
    before = revision(imported), imported.counts()
    for line, column in ((f"England,{team},2020,2020-08-01,1000,2000,99", "average_age"),
                         ("England,Nobody United,2020,2020-08-01,1000,2000,25", "team")):
        path = write(tmp_path / f"{column}.csv", f"England,{team},2020,2020-08-01,1000,2000,25", line)
        done = imported.run("import", "attributes", path, "--strict", check=False)
        assert done.returncode == 2 and f"line 3, column '{column}'" in done.stderr
        assert stored(imported) == [] and (revision(imported), imported.counts()) == before


@pytest.mark.parametrize("header, missing", [("team,season,known_from,wages\n", "country"),
                                             ("country,team,season,wages\n", "known_from"),
                                             ("country,team,season,known_from\n", "attribute")])
def test_other_files_are_refused(imported, tmp_path, header, missing):
    done = imported.run("import", "attributes", write(tmp_path / "no.csv", header=header), check=False)
    assert done.returncode == 2 and missing in done.stderr and stored(imported) == []


@pytest.mark.parametrize("season, nth, way", [(2022, 7, "built"), (2024, -3, "extended")])
def test_a_value_is_used_from_the_day_after_it_became_known(imported, tmp_path, season, nth, way):
    """Rows up to that day keep every byte, those of the team after it have the value."""
    team_id, team = imported.rows("SELECT t.id, t.name FROM match m JOIN team t ON t.id = m.home_id "
                                  "WHERE m.season = ? LIMIT 1", season)[0]
    matches = {str(key): (day, home, year) for key, day, home, away, year in imported.rows(
        "SELECT id, day, home_id, away_id, season FROM match") if team_id in (home, away)}
    known = sorted(day for day, _, year in matches.values() if year == season)[nth]  # a day it plays on
    before, _ = features(imported)
    imported.run("import", "attributes", write(
        tmp_path / "told.csv", f"England,{team},{season},{day_of(known)},1000,2000,24.5"))
    after, log = features(imported)
    assert way in log
    for key, row in after.items():
        day, home, _ = matches.get(key, (0, 0, 0))
        if day <= known:
            assert day == 0 or row == before[key]  # day 0: matches of others, for which it can be one of the league
        else:
            assert float(row[f"youth_{'home' if home == team_id else 'away'}_average_age"]) == 24.5
    assert any(day > known for day, _, _ in matches.values())


def test_the_later_word_holds(imported, tmp_path):
    team_id, team = imported.rows("SELECT t.id, t.name FROM match m JOIN team t ON t.id = m.home_id "
                                  "WHERE m.season = 2022 LIMIT 1")[0]
    imported.run("import", "attributes", write(
        tmp_path / "told.csv", f"England,{team},2022,2022-10-01,1000,2000,24.5", f"England,{team},2022,2023-01-01,,,26",
        f"England,{team},2023,2023-10-01,1000,2000,27"))
    rows, _ = features(imported)
    seen = {}
    for key, day, home, away in imported.rows("SELECT id, day, home_id, away_id FROM match"):
        for side, name in ((home, "home"), (away, "away")):
            if side == team_id:
                seen[day] = rows[str(key)][f"youth_{name}_average_age"]
    number = lambda text: (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days
    for day, age in seen.items():
        known = [value for text, value in (("2022-10-01", "24.5"), ("2023-01-01", "26"), ("2023-10-01", "27"))
                 if number(text) < day]
        assert age == (known[-1] if known else "")
    assert len(set(seen.values())) == 4


def test_a_build_after_an_import_is_that_from_scratch(imported, told):
    features(imported)
    imported.run("import", "attributes", told)
    rows, _ = features(imported)
    imported.run("features", "build", "--rebuild", "--csv")
    assert {row["id"]: row for row in read_csv(imported.data_dir / "feature_matrix_last.csv")} == rows


def test_audit_covers_attributes(imported, told):
    imported.run("import", "attributes", told)
    assert "passed" in imported.run("features", "audit", "--cuts", "20").stdout


def test_wages_tell_strength_in_the_simulation(imported, told):
    """Plausible: the side that pays more wins more often."""
    imported.run("import", "attributes", told)
    rows, _ = features(imported)
    ratio = [(float(row["finance_wages_log_ratio"]), int(row["label_1"])) for row in rows.values()
             if row["finance_wages_log_ratio"]]
    richer = [label == (0 if value > 0 else 2) for value, label in ratio if abs(value) > 0.7]
    poorer = [label == (2 if value > 0 else 0) for value, label in ratio if abs(value) > 0.7]
    assert len(richer) > 500 and sum(richer) > 1.5 * sum(poorer)


def test_matches_do_not_change_with_the_flag(binary, empty, tmp_path):
    for name, flags in (("with", ["--attributes"]), ("without", [])):
        empty.run("simulate", "football", "--leagues", 3, "--seasons", 2, "--seed", 5, "--out", tmp_path / name, *flags)
    for path in (tmp_path / "without").rglob("*.csv"):
        assert path.read_bytes() == (tmp_path / "with" / path.relative_to(tmp_path / "without")).read_bytes()
    assert (tmp_path / "with" / "team_attributes.csv").exists()
    assert not (tmp_path / "without" / "team_attributes.csv").exists()


# ---- the rows of the features ----

COLUMNS = ["name", "family", "unit", "low", "high", "available_at", "source", "meaning"]


def test_every_row_is_complete(empty):
    rows = json.loads(empty.run("features", "list", "--format", "json").stdout)
    assert len(rows) >= 220 and len({row["name"] for row in rows}) == len(rows)
    for row in rows:
        assert row["name"].startswith(row["family"] + "_") and row["low"] < row["high"]
        assert row["available_at"] in ("before the start", "prices before the close") and row["source"] and row["meaning"]
        assert (row["available_at"] == "prices before the close") == (row["family"] == "market")
    table = list(csv.DictReader(io.StringIO(empty.run("features", "list", "--format", "csv").stdout)))
    assert list(table[0]) == COLUMNS and [row["name"] for row in table] == [row["name"] for row in rows]
    for theirs, ours in zip(table, rows):
        assert all(theirs[name] == ours[name] for name in COLUMNS if name not in ("low", "high"))
        assert math.isclose(float(theirs["low"]), ours["low"]) and math.isclose(float(theirs["high"]), ours["high"])


def test_sets_are_columns_of_the_widest(empty):
    sets = {row["name"]: row for row in json.loads(empty.run("features", "sets", "--json").stdout)}
    assert {"core", "no_prices", "with_prices", "championship", "eredivisie"} <= set(sets)
    names = {name: [row["name"] for row in json.loads(
        empty.run("features", "list", "--set", name, "--format", "json").stdout)] for name in sets}
    widest = set(max(names.values(), key=len))
    for name, row in sets.items():
        assert len(names[name]) == row["features"] and set(names[name]) <= widest
        assert row["has_prices"] == ("market" in row["families"])
    assert widest == set().union(*names.values())
    listed = empty.run("features", "sets").stdout
    assert all(name in listed for name in sets)


def test_one_family(empty):
    rows = json.loads(empty.run("features", "list", "--family", "youth", "--format", "json").stdout)
    assert {row["family"] for row in rows} == {"youth"}
    done = empty.run("features", "list", "--family", "yuoth", check=False)
    assert done.returncode != 0 and "elo" in done.stderr and "youth" in done.stderr


def test_show(empty):
    text = empty.run("features", "show", "elo_plain_home").stdout
    assert all(word in text for word in ("elo_plain_home", "range", "available at", "source", "core no_prices"))
    assert json.loads(empty.run("features", "show", "elo_plain_home", "--json").stdout)["family"] == "elo"
    done = empty.run("features", "show", "elo_plane_home", check=False)
    assert done.returncode != 0 and "the nearest are 'elo_plain_home'" in done.stderr


@pytest.mark.parametrize("name", ["championship", "all"])
def test_any_set_trains_and_backtests(imported, league, name):
    last = imported.one("SELECT max(season) FROM match")
    trained = imported.run("train", "--league", league, "--features", name, *FAST).text
    assert f"features: {name}" in trained
    flags = ["--league", league, "--features", name, "--from", f"{last}-07-01", "--to", f"{last + 1}-06-30", "--refit", "once",
             *FAST]
    assert f"lightgbm {name}" in imported.run("backtest", *flags).text
    bot = imported.one("SELECT bot FROM version")
    assert bot == ("lightgbm_prices" if name == "all" else "lightgbm")


def test_sets_make_versions_of_their_own(imported, league):
    seen = {imported.run("train", "--league", league, "--features", name, *FAST).text.partition("version ")[2][:16]
            for name in ("core", "no_prices", "eredivisie")}
    assert len(seen) == 3


def test_unknown_set_is_refused_with_the_names(imported, league):
    done = imported.run("train", "--league", league, "--features", "everything", check=False)
    assert done.returncode == 2 and "core|no_prices|with_prices" in done.stderr


def test_league_without_a_word_uses_its_profile(imported):
    """E1's is championship; the description says which, so that the version can be made again when profiles change."""
    trained = imported.run("train", "--league", "E1", *FAST).text
    assert "features: championship" in trained
    version = imported.one("SELECT version FROM version")
    assert imported.one("SELECT feature_set FROM version") == "championship"
    assert "byte" in imported.run("models", "reproduce", version).text
