"""online: one team's features as of now over HTTP, against Feast's feature server with its default online store; and in process.

The requests go through all teams that played in the last season of any league, in the same order for both."""

import http.client
import json
import struct
import subprocess
import urllib.parse

import common
import row_join
import row_predict
import servers

NAME, ORDER = "online", 10
CONNECTIONS = (1, 64)
READS, ROUNDS = 200000, 5
WANTED, IN_PROCESS_MS = 20, 1
WARM_SECONDS = 2


def float32(value):
    return None if value is None else struct.unpack("f", struct.pack("f", value))[0]


def feast_command(bench, folder, port, workers):
    """No log of requests, workers that are never restarted, the registry read once an hour: nothing but serving."""
    return [bench.python("peer_feast").parent / "feast", "-c", folder, "serve", "--port", port, "--no-access-log", "--workers", workers,
            "--max-requests", 0, "--registry_ttl_sec", 3600]


def feast(folder, workers):
    def start(bench):
        port = servers.free_port()
        return servers.Server(feast_command(bench, folder, port, workers), port, **row_join.FEAST)
    return start


def body_of(team):
    return {"feature_service": "form_service", "entities": {"team": [int(team)]}}


def route_of(name):
    return "/api/features/online/form?team=" + urllib.parse.quote(name, safe="/")


def prepare(bench):
    """A repository whose online store is filled from the Parquet that ours wrote; what it holds; the requests."""
    folder, _ = row_join.repository(bench, "online", row_join.materialized(bench), "duckdb", 0, "--materialize")
    path = common.WORK / "feast-online.json"
    common.measure(bench.peer("peer_feast", "online.py", folder, bench.store() / "almanac.db", path), **row_join.FEAST)
    recent = common.query(bench.store() / "almanac.db", "SELECT DISTINCT home_id FROM match JOIN (SELECT league AS of, max(season) AS latest "
                          "FROM match GROUP BY league) ON league = of AND season = latest ORDER BY home_id")
    held = json.loads(path.read_text())
    return folder, held, [str(team) for team, in recent if str(team) in held["teams"]]


def ask_ours(connection, name):
    connection.request("GET", route_of(name))
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        raise common.Failed(f"{name}: {response.status} {answer}")
    return answer["features"]


def check(bench, folder, held):
    """Every feature of every team that played: ours over HTTP, Feast's own store, and Feast over HTTP for some."""
    values = 0
    with servers.ours(bench) as server:
        server.wait_for("GET", route_of(next(iter(held["names"].values()))), good=lambda answer: "features" in answer)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        for team, theirs in held["teams"].items():
            mine = ask_ours(connection, held["names"][team])
            values += compare(team, mine, dict(zip(held["features"], theirs)))
        connection.close()
    with feast(folder, 1)(bench) as server:
        server.wait_for("POST", "/get-online-features", body_of(next(iter(held["teams"]))), lambda answer: "results" in answer)
        for team, theirs in list(held["teams"].items())[::20]:
            _, answer = server.ask("POST", "/get-online-features", body_of(team))
            over_http = dict(zip(answer["metadata"]["feature_names"], (one["values"][0] for one in answer["results"])))
            compare(team, {name: over_http[name] for name in held["features"]}, dict(zip(held["features"], theirs)))
    return (f"{len(held['features'])} features of each of the {len(held['teams'])} teams that ever played: {values:,} values of ours over HTTP equal "
            "those of Feast's online store as float32, the others are missing on both sides; every twentieth team over Feast's HTTP too.")


def compare(team, mine, theirs):
    if set(mine) != set(theirs):
        raise common.Failed(f"team {team}: other features: {sorted(set(mine) ^ set(theirs))[:5]}")
    wrong = [name for name in mine if float32(mine[name]) != float32(theirs[name])]
    if wrong:
        raise common.Failed(f"team {team}: {len(wrong)} features differ, {wrong[0]}: {mine[wrong[0]]}, {theirs[wrong[0]]}")
    return sum(value is not None for value in mine.values())


