"""The matrix as Parquet, read with DuckDB's own Python package: the same rows, values and order as the CSV export."""
import csv
import datetime
import shutil

import duckdb
import numpy as np
import pytest
from conftest import Almanac

UTC = datetime.timezone.utc


@pytest.fixture(scope="module")
def exported(imported_once, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(imported_once.data_dir, folder / "data")
    almanac = Almanac(folder / "data", folder)
    almanac.run("features", "build", "--csv", "--parquet")
    return almanac


def parquet(almanac):
    return almanac.data_dir / "feature_matrix_last.parquet"


@pytest.fixture(scope="module")
def rows(exported):
    with open(exported.data_dir / "feature_matrix_last.csv", newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_columns_and_types(exported, rows):
    table = duckdb.sql(f"SELECT * FROM '{parquet(exported)}'")
    assert table.columns[:6] == ["id", "start", "league", "country", "label_1x2", "label_ou25"]
    assert table.columns[6:] == rows[0][5:]
    assert [str(kind) for kind in table.types[:6]] == ["BIGINT", "TIMESTAMP", "VARCHAR", "VARCHAR", "INTEGER", "INTEGER"]
    assert {str(kind) for kind in table.types[6:]} == {"FLOAT"}


def test_rows_equal_the_csv(exported, rows):
    """%.9g of the CSV reads back as the same float32, so equality here is equality of the matrix's bytes."""
    got = duckdb.sql(f"SELECT * FROM '{parquet(exported)}'").fetchnumpy()
    expected = list(zip(*rows[1:]))
    assert list(got["id"]) == [int(text) for text in expected[0]]
    starts = [datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) for text in expected[1]]
    assert starts == sorted(starts)
    assert list(got["start"].astype("datetime64[us]").astype(int)) == [round(start.timestamp() * 1e6) for start in starts]
    assert list(got["league"]) == list(expected[2])
    for name, texts in zip(("label_1x2", "label_ou25"), expected[3:5]):
        assert list(np.ma.filled(got[name], -1)) == [int(text) for text in texts], name
    for name, texts in zip(rows[0][5:], expected[5:]):
        wanted = np.array([float(text) if text else np.nan for text in texts], dtype=np.float32)
        values = np.ma.filled(np.ma.asarray(got[name], dtype=np.float32), np.nan)
        assert np.array_equal(values, wanted, equal_nan=True), name
        assert not np.isnan(np.ma.compressed(got[name])).any(), name  # missing is NULL


def test_country_and_labels_fit_the_store(exported):
    connection = duckdb.connect()
    stored = {row[0]: row[1:] for row in exported.rows(
        "SELECT m.id, m.league, t.country, m.home_goals, m.away_goals FROM match m JOIN team t ON t.id = m.home_id")}
    for match, league, country, result, goals in connection.sql(
            f"SELECT id, league, country, label_1x2, label_ou25 FROM '{parquet(exported)}'").fetchall():
        code, land, home, away = stored[match]
        assert (league, country) == (code, land)
        if home is None:
            assert result is None and goals is None
        else:
            assert result == (0 if home > away else 1 if home == away else 2)
            assert goals == (home + away > 2.5)


def test_it_is_compressed_in_groups_of_time(exported):
    kinds = duckdb.sql(f"SELECT DISTINCT compression FROM parquet_metadata('{parquet(exported)}')").fetchall()
    assert kinds == [("ZSTD",)]
    groups = duckdb.sql("SELECT row_group_id, stats_min_value, stats_max_value FROM parquet_metadata("
                        f"'{parquet(exported)}') WHERE path_in_schema = 'start' ORDER BY 1").fetchall()
    assert all(before[2] <= after[1] for before, after in zip(groups, groups[1:]))


def test_a_second_export_replaces_the_first(exported):
    path = parquet(exported)
    before = path.read_bytes()
    path.write_bytes(b"rubbish")
    exported.run("features", "build", "--parquet")
    assert path.read_bytes() == before
    assert [entry.name for entry in exported.data_dir.iterdir() if "tmp" in entry.name] == []


def test_an_export_that_fails_leaves_the_old_one(exported, tmp_path):
    shutil.copytree(exported.data_dir, tmp_path / "data")
    almanac = Almanac(tmp_path / "data", tmp_path)
    parquet(almanac).unlink()
    parquet(almanac).mkdir()
    (parquet(almanac) / "kept").write_text("x")
    done = almanac.run("features", "build", "--parquet", check=False)
    assert done.returncode != 0 and "feature_matrix_last.parquet" in done.stderr
    assert (parquet(almanac) / "kept").exists()


def test_real_data(real_data, binary, tmp_path):
    almanac = Almanac(tmp_path / "data", tmp_path)
    england = real_data / "england"
    almanac.run("import", "football", england if england.is_dir() else real_data, timeout=300)
    almanac.run("features", "build", "--csv", "--parquet", timeout=300)
    path, text = parquet(almanac), almanac.data_dir / "feature_matrix_last.csv"
    connection = duckdb.connect()
    columns = [row[0] for row in connection.sql(f"DESCRIBE FROM '{path}'").fetchall()]
    same = " AND ".join(f'p."{name}" IS NOT DISTINCT FROM c."{name}"' for name in columns[6:])
    kinds = ", ".join(f"'{name}': 'FLOAT'" for name in columns[6:])
    rows, equal = connection.sql(
        f"SELECT count(*), count(*) FILTER (WHERE {same} AND p.league = c.league AND coalesce(p.label_1x2, -1) = c.label_1)"
        f" FROM '{path}' p POSITIONAL JOIN read_csv('{text}', types={{{kinds}}}) c").fetchone()
    assert rows > 10000 and equal == rows
