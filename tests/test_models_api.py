"""/api/models: lists, report, training history, comparison, download, actions; and clearing, which takes effect at once,
touches nothing else, and bears predictions and a training of the same model at the same time."""
import json
import sqlite3
import threading
import time

import pytest
from conftest import FAST, PATIENCE, assert_error, day_of, wait_for

COLOURS = {"active": "#26a69a", "stale": "#ffa726", "failed": "#ef5350", "archived": "#666"}
WHO = {"X-Almanac-Who": "a tester"}
QUICK = {"parameters": "trees=25,leaves=7", "folds": 2}


def teams_of(almanac, league, count=2):
    return [name for name, in almanac.rows(
        "SELECT DISTINCT t.name FROM match m JOIN team t ON t.id = m.home_id WHERE m.league = ? AND m.season = "
        "(SELECT max(season) FROM match WHERE league = ?) ORDER BY 1 LIMIT ?", league, league, count)]


def question(almanac, league, **more):
    home, away = teams_of(almanac, league)
    date = day_of(almanac.one("SELECT max(day) FROM match") + 7).isoformat()
    return {"league": league, "home": home, "away": away, "date": date, **more}


def execute(almanac, sql, *values):
    """Changes the store beside the server, as time or another program would."""
    connection = sqlite3.connect(almanac.data_dir / "almanac.db", timeout=60)
    try:
        connection.execute(sql, values)
        connection.commit()
    finally:
        connection.close()


