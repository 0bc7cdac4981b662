"""Fixtures of the black-box tests: the binary, simulated data, a store that was imported and trained once and is copied
for each test, and servers on free ports.

Nothing here knows the program's inside: what the tests see is its commands, its HTTP answers and its files. Every
process that a test starts is ended by its own pid. The binary is ALMANAC_BINARY, else build/almanac.
"""
import csv
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import openapi_check
import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("ALMANAC_BINARY") or ROOT / "build" / "almanac").resolve()
# what the caller has set for himself must not reach the program under test
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ALMANAC_")}
ENVIRONMENT["OMP_NUM_THREADS"] = "2"
ENVIRONMENT["ALMANAC_SCHEDULE"] = "false"  # no job that a test did not ask for; --schedule where it does
FAST = ["--parameters", "trees=25,leaves=7", "--folds", "2"]  # a training in a second
# Seconds that a machine may stand still, or be busy with other things. Whoever waits for what must come waits at least so
# long; what must come within a moment is tried up to three times (quickest).
PATIENCE = 120
IDLE_S = 30  # half of what the server allows a silent connection


class Almanac:
    """The program as a user types it, with its own data directory."""

    def __init__(self, data_dir, work_dir):
        self.data_dir = pathlib.Path(data_dir)
        self.work_dir = pathlib.Path(work_dir)  # no almanac.ini here

    def command(self, *arguments):
        return [str(BINARY), *map(str, arguments), "--data-dir", str(self.data_dir)]

    def run(self, *arguments, check=True, timeout=120, **options):
        done = subprocess.run(self.command(*arguments), capture_output=True, cwd=self.work_dir, env=ENVIRONMENT,
                              timeout=max(timeout, PATIENCE), **options)
        done.stdout, done.stderr = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
        done.text = done.stdout + done.stderr
        if check:
            assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.text}"
        return done

    def plain(self, *arguments):
        """Without flags of ours."""
        return subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, cwd=self.work_dir,
                              env=ENVIRONMENT, timeout=PATIENCE)

    def json(self, *arguments, **options):
        return json.loads(self.run(*arguments, "--json", **options).stdout)

    def start(self, *arguments, **options):
        return subprocess.Popen(self.command(*arguments), cwd=self.work_dir, env=ENVIRONMENT, **options)

    def rows(self, sql, *values):
        """Reads the store beside the program."""
        connection = sqlite3.connect(f"file:{self.data_dir / 'almanac.db'}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def one(self, sql, *values):
        return self.rows(sql, *values)[0][0]

    def counts(self):
        return dict(self.rows("SELECT reason, sum(count) FROM import_count GROUP BY reason"))

    def content(self):
        """Everything imported, without ids and clocks: what two stores must have in common to be the same.

        Prices are many: their number, and a sum of hashes that does not depend on their order."""
        matches = self.rows(CONTENT["matches"])
        keys = {match_id: hash(row) for match_id, *row in matches for row in [tuple(row[:4])]}
        prices = self.rows("SELECT p.match_id, q.market, q.bookmaker, q.label, p.price_1, p.price_2, p.price_3, p.handicap, "
                           "p.is_flagged FROM price p JOIN quote q ON q.id = p.quote_id")
        return {name: self.rows(sql) for name, sql in CONTENT.items() if name != "matches"} | {
            "matches": [row[1:] for row in matches],
            "prices": (len(prices), sum(hash((keys[row[0]], *row[1:])) for row in prices))}


CONTENT = {
    "teams": "SELECT country, name, name_key FROM team ORDER BY 1, 2",
    "aliases": "SELECT a.country, a.name_key, a.name, a.from_day, a.to_day, t.name FROM team_alias a "
               "JOIN team t ON t.id = a.team_id ORDER BY 1, 2, 4",
    "matches": "SELECT m.id, m.league, m.day, h.name, a.name, m.season, m.kickoff_us, m.time_known, m.kickoff_text, m.state, "
               "m.is_neutral, m.home_goals, m.away_goals, m.home_half, m.away_half, m.home_shots, m.away_shots, "
               "m.home_shots_on_target, m.away_shots_on_target, m.home_corners, m.away_corners, m.home_fouls, "
               "m.away_fouls, m.home_yellows, m.away_yellows, m.home_reds, m.away_reds, m.source_id, f.path "
               "FROM match m JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id "
               "LEFT JOIN import_file f ON f.id = m.file_id ORDER BY 2, 3, 4, 5",
    "files": "SELECT path, hash, size_bytes, rows_read, rows_kept, error FROM import_file "
             "WHERE error IS NULL ORDER BY path",
    "issues": "SELECT f.path, i.number, i.reason, i.line, i.line_last, i.field, i.detail FROM import_issue i "
              "JOIN import_file f ON f.id = i.file_id ORDER BY 1, 2",
    "counts": "SELECT f.path, c.reason, c.count FROM import_count c JOIN import_file f ON f.id = c.file_id ORDER BY 1, 2",
}


class Server:
    """`almanac serve` on a free port. Ends only what it started."""
    started = []

    def __init__(self, almanac, *flags):
        self.almanac = almanac
        self.log_path = almanac.work_dir / f"server-{time.monotonic_ns()}.log"
        self.log_file = open(self.log_path, "wb")
        self.process = almanac.start("serve", "--port", "0", *flags, stdout=subprocess.PIPE, stderr=self.log_file)
        Server.started.append(self)
        self.pid = self.process.pid
        self.url = self._read_url()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.session = requests.Session()
        self.session.trust_env = False
        self.asked_at = time.monotonic()

    def _read_url(self):
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        try:
            for line in iter(self.process.stdout.readline, b""):
                found = re.search(rb"listening on (http://127\.0\.0\.1:\d+)", line)
                if found:
                    return found[1].decode()
        finally:
            watchdog.cancel()
        self.end()
        raise AssertionError(f"the server did not start: {self.log()}")

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def request(self, method, path, **options):
        """Every exchange is held against /openapi.json."""
        options.setdefault("timeout", PATIENCE)
        if time.monotonic() - self.asked_at > IDLE_S:
            self.session.close()  # else the server may close the connection just when it is asked again
        answer = self.session.request(method, self.url + path, **options)
        openapi_check.check_exchange(openapi_check.description_of(BINARY), answer, options.get("stream", False))
        self.asked_at = time.monotonic()
        return answer

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, json={} if body is None else body, **options)

    def predict(self, **body):
        answer = self.post("/predict", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw(self, data, shut=False):
        """Bytes as they are; the whole answer until the server closes or falls silent."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(data)  # the server may close before it has it all
                if shut:
                    connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    received += chunk
                    head, _, rest = received.partition(b"\r\n\r\n")
                    length = re.search(rb"(?im)^content-length: *(\d+)", head)
                    if length and len(rest) >= int(length[1]):
                        break
            except (ConnectionError, TimeoutError):
                pass
        return received

    def wait_ready(self, timeout=30):
        """Until the tracker state of the present data is live."""
        wait_for(lambda: self.get("/health").json()["features_ready"], timeout, "features are ready")

    def job(self, job_id):
        return self.get(f"/api/jobs/{job_id}").json()

    def wait_job(self, job_id, states=("succeeded", "failed", "stopped"), timeout=300):
        return wait_for(lambda: (job := self.job(job_id))["job"]["state"] in states and job, timeout,
                        lambda: f"job {job_id} is one of {states}: {self.job(job_id)['job']}")

    def hold(self, job_id):
        """The job stands still while it runs, whatever time passes; its pid, for SIGCONT."""
        pid = self.wait_job(job_id, ("running",))["job"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        assert self.job(job_id)["job"]["state"] == "running", "it was over before it could be held"
        return pid

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.end()

    def stop(self, timeout=PATIENCE):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        self.end()
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log_file.close()


def wait_for(condition, timeout, what):
    """The first true value of condition(); how long it may take is not judged (see quickest)."""
    timeout = max(timeout, PATIENCE)
    end = time.monotonic() + timeout
    while True:
        is_late = time.monotonic() > end  # before the look: it is looked at once more after any pause
        value = condition()
        if value:
            return value
        if is_late:
            pytest.fail(f"waited {timeout} s in vain: {what() if callable(what) else what}")
        time.sleep(0.02)


def quickest(action, most_s, tries=3):
    """The result of action(), which takes less than most_s in one of some tries: one that is slow is the machine's doing, all
    of them are the program's."""
    took = []
    while len(took) < tries:
        begin = time.monotonic()
        result = action()
        took.append(time.monotonic() - begin)
        if took[-1] < most_s:
            return result
    pytest.fail(f"seconds it took, each time more than {most_s}: {took}")


def process_is_alive(pid):
    """A zombie is dead."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def assert_error(answer, status, code=None, field=None):
    """The one error shape."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) == {"code", "message", "field"}, body
    assert isinstance(body["error"]["code"], str) and len(body["error"]["message"]) > 5
    if code is not None:
        assert body["error"]["code"] == code, body
    if field is not None:
        assert body["error"]["field"] == field, body
    return body["error"]


def read_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def day_of(number):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=number)


