"""The description of the API is complete, true, and what a fuzzer that follows it cannot break.

The long form of the fuzzer: ALMANAC_API_FUZZ=5000 pytest tests/test_openapi.py -k fuzzer -s
"""
import json
import os
import re

import api_fuzzer
import openapi_check
import pytest
import requests
from conftest import BINARY, Server, copy_of
from prometheus_client.parser import text_string_to_metric_families


@pytest.fixture(scope="session")
def description(binary):
    return openapi_check.description_of(BINARY)


# ---- the document ----

def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_server_serves_what_the_docs_say(shared_server, description):
    answer = shared_server.get("/openapi.json")
    assert answer.json() == description.document
    assert answer.headers["Content-Type"] == "application/json"
    etag = answer.headers["ETag"]
    again = shared_server.get("/openapi.json", headers={"If-None-Match": etag})
    assert again.status_code == 304 and again.content == b"" and again.headers["ETag"] == etag
    assert shared_server.get("/openapi.json", headers={"If-None-Match": '"other"'}).status_code == 200
    head = shared_server.request("HEAD", "/openapi.json")
    assert head.status_code == 200 and int(head.headers["Content-Length"]) == len(answer.content)


def test_it_is_complete(description):
    ids = []
    for path, method, operation in operations(description.document):
        name = f"{method.upper()} {path}"
        ids.append(operation["operationId"])
        assert len(operation["summary"]) > 10, name
        assert operation["tags"], name
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Error"}, name
        good = [status for status in operation["responses"] if status[0] in "123"]
        assert good, f"{name}: no answer is described"
        named = re.findall(r"{(\w+)}", path)
        described = [entry for entry in operation.get("parameters", []) if entry["in"] == "path"]
        assert sorted(named) == sorted(entry["name"] for entry in described), name
        assert all(entry["required"] is True for entry in described), name
        for status in good:
            _, answer = description.resolve([], operation["responses"][status])
            for kind, content in answer.get("content", {}).items():
                assert "schema" in content, f"{name}: {status} {kind} has no schema"
    assert len(ids) == len(set(ids))


def test_every_schema_compiles(description):
    for name in description.document["components"]["schemas"]:
        description.validator("components", "schemas", name)
    for path, method, operation in operations(description.document):
        for status, answer in operation["responses"].items():
            pointer, answer = description.resolve(["paths", path, method, "responses", status], answer)
            for kind in answer.get("content", {}):
                description.validator(*pointer, "content", kind, "schema")


