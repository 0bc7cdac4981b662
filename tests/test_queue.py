"""The queue over HTTP: order, dependencies, keys, retries, limits, and its controls, each with who did it. The jobs are those of
the task `selftest`, which behaves as it is told."""
import json
import os
import signal
import time

import pytest
import requests
from conftest import PATIENCE, assert_error, process_is_alive, wait_for

ENDLESS = {"steps": 100000, "step_ms": 50}
STUBBORN = {**ENDLESS, "ignores_term": True}
FINAL = ("succeeded", "failed", "stopped")


@pytest.fixture
def server(empty, serve):
    return serve(empty, "--job-grace-ms", "400", "--job-retry-ms", "100")


def post(server, options=None, task="selftest", who=None, headers=None, **order):
    headers = dict(headers or {}, **({"X-Almanac-Who": who} if who else {}))
    return server.post("/api/jobs", {"task": task, "options": options or {}, **order}, headers=headers)


def submit(server, options=None, **order):
    answer = post(server, options, **order)
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def quick(server, **order):
    return submit(server, {"steps": 1, "step_ms": 1}, **order)


def state(server, job_id):
    return server.job(job_id)["job"]["state"]


def wait_state(server, job_id, *states):
    return server.wait_job(job_id, states)["job"]


def queue(server, name="default"):
    return next(one for one in server.get("/api/queues").json()["queues"] if one["name"] == name)


def control(server, action, name="default", who="test"):
    answer = server.post(f"/api/queues/{name}/{action}", headers={"X-Almanac-Who": who})
    assert answer.status_code == 200, answer.text
    return answer.json()


def act(server, job_id, action, body=None, who="test"):
    return server.post(f"/api/jobs/{job_id}/{action}", body, headers={"X-Almanac-Who": who})


def history(server, job_id):
    return [(event["from"], event["to"], event["who"]) for event in server.job(job_id)["events"]]


def blocked(server):
    """A job that holds the queue until it is stopped."""
    job_id = submit(server, ENDLESS)
    wait_state(server, job_id, "running")
    return job_id


# ---- order ----

def test_priorities_then_age(server):
    control(server, "pause")
    jobs = [quick(server, priority=priority) for priority in (0, -5, 100, 0, 7)]
    assert act(server, jobs[3], "priority", {"priority": 50}).json()["job"]["priority"] == 50
    control(server, "resume")
    for job in jobs:
        wait_state(server, job, "succeeded")
    started = sorted(jobs, key=lambda job: server.job(job)["job"]["started_at"])
    assert started == [jobs[2], jobs[3], jobs[4], jobs[0], jobs[1]]
    assert_error(act(server, jobs[0], "priority", {"priority": 1}), 409, "conflict")
    assert_error(act(server, jobs[0], "priority", {"priority": 101}), 400, "invalid", "priority")
    assert_error(act(server, 9999, "priority", {"priority": 1}), 404, "not_found")


def test_queues_do_not_wait_for_each_other(server):
    first, second = blocked(server), quick(server)
    training = quick(server, queue="training")
    wait_state(server, training, "succeeded")
    assert state(server, second) == "queued"
    assert server.job(training)["job"]["queue"] == "training"
    act(server, first, "force-stop")
    wait_state(server, second, "succeeded")


def test_parallelism_is_a_setting(empty, serve):
    server = serve(empty, "--parallel-jobs", "3")
    jobs = [submit(server, ENDLESS) for _ in range(4)]
    assert [state(server, job) for job in jobs] == ["running", "running", "running", "queued"]
    assert (queue(server)["running"], queue(server)["queued"], queue(server)["parallel"]) == (3, 1, 3)
    assert queue(server, "training")["parallel"] == 1
    control(server, "force-stop")


