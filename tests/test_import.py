"""Import: dirty files, hostile files, other people's databases, full disks and kills.

Whatever arrives: a message that names file, line and field, counts that are kept, nothing half stored, and the source
as it was.
"""
import hashlib
import os
import pty
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest
from conftest import PATIENCE, Almanac, league_files, read_csv, simulate

HEADER = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,HTHG,HTAG,HTR,HS,AS,B365H,B365D,B365A"
ROWS = [
    "E0,12/08/2023,15:00,Arsenal,Chelsea,2,1,H,1,0,H,12,9,1.80,3.60,4.50",
    "E0,12/08/2023,17:30,Everton,Fulham,0,1,A,0,0,D,19,9,2.30,3.20,3.30",
    "E0,13/08/2023,14:00,Brentford,Tottenham,2,2,D,2,2,D,11,18,2.90,3.40,2.40",
]
BINARY_JUNK = random.Random(11).randbytes(50_000)


def write(folder, name, *lines, header=HEADER, end="\n"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((end.join([header, *lines]) + end).encode("utf-8"))
    return path


def replaced(row, **fields):
    """A row with some fields of HEADER set."""
    names, values = HEADER.split(","), row.split(",")
    for name, value in fields.items():
        values[names.index(name)] = value
    return ",".join(values)


def issues(almanac, reason):
    return almanac.rows("SELECT f.path, i.line, i.line_last, i.field, i.detail FROM import_issue i "
                        "JOIN import_file f ON f.id = i.file_id WHERE i.reason = ? ORDER BY 1, 2", reason)


def match_count(almanac):
    return almanac.one("SELECT count(*) FROM match")


def stored_nothing(almanac):
    """No store at all is nothing too."""
    if not (almanac.data_dir / "almanac.db").exists():
        return True
    return match_count(almanac) == 0 and almanac.one("SELECT count(*) FROM price") == 0


def is_whole(almanac):
    return almanac.one("PRAGMA integrity_check") == "ok"


# ---- clean files ----

def test_three_rows(empty, tmp_path):
    empty.run("import", "football", write(tmp_path, "E0.csv", *ROWS))
    assert empty.rows("SELECT m.league, h.name, a.name, m.home_goals, m.away_goals, m.state FROM match m "
                      "JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id ORDER BY m.kickoff_us") == [
        ("E0", "Arsenal", "Chelsea", 2, 1, 1), ("E0", "Everton", "Fulham", 0, 1, 1),
        ("E0", "Brentford", "Tottenham", 2, 2, 1)]
    # 15:00 in London in August is 14:00 UTC
    assert empty.one("SELECT kickoff_us FROM match ORDER BY kickoff_us LIMIT 1") == 1691848800 * 10**6
    assert empty.rows("SELECT q.market, q.bookmaker, q.label, p.price_1, p.price_2, p.price_3 FROM price p "
                      "JOIN quote q ON q.id = p.quote_id ORDER BY p.price_1") == [
        ("1x2", "B365", "pre_close", 1.8, 3.6, 4.5), ("1x2", "B365", "pre_close", 2.3, 3.2, 3.3),
        ("1x2", "B365", "pre_close", 2.9, 3.4, 2.4)]


def test_every_row_of_the_simulation_is_stored(imported_once, simulated):
    expected = {(row["Div"], row["HomeTeam"], row["AwayTeam"], row["Date"]): (int(row["FTHG"]), int(row["FTAG"]))
                for path in league_files(simulated) for row in read_csv(path)}
    stored = {(league, home, away, f"{date[8:10]}/{date[5:7]}/{date[:4]}"): (hg, ag)
              for league, home, away, date, hg, ag in imported_once.rows(
                  "SELECT m.league, h.name, a.name, date(m.day * 86400, 'unixepoch'), m.home_goals, m.away_goals "
                  "FROM match m JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id")}
    assert len(expected) > 5000
    assert stored == expected


def test_extra_layout(empty, tmp_path):
    path = write(tmp_path, "extra.csv", "Japan,J-League,2019,22/02/2019,10:00,C-Osaka,Kobe,1,0,H,2.88,3.5,2.4",
                 header="Country,League,Season,Date,Time,Home,Away,HG,AG,Res,PSCH,PSCD,PSCA")
    empty.run("import", "football", path)
    assert empty.rows("SELECT league, season, home_goals, away_goals FROM match") == [("JPN", 2019, 1, 0)]


# ---- files that are no football ----

UNREADABLE = {
    "empty file": (b"", "empty"),
    "binary junk": (BINARY_JUNK, ""),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + BINARY_JUNK[:500], ""),
    "another table": (b"name,price\nbread,2\n", "Div"),
    "no teams": (b"Div,Date,FTHG,FTAG\nE0,12/08/2023,1,0\n", "HomeTeam"),
    "zero byte in a row": ((HEADER + "\n" + ROWS[0] + "\nE0,12/\0").encode(), "line 3"),
    "open quote": ((HEADER + "\n" + ROWS[0] + '\nE0,"12/08/2023,1\n').encode(), "quote"),
    "2 MB line": ((HEADER + "\nE0," + "x" * 2_000_000 + "\n").encode(), "line 2"),
    "6000 fields": ((HEADER + "\n" + "," * 6000 + "\n").encode(), "line 2"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_file(empty, tmp_path, case):
    """Named in the message, not stored, and the good file beside it is. Alone, it is the command's failure."""
    data, word = UNREADABLE[case]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "bad.csv").write_bytes(data)
    alone = empty.run("import", "football", folder, check=False)
    assert alone.returncode in (2, 5) and "bad.csv" in alone.text and word in alone.text
    assert stored_nothing(empty)
    write(folder, "good.csv", *ROWS)
    done = empty.run("import", "football", folder)
    assert "bad.csv" in done.text and word in done.text
    assert match_count(empty) == 3 and is_whole(empty)
    error = empty.one("SELECT error FROM import_file WHERE path LIKE '%bad.csv'")
    assert error and "bad.csv" in error and word in error
    assert empty.one("SELECT rows_kept FROM import_file WHERE path LIKE '%bad.csv'") == 0


def test_header_only(empty, tmp_path):
    done = empty.run("import", "football", write(tmp_path, "E0.csv"), check=False)
    assert match_count(empty) == 0
    assert empty.rows("SELECT rows_read, rows_kept FROM import_file") == [(0, 0)]
    assert "Traceback" not in done.text and is_whole(empty)


def test_missing_path(empty, tmp_path):
    done = empty.run("import", "football", tmp_path / "nowhere.csv", check=False)
    assert done.returncode != 0 and "nowhere.csv" in done.text
    assert stored_nothing(empty)


def test_two_gigabyte_line(empty, tmp_path):
    """A sparse file: refused after its first bytes, in no time and in no memory."""
    path = write(tmp_path, "huge.csv")
    with open(path, "ab") as file:
        file.write(b"E0,12/08/2023,")
        file.truncate(2 * 1024**3 + 17)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # less address space than the file has bytes: what tried to take it in would say so, or die
    done = empty.run("import", "football", path, check=False,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)))
    assert done.returncode == 5 and "huge.csv" in done.text and "memory" not in done.text, done.text
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10
    assert stored_nothing(empty)


