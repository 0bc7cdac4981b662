"""Drift, live loss, alarms and retraining: the detectors against the papers, the pipeline on simulated leagues.

The long form of the two tests about simulated worlds is `python tests/retraining.py --seeds 60 --shift none|goals|home|strength`;
docs/retraining.md has what it measured."""
import datetime
import json
import math
import random
import shutil

import pytest

import retraining
from conftest import BINARY, Almanac, assert_error, wait_for

LIGHT = ["--samples", "60", "--runs", "300"]


# ---- the detectors, against implementations written from the papers ----

def page_hinkley(values, delta, threshold, warm=0):
    """Mouss et al. 2004, with everything kept."""
    total, sums, out = 0.0, [0.0], []
    for t, x in enumerate(values, 1):
        total += x
        if t <= warm:
            continue
        sums.append(sums[-1] + x - total / t - delta)
        statistic = sums[-1] - min(sums)
        out.append((statistic, statistic > threshold))
    return out


class Adwin2:
    """Bifet & Gavalda 2007: buckets are lists of the values themselves, every moment is computed from them."""

    def __init__(self, delta, most=5, least=5):
        self.delta, self.most, self.least, self.buckets = delta, most, least, []  # oldest first

    def fill(self, x):
        self.buckets.append([x])
        size = 1
        while sum(len(b) == size for b in self.buckets) > self.most:
            i = next(i for i, b in enumerate(self.buckets) if len(b) == size)
            self.buckets[i:i + 2] = [self.buckets[i] + self.buckets[i + 1]]
            size *= 2

    def values(self):
        return [x for b in self.buckets for x in b]

    def cut(self):
        """+1: some border is to be cut and the strongest is a rise; -1: a fall; 0: none."""
        window = self.values()
        n, strongest = len(window), (1.0, 0)
        mean = sum(window) / n
        variance = sum((x - mean) ** 2 for x in window) / n
        border = 0
        for bucket in self.buckets[:-1]:
            border += len(bucket)
            if border < self.least or n - border < self.least:
                continue
            old, new = sum(window[:border]) / border, sum(window[border:]) / (n - border)
            r = 1 / border + 1 / (n - border)
            log = math.log(2 * math.log(n) / self.delta)
            epsilon = math.sqrt(2 * variance * log * r) + 2 * log * r / 3
            if abs(new - old) > epsilon:
                strongest = max(strongest, (abs(new - old) / epsilon, 1 if new > old else -1))
        return strongest[1]

    def add(self, x):
        self.fill(x)
        first = 0
        while len(self.values()) >= 2 * self.least and (change := self.cut()):
            first = first or change
            self.buckets.pop(0)
        return {0: "none", 1: "rose", -1: "fell"}[first]