def models(server, **query):
    answer = server.get("/api/models", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["models"]


def version_of(server, variant="1x2", bot="lightgbm"):
    return models(server, variant=variant, bot=bot, stage="Production")[0]["version"]


def files_of(almanac):
    return {path.stem: path for path in (almanac.data_dir / "models").rglob("*.model")}


def train(server, league, **options):
    body = {"league": league, **QUICK, **options}
    return server.post("/train", body).json()["job_id"]


def others(almanac):
    """What clearing must not touch."""
    return almanac.content(), almanac.rows("SELECT task, request, state FROM job ORDER BY id"), \
        sorted(path.name for path in (almanac.data_dir / "matrix").glob("*"))


# ---- looking ----

def test_list(shared_server, league):
    found = models(shared_server)
    assert {(m["subject"], m["variant"], m["bot"]) for m in found} == {
        (league, "1x2", "lightgbm"), (league, "ou25", "lightgbm"), (league, "1x2", "lightgbm_prices")}
    for model in found:
        assert (model["stage"], model["status"], model["status_colour"]) == ("Production", "active", "#26a69a")
        assert 0 <= model["age_h"] < 24 and model["duration_s"] > 0 and model["data_points"] > 1000
        assert model["period"]["from"] < model["period"]["to"] < model["holdout"]["from"] < model["holdout"]["to"]
        classes = 3 if model["variant"] == "1x2" else 2
        holdout = model["holdout"]
        assert abs(holdout["rmse"] - (holdout["brier"] / classes) ** 0.5) < 1e-12
        assert 0.2 < holdout["mae"] < 2 / classes
        assert model["engine"] == "lightgbm" and model["config"]["options"]["league"] == league
        assert model["config"]["engine_options"]["trees"] == 25
        assert model["size_bytes"] == files_of(shared_server.almanac)[model["version"]].stat().st_size
        assert model["error"] is None and model["cleared_at"] is None


def test_list_filters(shared_server, league):
    assert len(models(shared_server, variant="ou25")) == 1
    assert len(models(shared_server, bot="lightgbm")) == 2
    assert len(models(shared_server, subject=league, limit=2)) == 2
    assert len(models(shared_server, status="active")) == 3
    assert models(shared_server, status="stale") == models(shared_server, stage="Staging") == []
    assert models(shared_server, subject="nowhere") == []
    for bad in ({"status": "fresh"}, {"stage": "production"}, {"limit": 0}, {"limit": 1001}, {"cleared": "yes"},
                {"subject": "x" * 64}):
        assert_error(shared_server.get("/api/models", params=bad), 400, field=next(iter(bad)))


def test_report(shared_server):
    report = shared_server.get("/api/models/report").json()
    assert (report["total"], report["fresh"], report["stale"], report["failed"], report["archived"]) == (3, 3, 0, 0, 0)
    assert (report["unique_symbols"], report["unique_timeframes"], report["unique_bots"]) == (1, 2, 2)
    assert report["storage_bytes"] == sum(path.stat().st_size for path in files_of(shared_server.almanac).values())
    assert report["models"] == models(shared_server)
    assert len(shared_server.get("/api/models/report?limit=1").json()["models"]) == 1


def test_statuses_by_age_and_stage(trained, serve):
    """A day decides between active and stale; archived is neither."""
    now = time.time()
    for variant, bot, hours in (("1x2", "lightgbm", 23.9), ("ou25", "lightgbm", 24.1), ("1x2", "lightgbm_prices", 500)):
        execute(trained, "UPDATE version SET trained_us = ? WHERE variant = ? AND bot = ?",
                int((now - hours * 3600) * 1e6), variant, bot)
    server = serve(trained)
    old = version_of(server, "1x2", "lightgbm_prices")
    server.post(f"/api/models/versions/{old}/archive")
    found = {(m["variant"], m["bot"]): m for m in models(server)}
    assert {key: m["status"] for key, m in found.items()} == {
        ("1x2", "lightgbm"): "active", ("ou25", "lightgbm"): "stale", ("1x2", "lightgbm_prices"): "archived"}
    for model in found.values():
        assert model["status_colour"] == COLOURS[model["status"]]
    assert abs(found["ou25", "lightgbm"]["age_h"] - 24.1) < 0.1
    report = server.get("/api/models/report").json()
    assert (report["total"], report["fresh"], report["stale"], report["archived"]) == (3, 1, 1, 1)


def test_training_history_with_a_failure(trained, league, serve):
    server = serve(trained)
    bad = train(server, league, **{"from": "2090-01-01"})
    assert server.wait_job(bad)["job"]["state"] == "failed"
    good = train(server, league, engine="elo_logit", parameters="")
    result = server.wait_job(good)["result"]
    history = server.get("/api/models/training-history").json()["history"]
    assert len(history) == 5
    newest, failed = history[:2]
    assert (newest["version"], newest["job_id"], newest["status"]) == (result["version"], good, "active")
    assert (newest["symbol"], newest["timeframe"], newest["bot_name"]) == (league, "1x2", "elo_logit")
    assert newest["val_loss"] == result["description"]["holdout_metrics"]["log_loss"]
    assert newest["mae"] == result["mae"] and newest["rmse"] == result["rmse"] and newest["duration_s"] > 0
    assert newest["data_points"] == result["rows"] and newest["model_path"].endswith(f"{newest['version']}.model")
    assert (failed["status"], failed["job_id"], failed["version"]) == ("failed", bad, None)
    assert "matches to learn from" in failed["error"] and failed["bot_name"] == "lightgbm"
    assert failed["config"]["options"]["from"].startswith("2090-01-01") and failed["model_path"] is None
    assert [row["trained_at"] for row in history] == sorted((row["trained_at"] for row in history), reverse=True)
    only = server.get("/api/models/training-history", params={"status": "failed"}).json()["history"]
    assert only == [failed]
    # the model shows its failure until a training goes well
    shown = [m for m in models(server) if m["status"] == "failed"]
    assert [m["error"] for m in shown] == [failed["error"]] and shown[0]["status_colour"] == "#ef5350"
    assert server.get("/api/models/report").json()["failed"] == 1
    assert server.wait_job(train(server, league, seed=4))["job"]["state"] == "succeeded"
    assert not [m for m in models(server) if m["status"] == "failed"]
    assert len(server.get("/api/models/training-history", params={"status": "failed"}).json()["history"]) == 1


def test_one_version(shared_server):
    version = version_of(shared_server)
    answer = shared_server.get(f"/api/models/versions/{version[:8]}").json()
    assert answer["model"]["version"] == version and answer["details"]["version"] == version
    assert [move["to"] for move in answer["history"]] == ["Production", "None"]
    assert answer["decisions"][0]["promoted"] is True
    assert_error(shared_server.get("/api/models/versions/0123456789abcdef"), 404)
    assert_error(shared_server.get("/api/models/versions/abc"), 400)


def test_download(shared_server):
    version = version_of(shared_server)
    answer = shared_server.get(f"/api/models/versions/{version}/download")
    assert answer.status_code == 200 and answer.content == files_of(shared_server.almanac)[version].read_bytes()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "attachment" in answer.headers["Content-Disposition"] and f"{version}.model" in answer.headers["Content-Disposition"]
    assert_error(shared_server.get("/api/models/versions/0123456789abcdef/download"), 404)


def test_compare(trained, league, serve):
    server = serve(trained)
    first = version_of(server)
    result = server.wait_job(train(server, league, seed=5, parameters="trees=10,leaves=7"))["result"]
    answer = server.get("/api/models/compare", params={"a": first, "b": result["version"]}).json()
    assert answer["a"]["version"] == first and answer["b"]["version"] == result["version"]
    assert answer["same_window"] is True
    metrics = {m["name"]: m for m in answer["metrics"]}
    assert set(metrics) >= {"log_loss", "brier", "rps", "accuracy", "rmse", "mae", "ece"}
    for name, metric in metrics.items():
        assert abs(metric["difference"] - (metric["b"] - metric["a"])) < 1e-12
        better = None if metric["difference"] == 0 else "b" if (metric["difference"] < 0) == metric["lower_is_better"] else "a"
        assert metric["better"] == better, name
    assert metrics["brier"]["b"] == result["description"]["holdout_metrics"]["brier"]
    # match by match: the same holdout here, so the same difference, now with an interval
    paired = answer["paired"]
    assert paired["matches"] == result["description"]["holdout"]["rows"] and answer["paired_reason"] is None
    for name in ("brier", "log_loss"):
        assert abs(paired[name]["difference"] - metrics[name]["difference"]) < 1e-9
        assert paired[name]["low"] <= paired[name]["difference"] <= paired[name]["high"]
    assert (answer["decision"]["champion"], answer["decision"]["challenger"]) == (first, result["version"])
    assert abs(answer["decision"]["difference"] - paired["brier"]["difference"]) < 1e-9
    swapped = server.get("/api/models/compare", params={"a": result["version"], "b": first}).json()
    assert abs(swapped["paired"]["brier"]["difference"] + paired["brier"]["difference"]) < 1e-12
    differs = {(o["section"], o["name"]): (o["a"], o["b"]) for o in answer["options"]}
    assert differs[("options", "seed")] == (1, 5) and differs[("engine_options", "trees")] == (25, 10)
    # other matches: no difference is claimed
    totals = version_of(server, "ou25")
    other = server.get("/api/models/compare", params={"a": first, "b": totals}).json()
    assert other["same_window"] is False and other["paired"] is None and "different things" in other["paired_reason"]
    assert all(m["difference"] is None and m["better"] is None for m in other["metrics"])
    assert_error(server.get("/api/models/compare", params={"a": first}), 400, field="b")
    assert_error(server.get("/api/models/compare", params={"a": first, "b": "ffffffff"}), 404)
    # the terminal tells the same
    shown = trained.run("models", "compare", first, result["version"]).stdout
    assert "the same matches" in shown and "trees: 25 | 10" in shown and "neither learned from" in shown
    assert trained.json("models", "compare", first, result["version"])["paired"] == paired
    # a holdout of another length: no difference of figures, but the matches after what both learned from
    longer = server.wait_job(train(server, league, seed=6, holdout=0.4))["result"]
    uneven = server.get("/api/models/compare", params={"a": first, "b": longer["version"]}).json()
    assert uneven["same_window"] is False and uneven["paired"]["matches"] == paired["matches"]
    assert uneven["paired"]["from"] >= answer["a"]["period"]["to"]
    # what is cleared is still told of, but forecasts nothing
    server.request("DELETE", f"/api/models/versions/{first}")
    gone = server.get("/api/models/compare", params={"a": first, "b": longer["version"]}).json()
    assert gone["paired"] is None and "cleared" in gone["paired_reason"] and gone["metrics"]


# ---- actions ----

def test_promote_archive_rollback(trained, league, serve):
    server = serve(trained)
    first = version_of(server)
    second = server.wait_job(train(server, league, seed=5))["result"]["version"]
    answer = server.post(f"/api/models/versions/{second}/promote", {"why": "a try"}, headers=WHO).json()
    assert answer["model"]["stage"] == "Production" and version_of(server) == second
    assert server.get("/model/current", params={"target": "1x2", "bot": "lightgbm"}).json()["models"][0]["version"] == second
    move = server.get("/api/models/history", params={"limit": 1}).json()["history"][0]
    assert (move["version"], move["who"], move["why"], move["to"]) == (second, "a tester", "a try", "Production")
    assert server.post("/api/models/rollback", {"subject": league, "variant": "1x2", "bot": "lightgbm"}).json()[
        "model"]["version"] == first
    assert server.post(f"/api/models/versions/{second}/promote", {"stage": "Staging"}).json()["model"]["stage"] == "Staging"
    assert server.post(f"/api/models/versions/{first}/archive", headers=WHO).json()["model"]["status"] == "archived"
    assert not models(server, variant="1x2", bot="lightgbm", stage="Production")
    decisions = server.get("/api/models/decisions", params={"variant": "1x2", "bot": "lightgbm"}).json()["decisions"]
    assert {d["version"] for d in decisions} == {first, second}
    for body in ({"stage": "best"}, {"stage": 1}, {"why": "x" * 300}, {"unknown": 1}):
        assert_error(server.post(f"/api/models/versions/{first}/promote", body), 400, field=next(iter(body)))
    assert_error(server.post("/api/models/versions/ffffffff/promote"), 404)
    assert_error(server.post(f"/api/models/versions/{first}/archive", headers={"X-Almanac-Who": "x" * 80}), 400)
    assert_error(server.post("/api/models/rollback", {"subject": league}), 400, field="variant")


def test_retrain_with_the_same_settings(trained, league, serve):
    server = serve(trained)
    version = version_of(server, "1x2", "lightgbm_prices")
    answer = server.post(f"/api/models/versions/{version}/retrain", headers=WHO)
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert (job["queue"], job["who"], job["label"]) == ("training", "a tester", f"{league} 1x2 lightgbm_prices")
    done = server.wait_job(job["id"])
    assert done["request"]["features"] == "with_prices" and done["request"]["parameters"] == "trees=25,leaves=7"
    assert done["result"]["version"] == version  # same data, same settings: the same version
    model = server.get(f"/api/models/versions/{version}").json()["model"]
    assert model["job_id"] == job["id"]
    assert_error(server.post("/api/models/versions/ffffffff/retrain"), 404)


def test_retrain_stale(trained, serve):
    server = serve(trained)
    assert server.post("/api/models/retrain-stale").json() == {"jobs": [], "queued": 0}
    version = version_of(server, "ou25")
    execute(trained, "UPDATE version SET trained_us = trained_us - 90000000000 WHERE variant = 'ou25'")
    assert [m["version"] for m in models(server, status="stale")] == [version]
    answer = server.post("/api/models/retrain-stale", headers=WHO).json()
    assert answer["queued"] == 1 and answer["jobs"][0]["who"] == "a tester"
    again = server.post("/api/models/retrain-stale").json()
    assert again["queued"] == 0 and [job["id"] for job in again["jobs"]] == [answer["jobs"][0]["id"]]
    server.wait_job(answer["jobs"][0]["id"])
    assert models(server, status="stale") == []  # trained again: fresh


# ---- clearing ----

def test_clear_one_model(trained, league, serve):
    server = serve(trained)
    server.wait_ready()
    before, ask = others(trained), question(trained, league, bot="lightgbm")
    version, size = version_of(server), files_of(trained)[version_of(server)].stat().st_size
    assert server.predict(**ask)["prediction"] is not None
    answer = server.request("DELETE", f"/api/models/clear/{league}/1x2/lightgbm", headers=WHO)
    assert answer.json() == {"cleared": 1, "versions": [version], "freed_bytes": size}
    refused = server.predict(**ask)
    assert refused["prediction"] is None and "no model" in refused["reason"]
    assert server.predict(**{**ask, "target": "ou25"})["prediction"] is not None
    assert set(files_of(trained)) == {version_of(server, "ou25"), version_of(server, "1x2", "lightgbm_prices")}
    row, = models(server, variant="1x2", bot="lightgbm")
    assert (row["status"], row["stage"], row["path"], row["size_bytes"]) == ("archived", "Archived", None, 0)
    assert row["cleared_at"] is not None and models(server, variant="1x2", bot="lightgbm", cleared="false") == []
    move = server.get("/api/models/history", params={"limit": 1}).json()["history"][0]
    assert (move["to"], move["who"]) == ("Archived", "a tester") and "cleared" in move["why"]
    report = server.get("/api/models/report").json()
    assert (report["total"], report["cleared"]) == (2, 1)
    # what has no file is not promoted, downloaded, or fallen back to
    assert_error(server.post(f"/api/models/versions/{version}/promote"), 409)
    assert_error(server.get(f"/api/models/versions/{version}/download"), 404)
    assert_error(server.post("/api/models/rollback", {"subject": league, "variant": "1x2", "bot": "lightgbm"}), 404)
    # again: nothing left to do; a model that never was: a mistake
    assert server.request("DELETE", f"/api/models/clear/{league}/1x2/lightgbm").json()["cleared"] == 0
    assert_error(server.request("DELETE", f"/api/models/clear/{league}/1x2/nobody"), 404)
    assert_error(server.request("DELETE", "/api/models/clear/..%2F..%2Fetc/1x2/lightgbm"), 404)
    assert others(trained) == before
    # trained again, it is there again
    server.wait_job(train(server, league))
    assert server.predict(**ask)["model"]["version"] == version


def test_clear_variant_all_and_version(trained, league, serve):
    server = serve(trained)
    before = others(trained)
    totals = version_of(server, "ou25")
    assert server.request("DELETE", f"/api/models/versions/{totals[:6]}").json()["versions"] == [totals]
    assert_error(server.request("DELETE", "/api/models/versions/ffffffff"), 404)
    cleared = server.request("DELETE", f"/api/models/clear-all/{league}/1x2").json()
    assert cleared["cleared"] == 2 and files_of(trained) == {}
    assert_error(server.request("DELETE", f"/api/models/clear-all/{league}/5m"), 404)
    assert server.get("/model/current").json() == {"models": []}
    server.wait_job(train(server, league, seed=9))
    assert_error(server.request("DELETE", "/api/models/clear-all"), 400, field="confirm")
    assert_error(server.request("DELETE", "/api/models/clear-all?confirm=1"), 400, field="confirm")
    assert len(files_of(trained)) == 1
    assert server.request("DELETE", "/api/models/clear-all?confirm=true").json()["cleared"] == 1
    assert files_of(trained) == {} and server.get("/api/models/report").json()["total"] == 0
    assert others(trained)[0] == before[0] and others(trained)[2] == before[2]
    assert server.request("DELETE", "/api/models/clear-all?confirm=true").json() == {
        "cleared": 0, "versions": [], "freed_bytes": 0}


def test_clear_from_the_terminal(trained, league, serve):
    server = serve(trained)
    server.wait_ready()
    ask = question(trained, league, bot="lightgbm")
    for wrong in ([], ["--league", league], ["--all"], ["--all", "--confirm", "--league", league], ["ffffffff", "--league", league]):
        assert trained.run("models", "clear", *wrong, check=False).returncode == 2, wrong
    assert len(files_of(trained)) == 3
    assert trained.json("models", "clear", "--league", league, "--target", "1x2", "--bot", "lightgbm")["cleared"] == 1
    wait_for(lambda: server.predict(**ask)["prediction"] is None, 5, "the server has noticed")
    assert "cli:" in json.dumps(server.get("/api/models/history", params={"limit": 1}).json())
    assert "1 version" in trained.run("models", "clear", version_of(server, "ou25")).stdout
    assert "cleared 1 version," in trained.run("models", "clear", "--all", "--confirm").stdout
    report = trained.run("models", "report").stdout
    assert report.startswith("0 models")


def test_clear_while_predicting_and_training(trained, league, serve):
    """Load on /predict, a training of the same model, and clearing all the time: nothing breaks, no 5xx, and an answer
    given after a clearing has no prediction of what was cleared."""
    server = serve(trained)
    server.wait_ready()
    ask, stop, wrong, answered = question(trained, league, bot="lightgbm"), threading.Event(), [], [0, 0]

    def load():
        import requests
        with requests.Session() as session:
            session.trust_env = False
            while not stop.is_set():
                answer = session.post(server.url + "/predict", json=ask, timeout=PATIENCE)
                if answer.status_code != 200:
                    wrong.append(answer.text)
                    return
                body = answer.json()
                if body["prediction"] is None and not body["reason"]:
                    wrong.append(body)
                answered[body["prediction"] is not None] += 1

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        states = []
        for round_ in range(4):
            job = train(server, league, seed=round_ % 2)
            for _ in range(8):
                answer = server.request("DELETE", f"/api/models/clear/{league}/1x2/lightgbm")
                assert answer.status_code == 200, answer.text
                if server.predict(**ask)["prediction"] is not None:  # of a training that has ended in between, and of no other
                    assert models(server, variant="1x2", bot="lightgbm", stage="Production", cleared="false")
                time.sleep(0.05)
            states.append(server.wait_job(job)["job"])
        for state in states:  # a version that was cleared between its file and its record cannot be recorded
            assert state["state"] == "succeeded" or "cannot be recorded" in state["error"], state
    finally:
        stop.set()
        for thread in threads:
            thread.join(2 * PATIENCE)
    assert not wrong, wrong[:3]
    assert answered[0] > 20 and server.process.poll() is None
    server.request("DELETE", "/api/models/clear-all?confirm=true")
    assert server.predict(**ask)["prediction"] is None
    # rows and files agree: nothing that is not cleared lacks its file
    rows = trained.rows("SELECT version FROM version WHERE cleared_us IS NULL")
    assert {row[0] for row in rows} == set(files_of(trained)) == set()
    assert trained.run("doctor", check=False).returncode in (0, 1, 2, 3)


def test_clear_survives_a_kill(trained, league, serve):
    """The rows are committed before the answer: after a kill and a restart nothing cleared predicts."""
    server = serve(trained)
    server.request("DELETE", f"/api/models/clear/{league}/1x2/lightgbm")
    version, = (m["version"] for m in models(server, variant="1x2", bot="lightgbm"))
    server.kill()
    again = serve(trained)
    again.wait_ready()
    assert again.predict(**question(trained, league, bot="lightgbm"))["prediction"] is None
    assert models(again, variant="1x2", bot="lightgbm")[0]["version"] == version
    # the recipe is kept: it can be trained again from its record
    job = again.post(f"/api/models/versions/{version}/retrain").json()["job_id"]
    assert again.wait_job(job)["result"]["version"] == version
    assert again.predict(**question(trained, league, bot="lightgbm"))["prediction"] is not None


def test_events_of_models(trained, league, serve):
    """Followers of the topic hear of what happens."""
    server = serve(trained)
    version = version_of(server)
    seen = []

    def follow():
        answer = server.session.get(server.url + "/api/events", params={"topics": "models"}, stream=True, timeout=PATIENCE)
        for line in answer.iter_lines(decode_unicode=True):
            if line.startswith("data:"):
                seen.append(json.loads(line[5:]))
                if len(seen) >= 3:  # the subscription, the archiving, the clearing
                    return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    wait_for(lambda: seen, 10, "the subscription")
    import requests
    requests.post(f"{server.url}/api/models/versions/{version}/archive", timeout=PATIENCE)
    requests.delete(f"{server.url}/api/models/versions/{version}", timeout=PATIENCE)
    thread.join(PATIENCE)
    text = json.dumps(seen)
    assert '"archived"' in text and '"cleared"' in text and version in text
