"""Connectors against a local server that replays real-shaped answers of The Odds API v4 and football-data.org v4, and their
errors: throttling, failures that pass, truncation, other JSON, unknown teams. Nothing outside this machine is asked."""
import datetime
import http.server
import json
import sqlite3
import threading
import time
import urllib.parse

import pytest
from conftest import assert_error, wait_for

UTC = datetime.timezone.utc
KEY, TOKEN = "0123456789abcdef0123456789abcdef", "fedcba9876543210"
TEAMS = ["Arsenal", "Chelsea", "Man United", "Brighton", "Nott'm Forest", "Wolves", "Liverpool", "Everton"]
NOW = datetime.datetime.now(UTC).replace(microsecond=0)


def iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Replay:
    """Answers by path, in order; the last one stays. An answer is (status, headers, body) or a function of the request."""

    def __init__(self):
        self.answers, self.requests, self.lock = {}, [], threading.Lock()
        replay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                with replay.lock:
                    replay.requests.append((parts.path, dict(urllib.parse.parse_qsl(parts.query)), dict(self.headers),
                                            time.monotonic()))
                    queue = replay.answers.get(parts.path, [(404, {}, b'{"message":"unknown"}')])
                    answer = queue.pop(0) if len(queue) > 1 else queue[0]
                status, headers, body = answer(self.headers) if callable(answer) else answer
                self.send_response(status)
                length = headers.get("Content-Length", str(len(body)))
                for name, value in {"Content-Type": "application/json", **headers, "Content-Length": length}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                if int(length) != len(body):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, path, *answers):
        ready = []
        for answer in answers:
            if not callable(answer):
                status, headers, body = answer
                answer = (status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())
            ready.append(answer)
        with self.lock:
            self.answers[path] = ready

    def asked(self, path):
        with self.lock:
            return [request for request in self.requests if request[0] == path]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def replay():
    server = Replay()
    yield server
    server.close()


# ---- what is stored ----

def write_results(path):
    """Results of the last weeks, each team against each."""
    pairs = [(home, away) for home in TEAMS for away in TEAMS if home != away]
    lines = ["Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H,B365D,B365A"]
    for index, (home, away) in enumerate(pairs):
        day = (NOW - datetime.timedelta(days=3 + index)).strftime("%d/%m/%Y")
        lines.append(f"E0,{day},{home},{away},{index % 4},{index % 3},"
                     f"{'H' if index % 4 > index % 3 else 'D' if index % 4 == index % 3 else 'A'},2.1,3.3,3.5")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def add_scheduled(almanac, rows):
    """(home, away, days from now): matches to come, with a kick-off time as football-data writes it."""
    path = almanac.work_dir / f"scheduled-{time.monotonic_ns()}.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE fixture(Div, Date, HomeTeam, AwayTeam, FTHG, FTAG, B365H, B365D, B365A)")
    for home, away, days in rows:
        day = (NOW + datetime.timedelta(days=days)).strftime("%d/%m/%Y")
        connection.execute("INSERT INTO fixture VALUES ('E0', ?, ?, ?, NULL, NULL, 2.0, 3.4, 3.8)", (day, home, away))
    connection.commit()
    connection.close()
    almanac.run("import", "sqlite", path, "--query", "SELECT * FROM fixture")


@pytest.fixture
def almanac(empty):
    write_results(empty.work_dir / "E0.csv")
    empty.run("import", "football", empty.work_dir / "E0.csv")
    add_scheduled(empty, [("Arsenal", "Man United", 3), ("Brighton", "Nott'm Forest", 4)])
    return empty


def flags(replay, odds=True, org=True):
    common = ["--connector-retry-ms", "20", "--connector-timeout-ms", "60000", "--odds-api-per-minute", "60000",
              "--football-data-org-per-minute", "60000", "--odds-api-url", replay.url, "--football-data-org-url",
              replay.url + "/"]
    return common + (["--odds-api-key", KEY] if odds else []) + (["--football-data-org-token", TOKEN] if org else [])


def run_task(server, task, state="succeeded", **options):
    answer = server.post("/api/jobs", {"task": task, "options": options})
    assert answer.status_code == 202, answer.text
    job = server.wait_job(answer.json()["job_id"])
    assert job["job"]["state"] == state, job
    return job["result"] if state == "succeeded" else job["job"]["error"]


