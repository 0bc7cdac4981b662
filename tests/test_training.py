"""Auto-training: symbols x timeframes x bots as a queue that is started, paused, resumed, stopped and killed, over HTTP and
from a terminal; what is told while it trains; and fits that are kept, so that a training which was stopped goes on and gives the
same model."""
import hashlib
import json
import os
import pathlib
import signal
import time

import pytest
from conftest import assert_error, process_is_alive, wait_for

QUICK = {"parameters": {"trees": 20, "leaves": 7}, "folds": 2}
SLOW = {"parameters": {"trees": 150, "leaves": 7}, "folds": 0}  # a second
ROUNDS = 1000
ENDLESS = {"parameters": {"trees": 10000, "leaves": 31}, "folds": 2}  # a minute or more
FITS = {"parameters": "trees=120,leaves=7", "folds": 5}


@pytest.fixture
def server(imported, serve):
    return serve(imported, "--job-grace-ms", "1000")


@pytest.fixture
def leagues(imported):
    return [row[0] for row in imported.rows("SELECT DISTINCT league FROM match ORDER BY league")]


def start(server, symbols, timeframes=("1x2",), bots=("lightgbm",), **more):
    answer = server.post("/api/training/start-auto",
                         {"symbols": list(symbols), "timeframes": list(timeframes), "bots": list(bots), **more})
    assert answer.status_code == 202, answer.text
    return answer.json()


def status(server):
    answer = server.get("/api/training/status")
    assert answer.status_code == 200, answer.text
    return answer.json()


