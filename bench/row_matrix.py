"""matrix: the features of all matches, from matches in memory. The families that the peer computes as well; the line on
the whole program has all of ours."""

import common

NAME, ORDER = "matrix", 2
FAMILIES = ["elo", "pi", "form", "shots", "discipline", "rest", "calendar", "market"]
REPEATS = 3
STYLES = {"rolling": "build, peer's windows as Polars documents them", "cumulative": "build, peer's windows tuned by hand"}


def check(bench, parquet, style):
    command = bench.peer("peer_matrix", "polars_matrix.py", parquet, "--windows", style, "--repeat", 1, "--check", bench.matrix_csv(),
                         "--families", *FAMILIES)
    found = common.last_json(common.measure(command))["check"]
    return found["columns"], (f"every feature of every match ({found['rows']:,} x {found['columns']}, {found['values']:,} values that "
                              "are not missing) within 1e-5 of its value, 2e-7 near zero (the worst at "
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
    columns, checked = check(bench, parquet, "rolling")
    check(bench, parquet, "cumulative")

    ours = [program, bench.store(), common.THREADS, REPEATS, *FAMILIES]
    whole = [common.BINARY, "features", "build", "--rebuild", "--data-dir", bench.store()]
    peers = {style: bench.peer("peer_matrix", "polars_matrix.py", parquet, "--windows", style, "--repeat", REPEATS) for style in STYLES}
    results = common.alternate(bench.runs, ours=side(ours), **{style: side(command) for style, command in peers.items()},
                               whole=side(whole))
    if any(result["columns"] != columns for name in ("ours", *STYLES) for result in results[name]):
        raise common.Failed("the sides did not build the same number of features")
    return lines(results, checked, {"ours": common.shown(ours), "whole": common.shown(whole),
                                    **{style: common.shown(command) for style, command in peers.items()}})


def lines(results, checked, commands):
    def of(name, key):
        return common.median(results[name], key)

    mine, out = of("ours", "build_ms"), []
    for style, words in STYLES.items():
        ratio = of(style, "build_ms") / mine
        out.append(common.line(f"{words}, {results['ours'][0]['columns']} features", f"{mine:.0f} ms", f"{of(style, 'build_ms'):.0f} ms",
                               f"{ratio:.1f}x", "10x", ratio >= 10, checked, [commands["ours"], commands[style]]))
    seconds, theirs = of("ours", "wall_s"), of("rolling", "wall_s")
    out.append(common.line(f"whole process, {REPEATS} builds (ours reads SQLite in {of('ours', 'load_ms'):.0f} ms, the peer reads Parquet)",
                           f"{seconds:.2f} s", f"{theirs:.2f} s", f"{theirs / seconds:.1f}x", "", None, checked, []))
    memory, theirs = of("ours", "peak_mb"), of("rolling", "peak_mb")
    out.append(common.line("peak memory", f"{memory:.0f} MB", f"{theirs:.0f} MB", f"{theirs / memory:.1f}x", "", None, checked, []))
    out.append(common.line(f"all {results['whole'][0]['columns']} features of ours", f"{of('whole', 'build_ms'):.0f} ms", "", "", "", None,
                           checked, [commands["whole"]]))
    return out
