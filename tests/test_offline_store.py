"""The offline feature store, from outside: what is written is compared with the feature matrix and with joins done row by
row in Python; years that did not change are left alone; a writer that is killed leaves what was there; bad files are
refused by line; the API says what the command line says.
"""
import csv
import datetime
import io
import json
import math
import random
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from conftest import Almanac, assert_error, copy_of, league_files, read_csv

KEYS = {"match": ["match"], "form": ["team"], "rating": ["team"], "standings": ["team"], "h2h": ["home", "away"],
        "odds": ["match"]}


def parse(text):
    """A timestamp as the program prints it."""
    value = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)


def number(text):
    """As the float32 that it is, however many digits were printed."""
    return float(np.float32(text)) if text not in ("", None) else math.nan


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def read_all(almanac, view):
    return table(almanac.run("features", "range", "--view", view, "--limit", 100000000).stdout)


@pytest.fixture(scope="module")
def stored_once(imported_once, tmp_path_factory):
    almanac = copy_of(imported_once, tmp_path_factory.mktemp("stored"))
    done = almanac.run("features", "materialize", "--json", check=False)
    if "libduckdb" in done.text and done.returncode != 0:
        pytest.skip(f"no DuckDB: {done.stderr}")
    assert done.returncode == 0, done.text
    return almanac


@pytest.fixture
def stored(stored_once, tmp_path):
    return copy_of(stored_once, tmp_path)


@pytest.fixture(scope="module")
def form_rows(stored_once):
    return read_all(stored_once, "form")


def features_of(almanac, view):
    return [feature["name"] for feature in json.loads(almanac.run("features", "views", view, "--json").stdout)["features"]]


# ---- what is there ----

def test_views_are_listed_and_described(stored_once):
    listed = json.loads(stored_once.run("features", "views", "--json").stdout)
    assert [view["name"] for view in listed] == sorted(KEYS)
    played = stored_once.one("SELECT count(*) FROM match WHERE state = 1")
    for view in listed:
        assert view["keys"] == KEYS[view["name"]]
        assert re.fullmatch("[0-9a-f]{8}", view["version"]) and "statistics" not in view
        assert view["rows"] == (played if view["entity"] == "match" else 2 * played)
        assert view["owner"] and view["description"] and len(view["source_hash"]) == 64 and view["bytes"] > 0
    form = json.loads(stored_once.run("features", "views", "form", "--json").stdout)
    assert len(form["features"]) >= 60
    for feature in form["features"]:
        assert feature["doc"] and feature["family"] and feature["available_at"] == "before_start"
        assert form["statistics"][feature["name"]]["min"] >= feature["low"]
        assert form["statistics"][feature["name"]]["max"] <= feature["high"]
    assert "form" in stored_once.run("features", "views").stdout
    assert "form_points_5" in stored_once.run("features", "views", "form").stdout


def test_statistics_are_those_of_the_rows(stored_once, form_rows):
    form = json.loads(stored_once.run("features", "views", "form", "--json").stdout)
    for name in ("form_points_5", "shots_total_10", "form_away_venue_goals_for_3"):
        values = [number(row[name]) for row in form_rows]
        present = sorted(value for value in values if not math.isnan(value))
        statistics = form["statistics"][name]
        mean = sum(present) / len(present)
        assert statistics["count"] == len(present)
        assert statistics["missing_share"] == pytest.approx(1 - len(present) / len(values), abs=1e-12)
        assert statistics["mean"] == pytest.approx(mean, rel=1e-9)
        assert statistics["deviation"] == pytest.approx(
            math.sqrt(sum((value - mean) ** 2 for value in present) / len(present)), rel=1e-6)
        assert (statistics["min"], statistics["max"]) == (present[0], present[-1])
        for share in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
            place = share * (len(present) - 1)
            low = present[int(place)]
            high = present[min(int(place) + 1, len(present) - 1)]
            assert statistics[f"q{round(share * 100):02d}"] == pytest.approx(low + (high - low) * (place % 1), rel=1e-5)


