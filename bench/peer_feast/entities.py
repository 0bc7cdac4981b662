"""Entities of the row `join`: N (team, moment) pairs, moments over the whole history; and the comparison of two results.

    entities.py make DATABASE N OUTPUT.parquet
    entities.py compare OURS.parquet PEER.parquet
"""

import json
import sqlite3
import sys

import numpy
import pyarrow
import pyarrow.parquet

SEED = 7


def make(database, count, output):
    """Every moment lies up to 30 days after a real match of the team: most rows have features, those before the first do not."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    rows = numpy.array(connection.execute("SELECT home_id, kickoff_us FROM match UNION ALL SELECT away_id, kickoff_us FROM match "
                                          "ORDER BY 2, 1").fetchall(), dtype=numpy.int64)
    random = numpy.random.default_rng(SEED)
    chosen = rows[random.integers(0, len(rows), count)]
    moments = chosen[:, 1] + random.integers(0, 30 * 86400, count) * 1_000_000
    pyarrow.parquet.write_table(pyarrow.table({
        "row": numpy.arange(count, dtype=numpy.int64), "team": chosen[:, 0],
        "event_timestamp": pyarrow.array(moments, pyarrow.timestamp("us", tz="UTC")),
    }), output)
    return {"rows": count}


def read(path):
    table = pyarrow.parquet.read_table(path)
    return table.take(pyarrow.array(numpy.argsort(table["row"].to_numpy())))


def compare(ours, peer):
    """Same rows; every feature equal to the bit, missing where missing."""
    a, b = read(ours), read(peer)
    names = [name for name in b.column_names if name not in ("row", "team", "event_timestamp") and not name.startswith("__")]
    report = {"rows": a.num_rows, "columns": len(names), "values": 0, "missing": 0, "wrong": {}}
    if a.num_rows != b.num_rows or set(names) - set(a.column_names):
        report["wrong"] = {"layout": [a.num_rows, b.num_rows, *sorted(set(names) - set(a.column_names))[:5]]}
        return report
    for name in ["row", "team", *names]:
        x, y = (table[name].to_numpy(zero_copy_only=False).astype(numpy.float64) for table in (a, b))
        same = (x == y) | (numpy.isnan(x) & numpy.isnan(y))
        report["values"] += int((~numpy.isnan(x)).sum())
        report["missing"] += int(numpy.isnan(x).sum())
        if not same.all():
            report["wrong"][name] = int((~same).sum())
    return report


def main():
    action, *arguments = sys.argv[1:]
    out = make(arguments[0], int(arguments[1]), arguments[2]) if action == "make" else compare(*arguments)
    print(json.dumps(out))
    return 1 if out.get("wrong") else 0


if __name__ == "__main__":
    sys.exit(main())
