"""Jobs: a long task started over HTTP is a process of its own that can be watched, stopped, and that no kill loses."""
import json
import os
import re
import signal
import time

import pytest
from conftest import Almanac, assert_error, process_is_alive, quickest, simulate, wait_for

TRAINING = {"parameters": "trees=25,leaves=7", "folds": 2}
ENDLESS = {"parameters": "trees=10000,leaves=31", "folds": 5}  # a minute or more: to be stopped
PROGRESS = re.compile(r"^building features: (\d+)/(\d+) \((\d+)%\)( eta (\d+s|\d+m\d\ds|\d+h\d\dm))?$")


@pytest.fixture
def server(imported, serve):
    """Imported, nothing built, nothing trained."""
    return serve(imported)


class Events:
    """A client of a job's log: server-sent events, parsed as they come."""

    def __init__(self, server, job_id, **options):
        self.response = server.get(f"/api/jobs/{job_id}/logs", stream=True, **options)
        assert self.response.status_code == 200
        assert self.response.headers["Content-Type"].startswith("text/event-stream")

    def __iter__(self):
        """(id, event, data, moment of arrival)"""
        event = {}
        for raw in self.response.iter_lines(chunk_size=1):
            line = raw.decode()
            if not line:
                if "data" in event:
                    yield event.get("id"), event.get("event"), event["data"], time.monotonic()
                event = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = event[name] + "\n" + value if name == "data" and "data" in event else value

    def read_all(self):
        events = list(self)
        self.response.close()
        return events


def text_of(line):
    """A log line without its time."""
    return re.sub(r"^\S*\d\d:\d\d:\d\d\S*\s+", "", line)


def log_of(server, job_id):
    events = Events(server, job_id).read_all()
    assert events[-1][1] == "end"
    return [text_of(data) for _, name, data, _ in events[:-1]], events[-1][2]


def submit(server, path, body):
    answer = server.post(path, body)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["job_id"] == job["job"]["id"] and job["pid"] == job["job"]["pid"]
    return job


# ---- a training from beginning to end ----

