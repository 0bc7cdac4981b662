"""Ablation: every loss, difference and interval is checked against the forecasts it keeps; the full set's forecasts are the
backtest's own; what is asked wrongly is refused before anything runs."""
import json
import math
from collections import defaultdict

import numpy as np
import pytest
from conftest import copy_of, read_csv

ORDER = ("home", "draw", "away")
REPEATS = 2
ENGINE = ["--parameters", "trees=15,leaves=5", "--folds", "2", "--pool", "league"]


@pytest.fixture(scope="module")
def walked(imported_once, league, tmp_path_factory):
    """The last two seasons, with and without, alone, and against others."""
    almanac = copy_of(imported_once, tmp_path_factory.mktemp("ablation"))
    last = almanac.one("SELECT max(season) FROM match")
    window = ["--league", league, "--from", f"{last - 1}-07-01", "--to", f"{last + 1}-06-30"]
    flags = ["ablation", *window, *ENGINE, "--repeats", REPEATS, "--families", "elo,form,xg", "--only-one", "--against", "with_prices,pi+elo"]
    return almanac, flags, window, almanac.json(*flags)


def read_forecasts(result):
    """{features: {match: [probabilities of each repeat]}}, {match: class}, {match: date}"""
    forecasts, outcome, date = defaultdict(lambda: defaultdict(list)), {}, {}
    for row in read_csv(result["predictions"]):
        forecasts[row["features"]][row["match"]].append([float(row[f"p_{name}"]) for name in ORDER])
        outcome[row["match"]], date[row["match"]] = ORDER.index(row["outcome"]), row["date"]
    return forecasts, outcome, date


def loss_of(repeats, c):
    assert len(repeats) == REPEATS and (repeats[0] != repeats[1] or REPEATS == 1)
    return -np.mean([math.log(p[c]) for p in repeats])


def variants(result):
    return [result["full"], result["control"], *result["drop_one"], *result["only_one"], *result["against"]]


def test_which_sets_walk(walked):
    result = walked[3]
    assert result["full"]["name"] == "no_prices" and "difference" not in result["full"]
    assert {(v["name"], v["family"]) for v in result["drop_one"]} == {(f"without {f}", f) for f in ("elo", "form", "xg")}
    assert {(v["name"], v["family"]) for v in result["only_one"]} == {(f"only {f}", f) for f in ("elo", "form", "xg")}
    assert {v["name"] for v in result["against"]} == {"with_prices", "pi+elo"}
    for dropped in result["drop_one"]:
        alone, = (v for v in result["only_one"] if v["family"] == dropped["family"])
        assert dropped["columns"] + alone["columns"] == result["full"]["columns"]
    assert result["control"]["columns"] == result["full"]["columns"]


def test_losses_are_those_of_the_forecasts(walked):
    result = walked[3]
    forecasts, outcome, _ = read_forecasts(result)
    assert set(forecasts) == {v["name"] for v in variants(result)} and len(outcome) == result["matches"]
    for variant in variants(result):
        p = forecasts[variant["name"]]
        assert set(p) == set(outcome), "each walk forecasts the same matches"
        loss = np.mean([loss_of(p[match], outcome[match]) for match in outcome])
        brier = np.mean([sum((one[c] - (c == outcome[match])) ** 2 for c in range(3)) for match in outcome for one in p[match]])
        assert variant["log_loss"]["value"] == pytest.approx(loss, abs=1e-7)
        assert variant["brier"] == pytest.approx(brier, abs=1e-7)
        assert variant["log_loss"]["low"] < loss < variant["log_loss"]["high"]


def test_differences_are_paired_by_match_day(walked):
    """The interval is that of a bootstrap over whole days, drawn here once more."""
    result = walked[3]
    forecasts, outcome, date = read_forecasts(result)
    full = forecasts["no_prices"]
    random = np.random.default_rng(5)
    for variant in variants(result)[1:]:
        p, days = forecasts[variant["name"]], defaultdict(list)
        for match, c in outcome.items():
            days[date[match]].append(loss_of(p[match], c) - loss_of(full[match], c))
        sums = np.array([(sum(day), len(day)) for day in days.values()])
        drawn = sums[random.integers(0, len(sums), (4000, len(sums)))].sum(axis=1)
        means, difference = drawn[:, 0] / drawn[:, 1], variant["difference"]
        assert difference["value"] == pytest.approx(sums[:, 0].sum() / sums[:, 1].sum(), abs=1e-7)
        for end, level in (("low", 2.5), ("high", 97.5)):
            assert difference[end] == pytest.approx(np.percentile(means, level), abs=0.35 * means.std() + 1e-9)


def test_verdicts_and_order(walked):
    result = walked[3]
    for key, worse, better in (("drop_one", "helps", "hurts"), ("only_one", "worse", "better"),
                               ("against", "worse", "better")):
        values = [v["difference"]["value"] for v in result[key]]
        assert values == sorted(values, reverse=True)
        for v in result[key]:
            expected = worse if v["difference"]["low"] > 0 else better if v["difference"]["high"] < 0 else "not shown"
            assert v["verdict"] == expected


def test_full_set_is_the_backtest(walked):
    almanac, _, window, result = walked
    backtest = almanac.json("backtest", *window, *ENGINE, "--features", "no_prices", "--refit", "season")
    assert backtest["refits"] == result["refits"] == 2
    forecasts, _, _ = read_forecasts(result)
    model = {row["match"]: [float(row[f"p_{name}"]) for name in ORDER] for row in read_csv(backtest["predictions"])
             if row["forecast"].startswith("lightgbm")}
    assert model == {match: repeats[0] for match, repeats in forecasts["no_prices"].items()}, "the first seed is the same"


def test_kept_and_repeatable(walked):
    almanac, flags, _, result = walked
    assert json.loads(open(result["kept"]).read()) == result
    assert str(almanac.data_dir / "backtests") in result["kept"]
    again = almanac.json(*flags)

    def without_time(value):
        if isinstance(value, dict):
            return {key: without_time(item) for key, item in value.items() if key != "took_s"}
        return [without_time(item) for item in value] if isinstance(value, list) else value

    assert without_time(again) == without_time(result)


def test_report_for_people(walked):
    almanac, flags, _, result = walked
    done = almanac.run(*flags[:-2], "--no-only-one", "--no-control", "--families", "elo")
    lines = [line for line in done.stdout.splitlines() if line.strip().startswith("without elo")]
    assert len(lines) == 1 and "another seed" not in done.stdout and "only elo" not in done.stdout
    dropped, = (v for v in result["drop_one"] if v["family"] == "elo")
    assert f"{dropped['log_loss']['value']:.5f}" in lines[0] and dropped["verdict"] in lines[0]
    assert "2/2 without elo" in done.stderr, "progress names the walk"


@pytest.mark.parametrize("flags, word", [
    (["--features", "nothing"], "nothing"), (["--families", "elo,typo"], "typo"), (["--against", "elo+typo"], "typo"),
    (["--league", "XX"], "XX"), (["--engine", "magic"], "magic"), (["--from", "2024-01-01", "--to", "2023-01-01"], "last"),
    (["--no-drop-one", "--no-control"], "nothing to compare"), (["--against", "elo,,xg"], "no name")])
def test_what_makes_no_sense_is_refused_at_once(empty, flags, word):
    done = empty.run("ablation", *flags, check=False)
    assert done.returncode != 0 and word in done.stderr, done.text
