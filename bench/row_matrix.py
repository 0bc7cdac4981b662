"""matrix: all features of all matches, from matches in memory."""

import common

NAME, ORDER = "matrix", 2


def check(bench, parquet, style):
    command = bench.peer("peer_matrix", "polars_matrix.py", parquet, "--windows", style, "--repeat", 1, "--check", bench.matrix_csv())
    found = common.last_json(common.measure(command))["check"]
    return (f"every feature of every match ({found['rows']:,} x {found['columns']}, {found['values']:,} values that are not missing) "
            f"within 1e-5 of its value, 2e-7 near zero (the worst at {found['worst_share_of_tolerance']:.0%} of that).")


def run(bench):
    parquet = common.WORK / "matches.parquet"
    common.measure(bench.peer("peer_matrix", "prepare.py", bench.store() / "almanac.db", parquet))
    checked = check(bench, parquet, "rolling")
    check(bench, parquet, "cumulative")

    ours = [common.BINARY, "features", "build", "--rebuild", "--data-dir", bench.store()]
    peers = {style: bench.peer("peer_matrix", "polars_matrix.py", parquet, "--windows", style, "--repeat", 3)
             for style in ("rolling", "cumulative")}

    def side(command):
        def run_side():
            measured = common.measure(command)
            return {**common.last_json(measured), **measured}
        return run_side

    results = common.alternate(bench.runs, ours=side(ours), **{style: side(command) for style, command in peers.items()})
    mine = common.median(results["ours"], "build_ms")
    lines = []
    for style, words in (("rolling", "build, peer's windows as Polars documents them"), ("cumulative", "build, peer's windows tuned by hand")):
        theirs = common.median(results[style], "build_ms")
        lines.append(common.line(words, f"{mine:.0f} ms", f"{theirs:.0f} ms", f"{theirs / mine:.1f}x", "10x", theirs / mine >= 10,
                                 checked, [common.shown(ours), common.shown(peers[style])]))
    # ours: read the store and build twice; peer: start Python, read its Parquet, build three times
    whole, peer_whole = common.median(results["ours"], "wall_s"), common.median(results["rolling"], "wall_s")
    memory, peer_memory = common.median(results["ours"], "peak_mb"), common.median(results["rolling"], "peak_mb")
    load = common.median(results["ours"], "load_ms")
    lines.append(common.line(f"whole process (ours reads {load:.0f} ms from SQLite and builds twice; the peer reads Parquet and "
                             "builds three times)", f"{whole:.2f} s", f"{peer_whole:.2f} s", f"{peer_whole / whole:.1f}x", "", None,
                             checked, []))
    lines.append(common.line("peak memory", f"{memory:.0f} MB", f"{peer_memory:.0f} MB", f"{peer_memory / memory:.1f}x", "", None,
                             checked, []))
    return lines
