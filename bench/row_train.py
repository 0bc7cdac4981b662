"""train: LightGBM, same rows, same parameters, two threads."""

import array
import json

import common

NAME, ORDER = "train", 3
ROWS, LEARNED, TREES = 60000, 5 / 6, 100  # of fewer rows, the same share


def read_doubles(path):
    values = array.array("d")
    values.frombytes(path.read_bytes())
    return values


def check(ours, peer, rows):
    a, b = read_doubles(ours), read_doubles(peer)
    if len(a) != len(b) or len(a) != 3 * rows:
        raise common.Failed(f"{len(a)} against {len(b)} probabilities")
    worst = max(abs(x - y) for x, y in zip(a, b))
    if worst > 1e-9:
        raise common.Failed(f"the models differ: a probability by {worst}")
    return f"both models give the same {len(a):,} probabilities on {rows:,} rows that neither learned (largest difference {worst:g})."


def run(bench):
    program = common.build_target("bench_train_lightgbm")
    x, y = common.WORK / "x.f32", common.WORK / "y.i32"
    ours_out, peer_out = common.WORK / "ours.f64", common.WORK / "peer.f64"
    names = common.WORK / "names.json"
    names.write_text(json.dumps(bench.feature_names("no_prices")))
    made = common.last_json(common.measure(bench.peer("peer_matrix", "../peer_train/export.py", bench.matrix_csv(), names, x, y, ROWS)))
    learned = int(made["rows"] * LEARNED)
    rest = made["rows"] - learned
    shape = [x, y, made["rows"], made["columns"], learned, common.THREADS]
    parameters = common.our_parameters().replace(f"trees={common.ENGINE['trees']}", f"trees={TREES}")
    ours = [program, *shape, parameters, ours_out]
    peer_parameters = json.dumps({**common.peer_parameters(), "num_iterations": TREES}, separators=(",", ":"))
    peer = bench.peer("peer_train", "train.py", *shape, peer_parameters, peer_out)

    def side(command):
        def run_side():
            measured = common.measure(command)
            return {**common.last_json(measured), **measured}
        return run_side

    results = common.alternate(bench.runs, ours=side(ours), peer=side(peer))
    checked = check(ours_out, peer_out, rest)
    a, b = common.median(results["ours"], "train_ms"), common.median(results["peer"], "train_ms")
    memory, peer_memory = common.median(results["ours"], "peak_mb"), common.median(results["peer"], "peak_mb")
    predict, peer_predict = common.median(results["ours"], "predict_ms"), common.median(results["peer"], "predict_ms")
    commands = [common.shown(ours), common.shown(peer[:-2] + [f"'{peer_parameters}'", peer_out])]
    what = f"time, {learned:,} rows x {made['columns']}, {TREES} rounds x 3 classes"
    return [
        common.line(what, f"{a / 1000:.2f} s", f"{b / 1000:.2f} s", f"{a / b:.2f} of the peer's", "<= 1.05", a / b <= 1.05, checked, commands),
        common.line("peak memory of the process", f"{memory:.0f} MB", f"{peer_memory:.0f} MB", f"{memory / peer_memory:.2f} of the peer's",
                    "<= 0.7", memory / peer_memory <= 0.7, checked, commands),
        common.line(f"predicting {rest:,} rows (ours on one thread)", f"{predict:.0f} ms", f"{peer_predict:.0f} ms",
                    f"{peer_predict / predict:.1f}x", "", None, checked, commands),
    ]
