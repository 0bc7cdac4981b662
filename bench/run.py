"""Runs the rows of the bench. A row is one file row_*.py with NAME, ORDER and run(bench) -> list of lines (see
common.line); it checks that both sides did the same before it measures. Adding a row is adding a file."""

import argparse
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import common
import report


def load_rows():
    rows = []
    for path in sorted(Path(__file__).parent.glob("row_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        rows.append(module)
    return sorted(rows, key=lambda row: row.ORDER)


def main():
    rows = load_rows()
    parser = argparse.ArgumentParser(description="measures Almanac beside the usual tools, in one run, correctness first")
    parser.add_argument("rows", nargs="*", help="which: " + " ".join(row.NAME for row in rows) + " (all)")
    parser.add_argument("--runs", type=int, default=3, help="timed runs of each side, in turn")
    options = parser.parse_args()
    unknown = set(options.rows) - {row.NAME for row in rows}
    if unknown:
        parser.error(f"no such row: {' '.join(sorted(unknown))}")

    bench = common.Bench(options.runs)
    failed = []
    common.warn_if_busy()
    for row in rows:
        if options.rows and row.NAME not in options.rows:
            continue
        common.say(f"row {row.NAME}")
        begin = time.monotonic()
        try:
            lines = row.run(bench)
        except (common.Failed, OSError, subprocess.SubprocessError) as error:
            failed.append(row.NAME)
            print(f"FAILED: {error}", file=sys.stderr)
            continue
        bench.keep(row.NAME, row.ORDER, lines)
        for line in lines:
            wanted = f" (wanted {line['wanted']}: {report.VERDICTS[line['met']]})" if line["wanted"] else ""
            print(f"  {line['what']}: ours {line['ours']}, peer {line['peer']}: {line['ratio']}{wanted}")
        print(f"  {time.monotonic() - begin:.0f} s")
    report.write(bench.results)
    if failed:
        sys.exit(f"rows that failed: {' '.join(failed)}; their old figures stay")


if __name__ == "__main__":
    main()