def test_training_job(server, league):
    job = submit(server, "/train", {"league": league, **TRAINING})
    assert job["pid"] > 1 and job["job"]["state"] == "running" and job["job"]["task"] == "train"
    done = server.wait_job(job["job_id"])
    row, result = done["job"], done["result"]
    assert row["state"] == "succeeded" and row["error"] is None, row
    assert row["created_at"] <= row["started_at"] <= row["ended_at"]
    assert done["request"]["league"] == league and done["request"]["folds"] == 2
    assert done["request"]["seed"] == 1, "what runs is what is kept: with its defaults"
    assert not process_is_alive(job["pid"])
    assert result["decision"]["promote"] is True
    assert 0.5 < result["description"]["holdout_metrics"]["log_loss"] < 1.2
    models = server.get("/model/current").json()["models"]
    assert [(m["league"], m["target"], m["version"]) for m in models] == [(league, "1x2", result["version"])]
    health = server.get("/health").json()
    assert health["models"] == 1
    lines, end = log_of(server, job["job_id"])
    assert end == "succeeded"
    progress = [PROGRESS.match(line) for line in lines if line.startswith("building features")]
    assert progress and all(progress), lines
    numbers = [(int(found[1]), int(found[2])) for found in progress]
    assert numbers[-1][0] == numbers[-1][1] == server.almanac.one("SELECT count(*) FROM match")
    assert numbers == sorted(numbers)
    assert all(int(found[3]) == 100 * int(found[1]) // int(found[2]) for found in progress)
    assert any("leak audit" in line for line in lines)
    assert any(re.match(r"feature matrix \w+ built: \d+ rows x \d+ features", line) for line in lines)
    log_file = server.almanac.data_dir / "logs" / f"{job['job_id']}.log"
    assert [text_of(line) for line in log_file.read_text().splitlines()] == lines


def test_second_run_opens_the_cached_matrix(server, league):
    first = submit(server, "/train", {"league": league, **TRAINING})
    server.wait_job(first["job_id"])
    matrices = {path.name: path.stat().st_mtime_ns for path in (server.almanac.data_dir / "matrix").glob("*.mat")}
    assert len(matrices) == 1
    second = submit(server, "/train", {"league": league, "target": "ou25", **TRAINING})
    assert server.wait_job(second["job_id"])["job"]["state"] == "succeeded"
    lines, _ = log_of(server, second["job_id"])
    assert any(re.match(r"feature matrix \w+ opened: ", line) for line in lines), lines
    assert not any(line.startswith("building features") for line in lines)
    assert {path.name: path.stat().st_mtime_ns for path in (server.almanac.data_dir / "matrix").glob("*.mat")} == matrices


def test_the_same_training_twice_gives_the_same_version(server, league):
    versions = {server.wait_job(submit(server, "/train", {"league": league, **TRAINING})["job_id"])["result"]["version"]
                for _ in range(2)}
    assert len(versions) == 1
    assert server.almanac.one("SELECT count(*) FROM version") == 1


def test_backtest_job(server, league):
    first, last = server.almanac.rows("SELECT min(season), max(season) FROM match")[0]
    job = submit(server, "/backtest", {"league": league, "from": f"{last}-07-01", "to": f"{last + 1}-06-30",
                                       "refit": "season", "features": "no_prices", **TRAINING})
    done = server.wait_job(job["job_id"])
    assert done["job"]["state"] == "succeeded", done["job"]
    result = done["result"]
    names = [forecast["name"] for forecast in result["total"]["forecasts"]]
    assert "lightgbm no prices" in names and "base_rate" in names and any(n.startswith("closing price") for n in names)
    assert result["total"]["rows"] == server.almanac.one("SELECT count(*) FROM match WHERE league = ? AND season = ?",
                                                         league, last)
    assert [season["season"] for season in result["seasons"]] == [last]
    model, = result["models"]
    assert model["trust_alarm"] is False
    assert {plan["staking"] for plan in model["betting"]["plans"]} >= {"flat"}
    assert os.path.exists(result["predictions"])


def test_failed_job_says_why(server):
    job = submit(server, "/train", {"league": "G1", **TRAINING})
    done = server.wait_job(job["job_id"])
    assert done["job"]["state"] == "failed" and "G1" in done["job"]["error"] and done["result"] is None
    assert log_of(server, job["job_id"])[1] == "failed"


def test_job_without_data(empty, serve):
    server = serve(empty)
    done = server.wait_job(submit(server, "/train", {"league": "E0"})["job_id"])
    assert done["job"]["state"] == "failed" and "import" in done["job"]["error"]


def test_engine_that_needs_no_matrix_columns(server, league):
    """Every engine of the table can be trained over HTTP."""
    for engine, features in (("elo_logit", "no_prices"), ("base_rate", "no_prices"), ("bookmaker", "with_prices")):
        job = submit(server, "/train", {"league": league, "engine": engine, "features": features})
        assert server.wait_job(job["job_id"])["job"]["state"] == "succeeded", engine


# ---- logs ----

def test_log_is_live(server, league):
    """Lines arrive while the job runs, not at its end; and within moments of being written."""
    job = submit(server, "/train", {"league": league, **ENDLESS})
    arrived = []
    for _, name, data, moment in Events(server, job["job_id"]):
        arrived.append(text_of(data))
        if data.endswith("stop") or any(line.startswith("training") and "/" in line for line in arrived[-1:]):
            break
    assert server.job(job["job_id"])["job"]["state"] == "running"
    assert any(line.startswith("building features") for line in arrived)
    server.post(f"/api/jobs/{job['job_id']}/stop")
    assert server.wait_job(job["job_id"])["job"]["state"] == "stopped"


def test_log_from_an_offset(server, league):
    """A client that reconnects gets what it has not seen: by Last-Event-ID, or by offset."""
    job_id = submit(server, "/train", {"league": league, **TRAINING})["job_id"]
    server.wait_job(job_id)
    events = Events(server, job_id).read_all()
    logs = [event for event in events if event[1] == "log"]
    assert len(logs) >= 4
    middle = len(logs) // 2
    for options in ({"headers": {"Last-Event-ID": logs[middle][0]}}, {"params": {"offset": logs[middle][0]}}):
        rest = Events(server, job_id, **options).read_all()
        assert [event[:3] for event in rest] == [event[:3] for event in events[middle + 1:]]
    end = Events(server, job_id, params={"offset": logs[-1][0]}).read_all()
    assert [event[1] for event in end] == ["end"]
    assert_error(server.get(f"/api/jobs/{job_id}/logs", params={"offset": 10**9}), 400, "invalid", "offset")
    assert_error(server.get(f"/api/jobs/{job_id}/logs", headers={"Last-Event-ID": "x"}), 400, "invalid")
    assert_error(server.get(f"/api/jobs/{job_id}/logs", params={"offset": -1}), 400, "invalid", "offset")


def test_many_followers_that_come_and_go(server, league):
    job_id = submit(server, "/train", {"league": league, **ENDLESS})["job_id"]
    followers = [Events(server, job_id, headers={"Connection": "close"}) for _ in range(10)]
    for follower in followers[::2]:
        follower.response.close()
    server.post(f"/api/jobs/{job_id}/stop")
    for follower in followers[1::2]:
        assert follower.read_all()[-1][1:3] == ("end", "stopped")
    wait_for(lambda: server.get("/health").json()["connections"] <= 2, 20, "followers are gone")


# ---- stop ----

def test_stop_really_ends_the_process(imported, serve, league):
    server = serve(imported, "--parallel-training", "4")
    # each is answered at once, although it works for a minute
    job = quickest(lambda: submit(server, "/train", {"league": league, **ENDLESS}), 1)
    for other in server.get("/api/jobs?state=running").json()["jobs"]:
        if other["id"] != job["job_id"]:
            server.post(f"/api/jobs/{other['id']}/stop")
    assert process_is_alive(job["pid"])
    wait_for(lambda: (server.job(job["job_id"])["job"]["phase"] or "").startswith("training"), 60, "training began")
    answer = server.post(f"/api/jobs/{job['job_id']}/stop")
    assert answer.status_code == 202 and answer.json()["job"]["state"] in ("stopping", "stopped")
    done = server.wait_job(job["job_id"], timeout=20)
    assert done["job"]["state"] == "stopped"
    assert not process_is_alive(job["pid"]), "it is called stopped when it is gone"
    assert server.get("/model/current").json() == {"models": []}
    assert not list((server.almanac.data_dir / "models").rglob("*.model"))
    assert_error(server.post(f"/api/jobs/{job['job_id']}/stop"), 409, "conflict")


def test_stop_of_a_process_that_does_not_listen(imported, serve, league):
    """SIGSTOP: it cannot hear SIGTERM; after the grace it is killed."""
    server = serve(imported, "--job-grace-ms", "300")
    job = submit(server, "/train", {"league": league, **ENDLESS})
    os.kill(job["pid"], signal.SIGSTOP)
    server.post(f"/api/jobs/{job['job_id']}/stop")
    assert server.wait_job(job["job_id"], timeout=20)["job"]["state"] == "stopped"
    assert not process_is_alive(job["pid"])


def test_stop_of_a_waiting_job(server, league):
    running = submit(server, "/train", {"league": league, **ENDLESS})
    waiting = submit(server, "/train", {"league": league, **TRAINING})
    assert waiting["pid"] is None and waiting["job"]["state"] == "queued"
    server.post(f"/api/jobs/{waiting['job_id']}/stop")
    assert server.job(waiting["job_id"])["job"]["state"] == "stopped"
    server.post(f"/api/jobs/{running['job_id']}/stop")
    assert server.wait_job(running["job_id"])["job"]["state"] == "stopped"
    assert server.job(waiting["job_id"])["job"]["started_at"] is None


def test_killed_child_is_a_failed_job(server, league):
    job = submit(server, "/train", {"league": league, **ENDLESS})
    os.kill(job["pid"], signal.SIGKILL)
    done = server.wait_job(job["job_id"], timeout=20)
    assert done["job"]["state"] == "failed" and done["job"]["error"]
    after = submit(server, "/train", {"league": league, **TRAINING})
    assert server.wait_job(after["job_id"])["job"]["state"] == "succeeded"


# ---- queue and list ----

def test_jobs_run_one_after_the_other_in_order(server, league):
    ids = [submit(server, "/train", {"league": league, **TRAINING, "seed": seed})["job_id"] for seed in (1, 2, 3)]
    jobs = [server.wait_job(job_id)["job"] for job_id in ids]
    assert [job["state"] for job in jobs] == ["succeeded"] * 3
    assert jobs[0]["ended_at"] <= jobs[1]["started_at"] <= jobs[1]["ended_at"] <= jobs[2]["started_at"]


def test_parallel_jobs(imported, serve, league):
    server = serve(imported, "--parallel-training", "2")
    jobs = [submit(server, "/train", {"league": league, **ENDLESS, "seed": seed}) for seed in (1, 2, 3)]
    assert [job["job"]["state"] for job in jobs] == ["running", "running", "queued"]
    for job in reversed(jobs):
        server.post(f"/api/jobs/{job['job_id']}/stop")
    assert {server.wait_job(job["job_id"])["job"]["state"] for job in jobs} == {"stopped"}


def test_list_and_paging(server):
    ids = [submit(server, "/train", {"league": "G1"})["job_id"] for _ in range(7)]
    for job_id in ids:
        server.wait_job(job_id)

    def page(**parameters):
        return [job["id"] for job in server.get("/api/jobs", params=parameters).json()["jobs"]]

    assert page() == ids[::-1]
    assert page(limit=3) == ids[:3:-1]
    assert page(limit=3, before=ids[4]) == [ids[3], ids[2], ids[1]]
    assert page(before=ids[0]) == []
    keys = {"id", "task", "label", "queue", "state", "pid", "priority", "attempt", "max_attempts", "key", "who", "batch", "after",
            "created_at", "not_before", "started_at", "ended_at", "phase", "done", "total", "eta_s", "epoch", "epochs", "loss",
            "best_loss", "warning", "error"}
    assert all(set(job) == keys for job in server.get("/api/jobs").json()["jobs"])


# ---- the server dies ----

def test_job_survives_a_kill_of_the_server(imported, serve, league):
    """kill -9: the child ends with it, the job is run again by the next server, once."""
    server = serve(imported)
    running = submit(server, "/train", {"league": league, **ENDLESS})
    waiting = submit(server, "/train", {"league": league, "target": "ou25", **TRAINING})
    wait_for(lambda: server.job(running["job_id"])["job"]["phase"], 20, "the job works")
    server.kill()
    wait_for(lambda: not process_is_alive(running["pid"]), 10, "the child died with its server")
    again = serve(imported)
    job = wait_for(lambda: (row := again.job(running["job_id"])["job"])["state"] == "running" and row, 20, "it runs again")
    assert job["pid"] != running["pid"] and process_is_alive(job["pid"])
    again.post(f"/api/jobs/{running['job_id']}/stop")
    assert again.wait_job(running["job_id"])["job"]["state"] == "stopped"
    assert again.wait_job(waiting["job_id"])["job"]["state"] == "succeeded"
    assert imported.one("SELECT attempt FROM job WHERE id = ?", running["job_id"]) == 2
    assert imported.one("SELECT attempt FROM job WHERE id = ?", waiting["job_id"]) == 1
    assert imported.one("SELECT count(*) FROM version") == 1


def test_two_servers_do_not_share_jobs(imported, serve, league):
    """The second says so and leaves the first one's job alone."""
    server = serve(imported)
    job = submit(server, "/train", {"league": league, **ENDLESS})
    second = imported.run("serve", "--port", "0", check=False)
    assert second.returncode == 10 and "another server" in second.text
    assert process_is_alive(job["pid"]) and server.job(job["job_id"])["job"]["state"] == "running"
    server.post(f"/api/jobs/{job['job_id']}/stop")
    assert server.wait_job(job["job_id"])["job"]["state"] == "stopped"


def test_graceful_stop_of_the_server_keeps_the_job(imported, serve, league):
    server = serve(imported)
    job = submit(server, "/train", {"league": league, **ENDLESS})
    wait_for(lambda: server.job(job["job_id"])["job"]["phase"], 20, "the job works")
    assert server.stop() == 0
    assert not process_is_alive(job["pid"])
    assert imported.one("SELECT state FROM job WHERE id = ?", job["job_id"]) == "queued"
    again = serve(imported)
    wait_for(lambda: again.job(job["job_id"])["job"]["state"] == "running", 20, "it runs again")
    again.post(f"/api/jobs/{job['job_id']}/stop")
    again.wait_job(job["job_id"])


def test_kills_at_any_moment_lose_no_job(imported, serve, league):
    """Accepted is kept: kill the server right after each answer."""
    ids = []
    for round_number in range(4):
        server = serve(imported)
        ids.append(submit(server, "/train", {"league": league, **TRAINING, "seed": round_number})["job_id"])
        time.sleep(0.15 * round_number)
        server.kill()
    server = serve(imported)
    states = [server.wait_job(job_id)["job"]["state"] for job_id in ids]
    assert states == ["succeeded"] * 4
    assert imported.one("SELECT count(*) FROM version") == 4
    assert imported.one("PRAGMA integrity_check") == "ok"


def test_fifty_thousand_matches(binary, serve, tmp_path):
    """Accepted at once, watched live, stopped; the second run opens what the first has built."""
    almanac = Almanac(tmp_path / "data", tmp_path)
    almanac.run("import", "football", simulate(tmp_path, 6, 22, 5))
    matches = almanac.one("SELECT count(*) FROM match")
    assert matches > 50000
    server = serve(almanac)
    job = submit(server, "/train", {"league": "E0", **ENDLESS})
    assert quickest(lambda: submit(server, "/train", {"league": "E0", **ENDLESS}), 1)["pid"] is None
    seen = []
    for _, _, data, _ in Events(server, job["job_id"]):
        seen.append(text_of(data))
        if seen[-1].startswith("training E0"):
            break
    assert server.job(job["job_id"])["job"]["state"] == "running"
    progress = [PROGRESS.match(line) for line in seen if line.startswith("building features")]
    assert progress and all(progress) and progress[-1][1] == progress[-1][2] == str(matches)
    server.post("/api/queues/training/force-stop")
    assert server.wait_job(job["job_id"])["job"]["state"] == "stopped"
    second = submit(server, "/train", {"league": "E0", "engine": "elo_logit"})
    assert server.wait_job(second["job_id"])["job"]["state"] == "succeeded"
    assert any("opened" in line for line in log_of(server, second["job_id"])[0])


def test_worker_by_hand(empty):
    """`almanac worker` belongs to the server: by hand it refuses."""
    done = empty.run("worker", check=False, input=json.dumps({"task": "train"}).encode())
    assert done.returncode == 2 and "server" in done.text