def test_progress_bar_on_a_terminal(empty, simulated):
    """Redrawn in place on a terminal; plain lines otherwise."""
    outer, inner = pty.openpty()
    process = empty.start("import", "football", simulated, stdout=subprocess.DEVNULL, stderr=inner)
    os.close(inner)
    shown = b""
    try:
        while chunk := os.read(outer, 65536):
            shown += chunk
    except OSError:
        pass  # the last writer has gone
    os.close(outer)
    assert process.wait(PATIENCE) == 0
    assert b"\r" in shown and b"importing" in shown and b"[" in shown and b"100%" in shown
    plain = empty.run("import", "football", simulated).stderr
    assert "\r" not in plain and "\x1b" not in plain and "importing: 12/12 (100%)" in plain


def test_long_line_without_zero_bytes(empty, tmp_path):
    path = write(tmp_path, "long.csv", *ROWS)
    with open(path, "ab") as file:
        for _ in range(64):
            file.write(b"a" * (1 << 20))
    done = empty.run("import", "football", path, check=False)
    assert done.returncode != 0 and "long.csv" in done.text and "line 5" in done.text
    assert stored_nothing(empty)


# ---- dirty rows: reason -> (bad row, field that is named, value that is shown) ----

REJECTED = {
    "bad_date 31/02": ("bad_date", replaced(ROWS[1], Date="31/02/2023"), "Date", "31/02/2023"),
    "bad_date empty": ("bad_date", replaced(ROWS[1], Date=""), "Date", ""),
    "bad_date words": ("bad_date", replaced(ROWS[1], Date="yesterday"), "Date", "yesterday"),
    "negative goals": ("bad_goals", replaced(ROWS[1], FTHG="-1"), "FTHG", "-1"),
    "half a goal": ("bad_goals", replaced(ROWS[1], FTAG="1.5"), "FTAG", "1.5"),
    "too many goals": ("bad_goals", replaced(ROWS[1], FTAG="1000"), "FTAG", "1000"),
    "one side's goals": ("bad_goals", replaced(ROWS[1], FTAG=""), "FTAG", ""),
    "unknown division": ("unknown_division", replaced(ROWS[1], Div="XX9"), "Div", "XX9"),
    "no division": ("unknown_division", replaced(ROWS[1], Div=""), "Div", ""),
    "no team": ("missing_team", replaced(ROWS[1], AwayTeam=" "), "AwayTeam", ""),
    "plays itself": ("missing_team", replaced(ROWS[1], AwayTeam="everton"), "AwayTeam", "everton"),
    "endless name": ("missing_team", replaced(ROWS[1], HomeTeam="x" * 5000), "HomeTeam", "xxx"),
    "blank row": ("blank_row", "," * HEADER.count(","), "", ""),
}


