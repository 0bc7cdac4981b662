"""On simulated data the best possible forecast is known: how close does an honest model come?

A calibrated model that sees prices must come within 0.01 log loss of the true probabilities, and its calibration error
must not be told from that of the truth itself, whose error is the noise of drawing (the floor). Without prices the
strengths must be guessed from some dozens of results each, while they move: that model is held to what it can do, which
is to close most of the distance between the base rate and the truth.

Two distances to the truth are looked at: the difference of log losses on what was drawn, and its expectation under the
truth (Kullback-Leibler), in which no luck is left.
"""
import numpy as np
import pytest
from conftest import Almanac, day_of, read_csv, simulate
from test_models import ece, kept

SEASONS = 12


@pytest.fixture(scope="module")
def yardstick(binary, tmp_path_factory):
    """(store, {(league, date, home, away): true probabilities})"""
    folder = tmp_path_factory.mktemp("yardstick")
    csv = simulate(folder, 2, SEASONS, 20)
    almanac = Almanac(folder / "data", folder)
    almanac.run("import", "football", csv)
    truth = {}
    for row in read_csv(next(csv.rglob("true_probabilities.csv"))):
        over = float(row["p_over25"])
        truth[row["league"], row["date"], row["home"], row["away"]] = {
            "1x2": [float(row[name]) for name in ("p_home", "p_draw", "p_away")], "ou25": [1 - over, over]}
    return almanac, truth


def test_truth_covers_every_match(yardstick):
    almanac, truth = yardstick
    stored = {(league, day_of(day).isoformat(), home, away) for league, day, home, away in almanac.rows(
        "SELECT m.league, m.day, h.name, a.name FROM match m JOIN team h ON h.id = m.home_id "
        "JOIN team a ON a.id = m.away_id")}
    assert stored == set(truth)
    for p in truth.values():
        assert abs(sum(p["1x2"]) - 1) < 1e-6 and min(p["1x2"]) > 0 and 0 < p["ou25"][1] < 1


def test_outcomes_follow_the_truth(yardstick):
    """The yardstick itself: what was drawn agrees with the probabilities it was drawn from."""
    almanac, truth = yardstick
    rows = almanac.rows("SELECT m.league, m.day, h.name, a.name, m.home_goals, m.away_goals FROM match m "
                        "JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id")
    p = np.array([truth[row[0], day_of(row[1]).isoformat(), row[2], row[3]]["1x2"] for row in rows])
    outcome = np.array([0 if home > away else 1 if home == away else 2 for *_, home, away in rows])
    for label in range(3):
        z = ((outcome == label).sum() - p[:, label].sum()) / np.sqrt((p[:, label] * (1 - p[:, label])).sum())
        assert abs(z) < 4
    entropy = -(p * np.log(p)).sum(1)
    loss = -np.log(p[np.arange(len(p)), outcome])
    assert abs(loss.mean() - entropy.mean()) < 4 * loss.std() / np.sqrt(len(p))


@pytest.fixture(scope="module", params=["1x2", "ou25"])
def judged(request, yardstick):
    """Forecasts of the last three seasons of a league beside the truth: {name: p}, truth, outcomes, score sheet."""
    almanac, truth = yardstick
    target = request.param
    last = almanac.one("SELECT max(season) FROM match")
    result = almanac.json("backtest", "--league", "E1", "--target", target, "--from", f"{last - 2}-07-01", "--to",
                          f"{last + 1}-06-30", "--refit", "season", "--folds", "2", "--parameters",
                          "trees=80,leaves=5,learning_rate=0.05")
    forecasts, outcome = kept(result["predictions"], target)
    keys = {row["match"]: ("E1", row["date"], row["home"], row["away"]) for row in read_csv(result["predictions"])}
    matches = sorted(outcome)
    assert len(matches) == 3 * 552
    return {"target": target, "result": result, "p": {name: np.array([rows[m] for m in matches])
                                                      for name, rows in forecasts.items()},
            "truth": np.array([truth[keys[m]][target] for m in matches]), "outcome": np.array([outcome[m] for m in matches]),
            "shown": {forecast["name"]: forecast for forecast in result["total"]["forecasts"]}}


def log_losses(p, outcome):
    return -np.log(p[np.arange(len(p)), outcome])


def drawn_gap(judged, name):
    """Per match: log loss minus that of the truth."""
    return log_losses(judged["p"][name], judged["outcome"]) - log_losses(judged["truth"], judged["outcome"])


def expected_gap(judged, name):
    return (judged["truth"] * np.log(judged["truth"] / judged["p"][name])).sum(1).mean()


def test_within_a_hundredth_of_the_truth(judged):
    name = "lightgbm with prices"
    assert drawn_gap(judged, name).mean() < 0.01 and expected_gap(judged, name) < 0.01


def test_nobody_beats_the_truth(judged):
    """By more than chance: that would be a leak."""
    for name in judged["p"]:
        gap = drawn_gap(judged, name)
        assert gap.mean() > -3.5 * gap.std() / np.sqrt(len(gap)), name
    assert not any(model["trust_alarm"] for model in judged["result"]["models"])


def test_what_is_learned_without_prices(judged):
    base, model = expected_gap(judged, "base_rate"), expected_gap(judged, "lightgbm no prices")
    assert model < (0.6 if judged["target"] == "1x2" else 1) * base, (model, base)
    assert expected_gap(judged, "lightgbm with prices") < model


@pytest.mark.parametrize("name", ["lightgbm no prices", "lightgbm with prices"])
def test_calibration_interval_contains_the_noise_floor(judged, name):
    """ECE of the truth on these very matches is what drawing alone costs."""
    floor, interval = ece(judged["truth"], judged["outcome"]), judged["shown"][name]["ece"]
    assert interval["low"] <= floor <= interval["high"], (floor, interval)


def test_closing_price_is_near_the_truth(judged):
    """The simulated bookmaker knows the truth up to a small error."""
    name = next(name for name in judged["p"] if name.startswith("closing price"))
    assert expected_gap(judged, name) < 0.002 and abs(drawn_gap(judged, name).mean()) < 0.005


def test_the_same_seed_gives_the_same_files(binary, tmp_path):
    def bytes_of(name, seed):
        folder = tmp_path / name
        folder.mkdir()
        csv = simulate(folder, 2, 2, seed)
        return {path.relative_to(csv): path.read_bytes() for path in csv.rglob("*.csv")}

    first = bytes_of("a", 7)
    assert first == bytes_of("b", 7) and len(first) == 6
    assert first != bytes_of("c", 8)


@pytest.mark.parametrize("flags", [["--leagues", "0"], ["--leagues", "100"], ["--seasons", "0"], ["--seasons", "1000"],
                                   ["--seed", "-1"], ["--leagues", "two"]])
def test_simulator_refuses(binary, tmp_path, flags):
    done = Almanac(tmp_path / "data", tmp_path).run("simulate", "football", *flags, "--out", tmp_path / "out", check=False)
    assert done.returncode == 2 and flags[0].strip("-") in done.text
    assert not list((tmp_path / "out").rglob("*.csv")) if (tmp_path / "out").exists() else True
