"""Models: reproduced byte for byte, dumped, promoted, rolled back; and their figures computed a second time by
scikit-learn from the kept predictions."""
import json
import math
import re

import numpy as np
import pytest
from conftest import FAST, copy_of, read_csv
from sklearn.metrics import accuracy_score, f1_score, log_loss

CLASSES = {"1x2": ["home", "draw", "away"], "ou25": ["under", "over"]}
METRICS = ("log_loss", "brier", "rps", "accuracy", "macro_f1", "ece")


def files_of(almanac):
    return {path.stem: path for path in (almanac.data_dir / "models").rglob("*.model")}


def versions_of(almanac):
    """version -> (subject, variant, bot, stage)"""
    return {row[0]: row[1:] for row in almanac.rows("SELECT version, subject, variant, bot, stage FROM version")}


def version_of(almanac, variant="1x2", bot="lightgbm"):
    return next(version for version, row in versions_of(almanac).items() if row[1:3] == (variant, bot))


# ---- the same bytes again ----

@pytest.mark.parametrize("variant, bot", [("1x2", "lightgbm"), ("ou25", "lightgbm"), ("1x2", "lightgbm_prices")])
def test_reproduce(trained, variant, bot):
    version = version_of(trained, variant, bot)
    before = files_of(trained)[version].read_bytes()
    done = trained.run("models", "reproduce", version)
    assert version in done.stdout and "equal" in done.stdout and str(len(before)) in done.stdout
    assert files_of(trained)[version].read_bytes() == before


def test_reproduce_after_more_matches(trained, league, tmp_path):
    """The version names its matrix: matches imported since do not matter."""
    path = tmp_path / "more.csv"
    home, away = (name for name, in trained.rows("SELECT name FROM team ORDER BY id LIMIT 2"))
    path.write_text(f"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,01/08/2039,{home},{away},3,0\n")
    trained.run("import", "football", path)
    assert "equal" in trained.run("models", "reproduce", version_of(trained)).stdout


def test_reproduce_when_the_matrix_is_gone(trained):
    for path in (trained.data_dir / "matrix").glob("*"):
        path.unlink()
    assert "equal" in trained.run("models", "reproduce", version_of(trained)).stdout


def test_reproduce_of_a_damaged_file(trained):
    version = version_of(trained)
    path = files_of(trained)[version]
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    done = trained.run("models", "reproduce", version, check=False)
    assert done.returncode == 6 and "equal" not in done.stdout


def test_training_again_gives_the_same_file(imported, league):
    imported.run("train", "--league", league, *FAST)
    (version, path), = files_of(imported).items()
    first = path.read_bytes()
    path.unlink()
    again = imported.json("train", "--league", league, *FAST)
    assert again["version"] == version and path.read_bytes() == first


def test_what_decides_the_version(imported, league):
    """Seed, parameters, data: each makes another version."""
    base = ["train", "--league", league, "--engine", "elo_logit"]
    seen = [imported.json(*base, *extra)["version"] for extra in (
        [], ["--seed", "2"], ["--holdout", "0.25"], ["--folds", "3"], ["--pool", "country"],
        ["--target", "ou25"], ["--features", "with_prices"], ["--last", "2000"], ["--from", "2019-08-01"])]
    assert len(set(seen)) == len(seen)
    assert imported.json(*base)["version"] == seen[0]


# ---- dump ----

def test_dump(trained, league):
    version = version_of(trained)
    by_version = trained.run("models", "dump", version).stdout
    by_prefix = trained.run("models", "dump", version[:6]).stdout
    by_path = trained.run("models", "dump", files_of(trained)[version]).stdout
    assert by_version == by_prefix == by_path
    for word in (version, league, "lightgbm", "elo_plain_home"):
        assert word in by_version