def prices(almanac, home):
    return {(market, bookmaker): (p1, p2, p3, captured) for market, bookmaker, p1, p2, p3, captured in almanac.rows(
        "SELECT q.market, q.bookmaker, p.price_1, p.price_2, p.price_3, p.captured_at FROM price p "
        "JOIN quote q ON q.id = p.quote_id JOIN match m ON m.id = p.match_id JOIN team t ON t.id = m.home_id "
        "WHERE m.state = 0 AND q.label = 'pre_close' AND t.name = ?", home)}


def state_hash(almanac):
    return almanac.one("SELECT value FROM meta WHERE key = 'football_revision'")


# ---- The Odds API ----

ODDS = "/v4/sports/soccer_epl/odds"


def h2h(home, away, *prices):
    return {"key": "h2h", "last_update": iso(NOW), "outcomes": [
        {"name": home, "price": prices[0]}, {"name": away, "price": prices[2]}, {"name": "Draw", "price": prices[1]}]}


def totals(over, under, point=2.5):
    return {"key": "totals", "last_update": iso(NOW), "outcomes": [
        {"name": "Over", "price": over, "point": point}, {"name": "Under", "price": under, "point": point}]}


def event(home, away, days, *bookmakers, hours=0):
    return {"id": f"{home}-{away}".lower().replace(" ", ""), "sport_key": "soccer_epl", "sport_title": "EPL",
            "commence_time": iso(NOW + datetime.timedelta(days=days, hours=hours)), "home_team": home, "away_team": away,
            "bookmakers": [{"key": key, "title": key.title(), "last_update": iso(NOW), "markets": markets}
                           for key, markets in bookmakers]}


def odds_answer(pinnacle=2.25):
    united, forest = ("Arsenal", "Manchester United"), ("Brighton and Hove Albion", "Nottingham Forest")
    return [
        event(*united, 3, ("pinnacle", [h2h(*united, pinnacle, 3.5, 3.4), totals(1.9, 2.0)]),
              ("williamhill", [h2h(*united, 2.2, 3.4, 3.3), totals(1.8, 2.05, 3.5)]),
              ("marathonbet", [h2h(*united, 2.24, 3.45, 3.35), {"key": "h2h_lay", "outcomes": []}])),
        event(*forest, 4, ("ladbrokes_uk", [h2h(*forest, 1.9, 3.6, 4.2)])),
    ]


def test_both_are_off_by_default(almanac, serve):
    server = serve(almanac)
    assert run_task(server, "fetch_odds")["note"] == "connector 'odds' is off: set odds_api_key"
    result = run_task(server, "standings")
    assert result["outcome"] == "skipped"
    assert result["note"] == "connector 'football-data.org' is off: set football_data_org_token"
    assert result["requests"] == 0
    for name in ("fetch_odds", "standings"):
        job = server.post(f"/api/schedule/{name}/run").json()["job"]
        server.wait_job(job["id"])
        told = wait_for(lambda n=name: (row := server.get(f"/api/schedule/{n}").json())["last_outcome"] == "skipped"
                        and row, 10, "the schedule has noticed")
        assert "is off: set" in told["last_note"]


def test_prices_reach_their_matches(almanac, serve, replay):
    replay.put(ODDS, (200, {}, odds_answer()))
    server, before = serve(almanac, *flags(replay)), state_hash(almanac)
    began = time.time()
    result = run_task(server, "fetch_odds")
    assert (result["leagues"], result["events"], result["matched"], result["prices"]) == (1, 2, 2, 5)
    assert result["other_markets"] == 2 and result["unmatched_count"] == result["unknown_teams_count"] == 0
    rows = prices(almanac, "Arsenal")
    assert rows[("1x2", "PS")][:3] == (2.25, 3.5, 3.4) and rows[("ou25", "PS")][:3] == (2.0, 1.9, None)
    assert rows[("1x2", "WH")][:3] == (2.2, 3.4, 3.3) and ("1x2", "marathonbet") in rows
    assert rows[("1x2", "B365")][3] is None, "what the file brought keeps no time"
    assert all(began - 1 < row[3] / 1e6 < time.time() + 1 for key, row in rows.items() if key[1] != "B365")
    assert prices(almanac, "Brighton")[("1x2", "LB")][:3] == (1.9, 3.6, 4.2)
    assert state_hash(almanac) != before, "followers of the store must notice"
    _, query, headers, _ = replay.asked(ODDS)[0]
    assert query == {"regions": "eu,uk", "markets": "h2h,totals", "oddsFormat": "decimal", "dateFormat": "iso", "apiKey": KEY}
    assert "If-None-Match" not in headers
    assert len(replay.requests) == 1, "only leagues with matches to come are asked for"


