"""The log of a job: every line with its time, from any place, searched, downloaded, followed in a terminal; kept when the
process that wrote it was killed."""
import datetime
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest
from conftest import ENVIRONMENT, assert_error, wait_for

TRAINING = {"parameters": "trees=40,leaves=7", "folds": 2}
ENDLESS = {"parameters": "trees=10000,leaves=31", "folds": 5}
NO_SERVER = "http://127.0.0.1:1"
LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (.*)$")


@pytest.fixture
def server(imported, serve):
    return serve(imported)


@pytest.fixture
def done(server, league):
    """A server with one training that has succeeded; its id."""
    job_id = train(server, league, TRAINING)
    assert server.wait_job(job_id)["job"]["state"] == "succeeded"
    return job_id


def train(server, league, options):
    answer = server.post("/train", {"league": league, **options})
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def page(server, job_id, **query):
    answer = server.get(f"/api/jobs/{job_id}/logs/lines", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def log_file(server, job_id):
    return (server.almanac.data_dir / "logs" / f"{job_id}.log").read_bytes()


def cli(server, *arguments, **options):
    return server.almanac.run("jobs", *arguments, "--server-url", server.url, **options)


# ---- over HTTP ----

def test_lines_are_the_file(server, done):
    raw = log_file(server, done)
    answer = page(server, done)
    assert answer["is_final"] and answer["size_bytes"] == answer["next_offset"] == len(raw)
    lines = answer["lines"]
    assert [f"{line['at']} {line['text']}" for line in lines] == raw.decode().splitlines()
    assert lines[0]["offset"] == 0
    for line, after in zip(lines, lines[1:]):
        assert line["next"] == after["offset"] and line["at"] <= after["at"]
    now = datetime.datetime.now(datetime.timezone.utc)
    at = datetime.datetime.fromisoformat(lines[-1]["at"].replace("Z", "+00:00"))
    assert abs((now - at).total_seconds()) < 600
    assert re.match(r"attempt 1 runs as process \d+", lines[0]["text"]) and lines[-1]["text"] == "succeeded"


def test_lines_from_any_place(server, done):
    lines = page(server, done)["lines"]
    for index in (0, 1, len(lines) // 2, len(lines) - 1):
        assert page(server, done, offset=lines[index]["offset"])["lines"] == lines[index:]
    # page by page gives the same
    offset, seen = 0, []
    while True:
        part = page(server, done, offset=offset, limit=3)
        seen += part["lines"]
        assert len(part["lines"]) <= 3
        if part["is_final"]:
            break
        offset = part["next_offset"]
    assert seen == lines
    # in the middle of a line: what is left of it
    middle = page(server, done, offset=lines[1]["offset"] + 40)["lines"]
    assert middle[0]["at"] is None and lines[1]["text"].endswith(middle[0]["text"]) and middle[1:] == lines[2:]
    assert page(server, done, tail=2)["lines"] == lines[-2:]
    assert page(server, done, tail=10000)["lines"] == lines
    assert page(server, done, tail=0)["lines"] == []
    assert page(server, done, offset=len(log_file(server, done)))["lines"] == []


def test_tail_of_the_stream(server, done):
    lines = page(server, done)["lines"]
    stream = server.get(f"/api/jobs/{done}/logs?tail=3", stream=True).content.decode()
    data = [part[6:] for part in stream.splitlines() if part.startswith("data: ")]
    assert data == [f"{line['at']} {line['text']}" for line in lines[-3:]] + ["succeeded"]


def test_search(server, done):
    lines = page(server, done)["lines"]

    def search(**query):
        answer = server.get(f"/api/jobs/{done}/logs/search", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    expected = [line for line in lines if "training" in line["text"].lower()]
    assert len(expected) > 3
    found = search(q="TrAiNiNg")
    assert found == {"lines": [{key: line[key] for key in ("offset", "at", "text")} for line in expected], "more": False}
    # the newest ones, then those before them
    newest = search(q="training", limit=2)
    assert newest["more"] and [line["text"] for line in newest["lines"]] == [line["text"] for line in expected[-2:]]
    older = search(q="training", limit=2, before=newest["lines"][0]["offset"])
    assert [line["offset"] for line in older["lines"]] == [line["offset"] for line in expected[-4:-2]]
    assert search(q="no such text anywhere") == {"lines": [], "more": False}
    assert search(q=lines[0]["at"][:10])["lines"] == [], "the time is not what was said"
    assert search(q="100%)")["lines"], "a text, not a pattern"


def test_download(server, done):
    answer = server.get(f"/api/jobs/{done}/logs/download")
    assert answer.status_code == 200 and answer.content == log_file(server, done)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="job-{done}.log"'


def test_refusals(server, done):
    logs = f"/api/jobs/{done}/logs"
    size = len(log_file(server, done))
    assert_error(server.get(f"{logs}/lines?offset={size + 1}"), 400, "invalid", "offset")
    assert_error(server.get(f"{logs}/lines?offset=-1"), 400, "invalid", "offset")
    assert_error(server.get(f"{logs}/lines?limit=0"), 400, "invalid", "limit")
    assert_error(server.get(f"{logs}/lines?tail=5&offset=5"), 400, "invalid", "tail")
    assert_error(server.get(f"{logs}?tail=x"), 400, "invalid", "tail")
    assert_error(server.get(f"{logs}?tail=1&offset=1"), 400, "invalid", "tail")
    assert_error(server.get(f"{logs}/search"), 400, "invalid", "q")
    assert_error(server.get(f"{logs}/search?q="), 400, "invalid", "q")
    assert_error(server.get(f"{logs}/search?q={'x' * 300}"), 400, "invalid", "q")
    assert_error(server.get(f"{logs}/search?q=x&limit=100000"), 400, "invalid", "limit")
    for path in ("/lines", "/search?q=x", "/download", ""):
        assert_error(server.get(f"/api/jobs/999/logs{path}"), 404, "not_found")
        assert_error(server.get(f"/api/jobs/x/logs{path}"), 400, "invalid", "id")


def test_queued_job_has_an_empty_log(server, league):
    running = train(server, league, ENDLESS)
    queued = train(server, league, TRAINING)
    assert page(server, queued) == {"lines": [], "next_offset": 0, "size_bytes": 0, "is_final": False}
    assert server.get(f"/api/jobs/{queued}/logs/download").content == b""
    assert server.get(f"/api/jobs/{queued}/logs/search?q=x").json() == {"lines": [], "more": False}
    for job_id in (queued, running):
        server.post(f"/api/jobs/{job_id}/stop")
    server.wait_job(running)


def test_what_a_killed_process_said_is_kept(server, league):
    job_id = train(server, league, ENDLESS)
    wait_for(lambda: any(line["text"].startswith("training: ") for line in page(server, job_id)["lines"]), 60, "it trains")
    pid = server.job(job_id)["job"]["pid"]
    os.kill(pid, signal.SIGKILL)
    job = server.wait_job(job_id)["job"]
    assert job["state"] == "failed" and "SIGKILL" in job["error"]
    answer = page(server, job_id)
    texts = [line["text"] for line in answer["lines"]]
    assert answer["is_final"] and any(text.startswith("training: ") for text in texts)
    assert texts[-1].startswith("failed: ") and "SIGKILL" in texts[-1]


def test_a_log_in_parts(server, done):
    """A long log is kept in parts, with its middle gone: every reader goes on at the next byte there is."""
    first = page(server, done)["lines"]
    folder = server.almanac.data_dir / "logs" / f"{done}.log.parts"
    folder.mkdir()
    part_bytes = 4 << 20
    late = [f"2026-03-01T12:00:00.{index:06}Z late {index}\n" for index in range(5000)]
    (folder / "00000009.part").write_text("".join(late[:2000]))
    (folder / "00000010.part").write_text("".join(late[2000:]))
    width = len(late[2500])
    whole = log_file(server, done).decode() + "".join(late)
    end = 10 * part_bytes + sum(map(len, late[2000:]))
    answer = page(server, done, limit=10000)
    assert answer["is_final"] and answer["size_bytes"] == answer["next_offset"] == end
    assert [f"{line['at']} {line['text']}\n" for line in answer["lines"]] == whole.splitlines(keepends=True)
    assert answer["lines"][len(first)]["offset"] == 9 * part_bytes
    assert page(server, done, offset=5 * part_bytes, limit=1)["lines"][0]["text"] == "late 0"
    assert page(server, done, offset=10 * part_bytes - 1, limit=1)["lines"][0]["text"] == "late 2000"
    assert [line["text"] for line in page(server, done, tail=3001)["lines"]][:2] == ["late 1999", "late 2000"]
    assert page(server, done, offset=10 * part_bytes + width, limit=1)["lines"][0]["text"] == "late 2001"
    assert server.get(f"/api/jobs/{done}/logs/download").text == whole
    found = server.get(f"/api/jobs/{done}/logs/search", params={"q": "LATE 1", "limit": 3, "before": 10 * part_bytes}).json()
    assert [line["text"] for line in found["lines"]] == ["late 1997", "late 1998", "late 1999"] and found["more"]
    stream = server.get(f"/api/jobs/{done}/logs?offset={first[-1]['offset']}", stream=True).content.decode()
    data = [part[6:] + "\n" for part in stream.splitlines() if part.startswith("data: ")]
    assert data == [f"{first[-1]['at']} {first[-1]['text']}\n", *late, "succeeded\n"]
    assert cli(server, "logs", done).stdout == whole
    assert server.almanac.run("jobs", "logs", done, "--server-url", NO_SERVER).stdout == whole


# ---- in a terminal ----

def test_logs_command(server, done):
    raw = log_file(server, done).decode()
    assert cli(server, "logs", done).stdout == raw
    assert cli(server, "logs", done, "--tail", "2").stdout.splitlines() == raw.splitlines()[-2:]
    assert cli(server, "logs", "-f", done).stdout == raw
    found = cli(server, "logs", done, "--search", "TRAINING").stdout.splitlines()
    assert found == [line for line in raw.splitlines() if "training" in LINE.match(line)[2].lower()]
    failed = cli(server, "logs", "77", check=False)
    assert failed.returncode == 3 and "no job 77" in failed.stderr
    assert cli(server, "logs", check=False).returncode == 2
    assert cli(server, "logs", "x", check=False).returncode == 2


def test_logs_without_a_server(server, done):
    raw = log_file(server, done).decode()
    server.stop()
    run = lambda *arguments, **options: server.almanac.run("jobs", *arguments, "--server-url", NO_SERVER, **options)
    assert run("logs", done).stdout == raw
    assert run("logs", "--tail", "2", done).stdout.splitlines() == raw.splitlines()[-2:]
    assert run("logs", "-f", done).stdout == raw
    assert run("logs", done, "--search", "succeeded").stdout.splitlines() == raw.splitlines()[-1:]
    assert run("logs", "9", check=False).returncode == 3
    job, = json.loads(run("list", "--json").stdout)["jobs"]
    assert job["id"] == done and job["state"] == "succeeded"
    assert f"{done}  succeeded" in run("list").stdout
    shown = json.loads(run("show", done, "--json").stdout)
    assert shown["job"] == job and shown["result"]["version"]
    assert [event["to"] for event in shown["events"]] == ["queued", "running", "succeeded"]
    refused = run("stop", done, check=False)
    assert refused.returncode == 11 and "no server answers at http://127.0.0.1:1" in refused.stderr


class Follower:
    """`almanac jobs logs -f`, and the moment each line came."""

    def __init__(self, server, job_id, *flags):
        self.process = subprocess.Popen(
            server.almanac.command("jobs", "logs", "-f", job_id, "--server-url", server.url, *flags),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=server.almanac.work_dir, env=ENVIRONMENT)
        self.lines, self.thread = [], threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        for line in iter(self.process.stdout.readline, b""):
            self.lines.append((line.decode().rstrip("\n"), time.time()))

    def wait(self, timeout=60):
        code = self.process.wait(timeout)
        self.thread.join(60)
        return code, self.process.stderr.read().decode()


def test_follow_live(server, league):
    job_id = train(server, league, {"parameters": "trees=150,leaves=7", "folds": 1})
    follower = Follower(server, job_id)
    code, _ = follower.wait()
    assert code == 0
    assert [text for text, _ in follower.lines] == log_file(server, job_id).decode().splitlines()
    late = []
    for text, moment in follower.lines:
        at = datetime.datetime.fromisoformat(LINE.match(text)[1].replace("Z", "+00:00")).timestamp()
        late.append(moment - at)
    late = sorted(late[len(late) // 2:])  # the first came before the follower did
    assert late[len(late) // 2] < 0.25, late  # 50 ms where nothing else is done: bench/README.md
    assert len(follower.lines) > 10


def test_follow_tells_how_it_ended(server, league):
    job_id = train(server, league, ENDLESS)
    follower = Follower(server, job_id)
    wait_for(lambda: len(follower.lines) > 3, 60, "lines come")
    assert cli(server, "stop", job_id).returncode == 0
    code, error = follower.wait()
    assert code == 12 and f"job {job_id} was stopped" in error
    assert follower.lines[-1][0].endswith("stopped")
    failing = train(server, "G1", TRAINING)
    code, error = Follower(server, failing).wait()
    assert code == 4 and f"job {failing} has failed" in error


def endure(server, **options):
    """A job that goes on with the next server; its lines are numbered by its steps."""
    answer = server.post("/api/jobs", {"task": "selftest", "max_attempts": 5, "options": {"prints": True, **options}})
    assert answer.status_code == 202, answer.text
    return answer.json()["job_id"]


def test_follow_across_servers(empty, serve):
    """Three servers that are killed, one after the other: the follower has each line of the log once."""
    server = serve(empty)
    job_id = endure(server, steps=1500, step_ms=5)
    whole, tail = Follower(server, job_id), Follower(server, job_id, "--tail", "1")
    for seen in (20, 200, 500):
        wait_for(lambda: len(whole.lines) > seen and len(tail.lines) > seen / 2, 60, "lines come")
        server.kill()
        time.sleep(0.5)
        server = serve(empty, "--port", server.port)
    assert server.wait_job(job_id)["job"]["state"] == "succeeded"
    log = log_file(server, job_id).decode().splitlines()
    code, error = whole.wait()
    assert code == 0 and error == 3 * "the server went away; looking for it for 60 s\n"
    assert [text for text, _ in whole.lines] == log and len(log) == len(set(log)) > 600
    code, _ = tail.wait()
    begin = log.index(tail.lines[0][0])
    assert code == 0 and [text for text, _ in tail.lines] == log[begin:]


def test_follow_of_a_job_that_waits(empty, serve):
    """Nothing was told yet when the server went; the outcome is the job's."""
    server = serve(empty)
    running, waiting = endure(server, steps=100000, step_ms=5), endure(server, steps=2, ending="fail")
    follower, newest = Follower(server, waiting), Follower(server, waiting, "--tail", "0")
    wait_for(lambda: server.job(running)["job"]["state"] == "running", 30, "the first one runs")
    time.sleep(0.5)  # the followers have found their server
    server.kill()
    server = serve(empty, "--port", server.port)
    assert cli(server, "stop", running).returncode == 0
    code, error = follower.wait()
    assert code == 4 and "the server went away" in error and f"job {waiting} has failed" in error
    assert [text for text, _ in follower.lines] == log_file(server, waiting).decode().splitlines() != []
    assert newest.wait()[0] == 4 and [text for text, _ in newest.lines] == [text for text, _ in follower.lines]


def test_follow_of_a_server_that_stays_away(empty, serve):
    server = serve(empty)
    job_id = endure(server, steps=10000, step_ms=5)
    patient, hasty = Follower(server, job_id, "--reconnect-s", "1"), Follower(server, job_id, "--reconnect-s", "0")
    wait_for(lambda: len(patient.lines) > 3 and len(hasty.lines) > 3, 60, "lines come")
    server.kill()
    code, error = hasty.wait()
    assert code == 8 and f"the server ended before the job did; job {job_id} goes on with the next one" in error
    code, error = patient.wait()
    assert code == 8 and f"did not come back within 1 s; job {job_id} goes on with the next one" in error
    told = [text for text, _ in patient.lines]
    assert told == log_file(server, job_id).decode().splitlines()[:len(told)], "each line once"


class Stranger(http.server.BaseHTTPRequestHandler):
    """Not a server of ours: a page, an error without our shape, half a stream."""

    def do_GET(self):
        if self.path.startswith("/api/jobs?"):
            self.answer(200, b"<html>hello</html>")
        elif self.path.startswith("/api/jobs/1/logs"):
            self.answer(200, b"event: log\ndata: half a log\n\n", "text/event-stream")
        elif self.path.startswith("/api/jobs/2/logs"):
            self.answer(200, b"event: log\ndata: no log at all\n\n")
        else:
            self.answer(500, b"<html>sorry</html>")

    def answer(self, code, body, kind="text/html"):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_other_servers(empty):
    stranger = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=stranger.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{stranger.server_port}/"
    try:
        page = empty.run("jobs", "list", "--server-url", url, check=False)
        assert page.returncode == 2 and "line 1" in page.stderr
        failed = empty.run("jobs", "show", "1", "--server-url", url, check=False)
        assert failed.returncode == 8 and "answers with status 500" in failed.stderr
        half = empty.run("jobs", "logs", "-f", "1", "--server-url", url, check=False)
        assert half.returncode == 8 and half.stdout == "half a log\n" and "job 1 goes on" in half.stderr
        other = empty.run("jobs", "logs", "-f", "2", "--server-url", url, check=False)
        assert other.returncode == 8 and other.stdout == "" and "answers with status 200" in other.stderr
    finally:
        stranger.shutdown()
        stranger.server_close()
    nothing = empty.run("jobs", "list", "--server-url", NO_SERVER, check=False)
    assert nothing.returncode != 0, "neither a server nor a store"
