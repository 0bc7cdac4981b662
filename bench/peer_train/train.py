"""Peer of the row `train`: the `lightgbm` package on the same raw file, with the same parameters.

    train.py X.f32 LABELS.i32 ROWS COLUMNS TRAIN_ROWS THREADS PARAMETERS(JSON) OUT.f64

The rows are mapped, as on our side: float32 in row order goes to the library without a copy. No evaluation while
training (ours does one every ten rounds), raw data freed as soon as it is binned. The clock runs over making the
Dataset and growing the trees. Imports are not timed.
"""

import json
import sys
import time

import lightgbm
import numpy

values_path, labels_path, rows, columns, train_rows, threads, parameters, out_path = sys.argv[1:9]
rows, columns, train_rows, threads = int(rows), int(columns), int(train_rows), int(threads)
x = numpy.memmap(values_path, dtype=numpy.float32, mode="r", shape=(rows, columns))
label = numpy.fromfile(labels_path, dtype=numpy.int32)
options = {"objective": "multiclass", "num_class": 3, "num_threads": threads, "deterministic": True,
           "force_col_wise": True, "verbosity": -1, **json.loads(parameters)}
rounds = options.pop("num_iterations")

begin = time.perf_counter()
data = lightgbm.Dataset(x[:train_rows], label=label[:train_rows].astype(numpy.float32), params=options, free_raw_data=True)
booster = lightgbm.train(options, data, num_boost_round=rounds)
trained = time.perf_counter()
booster.predict(x[train_rows:]).tofile(out_path)
print(json.dumps({"train_ms": round((trained - begin) * 1000, 1),
                  "predict_ms": round((time.perf_counter() - trained) * 1000, 1)}))
