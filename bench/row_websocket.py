"""websocket: 10,000 WebSocket clients that follow the topic "stats", one event a second to all of them.

The clients are one small program in C (websocket_clients.c). Measured: from the moment the server writes an event ("at")
until the last client has it, in quiet and while wrk asks for predictions as fast as they come; the server's memory; and
the rate of predictions with the clients and, the same minute, without them. Checked: no client is lost, every one has
every event."""

import json
import statistics
import subprocess
import time

import common
import row_predict
import servers

NAME, ORDER = "websocket", 16
CLIENTS, QUIET_S, WANTED_MS, WANTED_MB, WANTED_SHARE = 10000, 6, 250, 120, 0.5
CONNECTIONS = 64


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(text.split()[1]) / 1024 for text in file if text.startswith("VmRSS"))


class Clients:
    """All of them, connected and answered."""

    def __init__(self, program, port, seconds):
        self.process = subprocess.Popen([str(program), str(port), str(CLIENTS), str(seconds)], stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise common.Failed("not all clients could connect")
        self.ready = time.time()

    def result(self):
        out, _ = self.process.communicate(timeout=120)
        if self.process.returncode != 0:
            raise common.Failed("the clients failed")
        result = json.loads(out)
        # the events between "ready" and the end of the program are everybody's; the last one may be cut short
        if result["lost"] or any(event["count"] != CLIENTS for event in result["events"][:-1]):
            raise common.Failed(f"not every client has every event: {result}")
        return result["events"][:-1]


def fixtures(bench):
    """The last season of the league of the model, as a client of a match day asks; no peer is needed for them."""
    rows = common.query(bench.store() / "almanac.db", "SELECT h.name, a.name FROM match m JOIN team h ON h.id = m.home_id "
                        "JOIN team a ON a.id = m.away_id WHERE m.league = 'E0' ORDER BY m.day DESC, m.id LIMIT 380")
    return [{"league": "E0", "home": home, "away": away, "target": "1x2"} for home, away in rows]


def once(bench, program, script, requests):
    with servers.ours(bench) as server:
        server.wait_for("POST", "/predict", requests[0], servers.has_prediction)
        row_predict.wrk(server, script, 8)  # warming up
        free = row_predict.wrk(server, script, CONNECTIONS)
        alone_mb = resident_mb(server.process.pid)
        clients = Clients(program, server.port, QUIET_S + row_predict.SECONDS + 2)
        time.sleep(QUIET_S)
        loaded = row_predict.wrk(server, script, CONNECTIONS)
        memory_mb = resident_mb(server.process.pid)
        events = clients.result()
    last = [event["last_ms"] for event in events]
    quiet, busy = last[:QUIET_S - 1], last[QUIET_S:QUIET_S + row_predict.SECONDS - 1]
    return {"quiet_ms": statistics.median(quiet), "quiet_worst_ms": max(quiet), "busy_ms": statistics.median(busy),
            "busy_worst_ms": max(busy), "bytes": events[0]["bytes"], "mb": memory_mb, "alone_mb": alone_mb, "free": free["rate"],
            "rate": loaded["rate"], "share": loaded["rate"] / free["rate"], "free_p99": free["p99_ms"], "p99": loaded["p99_ms"]}


def run(bench):
    program = common.build_target("bench_websocket_clients")
    bench.model()
    requests = fixtures(bench)
    script = common.WORK / "predict.lua"
    row_predict.write_script(script, "/predict", requests)
    results = common.alternate(bench.runs, ours=lambda: once(bench, program, script, requests))["ours"]

    def of(key):
        return common.median(results, key)

    checked = f"No client is lost and every one of the {CLIENTS:,} has every event; an event has {of('bytes'):.0f} bytes."
    commands = [common.shown(servers.our_command(bench, 5050)),
                f"build/bench_websocket_clients 5050 {CLIENTS} {QUIET_S + row_predict.SECONDS + 2}   # and wrk as in the row predict"]
    return [
        common.line(f"until the last of {CLIENTS:,} clients has an event", f"{of('quiet_ms'):.0f} ms", "",
                    f"slowest event {of('quiet_worst_ms'):.0f} ms", f"within {WANTED_MS} ms", of("quiet_worst_ms") <= WANTED_MS, checked, commands),
        common.line("the same while predictions are asked for as fast as they come", f"{of('busy_ms'):.0f} ms", "",
                    f"slowest event {of('busy_worst_ms'):.0f} ms", f"within {WANTED_MS} ms", of("busy_worst_ms") <= WANTED_MS, checked, commands),
        common.line(f"memory of the server with {CLIENTS:,} clients", f"{of('mb'):.0f} MB", "", f"{of('alone_mb'):.0f} MB without them",
                    f"below {WANTED_MB} MB", of("mb") < WANTED_MB, checked, commands),
        common.line(f"predictions/s with {CLIENTS:,} clients, {CONNECTIONS} connections", f"{of('rate'):,.0f}", "",
                    f"{of('share'):.0%} of {of('free'):,.0f} without them; p99 {of('p99'):.1f} ms, {of('free_p99'):.1f} ms without",
                    f"at least {WANTED_SHARE:.0%}", of("share") >= WANTED_SHARE, checked, commands),
    ]