def test_the_same_prices_again_change_the_time_only(almanac, serve, replay):
    replay.put(ODDS, (200, {}, odds_answer()), (200, {}, odds_answer()), (200, {}, odds_answer(2.31)))
    server = serve(almanac, *flags(replay))
    run_task(server, "fetch_odds")
    first, state = prices(almanac, "Arsenal"), state_hash(almanac)
    run_task(server, "fetch_odds")
    second = prices(almanac, "Arsenal")
    assert second[("1x2", "PS")][:3] == first[("1x2", "PS")][:3] and second[("1x2", "PS")][3] > first[("1x2", "PS")][3]
    assert state_hash(almanac) == state, "nothing that decides features has changed"
    run_task(server, "fetch_odds")
    assert prices(almanac, "Arsenal")[("1x2", "PS")][0] == 2.31 and state_hash(almanac) != state


def test_not_modified(almanac, serve, replay):
    def answer(headers):
        if headers.get("If-None-Match") == '"v1"':
            return 304, {"ETag": '"v1"'}, b""
        return 200, {"ETag": '"v1"', "Last-Modified": "Fri, 01 May 2026 10:00:00 GMT"}, json.dumps(odds_answer()).encode()

    replay.put(ODDS, answer)
    server = serve(almanac, *flags(replay))
    run_task(server, "fetch_odds")
    captured = prices(almanac, "Arsenal")
    result = run_task(server, "fetch_odds")
    assert (result["unchanged"], result["leagues"], result["prices"]) == (1, 0, 0) and "outcome" not in result
    assert replay.requests[1][2]["If-Modified-Since"] == "Fri, 01 May 2026 10:00:00 GMT"
    assert prices(almanac, "Arsenal") == captured, "a time is never made up"
    run_task(server, "fetch_odds", regions="uk")  # another question: no validators
    assert "If-None-Match" not in replay.requests[2][2]


def test_unknown_teams_and_matches_are_dropped_and_told(almanac, serve, replay):
    strange, reverse = ("Hamchester Rovers", "Chelsea"), ("Chelsea", "Arsenal")
    began = ("Liverpool", "Everton")
    answer = odds_answer() + [event(*strange, 3, ("pinnacle", [h2h(*strange, 2.0, 3.0, 4.0)])),
                              event(*reverse, 3, ("pinnacle", [h2h(*reverse, 2.0, 3.0, 4.0)])),
                              event(*began, 0, ("pinnacle", [h2h(*began, 9.0, 3.0, 1.3)]), hours=-1)]
    replay.put(ODDS, (200, {"ETag": '"v1"'}, answer))
    server = serve(almanac, *flags(replay))
    teams = almanac.one("SELECT count(*) FROM team")
    matches = almanac.one("SELECT count(*) FROM match")
    result = run_task(server, "fetch_odds")
    assert result["matched"] == 2 and result["started"] == 1
    assert result["unknown_teams"] == [{"league": "E0", "name": "Hamchester Rovers"}]
    assert [row["name"] for row in result["unmatched"]] == ["Hamchester Rovers - Chelsea", "Chelsea - Arsenal"]
    assert result["unmatched_count"] == 2
    assert almanac.one("SELECT count(*) FROM team") == teams and almanac.one("SELECT count(*) FROM match") == matches
    run_task(server, "fetch_odds")
    assert "If-None-Match" not in replay.requests[1][2], "what was dropped is asked for again"


def test_too_many_requests(almanac, serve, replay):
    replay.put(ODDS, (429, {"Retry-After": "2"}, {"message": "slow down"}), (200, {}, odds_answer()),
               (429, {"Retry-After": "600"}, {"message": "slow down"}))
    server = serve(almanac, *flags(replay))
    result = run_task(server, "fetch_odds")
    assert result["outcome"] == "skipped" and "429" in result["note"] and "2 s" in result["note"]
    time.sleep(2.2)
    assert run_task(server, "fetch_odds")["matched"] == 2
    assert run_task(server, "fetch_odds")["outcome"] == "skipped"
    again = run_task(server, "fetch_odds")
    assert again["outcome"] == "skipped" and "asked to wait until" in again["note"] and again["requests"] == 0
    assert len(replay.requests) == 3


