"""What the peer of the rows `predict` and `start` knows, from our store and exported matrix. Not timed; runs with the
Python of peer_matrix.

    export.py DATABASE MATRIX.csv DESCRIPTION.json FOLDER

FOLDER gets the rows that our model learned from (x.f32, y.i32), and for the matches of its holdout the feature vectors
(vectors.f32) with their ids and names (fixtures.json): the peer looks features up, ours computes them.
"""

import json
import sqlite3
import sys

import numpy
import polars

database, matrix, description_path, folder = sys.argv[1:5]
with open(description_path, encoding="utf-8") as file:
    description = json.load(file)
learned, league = description["learned"], description["options"]["league"]
names = description["names"]
table = polars.read_csv(matrix, columns=["id", "start", "league", "label_1", *names],
                        schema_overrides={name: polars.Float32 for name in names})


def write_values(rows, name):
    values = rows.select(names).fill_null(float("nan")).to_numpy()
    numpy.ascontiguousarray(values, dtype=numpy.float32).tofile(f"{folder}/{name}")


country = ["E0", "E1", "E2", "E3", "EC"]  # the pool of the model's training
pool = table.filter(polars.col("league").is_in(country) & (polars.col("label_1") >= 0) & (polars.col("start") <= learned["to"]))
pool = pool.tail(learned["rows"])
assert len(pool) == learned["rows"] and pool["start"][0] == learned["from"], "not the rows that the model learned from"
write_values(pool, "x.f32")
pool["label_1"].cast(polars.Int32).to_numpy().tofile(f"{folder}/y.i32")

held = table.filter((polars.col("league") == league) & (polars.col("start") >= description["holdout"]["from"])
                    & (polars.col("label_1") >= 0))
write_values(held, "vectors.f32")
connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
teams = {id: (home, away) for id, home, away in connection.execute(
    "SELECT m.id, h.name, a.name FROM match m JOIN team h ON h.id = m.home_id JOIN team a ON a.id = m.away_id "
    "WHERE m.league = ?", [league])}
fixtures = [{"id": id, "league": league, "home": teams[id][0], "away": teams[id][1]} for id in held["id"]]
with open(f"{folder}/fixtures.json", "w", encoding="utf-8") as file:
    json.dump({"columns": len(names), "learned": len(pool), "fixtures": fixtures}, file)
print(json.dumps({"columns": len(names), "learned": len(pool), "fixtures": len(fixtures)}))