def test_not_before(server):
    def at(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    text, late = at(2.5), at(3600)
    job, never = quick(server, not_before=text), quick(server, not_before=late)
    assert server.job(job)["job"]["not_before"] == text
    other = quick(server)
    wait_state(server, other, "succeeded")  # they do not hold the queue
    wait_state(server, job, "succeeded")
    assert server.job(job)["job"]["started_at"] >= text[:-1]
    assert state(server, never) == "queued" and server.job(never)["job"]["not_before"] == late
    assert_error(post(server, not_before="tomorrow"), 400, "invalid", "not_before")


# ---- what belongs together ----

def test_dependencies(server):
    control(server, "pause")
    good, bad = submit(server, {"steps": 2}), submit(server, {"ending": "fail", "steps": 1})
    behind = quick(server, after=[good], priority=100)
    lost = quick(server, after=[good, bad])
    lost_too = quick(server, after=[lost])
    assert server.job(lost)["job"]["after"] == [good, bad]
    control(server, "resume")
    assert wait_state(server, behind, *FINAL)["state"] == "succeeded"
    assert server.job(behind)["job"]["started_at"] >= server.job(good)["job"]["ended_at"]
    assert f"job {bad}, which it waits for, has failed" in wait_state(server, lost, *FINAL)["error"]
    assert f"job {lost}, which it waits for, was stopped" in wait_state(server, lost_too, *FINAL)["error"]
    assert [server.job(job)["job"]["attempt"] for job in (lost, lost_too)] == [0, 0]
    assert state(server, quick(server, after=[bad])) == "stopped"
    assert_error(post(server, after=[99999]), 400, "invalid", "after")
    assert_error(post(server, after=list(range(1, 12))), 400, "invalid", "after")
    assert_error(post(server, after=["x"]), 400, "invalid", "after")


def test_what_follows(server):
    job = submit(server, {"steps": 1, "then": "selftest"})
    wait_state(server, job, "succeeded")
    jobs = server.get("/api/jobs").json()["jobs"]
    follower = next(one for one in jobs if one["after"] == [job])
    assert follower["label"] == "follows a selftest" and follower["who"] == f"job:{job}"
    wait_state(server, follower["id"], "succeeded")
    assert len(server.get("/api/jobs").json()["jobs"]) == 2


def test_keys(server):
    first = submit(server, {"steps": 1}, key="night")
    assert submit(server, {"steps": 1}, key="night") == first
    assert submit(server, {"steps": 1}, headers={"Idempotency-Key": "night"}) == first
    wait_state(server, first, "succeeded")
    assert submit(server, {"steps": 1}, key="night") == first  # also when it has ended
    assert_error(post(server, {"steps": 2}, key="night"), 409, "conflict", "key")
    assert_error(post(server, key="k" * 96), 400, "invalid", "key")
    assert server.get("/api/jobs").json()["counts"]["succeeded"] == 1


def test_bad_orders_make_no_job(server):
    assert_error(post(server, task="nothing"), 400, "invalid", "task")
    assert_error(post(server, {"no_such_option": 1}), 400, "invalid")
    assert_error(post(server, priority=1000), 400, "invalid", "priority")
    assert_error(post(server, queue="fast"), 400, "invalid", "queue")
    assert_error(post(server, max_attempts=0), 400, "invalid", "max_attempts")
    assert_error(post(server, unknown=1), 400, "invalid")
    assert_error(post(server, who="x" * 64), 400, "invalid", "X-Almanac-Who")
    assert_error(server.post("/api/jobs", {"options": {}}), 400, "invalid", "task")
    assert server.get("/api/jobs").json()["jobs"] == []


# ---- failures ----

def test_retries_with_back_off(server):
    job = submit(server, {"steps": 1, "step_ms": 1, "ending": "fail_busy", "bad_attempts": 2}, max_attempts=3)
    ended = wait_state(server, job, *FINAL)
    assert (ended["state"], ended["attempt"], ended["error"]) == ("succeeded", 3, None)
    found = server.job(job)
    starts = [event["at"] for event in found["events"] if event["to"] == "running"]
    again = [event for event in found["events"] if event["from"] == "running" and event["to"] == "queued"]
    assert len(starts) == 3 and len(again) == 2
    assert all("can be retried" in event["note"] for event in again)

    def seconds(text):
        return float(text[17:-1]) + 60 * float(text[14:16])
    pauses = [(seconds(begin) - seconds(event["at"])) % 3600 for event, begin in zip(again, starts[1:])]
    assert 0.1 <= pauses[0] < pauses[1] and pauses[1] >= 0.2, pauses


def test_attempts_run_out(server):
    job = submit(server, {"steps": 1, "step_ms": 1, "ending": "crash"}, max_attempts=2)
    ended = wait_state(server, job, *FINAL)
    assert (ended["state"], ended["attempt"]) == ("failed", 2)
    assert "SIGSEGV" in ended["error"]


def test_what_cannot_be_retried(server):
    job = submit(server, {"steps": 1, "step_ms": 1, "ending": "fail"}, max_attempts=5)
    ended = wait_state(server, job, *FINAL)
    assert (ended["state"], ended["attempt"]) == ("failed", 1)


def test_resume_after_failure(server):
    job = submit(server, {"steps": 1, "step_ms": 1, "ending": "fail", "bad_attempts": 1})
    wait_state(server, job, "failed")
    answer = act(server, job, "resume", who="ann")
    assert answer.status_code == 202
    assert wait_state(server, job, *FINAL)["state"] == "succeeded"
    assert ("failed", "queued", "ann") in history(server, job)
    assert_error(act(server, job, "resume"), 409, "conflict")


# ---- limits ----

def test_time_limits(empty, serve):
    server = serve(empty, "--job-time-s", "2", "--job-warn-s", "1", "--job-grace-ms", "300")
    job = submit(server, STUBBORN, max_attempts=3)
    pid = wait_state(server, job, "running")["pid"]
    ended = wait_state(server, job, *FINAL)
    assert (ended["state"], ended["attempt"], ended["warning"]) == ("failed", 1, True)
    assert "ran longer than 2 s" in ended["error"]
    assert not process_is_alive(pid)
    log = (empty.data_dir / "logs" / f"{job}.log").read_text()
    assert 0 < log.find("warning: it runs for") < log.find("ran longer than 2 s"), log


def test_memory_limit(empty, serve):
    server = serve(empty, "--job-memory-mb", "100")
    small = submit(server, {"memory_mb": 20, "steps": 25, "step_ms": 100})
    large = submit(server, {"memory_mb": 300, **ENDLESS}, max_attempts=3)
    assert wait_state(server, small, *FINAL)["state"] == "succeeded"
    ended = wait_state(server, large, *FINAL)
    assert (ended["state"], ended["attempt"]) == ("failed", 1)
    assert "more than 100 MB (job_memory_mb)" in ended["error"]


def test_processor_limit(empty, serve):
    server = serve(empty, "--job-cpu-s", "1")
    job = submit(server, {**ENDLESS, "spins": True}, max_attempts=3)
    ended = wait_state(server, job, *FINAL)
    assert (ended["state"], ended["attempt"]) == ("failed", 1)
    assert "job_cpu_s" in ended["error"]


# ---- progress ----

def test_progress_and_metrics(server):
    steps = 10000
    job = submit(server, {"steps": steps, "step_ms": 50, "epochs": steps})
    seen = wait_for(lambda: (row := server.job(job)["job"])["epoch"] >= 8 and row, 20, "some epochs")
    assert seen["phase"] == "selftest" and seen["total"] == steps and seen["epochs"] == steps
    assert 0 < seen["done"] < steps and seen["eta_s"] > 0
    assert seen["loss"] == pytest.approx(1 / (1 + seen["epoch"])) and seen["best_loss"] == seen["loss"]
    act(server, job, "force-stop")
    job = submit(server, {"steps": 40, "step_ms": 5, "epochs": 40})
    ended = wait_state(server, job, "succeeded")
    assert (ended["epoch"], ended["done"], ended["eta_s"]) == (40, 40, None)


# ---- controls ----

def test_pause_lets_the_running_one_finish(server):
    running = submit(server, {"steps": 30, "step_ms": 50})
    waiting = quick(server)
    pid = server.hold(running)
    paused = control(server, "pause", who="ann")
    assert paused["is_paused"] and paused["is_running"] and paused["current"] == running
    assert paused["paused_by"] == "ann" and paused["paused_at"]
    os.kill(pid, signal.SIGCONT)
    wait_state(server, running, "succeeded")
    time.sleep(0.5)
    assert state(server, waiting) == "queued"
    status = queue(server)
    assert not status["is_running"] and status["queued"] == 1 and status["completed"] == 1
    resumed = control(server, "resume", who="bob")
    assert not resumed["is_paused"] and resumed["paused_by"] is None
    wait_state(server, waiting, "succeeded")
    events = server.get("/api/queues/default/events").json()["events"]
    assert [(event["action"], event["who"]) for event in events] == [("resume", "bob"), ("pause", "ann")]


@pytest.mark.parametrize("killed", [False, True])
def test_pause_outlives_the_server(empty, serve, killed):
    server = serve(empty)
    control(server, "pause", who="ann")
    waiting = quick(server)
    if killed:
        server.kill()
    else:
        assert server.stop() == 0
    server = serve(empty)
    time.sleep(0.7)
    assert state(server, waiting) == "queued"
    assert queue(server)["is_paused"] and queue(server)["paused_by"] == "ann"
    control(server, "resume")
    wait_state(server, waiting, "succeeded")


def test_stop_finishes_the_running_one_and_clears_the_rest(server):
    running = submit(server, {"steps": 30, "step_ms": 50})
    pid = server.hold(running)
    waiting = [quick(server) for _ in range(3)]
    other = submit(server, {"steps": 20, "step_ms": 50}, queue="training")
    status = control(server, "stop", who="ann")
    assert (status["queued"], status["stopped"], status["is_stopping"]) == (0, 3, True)
    assert [state(server, job) for job in waiting] == ["stopped"] * 3
    assert state(server, running) == "running"
    os.kill(pid, signal.SIGCONT)
    assert wait_state(server, running, *FINAL)["state"] == "succeeded"
    assert not queue(server)["is_stopping"]
    assert wait_state(server, other, *FINAL)["state"] == "succeeded"
    assert history(server, waiting[0])[-1] == ("queued", "stopped", "ann")
    assert server.job(waiting[0])["job"]["error"] == "the queue was stopped"
    quick_again = quick(server)  # the queue is not held
    wait_state(server, quick_again, "succeeded")


def test_force_stop_of_one_that_ignores_term(empty, serve):
    server = serve(empty, "--job-grace-ms", "1500")
    running, waiting = submit(server, STUBBORN), quick(server)
    pid = wait_state(server, running, "running")["pid"]
    wait_for(lambda: server.job(running)["job"]["done"] >= 1, 10, "it is at work")
    begin = time.monotonic()
    status = control(server, "force-stop", who="ann")
    assert status["is_stopping"] and status["is_running"] and status["queued"] == 0
    was_alive = process_is_alive(pid)
    assert was_alive or time.monotonic() - begin > 1
    assert state(server, waiting) == "stopped"
    end = time.monotonic() + PATIENCE
    while (now := state(server, running)) != "stopped":
        assert now == "stopping" and time.monotonic() < end
        time.sleep(0.01)
    assert not process_is_alive(pid)  # it is called stopped when it is gone, not before
    assert time.monotonic() - begin > 1.4  # the grace, then KILL
    assert history(server, running)[-2:] == [("running", "stopping", "ann"), ("stopping", "stopped", "")]
    assert not queue(server)["is_stopping"]


def test_force_stop_of_a_job_twice_kills_at_once(empty, serve):
    server = serve(empty, "--job-grace-ms", "600000")
    job = submit(server, STUBBORN)
    wait_for(lambda: server.job(job)["job"]["done"] >= 1, 10, "it is at work")
    assert act(server, job, "stop").status_code == 202
    time.sleep(0.3)
    assert state(server, job) == "stopping"
    assert act(server, job, "force-stop").status_code == 202
    assert wait_state(server, job, *FINAL)["state"] == "stopped"
    assert_error(act(server, job, "force-stop"), 409, "conflict")


def test_a_stopped_job_goes_on_where_it_was(server, empty):
    job = submit(server, {"steps": 200, "step_ms": 20})
    wait_for(lambda: server.job(job)["job"]["done"] >= 10, 20, "some steps")
    act(server, job, "stop")
    wait_state(server, job, "stopped")
    assert (empty.data_dir / "jobs" / str(job)).is_dir()
    act(server, job, "resume", who="ann")
    assert wait_state(server, job, *FINAL)["state"] == "succeeded"
    found = server.job(job)
    assert found["job"]["attempt"] == 2 and found["result"]["attempts"] == 2
    assert "goes on behind step" in (empty.data_dir / "logs" / f"{job}.log").read_text()
    wait_for(lambda: not (empty.data_dir / "jobs" / str(job)).exists(), 5, "nothing is left to resume")
    assert ("stopped", "queued", "ann") in history(server, job)


def test_unknown_queue(server):
    for action in ("pause", "resume", "stop", "force-stop"):
        assert_error(server.post(f"/api/queues/fast/{action}"), 404, "not_found")
    assert_error(server.get("/api/queues/fast/events"), 404, "not_found")


def test_filters(server):
    done, failed = quick(server), submit(server, {"steps": 1, "ending": "fail"}, queue="training")
    wait_state(server, done, "succeeded")
    wait_state(server, failed, "failed")

    def ids(query):
        return [job["id"] for job in server.get("/api/jobs?" + query).json()["jobs"]]
    assert ids("state=succeeded") == [done]
    assert ids("queue=training") == [failed]
    assert ids("task=selftest") == [failed, done] and ids("task=train") == []
    assert ids("batch=none") == []
    assert_error(server.get("/api/jobs?state=lost"), 400, "invalid", "state")


def test_each_life_of_the_server_has_its_lease(server, empty, serve):
    """The row of a running job names the life that runs it; the next one takes the job over as its own."""
    job = blocked(server)
    lease = empty.one("SELECT lease FROM job WHERE id = ?", job)
    server.kill()
    server = serve(empty)
    assert wait_state(server, job, "running")["attempt"] == 2
    assert len(lease) == 20 and empty.one("SELECT lease FROM job WHERE id = ?", job) != lease
    control(server, "force-stop")


def test_a_job_that_ends_its_server_each_time_is_given_up(empty, serve):
    """Queued again five times, then it has failed and says why, and the jobs behind it run; resumed, it counts anew."""
    server = serve(empty)
    job = blocked(server)
    behind = quick(server)
    for life in range(1, 7):
        wait_state(server, job, "running")
        assert state(server, behind) == "queued"
        server.kill()
        server = serve(empty)
    row = wait_state(server, job, *FINAL)
    assert (row["state"], row["attempt"]) == ("failed", 6)
    assert "the server ended 6 times while the job ran" in row["error"]
    wait_state(server, behind, "succeeded")
    assert act(server, job, "resume").status_code == 202
    wait_state(server, job, "running")
    server.kill()
    server = serve(empty)
    wait_state(server, job, "running")
    control(server, "force-stop")


def test_memory_does_not_grow_with_history(server, empty):
    """1,200 jobs that were stopped before they ran: the server's memory after the first 600 is that after the last."""
    def resident():
        with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def round_of(count):
        control(server, "pause")
        session = requests.Session()
        for _ in range(count):
            session.post(server.url + "/api/jobs", data=json.dumps({"task": "selftest"}), timeout=PATIENCE).raise_for_status()
        assert control(server, "stop")["queued"] == 0
        return resident()
    round_of(300)
    before = round_of(300)
    after = round_of(600)
    assert after < before + 3_000_000, (before, after)