def test_the_quota_is_used_up(almanac, serve, replay):
    replay.put(ODDS, (401, {}, {"message": "Usage quota has been reached", "error_code": "OUT_OF_USAGE_CREDITS"}))
    server = serve(almanac, *flags(replay))
    assert "3600 s" in run_task(server, "fetch_odds")["note"]
    assert run_task(server, "fetch_odds")["requests"] == 0


def test_failures_that_pass(almanac, serve, replay):
    body = json.dumps(odds_answer()).encode()
    replay.put(ODDS, (500, {}, b"oops"), (200, {"Content-Length": str(len(body) + 50)}, body), (200, {}, odds_answer()))
    server = serve(almanac, *flags(replay))
    result = run_task(server, "fetch_odds")
    assert (result["requests"], result["repeated"], result["matched"]) == (3, 2, 2)


@pytest.mark.parametrize("answer, words", [
    ((500, {}, b"oops"), ("The Odds API", "500", "odds E0")),
    ((200, {}, json.dumps(odds_answer()).encode()[:-300]), ("The Odds API", "E0", "malformed JSON")),
    ((200, {}, b"<html>hello</html>"), ("The Odds API", "malformed JSON")),
    ((200, {}, {"message": "hello"}), ("The Odds API", "no array")),
    ((200, {}, odds_answer() + [{"id": "x"}]), ("event 3", "home_team")),
    ((401, {}, {"error_code": "INVALID_KEY"}), ("refuses", "401", "odds_api_key")),
    ((422, {}, {"message": "?"}), ("The Odds API", "422")),
    ((302, {"Location": "http://example.invalid/"}, b""), ("302",)),
], ids=["500", "cut", "html", "object", "shape", "key", "422", "redirect"])
def test_bad_answers_store_nothing(almanac, serve, replay, answer, words):
    replay.put(ODDS, answer)
    server, before, state = serve(almanac, *flags(replay)), prices(almanac, "Arsenal"), state_hash(almanac)
    told = run_task(server, "fetch_odds", state="failed")
    assert all(word in told for word in words), told
    assert prices(almanac, "Arsenal") == before and state_hash(almanac) == state
    assert almanac.one("SELECT count(*) FROM connector_answer") == 0
    assert len(replay.requests) == (4 if answer[0] == 500 else 1), "no hammering"


def test_no_answer_at_all(almanac, serve, replay):
    replay.close()
    server = serve(almanac, *flags(replay))
    told = run_task(server, "fetch_odds", state="failed")
    assert "The Odds API" in told and "no answer from 127.0.0.1" in told
    replay.server.server_close()


def test_keys_stay_secret(almanac, serve, replay):
    replay.put(ODDS, (500, {}, b"oops"), (401, {}, {"error_code": "INVALID_KEY"}))
    server = serve(almanac, *flags(replay))
    job = server.post("/api/jobs", {"task": "fetch_odds"}).json()["job_id"]
    server.wait_job(job)
    told = [server.get(f"/api/jobs/{job}").text, server.get(f"/api/jobs/{job}/logs/download").text, server.log(),
            server.get("/api/schedule").text, server.get("/metrics").text]
    server.stop()
    stored = b"".join(path.read_bytes() for path in almanac.data_dir.rglob("*") if path.is_file())
    assert KEY.encode() not in stored and not any(KEY in text for text in told)


def test_a_league_that_is_not_offered(almanac, serve, replay):
    server = serve(almanac, *flags(replay))
    result = run_task(server, "fetch_odds")  # the replay server answers 404
    assert (result["not_offered"], result["leagues"]) == (1, 0) and "outcome" not in result


def test_options_are_checked(almanac, serve):
    server = serve(almanac)
    assert_error(server.post("/api/jobs", {"task": "fetch_odds", "options": {"regions": "eu&x=1"}}), 400, field="regions")
    assert_error(server.post("/api/jobs", {"task": "standings", "options": {"league": "XX"}}), 400, field="league")