@pytest.mark.parametrize("damage", ["truncated", "bit", "junk", "empty"])
def test_dump_of_a_damaged_file(trained, tmp_path, damage):
    """Says what is wrong and shows what can still be read; never crashes."""
    data = files_of(trained)[version_of(trained)].read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 4
    path = tmp_path / "damaged.model"
    path.write_bytes({"truncated": data[:len(data) // 2], "bit": bytes(flipped), "junk": bytes(range(256)) * 20,
                      "empty": b""}[damage])
    done = trained.run("models", "dump", path, check=False)
    assert done.returncode in (0, 2, 6), done.text
    assert re.search(r"checksum|truncated|short|not a model|cut|damaged|magic|empty|expected", done.text.lower()), done.text


def test_dump_of_nothing(trained):
    assert trained.run("models", "dump", "ffffffff", check=False).returncode == 3
    assert trained.run("models", "dump", check=False).returncode == 2


# ---- stages ----

def test_list_and_current(trained, league):
    listed = trained.run("models", "list").stdout
    for version in versions_of(trained):
        assert version in listed
    only = trained.run("models", "current", "--league", league, "--target", "ou25").stdout
    assert version_of(trained, "ou25") in only and version_of(trained) not in only
    assert trained.run("models", "current", "--league", "none", check=False).returncode == 3


def test_promote_rollback_history(trained, league):
    first = version_of(trained)
    second = trained.json("train", "--league", league, *FAST, "--seed", "5")["version"]
    stage = lambda version: versions_of(trained)[version][3]
    trained.run("models", "promote", second[:8], "--why", "a try")
    assert (stage(first), stage(second)) == ("Archived", "Production")
    name = ["--league", league, "--target", "1x2", "--bot", "lightgbm"]
    assert first in trained.run("models", "rollback", *name).stdout
    assert (stage(first), stage(second)) == ("Production", "Archived")
    history = json.loads(trained.run("models", "history", *name).stdout)
    text = json.dumps(history)
    assert "a try" in text and first in text and second in text
    assert text.count('"Production"') >= 3
    # there is nothing before the first
    assert trained.run("models", "rollback", *name, check=False).returncode in (3, 4)
    assert stage(first) == "Production"
    assert trained.one("SELECT count(*) FROM version WHERE stage = 'Production' AND variant = '1x2' "
                       "AND bot = 'lightgbm'") == 1


def test_promote_what_is_not_there(trained):
    before = versions_of(trained)
    assert trained.run("models", "promote", "0123456789abcdef", check=False).returncode == 3
    assert trained.run("models", "rollback", "--league", "E0", check=False).returncode == 2
    assert versions_of(trained) == before


def test_only_the_better_is_promoted(trained, league):
    """A model that learned by heart does not replace a sound one; the numbers of the decision are kept."""
    champion = version_of(trained)
    result = trained.json("train", "--league", league, "--folds", "0", "--parameters",
                          "trees=20,leaves=63,min_child_samples=1,learning_rate=1,lambda_l2=0")
    decision = result["decision"]
    assert decision["promote"] is False and decision["champion"] == champion
    assert decision["brier"]["low"] <= decision["brier"]["value"] <= decision["brier"]["high"]
    assert versions_of(trained)[champion][3] == "Production"
    assert versions_of(trained)[result["version"]][3] != "Production"
    promoted, reason = trained.rows("SELECT promoted, reason FROM decision WHERE version = ?", result["version"])[0]
    assert promoted == 0 and champion in reason
    # the other way round, the better one is promoted by itself
    trained.run("models", "promote", result["version"])
    again = trained.json("train", "--league", league, *FAST, "--seed", "9")
    assert again["decision"]["promote"] is True, again["decision"]
    assert again["decision"]["brier"]["high"] < 0


# ---- figures, computed again ----

def ece(p, outcome, bins=15):
    """The rule of src/learn/metric.h: all class probabilities in the same bins of equal width, one against the rest."""
    flat, happened = p.ravel(), np.eye(p.shape[1])[outcome].ravel()
    index = np.minimum((flat * bins).astype(int), bins - 1)
    total = sum(abs(flat[index == k].sum() - happened[index == k].sum()) for k in range(bins))
    return total / flat.size


def figures(p, outcome):
    """By scikit-learn where it has the metric, else by the definition."""
    classes = p.shape[1]
    onehot = np.eye(classes)[outcome]
    best = p.argmax(1)
    steps = (np.cumsum(p, 1) - np.cumsum(onehot, 1))[:, :-1]
    return {"log_loss": log_loss(outcome, p, labels=range(classes)), "brier": ((p - onehot) ** 2).sum(1).mean(),
            "rps": (steps ** 2).sum(1).mean() / (classes - 1), "accuracy": accuracy_score(outcome, best),
            "macro_f1": f1_score(outcome, best, average="macro", zero_division=0), "ece": ece(p, outcome)}


def kept(path, target):
    """forecast -> {match: p}, match -> outcome; from the CSV that a backtest leaves."""
    forecasts, outcome = {}, {}
    for row in read_csv(path):
        forecasts.setdefault(row["forecast"], {})[row["match"]] = [float(row["p_" + name]) for name in CLASSES[target]]
        outcome[row["match"]] = CLASSES[target].index(row["outcome"])
    return forecasts, outcome


@pytest.fixture(scope="module", params=["1x2", "ou25"])
def backtest(request, imported_once, league, tmp_path_factory):
    last = imported_once.one("SELECT max(season) FROM match")
    return request.param, copy_of(imported_once, tmp_path_factory.mktemp("backtest")).json(
        "backtest", "--league", league, "--target", request.param, "--from", f"{last - 1}-07-01", "--to",
        f"{last + 1}-06-30", "--refit", "season", *FAST)


def test_backtest_figures_by_scikit_learn(backtest):
    target, result = backtest
    forecasts, outcome = kept(result["predictions"], target)
    shown = {forecast["name"]: forecast for forecast in result["total"]["forecasts"]}
    assert set(shown) == set(forecasts) and len(shown) >= 5
    common = sorted(set.intersection(*(set(rows) for rows in forecasts.values())))
    assert result["total"]["rows"] == len(common) > 500
    labels = np.array([outcome[match] for match in common])
    for name, rows in forecasts.items():
        p = np.array([rows[match] for match in common])
        assert np.allclose(p.sum(1), 1, atol=1e-7) and (p > 0).all()
        expected = figures(p / p.sum(1, keepdims=True), labels)
        for metric in METRICS:
            value, slack = shown[name][metric], 1e-6
            if metric == "ece":  # nine digits are kept: what lies on the border of a bin may fall to either side
                slack += 2 * (np.abs(p * 15 - np.round(p * 15)) < 1e-7).sum() / p.size
            assert math.isclose(value["value"], expected[metric], abs_tol=slack), (name, metric, value, expected[metric])
            assert value["low"] <= value["value"] <= value["high"] or metric in ("ece", "macro_f1"), (name, metric, value)


def test_backtest_seasons_add_up(backtest):
    _, result = backtest
    seasons = [(season["scores"]["rows"], {f["name"]: f["log_loss"]["value"] for f in season["scores"]["forecasts"]})
               for season in result["seasons"]]
    assert sum(rows for rows, _ in seasons) == result["total"]["rows"]
    for forecast in result["total"]["forecasts"]:
        mean = sum(rows * losses[forecast["name"]] for rows, losses in seasons) / result["total"]["rows"]
        assert math.isclose(mean, forecast["log_loss"]["value"], abs_tol=1e-9)


def test_backtest_difference_to_the_close(backtest):
    target, result = backtest
    forecasts, outcome = kept(result["predictions"], target)
    reference = result["total"]["reference"]
    assert reference.startswith("closing price")
    common = sorted(set.intersection(*(set(rows) for rows in forecasts.values())))
    loss = {name: np.mean([-math.log(rows[match][outcome[match]]) for match in common]) for name, rows in forecasts.items()}
    for forecast in result["total"]["forecasts"]:
        if forecast["name"] != reference:
            assert math.isclose(forecast["against_reference"]["value"], loss[forecast["name"]] - loss[reference], abs_tol=1e-6)


def test_backtest_outcomes_are_the_results(backtest, imported_once):
    target, result = backtest
    _, outcome = kept(result["predictions"], target)
    for match, label in outcome.items():
        home, away = imported_once.rows("SELECT home_goals, away_goals FROM match WHERE id = ?", int(match))[0]
        expected = (0 if home > away else 1 if home == away else 2) if target == "1x2" else int(home + away > 2.5)
        assert label == expected


def test_flat_betting_by_hand(backtest, imported_once, league):
    """Bets, wins, stakes and profit of flat staking from the kept predictions and the stored prices."""
    target, result = backtest
    market, prices = {}, {"1x2": 3, "ou25": 2}[target]
    for match, *odds in imported_once.rows("SELECT p.match_id, p.price_1, p.price_2, p.price_3 FROM price p JOIN quote q ON "
                                           "q.id = p.quote_id WHERE q.market = ? AND q.bookmaker = 'B365' AND "
                                           "q.label = 'pre_close'", target):
        market[str(match)] = [np.float32(price or np.nan) for price in odds[:prices]]  # as the program keeps them
    forecasts, outcome = kept(result["predictions"], target)
    for model in result["models"]:
        flat = next(plan for plan in model["betting"]["plans"] if plan["staking"] == "flat")
        bets = won = returned = 0
        for match, p in forecasts[model["name"]].items():
            for selection, price in enumerate(market.get(match, [])):
                if p[selection] * float(price) - 1 >= flat["min_edge"]:
                    bets += 1
                    won += selection == outcome[match]
                    returned += float(price) * (selection == outcome[match])
        assert (flat["bets"], flat["won"], flat["staked"]) == (bets, won, bets) and bets > 10
        assert math.isclose(flat["profit"], returned - bets, abs_tol=1e-6)
        assert math.isclose(flat["roi"]["value"], returned / bets - 1, abs_tol=1e-9)


def test_holdout_figures_agree(trained, league):
    """The score sheet of a training, the file's description and the registry tell one story."""
    result = trained.json("train", "--league", league, *FAST)
    own = result["scores"]["forecasts"][0]
    row = trained.rows("SELECT log_loss, brier, rps, accuracy FROM version WHERE version = ?", result["version"])[0]
    described = result["description"]["holdout_metrics"]
    for metric, value in zip(("log_loss", "brier", "rps", "accuracy"), row):
        assert math.isclose(described[metric], value, rel_tol=1e-12)
        if result["scores"]["rows"] == result["description"]["holdout"]["rows"]:
            assert math.isclose(own[metric]["value"], value, rel_tol=1e-9)
    names = [forecast["name"] for forecast in result["scores"]["forecasts"]]
    assert names[0] == "lightgbm" and "base_rate" in names and "bookmaker" in names
    # learned strictly before what is judged
    assert result["description"]["learned"]["to"] < result["description"]["holdout"]["from"]
