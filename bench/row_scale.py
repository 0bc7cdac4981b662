"""scale: the features of 480,000 simulated matches, against the time that writing so many bytes takes at least, and against
half the history."""

import common
import simulated

NAME, ORDER = "scale", 7
MATCHES, HALF = 480000, 240000
REPEATS = 5
FLOOR, SECONDS, MEMORY, DOUBLING = 10, 5, 1.3, (1.9, 2.2)


def check(program, folders):
    """One thread gives the bytes of two."""
    found = {}
    for matches, folder in folders.items():
        by_threads = [common.last_json(common.measure([program, folder, threads, 1, "all"])) for threads in (1, common.THREADS)]
        if any(one["rows"] != matches for one in by_threads) or by_threads[0]["hash"] != by_threads[1]["hash"]:
            raise common.Failed(f"{matches} matches: {by_threads}")
        found[matches] = by_threads[0]
    return found[MATCHES]["columns"], (f"{HALF:,} and {MATCHES:,} matches of 22 simulated leagues were imported and give a row each, "
                                       "and one thread gives the bytes that two give.")


def whole_build(folder, watch_memory):
    """`features build` with no matrix kept: reads the store, audits a sample for leaks, builds, writes."""
    def run_once():
        for path in (folder / "matrix").glob("*"):
            path.unlink()
        return common.measure([common.BINARY, "features", "build", "--data-dir", folder], watch_memory=watch_memory)
    return run_once


def run(bench):
    program, memcpy_rate, rebuild = (common.build_target(f"bench_{name}") for name in ("build_matrix", "memcpy_rate", "rebuild_matrix"))
    folders = {matches: simulated.store(matches)[0] for matches in (HALF, MATCHES)}
    columns, checked = check(program, folders)
    size_mb = MATCHES * columns * 4 / 1e6
    unaudited = [rebuild, folders[MATCHES], common.THREADS]
    commands = {"memcpy": [memcpy_rate, round(size_mb), common.THREADS, 20],
                **{matches: [program, folder, common.THREADS, REPEATS, "all"] for matches, folder in folders.items()}}
    sides = {str(name): lambda command=command: common.last_json(common.measure(command)) for name, command in commands.items()}
    results = common.alternate(bench.runs, **sides, whole=whole_build(folders[MATCHES], False),
                               unaudited=lambda: common.measure(unaudited))
    results["memory"] = [whole_build(folders[MATCHES], True)()]
    results["unaudited memory"] = [common.measure(unaudited, watch_memory=True)]
    shown = {name: common.shown(command) for name, command in commands.items()}
    shown["unaudited"] = common.shown(unaudited)
    shown["whole"] = common.shown([common.BINARY, "features", "build", "--data-dir", folders[MATCHES]])
    return lines(results, size_mb, checked, shown)


MB = 1.048576  # of the kernel's, which are 2^20 bytes


def memory_lines(results, size_mb, checked, which, what, bounded):
    peak_mb, anonymous_mb = (common.median(results[which], key) * MB for key in ("peak_mb", "anonymous_mb"))
    return [
        common.line(f"peak memory of {what}, mapped files included; beside it: the matrix", f"{peak_mb:.0f} MB", f"{size_mb:.0f} MB",
                    f"{peak_mb / size_mb:.2f} of the matrix", f"<= {MEMORY}" if bounded else "",
                    peak_mb <= MEMORY * size_mb if bounded else None, checked, []),
        common.line("of these, at most so much anonymous memory (not pages of files)", f"{anonymous_mb:.0f} MB", f"{size_mb:.0f} MB",
                    f"{anonymous_mb / size_mb:.2f} of the matrix", "", None, checked, []),
    ]


def lines(results, size_mb, checked, commands):
    def of(name, key):
        return common.median(results[str(name)], key)

    rate = of("memcpy", "bytes_per_s")
    full_ms, half_ms, floor_ms = of(MATCHES, "build_ms"), of(HALF, "build_ms"), size_mb * 1e6 / rate * 1000
    share, doubling, whole_s = full_ms / floor_ms, full_ms / half_ms, of("whole", "wall_s")
    return [
        common.line(f"build in memory, matrix of {size_mb:.0f} MB; beside it: memcpy of as much, 2 threads, {rate / 1e9:.1f} GB/s",
                    f"{full_ms:.0f} ms", f"{floor_ms:.0f} ms", f"{share:.1f} of the floor", f"<= {FLOOR}", share <= FLOOR, checked,
                    [commands[MATCHES], commands["memcpy"]]),
        common.line("the first build of a process, which pays for the pages", f"{of(MATCHES, 'first_ms'):.0f} ms", "", "", "", None,
                    checked, []),
        common.line("whole program with nothing kept: reads the store, audits a sample, builds, writes", f"{whole_s:.2f} s", "", "",
                    f"{SECONDS} s", whole_s < SECONDS, checked, [commands["whole"]]),
        common.line("the same without the audit", f"{of('unaudited', 'wall_s'):.2f} s", "", "", "", None, checked, [commands["unaudited"]]),
        *memory_lines(results, size_mb, checked, "memory", "the whole program", True),
        *memory_lines(results, size_mb, checked, "unaudited memory", "it without the audit", False),
        common.line(f"{MATCHES:,} matches against {HALF:,}", f"{full_ms:.0f} ms", f"{half_ms:.0f} ms (ours)", f"{doubling:.2f}x",
                    f"{DOUBLING[0]} to {DOUBLING[1]}", DOUBLING[0] <= doubling <= DOUBLING[1], checked, [commands[HALF]]),
    ]