def objects_without_end(document, schema, place, seen):
    """Places of answers where any member would pass although members are listed."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        if schema["$ref"] not in seen:
            seen.add(schema["$ref"])
            target = document
            for part in schema["$ref"][2:].split("/"):
                target = target[part]
            yield from objects_without_end(document, target, schema["$ref"], seen)
        return
    if "properties" in schema and schema.get("type") == "object":
        if "additionalProperties" not in schema and "unevaluatedProperties" not in schema:
            yield place
    for key in ("anyOf", "oneOf", "allOf"):
        for index, part in enumerate(schema.get(key, [])):
            yield from objects_without_end(document, part, f"{place}/{key}/{index}", seen)
    for name, part in schema.get("properties", {}).items():
        yield from objects_without_end(document, part, f"{place}/{name}", seen)
    for key in ("items", "additionalProperties"):
        yield from objects_without_end(document, schema.get(key), f"{place}/{key}", seen)


def test_answers_are_closed(description):
    """A member that is not described must not pass, or validation means little."""
    document, seen, open_places = description.document, set(), []
    for path, method, operation in operations(document):
        if path == "/openapi.json":
            continue
        for status, answer in operation["responses"].items():
            _, answer = description.resolve([], answer)
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            open_places += objects_without_end(document, schema, f"{method} {path} {status}", seen)
    assert not open_places, "\n".join(open_places)


# ---- the checker can fail ----

class FakeAnswer:
    def __init__(self, method, path, body, status, content, kind="application/json"):
        self.request = type("Request", (), {"method": method, "path_url": path, "body": body})
        self.status_code, self.content, self.headers = status, content, {"Content-Type": kind}


HEALTH = {"status": "ok", "uptime_s": 1.5, "models": 1, "features_ready": True, "features_current": True, "connections": 1}


@pytest.mark.parametrize("answer, what", [
    (FakeAnswer("GET", "/health", None, 200, json.dumps({**HEALTH, "models": -1})), "models"),
    (FakeAnswer("GET", "/health", None, 200, json.dumps({**HEALTH, "extra": 1})), "extra"),
    (FakeAnswer("GET", "/health", None, 200, json.dumps({"status": "ok"})), "required"),
    (FakeAnswer("GET", "/health", None, 200, json.dumps(HEALTH), "text/plain"), "text/plain"),
    (FakeAnswer("GET", "/health", None, 201, json.dumps(HEALTH)), "201"),
    (FakeAnswer("GET", "/health", None, 404, json.dumps({"error": "no"})), "error"),
    (FakeAnswer("GET", "/health?x=1", None, 200, json.dumps(HEALTH)), "not described"),
    (FakeAnswer("GET", "/nowhere", None, 200, "{}"), "no route"),
    (FakeAnswer("POST", "/train", b'{"folds": 21}', 202, "{}"), "JobAccepted|job"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_breach_is_found(description, answer, what):
    with pytest.raises(openapi_check.Breach, match=what):
        openapi_check.check_exchange(description, answer)


def test_an_accepted_body_must_fit(description):
    operation, _ = description.find("POST", "/train")
    openapi_check.check_request_body(operation, b'{"folds": 20, "league": null}', True)
    for body in (b'{"folds": 21}', b'{"folds": "3"}', b'{"fold": 3}', b'{"target": "x"}', b"[]", b""):
        with pytest.raises(openapi_check.Breach):
            openapi_check.check_request_body(operation, body, True)


def test_a_sound_exchange_passes(description):
    openapi_check.check_exchange(description, FakeAnswer("GET", "/health", None, 200, json.dumps(HEALTH)))
    openapi_check.check_exchange(description, FakeAnswer("HEAD", "/health", None, 200, b""))
    error = {"error": {"code": "not_found", "message": "nothing here", "field": None}}
    openapi_check.check_exchange(description, FakeAnswer("GET", "/nowhere", None, 404, json.dumps(error)))


# ---- metrics ----

def scrape(server):
    return {family.name: family for family in text_string_to_metric_families(server.get("/metrics").text)}


def value(families, name, **labels):
    family = families.get(name) or families[name.removesuffix("_total")]
    found = [sample.value for sample in family.samples
             if sample.name in (name, family.name) and labels.items() <= sample.labels.items()]
    assert len(found) == 1, (name, labels, family.samples)
    return found[0]


def test_metrics_say_what_happened(trained, serve, league):
    server = serve(trained)
    server.wait_ready()
    before = scrape(server)
    teams = [row[0] for row in trained.rows("SELECT DISTINCT t.name FROM match m JOIN team t ON t.id = m.home_id "
                                            "WHERE m.league = ? ORDER BY m.day DESC LIMIT 2", league)]
    for _ in range(3):
        server.predict(league=league, home=teams[0], away=teams[1])
    server.predict(league=league, home="Nobody", away=teams[1])
    job = server.wait_job(server.post("/api/features/materialize", {"view": "h2h"}).json()["job_id"])
    assert job["job"]["state"] == "succeeded"
    families = scrape(server)
    assert value(families, "almanac_predictions_total", outcome="answered") == 3
    assert value(families, "almanac_predictions_total", outcome="unknown_team") == 1
    answered = [sample.value for sample in families["almanac_model_predictions"].samples if sample.labels["subject"] == league]
    assert sum(answered) == 3
    assert value(families, "almanac_jobs_ended_total", task="materialize", state="succeeded") == 1
    assert value(families, "almanac_queue_jobs", queue="default", state="running") == 0
    assert value(families, "almanac_queue_paused", queue="training") == 0
    assert value(families, "almanac_http_requests_total", route="/predict", status="2xx") == 4
    assert value(families, "process_open_fds") > 5
    assert value(families, "process_max_fds") >= value(families, "process_open_fds")
    assert value(families, "process_cpu_seconds_total") >= value(before, "process_cpu_seconds_total") > 0
    assert value(families, "process_resident_memory_bytes") > 1 << 20
    assert abs(value(families, "process_start_time_seconds") - value(before, "process_start_time_seconds")) < 1
    assert "almanac_jobs_ended" not in before


def test_histograms_are_histograms(shared_server):
    shared_server.get("/health")
    families = scrape(shared_server)
    checked = 0
    for family in families.values():
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family.name
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            labels = {name: text for name, text in sample.labels.items() if name != "le"}
            series.setdefault(str(labels), {}).setdefault(sample.name.removeprefix(family.name), []).append(sample)
        for parts in series.values():
            bounds = [float(sample.labels["le"]) for sample in parts["_bucket"]]
            counts = [sample.value for sample in parts["_bucket"]]
            assert bounds == sorted(bounds) and bounds[-1] == float("inf")
            assert counts == sorted(counts) and counts[-1] == parts["_count"][0].value
            assert parts["_sum"][0].value >= 0
            checked += 1
    assert checked >= 1


def test_no_client_makes_labels(shared_server):
    for path in ("/nothing/at/all", '/api/jobs/77"\\x', "/api/models/versions/zz%0a"):
        shared_server.get(path)
    text = shared_server.get("/metrics").text
    assert "at/all" not in text and "77" not in re.findall(r'route="([^"]*)"', text) and "zz" not in text
    assert value(scrape(shared_server), "almanac_http_requests_total", route="none", status="4xx") >= 1


# ---- every member ----

VALUES = [None, True, 0, 7, -3, 2.5, 1e12, "", "x", "7", "x" * 5000, [], [None], ["x"], {}, {"x": 1}]


def bodies(description):
    """(method, path, members of its body, one body that fits)"""
    fitting = {"/predict": {"match": "no-such"}, "/api/jobs": {"task": "selftest"}, "/api/training/start-auto": {
        "symbols": ["E0"], "timeframes": ["1x2"], "bots": ["elo_logit"]}, "/api/jobs/{id}/priority": {"priority": 1},
               "/api/models/rollback": {"subject": "E0", "variant": "1x2", "bot": "lightgbm"},
               "/api/features/online/{view}": {"entities": [1]}, "/api/notifications/webhooks": {"url": "http://127.0.0.1:1/"},
               "/api/features/views/{view}/history": {"entities": [{"team": 1, "at": "2024-01-01"}]}}
    for path, method, operation in operations(description.document):
        if "requestBody" in operation:
            _, schema = description.resolve([], operation["requestBody"]["content"]["application/json"]["schema"])
            yield method, path, list(schema["properties"]), fitting.get(path, {})


def test_what_is_accepted_of_each_member_is_described(trained_once, tmp_path_factory, description):
    """Not by chance, as the fuzzer does: every member of every body with values of every kind."""
    server = Server(copy_of(trained_once, tmp_path_factory.mktemp("members")))
    names = {"version": server.get("/api/models").json()["models"][0]["version"], "view": "form", "name": "clean_up"}
    breaches, accepted = [], 0
    for method, path, members, fitting in bodies(description):
        hold_queues(server)
        names["id"] = server.session.post(server.url + "/api/jobs", json={"task": "selftest"}, timeout=60).json()["job_id"]
        url = server.url + re.sub(r"{(\w+)}", lambda found: str(names[found[1]]), path)
        for member in members:
            for value_ in VALUES:
                answer = server.session.request(method, url, json={**fitting, member: value_}, timeout=60)
                accepted += answer.status_code < 300
                try:
                    assert answer.status_code < 500
                    openapi_check.check_exchange(description, answer)
                except AssertionError as error:
                    breaches.append(f"{method} {path} {member}={value_!r:.50} answered {answer.status_code}: {error!s:.500}")
    server.end()
    assert not breaches, "\n".join(breaches)
    assert accepted > 200


# ---- the fuzzer ----

def known_values(almanac, server):
    """What exists, by the name of the parameter that may name it."""
    leagues = [row[0] for row in almanac.rows("SELECT DISTINCT league FROM match")]
    teams = [row[0] for row in almanac.rows("SELECT name FROM team ORDER BY id LIMIT 6")]
    ids = [row[0] for row in almanac.rows("SELECT id FROM team ORDER BY id LIMIT 3")]
    versions = [row[0] for row in almanac.rows("SELECT version FROM version")]
    jobs = [job["id"] for job in server.get("/api/jobs").json()["jobs"]]
    return {"league": leagues, "subject": leagues, "symbol": leagues, "symbols": leagues, "home": teams, "away": teams,
            "team": ids + ["England/" + teams[0]], "opponent": ids, "match": [1, 2], "view": ["form", "h2h", "odds"],
            "target": ["1x2"], "variant": ["1x2", "ou25"], "timeframe": ["1x2", "ou25"], "timeframes": ["1x2", "ou25"],
            "bot": ["lightgbm"], "bots": ["lightgbm", "elo_logit"], "bot_name": ["lightgbm"], "version": versions,
            "a": versions, "b": versions, "id": jobs, "features": ["form_points_5"],
            "name": ["default", "training", "retrain", "clean_up", "no_such"], "at": ["2024-01-01T00:00:00Z"],
            "task": ["statistics", "materialize"], "date": ["2030-01-01"], "cron": ["*/5 * * * *"],
            "time_zone": ["Europe/London", "UTC"], "stage": ["Staging", "Production"], "confirm": ["true"], "q": ["a"],
            "entities": [ids[0], "England/" + teams[0], {"team": ids[0], "at": "2024-01-01"}]}


def hold_queues(server):
    """Nobody waits for the jobs that the fuzzer starts."""
    for name in ("default", "training"):
        server.session.post(f"{server.url}/api/queues/{name}/pause", json={}, timeout=60)


def test_the_fuzzer_finds_nothing(trained_once, tmp_path_factory, description, capsys):
    count = int(os.environ.get("ALMANAC_API_FUZZ", "600"))
    seed = int(os.environ.get("ALMANAC_API_FUZZ_SEED", "1"))
    almanac = copy_of(trained_once, tmp_path_factory.mktemp("fuzzed"))
    server = Server(almanac)
    try:
        server.wait_ready()
        made = server.wait_job(server.post("/api/features/materialize", {}).json()["job_id"])
        assert made["job"]["state"] == "succeeded"
        hold_queues(server)
        fuzzer = api_fuzzer.Fuzzer(server, description, known_values(almanac, server), seed)
        fuzzer.run(count, 600 if count <= 600 else 3600, lambda: hold_queues(server))
        with capsys.disabled():
            if "ALMANAC_API_FUZZ" in os.environ:
                print("\n" + fuzzer.report())
        assert not fuzzer.failures, fuzzer.report()
        asked = {operation.name for operation in description.operations if "101" not in operation.responses}
        assert set(fuzzer.statuses) == asked, "every operation is asked, however busy the machine is"
        assert count <= 600 or fuzzer.requests >= count * 0.8
        assert server.process.poll() is None
        assert requests.get(server.url + "/health", timeout=60).status_code == 200
    finally:
        server.end()
