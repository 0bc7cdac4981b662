"""The online feature store as a web application meets it: rows against values computed from the store and the exported matrix,
ages and levels, batches, a match page, what a new result changes, a Redis that two servers share, that dies and comes back,
and /metrics."""
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest
import requests
from conftest import PATIENCE, Server, assert_error, copy_of, quickest, read_csv, wait_for
from test_serve import add_fixtures, british, next_day, teams_of



def get(server, view, **query):
    answer = server.get(f"/api/features/online/{view}", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.json()


def metrics(server):
    """{name{labels}: value}"""
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {name: float(value) for name, _, value in
            (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))}


@pytest.fixture(scope="module")
def built_once(imported_once, tmp_path_factory):
    """With a matrix, and its rows."""
    almanac = copy_of(imported_once, tmp_path_factory.mktemp("built"))
    almanac.run("features", "build", "--csv")
    return almanac, {int(row["id"]): row for row in read_csv(almanac.data_dir / "feature_matrix_last.csv")}


@pytest.fixture(scope="module")
def online(built_once):
    server = Server(built_once[0])
    server.wait_ready()
    yield server
    server.end()


# ---- rows ----

def test_a_team(online, built_once, league):
    name = teams_of(built_once[0], league)[0]
    row = get(online, "form", team=f"{league}/{name}")
    assert (row["view"], row["version"]) == ("form", 1) and row["source"] == "store" and row["age_ms"] >= 0
    team = row["entity"]["team"]
    assert team["name"] == name
    again = get(online, "form", team=team["id"])
    assert again["source"] == "memory" and again["features"] == row["features"]
    assert get(online, "form", team=f"{team['country']}/{name.upper()}")["entity"] == row["entity"]
    assert len(row["features"]) >= 60 and all(value is None or isinstance(value, (int, float))
                                              for value in row["features"].values())
    # the moment its last result was known
    day, kickoff, known = built_once[0].rows(
        "SELECT day, kickoff_us, time_known FROM match WHERE state = 1 AND ? IN (home_id, away_id) ORDER BY day DESC LIMIT 1",
        team["id"])[0]
    if known:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(kickoff / 1e6 + 135 * 60))
        assert row["event_timestamp"] == stamp


def test_standings_are_those_of_the_results(online, built_once, league):
    almanac = built_once[0]
    season = almanac.one("SELECT max(season) FROM match WHERE league = ?", league)
    points, games = {}, {}
    for home, away, for_home, for_away in almanac.rows(
            "SELECT home_id, away_id, home_goals, away_goals FROM match WHERE league = ? AND season = ? AND state = 1",
            league, season):
        for team, mine, theirs in ((home, for_home, for_away), (away, for_away, for_home)):
            points[team] = points.get(team, 0) + (3 if mine > theirs else mine == theirs)
            games[team] = games.get(team, 0) + 1
    for team in points:
        features = get(online, "standings", team=team)["features"]
        assert features["table_points"] == pytest.approx(points[team] / games[team], abs=1e-5)
        assert features["table_teams"] == len(points)


def test_a_pair(online, built_once, league):
    almanac = built_once[0]
    home, away = teams_of(almanac, league)
    row = get(online, "h2h", home=f"{league}/{home}", away=f"{league}/{away}")
    ids = row["entity"]["home"]["id"], row["entity"]["away"]["id"]
    meetings = almanac.rows("SELECT home_id, home_goals, away_goals FROM match WHERE state = 1 AND (home_id, away_id) IN "
                            "(VALUES (?, ?), (?, ?)) ORDER BY day DESC LIMIT 10", *ids, *ids[::-1])
    won = sum((a > b) if team == ids[0] else (a < b) for team, a, b in meetings)
    assert row["features"]["h2h_meetings"] == len(meetings)
    assert row["features"]["h2h_win_share"] == pytest.approx(won / len(meetings), abs=1e-6)
    mirrored = get(online, "h2h", home=ids[1], away=ids[0])["features"]
    assert mirrored["h2h_loss_share"] == pytest.approx(row["features"]["h2h_win_share"])


