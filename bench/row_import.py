"""import: a folder of football-data files into SQLite, from nothing."""

import math
import shutil

import common

NAME, ORDER = "import", 1

COUNTS = {
    "matches": "SELECT count(*), sum(home_goals), sum(away_goals), sum(home_shots), sum(away_reds), sum(kickoff_us / 1000000) FROM match",
    "per league": "SELECT league, count(*), sum(season) FROM match GROUP BY league ORDER BY league",
    "teams": "SELECT count(*) FROM team",
    "prices": "SELECT q.market, q.bookmaker, q.label, count(*), sum(p.is_flagged), total(p.price_1), total(p.price_2), "
              "total(p.price_3), total(p.handicap) FROM price p JOIN quote q ON q.id = p.quote_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
}


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
    return a == b


def check(ours, peer):
    """Counts and sums of both databases: matches, leagues, teams, and prices by market, bookmaker and label."""
    for what, sql in COUNTS.items():
        left, right = common.query(ours, sql), common.query(peer, sql)
        if len(left) != len(right):
            raise common.Failed(f"{what}: {len(left)} against {len(right)} rows")
        for a, b in zip(left, right):
            if len(a) != len(b) or not all(same(x, y) for x, y in zip(a, b)):
                raise common.Failed(f"{what} differ: ours {a}, peer {b}")
    matches, = common.query(ours, "SELECT count(*) FROM match")[0]
    prices, = common.query(ours, "SELECT count(*) FROM price")[0]
    return (f"both databases hold {matches:,} matches and {prices:,} sets of prices; goals, shots, cards, kick-offs, seasons, and "
            "the sum of the odds of every market, bookmaker and label are equal.")


def run(bench):
    ours, peer = common.WORK / "import-ours", common.WORK / "import-peer.db"
    our_command = [common.BINARY, "import", "football", bench.data, "--data-dir", ours]
    peer_command = bench.peer("peer_import", "pandas_import.py", bench.data, peer)

    def run_ours():
        shutil.rmtree(ours, ignore_errors=True)
        return common.measure(our_command)

    def run_peer():
        for ending in ("", "-wal", "-shm"):
            peer.with_name(peer.name + ending).unlink(missing_ok=True)
        return common.measure(peer_command)

    run_ours(), run_peer()  # files into the page cache, modules compiled
    checked = check(ours / "almanac.db", peer)
    results = common.alternate(bench.runs, ours=run_ours, peer=run_peer)
    a, b = common.median(results["ours"], "wall_s"), common.median(results["peer"], "wall_s")
    memory, peer_memory = common.median(results["ours"], "peak_mb"), common.median(results["peer"], "peak_mb")
    cpu, peer_cpu = common.median(results["ours"], "cpu_s"), common.median(results["peer"], "cpu_s")
    commands = [common.shown(our_command), common.shown(peer_command)]
    return [
        common.line("time", f"{a:.2f} s", f"{b:.2f} s", f"{b / a:.1f}x", "10x", b / a >= 10, checked, commands),
        common.line("processor time", f"{cpu:.2f} s", f"{peer_cpu:.2f} s", f"{peer_cpu / cpu:.1f}x", "", None, checked, commands),
        common.line("peak memory", f"{memory:.0f} MB", f"{peer_memory:.0f} MB", f"{peer_memory / memory:.1f}x", "200 MB",
                    memory < 200, checked, commands),
    ]
