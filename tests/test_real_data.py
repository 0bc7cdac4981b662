"""Real data: counts, the published figures, the leak audit. Skipped, saying so, where the data are not at hand."""
import math
import subprocess
import sys

import pytest
from conftest import ROOT, Almanac

# tests/reference/football_protocol.py, unrounded: all matches: log loss, RPS, Brier, accuracy; Premier League: log loss,
# RPS. Its agreement with the published four digits is its own test.
PROTOCOL = {
    "closing": (1.0003465, 0.2033511, 0.5982076, 0.502439, 0.9495124, 0.1924322),
    "pi .035 .7": (1.0215423, 0.2099046, 0.6126402, 0.486056, 0.9699392, 0.1989920),
    "pi .06 .6": (1.0231549, 0.2103842, 0.6136487, 0.484437, 0.9785666, 0.2016435),
    "elo 20 world": (1.0217527, 0.2099800, 0.6127383, 0.486529, 0.9699179, 0.1989060),
    "elo 12 root": (1.0221622, 0.2101366, 0.6130614, 0.485153, 0.9684777, 0.1984756),
    "elo 20 plain": (1.0231493, 0.2104486, 0.6137199, 0.484030, 0.9717966, 0.1994820),
}
DIVISIONS = {"B1": 8082, "D1": 9486, "D2": 9560, "E0": 11944, "E1": 17112, "E2": 16960, "E3": 16820, "EC": 10130,
             "F1": 11235, "F2": 10704, "G1": 7668, "I1": 10966, "I2": 11542, "N1": 9412, "P1": 8652, "SC0": 6503,
             "SC1": 5312, "SC2": 4749, "SC3": 4747, "SP1": 11944, "SP2": 12854, "T1": 9444}


@pytest.fixture(scope="module")
def real(binary, real_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    almanac = Almanac(folder / "data", folder)
    almanac.run("import", "football", real_data)
    return almanac


def test_every_match_is_there(real):
    """225,826 played matches; what else the files hold are three rows without result or teams, and blank ones."""
    assert real.one("SELECT count(*) FROM match WHERE state = 1") == 225826
    assert dict(real.rows("SELECT league, count(*) FROM match WHERE state = 1 GROUP BY league")) == DIVISIONS
    assert real.one("SELECT count(*) FROM match") - 225826 <= 2, "two rows have teams but no goals"
    home, draw, away = real.rows("SELECT sum(home_goals > away_goals), sum(home_goals = away_goals), "
                                 "sum(home_goals < away_goals) FROM match WHERE state = 1")[0]
    assert (home, draw, away) == (102044, 60552, 63230)


def test_every_row_is_accounted_for(real):
    counts = real.counts()
    read, kept = real.rows("SELECT sum(rows_read), sum(rows_kept) FROM import_file")[0]
    assert real.one("SELECT count(*) FROM import_file WHERE error IS NOT NULL") == 0
    assert counts["blank_row"] == 19940 and counts["missing_team"] == 1 and counts["two_digit_year"] == 176346
    assert counts["ragged_row"] == 25318 + 6518 and counts["byte_order_mark"] == 3
    assert read == 245769 and read - kept == 19941


def test_second_import_reads_nothing(real, real_data):
    before = real.one("SELECT value FROM meta WHERE key = 'football_revision'")
    assert "645 unchanged" in real.run("import", "football", real_data).text
    assert real.one("SELECT value FROM meta WHERE key = 'football_revision'") == before


def test_reference_table(real):
    """All six rows of the data's own table, from the store."""
    result = real.json("reference", "football")
    assert len(result["forecasts"]) == len(PROTOCOL)
    left = dict(PROTOCOL)
    for forecast in result["forecasts"]:
        everything, league = forecast["all"], forecast["league"]
        assert everything["matches"] == 90825 and league["matches"] == 4560
        name = min(left, key=lambda name: abs(left[name][0] - everything["log_loss"]) +
                   abs(left[name][4] - league["log_loss"]))
        expected = left.pop(name)
        found = (everything["log_loss"], everything["rps"], everything["brier"], everything["accuracy"],
                 league["log_loss"], league["rps"])
        if name == "closing":
            assert all(round(a, 4) == round(b, 4) for a, b in zip(found, expected)), (name, found)
        for index, (a, b) in enumerate(zip(found, expected)):
            # the accuracy of a rating hangs on matches at the very threshold
            assert math.isclose(a, b, abs_tol=0.0002 if index == 3 else 0.0001), (name, found, expected)
    assert not left


def test_the_protocol_itself(real_data):
    done = subprocess.run([sys.executable, ROOT / "tests" / "reference" / "football_protocol.py", "--data", real_data,
                           "--check"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_leak_audit(real):
    done = real.run("features", "audit", "--cuts", "2")
    assert "passed" in done.stdout


def test_real_model_is_honest(real):
    """Between the base rate and the closing price, with and without prices; no alarm."""
    result = real.json("backtest", "--league", "E0", "--from", "2021-07-01", "--to", "2024-06-30", "--refit", "season",
                       "--pool", "league", "--folds", "2", "--parameters", "trees=80,leaves=5,learning_rate=0.04")
    loss = {f["name"]: f["log_loss"]["value"] for f in result["total"]["forecasts"]}
    close = next(value for name, value in loss.items() if name.startswith("closing price"))
    assert result["total"]["rows"] > 1100
    assert close - 0.005 < loss["lightgbm with prices"] < loss["lightgbm no prices"] < loss["base_rate"]
    assert not any(model["trust_alarm"] for model in result["models"])