def test_played_matches_are_rows_of_the_matrix(online, built_once):
    almanac, matrix = built_once
    for match_id in list(matrix)[::97]:
        for view in ("match", "odds"):
            features = get(online, view, match=match_id)["features"]
            assert features and all(name in matrix[match_id] for name in features)
            for name, value in features.items():
                text = matrix[match_id][name]
                assert (value is None) == (text == "") and (value is None or value == pytest.approx(float(text), rel=1e-6)), name


def test_a_match_to_come(imported, serve, league):
    home, away = teams_of(imported, league)
    add_fixtures(imported, league, [(british(next_day(imported)), home, away, "fix-1")], odds=True)
    server = serve(imported)
    server.wait_ready()
    row = get(server, "match", match="fix-1")
    assert row["entity"]["home"]["name"] == home and row["entity"]["league"] == league
    assert row["event_timestamp"] == row["entity"]["kickoff"] and row["source"] == "store"
    odds = get(server, "odds", match="fix-1")["features"]
    fair = [odds[f"market_multiplicative_{side}"] for side in ("home", "draw", "away")]
    total = 1 / 2.1 + 1 / 3.4 + 1 / 3.6
    assert fair == pytest.approx([1 / 2.1 / total, 1 / 3.4 / total, 1 / 3.6 / total], abs=1e-6)
    bundle = server.get("/api/features/online/bundle", params={"match": "fix-1"}).json()
    assert set(bundle["groups"]) == {"home_form", "away_form", "home_standings", "away_standings", "h2h", "odds", "match"}
    for name, group in bundle["groups"].items():
        assert group["features"], name
    assert bundle["groups"]["home_form"]["entity"]["team"]["name"] == home
    assert bundle["groups"]["away_form"]["entity"]["team"]["name"] == away
    assert bundle["groups"]["match"]["features"] == row["features"]
    named = server.get("/api/features/online/bundle", params={"home": f"{league}/{home}", "away": f"{league}/{away}"}).json()
    assert named["match"] == bundle["match"] and named["groups"]["h2h"]["source"] == "memory"


def test_a_batch(online, built_once, league):
    names = teams_of(built_once[0], league, 5)
    entities = [{"team": f"{league}/{name}"} for name in names] + [f"{league}/{names[0]}", {"team": "Atlantis/Nobody"},
                                                                   {"team": f"{league}/Nobody"}]
    answer = online.post("/api/features/online/form", {"entities": entities, "features": ["form_points_3", "form_points_5"]})
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rows"]
    assert answer.json()["view"] == "form" and len(rows) == 8
    for name, row in zip([*names, names[0]], rows):
        assert row["entity"]["team"]["name"] == name and list(row["features"]) == ["form_points_3", "form_points_5"]
        assert row["features"]["form_points_3"] == get(online, "form", team=f"{league}/{name}")["features"]["form_points_3"]
    for entity, row in zip(entities[6:], rows[6:]):
        assert row["entity"] == entity and row["error"]["code"] == "not_found" and row["error"]["message"]
    assert len(online.post("/api/features/online/form", {"entities": entities[:1]}).json()["rows"][0]["features"]) >= 60