def test_stopping_ends_the_waiting(almanac, serve, replay):
    replay.put(ODDS, (500, {}, b"oops"))
    server = serve(almanac, *flags(replay), "--connector-retry-ms", "30000")
    job = server.post("/api/jobs", {"task": "fetch_odds"}).json()["job_id"]
    wait_for(lambda: replay.asked(ODDS), 10, "it has asked")
    server.post(f"/api/jobs/{job}/stop")
    assert server.wait_job(job)["job"]["state"] == "stopped"
    assert len(replay.asked(ODDS)) == 1, "it was not waited for"


# ---- football-data.org ----

TABLE, FIXTURES = "/v4/competitions/PL/standings", "/v4/matches"
NAMES = {"Arsenal": ("Arsenal FC", "Arsenal"), "Man United": ("Manchester United FC", "Man United"),
         "Brighton": ("Brighton & Hove Albion FC", "Brighton Hove"), "Wolves": ("Wolverhampton Wanderers FC", "Wolverhampton"),
         "Nott'm Forest": ("Nottingham Forest FC", "Nottingham"), "Chelsea": ("Chelsea FC", "Chelsea"),
         "Liverpool": ("Liverpool FC", "Liverpool"), "Everton": ("Everton FC", "Everton")}


def org_team(name):
    full, short = NAMES.get(name, (name, None))
    return {"id": abs(hash(name)) % 1000, "name": full, "shortName": short, "tla": name[:3].upper(), "crest": "https://x/1.png"}


def table_answer(names=TEAMS, stage="REGULAR_SEASON"):
    rows = [{"position": place, "team": org_team(name), "playedGames": 10, "form": "W,D,L", "won": 9 - place if place < 9 else 0,
             "draw": 1, "lost": place if place < 9 else 9, "points": 28 - 3 * place, "goalsFor": 30 - place,
             "goalsAgainst": 10 + place, "goalDifference": 20 - 2 * place} for place, name in enumerate(names, 1)]
    season = NOW.year if NOW.month >= 7 else NOW.year - 1
    return {"filters": {"season": str(season)}, "area": {"id": 2072, "name": "England"},
            "competition": {"id": 2021, "name": "Premier League", "code": "PL", "type": "LEAGUE"},
            "season": {"id": 1, "startDate": f"{season}-08-16", "endDate": f"{season + 1}-05-25", "currentMatchday": 10,
                       "winner": None},
            "standings": [{"stage": stage, "type": kind, "group": None, "table": rows if kind == "TOTAL" else []}
                          for kind in ("TOTAL", "HOME", "AWAY")]}


def org_match(number, home, away, moment, status="TIMED"):
    return {"area": {"name": "England"}, "competition": {"id": 2021, "code": "PL", "name": "Premier League"}, "id": number,
            "utcDate": iso(moment), "status": status, "matchday": 11, "stage": "REGULAR_SEASON", "group": None,
            "lastUpdated": iso(NOW), "homeTeam": org_team(home), "awayTeam": org_team(away),
            "score": {"winner": None, "duration": "REGULAR", "fullTime": {"home": None, "away": None}}}


def at(days, hour=15):
    return (NOW + datetime.timedelta(days=days)).replace(hour=hour, minute=0, second=0)


def scheduled(almanac):
    return {(home, away): (day, kickoff, known, source, state) for home, away, day, kickoff, known, source, state in almanac.rows(
        "SELECT h.name, a.name, m.day, m.kickoff_us, m.time_known, m.source_id, m.state FROM match m "
        "JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id WHERE m.state <> 1")}


