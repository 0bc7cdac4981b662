"""predict: POST /predict over keep-alive connections, measured by wrk; GET /health of the same server as the ceiling.

The requests go through all fixtures of a season by names, as a client of a coming match day would. Ours computes the
features from the state of the trackers; the peer looks them up."""

import json
import re
import subprocess

import common
import servers

NAME, ORDER = "predict", 4
SECONDS, CONNECTIONS = 5, (1, 64)
UNITS_MS = {"us": 0.001, "ms": 1, "s": 1000}


def write_script(path, route, requests):
    bodies = ",\n".join("[==[" + json.dumps(body, ensure_ascii=False) + "]==]" for body in requests)
    path.write_text(
        f"local bodies = {{{bodies}}}\n"
        'local made, at = {}, 0\n'
        'init = function()\n'
        '  for i, body in ipairs(bodies) do\n'
        '    made[i] = wrk.format("POST", "' + route + '", {["Content-Type"] = "application/json"}, body)\n'
        '  end\n'
        'end\n'
        'request = function()\n'
        '  at = at % #made + 1\n'
        '  return made[at]\n'
        'end\n'
        'done = function(summary, latency)\n'
        '  io.write(string.format("BENCH %d %d %d %.1f %.1f\\n", summary.requests, summary.duration, summary.errors.status\n'
        '    + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,\n'
        '    latency:percentile(50), latency:percentile(99)))\n'
        'end\n')


def write_health_script(path):
    path.write_text(
        'done = function(summary, latency)\n'
        '  io.write(string.format("BENCH %d %d %d %.1f %.1f\\n", summary.requests, summary.duration, summary.errors.status\n'
        '    + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,\n'
        '    latency:percentile(50), latency:percentile(99)))\n'
        'end\n')


def wrk(server, script, connections):
    """The script knows the route: all but health.lua make their own requests."""
    route = "/health" if script.stem == "health" else ""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", str(script), f"http://127.0.0.1:{server.port}{route}"]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=common.environment()).stdout
    found = re.search(r"BENCH (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)", out)
    if found is None:
        raise common.Failed(f"cannot read wrk's answer: {out[-500:]}")
    requests, duration_us, errors = (int(found[i]) for i in (1, 2, 3))
    if errors:
        raise common.Failed(f"{errors} of {requests} requests failed ({script.stem})")
    return {"rate": requests / duration_us * 1e6, "p50_ms": float(found[4]) / 1000, "p99_ms": float(found[5]) / 1000}


def check_answers(bench, requests):
    """Every request of the load is answered with probabilities by both; the peer's two routes say the same."""
    for name, start, routes in (("ours", servers.ours, ["/predict"]), ("peer", servers.peer, ["/predict", "/predict-tuned"])):
        with start(bench) as server:
            server.wait_for("POST", "/predict", requests[0], servers.has_prediction)
            for body in requests:
                answers = [server.ask("POST", route, body) for route in routes]
                status, answer = answers[0]
                if status != 200 or not servers.has_prediction(answer) or abs(sum(answer["prediction"].values()) - 1) > 1e-9:
                    raise common.Failed(f"{name}, {body}: {status} {answer}")
                if answers[-1] != answers[0]:
                    raise common.Failed(f"the peer's routes differ: {answers}")
    return f"Every one of the {len(requests)} requests is answered with probabilities that sum to 1 by both."


def load(bench, start, script, requests):
    """One server, both loads, after a second of warming up."""
    with start(bench) as server:
        server.wait_for("POST", "/predict", requests[0], servers.has_prediction)
        subprocess.run(["wrk", "-t1", "-c8", "-d1s", "-s", str(script), f"http://127.0.0.1:{server.port}/health"],
                       stdout=subprocess.DEVNULL, check=True)
        return {connections: wrk(server, script, connections) for connections in CONNECTIONS}


def run(bench):
    requests = servers.fixtures(bench)
    checked = servers.check_same_model(bench) + " " + check_answers(bench, requests)
    predict, tuned, health = (common.WORK / f"{name}.lua" for name in ("predict", "predict-tuned", "health"))
    write_script(predict, "/predict", requests)
    write_script(tuned, "/predict-tuned", requests)
    write_health_script(health)
    sides = {
        "ours": lambda: load(bench, servers.ours, predict, requests),
        "documented": lambda: load(bench, servers.peer, predict, requests),
        "tuned": lambda: load(bench, servers.peer, tuned, requests),
        "tuned2": lambda: load(bench, lambda b: servers.peer(b, 2), tuned, requests),
        "health": lambda: load(bench, servers.ours, health, requests),
    }
    results = common.alternate(bench.runs, **sides)
    commands = [common.shown(servers.our_command(bench, 5050)),
                "BENCH_FOLDER=build/bench/service " + common.shown(servers.peer_command(bench, 5051)),
                f"wrk -t1 -c1 -d{SECONDS}s --latency -s build/bench/predict.lua http://127.0.0.1:5050   # and -c64, predict-tuned.lua"]
    lines = []
    for connections in CONNECTIONS:
        lines += lines_at(connections, results, checked, commands)
    return lines


PEERS = {"documented": "peer as documented", "tuned": "peer tuned", "tuned2": "peer tuned, two workers"}


def lines_at(connections, results, checked, commands):
    def of(side, key):
        return common.median([result[connections] for result in results[side]], key)

    def shown(side):
        return f"{of(side, 'p50_ms'):.3f} / {of(side, 'p99_ms'):.3f} ms"

    at = f"{connections} connection{'s' if connections > 1 else ''}"
    rate, p99, health = of("ours", "rate"), of("ours", "p99_ms"), of("health", "rate")
    lines = []
    for side, words in PEERS.items():
        ratio = rate / of(side, "rate")
        wanted, met = ("", None) if side == "tuned2" else ("20x", ratio >= 20)
        lines.append(common.line(f"requests/s, {at}, {words}", f"{rate:,.0f}", f"{of(side, 'rate'):,.0f}", f"{ratio:.1f}x", wanted, met,
                                 checked, commands))
    bounded = connections == 1
    lines.append(common.line(f"latency p50 / p99, {at}, peer tuned", shown("ours"), shown("tuned"),
                             f"{of('tuned', 'p99_ms') / p99:.1f}x (p99)", "p99 below 2 ms" if bounded else "", p99 < 2 if bounded else None,
                             checked, commands))
    lines.append(common.line(f"ceiling: GET /health of our server, {at}", f"{health:,.0f} requests/s", "",
                             f"predict reaches {rate / health:.0%}", "", None, checked, commands))
    return lines
