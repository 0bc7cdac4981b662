"""start: from spawning the process to the first 200, and resident memory after two idle seconds.

Ours starts on the whole store of all leagues; the peer loads one model and the features of one league."""

import statistics
import time

import common
import servers

NAME, ORDER = "start", 5
RUNS = 7


def once(start, bench, request):
    with start(bench) as server:
        health_ms = server.wait_for("GET", "/health")
        predict_ms = server.wait_for("POST", "/predict", request, servers.has_prediction)
        time.sleep(2)
        return {"health_ms": health_ms, "predict_ms": predict_ms, "idle_mb": server.memory_mb()}


def run(bench):
    request = servers.fixtures(bench)[0]
    checked = servers.check_same_model(bench)
    once(servers.ours, bench, request), once(servers.peer, bench, request)
    results = common.alternate(RUNS, ours=lambda: once(servers.ours, bench, request),
                               peer=lambda: once(servers.peer, bench, request))
    commands = [common.shown(servers.our_command(bench, 5050)),
                "BENCH_FOLDER=build/bench/service " + common.shown(servers.peer_command(bench, 5051))]
    lines = []
    for key, what, unit, bound in (("health_ms", f"start to the first answer of GET /health (median of {RUNS})", "ms", 100),
                                   ("predict_ms", "start to the first answer of POST /predict", "ms", 100),
                                   ("idle_mb", "resident memory, idle", "MB", 64)):
        a, b = (statistics.median(result[key] for result in results[side]) for side in ("ours", "peer"))
        lines.append(common.line(what, f"{a:.0f} {unit}", f"{b:.0f} {unit}", f"{b / a:.1f}x", f"{bound} {unit}", a < bound, checked,
                                 commands))
    return lines