def test_tables_and_fixtures(almanac, serve, replay):
    replay.put(TABLE, (200, {}, table_answer()))
    replay.put(FIXTURES, (200, {}, {"filters": {}, "resultSet": {"count": 4}, "matches": [
        org_match(1, "Arsenal", "Man United", at(3)), org_match(2, "Chelsea", "Wolves", at(5)),
        org_match(3, "Liverpool", "Everton", at(6, 0), "SCHEDULED"), org_match(4, "Everton", "Chelsea", at(20)),
        org_match(5, "Everton", "Arsenal", at(0) - datetime.timedelta(days=1), "FINISHED")]}))
    server, before = serve(almanac, *flags(replay)), state_hash(almanac)
    matches = almanac.one("SELECT count(*) FROM match")
    result = run_task(server, "standings")
    assert (result["leagues"], result["table_rows"], result["fixtures"], result["unknown_teams_count"]) == (1, 8, 3, 0)
    rows = scheduled(almanac)
    assert almanac.one("SELECT count(*) FROM match") == matches + 2
    assert rows[("Arsenal", "Man United")][2:] == (1, "football-data.org/1", 0)
    assert rows[("Arsenal", "Man United")][1] == int(at(3).timestamp() * 1e6)
    assert rows[("Chelsea", "Wolves")][1:] == (int(at(5).timestamp() * 1e6), 1, "football-data.org/2", 0)
    assert rows[("Liverpool", "Everton")][2] == 0, "only the day is fixed"
    assert state_hash(almanac) != before
    table = server.get("/api/standings", params={"league": "E0"}).json()
    assert [row["team"] for row in table["standings"]] == TEAMS and table["fetched_at"] is not None
    assert table["standings"][0]["points"] == 25 and table["season"] == (NOW.year if NOW.month >= 7 else NOW.year - 1)
    assert all(row["team_id"] for row in table["standings"])
    _, query, headers, _ = replay.asked(FIXTURES)[0]
    assert headers["X-Auth-Token"] == TOKEN and query["competitions"] == "PL"
    assert query["dateFrom"] in {moment.date().isoformat() for moment in (NOW, datetime.datetime.now(UTC))}
    run_task(server, "standings")
    assert scheduled(almanac) == rows and almanac.one("SELECT count(*) FROM standing") == 8
    # what was added can be priced and asked for like any other
    replay.put(ODDS, (200, {}, [event("Chelsea", "Wolverhampton Wanderers", 5,
                                      ("pinnacle", [h2h("Chelsea", "Wolverhampton Wanderers", 1.5, 4.2, 7.0)]))]))
    assert run_task(server, "fetch_odds")["matched"] == 1


def test_matches_that_move_and_are_called_off(almanac, serve, replay):
    replay.put(TABLE, (200, {}, table_answer()))
    first = [org_match(1, "Arsenal", "Man United", at(4)), org_match(2, "Chelsea", "Wolves", at(5)),
             org_match(3, "Liverpool", "Everton", at(6))]
    second = [org_match(2, "Chelsea", "Wolves", at(2, 20)), org_match(3, "Liverpool", "Everton", at(6), "POSTPONED"),
              org_match(9, "Wolves", "Everton", at(6), "CANCELLED")]
    replay.put(FIXTURES, (200, {}, {"matches": first}), (200, {}, {"matches": second}))
    server = serve(almanac, *flags(replay))
    files = almanac.one("SELECT count(*) FROM match WHERE file_id IS NOT NULL")
    run_task(server, "standings")
    moved = scheduled(almanac)
    assert moved[("Arsenal", "Man United")][3] == "football-data.org/1", "the stored match was moved, not doubled"
    assert len(moved) == 4
    assert almanac.one("SELECT count(*) FROM match WHERE file_id IS NOT NULL") == files, "it keeps where it came from"
    result = run_task(server, "standings")
    assert result["called_off"] == 2
    rows = scheduled(almanac)
    assert rows[("Chelsea", "Wolves")][1] == int(at(2, 20).timestamp() * 1e6) and len(rows) == 4
    assert rows[("Liverpool", "Everton")][4] == 2 and ("Wolves", "Everton") not in rows


def test_an_import_after_a_fetch_meets_the_fixture(almanac, serve, replay):
    replay.put(TABLE, (200, {}, table_answer()))
    replay.put(FIXTURES, (200, {}, {"matches": [org_match(2, "Chelsea", "Wolves", at(5))]}))
    server = serve(almanac, *flags(replay))
    run_task(server, "standings")
    add_scheduled(almanac, [("Chelsea", "Wolves", 5)])
    assert len([key for key in scheduled(almanac) if key == ("Chelsea", "Wolves")]) == 1
    assert almanac.one("SELECT count(*) FROM match WHERE source_id = 'football-data.org/2'") == 1