def streams():
    draw = random.Random(5)
    yield "steady", [draw.gauss(0.5, 0.2) for _ in range(400)]
    yield "rise", [draw.gauss(0.3, 0.1) for _ in range(200)] + [draw.gauss(0.8, 0.1) for _ in range(150)]
    yield "fall", [draw.gauss(0.8, 0.1) for _ in range(200)] + [draw.gauss(0.3, 0.1) for _ in range(150)]
    yield "bits", [float(draw.random() < (0.2 if i < 300 else 0.7)) for i in range(500)]
    yield "constant", [0.25] * 100
    yield "up and down", [draw.gauss(0.2 + 0.6 * (i // 120 % 2), 0.05) for i in range(600)]


@pytest.mark.parametrize("name,values", list(streams()))
def test_detectors_agree_with_the_papers(binary, tmp_path, name, values):
    path = tmp_path / "values.txt"
    path.write_text("\n".join(repr(value) for value in values) + "\n")
    almanac = Almanac(tmp_path / "data", tmp_path)
    ours = json.loads(almanac.run("drift", "detect", path, "--delta", "0.05", "--lambda", "8", "--adwin-delta", "0.01",
                                  "--warm", "20").stdout)
    assert [row["index"] for row in ours] == list(range(20, len(values)))
    theirs = page_hinkley(values, 0.05, 8, warm=20)
    for row, (statistic, is_alarm) in zip(ours, theirs, strict=True):
        assert row["page_hinkley"] == pytest.approx(statistic, abs=1e-9)
        assert row["page_hinkley_alarm"] == is_alarm
    reference = Adwin2(0.01)
    for value in values[:20]:
        reference.fill(value)
    changes = []
    for row, value in zip(ours, values[20:], strict=True):
        assert row["adwin"] == reference.add(value), row
        changes.append(row["adwin"])
        window = reference.values()
        assert row["adwin_width"] == len(window)
        assert row["adwin_mean"] == pytest.approx(sum(window) / len(window), abs=1e-9)
    if name in ("rise", "bits"):
        assert "rose" in changes and any(alarm for _, alarm in theirs)
    if name == "fall":
        assert "fell" in changes and "rose" not in changes and not any(alarm for _, alarm in theirs)
    if name in ("steady", "constant"):
        assert set(changes) == {"none"}


def test_a_file_that_is_no_stream_is_refused(empty, tmp_path):
    path = tmp_path / "values.txt"
    path.write_text("1\n2\nthree\n")
    done = empty.run("drift", "detect", path, check=False)
    assert done.returncode != 0 and "line 3" in done.text
    assert "name a file" in empty.run("drift", "detect", check=False).text


# ---- simulated worlds ----

def make_world(folder, shift, seed, models=(("E0", "1x2"),)):
    almanac = Almanac(folder / "data", folder)
    retraining.world(BINARY, folder, seed, shift, models, seasons=6, trees=25)
    return almanac


@pytest.fixture(scope="module")
def shifted(binary, tmp_path_factory):
    """From 1 November 2024 on everybody scores more; the model in production has learned to June 2024."""
    return make_world(tmp_path_factory.mktemp("shifted"), "goals", 7)


@pytest.fixture(scope="module")
def steady(binary, tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("steady"), "none", 7)


def copied(almanac, folder):
    shutil.copytree(almanac.data_dir, folder / "data")
    return Almanac(folder / "data", folder)


def test_a_shift_leaves_the_past_as_it_was(binary, tmp_path):
    for shift in ("none", "goals", "home", "strength"):
        flags = [] if shift == "none" else ["--shift", shift, "--shift-at", "2024-11-01"]
        Almanac(tmp_path, tmp_path).run("simulate", "football", "--leagues", 1, "--seasons", 2, "--seed", 3, "--out",
                                        tmp_path / shift, *flags)
    truth = {shift: (tmp_path / shift / "true_probabilities.csv").read_text().splitlines()
             for shift in ("none", "goals", "home", "strength")}

    def before(lines):
        return [line for line in lines[1:] if datetime.date.fromisoformat(line.split(",")[1]) < datetime.date(2024, 11, 1)]

    for shift in ("goals", "home", "strength"):
        assert before(truth[shift]) == before(truth["none"]) and len(truth[shift]) == len(truth["none"])
        assert truth[shift] != truth["none"]
    after = {shift: [line.split(",") for line in lines[1:] if line.split(",")[1] >= "2024-11-01"]
             for shift, lines in truth.items()}
    mean = {shift: {"over": sum(float(row[7]) for row in rows) / len(rows),
                    "home": sum(float(row[4]) - float(row[6]) for row in rows) / len(rows)} for shift, rows in after.items()}
    assert mean["goals"]["over"] > mean["none"]["over"] + 0.15
    assert mean["home"]["home"] < 0 < mean["none"]["home"]
    assert "belong together" in Almanac(tmp_path, tmp_path).run("simulate", "football", "--out", tmp_path / "x", "--shift",
                                                                "home", check=False).text


def test_a_planted_shift_is_seen_within_the_stated_delay(shifted, tmp_path):
    """docs/retraining.md: more goals are seen within 100 days (the window of 100 matches is then full of them)."""
    shifted = copied(shifted, tmp_path)
    look = retraining.first_alarms(BINARY, ["--data-dir", shifted.data_dir], flags=LIGHT)["E0", "1x2"]
    assert look is not None and "2024-11-01" <= look["at"] < "2025-02-10", look and look["reason"]
    assert look["trigger"] in ("drift", "performance")
    points = shifted.one("SELECT count(*) FROM drift_check")
    assert points > 40  # the walk is the history


def test_a_steady_league_gives_no_alarm(steady, tmp_path):
    """One world is no rate: that is measured by the long form. But the same seed gives the same answer."""
    steady = copied(steady, tmp_path)
    look = retraining.first_alarms(BINARY, ["--data-dir", steady.data_dir], flags=LIGHT)["E0", "1x2"]
    assert look is None, look["reason"]
    limits = steady.rows("SELECT version, key, text FROM alarm_limits")
    assert len(limits) == 1
    kept = json.loads(limits[0][2])
    assert kept["false_alarm_rate"] == 0.05 and kept["runs"] == 300 and kept["drift"]["samples"] == 60
    assert kept["loss"]["lambda"] > 0 and 0 < kept["loss"]["adwin_delta"] <= 1 and 0 < kept["loss"]["score"] < 1


def test_calibration_is_deterministic(steady, tmp_path):
    flags = ["drift", "--at", "2025-01-01", "--samples", "50", "--runs", "100"]
    texts = []
    for name in ("a", "b"):
        almanac = copied(steady, tmp_path / name)
        almanac.run(*flags)
        texts.append(almanac.rows("SELECT key, text FROM alarm_limits"))
        again = almanac.json(*flags)
        assert again["limits"] == []  # kept: not calibrated twice
    assert texts[0] == texts[1]


# ---- the pipeline, in a server ----

def status_of(server, **query):
    answer = server.get("/api/ml-management/retraining/status", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def look(server, at, **options):
    job = server.post("/api/jobs", {"task": "performance", "options": {"at": at, "samples": 60, "runs": 300, **options}})
    assert job.status_code == 202, job.text
    done = server.wait_job(job.json()["job_id"])
    assert done["job"]["state"] == "succeeded", done["job"]
    return done["result"]


def finished_jobs(server, task):
    jobs = [job for job in server.get("/api/jobs").json()["jobs"] if job["task"] == task]
    return [job for job in jobs if job["state"] in ("succeeded", "failed", "stopped")]


def test_from_the_alarm_to_the_promotion(shifted, serve, tmp_path):
    """performance -> retrain -> train -> promoted or not, with the record of it."""
    almanac = copied(shifted, tmp_path)
    champion = almanac.one("SELECT version FROM version WHERE stage = 'Production'")
    server = serve(almanac)
    before = look(server, "2024-10-20")
    assert before["models"][0]["decision"] == "steady" and before["then"] == []
    assert status_of(server)["history"] == []
    seen = look(server, "2025-02-15")
    assert seen["models"][0]["decision"] == "retrain" and seen["models"][0]["trigger"] == "drift"
    assert len(seen["then"]) == 1 and seen["then"][0]["task"] == "retrain"
    jobs = wait_for(lambda: finished_jobs(server, "train"), 120, lambda: server.get("/api/jobs").text)
    assert jobs[0]["state"] == "succeeded", jobs
    status = status_of(server, details=1)
    assert [event["decision"] for event in status["history"]] == ["train"]
    event = status["history"][0]
    assert event["trigger"] == "drift" and event["version"] == champion and event["job_id"] == jobs[0]["id"]
    assert event["outcome"]["state"] == "succeeded" and event["outcome"]["version"] != champion
    assert event["outcome"]["promoted"] in (True, False) and len(event["outcome"]["reason"]) > 20
    details = event["details"]
    assert details["check"]["trigger"] == "drift" and details["check"]["share_drifted"] >= details["check"]["share_threshold"]
    walk = details["walk_forward"]
    assert walk["rows"] > 100 and 2 <= len(walk["windows"]) <= 4
    assert walk["brier"]["low"] <= walk["brier"]["value"] <= walk["brier"]["high"]
    assert sum(window["rows"] for window in walk["windows"]) == walk["rows"]
    trained = server.job(jobs[0]["id"])["request"]
    champion_options = json.loads(almanac.one("SELECT details FROM version WHERE version = ?", champion))["description"]["options"]
    for name in ("league", "target", "engine", "features", "pool", "folds", "seed", "parameters", "holdout"):
        assert trained[name] == champion_options[name]
    assert trained["to"].startswith("2025-02-15")
    # so soon after, nothing is asked for again
    if not event["outcome"]["promoted"]:
        assert look(server, "2025-02-15T12:00Z")["models"][0]["decision"] == "cooldown"


def test_stopped_it_watches_but_does_not_train(shifted, serve, tmp_path):
    server = serve(copied(shifted, tmp_path))
    assert server.post("/api/ml-management/retraining/stop", headers={"X-Almanac-Who": "a test"}).json()["is_running"] is False
    assert look(server, "2025-02-15")["models"][0]["decision"] == "off"
    job = server.post("/api/jobs", {"task": "retrain", "options": {"trigger": "drift", "at": "2025-02-15"}}).json()["job_id"]
    result = server.wait_job(job)["result"]
    assert result["outcome"] == "skipped" and result["models"][0]["decision"] == "off"
    server.stop()
    server = serve(Almanac(server.almanac.data_dir, tmp_path))  # it is kept
    assert status_of(server)["is_running"] is False
    assert server.post("/api/ml-management/retraining/start").json()["is_running"] is True
    answer = server.post("/api/ml-management/retraining/trigger", {"subject": "E0", "variant": "1x2", "bot": "lightgbm"})
    assert answer.status_code == 202, answer.text
    result = server.wait_job(answer.json()["job_id"])["result"]
    assert result["trigger"] == "manual" and result["models"][0]["decision"] == "train"


def test_every_night_but_not_twice_a_night(shifted, serve, tmp_path):
    """Jitter makes one night's run come less than 24 h after the one before."""
    server = serve(copied(shifted, tmp_path))
    decisions = []
    for at in ("2025-02-15T02:00:50Z", "2025-02-15T14:00:00Z", "2025-02-16T02:00:10Z"):
        job = server.post("/api/jobs", {"task": "retrain", "options": {"trigger": "schedule", "at": at, "least_new": 0}}).json()
        result = server.wait_job(job["job_id"])["result"]
        decisions.append(result["models"][0]["decision"])
    assert decisions[0] == "train" and decisions[1] == "cooldown" and decisions[2] != "cooldown", decisions


def test_nothing_new_is_not_trained_again(steady, serve, tmp_path):
    server = serve(copied(steady, tmp_path))
    for trigger, decision in (("schedule", "nothing_new"), ("stale", "fresh")):
        job = server.post("/api/jobs", {"task": "retrain", "options": {"trigger": trigger, "at": "2024-07-10"}}).json()
        result = server.wait_job(job["job_id"])["result"]
        assert [model["decision"] for model in result["models"]] == [decision], result
        assert result["outcome"] == "skipped" and result["then"] == []
    assert status_of(server)["history"] == []


def test_shapes_of_the_routes(shifted, serve, tmp_path):
    server = serve(copied(shifted, tmp_path))
    empty = server.get("/api/drift").json()
    assert empty["models"] == [] and empty["thresholds"]["drift_threshold"] == 0.15
    assert empty["thresholds"]["performance_threshold"] == 0.75 and empty["thresholds"]["false_alarm_rate"] == 0.05
    look(server, "2025-02-15", every=30)
    model, = server.get("/api/drift").json()["models"]
    assert {"subject", "variant", "bot", "version", "window", "features", "share_drifted", "live_loss", "performance",
            "decision", "at"} <= set(model)
    assert {"count", "mean", "reference", "page_hinkley", "page_hinkley_threshold", "adwin_cut",
            "is_alarm"} <= set(model["live_loss"])
    drifted = [feature for feature in model["features"] if feature["is_drifted"]]
    assert len(drifted) / len(model["features"]) == pytest.approx(model["share_drifted"])
    assert all(feature["threshold"] > 0 for feature in drifted)
    points = server.get("/api/drift/history", params={"subject": "E0", "variant": "1x2"}).json()["points"]
    assert len(points) >= 7 and [point["at"] for point in points] == sorted(point["at"] for point in points)
    assert server.get("/api/drift/history", params={"subject": "D1"}).json()["points"] == []
    assert_error(server.get("/api/drift/history", params={"limit": "x"}), 400, field="limit")
    version = model["version"]
    runs = server.get("/api/ml-management/mlflow/runs").json()["runs"]
    assert [run["run_id"] for run in runs] == [version] and runs[0]["metrics"]["log_loss"] > 0
    best = server.get("/api/ml-management/mlflow/best-run", params={"metric": "accuracy"}).json()
    assert best["metric"] == "accuracy" and best["run"]["run_id"] == version
    assert_error(server.get("/api/ml-management/mlflow/best-run", params={"metric": "luck"}), 400, field="metric")
    assert server.get("/api/ml-management/models").json()["models"][0]["version"] == version
    promote = f"/api/ml-management/models/E0-1x2-lightgbm/{version}/promote"
    assert server.post(promote + "?stage=Staging").json()["stage"] == "Staging"
    assert server.post(promote).json() == {"name": "E0-1x2-lightgbm", "version": version, "from_stage": "Staging",
                                           "stage": "Production"}
    assert_error(server.post(promote + "?stage=Attic"), 400, field="stage")
    assert_error(server.post(promote.replace("E0-", "E1-")), 404)
    assert_error(server.post("/api/ml-management/retraining/trigger", {"colour": 1}), 400)


# ---- forecasts that were told ----

HEAD = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR"



def test_thresholds_are_those_in_force(imported, serve):
    """What was set of the scheduled check is what the server and the command say."""
    server = serve(imported)
    assert server.get("/api/ml-management/retraining/status").json()["drift_threshold"] == 0.15
    answer = server.request("PUT", "/api/schedule/performance", json={"options": {"drift_threshold": 0.3, "cooldown_h": 48}})
    assert answer.status_code == 200, answer.text
    status = server.get("/api/ml-management/retraining/status").json()
    assert (status["drift_threshold"], status["cooldown_h"], status["performance_threshold"]) == (0.3, 48, 0.75)
    assert server.get("/api/drift").json()["thresholds"]["drift_threshold"] == 0.3
    shown = server.almanac.json("retraining", "status")
    assert (shown["drift_threshold"], shown["cooldown_h"]) == (0.3, 48)
    server.request("PUT", "/api/schedule/performance", json={"options": {}})
    assert server.get("/api/drift").json()["thresholds"]["drift_threshold"] == 0.15


def import_match(almanac, folder, name, day, home, away, score):
    goals = ["", "", ""] if score is None else [*map(str, score), "H" if score[0] > score[1] else "A" if score[0] < score[1] else "D"]
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.csv"
    path.write_text(HEAD + "\n" + ",".join(["E0", day.strftime("%d/%m/%Y"), "15:00", home, away, *goals]) + "\n")
    almanac.run("import", "football", path)


def test_what_was_told_is_judged(steady, serve, tmp_path):
    """A forecast of a match to come is kept once, settled when the result is there, and counts instead of a replay."""
    almanac = copied(steady, tmp_path)
    home, away = (row[0] for row in almanac.rows(
        "SELECT t.name FROM team t JOIN match m ON m.home_id = t.id WHERE m.league = 'E0' GROUP BY t.id "
        "ORDER BY max(m.day) DESC, t.name LIMIT 2"))
    day = datetime.date.today() + datetime.timedelta(days=3)
    import_match(almanac, tmp_path / "csv", "fixture", day, home, away, None)
    match_id = almanac.rows("SELECT id FROM match WHERE home_goals IS NULL ORDER BY id DESC LIMIT 1")
    assert match_id, "a fixture without a result is a match to come"
    server = serve(almanac)
    server.wait_ready()
    for _ in range(20):
        told = server.predict(match=str(match_id[0][0]))
    assert told["prediction"] is not None, told
    rows = wait_for(lambda: almanac.rows("SELECT version, match_id, source, p_1, p_2, p_3, settled_us FROM forecast "
                                         "WHERE source = 'served'"), 10, "the forecast is written")
    assert len(rows) == 1
    version, match, source, *p, settled = rows[0]
    assert (match, source, settled) == (match_id[0][0], "served", None) and version == told["model"]["version"]
    assert p == [told["prediction"][name] for name in ("home", "draw", "away")]
    played = almanac.one("SELECT id FROM match WHERE league = 'E0' AND state = 1 ORDER BY day DESC LIMIT 1")
    server.predict(match=str(played))  # a match already played is no forecast
    server.stop()
    import_match(almanac, tmp_path / "csv", "result", day, home, away, (2, 0))
    result = almanac.json("drift", "--at", (day + datetime.timedelta(days=1)).isoformat(), "--samples", "50", "--runs", "100")
    outcome, loss, source, settled = almanac.rows("SELECT outcome, loss, source, settled_us FROM forecast WHERE match_id = ?",
                                                  match)[0]
    assert outcome == 0 and loss == pytest.approx(-math.log(p[0])) and source == "served" and settled is not None
    assert result["models"][0]["live_loss"]["served"] == 1
    assert almanac.one("SELECT count(*) FROM forecast WHERE match_id = ?", played) == 0


def test_the_calibrate_task_says_why_not(steady, serve, tmp_path):
    almanac = copied(steady, tmp_path)
    assert almanac.one("SELECT count(*) FROM recalibration") == 0
    almanac.run("drift", "--at", "2025-05-01", "--days", "150", "--samples", "50", "--runs", "100")
    assert almanac.one("SELECT count(*) FROM forecast WHERE source = 'replayed' AND settled_us IS NOT NULL") > 60
    server = serve(almanac)

    def calibrate(**options):
        job = server.post("/api/jobs", {"task": "calibrate", "options": {"at": "2025-05-01", **options}}).json()["job_id"]
        return server.wait_job(job)["result"]

    too_few = calibrate()
    assert too_few["outcome"] == "skipped" and "20 are needed" in too_few["models"][0]["reason"]
    result = calibrate(window_h=3000)
    model = result["models"][0]
    assert result["outcome"] == "succeeded" and model["settled"] > 60 and "difference" in model["reason"]
    row = almanac.rows("SELECT version, matches, is_better, loss_before, loss_after FROM recalibration")
    assert row == [(model["version"], model["settled"], model["is_better"], model["loss_before"], model["loss_after"])]


def test_the_command_line(shifted, tmp_path):
    almanac = copied(shifted, tmp_path)
    assert "auto-retraining is on" in almanac.run("retraining", "status").stdout
    assert "auto-retraining is stopped" in almanac.run("retraining", "stop").stdout
    assert almanac.json("retraining", "status")["is_running"] is False
    almanac.run("retraining", "start")
    done = almanac.run("retraining", "trigger", "--subject", "E0", "--at", "2025-02-15", "--validate", "0")
    assert "1 of 1 models are trained again" in done.stdout and "version" in done.stdout
    history = almanac.json("retraining", "status")["history"]
    assert [event["decision"] for event in history] == ["train"] and history[0]["trigger"] == "manual"
    assert "no model is in production" in almanac.run("drift", "--subject", "D1").stdout
