"""Feature statistics: every figure recomputed with numpy and SciPy from the exported matrix; formats, filters, the file that
keeps them, and the page's data over HTTP."""
import csv
import io
import json

import numpy as np
import pytest
from conftest import FAST, assert_error, copy_of, read_csv
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

LEVELS = [.01, .05, .25, .5, .75, .95, .99]
DAY = np.timedelta64(1, "D")


def read_matrix(almanac):
    """start, league, played, {feature: float32 column}"""
    almanac.run("features", "build", "--csv")
    rows = read_csv(almanac.data_dir / "feature_matrix_last.csv")
    names = [name for name in rows[0] if name not in ("id", "start", "league") and not name.startswith("label")]
    start = np.array([np.datetime64(row["start"].rstrip("Z")) for row in rows])
    columns = {name: np.array([np.float32(row[name] or "nan") for row in rows], np.float32) for name in names}
    return start, np.array([row["league"] for row in rows]), columns


@pytest.fixture(scope="module")
def measured(imported_once, tmp_path_factory):
    almanac = copy_of(imported_once, tmp_path_factory.mktemp("statistics"))
    return almanac, read_matrix(almanac)


def drift(reference, current):
    missing = np.isnan(current).mean() - np.isnan(reference).mean()
    reference, current = (np.sort(x[~np.isnan(x)].astype(float)) for x in (reference, current))
    if min(len(reference), len(current)) < 2:
        return None, None, None, None, missing
    deciles = np.quantile(reference, np.arange(1, 10) / 10)
    cuts = []  # a value that spans several deciles is a bin of its own
    for value, times in zip(*np.unique(deciles, return_counts=True)):
        cuts += [(value, "left")] + [(value, "right")] * int(times > 1)

    def share(sample):
        places = [np.searchsorted(sample, value, side) for value, side in cuts]
        return np.diff([0, *places, len(sample)]) / len(sample)

    e, a = share(reference), share(current)
    js = jensenshannon(e, a) ** 2
    e, a = np.where(e > 0, e, 1e-4), np.where(a > 0, a, 1e-4)
    area, deviation = wasserstein_distance(reference, current), reference.std(ddof=1)
    return (((a - e) * np.log(a / e)).sum(), ks_2samp(reference, current).statistic, js,
            0 if area == 0 else area / deviation if deviation > 0 else None, missing)


def agree(value, expected, name, tolerance=1e-9):
    if expected is None or np.isnan(expected):
        assert value is None, name
    else:
        assert value == pytest.approx(float(expected), rel=tolerance, abs=tolerance), name


def check_feature(feature, values, reference, recent):
    name = feature["name"]
    there = values[~np.isnan(values)].astype(float)
    assert feature["count"] == len(there), name
    agree(feature["missing_share"], np.isnan(values).mean(), name)
    agree(feature["mean"], there.mean() if len(there) else None, name)
    agree(feature["deviation"], there.std(ddof=1) if len(there) > 1 else None, name)
    agree(feature["low"], there.min() if len(there) else None, name)
    agree(feature["high"], there.max() if len(there) else None, name)
    for value, expected in zip(feature["quantiles"], np.quantile(there, LEVELS) if len(there) else [None] * 7):
        agree(value, expected, name)
    for window, sample in (("reference", reference), ("recent", recent)):
        present = sample[~np.isnan(sample)].astype(float)
        agree(feature[f"{window}_mean"], present.mean() if len(present) else None, name)
        agree(feature[f"{window}_missing_share"], np.isnan(sample).mean() if len(sample) else None, name)
    for key, expected in zip(("psi", "ks", "js", "w1", "missing_change"), drift(reference, recent)):
        agree(feature[key], expected, f"{name} {key}", 1e-7)


def windows(start, days, to=None):
    recent = start > start.max() - np.timedelta64(days, "D")
    return (~recent if to is None else ~recent & (start < np.datetime64(to) + DAY)), recent


def test_every_figure_agrees_with_scipy(measured):
    almanac, (start, _, columns) = measured
    result = almanac.json("features", "statistics")
    assert result["quantile_levels"] == LEVELS and result["league"] is None and result["rows"] == len(start)
    assert {feature["name"] for feature in result["features"]} == set(columns)
    reference, recent = windows(start, 365)
    assert result["reference"]["rows"] == reference.sum() and result["recent"]["rows"] == recent.sum()
    assert result["reference"]["model"] is None
    for feature in result["features"]:
        values = columns[feature["name"]]
        check_feature(feature, values, values[reference], values[recent])


