"""almanac sql: formats, tables by name, limits, errors, and that nothing of the data directory changes."""
import csv
import hashlib
import io
import json
import subprocess

import pytest
from conftest import BINARY, ENVIRONMENT


def sql(almanac, statement, *flags, **options):
    return almanac.run("sql", statement, *flags, **options)


def test_table_for_people(empty):
    done = sql(empty, "SELECT 1.5 AS number, 'ä, b' AS text, NULL AS nothing UNION ALL SELECT 20, 'longer', 3")
    assert done.stdout == ("number  text    nothing\n"
                           "------  ------  -------\n"
                           "   1.5  ä, b       NULL\n"
                           "  20.0  longer        3\n"
                           "(2 rows)\n")


def test_a_table_has_a_limit_and_says_so(empty):
    done = sql(empty, "SELECT * FROM range(1000)")
    assert done.stdout.endswith("99\n(100 rows shown, there are more: --limit N)\n")
    assert sql(empty, "SELECT * FROM range(1000)", "--limit", 3).stdout.endswith("2\n(3 rows shown, there are more: --limit N)\n")
    assert sql(empty, "SELECT * FROM range(3)", "--limit", 3).stdout.endswith("2\n(3 rows)\n")
    assert sql(empty, "SELECT * FROM range(1000)", "--limit", 1000).stdout.endswith("(1000 rows)\n")


def test_csv(empty):
    done = sql(empty, "SELECT 'a \"b\",c' AS \"x,y\", '' AS e, NULL AS n, 0.1::FLOAT AS f", "--format", "csv")
    assert done.stdout == '"x,y",e,n,f\n"a ""b"",c","",,0.1\n'
    rows = list(csv.reader(io.StringIO(sql(empty, "SELECT range, range * 2 FROM range(200000)", "--format", "csv").stdout)))
    assert len(rows) == 200001 and rows[-1] == ["199999", "399998"]


def test_json(empty):
    statement = "SELECT 1 AS a, TIMESTAMP '2024-08-17 14:00:00' AS t, 'nan'::DOUBLE AS d, [1, NULL] AS l, true AS b"
    expected = [{"a": 1, "t": "2024-08-17T14:00:00Z", "d": None, "l": [1, None], "b": True}]
    assert json.loads(sql(empty, statement, "--format", "json").stdout) == expected
    assert empty.json("sql", statement) == expected
    assert empty.json("sql", "SELECT 1 AS a WHERE false") == []
    rows = empty.json("sql", "SELECT range AS n FROM range(100000)")
    assert [row["n"] for row in rows] == list(range(100000))


def test_statement_from_stdin(empty):
    done = empty.run("sql", "-", "--format", "csv", input=b"-- a comment\nSELECT 'it''s' AS x;\n")
    assert done.stdout == "x\nit's\n"


def test_tables_of_the_store(imported):
    matches = imported.json("sql", "SELECT * FROM matches ORDER BY id")
    stored = imported.rows("SELECT m.id, m.league, h.name, a.name, m.home_goals, m.away_goals FROM match m "
                           "JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id ORDER BY m.id")
    assert [tuple(row[name] for name in ("id", "league", "home", "away", "home_goals", "away_goals"))
            for row in matches] == stored
    teams = imported.json("sql", "SELECT name, country FROM Teams ORDER BY id")
    assert [(row["name"], row["country"]) for row in teams] == imported.rows("SELECT name, country FROM team ORDER BY id")


def test_the_matrix(imported):
    answer = imported.json("sql", "SELECT count(*) AS n, count(DISTINCT id) AS ids, min(elo_plain_home) AS least, "
                                  "count(label_1x2) AS labels FROM matrix")[0]
    count = imported.one("SELECT count(*) FROM match")
    assert answer["n"] == answer["ids"] == count and answer["least"] > 0
    assert answer["labels"] == imported.one("SELECT count(*) FROM match WHERE home_goals IS NOT NULL")
    joined = imported.json("sql", "SELECT count(*) AS n FROM matrix JOIN matches USING (id) "
                                  "WHERE (label_1x2 = 0) = (home_goals > away_goals)")
    assert joined == [{"n": answer["labels"]}]


def test_files_by_their_path(imported, tmp_path):
    path = tmp_path / "out.parquet"
    done = sql(imported, f"COPY (SELECT id, home, day FROM matches) TO '{path}'")
    count = imported.one("SELECT count(*) FROM match")
    assert done.stdout == f"({count} rows changed)\n"
    assert imported.json("sql", f"SELECT count(*) AS n FROM '{path}'") == [{"n": count}]


def fingerprint(folder):
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith(("-wal", "-shm"))}


@pytest.mark.parametrize("statement", ["DELETE FROM matches", "UPDATE teams SET name = 'x'", "DROP TABLE teams",
                                       "INSERT INTO matrix SELECT * FROM matrix", "ALTER TABLE matches ADD COLUMN x INT"])
def test_nothing_is_written_through(imported, statement):
    sql(imported, "SELECT count(*) FROM matrix")
    before = fingerprint(imported.data_dir)
    done = sql(imported, statement, check=False)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("almanac sql: "), done.text
    assert fingerprint(imported.data_dir) == before


@pytest.mark.parametrize("statement,code,said", [
    ("SELEC 1", 2, "Parser Error"), ("SELECT * FROM nowhere", 2, "nowhere"), ("SELECT 1; SELECT 2", 2, "multiple statements"),
    ("SELECT * FROM '/nowhere/x.parquet'", 8, "/nowhere/x.parquet"), ("SELECT 'x'::INT FROM range(2)", 2, "Conversion Error"),
    ("", 2, "")])
def test_errors_are_one_line(empty, statement, code, said):
    done = sql(empty, statement, check=False)
    assert done.returncode == code and said in done.stderr, done.text
    assert done.stderr.startswith("almanac sql: ") and done.stderr.count("\n") == 1
    assert not done.stdout.strip()


def test_usage(empty):
    assert sql(empty, "SELECT 1", "--format", "xml", check=False).returncode == 2
    done = empty.run("sql", check=False)
    assert done.returncode == 2 and "SELECT" in done.stderr
    assert sql(empty, "FROM matches", check=False).returncode != 0  # no store there
    assert not empty.data_dir.exists()


def test_big_results_stream(empty):
    """Ten million rows pass through a process that may not hold them."""
    limited = ["/bin/sh", "-c", 'ulimit -v 1500000; exec "$0" "$@"', str(BINARY), "sql",
               "SELECT range AS a, range * 2 AS b FROM range(10000000)", "--format", "csv"]
    process = subprocess.Popen(limited, stdout=subprocess.PIPE, cwd=empty.work_dir, env=ENVIRONMENT)
    size = lines = 0
    while chunk := process.stdout.read(1 << 20):
        size += len(chunk)
        lines += chunk.count(b"\n")
    process.stdout.close()
    assert process.wait(120) == 0 and lines == 10000001 and size > 100_000_000


def test_no_library_is_said(empty):
    environment = dict(ENVIRONMENT, ALMANAC_DUCKDB_LIBRARY="/nowhere/libduckdb.so")
    for arguments, said in ((["sql", "SELECT 1"], "tools/install.sh"), (["doctor"], None)):
        done = subprocess.run(empty.command(*arguments), capture_output=True, text=True, cwd=empty.work_dir,
                              env=environment, timeout=120)
        assert done.returncode == 11 and "/nowhere/libduckdb.so" in done.stdout + done.stderr
        assert said is None or said in done.stderr


def test_doctor_names_the_version(imported):
    assert "duckdb library         v1." in imported.run("doctor").stdout