def test_bad_questions(online, built_once, league):
    one = f"{league}/{teams_of(built_once[0], league)[0]}"
    assert_error(online.get("/api/features/online/nothing?team=1"), 404, "not_found", "view")
    assert_error(online.get("/api/features/online/form"), 400, "invalid", "team")
    assert_error(online.get("/api/features/online/form", params={"match": 1}), 400, "invalid", "team")
    assert_error(online.get("/api/features/online/form", params={"team": one, "match": 1}), 400, "invalid", "team")
    assert_error(online.get("/api/features/online/form", params={"team": "Nobody"}), 400, "invalid", "team")
    assert_error(online.get("/api/features/online/form", params={"team": "999999"}), 404, "not_found", "team")
    assert "nearest" in assert_error(online.get("/api/features/online/form", params={"team": one + "x"}), 404)["message"]
    assert_error(online.get("/api/features/online/h2h", params={"home": one}), 400, "invalid", "home")
    assert_error(online.get("/api/features/online/h2h", params={"home": one, "away": one}), 400, "invalid", "away")
    assert_error(online.get("/api/features/online/match", params={"match": "no-such"}), 404, "not_found", "match")
    assert_error(online.get("/api/features/online/bundle"), 400, "invalid", "match")
    assert_error(online.get("/api/features/online/bundle", params={"match": "no-such"}), 404, "not_found", "match")
    for body, status, field in (({}, 400, "entities"), ({"entities": []}, 400, "entities"),
                                ({"entities": "x"}, 400, "entities"), ({"entities": [one], "x": 1}, 400, "x"),
                                ({"entities": [one, {"side": 1}]}, 400, "entities[1]"),
                                ({"entities": [{"team": []}]}, 400, "entities[0]"),
                                ({"entities": [1.5]}, 400, "entities[0]"),
                                ({"entities": [one], "features": ["form_nothing"]}, 400, "features"),
                                ({"entities": [one], "features": "x"}, 400, "features"),
                                ({"entities": [one] * 501}, 413, "entities")):
        assert_error(online.post("/api/features/online/form", body), status, field=field)
    assert online.post("/api/features/online/form", {"entities": [one] * 500}).status_code == 200
    assert_error(online.request("DELETE", "/api/features/online/form"), 405)


def test_an_empty_store_says_so(empty, serve):
    """At first that nothing is at hand, later that the team is not known."""
    answer = serve(empty).get("/api/features/online/form?team=England/Arsenal")
    assert_error(answer, answer.status_code)
    assert answer.status_code in (503, 404)


# ---- data that changes ----

def results(almanac, league, rows):
    """A file of a source with results of matches: (date, home, away, goals, goals)."""
    path = almanac.work_dir / f"results-{time.monotonic_ns()}.csv"
    path.write_text("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR\n" + "".join(
        f"{league},{british(date)},{home},{away},{a},{b},{'H' if a > b else 'A' if a < b else 'D'}\n"
        for date, home, away, a, b in rows))
    almanac.run("import", "football", path)


def test_a_new_result_is_served_and_other_countries_stay(imported, serve, league):
    home, away = teams_of(imported, league)
    server = serve(imported)
    server.wait_ready()
    before = get(server, "form", team=f"{league}/{home}")
    assert get(server, "form", team=f"{league}/{home}")["source"] == "memory"
    results(imported, league, [(next_day(imported, 3), home, away, 9, 0)])
    after = wait_for(lambda: (row := get(server, "form", team=f"{league}/{home}"))["features"] != before["features"] and row,
                     20, "the new result is in the features")
    assert after["event_timestamp"] > before["event_timestamp"]
    assert after["features"]["form_goals_for_3"] > before["features"]["form_goals_for_3"]
    assert metrics(server)['almanac_feature_cache_invalidations_total{tier="memory"}'] >= 1


def test_new_prices_are_served(imported, serve, league):
    names, date = teams_of(imported, league, 6), british(next_day(imported))
    fixtures = [(date, names[i], names[i + 1], f"fix-{i}") for i in (0, 2, 4)]
    add_fixtures(imported, league, fixtures)
    server = serve(imported)
    server.wait_ready()
    left = iter(fixtures)

    def price_one():
        fixture = next(left)
        assert get(server, "odds", match=fixture[3])["features"]["market_multiplicative_home"] is None
        add_fixtures(imported, league, [fixture], odds=True)
        wait_for(lambda: get(server, "odds", match=fixture[3])["features"]["market_multiplicative_home"] is not None, 20,
                 "the prices are in the features")
    quickest(price_one, 9)  # before the ten seconds are over for which the row without prices is kept


# ---- Redis ----