@pytest.mark.parametrize("case", REJECTED)
def test_rejected_row(empty, tmp_path, case):
    """Left out, counted and kept with file, line, field and value; its neighbours are stored."""
    reason, row, field, value = REJECTED[case]
    empty.run("import", "football", write(tmp_path, "E0.csv", ROWS[0], row, ROWS[2]))
    assert match_count(empty) == 2
    assert empty.counts() == {reason: 1}
    (path, line, line_last, issue_field, detail), = issues(empty, reason)
    assert path.endswith("E0.csv") and (line, line_last, issue_field) == (3, 3, field)
    assert value in detail
    assert empty.rows("SELECT rows_read, rows_kept FROM import_file") == [(3, 2)]


@pytest.mark.parametrize("case", REJECTED)
def test_strict_stops_with_nothing_stored(empty, tmp_path, case):
    reason, row, field, value = REJECTED[case]
    done = empty.run("import", "football", write(tmp_path, "E0.csv", ROWS[0], row, ROWS[2]), "--strict", check=False)
    assert done.returncode == 2
    assert "E0.csv" in done.text and "line 3" in done.text and reason in done.text
    assert field in done.text and value in done.text
    assert stored_nothing(empty)


def test_strict_takes_clean_files(empty, tmp_path):
    empty.run("import", "football", write(tmp_path, "E0.csv", *ROWS), "--strict")
    assert match_count(empty) == 3


REPAIRED = {
    "one field more": ("ragged_row", ROWS[1] + ",9.99", "9.99"),
    "fields missing": ("ragged_row", ROWS[1].rsplit(",", 4)[0], "fields, header has"),
    "price of 1.00": ("bad_price", replaced(ROWS[1], B365D="1.00"), "1.00"),
    "price below 1": ("bad_price", replaced(ROWS[1], B365D="0.5"), "0.5"),
    "negative price": ("bad_price", replaced(ROWS[1], B365D="-3"), "-3"),
    "price in words": ("bad_price", replaced(ROWS[1], B365D="evens"), "evens"),
    "price nan": ("bad_price", replaced(ROWS[1], B365D="nan"), "nan"),
    "price inf": ("bad_price", replaced(ROWS[1], B365D="inf"), "inf"),
    "overround 0.8": ("overround", replaced(ROWS[1], B365H="3.75", B365D="3.75", B365A="3.75"), "0.8000"),
    "overround 1.3": ("overround", replaced(ROWS[1], B365H="2.3", B365D="2.3", B365A="2.3"), "1.3043"),
    "bad time": ("bad_time", replaced(ROWS[1], Time="25:61"), "25:61"),
    "half time above full time": ("bad_half_time", replaced(ROWS[1], HTHG="4"), "4"),
    "result contradicts": ("result_mismatch", replaced(ROWS[1], FTR="H"), "H"),
    "negative shots": ("bad_statistic", replaced(ROWS[1], HS="-5"), "-5"),
    "two-digit year": ("two_digit_year", replaced(ROWS[1], Date="12/08/23"), "12/08/23"),
    "spaces in a name": ("name_spaces", replaced(ROWS[1], HomeTeam=" Everton  "), "Everton"),
    "not played yet": ("no_result", replaced(ROWS[1], FTHG="", FTAG="", FTR="", HTHG="", HTAG=""), "Everton"),
}


