"""Raw rows for the row `train`, from our exported matrix. Not timed; runs with the Python of peer_matrix.

    export.py MATRIX.csv NAMES.json X.f32 LABELS.i32 ROWS    the last ROWS played matches, the columns named
Prints {"rows", "columns"}.
"""

import json
import sys

import numpy
import polars

matrix, names_path, values_path, labels_path, rows = sys.argv[1:6]
with open(names_path, encoding="utf-8") as file:
    names = json.load(file)
table = polars.read_csv(matrix, columns=["label_1", *names], schema_overrides={name: polars.Float32 for name in names})
table = table.filter(polars.col("label_1") >= 0).tail(int(rows))
values = table.select(names).fill_null(float("nan")).to_numpy()
numpy.ascontiguousarray(values, dtype=numpy.float32).tofile(values_path)
table["label_1"].cast(polars.Int32).to_numpy().tofile(labels_path)
print(json.dumps({"rows": len(table), "columns": len(names)}))