def test_a_row_stands_where_a_result_became_known(stored_once, form_rows):
    """One row per team and match, at kick-off + 2 h 15 min."""
    expected = []
    for home, away, kickoff_us, known in stored_once.rows(
            "SELECT home_id, away_id, kickoff_us, time_known FROM match WHERE state = 1"):
        assert known  # of simulated matches
        expected += [(team, kickoff_us + 135 * 60 * 1000000) for team in (home, away)]
    rows = [(int(row["team"]), round(parse(row["event_timestamp"]).timestamp() * 1e6)) for row in form_rows]
    assert sorted(rows) == sorted(expected)
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)


# ---- joins ----

def join(almanac, view, path, *flags):
    return table(almanac.run("features", "get", "--view", view, "--entities", path, *flags).stdout)


def write_entities(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("view", sorted(KEYS))
@pytest.mark.parametrize("max_age_days", [0, 10])
def test_a_join_equals_a_plain_loop(stored_once, tmp_path, view, max_age_days):
    keys, draw = KEYS[view], random.Random(5)
    rows = read_all(stored_once, view)
    history = {}
    for row in rows:
        history.setdefault(tuple(row[key] for key in keys), []).append((parse(row["event_timestamp"]), row))
    entities = []
    for index in range(400):
        row = draw.choice(rows)
        moment = parse(row["event_timestamp"]) + datetime.timedelta(
            microseconds=draw.choice([0, -1, 1, 86400_000_000 * draw.randrange(-400, 400)]))
        key = [row[key] for key in keys] if draw.random() < 0.9 else [str(draw.randrange(1, 60)) for _ in keys]
        entities.append([index, *key, moment.isoformat()])
    path = write_entities(tmp_path / "entities.csv", ["index", *keys, "event_timestamp"], entities)
    answer = join(stored_once, view, path, "--max-age-days", max_age_days)
    features = features_of(stored_once, view)
    assert list(answer[0]) == ["index", *keys, "event_timestamp", *features]
    found = 0
    for entity, got in zip(entities, answer, strict=True):
        assert [got[name] for name in ("index", *keys, "event_timestamp")] == [str(value) for value in entity]
        moment = parse(entity[-1])
        past = [row for at, row in history.get(tuple(entity[1:-1]), []) if at <= moment
                and (not max_age_days or moment - at <= datetime.timedelta(days=max_age_days))]
        found += bool(past)
        for name in features:
            assert same(number(got[name]), number(past[-1][name]) if past else math.nan), (entity, name)
    assert found > 50


SIDES = {"form_": "form_{side}_overall_", "shots_": "shots_{side}_", "discipline_": "discipline_{side}_", "xg_": "xg_{side}_",
         "tactical_": "tactical_{side}_"}


def source(name, side):
    """The matrix column of a team's feature; None where the match itself decides (season so far, other ground)."""
    if name.endswith("_season") or "_venue_" in name:
        own = f"form_{side}_venue_"
        return name if name.startswith(own) else None
    prefix = next(prefix for prefix in SIDES if name.startswith(prefix))
    return SIDES[prefix].format(side=side) + name[len(prefix):]


def test_form_at_kick_off_is_the_row_of_the_match(stored_once, tmp_path):
    """The store and the training matrix say the same of a team before a match."""
    almanac = copy_of(stored_once, tmp_path)
    almanac.run("features", "build", "--csv")
    matrix = {row["id"]: row for row in read_csv(almanac.data_dir / "feature_matrix_last.csv")}
    matches = almanac.rows("SELECT id, home_id, away_id, kickoff_us FROM match WHERE state = 1 ORDER BY id")
    matches = random.Random(2).sample(matches, 300)
    entities = [[str(match_id), side, team, datetime.datetime.fromtimestamp(at / 1e6, datetime.timezone.utc).isoformat()]
                for match_id, home, away, at in matches for side, team in (("home", home), ("away", away))]
    path = write_entities(tmp_path / "kickoffs.csv", ["id", "side", "team", "event_timestamp"], entities)
    compared, names = 0, features_of(almanac, "form")
    for got in join(almanac, "form", path):
        for name in names:
            column = source(name, got["side"])
            if column is None or got["form_points_3"] == "":  # its first match
                continue
            assert same(number(got[name]), number(matrix[got["id"]][column])), (got["id"], name)
            compared += 1
    assert compared > 30000
    answer = join(almanac, "rating", path)
    for got in answer:
        if got["elo_plain"] != "":
            for rule in ("plain", "world", "club"):
                assert number(got[f"elo_{rule}"]) == number(matrix[got["id"]][f"elo_{rule}_{got['side']}"])
            assert number(got["pi_at_home"]) == number(matrix[got["id"]][f"pi_{got['side']}_team_at_home"])


def test_the_match_view_is_the_matrix(stored_once, tmp_path):
    almanac = copy_of(stored_once, tmp_path)
    almanac.run("features", "build", "--csv")
    matrix = {row["id"]: row for row in read_csv(almanac.data_dir / "feature_matrix_last.csv")}
    rows = read_all(almanac, "match")
    assert len(rows) == len(matrix)
    for row in random.Random(1).sample(rows, 200):
        other = matrix[row["match"]]
        assert parse(row["event_timestamp"]) == parse(other["start"])
        for name in list(row)[2:]:
            assert same(number(row[name]), number(other[name])), name


def test_names_dates_and_unknown_teams(stored_once, tmp_path):
    team_id, name, country = stored_once.rows("SELECT id, name, country FROM team ORDER BY id LIMIT 1")[0]
    late = "2100-01-01"
    by_id = join(stored_once, "form", write_entities(tmp_path / "a.csv", ["team", "event_timestamp"], [[team_id, late]]))
    by_name = join(stored_once, "form", write_entities(tmp_path / "b.csv", ["country", "team_name", "event_timestamp"],
                                                       [[country, name, late]]))
    whole = join(stored_once, "form", write_entities(tmp_path / "c.csv", ["team", "event_timestamp"],
                                                     [[f"{country}/{name.upper()}", late + " 00:00:00"]]))
    features = features_of(stored_once, "form")
    assert number(by_id[0]["form_points_5"]) >= 0
    for name_ in features:
        assert by_id[0][name_] == by_name[0][name_] == whole[0][name_]
    path = write_entities(tmp_path / "d.csv", ["team", "event_timestamp"],
                          [[team_id, late], [f"{country}/{name[:-1]}x", late]])
    refused = stored_once.run("features", "get", "--view", "form", "--entities", path, check=False)
    assert refused.returncode == 2 and f"{path}' line 3, field 'team'" in refused.stderr and name in refused.stderr
    allowed = join(stored_once, "form", path, "--allow-unknown", "--features", "form_points_5")
    assert list(allowed[0]) == ["team", "event_timestamp", "form_points_5"]
    assert allowed[0]["form_points_5"] and not allowed[1]["form_points_5"]


@pytest.mark.parametrize("content, message", [
    ("", "is empty"),
    ("team,event_timestamp\n", "no rows"),
    ("team,when\n1,2024-01-01\n", "no column 'event_timestamp'"),
    ("name,event_timestamp\n1,2024-01-01\n", "no column 'team'"),
    ("team,event_timestamp\n1,2024-01-01\n1,01/02/2024\n", "line 3, field 'event_timestamp': '01/02/2024'"),
    ("team,event_timestamp\n1,\n", "line 2, field 'event_timestamp'"),
    ("team,event_timestamp\n1.5,2024-01-01\n", "line 2, field 'team'"),
    ("team,event_timestamp\n1,2024-01-01,7\n", "entities.csv"),
])
def test_bad_files_are_refused_by_line(stored_once, tmp_path, content, message):
    path = tmp_path / "entities.csv"
    path.write_text(content)
    done = stored_once.run("features", "get", "--view", "form", "--entities", path, "--output", tmp_path / "out.csv",
                           check=False)
    assert done.returncode == 2 and message in done.stderr and str(path) in done.stderr, done.stderr
    assert not (tmp_path / "out.csv").exists()


def test_other_mistakes_are_named(stored_once, tmp_path):
    path = write_entities(tmp_path / "a.csv", ["team", "event_timestamp"], [[1, "2024-01-01"]])
    for flags, status, message in [
            (["--view", "forms"], 3, "there are"), (["--features", "form_points_6"], 2, "form_points_6"),
            (["--output", "x.json"], 2, ".parquet"), (["--entities", tmp_path / "none.csv"], 3, "none.csv")]:
        done = stored_once.run("features", "get", "--entities", path, *flags, check=False)
        assert done.returncode == status and message in done.stderr, done.stderr
    done = stored_once.run("features", "materialize", "--view", "forms", check=False)
    assert done.returncode == 2 and "standings" in done.stderr


def test_parquet_goes_in_and_out(stored_once, tmp_path):
    path = write_entities(tmp_path / "a.csv", ["label", "team", "event_timestamp"], [["007", 1, "2100-01-01"], ["x", 2, "1990-01-01"]])
    first = tmp_path / "first.parquet"
    stored_once.run("features", "get", "--view", "form", "--entities", path, "--output", first, "--features", "form_points_5")
    answer = join(stored_once, "rating", first)
    assert [row["team"] for row in answer] == ["1", "2"] and [row["label"] for row in answer] == ["007", "x"]
    assert answer[0]["form_points_5"] and answer[0]["elo_plain"] and not answer[1]["elo_plain"]


# ---- ranges ----

def test_ranges_are_of_one_team(stored_once, form_rows):
    team_id, name, country = stored_once.rows("SELECT id, name, country FROM team ORDER BY id DESC LIMIT 1")[0]
    own = [row for row in form_rows if row["team"] == str(team_id)]
    middle = own[len(own) // 2]["event_timestamp"]
    got = table(stored_once.run("features", "range", "--view", "form", "--team", f"{country}/{name}", "--from", middle).stdout)
    assert got == own[len(own) // 2:]
    got = table(stored_once.run("features", "range", "--view", "form", "--team", team_id, "--to", middle, "--limit", 3).stdout)
    assert got == own[len(own) // 2 - 3:len(own) // 2]
    got = json.loads(stored_once.run("features", "range", "--view", "form", "--team", team_id, "--limit", 1, "--format", "json",
                                     "--features", "form_points_5").stdout)
    assert list(got[0]) == ["team", "event_timestamp", "form_points_5"]
    assert got[0]["form_points_5"] == pytest.approx(number(own[-1]["form_points_5"]))
    for flags in (["--team", "England"], ["--opponent", 3], ["--match", 1]):
        assert stored_once.run("features", "range", "--view", "form", *flags, check=False).returncode == 2


# ---- writing again ----

def partitions(almanac, view):
    return {path.parent.name: path for path in sorted(next((almanac.data_dir / "features").glob(f"{view}@*")).glob("year=*/*.parquet"))}


def test_nothing_is_written_twice(stored):
    before = {path: path.stat().st_mtime_ns for path in partitions(stored, "form").values()}
    result = json.loads(stored.run("features", "materialize", "--json").stdout)
    assert {view["written"] for view in result["views"]} == {"nothing"}
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_new_results_change_their_years_alone(simulated, tmp_path):
    """The last season of each league comes later; what is then written equals a store written at once."""
    files = league_files(simulated)
    last = sorted(files, key=lambda path: path.name)[-1].name[-13:]
    early = [path for path in files if not path.name.endswith(last)]
    almanac = Almanac(tmp_path / "data", tmp_path)
    almanac.run("import", "football", *early)
    done = almanac.run("features", "materialize", "--json", check=False)
    if "libduckdb" in done.text and done.returncode != 0:
        pytest.skip("no DuckDB")
    kept = {view: {name: path.stat().st_ino for name, path in partitions(almanac, view).items()} for view in KEYS}
    almanac.run("import", "football", *(path for path in files if path.name.endswith(last)))
    result = json.loads(almanac.run("features", "materialize", "--json").stdout)
    assert {view["written"] for view in result["views"]} == {"years"}
    year = int(result["views"][0]["from"][:4])
    for view in KEYS:
        now = {name: path.stat().st_ino for name, path in partitions(almanac, view).items()}
        old = [name for name in kept[view] if int(name[-4:]) < year]
        assert len(old) >= 3 and all(now[name] == kept[view][name] for name in old)
        assert all(now[name] != kept[view].get(name) for name in now if name not in old) and len(now) > len(old)
    first = {view: read_all(almanac, view) for view in KEYS}
    meta = {view: json.loads(almanac.run("features", "views", view, "--json").stdout) for view in KEYS}
    almanac.run("features", "materialize", "--full")
    for view in KEYS:
        assert read_all(almanac, view) == first[view], view
        again = json.loads(almanac.run("features", "views", view, "--json").stdout)
        assert {key: again[key] for key in ("rows", "version", "statistics", "source_hash")} == \
               {key: meta[view][key] for key in ("rows", "version", "statistics", "source_hash")}


def test_a_killed_writer_leaves_what_was_there(stored):
    before = {view: read_all(stored, view) for view in ("form", "match")}
    start = time.monotonic()
    stored.run("features", "materialize", "--full")
    took = time.monotonic() - start
    killed = 0
    for step in range(5):
        start = time.monotonic()
        process = stored.start("features", "materialize", "--full")
        try:
            process.wait(took * (step + 0.9) / 5)
            took = min(took, time.monotonic() - start)  # the first one was held up by something
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        for view, rows in before.items():
            assert read_all(stored, view) == rows
        assert len(json.loads(stored.run("features", "views", "--json").stdout)) == len(KEYS)
    assert killed >= 2, "it was too quick to be killed"
    stored.run("features", "materialize", "--full")
    left = [path.name for path in (stored.data_dir / "features").iterdir() if path.name.endswith((".made", ".gone", ".old"))]
    assert left == []


def test_a_version_is_deleted(stored):
    name = next((stored.data_dir / "features").glob("form@*")).name
    stored.run("features", "delete", name)
    assert not (stored.data_dir / "features" / name).exists()
    assert stored.run("features", "delete", name, check=False).returncode == 3
    assert stored.run("features", "delete", "../almanac", check=False).returncode == 3
    assert len(json.loads(stored.run("features", "views", "--json").stdout)) == len(KEYS) - 1
    result = json.loads(stored.run("features", "materialize", "--json").stdout)
    assert [view["written"] for view in result["views"] if view["view"] == name] == ["all"]


# ---- over HTTP ----

@pytest.fixture
def server(stored, serve):
    return serve(stored)


def test_views_over_http(stored, server):
    views = server.get("/api/features/views").json()["views"]
    assert views == json.loads(stored.run("features", "views", "--json").stdout)
    form = server.get("/api/features/views/form").json()
    assert form == json.loads(stored.run("features", "views", "form", "--json").stdout)
    assert server.get(f"/api/features/views/form@{form['version']}").json() == form
    assert_error(server.get("/api/features/views/nothing"), 404, "not_found")
    assert_error(server.get("/api/features/views/..%2f"), 404)


def test_history_over_http(stored, server, tmp_path):
    draw, teams = random.Random(3), [row[0] for row in stored.rows("SELECT id FROM team")]
    entities = [{"team": draw.choice(teams), "at": f"20{draw.randrange(18, 25)}-{draw.randrange(1, 13):02d}-15T12:00:00Z"}
                for _ in range(100)]
    country, name = stored.rows("SELECT country, name FROM team LIMIT 1")[0]
    entities.append({"team": f"{country}/{name}", "at": "2100-01-01"})
    path = write_entities(tmp_path / "e.csv", ["team", "event_timestamp"], [[e["team"], e["at"]] for e in entities])
    answer = server.post("/api/features/views/form/history", {"entities": entities}).json()["rows"]
    features = features_of(stored, "form")
    for index, (got, row) in enumerate(zip(answer, join(stored, "form", path), strict=True)):
        assert got["row"] == index and list(got)[1:] == features
        for name_ in features:
            assert same(number(got[name_]), number(row[name_]))
    chosen = server.post("/api/features/views/form/history", {"entities": entities[-1:], "features": ["form_points_5"],
                                                              "max_age_days": 1}).json()["rows"]
    assert chosen == [{"row": 0, "form_points_5": None}]
    url = "/api/features/views/form/history"
    assert_error(server.post(url, {}), 400, field="entities")
    assert_error(server.post(url, {"entities": [{"team": 1, "at": "soon"}]}), 400, field="entities[0].at")
    assert_error(server.post(url, {"entities": [{"team": 1, "at": "2024-01-01"}, {"at": "2024-01-01"}]}), 400)
    assert_error(server.post(url, {"entities": [{"team": "England/Nobody", "at": "2024-01-01"}]}), 404, field="entities[0].team")
    assert_error(server.post(url, {"entities": [{"match": 1, "at": "2024-01-01"}]}), 400, field="entities")
    assert_error(server.post(url, {"entities": entities[:1] * 1001}), 413, "too_large")
    assert_error(server.post(url, {"entities": entities[:1], "features": ["nothing"]}), 400, field="features")
    assert_error(server.post(url, {"entities": entities[:1], "extra": 1}), 400)
    home, away = stored.rows("SELECT home_id, away_id FROM match WHERE state = 1 LIMIT 1")[0]
    pair = server.post("/api/features/views/h2h/history", {"entities": [{"home": home, "away": away, "at": "2100-01-01"}]})
    assert pair.json()["rows"][0]["h2h_meetings"] >= 1


def test_range_and_delete_over_http(stored, server, form_rows):
    own = [row for row in form_rows if row["team"] == "1"]
    rows = server.get("/api/features/views/form/range", params={"team": 1, "limit": 10000, "features": "form_points_5"}).json()["rows"]
    assert [parse(row["event_timestamp"]) for row in rows] == [parse(row["event_timestamp"]) for row in own]
    assert [row["form_points_5"] for row in rows] == pytest.approx([number(row["form_points_5"]) for row in own])
    part = server.get("/api/features/views/form/range", params={"team": 1, "from": own[3]["event_timestamp"],
                                                                "to": own[5]["event_timestamp"]}).json()["rows"]
    assert len(part) == 2
    for params, field in [({"team": "x"}, "team"), ({"team": 1, "limit": 0}, "limit"), ({"team": 1, "from": "soon"}, "from")]:
        assert_error(server.get("/api/features/views/form/range", params=params), 400, field=field)
    assert_error(server.get("/api/features/views/form/range", params={"match": 1}), 400)
    assert server.request("DELETE", "/api/features/views/h2h").status_code == 200
    assert_error(server.request("DELETE", "/api/features/views/h2h"), 404)
    assert_error(server.get("/api/features/views/h2h"), 404)


def test_many_questions_at_once_are_all_answered(stored, server):
    """The loop answers others while the pool works."""
    import concurrent.futures
    import requests

    def ask(index):
        session = requests.Session()
        session.trust_env = False
        if index % 2:
            return session.get(server.url + "/health", timeout=60).status_code
        return session.post(server.url + "/api/features/views/form/history", timeout=60,
                            json={"entities": [{"team": 1 + index % 20, "at": "2024-01-01"}]}).status_code

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(64))) == {200}


def test_the_newest_row_is_what_is_served_live(stored, server, form_rows):
    """The same code makes the rows of both stores; a team's form changes with its own matches only."""
    server.wait_ready()
    newest = {row["team"]: row for row in form_rows}
    assert len(newest) >= 40
    for team, row in newest.items():
        answer = server.get("/api/features/online/form", params={"team": team}).json()
        assert parse(answer["event_timestamp"]) == parse(row["event_timestamp"])
        assert set(answer["features"]) == set(list(row)[2:])
        for name, value in answer["features"].items():
            assert same(number(value), number(row[name])), (team, name)


def test_a_job_writes_a_view_again(stored, server):
    assert server.request("DELETE", "/api/features/views/h2h").status_code == 200
    assert_error(server.post("/api/features/materialize", {"view": "nothing"}), 400, field="view")
    answer = server.post("/api/features/materialize", {"view": "h2h"})
    assert answer.status_code == 202
    assert server.wait_job(answer.json()["job_id"])["job"]["state"] == "succeeded"
    assert server.get("/api/features/views/h2h").json()["rows"] > 0