def control(server, action):
    answer = server.post(f"/api/training/{action}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def cli(server, *arguments, **options):
    return server.almanac.run(*arguments, "--server-url", server.url, **options)


def cli_control(server, action):
    return json.loads(cli(server, "training", action, "--json").stdout)


def wait_status(server, condition, what, timeout=300):
    return wait_for(lambda: (now := status(server)) and condition(now) and now, timeout,
                    lambda: f"{what}: {status(server)}")


def wait_running(server):
    return wait_status(server, lambda now: now["current_training"] is not None, "a training runs")


def states(server, batch):
    jobs = server.get(f"/api/jobs?batch={batch}").json()["jobs"]
    return [job["state"] for job in sorted(jobs, key=lambda job: job["id"])]


# ---- what is queued ----

def test_order_of_the_product(server, leagues):
    control(server, "pause")
    answer = start(server, leagues, ["1x2", "ou25"], ["elo_logit", "lightgbm", "lightgbm_prices"])
    expected = [f"{league} {target} {bot}" for league in leagues for target in ("1x2", "ou25")
                for bot in ("elo_logit", "lightgbm", "lightgbm_prices")]
    assert [job["label"] for job in answer["jobs"]] == expected and answer["queued"] == len(expected)
    assert [job["id"] for job in answer["jobs"]] == sorted(job["id"] for job in answer["jobs"])
    assert {job["queue"] for job in answer["jobs"]} == {"training"}
    assert {job["batch"] for job in answer["jobs"]} == {answer["batch"]}
    now = status(server)
    assert now["is_paused"] and not now["is_running"] and now["current_training"] is None
    assert now["queue_length"] == len(expected) and now["batch"] == answer["batch"]
    assert [f"{one['symbol']} {one['timeframe']} {one['bot']}" for one in now["queue"]] == expected
    assert server.get("/api/ml-management/training/status").json() == now


def test_requests_are_complete(server, leagues):
    control(server, "pause")
    answer = start(server, leagues[:1], ["ou25"], ["elo_logit", "lightgbm", "lightgbm_prices"], last=500, seed=4,
                   parameters={"trees": 33, "learning_rate": 0.1}, folds=3, pool="league")
    requests = [server.job(job["id"])["request"] for job in answer["jobs"]]
    assert [(one["engine"], one["features"], one["parameters"]) for one in requests] == [
        ("elo_logit", "", ""), ("lightgbm", "", "trees=33,learning_rate=0.10000000000000001"),
        ("lightgbm", "with_prices", "trees=33,learning_rate=0.10000000000000001")]
    assert all(one["last"] == 500 and one["seed"] == 4 and one["folds"] == 3 and one["pool"] == "league" and
               one["target"] == "ou25" and one["league"] == leagues[0] for one in requests)


def test_nothing_is_added_twice(server, leagues):
    control(server, "pause")
    first = start(server, [leagues[0], leagues[0]], ["1x2"], ["lightgbm", "lightgbm"], **QUICK)
    assert first["queued"] == 1 and len(first["jobs"]) == 1
    again = start(server, leagues, ["1x2"], ["lightgbm"], **QUICK)
    assert again["batch"] == first["batch"] and again["queued"] == len(leagues) - 1
    assert again["jobs"][0]["id"] == first["jobs"][0]["id"]
    assert status(server)["queue_length"] == len(leagues)
    # with a key: whatever became of the first, asking again queues nothing
    keyed = start(server, leagues[:1], ["ou25"], key="monday", **QUICK)
    control(server, "stop")
    assert states(server, keyed["batch"]) == ["stopped"] * (len(leagues) + 1)
    repeated = start(server, leagues[:1], ["ou25"], key="monday", **QUICK)
    assert repeated["queued"] == 0 and [job["id"] for job in repeated["jobs"]] == [keyed["jobs"][0]["id"]]
    assert repeated["batch"] == keyed["batch"]
    fresh = start(server, leagues[:1], ["ou25"], key="tuesday", **QUICK)
    assert fresh["queued"] == 1 and fresh["batch"] != keyed["batch"]


@pytest.mark.parametrize("change, field", [
    ({"symbols": ["E0", "XX"]}, "symbols"),
    ({"symbols": ["E0", "G1"]}, "symbols"),  # a league, but nothing is stored of it
    ({"symbols": []}, "symbols"),
    ({"symbols": "E0"}, "symbols"),
    ({"symbols": [3]}, "symbols"),
    ({"timeframes": ["1x2", "1h"]}, "timeframes"),
    ({"timeframes": None}, "timeframes"),
    ({"bots": ["lightgbm", "ensemble9"]}, "bots"),
    ({"bots": ["bookmaker"]}, "bots"),  # it is bookmaker_prices
    ({"parameters": {"trees": 0}}, "parameters"),
    ({"parameters": {"forests": 3}}, "parameters"),
    ({"parameters": {"trees": [3]}}, "parameters"),
    ({"parameters": 5}, "parameters"),
    ({"features": "nothing"}, "features"),
    ({"features": "with_prices"}, "features"),  # that would be another bot
    ({"last": -1}, "last"),
    ({"folds": 99}, "folds"),
    ({"league": "E0"}, "league"),
    ({"target": "1x2"}, "target"),
    ({"key": "x" * 40}, "key"),
    ({"priority": 1000}, "priority"),
    ({"colour": "red"}, "colour"),
])
def test_one_wrong_name_and_nothing_is_queued(server, change, field):
    body = {"symbols": ["E0"], "timeframes": ["1x2"], "bots": ["lightgbm"], **change}
    error = assert_error(server.post("/api/training/start-auto", body), 400, "invalid")
    assert error["field"] == field, error
    assert server.get("/api/jobs").json()["jobs"] == [] and status(server)["batch"] is None


def test_wrong_names_are_named(server):
    for body, name in (({"symbols": ["XX"]}, "XX"), ({"timeframes": ["4h"]}, "4h"), ({"bots": ["lstm_bot"]}, "lstm_bot")):
        whole = {"symbols": ["E0"], "timeframes": ["1x2"], "bots": ["lightgbm"], **body}
        assert name in assert_error(server.post("/api/training/start-auto", whole), 400)["message"]
    assert_error(server.request("POST", "/api/training/start-auto", data="[]"), 400, "invalid")


def test_options_fill_a_form(server, leagues):
    options = server.get("/api/training/options").json()
    assert [symbol["id"] for symbol in options["symbols"]] == leagues
    for symbol in options["symbols"]:
        assert symbol["matches"] == server.almanac.one("SELECT count(*) FROM match WHERE league = ?", symbol["id"])
    assert [timeframe["id"] for timeframe in options["timeframes"]] == ["1x2", "ou25"]
    bots = {bot["id"]: bot for bot in options["bots"]}
    assert {"lightgbm", "lightgbm_prices", "elo_logit", "bookmaker_prices"} <= set(bots) and "bookmaker" not in bots
    trees, = [one for one in bots["lightgbm"]["options"] if one["name"] == "trees"]
    assert trees["type"] == "int" and trees["min"] == 1 and trees["default"] == 100 and trees["choices"] is None
    boosting, = [one for one in bots["lightgbm"]["options"] if one["name"] == "boosting"]
    assert boosting["choices"] == ["gbdt", "rf", "extra_trees"]
    assert {"last", "folds", "holdout"} <= {one["name"] for one in options["train_options"]}
    assert options["max_depth"] == 500000


@pytest.mark.parametrize("path", ["/api/prediction/train", "/api/ml-management/train"])
def test_train_by_other_names(server, league, path):
    answer = server.post(path, {"league": league, "parameters": "trees=20,leaves=7", "folds": 2})
    assert answer.status_code == 202
    assert answer.json()["job"]["queue"] == "training"
    assert answer.json()["job"]["label"] == f"{league} 1x2 lightgbm"
    assert server.wait_job(answer.json()["job_id"])["job"]["state"] == "succeeded"
    assert_error(server.post(path, {"league": "XX"}), 400, "invalid", "league")


# ---- from the first to the last ----

def test_a_batch_to_its_end(server, leagues):
    answer = start(server, leagues, ["1x2"], ["lightgbm", "elo_logit"], **QUICK)
    count = len(answer["jobs"])
    end = wait_status(server, lambda now: now["queue_length"] == 0 and not now["is_running"], "all are done")
    assert end["completed_count"] == count and end["failed_count"] == end["stopped_count"] == 0
    assert end["current_training"] is None and end["queue"] == []
    jobs = [server.job(job["id"])["job"] for job in answer["jobs"]]
    for before, after in zip(jobs, jobs[1:]):
        assert before["ended_at"] <= after["started_at"], "one at a time, in order"
    assert server.get("/health").json()["models"] == count


def test_what_is_told_while_it_trains(server, league):
    answer = start(server, [league], parameters={"trees": ROUNDS, "leaves": 7}, folds=0)
    job_id = answer["jobs"][0]["id"]
    seen = []
    while server.job(job_id)["job"]["state"] in ("queued", "running"):
        current = status(server)["current_training"]
        if current is not None:
            assert (current["job_id"], current["symbol"], current["timeframe"], current["bot"]) == (job_id, league, "1x2", "lightgbm")
            seen.append(current)
        time.sleep(0.05)
    trained = [one for one in seen if one["phase"] == "training" and one["loss"] is not None]
    assert len(trained) > 2, seen
    assert {one["epochs"] for one in trained} == {ROUNDS}
    epochs = [one["epoch"] for one in trained]
    assert epochs == sorted(epochs) and 0 < epochs[0] <= ROUNDS
    assert all(one["best_loss"] <= one["loss"] for one in trained) and trained[-1]["loss"] < trained[0]["loss"]
    progress = [one["progress"] for one in trained]
    assert progress == sorted(progress) and 0 <= progress[0] and progress[-1] <= 1
    assert any(one["eta_s"] is not None for one in trained)
    done = server.job(job_id)
    assert done["job"]["state"] == "succeeded" and done["job"]["epoch"] == done["job"]["epochs"] == ROUNDS
    assert done["result"]["epochs"] == ROUNDS and done["result"]["train_loss"] == pytest.approx(done["job"]["loss"])


# ---- the controls, each by HTTP and from a terminal ----

CONTROLS = pytest.mark.parametrize("act", [control, cli_control], ids=["http", "cli"])


@CONTROLS
def test_pause_lets_the_current_finish_and_holds_the_rest(server, leagues, act):
    answer = start(server, leagues, ["1x2"], ["lightgbm"], **SLOW)
    first, second = [job["id"] for job in answer["jobs"]]
    pid = server.hold(first)
    paused = act(server, "pause")
    assert paused["is_paused"] and paused["is_running"] and paused["queue_length"] == 1
    os.kill(pid, signal.SIGCONT)
    assert server.wait_job(first)["job"]["state"] == "succeeded"
    time.sleep(0.5)
    held = status(server)
    assert held["is_paused"] and not held["is_running"] and held["queue_length"] == 1 and held["completed_count"] == 1
    assert server.job(second)["job"]["state"] == "queued"
    resumed = act(server, "resume")
    assert not resumed["is_paused"]
    assert server.wait_job(second)["job"]["state"] == "succeeded"
    actions = server.get("/api/queues/training/events").json()["events"]
    assert [event["action"] for event in actions] == ["resume", "pause"]
    assert all(event["who"] == "api" or event["who"].startswith("cli:") for event in actions)


def test_pause_survives_the_server(imported, serve, leagues):
    server = serve(imported)
    answer = start(server, leagues, **SLOW)
    server.hold(answer["jobs"][0]["id"])
    control(server, "pause")
    server.kill()
    server = serve(imported)
    time.sleep(0.5)
    held = status(server)
    assert held["is_paused"] and held["queue_length"] == len(leagues) and not held["is_running"]
    control(server, "resume")
    wait_status(server, lambda now: now["queue_length"] == 0 and not now["is_running"], "all are done")
    assert states(server, held["batch"]) == ["succeeded"] * len(leagues)


@CONTROLS
def test_stop_finishes_the_current_and_clears_the_rest(server, leagues, act):
    answer = start(server, leagues, ["1x2", "ou25"], **SLOW)
    pid = server.hold(answer["jobs"][0]["id"])
    stopped = act(server, "stop")
    assert stopped["queue_length"] == 0 and stopped["is_running"] and stopped["is_stopping"]
    os.kill(pid, signal.SIGCONT)
    end = wait_status(server, lambda now: not now["is_running"], "the current one is done")
    assert end["completed_count"] == 1 and end["stopped_count"] == 3 and not end["is_stopping"]
    assert states(server, answer["batch"]) == ["succeeded", "stopped", "stopped", "stopped"]


@CONTROLS
def test_force_stop_ends_all_of_it(server, leagues, act):
    answer = start(server, leagues, ["1x2", "ou25"], **ENDLESS)
    wait_running(server)
    job_id = answer["jobs"][0]["id"]
    pid = wait_for(lambda: server.job(job_id)["job"]["pid"], 30, "it has a process")
    act(server, "force-stop")
    end = wait_status(server, lambda now: not now["is_running"] and not now["is_stopping"], "it has stopped", 30)
    assert not process_is_alive(pid), "it says stopped only when the process is gone"
    assert end["stopped_count"] == 4 and end["completed_count"] == 0
    assert states(server, answer["batch"]) == ["stopped"] * 4


def test_force_stop_of_a_frozen_child(server, league):
    """It cannot answer TERM: after the grace it is killed."""
    answer = start(server, [league], **ENDLESS)
    job_id = answer["jobs"][0]["id"]
    wait_running(server)
    pid = server.job(job_id)["job"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    control(server, "force-stop")
    now = status(server)
    assert now["is_stopping"] or not process_is_alive(pid)
    assert server.wait_job(job_id)["job"]["state"] == "stopped"
    assert not process_is_alive(pid)


def test_start_and_status_in_a_terminal(server, leagues):
    control(server, "pause")
    shown = cli(server, "training", "start", "--symbols", ",".join(leagues), "--timeframes", "1x2", "--bots",
                "lightgbm,elo_logit", "--parameters", "trees=20", "--last", "900").stdout.splitlines()
    assert len(shown) == 2 * len(leagues) and f"{leagues[0]} 1x2 lightgbm" in shown[0] and "queued" in shown[0]
    text = cli(server, "training", "status").stdout
    assert text.startswith(f"training paused: {2 * len(leagues)} queued")
    assert f"waiting  {leagues[0]} 1x2 elo_logit" in text
    job = server.get("/api/jobs").json()["jobs"][-1]
    assert job["who"].startswith("cli:") and server.job(job["id"])["request"]["last"] == 900
    wrong = cli(server, "training", "start", "--symbols", "XX", check=False)
    assert wrong.returncode == 2 and "XX" in wrong.stderr
    none = server.almanac.run("training", "status", "--server-url", "http://127.0.0.1:1", check=False)
    assert none.returncode == 11 and "no server answers at http://127.0.0.1:1" in none.stderr
    assert "almanac serve" in none.stderr
    bad = server.almanac.run("training", "status", "--server-url", "ftp://x", check=False)
    assert bad.returncode == 2


def test_jobs_in_a_terminal(server, league):
    control(server, "pause")
    parameters = ["league=" + league, "parameters=trees=20", "folds=2"]
    first = json.loads(cli(server, "jobs", "submit", "train", *parameters, "--json", "--key", "k1", "--label", "mine",
                           "--priority", "7").stdout)["job"]
    assert first["label"] == "mine" and first["priority"] == 7 and first["key"] == "k1" and first["who"].startswith("cli:")
    again = json.loads(cli(server, "jobs", "submit", "train", *parameters, "--json", "--key", "k1", "--label", "mine",
                           "--priority", "7").stdout)["job"]
    assert again["id"] == first["id"]
    second = json.loads(cli(server, "jobs", "submit", "train", *parameters, "--after", first["id"], "--json").stdout)["job"]
    assert second["after"] == [first["id"]]
    listed = cli(server, "jobs", "list", "--queue", "training", "--state", "queued").stdout.splitlines()
    assert len(listed) == 2 and "mine" in listed[1]
    assert cli(server, "jobs", "list", "--state", "nonsense", check=False).returncode == 2
    assert "stopped" in cli(server, "jobs", "stop", second["id"]).stdout
    assert "queued" in cli(server, "jobs", "resume", second["id"]).stdout
    control(server, "resume")
    done = cli(server, "jobs", "wait", second["id"])
    assert "succeeded" in done.stdout
    shown = cli(server, "jobs", "show", second["id"]).stdout
    assert "queued -> running" in shown and "cli:" in shown
    assert cli(server, "jobs", "stop", second["id"], check=False).returncode == 4
    assert cli(server, "jobs", "submit", "nothing", check=False).returncode == 2
    assert cli(server, "jobs", "submit", "train", "colour=red", check=False).returncode == 3
    endless = json.loads(cli(server, "jobs", "submit", "train", "league=" + league, "parameters=trees=10000", "--json").stdout)
    wait_running(server)
    cli(server, "jobs", "force-stop", endless["job"]["id"])
    stopped = cli(server, "jobs", "wait", endless["job"]["id"], check=False)
    assert stopped.returncode == 12 and "was stopped" in stopped.stderr


# ---- checkpoints ----

def fits(almanac, job_id):
    return sorted((almanac.data_dir / "jobs" / str(job_id) / "fits").glob("*.fit"))


def model_of(server, job_id):
    done = server.wait_job(job_id)
    assert done["job"]["state"] == "succeeded", done["job"]
    path = pathlib.Path(done["result"]["path"])
    if not path.is_absolute():
        path = server.almanac.work_dir / path
    return done["result"]["version"], hashlib.sha256(path.read_bytes()).hexdigest()


def texts(server, job_id):
    return [line["text"] for line in server.get(f"/api/jobs/{job_id}/logs/lines").json()["lines"]]


def reused(server, job_id):
    return [line for line in texts(server, job_id) if "were kept by an earlier attempt" in line]


@pytest.fixture(scope="module")
def uninterrupted(imported_once, league, tmp_path_factory):
    """Version and bytes of the model that nothing has disturbed."""
    from conftest import Server, copy_of
    server = Server(copy_of(imported_once, tmp_path_factory.mktemp("uninterrupted")))
    try:
        answer = server.post("/train", {"league": league, **FITS}).json()
        return model_of(server, answer["job_id"])
    finally:
        server.end()


def train_until_a_fit_is_kept(server, league):
    """The job stands still in the middle: (its id, its pid). When it was over before it could be held: once more."""
    for _ in range(5):
        job_id = server.post("/train", {"league": league, **FITS}).json()["job_id"]
        wait_for(lambda: fits(server.almanac, job_id) or server.job(job_id)["job"]["state"] == "succeeded", 60, "a fit is kept")
        pid = server.job(job_id)["job"]["pid"]
        if pid is None or not process_is_alive(pid):
            continue
        os.kill(pid, signal.SIGSTOP)
        if 0 < len(fits(server.almanac, job_id)) < 6:
            return job_id, pid
        os.kill(pid, signal.SIGCONT)
        server.wait_job(job_id)
    pytest.fail("no training can be held in the middle")


def test_a_stopped_training_goes_on(server, league, uninterrupted):
    job_id, pid = train_until_a_fit_is_kept(server, league)
    server.post(f"/api/jobs/{job_id}/stop")
    os.kill(pid, signal.SIGCONT)
    assert server.wait_job(job_id)["job"]["state"] == "stopped"
    kept = len(fits(server.almanac, job_id))
    assert 0 < kept < 6, "stopped in the middle"
    assert server.post(f"/api/jobs/{job_id}/resume").status_code in (200, 202)
    assert model_of(server, job_id) == uninterrupted
    assert reused(server, job_id) == [f"training: {kept} of 6 fits were kept by an earlier attempt"]
    assert server.job(job_id)["job"]["attempt"] == 2
    wait_for(lambda: not fits(server.almanac, job_id), 10, "the folder of a job that has succeeded is removed")


def test_a_killed_training_goes_on(server, league, uninterrupted):
    job_id, pid = train_until_a_fit_is_kept(server, league)
    os.kill(pid, signal.SIGKILL)
    assert server.wait_job(job_id)["job"]["state"] == "failed"
    kept = fits(server.almanac, job_id)
    assert kept
    damaged = bytearray(kept[0].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    kept[0].write_bytes(damaged)
    assert server.post(f"/api/jobs/{job_id}/resume").status_code in (200, 202)
    assert model_of(server, job_id) == uninterrupted
    ignored = [line for line in texts(server, job_id) if line.startswith("a kept fit is ignored, ")]
    assert len(ignored) == 1 and kept[0].name in ignored[0]
    assert len(reused(server, job_id)) == (1 if len(kept) > 1 else 0)


def test_a_stopped_backtest_goes_on(server, league):
    last = server.almanac.one("SELECT max(season) FROM match")
    body = {"league": league, "from": f"{last}-07-01", "to": f"{last + 1}-06-30", "refit": "monthly", "features": "no_prices",
            "parameters": "trees=60,leaves=7", "folds": 2}
    whole = server.wait_job(server.post("/backtest", body).json()["job_id"])["result"]
    job_id = server.post("/backtest", body).json()["job_id"]
    wait_for(lambda: fits(server.almanac, job_id), 60, "a fit is kept")
    server.post(f"/api/jobs/{job_id}/stop")
    assert server.wait_job(job_id)["job"]["state"] == "stopped"
    server.post(f"/api/jobs/{job_id}/resume")
    done = server.wait_job(job_id)
    assert done["job"]["state"] == "succeeded" and len(reused(server, job_id)) == 1
    assert done["result"]["total"] == whole["total"]


def test_a_training_goes_on_with_the_next_server(imported, serve, league, uninterrupted):
    server = serve(imported)
    job_id, _ = train_until_a_fit_is_kept(server, league)
    server.kill()
    server = serve(imported)
    assert model_of(server, job_id) == uninterrupted
    assert len(reused(server, job_id)) == 1