class Redis:
    """A redis-server on a free port with a folder of its own."""

    def __init__(self, folder):
        self.port = self.free_port()
        self.folder, self.url = folder, f"redis://:secret@127.0.0.1:{self.port}/2"
        self.start()

    @staticmethod
    def free_port():
        """Below those that the system gives to anybody who asks for some port."""
        for port in range(20000 + os.getpid() % 10000, 32000):
            try:
                socket.create_server(("127.0.0.1", port)).close()
                return port
            except OSError:
                continue
        raise AssertionError("no port is free")

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder),
             "--requirepass", "secret"], stdout=subprocess.DEVNULL)
        wait_for(lambda: self.command("PING").startswith("+PONG"), 20, "redis answers")

    def command(self, *words):
        """The first line of the answer, in database 2; '' when there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as client, client.makefile("rb") as answers:
                for line in ("AUTH secret", "SELECT 2", " ".join(words)):
                    client.sendall(line.encode() + b"\r\n")
                    answer = answers.readline().decode().strip()
                return answer
        except OSError:
            return ""

    def count(self):
        return int(self.command("DBSIZE")[1:])

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)


@pytest.fixture
def redis(tmp_path):
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server: tools/install.sh test")
    server = Redis(tmp_path)
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.kill()


def test_servers_share_a_redis(imported, serve, redis, league, tmp_path_factory):
    """Each with a copy of the data of its own, as a folder has one server."""
    flags = ["--redis-url", redis.url, "--redis-timeout-ms", "60000"]
    other = copy_of(imported, tmp_path_factory.mktemp("other"))
    first, second = serve(imported, *flags), serve(other, *flags)
    first.wait_ready(), second.wait_ready()
    home, away = teams_of(imported, league)
    row = get(first, "form", team=f"{league}/{home}")
    assert row["source"] == "store"
    wait_for(lambda: redis.count() == 1, 5, "the row is in Redis")
    shared = get(second, "form", team=f"{league}/{home}")
    assert shared["source"] == "redis" and shared["features"] == row["features"] and shared["entity"] == row["entity"]
    assert shared["age_ms"] > 0 and get(second, "form", team=f"{league}/{home}")["source"] == "memory"
    bundle = second.get("/api/features/online/bundle", params={"home": f"{league}/{home}", "away": f"{league}/{away}"}).json()
    assert [bundle["groups"][name]["source"] for name in ("home_form", "h2h")] == ["memory", "store"]
    batch = second.post("/api/features/online/rating", {"entities": [f"{league}/{home}", f"{league}/Nobody"]}).json()["rows"]
    assert batch[0]["source"] == "store" and batch[1]["error"]["code"] == "not_found"
    found = metrics(second)
    assert found['almanac_feature_cache_hits_total{tier="redis"}'] == 1 and found["almanac_redis_connected"] == 1
    assert found['almanac_feature_reads_total{view="form",source="redis"}'] == 1
    # a result drops what was kept, in Redis too
    result = (next_day(imported, 3), home, away, 9, 0)
    for server, almanac in ((first, imported), (second, other)):
        results(almanac, league, [result])
        fresh = wait_for(lambda: (answer := get(server, "form", team=f"{league}/{home}"))["features"] != row["features"]
                         and answer, 20, "the new result is served")
        assert fresh["event_timestamp"] > row["event_timestamp"]


def test_a_redis_that_is_slow_or_gone_is_not_noticed(imported, serve, redis, league):
    server = serve(imported, "--redis-url", redis.url, "--redis-timeout-ms", "100")
    server.wait_ready()
    names = teams_of(imported, league, 20)

    def read(some):
        """Most of them at once."""
        took = []
        for name in some:
            began = time.monotonic()
            assert get(server, "rating", team=f"{league}/{name}")["source"] == "store"
            took.append(time.monotonic() - began)
        assert sorted(took)[len(took) // 2] < 2, took

    read(names[:1])
    redis.process.send_signal(signal.SIGSTOP)
    read(names[1:4])
    assert quickest(lambda: server.get("/health"), .5).status_code == 200
    read(names[4:10])
    redis.process.send_signal(signal.SIGCONT)
    redis.kill()
    read(names[10:15])
    assert metrics(server)["almanac_redis_errors_total"] >= 1 and metrics(server)["almanac_redis_connected"] == 0
    redis.start()
    pairs = itertools.cycle([(home, away) for home in names for away in names if home != away])

    def is_back():  # each time a row that is not in memory
        home, away = next(pairs)
        server.get("/api/features/online/h2h", params={"home": f"{league}/{home}", "away": f"{league}/{away}"})
        time.sleep(.05)
        return metrics(server)["almanac_redis_connected"] == 1
    wait_for(is_back, 40, "the server has Redis again")
    assert server.stop() == 0


def test_a_wrong_address_is_refused(imported):
    done = imported.run("serve", "--port", "0", "--redis-url", "http://localhost", check=False)
    assert done.returncode == 2 and "redis://" in done.text


def test_many_clients_at_once(imported, serve, redis, league):
    """Cold rows asked for by many at the same time: everyone is answered, each row is computed once."""
    from concurrent.futures import ThreadPoolExecutor
    server = serve(imported, "--redis-url", redis.url, "--redis-timeout-ms", "60000")
    server.wait_ready()
    names = teams_of(imported, league, 10)

    def ask(index):
        session = requests.Session()
        session.trust_env = False
        return session.get(f"{server.url}/api/features/online/standings", params={"team": f"{league}/{names[index % 10]}"},
                           timeout=PATIENCE)

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(400)))
    assert all(answer.status_code == 200 for answer in answers)
    assert metrics(server)["almanac_feature_loads_total"] == 10


# ---- metrics ----

LINE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z_]+="[^"\\\n]*"(,[a-z_]+="[^"\\\n]*")*\})? -?[0-9.e+-]+(inf)?')


def test_metrics_are_well_formed(shared_server, league):
    shared_server.get("/no/such/route")
    shared_server.predict(league=league, home="Nobody", away="Nobody else")
    text = shared_server.get("/metrics").text
    assert text.endswith("\n")
    types, seen = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types and kind in ("counter", "gauge", "histogram")
            types[name] = kind
        elif not line.startswith("# HELP "):
            assert LINE.fullmatch(line), line
            sample = line.rpartition(" ")[0]
            assert sample not in seen
            seen.add(sample)
            name = sample.partition("{")[0]
            base = re.sub("_(bucket|sum|count)$", "", name) if name not in types else name
            assert types[base] != "counter" or name.endswith("_total")
    found = metrics(shared_server)
    assert found['almanac_http_requests_total{route="none",status="4xx"}'] >= 1
    assert found['almanac_http_requests_total{route="/metrics",status="2xx"}'] >= 1
    assert found['almanac_predictions_total{outcome="unknown_team"}'] >= 1
    assert found["process_resident_memory_bytes"] > 1e6 and found["almanac_uptime_seconds"] > 0
    assert found['almanac_jobs{state="running"}'] == 0 and found["almanac_models_in_production"] == 3
    name, route = "almanac_http_request_duration_seconds", 'route="/metrics"'
    buckets = [value for key, value in found.items() if key.startswith(f"{name}_bucket{{{route}")]
    assert buckets == sorted(buckets) and buckets[-1] == found[f"{name}_count{{{route}}}"]
    assert not any(key.startswith("almanac_redis") for key in found)


def test_predictions_are_counted_by_what_came_of_them(trained, serve, league):
    server = serve(trained)
    server.wait_ready()
    home, away = teams_of(trained, league)
    server.predict(league=league, home=home, away=away)
    server.predict(league="XX", home=home, away=away)
    server.predict(match="no-such")
    found = metrics(server)
    assert [found[f'almanac_predictions_total{{outcome="{name}"}}'] for name in
            ("answered", "unknown_league", "unknown_match", "unknown_team")] == [1, 1, 1, 0]
