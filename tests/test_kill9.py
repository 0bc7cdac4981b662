"""kill -9 of the server and of its children at random instants, under load: no accepted job is lost, none is run twice, no
process is left behind, the store is whole.

The short form (12 kills) is part of the suite; the long form:

    ALMANAC_KILLS=200 build/venv-tests/bin/python -m pytest -s tests/test_kill9.py

ALMANAC_KILL_SEED chooses other instants. What counts as run is what the server has kept: each completed run has a name, and
the server writes it down for its job when it keeps the result (task `selftest`). A job with two names was run twice; the
same name twice is one run whose keeping was interrupted. The clients send each order under a key until it is answered, as
one who must not lose an order does: so an order that was accepted without the answer getting through is not made twice."""
import collections
import os
import pathlib
import random
import signal
import sqlite3
import threading
import time

import requests
from conftest import Server, process_is_alive, wait_for

KILLS = int(os.environ.get("ALMANAC_KILLS", "12"))
SEED = int(os.environ.get("ALMANAC_KILL_SEED", "1"))
CLIENTS = 2
FLAGS = ("--parallel-jobs", "3", "--parallel-training", "1", "--job-retry-ms", "10", "--job-grace-ms", "500")


class Load:
    """Clients that send orders without pause, to whatever server there is."""

    def __init__(self):
        self.url, self.is_over, self.accepted, self.failures = None, threading.Event(), {}, []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CLIENTS)]

    def run(self, number):
        source, count = random.Random(SEED * 100 + number), 0
        while not self.is_over.is_set():
            count += 1
            key = f"client{number}-{count}"
            self.send(key, {"task": "selftest", "key": key, "max_attempts": 100, "priority": source.randint(-3, 3),
                            "queue": source.choice(("default", "default", "training")),
                            "options": {"steps": source.randint(1, 8), "step_ms": source.randint(0, 15), "mark": key}})
            time.sleep(source.uniform(0.02, 0.12))

    def send(self, key, order):
        while True:
            try:
                answer = requests.post(self.url + "/api/jobs", json=order, timeout=60)
            except requests.RequestException:
                if self.is_over.wait(0.02):
                    return  # never answered: it may be there, or not
                continue
            if answer.status_code != 202:
                self.failures.append((key, answer.status_code, answer.text))
            else:
                self.accepted[key] = answer.json()["job_id"]
            return


def workers_in(folder):
    """Pids of `almanac worker` that were started in this folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if b"worker" in (path / "cmdline").read_bytes().split(b"\0") and os.readlink(path / "cwd") == str(folder):
                found.append(int(path.name))
        except OSError:
            continue
    return [pid for pid in found if process_is_alive(pid)]


def kill_child(folder, source):
    pids = workers_in(folder)
    if not pids:
        return False
    try:
        os.kill(source.choice(pids), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def start(almanac, load):
    server = Server(almanac, *FLAGS)
    load.url = server.url
    return server


def run_load(almanac, load, source):
    """Kills, and how often which."""
    done = collections.Counter()
    server = start(almanac, load)
    for thread in load.threads:
        thread.start()
    try:
        while sum(done.values()) < KILLS:
            time.sleep(source.choice((0, 0.01, 0.05, 0.1, 0.3)) * source.random() + source.random() * 0.15)
            if source.random() < 0.5:
                server.kill()
                done["server"] += 1
                wait_for(lambda: not workers_in(almanac.work_dir), 10, "workers end with their server")
                server = start(almanac, load)
            elif kill_child(almanac.work_dir, source):
                done["child"] += 1
        return server, done
    except BaseException:
        server.kill()
        raise
    finally:
        load.is_over.set()
        for thread in load.threads:
            thread.join()


def resume_given_up(server):
    """A job whose server died too often while it ran has failed, since it could be the cause; here it is not."""
    for job in server.get("/api/jobs?state=failed&limit=100").json()["jobs"]:
        if "the server ended" in job["error"]:
            server.post(f"/api/jobs/{job['id']}/resume")


def is_idle(server):
    counts = server.get("/api/jobs?limit=1").json()["counts"]
    return counts["queued"] + counts["running"] + counts["stopping"] == 0


def runs_by_mark(almanac):
    """{mark: names of its completed runs}; a line that a kill cut short would show as a name of its own."""
    runs = collections.defaultdict(set)
    for line in (almanac.data_dir / "selftest" / "marks").read_text().splitlines():
        mark, run = line.split(" ")
        runs[mark].add(run)
    return runs


def check_rows(almanac, load):
    rows = {key: row for key, *row in almanac.rows("SELECT key, id, state, attempt, error FROM job")}
    bad = {key: row for key, row in rows.items() if row[1] != "succeeded"}
    assert not bad, bad
    assert {key: rows[key][0] for key in load.accepted} == load.accepted  # none is lost, and under the id that was told
    ended = dict(almanac.rows("SELECT job_id, count(*) FROM job_event WHERE to_state = 'succeeded' GROUP BY job_id"))
    assert all(ended[row[0]] == 1 for row in rows.values())
    started = dict(almanac.rows("SELECT job_id, count(*) FROM job_event WHERE to_state = 'running' AND from_state = 'queued' GROUP BY job_id"))
    assert all(started[row[0]] == row[2] for row in rows.values())
    return rows


def check_store(almanac):
    connection = sqlite3.connect(almanac.data_dir / "almanac.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    for name, queued, running in almanac.rows("SELECT name, queued, running FROM queue"):
        assert (queued, running) == (0, 0), name


def test_killed_at_any_instant(empty):
    source, load = random.Random(SEED), Load()
    server, kills = run_load(empty, load, source)
    try:
        for _ in range(2):
            wait_for(lambda: is_idle(server), 120, lambda: f"all jobs have ended: {server.get('/api/jobs?limit=1').text}")
            resume_given_up(server)
        assert not load.failures, load.failures[:3]
        rows = check_rows(empty, load)
        runs = runs_by_mark(empty)
        assert set(runs) == set(rows)
        twice = {mark: names for mark, names in runs.items() if len(names) != 1}
        assert not twice, twice
        wait_for(lambda: not list((empty.data_dir / "jobs").iterdir()), 5, "nothing is left to resume")
        assert not workers_in(empty.work_dir)
    finally:
        assert server.stop() == 0
    assert not workers_in(empty.work_dir)
    check_store(empty)
    taken_over = sum(log.read_text("utf-8", "replace").count("was completed under a dead server")
                     for log in empty.work_dir.glob("server-*.log"))
    repeated = sum(attempt > 1 for _, _, attempt, _ in rows.values())
    print(f"\n{kills['server']} kills of the server, {kills['child']} of children; {len(load.accepted)} jobs accepted, "
          f"{repeated} of them in more than one attempt, {taken_over} finished from the result that a dead server's worker left")
    assert len(load.accepted) >= KILLS