def test_unknown_names_are_never_made_teams(almanac, serve, replay):
    replay.put(TABLE, (200, {"ETag": '"t1"'}, table_answer(TEAMS[:3] + ["Hamchester Rovers"])))
    replay.put(FIXTURES, (200, {}, {"matches": [org_match(2, "Chelsea", "Hamchester Rovers", at(5)),
                                                {**org_match(3, "Chelsea", "Wolves", at(6)), "awayTeam": {"name": None}}]}))
    server = serve(almanac, *flags(replay))
    teams = almanac.one("SELECT count(*) FROM team")
    result = run_task(server, "standings")
    assert {row["name"] for row in result["unknown_teams"]} == {"Hamchester Rovers"} and result["unmatched_fixtures"] == 1
    assert result["undecided_fixtures"] == 1 and result["fixtures"] == 0
    assert almanac.one("SELECT count(*) FROM team") == teams
    last = server.get("/api/standings", params={"league": "E0"}).json()["standings"][-1]
    assert last["team"] == "Hamchester Rovers" and last["team_id"] is None
    run_task(server, "standings")
    assert "If-None-Match" not in replay.asked(TABLE)[1][2]


@pytest.mark.parametrize("table, fixtures, words", [
    ((200, {}, {"message": "?"}), (200, {}, {"matches": []}), ("table of E0", "football-data.org")),
    ((200, {}, table_answer()), (200, {}, {"matches": [{"id": 1}]}), ("fixtures", "match 1")),
    ((200, {}, table_answer()), (200, {}, b'{"matches": ['), ("fixtures", "malformed JSON")),
    ((200, {}, {**table_answer(), "competition": {"code": "BL1"}}), (200, {}, {"matches": []}), ("'BL1'", "'PL'")),
    ((403, {}, {"message": "restricted"}), (200, {}, {"matches": []}), ("none of 1 leagues", "football_data_org_token")),
    ((400, {}, {"message": "Your API token is invalid."}), (200, {}, {"matches": []}), ("400", "football_data_org_token")),
], ids=["object", "match", "cut", "other", "tier", "token"])
def test_bad_tables_store_nothing(almanac, serve, replay, table, fixtures, words):
    replay.put(TABLE, table)
    replay.put(FIXTURES, fixtures)
    server, before, state = serve(almanac, *flags(replay)), scheduled(almanac), state_hash(almanac)
    told = run_task(server, "standings", state="failed")
    assert all(word in told for word in words), told
    assert scheduled(almanac) == before and state_hash(almanac) == state
    assert almanac.one("SELECT count(*) FROM standing") == 0


def test_throttled_in_the_middle_keeps_what_came(almanac, serve, replay):
    replay.put(TABLE, (200, {}, table_answer()))
    replay.put(FIXTURES, (429, {"Retry-After": "120"}, {}))
    server = serve(almanac, *flags(replay))
    result = run_task(server, "standings")
    assert "outcome" not in result and "429" in result["note"] and result["table_rows"] == 8
    assert almanac.one("SELECT count(*) FROM standing") == 8
    assert run_task(server, "standings")["outcome"] == "skipped"


def test_the_pace_is_kept(almanac, serve, replay):
    replay.put(TABLE, (200, {}, table_answer()))
    replay.put(FIXTURES, (200, {}, {"matches": []}))
    server = serve(almanac, *flags(replay), "--football-data-org-per-minute", "60")
    began = time.monotonic()
    run_task(server, "standings")
    run_task(server, "standings", days=0)
    times = [request[3] - began for request in replay.requests]
    assert len(times) == 3 and all(time_s > 0.95 * index for index, time_s in enumerate(times)), times


def test_standings_route(almanac, serve):
    server = serve(almanac)
    assert_error(server.get("/api/standings"), 400, field="league")
    assert_error(server.get("/api/standings", params={"league": "XX"}), 404, field="league")
    assert server.get("/api/standings", params={"league": "E0"}).json() == {
        "league": "E0", "season": None, "fetched_at": None, "standings": []}


def test_settings_of_a_file_reach_the_worker(almanac, serve, replay):
    replay.put(ODDS, (200, {}, odds_answer()))
    (almanac.work_dir / "almanac.ini").write_text(f"odds_api_url = {replay.url}\nodds_api_key = {KEY}\n", encoding="utf-8")
    server = serve(almanac)
    job = server.post("/api/schedule/fetch_odds/run").json()["job"]
    assert server.wait_job(job["id"])["result"]["matched"] == 2