@pytest.mark.parametrize("case", REPAIRED)
def test_repaired_row(empty, tmp_path, case):
    """Kept without what is bad; counted with its line."""
    reason, row, shown = REPAIRED[case]
    empty.run("import", "football", write(tmp_path, "E0.csv", ROWS[0], row, ROWS[2]))
    assert match_count(empty) == 3
    assert empty.counts() == {reason: 1}
    (path, line, _, _, detail), = issues(empty, reason)
    assert path.endswith("E0.csv") and line == 3 and shown in detail
    assert empty.rows("SELECT h.name FROM match m JOIN team h ON h.id = m.home_id ORDER BY 1") == [
        ("Arsenal",), ("Brentford",), ("Everton",)]


def test_what_a_bad_price_leaves(empty, tmp_path):
    empty.run("import", "football", write(tmp_path, "E0.csv", replaced(ROWS[1], B365D="1.00")))
    assert empty.rows("SELECT price_1, price_2, price_3, is_flagged FROM price") == [(2.3, None, 3.3, 0)]


def test_odd_overround_is_flagged(empty, tmp_path):
    empty.run("import", "football", write(tmp_path, "E0.csv", ROWS[0],
                                          replaced(ROWS[1], B365H="3.75", B365D="3.75", B365A="3.75")))
    assert empty.rows("SELECT price_1, is_flagged FROM price ORDER BY price_1") == [(1.8, 0), (3.75, 1)]


def test_133_fields_for_132_columns(empty, tmp_path):
    """As in the real files: the message names the line, both numbers, and what was ignored."""
    columns = HEADER.split(",")
    columns += [f"X{number}" for number in range(132 - len(columns))]
    rows = [row + "," * (132 - len(HEADER.split(","))) for row in ROWS]
    path = write(tmp_path, "E0.csv", rows[0], rows[1] + ",surplus", rows[2], header=",".join(columns))
    empty.run("import", "football", path)
    assert match_count(empty) == 3
    (file, line, _, _, detail), = issues(empty, "ragged_row")
    assert file.endswith("E0.csv") and line == 3
    assert "133 fields, header has 132" in detail and "surplus" in detail


def test_encodings_and_line_ends(empty, tmp_path):
    """A byte order mark, Windows-1252, CR LF."""
    row = replaced(ROWS[0], HomeTeam="King\u2019s Lynn")
    (tmp_path / "cp.csv").write_bytes((HEADER + "\r\n" + row + "\r\n").encode("cp1252"))
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + (HEADER + "\r\n" + ROWS[1] + "\r\n").encode())
    empty.run("import", "football", tmp_path / "cp.csv", tmp_path / "bom.csv")
    assert match_count(empty) == 2
    assert empty.counts() == {"encoding": 1, "byte_order_mark": 1}
    assert empty.one("SELECT count(*) FROM team WHERE name = ?", "King\u2019s Lynn") == 1


def test_same_row_twice(empty, tmp_path):
    """The later row wins; the match is there once."""
    empty.run("import", "football", write(tmp_path, "E0.csv", ROWS[0], replaced(ROWS[0], FTHG="3")))
    assert empty.rows("SELECT home_goals FROM match") == [(3,)]
    assert empty.counts() == {"duplicate_row": 1}


def test_a_corrected_file_replaces_and_keeps_ids(empty, tmp_path):
    path = write(tmp_path, "E0.csv", *ROWS)
    empty.run("import", "football", path)
    before = empty.rows("SELECT id, home_goals FROM match ORDER BY id")
    write(tmp_path, "E0.csv", replaced(ROWS[0], FTHG="5"), *ROWS[1:])
    empty.run("import", "football", path)
    assert empty.rows("SELECT id, home_goals FROM match ORDER BY id") == [(before[0][0], 5), *before[1:]]