# ---- data ----

@pytest.fixture(scope="session")
def binary():
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"no program at {BINARY}: build it first (make build), or set ALMANAC_BINARY", returncode=2)
    return BINARY


def simulate(folder, leagues, seasons, seed):
    Almanac(folder / "unused", folder).run("simulate", "football", "--leagues", leagues, "--seasons", seasons, "--seed",
                                           seed, "--out", folder / "csv", "--attributes")
    return folder / "csv"


@pytest.fixture(scope="session")
def simulated(binary, tmp_path_factory):
    """A folder of football-data CSV: 2 leagues, 6 seasons."""
    return simulate(tmp_path_factory.mktemp("simulated"), 2, 6, 7)


def league_files(folder):
    """The season files, in order, without the side files (true probabilities, attributes of teams)."""
    return sorted(path for path in folder.rglob("*.csv") if not path.name.startswith(("true_", "team_")))


@pytest.fixture(scope="session")
def season_file(simulated):
    """The first season file of the first league."""
    return league_files(simulated)[0]


@pytest.fixture(scope="session")
def imported_once(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("imported")
    almanac = Almanac(folder / "data", folder)
    almanac.run("import", "football", simulated)
    return almanac


@pytest.fixture(scope="session")
def league(imported_once):
    """The code of the league that the models are trained for."""
    return imported_once.one("SELECT league FROM match GROUP BY league ORDER BY count(*) DESC, league LIMIT 1")


@pytest.fixture(scope="session")
def trained_once(imported_once, league, tmp_path_factory):
    """Imported, with models without prices (1x2, ou25) and one with prices in production."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(imported_once.data_dir, folder / "data")
    almanac = Almanac(folder / "data", folder)
    almanac.run("train", "--league", league, *FAST)
    almanac.run("train", "--league", league, "--target", "ou25", *FAST)
    almanac.run("train", "--league", league, "--features", "with_prices", *FAST)
    return almanac


def copy_of(almanac, folder):
    shutil.copytree(almanac.data_dir, folder / "data")
    return Almanac(folder / "data", folder)


@pytest.fixture
def empty(binary, tmp_path):
    """Nothing imported; the data directory does not exist yet."""
    return Almanac(tmp_path / "data", tmp_path)


@pytest.fixture
def imported(imported_once, tmp_path):
    return copy_of(imported_once, tmp_path)


@pytest.fixture
def trained(trained_once, tmp_path):
    return copy_of(trained_once, tmp_path)


# ---- servers ----

@pytest.fixture(scope="session", autouse=True)
def no_server_is_left():
    """Also where a fixture has failed before it could end its own."""
    yield
    for server in Server.started:
        server.end()


@pytest.fixture
def serve():
    """serve(almanac, *flags): servers that end with the test."""
    servers = []

    def start(almanac, *flags):
        servers.append(Server(almanac, *flags))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture(scope="module")
def shared_server(trained_once, tmp_path_factory):
    """One server over a copy of the trained store, for tests that change nothing."""
    server = Server(copy_of(trained_once, tmp_path_factory.mktemp("shared")))
    server.wait_ready()
    yield server
    server.end()


# ---- real data ----

def real_data_folder():
    named = os.environ.get("ALMANAC_TEST_DATA")
    for folder in [pathlib.Path(named)] if named else [ROOT.parent / "shared" / "data" / "football"]:
        if folder.is_dir() and any(folder.rglob("*.csv")):
            return folder
    return None


@pytest.fixture(scope="session")
def real_data():
    folder = real_data_folder()
    if folder is None:
        pytest.skip("no real data: set ALMANAC_TEST_DATA to a folder of football-data files")
    return folder
