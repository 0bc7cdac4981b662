"""The layer that `calibrate` puts over a version in production: when it is accepted, what it makes of a forecast, what it
leaves alone, and how it ends.

The fit and the formula are written here again, from Platt 1999 and docs/formats/model.md; forecasts come from a world in
which the truth is known."""
import datetime
import math
import random
import sqlite3
import struct
import time

import pytest
from conftest import FAST, wait_for
from scipy.optimize import minimize

HOUR_US = 3_600_000_000
CLASSES = {"1x2": ("home", "draw", "away"), "ou25": ("under", "over")}
BOT = "lightgbm"


# ---- the world ----

def now_us():
    return time.time_ns() // 1000


def write(almanac, sql, rows=((),)):
    connection = sqlite3.connect(almanac.data_dir / "almanac.db", timeout=60)
    with connection:
        connection.executemany(sql, rows)
    connection.close()


def softmax(scores):
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def make_forecasts(count, classes, confidence, seed):
    """(p, outcome): the outcome follows softmax(z), told is softmax(confidence z)."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        scores = [draw.gauss(0, 0.5) for _ in range(classes)]
        outcome = draw.choices(range(classes), softmax(scores))[0]
        made.append((softmax([confidence * score for score in scores]), outcome))
    return made


def version_of(almanac, target):
    return almanac.one("SELECT version FROM version WHERE stage = 'Production' AND variant = ? AND bot = ?", target, BOT)


def keep_forecasts(almanac, target, forecasts):
    """As if they had been told and settled in the last 70 hours, in place of what was there."""
    version, end = version_of(almanac, target), now_us()
    write(almanac, "DELETE FROM forecast WHERE version = ? AND match_id > 1000000", [(version,)])
    rows = []
    for i, (p, outcome) in enumerate(forecasts):
        kickoff = end - 70 * HOUR_US + i * 69 * HOUR_US // len(forecasts)
        rows.append((version, 1000001 + i, "E0", target, kickoff, kickoff - HOUR_US, *(p + [None])[:3], kickoff + HOUR_US,
                     outcome, -math.log(p[outcome])))
    write(almanac, "INSERT INTO forecast(version, match_id, subject, target, kickoff_us, made_us, source, p_1, p_2, p_3, "
                   "settled_us, outcome, loss) VALUES (?, ?, ?, ?, ?, ?, 'served', ?, ?, ?, ?, ?, ?)", rows)


# ---- the arithmetic, again ----

def log_odds(p):
    return math.log(p) - math.log1p(-p)


def platt(forecasts, classes):
    """Slope and intercept per class, by maximum likelihood with smoothed targets."""
    fitted = []
    for k in range(classes):
        x = [log_odds(p[k]) for p, _ in forecasts]
        happened = sum(outcome == k for _, outcome in forecasts)
        high, low = (happened + 1) / (happened + 2), 1 / (len(forecasts) - happened + 2)
        t = [high if outcome == k else low for _, outcome in forecasts]

        def loss(at, x=x, t=t):
            z = [at[0] * xi + at[1] for xi in x]
            return sum(max(zi, 0) + math.log1p(math.exp(-abs(zi))) - ti * zi for zi, ti in zip(z, t)) / len(x)

        fitted.append(tuple(minimize(loss, (1.0, 0.0), method="Nelder-Mead",
                                     options={"xatol": 1e-9, "fatol": 1e-14, "maxiter": 5000}).x))
    return fitted


def put_over(layer, p):
    raw = [1 / (1 + math.exp(-(slope * log_odds(pi) + intercept))) for (slope, intercept), pi in zip(layer, p, strict=True)]
    return [value / sum(raw) for value in raw]


def read_layer(digits, classes):
    data = bytes.fromhex(digits)
    magic, kind, count, zero = struct.unpack_from("<4sIII", data)
    assert (magic, kind, count, zero, len(data)) == (b"CAL1", 1, classes, 0, 16 + 16 * classes)
    numbers = struct.unpack_from(f"<{2 * classes}d", data, 16)
    return list(zip(numbers[::2], numbers[1::2]))


# ---- the server ----

class Asker:
    """One match to come, asked again and again."""

    def __init__(self, server, league, target):
        self.server, self.target, self.classes = server, target, len(CLASSES[target])
        home, away = (row[0] for row in server.almanac.rows(
            "SELECT t.name FROM team t JOIN match m ON m.home_id = t.id WHERE m.league = ? GROUP BY t.id "
            "ORDER BY max(m.day) DESC, t.name LIMIT 2", league))
        self.body = {"league": league, "home": home, "away": away, "target": target, "bot": BOT,
                     "date": (datetime.date.today() + datetime.timedelta(days=3)).isoformat()}
        server.wait_ready()

    def ask(self):
        answer = self.server.predict(**self.body)
        p = [answer["prediction"][name] for name in CLASSES[self.target]]
        assert sum(p) == pytest.approx(1, abs=1e-8)
        for name, value in zip(CLASSES[self.target], p):
            assert answer["fair_odds"][name] == pytest.approx(1 / value)
        return p, answer["model"]["recalibrated"]

    def current(self):
        models = self.server.get("/model/current").json()["models"]
        return {(model["target"], model["bot"]): model["recalibrated"] for model in models}

    def calibrate(self, **options):
        job = self.server.post("/api/jobs", {"task": "calibrate", "options": {"window_h": 72, "variant": self.target,
                                                                              "bot": BOT, **options}})
        done = self.server.wait_job(job.json()["job_id"])
        assert done["job"]["state"] == "succeeded", done["job"]
        assert len(done["result"]["models"]) == 1
        return done["result"]["models"][0]


@pytest.mark.parametrize("target", ["1x2", "ou25"])
def test_overconfident_forecasts_are_put_right(trained, serve, league, target):
    classes = len(CLASSES[target])
    forecasts = make_forecasts(300, classes, 4, seed=3)
    keep_forecasts(trained, target, forecasts)
    asker = Asker(serve(trained), league, target)
    own, layer = asker.ask()
    assert layer is None and set(asker.current().values()) == {None}
    found = asker.calibrate()
    assert found["is_better"] and found["settled"] == 300 and found["loss_after"] < found["loss_before"], found["reason"]
    fitted = read_layer(found["layer"], classes)
    for ours, theirs in zip(platt(forecasts, classes), fitted, strict=True):
        assert theirs == pytest.approx(ours, abs=1e-4)
    assert all(slope < 0.6 for slope, _ in fitted)  # the truth is a quarter
    told, layer = asker.ask()
    assert told == pytest.approx(put_over(fitted, own), abs=1e-9) and max(abs(a - b) for a, b in zip(told, own)) > 0.01
    made_us = datetime.datetime.fromisoformat(layer["at"].replace("Z", "+00:00")).timestamp() * 1e6
    assert layer["matches"] == 300 and abs(made_us - now_us()) < HOUR_US
    assert asker.current() == {(target, BOT): layer} | {key: None for key in asker.current() if key != (target, BOT)}
    asker.server.stop()  # another life of the server reads the same
    assert Asker(serve(trained), league, target).ask() == (told, layer)


def test_well_calibrated_forecasts_change_nothing(trained, serve, league):
    keep_forecasts(trained, "1x2", make_forecasts(300, 3, 1, seed=5))
    asker = Asker(serve(trained), league, "1x2")
    before = asker.ask()
    found = asker.calibrate()
    assert found["is_better"] is False and found["layer"] is None and "not shown to help" in found["reason"]
    assert trained.rows("SELECT is_better, layer FROM recalibration") == [(0, None)]
    assert asker.ask() == before and before[1] is None


def recalibrated(trained, serve, league):
    """(asker, what the model itself says, what is told)."""
    keep_forecasts(trained, "1x2", make_forecasts(300, 3, 4, seed=3))
    asker = Asker(serve(trained), league, "1x2")
    own = asker.ask()[0]
    assert asker.calibrate()["is_better"]
    told, layer = asker.ask()
    assert layer is not None and told != own
    return asker, own, told


def test_a_refused_layer_removes_the_one_before(trained, serve, league):
    asker, own, told = recalibrated(trained, serve, league)
    write(trained, "DELETE FROM forecast")
    assert "20 are needed" in asker.calibrate()["reason"]  # nothing was found: it stays
    assert asker.ask()[0] == told
    keep_forecasts(trained, "1x2", make_forecasts(300, 3, 1, seed=5))
    assert asker.calibrate()["is_better"] is False
    assert asker.ask() == (own, None)


def test_a_layer_has_its_life(trained, serve, league):
    asker, own, told = recalibrated(trained, serve, league)
    write(trained, "UPDATE version SET trained_us = trained_us - ?", [(100 * HOUR_US,)])
    for left_s in (3, 12, 48):  # to live; more where a server takes longer to start
        asker.server.stop()
        write(trained, "UPDATE recalibration SET made_us = ?", [(now_us() - 48 * HOUR_US + left_s * 1_000_000,)])
        asker.server = serve(trained)
        asker.server.wait_ready()
        if (lived := asker.ask()[0] == told):
            break
    assert lived  # nothing is read again until its time has passed
    wait_for(lambda: asker.ask() == (own, None), left_s + 60, "the layer is over")
    assert set(asker.current().values()) == {None}


def test_a_version_trained_again_begins_anew(trained, serve, league):
    asker, own, _ = recalibrated(trained, serve, league)
    write(trained, "UPDATE version SET trained_us = ?", [(now_us(),)])
    wait_for(lambda: asker.ask() == (own, None), 10, "the layer is older than the version")


def test_a_damaged_layer_is_none(trained, serve, league):
    asker, own, _ = recalibrated(trained, serve, league)
    write(trained, "UPDATE recalibration SET layer = x'43414c31'")
    wait_for(lambda: asker.ask() == (own, None), 10, "the layer is refused")
    assert "recalibration of version" in asker.server.log()


def test_a_look_at_the_past_is_no_news(trained, serve, league):
    asker, _, told = recalibrated(trained, serve, league)
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=2)
    found = asker.calibrate(at=then.strftime("%Y-%m-%dT%H:%M:%SZ"), window_h=70)
    assert found["settled"] > 200
    assert asker.ask()[0] == told and asker.ask()[1]["matches"] == 300


def test_the_same_finding_is_kept_once_an_hour(trained, serve, league):
    asker, _, told = recalibrated(trained, serve, league)
    asker.calibrate()
    assert trained.one("SELECT count(*) FROM recalibration") == 1
    write(trained, "UPDATE recalibration SET made_us = made_us - ?", [(2 * HOUR_US,)])
    asker.calibrate()
    assert trained.one("SELECT count(*) FROM recalibration") == 2  # its life is renewed
    assert asker.ask()[0] == told


def test_what_is_kept_is_what_the_model_said(trained, serve, league, tmp_path):
    """No feedback: served with the layer, kept without it; the next layer is the same."""
    asker, own, told = recalibrated(trained, serve, league)
    asker.server.stop()
    day = datetime.date.today() + datetime.timedelta(days=3)
    path = tmp_path / "fixture.csv"
    path.write_text("Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR\n"
                    f"{league},{day:%d/%m/%Y},15:00,{asker.body['home']},{asker.body['away']},,,\n")
    trained.run("import", "football", path)
    server = asker.server = serve(trained)
    server.wait_ready()
    answer = server.predict(**asker.body)
    assert answer["match"]["id"] is not None
    p = [answer["prediction"][name] for name in CLASSES["1x2"]]
    kept = wait_for(lambda: trained.rows("SELECT p_1, p_2, p_3, layer_us FROM forecast WHERE match_id = ?",
                                         answer["match"]["id"]), 10, "the forecast is written")
    assert len(kept) == 1
    made_us, digits = trained.rows("SELECT made_us, hex(layer) FROM recalibration")[0]
    assert kept[0][3] == made_us
    assert put_over(read_layer(digits, 3), kept[0][:3]) == pytest.approx(p, abs=1e-9)
    assert max(abs(a - b) for a, b in zip(p, kept[0][:3])) > 0.01
    assert asker.calibrate()["layer"].upper() == digits


def test_played_matches_and_files_stay_as_they_are(trained, serve, league):
    keep_forecasts(trained, "1x2", make_forecasts(300, 3, 4, seed=3))
    asker = Asker(serve(trained), league, "1x2")
    played = str(trained.one("SELECT id FROM match WHERE league = ? AND state = 1 ORDER BY day DESC LIMIT 1", league))
    before = asker.server.predict(match=played, bot=BOT)
    assert before["match"]["is_played"] and before["prediction"] is not None
    assert asker.calibrate()["is_better"] and asker.ask()[1] is not None
    assert asker.server.predict(match=played, bot=BOT) == before and before["model"]["recalibrated"] is None
    version = version_of(trained, "1x2")
    asker.server.stop()
    assert trained.run("models", "reproduce", version).returncode == 0


def test_a_cleared_model_loses_its_layer(trained, serve, league):
    asker, own, _ = recalibrated(trained, serve, league)
    version = version_of(trained, "1x2")
    answer = asker.server.request("DELETE", f"/api/models/clear/{league}/1x2/{BOT}")
    assert answer.json()["versions"] == [version]
    assert asker.server.predict(**asker.body)["model"] is None
    trained.run("train", "--league", league, *FAST)  # gives the very same version
    assert version_of(trained, "1x2") == version
    wait_for(lambda: asker.server.predict(**asker.body)["model"], 20, "it is back")
    assert asker.ask() == (own, None)