def test_results_arrive_for_a_fixture(empty, tmp_path):
    """A match that was stored as scheduled becomes played under its own id."""
    fixture = replaced(ROWS[0], FTHG="", FTAG="", FTR="", HTHG="", HTAG="", HTR="", HS="", AS="")
    path = write(tmp_path, "E0.csv", fixture)
    empty.run("import", "football", path)
    assert empty.rows("SELECT id, state, home_goals FROM match") == [(1, 0, None)]
    write(tmp_path, "E0.csv", ROWS[0])
    empty.run("import", "football", path)
    assert empty.rows("SELECT id, state, home_goals FROM match") == [(1, 1, 2)]


# ---- counts ----

def test_report_counts_by_reason(empty, tmp_path):
    dirty = [row for _, row, *_ in REJECTED.values()] + [row for _, row, _ in REPAIRED.values()]
    empty.run("import", "football", write(tmp_path, "E0.csv", *dirty))
    counts = empty.counts()
    expected = {}
    for reason, *_ in [*REJECTED.values(), *REPAIRED.values()]:
        expected[reason] = expected.get(reason, 0) + 1
    assert {reason: counts[reason] for reason in expected} == expected
    report = empty.run("import", "--report").text
    for reason, count in counts.items():
        line = next((line for line in report.splitlines() if reason in line), "")
        assert str(count) in line.replace(",", ""), f"{reason} {count}: {line!r}"
    assert "E0.csv" in report


def test_report_of_nothing(empty):
    done = empty.run("import", "--report", check=False)
    assert "panic" not in done.text and done.returncode in (0, 3)


def test_failed_files_stand_in_the_report(empty, tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"")
    empty.run("import", "football", write(tmp_path, "good.csv", *ROWS), tmp_path / "bad.csv", check=False)
    report = empty.run("import", "--report").text
    assert "bad.csv" in report and "empty" in report


# ---- all or nothing, again and again ----

def test_second_import_changes_nothing(imported, simulated):
    before = imported.content(), imported.one("SELECT value FROM meta WHERE key = 'football_revision'")
    imported.run("import", "football", simulated)
    assert (imported.content(), imported.one("SELECT value FROM meta WHERE key = 'football_revision'")) == before


def test_order_of_the_arguments_is_of_no_effect(imported_once, simulated, empty):
    files = league_files(simulated)
    empty.run("import", "football", *reversed(files))
    assert empty.content() == imported_once.content()