def test_a_league_and_a_window(measured, league):
    almanac, (start, leagues, columns) = measured
    rows = leagues == league
    start = start[rows]
    to = str(start[len(start) // 2].astype("datetime64[D]"))
    result = almanac.json("features", "statistics", "--league", league, "--reference-to", to, "--recent-days", "100")
    reference, recent = windows(start, 100, to)
    assert result["league"] == league and result["rows"] == len(start)
    assert (result["reference"]["rows"], result["recent"]["rows"]) == (reference.sum(), recent.sum())
    for feature in result["features"][::5]:
        values = columns[feature["name"]][rows]
        check_feature(feature, values, values[reference], values[recent])


def test_most_drifted_first(measured):
    psi = [feature["psi"] for feature in measured[0].json("features", "statistics")["features"]]
    there = [value for value in psi if value is not None]
    assert there == sorted(there, reverse=True) and psi[:len(there)] == there


def test_formats_and_filters(measured):
    almanac, _ = measured
    whole = almanac.json("features", "statistics")
    elo = [feature for feature in whole["features"] if feature["family"] == "elo"]
    flags = ("features", "statistics", "--family", "elo", "--limit", "3")
    assert almanac.json(*flags)["features"] == elo[:3]
    assert json.loads(almanac.run(*flags, "--format", "json").stdout)["features"] == elo[:3]
    table = almanac.run(*flags).stdout.splitlines()
    assert [line.split()[0] for line in table[-3:]] == [feature["name"] for feature in elo[:3]]
    rows = list(csv.DictReader(io.StringIO(almanac.run(*flags, "--format", "csv").stdout)))
    for row, feature in zip(rows, elo[:3], strict=True):
        assert float(row["psi"]) == pytest.approx(feature["psi"], rel=1e-9)
        assert float(row["q95"]) == pytest.approx(feature["quantiles"][5], rel=1e-9)


def test_what_does_not_exist_is_refused(measured):
    almanac, _ = measured
    for flags, word in ((("--league", "XX"), "XX"), (("--family", "nothing"), "nothing"),
                        (("--recent-days", "0"), "recent"), (("--format", "xml"), "xml")):
        done = almanac.run("features", "statistics", *flags, check=False)
        assert done.returncode != 0 and word in done.stderr, done.text


def test_kept_until_the_data_changes(imported, season_file, tmp_path):
    first = imported.json("features", "statistics")
    files = lambda: {path.name: path.read_bytes() for path in (imported.data_dir / "features").glob("statistics-*.json")}
    kept = files()
    assert len(kept) == 1 and json.loads(*kept.values()) == first
    assert "measuring" not in imported.run("features", "statistics").stderr
    name, = kept
    (imported.data_dir / "features" / name).write_text('{"id":"0000')  # of another state of the data, or damaged
    assert imported.json("features", "statistics") == first
    rows = season_file.read_text().splitlines()
    shorter = tmp_path / "more" / season_file.name
    shorter.parent.mkdir()
    shorter.write_text(rows[0] + "\n" + rows[-1].replace("," + rows[-1].split(",")[1] + ",", ",30/06/2035,", 1) + "\n")
    imported.run("import", "football", shorter.parent)
    assert imported.json("features", "statistics")["rows"] == first["rows"] + 1
    assert set(files()) == set(kept), "an old answer is written over"


def test_reference_is_what_the_model_learned_from(imported, league):
    imported.run("train", "--league", league, *FAST)
    version, until = imported.rows("SELECT version, train_to_us FROM version")[0]
    result = imported.json("features", "statistics", "--league", league)
    assert result["reference"]["model"] == version
    last = np.datetime64(result["reference"]["to"])
    assert last <= np.datetime64(until, "us") < last + 2 * DAY


# ---- over HTTP ----

def ask(server, **query):
    return server.get("/api/features/statistics", params=query)


def test_page_data_over_http(imported, serve, league):
    server = serve(imported)
    answer = ask(server, league=league)
    assert answer.status_code == 202
    job = answer.json()["job_id"]
    again = ask(server, league=league)
    assert again.status_code == 200 or again.json()["job_id"] == job, "one job, however often one asks"
    assert server.wait_job(job)["job"]["state"] == "succeeded"
    whole = ask(server, league=league)
    assert whole.status_code == 200 and whole.headers["Content-Type"].startswith("application/json")
    assert whole.json() == imported.json("features", "statistics", "--league", league)
    part = ask(server, league=league, family="form", limit=4).json()
    expected = [feature for feature in whole.json()["features"] if feature["family"] == "form"][:4]
    assert part["features"] == expected and part["rows"] == whole.json()["rows"]
    other = ask(server, league=league, recent_days=90)
    assert other.status_code == 202 and other.json()["job_id"] != job, "another question"


@pytest.mark.parametrize("query, field", [({"league": "XX"}, "league"), ({"limit": "many"}, "limit"),
                                          ({"recent_days": "-1"}, "recent_days"),
                                          ({"reference_to": "soon"}, "reference_to")])
def test_bad_questions_over_http(shared_server, query, field):
    assert_error(ask(shared_server, **query), 400, field=field)
    assert not [job for job in shared_server.get("/api/jobs").json()["jobs"] if job["task"] == "statistics"]


def test_unknown_family_over_http(imported, serve):
    imported.run("features", "statistics")
    assert_error(ask(serve(imported), family="nothing"), 400, field="family")