def write_get_script(path, routes):
    """Like row_predict's, for requests without a body."""
    quoted = ",\n".join(f'"{route}"' for route in routes)
    row_predict.write_health_script(path)
    path.write_text(f"local routes = {{{quoted}}}\n"
                    'local made, at = {}, 0\n'
                    'init = function()\n'
                    '  for i, route in ipairs(routes) do\n'
                    '    made[i] = wrk.format("GET", route)\n'
                    '  end\n'
                    'end\n'
                    'request = function()\n'
                    '  at = at % #made + 1\n'
                    '  return made[at]\n'
                    'end\n' + path.read_text())


def load(bench, start, script, ready):
    """One server, both loads, after some warming up with the requests themselves."""
    with start(bench) as server:
        ready(server)
        subprocess.run(["wrk", "-t1", "-c8", f"-d{WARM_SECONDS}s", "-s", str(script), f"http://127.0.0.1:{server.port}"],
                       stdout=subprocess.DEVNULL, check=True)
        return {connections: row_predict.wrk(server, script, connections) for connections in CONNECTIONS}


def run(bench):
    folder, held, teams = prepare(bench)
    checked = check(bench, folder, held)
    get, post = common.WORK / "online-ours.lua", common.WORK / "online-peer.lua"
    write_get_script(get, [route_of(held["names"][team]) for team in teams])
    row_predict.write_script(post, "/get-online-features", [body_of(team) for team in teams])

    def ours_ready(server):
        server.wait_for("GET", route_of(held["names"][teams[0]]), good=lambda answer: "features" in answer)

    def peer_ready(server):
        server.wait_for("POST", "/get-online-features", body_of(teams[0]), lambda answer: "results" in answer)

    in_process = [common.build_target("bench_read_features"), bench.store(), row_join.VIEW, READS, ROUNDS]
    results = common.alternate(
        bench.runs, ours=lambda: load(bench, servers.ours, get, ours_ready), one=lambda: load(bench, feast(folder, 1), post, peer_ready),
        two=lambda: load(bench, feast(folder, 2), post, peer_ready), inside=lambda: common.last_json(common.measure(in_process)))
    commands = [common.shown(servers.our_command(bench, 5050)), "wrk -t1 -c64 -d5s --latency -s build/bench/online-ours.lua http://127.0.0.1:5050",
                common.shown(feast_command(bench, folder, 6566, 2)),
                "wrk -t1 -c64 -d5s --latency -s build/bench/online-peer.lua http://127.0.0.1:6566", common.shown(in_process)]
    return lines(results, len(held["features"]), len(teams), checked, commands)


def lines(results, features, teams, checked, commands):
    def of(side, connections, key):
        return common.median([result[connections] for result in results[side]], key)

    out = []
    for connections in reversed(CONNECTIONS):
        at = f"{connections} connection{'s' if connections > 1 else ''}"
        mine, bounded = of("ours", connections, "rate"), connections == 64
        for side, words in (("two", "two workers"), ("one", "one worker")):
            ratio = mine / of(side, connections, "rate")
            out.append(common.line(f"requests/s of {features} features of one of {teams} teams, {at}, peer with {words}", f"{mine:,.0f}",
                                   f"{of(side, connections, 'rate'):,.0f}", f"{ratio:.0f}x", f"{WANTED}x" if bounded else "",
                                   ratio >= WANTED if bounded else None, checked, commands))
        shown = [f"{of(side, connections, 'p50_ms'):.3f} / {of(side, connections, 'p99_ms'):.3f} ms" for side in ("ours", "two")]
        out.append(common.line(f"latency p50 / p99, {at}, peer with two workers", *shown,
                               f"{of('two', connections, 'p99_ms') / of('ours', connections, 'p99_ms'):.0f}x (p99)", "", None, checked, []))
    for kind, words in (("warm", "in memory"), ("cold", "computed from the live state")):
        p50, p99 = (common.median([result[kind] for result in results["inside"]], key) / 1000 for key in ("p50_us", "p99_us"))
        out.append(common.line(f"in process p50 / p99, {words}", f"{p50:.4f} / {p99:.4f} ms", "", "", f"p99 below {IN_PROCESS_MS} ms",
                               p99 < IN_PROCESS_MS, checked, []))
    return out
