"""The schedule: cron expressions against an independent reader and against croniter, a year of the shipped tasks in simulated
time against a walk through every minute with zoneinfo, and the scheduler in a running server.

The rules of daylight saving are those of docs/schedule.md: an expression whose minute or hour begins with '*' fires at each real
moment whose local time fits; any other is a time of the wall clock, which fires once a day whatever the clock does."""
import datetime
import hashlib
import json
import os
import resource
import sqlite3
import time
import zoneinfo

import openapi_check
import pytest
from conftest import BINARY, assert_error, wait_for
from croniter import croniter
from test_serve import add_fixtures, british, teams_of
from test_websocket import Client

UTC = datetime.timezone.utc
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Lagos"]
SHIPPED = {"calibrate": ("*/3 * * * *", 0), "fetch_odds": ("*/5 * * * *", 15), "retrain": ("0 2 * * *", 60),
           "value_bets": ("0 * * * *", 30), "clean_up": ("0 3 * * *", 60), "performance": ("*/15 * * * *", 0),
           "standings": ("0 */2 * * *", 30)}


# ---- the independent reference ----

NAMES = {name: str(number) for number, name in enumerate(
    "jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)} | {
        name: str(number) for number, name in enumerate("sun mon tue wed thu fri sat".split())}
RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


def read_field(text, low, high):
    values = set()
    for item in text.lower().split(","):
        span, _, step = item.partition("/")
        if span == "*":
            first, last = low, high
        else:
            first, dash, last = span.partition("-")
            first = int(NAMES.get(first, first))
            last = int(NAMES.get(last, last)) if dash else high if step else first
        values |= set(range(first, last + 1, int(step or 1)))
    return values


class Reference:
    def __init__(self, expression):
        texts = expression.split()
        self.minute, self.hour, self.day, self.month, weekdays = (
            read_field(text, *span) for text, span in zip(texts, RANGES))
        self.weekday = {value % 7 for value in weekdays}
        self.both = texts[2].startswith("*") or texts[4].startswith("*")
        self.is_interval = texts[0].startswith("*") or texts[1].startswith("*")

    def fits(self, local):
        if local.minute not in self.minute or local.hour not in self.hour or local.month not in self.month:
            return False
        day, weekday = local.day in self.day, local.isoweekday() % 7 in self.weekday
        return day and weekday if self.both else day or weekday

    def times(self, walk):
        """Seconds of the moments; walk: [(seconds, naive local time)] of every minute."""
        found, newest = [], walk[0][1] - datetime.timedelta(minutes=1)
        for seconds, local in walk:
            if self.is_interval:
                fires = self.fits(local)
            else:  # every local minute that the clock shows for the first time, or jumps over
                fires = False
                while newest < local:
                    newest += datetime.timedelta(minutes=1)
                    fires = self.fits(newest) or fires
            if fires:
                found.append(seconds)
        return found


def walk_minutes(zone, start, days):
    zone = zoneinfo.ZoneInfo(zone)
    return [(seconds, datetime.datetime.fromtimestamp(seconds, zone).replace(tzinfo=None))
            for seconds in range(int(start.timestamp()), int(start.timestamp()) + days * 86400, 60)]


def moment(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def preview(almanac, expression, zone, start, count):
    done = almanac.run("schedule", "preview", expression, "--time-zone", zone, "--from", start, "--count", count)
    return json.loads(done.stdout)


# ---- cron ----

EXPRESSIONS = ["*/5 * * * *", "30 2 * * *", "15,45 1-3 * * *", "0 */2 * * *", "0 0 1 * mon", "7 3 * jan-mar,oct sun",
               "0 12 13 * 5", "*/20 2 * * 0", "0 0 31 * *", "59 23 28-31 2 *"]


@pytest.mark.parametrize("zone", ZONES)
def test_times_of_a_year_are_those_of_a_walk_through_every_minute(empty, zone):
    start = datetime.datetime(2026, 1, 1, tzinfo=UTC)
    walk = walk_minutes(zone, start, 365)
    for expression in EXPRESSIONS:
        expected = Reference(expression).times(walk)
        shown = preview(empty, expression, zone, "2026-01-01", min(len(expected), 10000))
        assert [moment(text) for text in shown["times"]] == expected[:10000], expression
        local = [datetime.datetime.fromisoformat(text) for text in shown["local"]]
        assert [int(value.timestamp()) for value in local] == expected[:10000]
        assert {value.utcoffset() for value in local} <= {
            datetime.datetime.fromtimestamp(seconds, zoneinfo.ZoneInfo(zone)).utcoffset() for seconds, _ in walk[::720]}


@pytest.mark.parametrize("zone", ["UTC", *ZONES])
def test_times_are_those_of_croniter(empty, zone):
    """croniter fires a fixed time of the wall clock twice when it comes twice; ours is the first of both. It makes up for an
    hour of '*/2' that is skipped, as for a fixed time; with us, as with Vixie's cron, an interval has nothing to make up."""
    info = zoneinfo.ZoneInfo(zone)
    start = datetime.datetime(2026, 2, 27, 23, 59, tzinfo=UTC)
    for expression in EXPRESSIONS:
        if zone != "UTC" and Reference(expression).is_interval and expression.split()[1] != "*":
            continue
        iterator = croniter(expression, start.astimezone(info))
        expected = [iterator.get_next(datetime.datetime) for _ in range(400)]
        if not Reference(expression).is_interval:
            expected = [value for value in expected
                        if datetime.datetime.fromtimestamp(value.timestamp(), info).fold == 0]
        expected = [int(value.timestamp()) for value in expected]
        shown = preview(empty, expression, zone, "2026-02-28", len(expected))
        assert [moment(text) for text in shown["times"]] == expected, expression


def test_refusals_name_field_and_column(empty):
    for expression, words in [("61 * * * *", ("minute", "column 1", "61")), ("0 0 * foo *", ("month", "column 7", "foo")),
                              ("* * *", ("3 fields",)), ("@every 5m", ("@hourly",)), ("* * * * * *", ("sixth", "column 11"))]:
        done = empty.run("schedule", "preview", expression, check=False)
        assert done.returncode == 2
        assert all(word in done.stderr for word in words), done.stderr


# ---- a year in simulated time ----

def jitter(name, due, most):
    digest = hashlib.blake2b(f"{name}:{due * 1000000}".encode(), digest_size=32).digest()
    return int.from_bytes(digest[:8], "big") % (most + 1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
def test_a_year_of_the_schedule(empty, zone):
    """Every start of every task, both changes of the clock included, within seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = empty.run("schedule", "simulate", "--from", "2026-01-01", "--days", "365", "--time-zone", zone, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = {name: [] for name in SHIPPED}
    last = 0
    for line in done.stdout.splitlines():
        due, start, name = line.split()
        due, start = moment(due), moment(start)
        assert start >= last and start == due + jitter(name, due, SHIPPED[name][1]), line
        last = start
        shown[name].append(due)
    walk = walk_minutes(zone, datetime.datetime(2026, 1, 1, tzinfo=UTC), 365)
    for name, (cron, most) in SHIPPED.items():
        expected = [due for due in Reference(cron).times(walk)
                    if due + jitter(name, due, most) < walk[-1][0] + 60]
        assert shown[name] == expected, name
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert took < 60, f"a year took {took:.1f} s of processor time"


def test_simulation_goes_by_what_users_set(empty):
    empty.run("schedule", "set", "clean_up", "--cron", "0 4 * * sun", "--zone", "America/New_York", "--jitter-s", "0")
    done = empty.run("schedule", "simulate", "--from", "2026-03-01", "--days", "14", "--task", "clean_up")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["2026-03-01T09:00:00Z", "2026-03-08T08:00:00Z"]


# ---- commands without a server ----

def test_commands(empty):
    tasks = {task["name"]: task for task in empty.json("schedule", "list")["tasks"]}
    assert {name: task["cron"] for name, task in tasks.items()} == {name: cron for name, (cron, _) in SHIPPED.items()}
    assert all(task["is_enabled"] and task["runs"] == 0 and task["last_run"] is None for task in tasks.values())
    assert tasks["retrain"]["hard_limit_s"] == 3600 and tasks["retrain"]["soft_limit_s"] == 3000
    empty.run("schedule", "disable", "retrain")
    shown = empty.json("schedule", "show", "retrain")
    assert shown["is_enabled"] is False and shown["next_run"] is None
    empty.run("schedule", "enable", "retrain")
    set_to = empty.json("schedule", "set", "retrain", "--cron", "@weekly", "--missed", "skip", "--jitter-s", "5")
    assert (set_to["cron"], set_to["missed"], set_to["jitter_s"], set_to["is_enabled"]) == ("@weekly", "skip", 5, True)
    assert empty.json("schedule", "set", "retrain", "--reset")["cron"] == "0 2 * * *"
    for flags, words in [(["--cron", "0 0 30 2 *"], "never"), (["--zone", "Mars/Base"], "Mars/Base"),
                         (["--zone", "../../etc/passwd"], "time zone"), (["--missed", "always"], "once"),
                         (["--jitter-s", "9999"], "3600")]:
        done = empty.run("schedule", "set", "retrain", *flags, check=False)
        assert done.returncode != 0 and words in done.stderr, done.stderr
    done = empty.run("schedule", "show", "nothing", check=False)
    assert done.returncode == 3 and "calibrate" in done.stderr


def test_run_needs_a_server(empty):
    done = empty.run("schedule", "run", "clean_up", "--port", "9", check=False)
    assert done.returncode == 11 and "almanac serve" in done.stderr


# ---- the scheduler in a server ----

def task_of(server, name):
    answer = server.get(f"/api/schedule/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def put(server, name, **change):
    return server.request("PUT", f"/api/schedule/{name}", json=change)


def disable_all(almanac):
    for name in SHIPPED:
        almanac.run("schedule", "disable", name)


def wait_outcome(server, name, runs=1):
    return wait_for(lambda: (task := task_of(server, name))["runs"] >= runs and task["last_outcome"] not in (None, "running")
                    and task, 60, lambda: f"{name} ends: {task_of(server, name)}")


def test_list_and_preview(empty, serve):
    server = serve(empty, "--schedule", "--time-zone", "Europe/Berlin")
    answer = server.get("/api/schedule").json()
    assert answer["time_zone"] == "Europe/Berlin" and answer["is_on"] is True
    assert [task["name"] for task in answer["tasks"]] == list(SHIPPED)
    for task in answer["tasks"]:
        assert task["time_zone"] == "Europe/Berlin" and task["doc"]
        assert (task["next_run"] is not None) == task["is_available"]
        assert task["is_available"] or task["last_note"] == "task not available"
    shown = server.get("/api/schedule/preview", params={"cron": "0 2 * * *", "count": 3}).json()
    assert len(shown["times"]) == len(shown["local"]) == 3 and shown["time_zone"] == "Europe/Berlin"
    assert_error(server.get("/api/schedule/preview"), 400, "invalid", "cron")
    assert_error(server.get("/api/schedule/preview", params={"cron": "99 * * * *"}), 400, "invalid", "cron")
    assert_error(server.get("/api/schedule/preview", params={"cron": "* * * * *", "time_zone": "../x"}), 400, "invalid",
                 "time_zone")
    assert_error(server.get("/api/schedule/preview", params={"cron": "* * * * *", "time_zone": "Mars/Base"}), 404, "not_found",
                 "time_zone")
    never = server.get("/api/schedule/preview", params={"cron": "0 0 30 2 *"}).json()
    assert never["times"] == [] and never["local"] == []
    assert_error(server.get("/api/schedule/nothing"), 404, "not_found")


def test_changes_are_checked_and_survive_a_restart(empty, serve):
    server = serve(empty)
    changed = put(server, "clean_up", cron="15 4 * * mon-fri", time_zone="America/New_York", missed="skip", jitter_s=7,
                  options={"forecast_days": 10})
    assert changed.status_code == 200, changed.text
    server.post("/api/schedule/standings/disable")
    before = {task["name"]: task for task in server.get("/api/schedule").json()["tasks"]}
    assert server.stop() == 0
    server = serve(empty)
    after = {task["name"]: task for task in server.get("/api/schedule").json()["tasks"]}
    assert after == before
    assert after["clean_up"]["cron"] == "15 4 * * mon-fri" and after["clean_up"]["options"] == {"forecast_days": 10}
    assert after["standings"]["is_enabled"] is False
    for change, field in [({"cron": "0 0 30 2 *"}, "cron"), ({"cron": 5}, "cron"), ({"time_zone": "/etc/passwd"}, "time_zone"),
                          ({"missed": "never"}, "missed"), ({"jitter_s": -1}, "jitter_s"), ({"jitter_s": 4000}, "jitter_s"),
                          ({"options": {"forecast_days": -4}}, "options"), ({"options": {"nonsense": 1}}, "options"),
                          ({"options": [1]}, "options"), ({"is_enabled": False}, None)]:
        assert_error(put(server, "clean_up", **change), 400, "invalid", field)
    assert {task["name"]: task for task in server.get("/api/schedule").json()["tasks"]} == before
    back = put(server, "clean_up", cron="", time_zone="").json()
    assert back["cron"] == "0 3 * * *" and back["time_zone"] == "UTC" and back["jitter_s"] == 7


def test_a_command_is_seen_by_the_running_server(empty, serve):
    server = serve(empty, "--schedule")
    assert task_of(server, "clean_up")["next_run"] is not None
    empty.run("schedule", "disable", "clean_up")
    wait_for(lambda: task_of(server, "clean_up")["next_run"] is None, 10, "the server knows")
    empty.run("schedule", "set", "clean_up", "--cron", "@monthly")
    empty.run("schedule", "enable", "clean_up")
    task = wait_for(lambda: (task := task_of(server, "clean_up"))["is_enabled"] and task, 10, "the server knows")
    assert task["cron"] == "@monthly" and task["next_run"][8:10] == "01"


def test_run_now(empty, serve):
    server = serve(empty)
    answer = server.post("/api/schedule/clean_up/run", headers={"X-Almanac-Who": "ann"})
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]
    assert job["task"] == "clean_up" and job["who"] == "ann" and job["key"].startswith("schedule:clean_up:now:")
    task = wait_outcome(server, "clean_up")
    assert task["last_outcome"] == "succeeded" and task["last_job"] == job["id"]
    assert 0 <= task["last_duration_s"] < 60 and task["last_run"] is not None and task["failures"] == 0
    done = empty.run("schedule", "run", "clean_up", "--port", server.port)
    assert "job" in done.stdout
    wait_outcome(server, "clean_up", 2)
    runs = server.get("/api/schedule/clean_up/runs").json()["runs"]
    assert [run["outcome"] for run in runs] == ["succeeded", "succeeded"] and runs[0]["job_id"] > runs[1]["job_id"]
    assert len(server.get("/api/schedule/clean_up/runs", params={"limit": 1}).json()["runs"]) == 1
    assert_error(server.get("/api/schedule/clean_up/runs", params={"limit": 0}), 400, "invalid", "limit")
    assert_error(server.post("/api/schedule/nothing/run"), 404, "not_found")


def test_changes_are_told(empty, serve):
    server = serve(empty)
    description = openapi_check.description_of(BINARY)
    client = Client(server, ["schedule", "value_bets"])
    server.post("/api/schedule/standings/disable")
    told = next(client.events("schedule"))["data"]
    assert told["name"] == "standings" and told["is_enabled"] is False
    server.post("/api/schedule/clean_up/run")
    outcomes = [event["data"]["last_outcome"] for event in client.events("schedule", lambda data: data["last_outcome"] == "succeeded")]
    assert outcomes == ["running", "succeeded"]
    empty.run("schedule", "enable", "standings")
    told = next(client.events("schedule"))["data"]
    assert told["name"] == "standings" and told["is_enabled"] is True
    description.validator("components", "schemas", "ScheduleTask").validate(told)
    server.post("/api/schedule/value_bets/run")
    assert next(client.events("value_bets"))["data"] == {"count": 0, "value_bets": []}


def test_nothing_to_do_is_shown_as_skipped(imported, serve):
    server = serve(imported)
    server.post("/api/schedule/value_bets/run")
    task = wait_outcome(server, "value_bets")
    assert task["last_outcome"] == "skipped" and "24 h" in task["last_note"] and task["failures"] == 0
    assert server.get("/api/schedule/value_bets/runs").json()["runs"][0]["outcome"] == "skipped"


def test_the_schedule_can_be_off(empty, serve):
    server = serve(empty)
    answer = server.get("/api/schedule").json()
    assert answer["is_on"] is False and all(task["next_run"] is None for task in answer["tasks"])


def make_missed(almanac, name, hours):
    """As if the task had last been looked at so long ago."""
    with sqlite3.connect(almanac.data_dir / "almanac.db", timeout=60) as connection:
        connection.execute("UPDATE schedule SET seen_us = ? WHERE name = ?", (int((time.time() - hours * 3600) * 1e6), name))


def prepare_missed(almanac, policy):
    """Due each hour, half an hour from now: not while the test runs."""
    disable_all(almanac)
    minute = (datetime.datetime.now(UTC).minute + 30) % 60
    almanac.run("schedule", "set", "clean_up", "--cron", f"{minute} * * * *", "--missed", policy, "--jitter-s", "0")
    almanac.run("schedule", "enable", "clean_up")
    make_missed(almanac, "clean_up", 5)


def test_missed_runs_are_made_up_for_once(empty, serve):
    prepare_missed(empty, "once")
    server = serve(empty, "--schedule")
    task = wait_outcome(server, "clean_up")
    assert task["last_outcome"] == "succeeded"
    run, = server.get("/api/schedule/clean_up/runs").json()["runs"]
    assert "missed" in run["note"]
    job = server.job(run["job_id"])["job"]
    assert job["key"] == f"schedule:clean_up:{run['due']}" and job["who"] == "schedule"
    server.kill()  # the due time is dealt with, whatever becomes of the server
    server = serve(empty, "--schedule")
    time.sleep(1)
    assert task_of(server, "clean_up")["runs"] == 1
    assert len(server.get("/api/jobs").json()["jobs"]) == 1


def test_missed_runs_are_skipped(empty, serve):
    prepare_missed(empty, "skip")
    server = serve(empty, "--schedule")
    task = wait_for(lambda: (task := task_of(server, "clean_up"))["last_outcome"] and task, 10, "it is dealt with")
    assert task["last_outcome"] == "skipped" and "missed" in task["last_note"] and task["runs"] == 0
    assert server.get("/api/jobs").json()["jobs"] == []


def test_a_due_task_starts_by_itself(empty, serve):
    """The only test that waits for the real clock: up to a minute."""
    disable_all(empty)
    empty.run("schedule", "set", "clean_up", "--cron", "* * * * *", "--jitter-s", "0")
    empty.run("schedule", "enable", "clean_up")
    server = serve(empty, "--schedule")
    due = moment(task_of(server, "clean_up")["next_run"])
    assert due % 60 == 0
    time.sleep(max(0, due - time.time()))
    task = wait_outcome(server, "clean_up")
    run = server.get("/api/schedule/clean_up/runs").json()["runs"][-1]
    assert moment(run["due"]) == due and task["last_outcome"] == "succeeded"
    job = server.job(run["job_id"])["job"]
    created = datetime.datetime.fromisoformat(job["created_at"].replace("Z", "+00:00")).timestamp()
    assert due <= created < due + 45  # not with the next one


# ---- clean up ----

def age(path, hours):
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def make_rubbish(almanac):
    """What should go, and what must stay."""
    data, models = almanac.data_dir, almanac.data_dir / "models"
    owned = next(models.rglob("*.model"))
    folder = owned.parent
    gone = [folder / "00000000deadbeef.model", data / "matrix" / ".almanac-0123456789abcdef.tmp", data / "logs" / "4711.log",
            data / "logs" / "4711.log.parts" / "1.part", data / "jobs" / "4711" / "checkpoint"]
    stay = [folder / "00000000cafebabe.model", data / "matrix" / ".almanac-fedcba9876543210.tmp", data / "logs" / "4712.log",
            data / "logs" / "notes.txt", data / "jobs" / "readme" / "x"]
    for path in gone + stay:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
    for path in [*gone, gone[3].parent, gone[4].parent, data / "logs" / "notes.txt", owned]:
        age(path, 48)
    return gone, [*stay, owned]


def add_old_rows(almanac):
    now = int(time.time() * 1e6)
    day = 86400 * 1000000
    with sqlite3.connect(almanac.data_dir / "almanac.db", timeout=60) as connection:
        connection.executemany(
            "INSERT INTO forecast(version, match_id, subject, target, kickoff_us, made_us, source, p_1, p_2, p_3) "
            "VALUES ('0123456789abcdef', ?, 'E0', '1x2', ?, ?, 'served', 0.5, 0.3, 0.2)",
            [(number, now - days * day, now - days * day) for number, days in enumerate([60, 40, 31, 29, 1], 1)])
        connection.executemany("INSERT INTO job(task, request, state, created_us, ended_us) VALUES ('train', '{}', ?, ?, ?)",
                               [("succeeded", now - 50 * day, now - 49 * day), ("failed", now - 40 * day, now - 40 * day),
                                ("stopped", now - 3 * day, now - 2 * day)])
        connection.execute("INSERT INTO job_event(job_id, at_us, to_state, attempt, note) SELECT id, ended_us, state, 1, '' FROM job")


def test_clean_up(trained):
    add_old_rows(trained)
    gone, stay = make_rubbish(trained)
    rehearsed = trained.json("clean-up", "--dry-run")
    assert rehearsed["dry_run"] is True
    assert all(path.exists() for path in gone + stay)
    assert trained.one("SELECT count(*) FROM forecast") == 5
    done = trained.json("clean-up")
    figures = ("forecasts", "jobs", "model_files", "log_files", "job_folders", "temporary_files", "freed_bytes")
    assert {name: done[name] for name in figures} == {name: rehearsed[name] for name in figures}
    assert {name: done[name] for name in figures} == {"forecasts": 3, "jobs": 2, "model_files": 1, "log_files": 2,
                                                     "job_folders": 1, "temporary_files": 1, "freed_bytes": 500}
    assert not any(path.exists() for path in gone) and all(path.exists() for path in stay)
    assert trained.one("SELECT count(*) FROM forecast") == 2
    assert [state for state, in trained.rows("SELECT state FROM job ORDER BY id")] == ["stopped"]
    again = trained.json("clean-up")
    assert all(again[name] == 0 for name in figures)
    assert trained.run("models", "current").stdout.count("\n") == 3


def test_clean_up_leaves_what_a_running_job_uses(trained):
    """A job that has been running for three hours: its log and folder, and whatever was written since it began."""
    now, data = int(time.time() * 1e6), trained.data_dir
    with sqlite3.connect(data / "almanac.db", timeout=60) as connection:
        job, = connection.execute("INSERT INTO job(task, request, state, created_us, started_us) VALUES "
                                  "('train', '{}', 'running', ?, ?) RETURNING id", (now, now - 3 * 3600 * 1000000)).fetchone()
    models = next((data / "models").rglob("*.model")).parent
    files = {data / "logs" / f"{job}.log": 48, data / "jobs" / str(job) / "checkpoint": 48, models / "00000000cafebabe.model": 2,
             data / "matrix" / ".almanac-0123456789abcdef.tmp": 2, models / "00000000deadbeef.model": 48}
    for path, hours in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
        age(path, hours)
    age(data / "jobs" / str(job), 48)
    done = trained.json("clean-up")
    assert [path.name for path in files if not path.exists()] == ["00000000deadbeef.model"] and done["freed_bytes"] == 100


# ---- value bets ----

@pytest.fixture
def priced(trained, league):
    """Two matches of tomorrow: one with prices of which the home side's is far too high, one without prices."""
    names = teams_of(trained, league, 4)
    tomorrow = british((datetime.datetime.now(UTC) + datetime.timedelta(hours=20)).date().isoformat())
    connection = sqlite3.connect(trained.work_dir / "priced.db")
    connection.execute("CREATE TABLE fixture(Div, Date, Time, HomeTeam, AwayTeam, source_id, B365H, B365D, B365A, "
                       "'B365>2.5', 'B365<2.5', PSH, PSD, PSA)")
    clock = (datetime.datetime.now(zoneinfo.ZoneInfo("Europe/London")) + datetime.timedelta(hours=20))
    connection.execute("INSERT INTO fixture VALUES (?, ?, ?, ?, ?, 'vb-1', 15.0, 3.4, 1.2, 9.0, 1.05, 1.5, 4.0, 7.0)",
                       (league, clock.strftime("%d/%m/%Y"), clock.strftime("%H:%M"), names[0], names[1]))
    connection.commit()
    connection.close()
    trained.run("import", "sqlite", trained.work_dir / "priced.db", "--query", "SELECT * FROM fixture")
    add_fixtures(trained, league, [(tomorrow, names[2], names[3], "vb-2")])
    return trained


def expected_bets(server):
    """From /predict and the prices of the fixture, by hand."""
    prices = {"1x2": {"B365": {"home": 15.0, "draw": 3.4, "away": 1.2}, "PS": {"home": 1.5, "draw": 4.0, "away": 7.0}},
              "ou25": {"B365": {"over": 9.0, "under": 1.05}}}
    expected = {}
    for target, books in prices.items():
        answer = wait_for(lambda: (got := server.predict(match="vb-1", target=target))["prediction"] and got, 30, "a forecast")
        for book, odds in books.items():
            for selection, price in odds.items():
                p = answer["prediction"][selection]
                if p * price - 1 >= 0.042:
                    expected[target, selection, book] = (p, price, answer["model"]["version"])
    return expected


def check_bet(bet, p, price, version):
    assert bet["p"] == pytest.approx(p, abs=1e-9) and bet["odds"] == price and bet["version"] == version
    edge = p * price - 1
    kelly = edge / (price - 1)
    fraction = min(0.25 * kelly, 0.02)
    assert bet["edge"] == pytest.approx(edge, abs=1e-8) and bet["min_edge"] == 0.042
    assert (bet["stake_flat"], bet["currency"]) == (1000, "NGN") and bet["value_flat"] == pytest.approx(1000 * edge, abs=1e-5)
    assert bet["kelly"] == pytest.approx(kelly, abs=1e-8) and bet["stake_fraction"] == pytest.approx(fraction, abs=1e-8)
    assert bet["value_fraction"] == pytest.approx(fraction * edge, abs=1e-8)
    assert 0 <= bet["price_age_s"] < 600 and 0 < bet["market_p"] < 1


def test_value_bets(priced, serve, league):
    server = serve(priced)
    server.wait_ready()
    assert server.get("/api/value-bets").json()["value_bets"] == []
    server.post("/api/schedule/value_bets/run")
    assert wait_outcome(server, "value_bets")["last_outcome"] == "succeeded"
    bets = server.get("/api/value-bets").json()["value_bets"]
    expected = expected_bets(server)
    assert {(bet["target"], bet["selection"], bet["bookmaker"]) for bet in bets} == set(expected) and bets
    for bet in bets:
        check_bet(bet, *expected[bet["target"], bet["selection"], bet["bookmaker"]])
        assert bet["league"] == league
    edges = [bet["edge"] for bet in bets]
    assert edges == sorted(edges, reverse=True)
    by_odds = server.get("/api/value-bets", params={"sort": "odds", "order": "asc"}).json()["value_bets"]
    assert [bet["odds"] for bet in by_odds] == sorted(bet["odds"] for bet in bets)
    few = server.get("/api/value-bets", params={"target": "1x2", "bookmaker": "B365", "min_edge": 0.5}).json()["value_bets"]
    ages = [bet.pop("price_age_s") for bet in [*few, *bets]]
    assert all(0 <= value < 600 for value in ages)
    assert few == [bet for bet in bets if bet["target"] == "1x2" and bet["bookmaker"] == "B365" and bet["edge"] >= 0.5]
    assert server.get("/api/value-bets", params={"league": "XX"}).json()["value_bets"] == []
    table = server.get("/api/value-bets", params={"format": "csv"})
    assert table.headers["Content-Type"].startswith("text/csv") and len(table.text.splitlines()) == 1 + len(bets)
    for name, value in [("sort", "luck"), ("order", "up"), ("format", "xml"), ("limit", "0"), ("min_edge", "much")]:
        assert_error(server.get("/api/value-bets", params={name: value}), 400, "invalid", name)
    # the next scan takes the place of the last
    server.post("/api/schedule/value_bets/run")
    wait_outcome(server, "value_bets", 2)
    assert len(server.get("/api/value-bets").json()["value_bets"]) == len(bets)


def test_value_bets_command(priced):
    result = priced.json("value-bets", "--bookmaker", "PS", "--min-edge", "-1")
    assert result["matches"] == 2 and result["priced"] == 1
    assert all(bet["bookmaker"] == "PS" and bet["edge"] >= 0.042 for bet in result["value_bets"])
    everything = priced.json("value-bets", "--min-edge", "0", "--hours", "336")
    assert len(everything["value_bets"]) >= len(result["value_bets"])
    assert priced.one("SELECT count(*) FROM value_bet") == len(everything["value_bets"])
    assert priced.run("value-bets", "--league", "XX", check=False).returncode == 2
