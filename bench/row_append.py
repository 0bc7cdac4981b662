"""append: one match day of ten results after 480,000 matches, against building everything again."""

import shutil

import common
import simulated

NAME, ORDER = "append", 8
MATCHES = 480000
WANTED = 10000


def scratch():
    """Where the program writes a matrix to append to: on the same disk, empty."""
    folder = common.WORK / "append-scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def program(bench, folder):
    """One process measures everything, from opening to rebuilding; it compares the bytes first."""
    command = [common.build_target("bench_append_matrix"), folder, common.WORK / "append-scratch", common.THREADS, simulated.DAY]

    def run_once():
        found = common.last_json(common.measure([*command[:2], scratch(), *command[3:]]))
        shutil.rmtree(common.WORK / "append-scratch")
        return found
    return run_once, common.shown(command)


def checked_text(found):
    return (f"the matrix that was extended by {found['new_rows']} matches, as the program keeps it, the appended rows and the appended "
            f"matrix are byte-equal to a build of all {found['rows']:,} x {found['columns']} from the first match.")


def whole(_):
    """The same from outside, as a user would: a file to import, the matrix to bring up to date; durable, two processes."""
    _, imported, extended = simulated.extended(MATCHES)
    return {"import_s": imported["wall_s"], "extend_s": extended["wall_s"]}


def run(bench):
    folder, *_ = simulated.extended(MATCHES)
    once, command = program(bench, folder)
    results = [once() for _ in range(bench.runs)]
    outside = [whole(bench) for _ in range(bench.runs)]
    return lines(results, outside, command)


def lines(results, outside, command):
    def of(key):
        return common.median(results, key)

    checked, build_ms, rebuild_ms = checked_text(results[0]), of("build_ms"), of("rebuild_ms")
    advance_us, append_ms = of("advance_us"), of("append_ms")
    ratio, durable, rows = build_ms * 1000 / advance_us, rebuild_ms / append_ms, results[0]["rows"]
    day_ms = (common.median(outside, "import_s") + common.median(outside, "extend_s")) * 1000
    return [
        common.line(f"computing {simulated.DAY} rows and learning {simulated.DAY} results, in memory; beside it: all {rows:,} rows, in memory",
                    f"{advance_us:.0f} us", f"{build_ms:.0f} ms (ours)", f"{ratio:,.0f}x", f"{WANTED:,}x", ratio >= WANTED, checked,
                    [command]),
        common.line("the same, appended to the matrix file, new head, all synced; beside it: reading the store, building, writing",
                    f"{append_ms:.1f} ms", f"{rebuild_ms:.0f} ms (ours)", f"{durable:,.0f}x", "", None, checked, []),
        common.line("two programs, `import` of a file with the match day and `features build`; beside it: the same rebuild",
                    f"{day_ms:.0f} ms", f"{rebuild_ms:.0f} ms (ours)", f"{rebuild_ms / day_ms:,.0f}x", "", None, checked, []),
    ]
