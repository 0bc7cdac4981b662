"""The server as a web application meets it: answers, refusals, damaged models, kills and restarts."""
import json
import math
import os
import random
import re
import socket
import sqlite3
import subprocess
import time

import pytest
from conftest import ENVIRONMENT, FAST, PATIENCE, assert_error, day_of, wait_for

NOISE = random.Random(17).randbytes(5000)


def teams_of(almanac, league, count=2):
    """Teams of the league's last season."""
    return [name for name, in almanac.rows(
        "SELECT DISTINCT t.name FROM match m JOIN team t ON t.id = m.home_id WHERE m.league = ? AND m.season = "
        "(SELECT max(season) FROM match WHERE league = ?) ORDER BY 1 LIMIT ?", league, league, count)]


def next_day(almanac, days=7):
    """A date after the last known result, as text."""
    return day_of(almanac.one("SELECT max(day) FROM match") + days).isoformat()


def played_match(almanac, league):
    """(id, date, home, away) of a match of the last season."""
    match_id, day, home, away = almanac.rows(
        "SELECT m.id, m.day, h.name, a.name FROM match m JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id "
        "WHERE m.league = ? ORDER BY m.day DESC, m.id LIMIT 1", league)[0]
    return match_id, day_of(day).isoformat(), home, away


def add_fixtures(almanac, league, rows, odds=False):
    """Scheduled matches with source ids, from another application's database."""
    path = almanac.work_dir / f"fixtures-{time.monotonic_ns()}.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE fixture(Div, Date, HomeTeam, AwayTeam, source_id, B365H, B365D, B365A)")
    connection.executemany("INSERT INTO fixture VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                           [(league, *row, *((2.1, 3.4, 3.6) if odds else (None,) * 3)) for row in rows])
    connection.commit()
    connection.close()
    almanac.run("import", "sqlite", path, "--query", "SELECT * FROM fixture")


def british(date):
    return f"{date[8:10]}/{date[5:7]}/{date[:4]}"


def check_prediction(answer, classes=("home", "draw", "away")):
    """Probabilities that are some, their fair odds, and a model that says who it is."""
    assert answer["reason"] is None
    p, fair = answer["prediction"], answer["fair_odds"]
    assert tuple(p) == tuple(fair) == classes
    assert all(0 < value < 1 for value in p.values())
    assert math.isclose(sum(p.values()), 1, abs_tol=1e-9)
    for name in classes:
        assert math.isclose(fair[name], 1 / p[name], rel_tol=1e-9)
    assert re.fullmatch(r"[0-9a-f]{8,}", answer["model"]["version"])
    assert answer["model"]["calibration"] in ("none", "platt", "isotonic", "temperature")
    return p


def check_nothing(answer, *words):
    """200, nulls, and a reason that a person can use."""
    assert answer["prediction"] is None and answer["edge"] is None and answer["fair_odds"] is None
    for word in words:
        assert word.lower() in answer["reason"].lower(), answer["reason"]


# ---- answers ----

def test_health(shared_server):
    answer = shared_server.get("/health")
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    assert body["status"] == "ok" and body["models"] == 3 and body["features_ready"] is True
    assert body["uptime_s"] >= 0 and body["connections"] >= 1
    assert shared_server.request("HEAD", "/health").status_code == 200


def test_predict_by_names(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    answer = shared_server.predict(league=league, home=home, away=away)
    check_prediction(answer)
    assert answer["edge"] is None and answer["target"] == "1x2"
    assert answer["match"]["home"] == home and answer["match"]["away"] == away and answer["match"]["id"] is None
    assert answer["match"]["is_played"] is False
    swapped = shared_server.predict(league=league, home=away, away=home)
    assert swapped["prediction"] != answer["prediction"]


def test_predict_the_same_twice(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    body = {"league": league, "home": home, "away": away, "date": next_day(shared_server.almanac)}
    assert shared_server.predict(**body) == shared_server.predict(**body)


def test_predict_names_any_case_and_spaces(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    date = next_day(shared_server.almanac)
    exact = shared_server.predict(league=league, home=home, away=away, date=date)
    loose = shared_server.predict(league=league, home=f"  {home.upper()} ", away=away.lower(), date=date)
    assert loose == exact


def test_predict_by_date(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    date = next_day(shared_server.almanac)
    day = shared_server.predict(league=league, home=home, away=away, date=date)
    check_prediction(day)
    assert date in day["match"]["kickoff"] or next_day(shared_server.almanac, 6) in day["match"]["kickoff"]
    clock = shared_server.predict(league=league, home=home, away=away, date=date + "T15:00Z")
    check_prediction(clock)
    assert clock["match"]["kickoff"].startswith(date + "T15:00")


def test_predict_over_under(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    answer = shared_server.predict(league=league, home=home, away=away, target="ou25")
    check_prediction(answer, ("under", "over"))
    assert answer["target"] == "ou25"
    priced = shared_server.predict(league=league, home=home, away=away, target="ou25", odds={"under": 1.9, "over": 1.95})
    p = check_prediction(priced, ("under", "over"))
    assert math.isclose(priced["edge"]["given"]["over"], p["over"] * 1.95 - 1, abs_tol=1e-6)


def test_predict_with_flat_odds(shared_server, league):
    """Edge is p * odds - 1; the model with prices answers, as there are prices."""
    home, away = teams_of(shared_server.almanac, league)
    odds = {"home": 2.1, "draw": 3.4, "away": 3.6}
    answer = shared_server.predict(league=league, home=home, away=away, odds=odds)
    p = check_prediction(answer)
    assert set(answer["edge"]) == {"given"}
    for name, price in odds.items():
        assert math.isclose(answer["edge"]["given"][name], p[name] * price - 1, abs_tol=1e-6)
    other = shared_server.predict(league=league, home=home, away=away, odds={"home": 1.2, "draw": 7, "away": 15},
                                  bot="lightgbm_prices")
    assert other["model"]["uses_prices"] is True
    assert other["prediction"]["home"] > 0.6


def test_predict_with_odds_per_bookmaker(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    odds = {"B365": {"home": 2.1, "draw": 3.4, "away": 3.6}, "PS": {"home": 2.16, "draw": 3.5, "away": 3.7}}
    answer = shared_server.predict(league=league, home=home, away=away, odds=odds)
    p = check_prediction(answer)
    assert set(answer["edge"]) == {"B365", "PS"}
    for book, prices in odds.items():
        for name, price in prices.items():
            assert math.isclose(answer["edge"][book][name], p[name] * price - 1, abs_tol=1e-6)


def test_prices_are_of_no_effect_on_a_model_without_prices(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    body = {"league": league, "home": home, "away": away, "bot": "lightgbm", "date": next_day(shared_server.almanac)}
    without = shared_server.predict(**body)
    priced = shared_server.predict(**body, odds={"home": 2.1, "draw": 3.4, "away": 3.6})
    assert without["prediction"] == priced["prediction"] and priced["model"]["uses_prices"] is False


def test_predict_played_match_by_own_id(shared_server, league):
    """The row of the matrix: what was known before its kick-off."""
    match_id, date, home, away = played_match(shared_server.almanac, league)
    by_id = shared_server.predict(match=match_id)
    check_prediction(by_id)
    assert by_id["match"] | {"kickoff": ""} == {"id": match_id, "league": league, "home": home, "away": away,
                                                "kickoff": "", "is_played": True}
    assert shared_server.predict(match=str(match_id)) == by_id
    by_name = shared_server.predict(league=league, home=home, away=away, date=date)
    assert by_name["prediction"] == by_id["prediction"] and by_name["match"]["id"] == match_id


def test_predict_fixture_by_source_id_and_own_id(trained, serve, league):
    """A scheduled match that another application knows under its own name, added while the server runs."""
    server = serve(trained)
    server.wait_ready()
    home, away = teams_of(trained, league)
    date = next_day(trained)
    before = server.predict(league=league, home=home, away=away, date=date, bot="lightgbm")
    add_fixtures(trained, league, [(british(date), home, away, "fd-4711")])
    own_id = trained.one("SELECT id FROM match WHERE source_id = 'fd-4711'")
    answer = wait_for(lambda: (got := server.predict(match="fd-4711", bot="lightgbm"))["prediction"] and got, 30,
                      "the fixture can be predicted")
    check_prediction(answer)
    assert answer["match"]["id"] == own_id and answer["match"]["is_played"] is False
    by_own_id = server.predict(match=own_id, bot="lightgbm")
    assert by_own_id == answer
    by_name = server.predict(league=league, home=home, away=away, date=date, bot="lightgbm")
    assert by_name["match"]["id"] == own_id
    # the same features whether it is stored or not: no result was added
    for name in ("home", "draw", "away"):
        assert math.isclose(before["prediction"][name], answer["prediction"][name], abs_tol=1e-9)


def test_stored_prices_are_used(trained, serve, league):
    """A fixture stored with prices is answered by the model that needs them."""
    home, away = teams_of(trained, league)
    add_fixtures(trained, league, [(british(next_day(trained)), home, away, "priced-1")], odds=True)
    server = serve(trained)
    answer = wait_for(lambda: (got := server.predict(match="priced-1", bot="lightgbm_prices"))["prediction"] and got, 30,
                      "the fixture can be predicted")
    assert answer["model"]["uses_prices"] is True
    given = server.predict(league=league, home=home, away=away, date=next_day(trained, 14), bot="lightgbm_prices",
                           odds={"B365": {"home": 2.1, "draw": 3.4, "away": 3.6}})
    assert set(given["edge"]) == {"B365"}


# ---- no answer is an answer ----

def test_unknown_team(shared_server, league):
    home, _ = teams_of(shared_server.almanac, league)
    check_nothing(shared_server.predict(league=league, home=home, away="Atlantis Rovers"), "Atlantis Rovers", "nearest")


def test_unknown_league(shared_server):
    check_nothing(shared_server.predict(league="XX", home="A", away="B"), "XX")


def test_unknown_match(shared_server):
    check_nothing(shared_server.predict(match="no-such-id"), "no-such-id")
    check_nothing(shared_server.predict(match=999999999), "999999999")


def test_no_model_of_the_bot(shared_server, league):
    home, away = teams_of(shared_server.almanac, league)
    check_nothing(shared_server.predict(league=league, home=home, away=away, bot="lstm_bot"), "lstm_bot", "model")


def test_team_against_itself(shared_server, league):
    home, _ = teams_of(shared_server.almanac, league)
    check_nothing(shared_server.predict(league=league, home=home, away=home), home)


def test_a_date_whose_future_is_known(shared_server, league):
    """No honest forecast is possible for a date before the newest result."""
    home, away = teams_of(shared_server.almanac, league)
    check_nothing(shared_server.predict(league=league, home=home, away=away, date="2001-01-01"), "known")


def test_no_model_at_all(imported, serve, league):
    server = serve(imported)
    server.wait_ready()
    home, away = teams_of(imported, league)
    answer = server.predict(league=league, home=home, away=away)
    check_nothing(answer, "model", league)
    assert answer["model"] is None
    assert server.get("/model/current").json() == {"models": []}


def test_no_data_at_all(empty, serve):
    server = serve(empty)
    check_nothing(server.predict(league="E0", home="Arsenal", away="Chelsea"))
    check_nothing(server.predict(match="1"))
    assert server.get("/health").json()["models"] == 0


# ---- current models ----

def test_model_current(shared_server, league):
    models = shared_server.get("/model/current").json()["models"]
    assert {(m["league"], m["target"], m["bot"]) for m in models} == {
        (league, "1x2", "lightgbm"), (league, "1x2", "lightgbm_prices"), (league, "ou25", "lightgbm")}
    assert all(m["stage"] == "Production" and m["is_fallback"] is False for m in models)
    for model in models:
        assert model["learned_from"] < model["learned_to"] < model["holdout"]["from"] < model["holdout"]["to"]
        assert 0.5 < model["holdout"]["log_loss"] < 1.2
    some = shared_server.get("/model/current", params={"target": "ou25"}).json()["models"]
    assert [m["target"] for m in some] == ["ou25"]
    assert shared_server.get("/model/current", params={"league": "none"}).json() == {"models": []}


# ---- refusals: one shape, nothing changed ----

GOOD = {"league": "E0", "home": "A", "away": "B"}
BAD_PREDICTIONS = {
    "unknown member": ({**GOOD, "colour": "red"}, "colour"),
    "no league": ({"home": "A", "away": "B"}, "league"),
    "no home": ({"league": "E0", "away": "B"}, "home"),
    "no away": ({"league": "E0", "home": "A"}, "away"),
    "nothing": ({}, None),
    "league number": ({**GOOD, "league": 1}, "league"),
    "home list": ({**GOOD, "home": ["A"]}, "home"),
    "away object": ({**GOOD, "away": {}}, "away"),
    "match object": ({"match": {}}, "match"),
    "match real": ({"match": 1.5}, "match"),
    "match bool": ({"match": True}, "match"),
    "endless name": ({**GOOD, "home": "x" * 5000}, "home"),
    "date words": ({**GOOD, "date": "tomorrow"}, "date"),
    "date 31 February": ({**GOOD, "date": "2026-02-31"}, "date"),
    "date number": ({**GOOD, "date": 20260301}, "date"),
    "target": ({**GOOD, "target": "correct_score"}, "target"),
    "target number": ({**GOOD, "target": 1}, "target"),
    "bot number": ({**GOOD, "bot": 7}, "bot"),
    "odds list": ({**GOOD, "odds": [2, 3, 4]}, "odds"),
    "odds empty": ({**GOOD, "odds": {}}, "odds"),
    "odds of 1": ({**GOOD, "odds": {"home": 1.0, "draw": 3, "away": 4}}, "odds.home"),
    "odds below 1": ({**GOOD, "odds": {"home": 2, "draw": -3, "away": 4}}, "odds.draw"),
    "odds too high": ({**GOOD, "odds": {"home": 2, "draw": 3, "away": 1e9}}, "odds.away"),
    "odds text": ({**GOOD, "odds": {"home": "2.0", "draw": 3, "away": 4}}, "odds.home"),
    "odds missing": ({**GOOD, "odds": {"home": 2, "draw": 3}}, "odds.away"),
    "odds unknown class": ({**GOOD, "odds": {"home": 2, "draw": 3, "away": 4, "late": 5}}, None),
    "odds of the other target": ({**GOOD, "target": "ou25", "odds": {"home": 2, "draw": 3, "away": 4}}, None),
    "unknown bookmaker": ({**GOOD, "odds": {"Honest Joe": {"home": 2, "draw": 3, "away": 4}}}, "odds.Honest Joe"),
    "bookmaker mixed": ({**GOOD, "odds": {"B365": {"home": 2, "draw": 3, "away": 4}, "PS": 3}}, "odds.PS"),
    "bookmaker's odds": ({**GOOD, "odds": {"B365": {"home": 2, "draw": 1, "away": 4}}}, "odds.B365.draw"),
}


@pytest.mark.parametrize("case", BAD_PREDICTIONS)
def test_bad_prediction_request(shared_server, case):
    body, field = BAD_PREDICTIONS[case]
    assert_error(shared_server.post("/predict", body), 400, "invalid", field)


BAD_BODIES = {
    "empty": b"", "not JSON": b"league=E0", "cut off": b'{"league": "E0"', "trailing data": b'{"league": "E0"} x',
    "two values": b"{} {}", "list": b"[]", "text": b'"E0"', "null": b"null", "NaN": b'{"league": NaN}',
    "infinity": b'{"odds": {"home": 1e999}}', "bad UTF-8": b'{"league": "\xff\xfe"}', "zero byte": b'{"league": "E\\u00000"}',
    "raw zero byte": b'{"league": "E0\0"}', "twice the same": b'{"league": "E0", "league": "E1"}',
    "deep": b'{"odds": ' + b"[" * 100000 + b"]" * 100000 + b"}", "single quotes": b"{'league': 'E0'}",
    "comment": b'{"league": "E0"} // Arsenal', "lone surrogate": b'{"league": "\\ud800"}', "byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("path", ["/predict", "/train", "/backtest", "/api/ablation", "/api/features/materialize"])
@pytest.mark.parametrize("case", BAD_BODIES)
def test_malformed_body(shared_server, case, path):
    answer = shared_server.request("POST", path, data=BAD_BODIES[case], headers={"Content-Type": "application/json"})
    assert_error(answer, 400, "invalid")


BAD_TRAININGS = {
    "unknown member": ({"league": "E0", "epochs": 5}, "epochs"),
    "unknown league": ({"league": "XX"}, "league"),
    "league number": ({"league": 5}, "league"),
    "target": ({"target": "correct_score"}, "target"),
    "engine": ({"engine": "crystal_ball"}, "engine"),
    "features": ({"features": "everything"}, "features"),
    "folds text": ({"folds": "5"}, "folds"),
    "folds real": ({"folds": 2.5}, "folds"),
    "folds out of range": ({"folds": 1000}, "folds"),
    "holdout": ({"holdout": 1.5}, "holdout"),
    "seed": ({"seed": -1}, "seed"),
    "huge": ({"seed": 10**30}, None),
    "date": ({"from": "31/02/2020"}, "from"),
    "parameter name": ({"parameters": "wings=2"}, "parameters"),
    "parameter value": ({"parameters": "trees=lots"}, "parameters"),
    "parameter range": ({"parameters": "trees=-5"}, "parameters"),
    "parameter without value": ({"parameters": "trees"}, "parameters"),
    "parameter of another engine": ({"engine": "base_rate", "parameters": "trees=5"}, "parameters"),
    "long parameters": ({"parameters": "trees=5," * 500}, "parameters"),
    "path": ({"matrix": "../../../etc/passwd\x01"}, "matrix"),
    "engine needs prices": ({"engine": "bookmaker"}, "features"),
}


@pytest.mark.parametrize("case", BAD_TRAININGS)
def test_bad_training_request(shared_server, case):
    body, field = BAD_TRAININGS[case]
    assert_error(shared_server.post("/train", body), 400, "invalid", field)
    assert shared_server.get("/api/jobs").json()["jobs"] == []


BAD_BACKTESTS = {
    "unknown member": ({"colour": "red"}, "colour"), "league": ({"league": "XX"}, "league"),
    "bookmaker": ({"bookmaker": "Honest Joe"}, "bookmaker"), "refit": ({"refit": "hourly"}, "refit"),
    "dates": ({"from": "2020-01-01", "to": "2019-01-01"}, "to"), "no dates": ({"from": ""}, None),
    "edge": ({"min_edge": -1}, "min_edge"), "cap": ({"cap": "all in"}, "cap"),
}


@pytest.mark.parametrize("case", BAD_BACKTESTS)
def test_bad_backtest_request(shared_server, case):
    body, field = BAD_BACKTESTS[case]
    assert_error(shared_server.post("/backtest", body), 400, "invalid", field)
    assert shared_server.get("/api/jobs").json()["jobs"] == []


BAD_QUERIES = ["/api/jobs?limit=0", "/api/jobs?limit=-1", "/api/jobs?limit=ten", "/api/jobs?limit=100000",
               "/api/jobs?before=x", "/api/jobs?before=-5", "/api/jobs?limit=99999999999999999999", "/api/jobs/0",
               "/api/jobs/-1", "/api/jobs/abc", "/api/jobs/1e3", "/api/jobs/99999999999999999999/logs"]


@pytest.mark.parametrize("path", BAD_QUERIES)
def test_bad_query(shared_server, path):
    assert_error(shared_server.get(path), 400, "invalid")


@pytest.mark.parametrize("path", ["/index.html", "/predict/", "/PREDICT", "/health/x", "/api", "/api/jobs/", "/api/jobs/1/logs/x",
                                  "/api/nothing", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//health", "/health%2f",
                                  "/" + "x" * 3000])
def test_unknown_route(shared_server, path):
    head = shared_server.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    status = int(head.split(b" ", 2)[1])
    body = json.loads(head.partition(b"\r\n\r\n")[2])
    assert status in (404, 400) and set(body["error"]) == {"code", "message", "field"}
    assert b"root:" not in head


@pytest.mark.parametrize("path", ["/api/jobs/12345", "/api/jobs/12345/logs"])
def test_unknown_job(shared_server, path):
    assert_error(shared_server.get(path), 404, "not_found")
    assert_error(shared_server.post("/api/jobs/12345/stop"), 404, "not_found")


WRONG_METHODS = [("GET", "/predict", "POST"), ("PUT", "/predict", "POST"), ("DELETE", "/health", "GET"),
                 ("POST", "/health", "GET"), ("GET", "/train", "POST"), ("PATCH", "/backtest", "POST"),
                 ("POST", "/model/current", "GET"), ("DELETE", "/api/jobs", "GET"), ("PUT", "/api/jobs/1", "GET"),
                 ("GET", "/api/jobs/1/stop", "POST"), ("OPTIONS", "/predict", "POST")]


@pytest.mark.parametrize("method, path, allowed", WRONG_METHODS)
def test_wrong_method(shared_server, method, path, allowed):
    answer = shared_server.request(method, path)
    assert_error(answer, 405, "method")
    assert allowed in re.split(r", *", answer.headers["Allow"])
    assert method not in re.split(r", *", answer.headers["Allow"])


def test_ten_megabyte_body(shared_server):
    """Refused by its length, before it is taken in; the server goes on."""
    answer = shared_server.request("POST", "/predict", data=b'{"league": "' + b"x" * 10_000_000 + b'"}')
    assert_error(answer, 413, "too_large")
    chunks = (b"x" * 65536 for _ in range(160))
    try:
        assert shared_server.request("POST", "/predict", data=chunks).status_code == 413
    except OSError:
        pass  # cut off while it was still talking: as good
    assert shared_server.get("/health").status_code == 200


def test_huge_headers(shared_server):
    head = shared_server.raw(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 200_000 + b"\r\n\r\n")
    assert head == b"" or head.split(b" ", 2)[1] in (b"431", b"400", b"413")
    assert shared_server.get("/health").status_code == 200


AMBIGUOUS = {
    "two lengths": b"Content-Length: 2\r\nContent-Length: 40\r\n",
    "the same length twice": b"Content-Length: 2\r\nContent-Length: 2\r\n",
    "length and chunked": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "other encoding": b"Transfer-Encoding: gzip\r\n",
    "negative length": b"Content-Length: -2\r\n",
    "plus": b"Content-Length: +2\r\n",
    "blank before the colon": b"Content-Length : 2\r\n",
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_where_does_the_body_end(shared_server, case):
    answer = shared_server.raw(b"POST /predict HTTP/1.1\r\nHost: localhost\r\n" + AMBIGUOUS[case] + b"\r\n{}")
    assert answer.split(b" ", 2)[1] == b"400", answer[:300]


@pytest.mark.parametrize("target", ["/%00", "/health%00", "/%zz", "/%2", "/health?x=%00"])
def test_bad_escapes(shared_server, target):
    answer = shared_server.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] == b"400", answer[:300]


@pytest.mark.parametrize("junk", [b"\0" * 5000, NOISE[:4096], b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
                                  b"GET /health HTTP/9.9\r\n\r\n", b"\r\n" * 3000], ids=range(6))
def test_no_http_at_all(shared_server, junk):
    shared_server.raw(junk, shut=True)
    assert shared_server.get("/health").status_code == 200


# ---- who may ask ----

@pytest.mark.parametrize("host", ["evil.example", "evil.example:5050", "127.0.0.1.evil.example", "localhost.evil.example",
                                  "0.0.0.0", "[::2]", "localhost:5050:1", "localhost@evil.example", "user@localhost"])
def test_foreign_host(shared_server, host):
    """A name that was made to point to this machine must not reach the server."""
    for method, path in (("GET", "/health"), ("POST", "/predict")):
        assert_error(shared_server.request(method, path, headers={"Host": host}), 403, "forbidden")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST:1", "localhost:5050"])
def test_own_host(shared_server, host):
    assert shared_server.get("/health", headers={"Host": host}).status_code == 200


def test_no_host(shared_server):
    assert shared_server.raw(b"GET /health HTTP/1.1\r\n\r\n").split(b" ", 2)[1] == b"400"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost.evil.example", "file://", "",
                                    "http://127.0.0.1.evil.example"])
def test_foreign_origin(shared_server, origin):
    """A page from elsewhere must not steer the server."""
    for path in ("/predict", "/train", "/backtest", "/api/jobs/1/stop"):
        assert_error(shared_server.post(path, {}, headers={"Origin": origin}), 403, "forbidden")
    assert shared_server.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080"])
def test_own_origin(shared_server, origin):
    answer = shared_server.post("/predict", {"match": "none"}, headers={"Origin": origin})
    assert answer.status_code == 200


# ---- bad requests change nothing ----

def test_refusals_change_nothing(trained, serve):
    server = serve(trained)
    server.wait_ready()

    def state():
        tables = [name for name, in trained.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        files = sorted((str(path.relative_to(trained.data_dir)), path.stat().st_size)
                       for folder in ("models", "matrix", "logs") for path in (trained.data_dir / folder).rglob("*"))
        return {name: trained.rows(f"SELECT * FROM {name}") for name in tables}, files

    before = state()
    for path, cases in (("/train", BAD_TRAININGS), ("/backtest", BAD_BACKTESTS)):
        for body, _ in cases.values():
            assert server.post(path, body).status_code == 400
    for body, _ in BAD_PREDICTIONS.values():
        server.post("/predict", body)
    for data in BAD_BODIES.values():
        server.request("POST", "/train", data=data)
    for method, path, _ in WRONG_METHODS:
        server.request(method, path)
    assert state() == before


# ---- starting, stopping, dying ----

def test_port_taken(trained, serve, tmp_path):
    """Says which port; does not touch the jobs or the store of the server that has it."""
    server = serve(trained)
    second = trained.run("serve", "--port", server.port, check=False)
    assert second.returncode == 10 and str(server.port) in second.text
    assert server.get("/health").status_code == 200


def test_port_taken_by_another_program(empty):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = empty.run("serve", "--port", port, check=False)
    assert done.returncode == 10 and str(port) in done.text


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "::"])
def test_only_loopback(empty, address):
    done = empty.run("serve", "--port", "0", "--address", address, check=False)
    assert done.returncode == 14 and address in done.text


@pytest.mark.parametrize("flags", [["--port", "99999"], ["--port", "x"], ["--colour", "red"], ["--parallel-jobs", "0"]])
def test_bad_flags(empty, flags):
    done = empty.run("serve", *flags, check=False)
    assert done.returncode in (2, 3) and flags[0].strip("-").replace("-", "_") in done.text.replace("-", "_")


def test_graceful_stop(trained, serve):
    server = serve(trained)
    server.wait_ready()
    assert server.stop() == 0
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)


def test_graceful_stop_with_open_connections(trained, serve):
    server = serve(trained)
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    idle[0].sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    server.get("/health")
    assert server.stop() == 0
    for connection in idle:
        connection.close()


def answers(server, league):
    home, away = teams_of(server.almanac, league)
    date = next_day(server.almanac)
    server.wait_ready()
    return [server.predict(league=league, home=home, away=away, date=date),
            server.predict(league=league, home=home, away=away, date=date, target="ou25"),
            server.predict(match=played_match(server.almanac, league)[0]), server.get("/model/current").json()]


def test_restart_keeps_everything(trained, serve, league):
    server = serve(trained)
    before = answers(server, league)
    check_prediction(before[0])
    assert server.stop() == 0
    assert answers(serve(trained), league) == before


def test_kill_keeps_everything(trained, serve, league):
    server = serve(trained)
    before = answers(server, league)
    server.kill()
    assert answers(serve(trained), league) == before
    assert trained.one("PRAGMA integrity_check") == "ok"


def test_import_beside_a_running_server(trained, serve, league, tmp_path):
    """New matches are taken in without a restart."""
    server = serve(trained)
    server.wait_ready()
    home, away = teams_of(trained, league)
    day = next_day(trained)
    before = server.predict(league=league, home=home, away=away, date=next_day(trained, 21), bot="lightgbm")
    path = tmp_path / "late.csv"
    path.write_text(f"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\n{league},{british(day)},{home},{away},9,0\n")
    trained.run("import", "football", path)
    date = next_day(trained, 14)
    wait_for(lambda: server.predict(league=league, home=home, away=away, date=date, bot="lightgbm")["prediction"] not in
             (before["prediction"], None), 30, "a 9-0 changes the forecast")


# ---- models: which one serves ----

def model_files(almanac, league, target="1x2", bot="lightgbm"):
    return {path.stem: path for path in (almanac.data_dir / "models" / league / target / bot).glob("*.model")}


def current(server, league, target="1x2", bot="lightgbm"):
    models = server.get("/model/current", params={"league": league, "target": target, "bot": bot}).json()["models"]
    return models[0] if models else None


@pytest.fixture
def two_versions(trained, league):
    """A second version of the same model in production; (store, first, second)."""
    first = next(iter(model_files(trained, league)))
    trained.run("train", "--league", league, *FAST, "--seed", "2")
    second, = set(model_files(trained, league)) - {first}
    trained.run("models", "promote", second, "--why", "test")
    return trained, first, second


def flip_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


DAMAGE = {
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "one byte short": lambda path: os.truncate(path, path.stat().st_size - 1),
    "empty": lambda path: os.truncate(path, 0),
    "one bit flipped": flip_bit,
    "gone": lambda path: path.unlink(),
    "junk": lambda path: path.write_bytes(NOISE),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_model_is_refused_and_the_previous_serves(two_versions, serve, league, case):
    almanac, first, second = two_versions
    DAMAGE[case](model_files(almanac, league)[second])
    server = serve(almanac)
    server.wait_ready()
    model = current(server, league)
    assert model["version"] == first and model["is_fallback"] is True
    home, away = teams_of(almanac, league)
    answer = server.predict(league=league, home=home, away=away, bot="lightgbm")
    check_prediction(answer)
    assert answer["model"]["version"] == first
    assert second in server.log() and "refused" in server.log()
    # the other models are served as ever
    assert current(server, league, "ou25")["is_fallback"] is False


def test_promotion_of_a_damaged_version(two_versions, serve, league):
    """While the server runs: what is put into production is looked at, and refused; what was there before serves on."""
    almanac, first, second = two_versions
    almanac.run("models", "promote", first)
    server = serve(almanac)
    server.wait_ready()
    flip_bit(model_files(almanac, league)[second])
    done = almanac.run("models", "promote", second, check=False)
    if done.returncode != 0:  # refused on the spot: as good
        assert second in done.text
        assert current(server, league)["version"] == first
        return
    model = wait_for(lambda: (got := current(server, league)) and got["is_fallback"] and got, 10, "a fallback serves")
    assert model["version"] == first


def test_all_versions_damaged(two_versions, serve, league):
    """Nothing to fall back to: no answer, a reason, and the server stands."""
    almanac, _, _ = two_versions
    for path in model_files(almanac, league).values():
        flip_bit(path)
    server = serve(almanac)
    server.wait_ready()
    assert current(server, league) is None
    home, away = teams_of(almanac, league)
    check_nothing(server.predict(league=league, home=home, away=away, bot="lightgbm"), "model")


def test_promotion_reaches_a_running_server(two_versions, serve, league):
    almanac, first, second = two_versions
    server = serve(almanac)
    assert current(server, league)["version"] == second
    almanac.run("models", "promote", first)
    wait_for(lambda: current(server, league)["version"] == first, 10, "the promoted version serves")
    almanac.run("models", "rollback", "--league", league, "--target", "1x2", "--bot", "lightgbm")
    wait_for(lambda: current(server, league)["version"] == second, 10, "the version before serves again")


def test_configuration_file_and_environment(trained, serve, tmp_path):
    """File, then environment, then flag; a wrong line is named."""
    (tmp_path / "almanac.ini").write_text("[almanac]\nparallel_jobs = 2\n; a remark\nlog_level = warn\n")
    server = serve(trained)
    assert server.get("/health").status_code == 200 and " info " not in server.log()
    # without a section, lines are the program's own, whatever the command
    (tmp_path / "almanac.ini").write_text(f"data_dir = {trained.data_dir}\n[backtest]\nleague = XX\n[train]\nleague = XY\n")
    done = trained.plain("train")
    assert done.returncode == 2 and "'XY'" in done.stderr
    assert trained.plain("models", "list").stdout.count("Production") == 3
    (tmp_path / "other.ini").write_text("[train]\nleague = XZ\n")
    assert "'XZ'" in trained.plain("train", "--config", "other.ini").stderr
    done = subprocess.run([trained.command()[0], "train", "--config", "other.ini"], cwd=tmp_path, capture_output=True,
                          text=True, env=ENVIRONMENT | {"ALMANAC_CONFIG": "almanac.ini"}, timeout=PATIENCE)
    assert "'XZ'" in done.stderr, "a flag wins over the environment"
    assert trained.plain("train", "--config", "none.ini").returncode == 3, "a file that is named must be there"
    (tmp_path / "almanac.ini").write_text("[almanac]\nparallel_jobs = lots\n")
    done = trained.run("serve", "--port", "0", check=False)
    assert done.returncode == 2 and "line 2" in done.text and "parallel_jobs" in done.text
    (tmp_path / "almanac.ini").unlink()
    done = subprocess.run(trained.command("serve", "--port", "0"), env=ENVIRONMENT | {"ALMANAC_PARALLEL_JOBS": "-3"},
                          cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2 and "ALMANAC_PARALLEL_JOBS" in done.stderr
