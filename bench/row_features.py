"""features: all features of ours over all matches, against the form, head-to-head and table columns in Polars."""

import common

NAME, ORDER = "features", 6
FAMILIES = ["form", "h2h", "table"]
REPEATS = 3
WANTED = 20


def check(bench, parquet):
    command = bench.peer("peer_matrix", "polars_context.py", parquet, "--repeat", 1, "--check", bench.matrix_csv())
    found = common.last_json(common.measure(command))["check"]
    return found["columns"], (f"every feature of the families {', '.join(FAMILIES)} of every match ({found['rows']:,} x {found['columns']}, "
                              f"{found['values']:,} values that are not missing) within 1e-5 of its value, 2e-7 near zero (the worst at "
                              f"{found['worst_share_of_tolerance']:.0%} of that).")


def side(command):
    def run_side():
        measured = common.measure(command)
        return {**common.last_json(measured), **measured}
    return run_side


def run(bench):
    program = common.build_target("bench_build_matrix")
    parquet = common.WORK / "matches.parquet"
    common.measure(bench.peer("peer_matrix", "prepare.py", bench.store() / "almanac.db", parquet))
    columns, checked = check(bench, parquet)

    commands = {"all": [program, bench.store(), common.THREADS, REPEATS, "all"],
                "same": [program, bench.store(), common.THREADS, REPEATS, *FAMILIES],
                "peer": bench.peer("peer_matrix", "polars_context.py", parquet, "--repeat", REPEATS)}
    results = common.alternate(bench.runs, **{name: side(command) for name, command in commands.items()})
    if any(result["columns"] != columns for name in ("same", "peer") for result in results[name]):
        raise common.Failed("the sides did not build the same number of features")
    return lines(results, columns, checked, {name: common.shown(command) for name, command in commands.items()})


def lines(results, columns, checked, commands):
    def of(name, key):
        return common.median(results[name], key)

    peer, out = of("peer", "build_ms"), []
    rows = results["all"][0]["rows"]
    for name, what, wanted in (("all", f"all {results['all'][0]['columns']} features of ours x {rows:,} rows, {columns} of the peer's",
                                WANTED), ("same", f"the same {columns} features", None)):
        ratio = peer / of(name, "build_ms")
        out.append(common.line(what, f"{of(name, 'build_ms'):.0f} ms", f"{peer:.0f} ms", f"{ratio:.1f}x", f"{wanted}x" if wanted else "",
                               ratio >= wanted if wanted else None, checked, [commands[name], commands["peer"]]))
    parts = {part: common.median([result["parts_ms"] for result in results["peer"]], part) for part in results["peer"][0]["parts_ms"]}
    out.append(common.line("of the peer's: " + ", ".join(parts), "", " / ".join(f"{ms:.0f} ms" for ms in parts.values()), "", "", None,
                           checked, []))
    memory, theirs = of("all", "peak_mb"), of("peer", "peak_mb")
    out.append(common.line("peak memory", f"{memory:.0f} MB", f"{theirs:.0f} MB", f"{theirs / memory:.1f}x", "", None, checked, []))
    return out
