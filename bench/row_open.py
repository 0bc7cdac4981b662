"""open: the matrix of 480,000 matches as the program keeps it, opened again, against building it again."""

import common
import row_append
import simulated

NAME, ORDER = "open", 9
WANTED = 200


def run(bench):
    folder, *_ = simulated.extended(row_append.MATCHES)
    once, command = row_append.program(bench, folder)
    results = [once() for _ in range(bench.runs)]

    def of(key):
        return common.median(results, key)

    checked, rebuild_ms, build_ms = row_append.checked_text(results[0]), of("rebuild_ms"), of("build_ms")
    asked = of("present_us")
    out = [common.line("asking the store what the matrix of its data is, opening that, reading its first and last value; beside it: reading "
                       "the store, building, writing", f"{asked / 1000:.2f} ms", f"{rebuild_ms:.0f} ms (ours)",
                       f"{rebuild_ms * 1000 / asked:,.0f}x", f"{WANTED}x", rebuild_ms * 1000 / asked >= WANTED, checked, [command])]
    out.append(common.line("beside it: only building, in memory", f"{asked / 1000:.2f} ms", f"{build_ms:.0f} ms (ours)",
                           f"{build_ms * 1000 / asked:,.0f}x", "", None, checked, []))
    out.append(common.line("opening the file by its key alone", f"{of('open_us') / 1000:.2f} ms", f"{rebuild_ms:.0f} ms (ours)",
                           f"{rebuild_ms * 1000 / of('open_us'):,.0f}x", "", None, checked, []))
    return out