def test_kill_during_import_then_import_again(binary, tmp_path):
    """kill -9 at five instants of an import; importing again gives what an undisturbed import gives."""
    simulated = simulate(tmp_path, 4, 12, 3)  # more than one transaction
    whole = Almanac(tmp_path / "whole", tmp_path)
    started = time.monotonic()
    whole.run("import", "football", simulated)
    duration = time.monotonic() - started
    expected = whole.content()
    killed = 0
    for number in range(5):
        almanac = Almanac(tmp_path / f"killed-{number}", tmp_path)
        started = time.monotonic()
        process = almanac.start("import", "football", simulated, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(duration * (number + 0.5) / 5)
            duration = min(duration, time.monotonic() - started)  # the first one was held up by something
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += process.wait(PATIENCE) == -signal.SIGKILL
        if (almanac.data_dir / "almanac.db").exists():
            try:
                rows = almanac.rows("SELECT f.path, f.rows_kept, count(m.id) FROM import_file f "
                                    "LEFT JOIN match m ON m.file_id = f.id GROUP BY f.id")
            except sqlite3.OperationalError:
                rows = []  # killed before the tables were there
            assert all(kept == stored for _, kept, stored in rows), "a file is there in part"
        almanac.run("import", "football", simulated)
        assert almanac.content() == expected
        assert is_whole(almanac)
        shutil.rmtree(almanac.data_dir)
    assert killed >= 2, "the import was too quick to be killed"


@pytest.fixture
def small_disk(tmp_path):
    """mount(size_kib): a tmpfs, unmounted after the test."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mounted = []

    def mount(size_kib):
        folder = tmp_path / "small"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", folder], capture_output=True,
                              text=True)
        if done.returncode != 0:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=False)


def test_disk_full_during_import(imported_once, simulated, small_disk, tmp_path):
    """Half the room that is needed: a message, no half file; with room again the same result."""
    needed = (imported_once.data_dir / "almanac.db").stat().st_size
    small = Almanac(small_disk(max(needed // 2 // 1024, 256)) / "data", tmp_path)
    done = small.run("import", "football", simulated, check=False)
    assert done.returncode > 0
    assert any(words in done.text.lower() for words in ("no space left", "disk is full", "disk full")), done.text
    if (small.data_dir / "almanac.db").exists():
        roomy = Almanac(tmp_path / "roomy", tmp_path)
        shutil.copytree(small.data_dir, roomy.data_dir)
        assert is_whole(roomy)
        stored = roomy.rows("SELECT f.rows_kept, count(m.id) FROM import_file f LEFT JOIN match m ON m.file_id = f.id "
                            "WHERE f.error IS NULL GROUP BY f.id")
        assert all(kept == count for kept, count in stored), "a file is there in part"
        roomy.run("import", "football", simulated)
        assert roomy.content() == imported_once.content()
        assert is_whole(roomy)


def test_two_imports_at_once(simulated, imported_once, empty):
    """They wait for each other or one says busy; then the result is whole."""
    processes = [empty.start("import", "football", simulated, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for _ in range(2)]
    codes = [process.wait(2 * PATIENCE) for process in processes]
    assert 0 in codes and set(codes) <= {0, 10}
    assert empty.content() == imported_once.content()


# ---- another application's SQLite file ----

QUERY = "SELECT Div, Date, Time, HomeTeam, AwayTeam, FTHG, FTAG, B365H, B365D, B365A, HS, AS_ AS \"AS\" FROM game"


def make_source(path, season_file, journal="delete", limit=None):
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("CREATE TABLE game(Div, Date, Time, HomeTeam, AwayTeam, FTHG INTEGER, FTAG INTEGER, B365H REAL, "
                       "B365D REAL, B365A REAL, HS INTEGER, AS_ INTEGER)")
    rows = [[row.get(name) or None for name in ("Div", "Date", "Time", "HomeTeam", "AwayTeam", "FTHG", "FTAG", "B365H",
                                                "B365D", "B365A", "HS", "AS")] for row in read_csv(season_file)]
    connection.executemany("INSERT INTO game VALUES (" + ",".join("?" * 12) + ")", rows[:limit])
    connection.commit()
    return connection, len(rows[:limit])


def state_of(folder):
    """Names, bytes and times of everything in a folder."""
    return {path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, path.stat().st_ino)
            for path in folder.iterdir()}


@pytest.fixture
def source_folder(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_sqlite_source_is_imported_and_never_written(empty, season_file, source_folder, journal):
    connection, count = make_source(source_folder / "app.db", season_file, journal)
    connection.close()
    before = state_of(source_folder)
    empty.run("import", "sqlite", source_folder / "app.db", "--query", QUERY)
    assert state_of(source_folder) == before
    assert match_count(empty) == count
    empty.run("import", "sqlite", source_folder / "app.db", "--query", QUERY)
    assert state_of(source_folder) == before and match_count(empty) == count


def test_sqlite_source_and_csv_give_the_same_matches(empty, season_file, source_folder, tmp_path):
    make_source(source_folder / "app.db", season_file)[0].close()
    empty.run("import", "sqlite", source_folder / "app.db", "--query", QUERY)
    other = Almanac(tmp_path / "other", tmp_path)
    other.run("import", "football", season_file)
    sql = ("SELECT m.league, m.day, h.name, a.name, m.season, m.kickoff_us, m.home_goals, m.away_goals, m.home_shots "
           "FROM match m JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id ORDER BY 1, 2, 3")
    assert empty.rows(sql) == other.rows(sql)


def test_sqlite_source_in_use_by_its_application(empty, season_file, source_folder):
    """WAL with an open connection: what is committed is seen, the database and its log keep their bytes."""
    connection, count = make_source(source_folder / "app.db", season_file, "wal")
    before = state_of(source_folder)
    assert "app.db-wal" in before
    empty.run("import", "sqlite", source_folder / "app.db", "--query", QUERY)
    after = state_of(source_folder)
    assert set(after) == set(before)
    assert {name: after[name][0] for name in ("app.db", "app.db-wal")} == {
        name: before[name][0] for name in ("app.db", "app.db-wal")}
    assert match_count(empty) == count
    connection.close()


def test_sqlite_source_is_locked(empty, season_file, source_folder):
    connection, _ = make_source(source_folder / "app.db", season_file)
    before = state_of(source_folder)
    connection.execute("BEGIN EXCLUSIVE")  # reading the file in this process would end the lock: POSIX
    done = empty.run("import", "sqlite", source_folder / "app.db", "--query", QUERY, check=False)
    assert done.returncode == 10 and "app.db" in done.text and "another program is writing" in done.text
    connection.rollback()
    connection.close()
    assert state_of(source_folder) == before and stored_nothing(empty)


CORRUPT = {
    "no database": lambda data: BINARY_JUNK,
    "empty": lambda data: b"",
    "cut in half": lambda data: data[:len(data) // 2 // 4096 * 4096],
    "pages overwritten": lambda data: data[:4096] + BINARY_JUNK[:len(data) - 4096] + data[len(BINARY_JUNK) + 4096:],
    "header overwritten": lambda data: data[:16] + b"\xff" * 84 + data[100:],
}


@pytest.mark.parametrize("case", CORRUPT)
def test_sqlite_source_is_corrupt(empty, season_file, source_folder, case):
    make_source(source_folder / "app.db", season_file)[0].close()
    path = source_folder / "app.db"
    path.write_bytes(CORRUPT[case](path.read_bytes()))
    before = state_of(source_folder)
    done = empty.run("import", "sqlite", path, "--query", QUERY, check=False)
    assert done.returncode == 6 and "app.db" in done.text, done.text
    assert state_of(source_folder) == before and stored_nothing(empty)


REFUSED_QUERIES = {
    "delete": ("DELETE FROM game", 14), "drop": ("DROP TABLE game", 14), "attach": ("ATTACH 'x.db' AS x", 14),
    "pragma": ("PRAGMA journal_mode = delete", 14), "two": ("SELECT 1; DELETE FROM game", 2), "nothing": ("", 2),
    "returning": ("DELETE FROM game RETURNING *", 14), "no such table": ("SELECT * FROM nowhere", 2),
    "other columns": ("SELECT 1 AS one", 2), "extension": ("SELECT load_extension('x')", 14),
}


@pytest.mark.parametrize("case", REFUSED_QUERIES)
def test_sqlite_source_refused_query(empty, season_file, source_folder, case):
    query, code = REFUSED_QUERIES[case]
    make_source(source_folder / "app.db", season_file)[0].close()
    before = state_of(source_folder)
    done = empty.run("import", "sqlite", source_folder / "app.db", "--query", query, check=False)
    assert done.returncode == code, done.text
    assert state_of(source_folder) == before and stored_nothing(empty)
    assert set(path.name for path in empty.work_dir.iterdir()) <= {"theirs", "data"}


def test_sqlite_source_does_not_exist(empty, source_folder):
    done = empty.run("import", "sqlite", source_folder / "none.db", "--query", QUERY, check=False)
    assert done.returncode == 3 and "none.db" in done.text
    assert not any(source_folder.iterdir()) and stored_nothing(empty)


def test_sqlite_source_dirty_rows_name_the_row(empty, source_folder):
    connection = sqlite3.connect(source_folder / "app.db")
    connection.execute("CREATE TABLE game(Div, Date, HomeTeam, AwayTeam, FTHG, FTAG)")
    connection.executemany("INSERT INTO game VALUES (?, ?, ?, ?, ?, ?)", [
        ("E0", "12/08/2023", "Arsenal", "Chelsea", 2.0, 1), ("E0", "31/02/2023", "Everton", "Fulham", 1, 1),
        ("E0", "13/08/2023", "Brentford", "Tottenham", -1, 0)])
    connection.commit()
    connection.close()
    query = "SELECT * FROM game"
    empty.run("import", "sqlite", source_folder / "app.db", "--query", query)
    assert empty.rows("SELECT home_goals FROM match") == [(2,)]
    assert [(line, field) for _, line, _, field, _ in issues(empty, "bad_date")] == [(2, "Date")]
    assert [(line, field) for _, line, _, field, _ in issues(empty, "bad_goals")] == [(3, "FTHG")]
    strict = Almanac(empty.work_dir / "strict", empty.work_dir)
    done = strict.run("import", "sqlite", source_folder / "app.db", "--query", query, "--strict", check=False)
    assert done.returncode == 2 and "app.db" in done.text and "31/02/2023" in done.text
    assert stored_nothing(strict)
