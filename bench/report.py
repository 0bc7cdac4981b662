"""Renders build/bench/results.json into bench/README.md, between its markers. `python3 bench/report.py` does it again."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "bench" / "README.md"
BEGIN, END = "<!-- results: written by bench/report.py -->", "<!-- end of results -->"
VERDICTS = {True: "met", False: "**missed**", None: "no bound"}


def table(row):
    out = ["| measured | Almanac | peer | ratio | wanted | |", "| --- | --- | --- | --- | --- | --- |"]
    for line in row["lines"]:
        out.append("| " + " | ".join([line["what"], line["ours"], line["peer"], line["ratio"], line["wanted"],
                                      VERDICTS[line["met"]]]) + " |")
    return out


def unique(items):
    return list(dict.fromkeys(items))


def render(results):
    out = []
    rows = dict(sorted(results["rows"].items(), key=lambda item: item[1]["order"]))
    for name, row in rows.items():
        out += [f"### `{name}`", ""]
        out += [f"{row['date']}, {row['machine']}, load {row['load']}; {row['data']}; medians of {row['runs']} runs of "
                "each side in turn.", ""]
        out += table(row) + [""]
        out += [f"Checked first: {check}" for check in unique(line["check"] for line in row["lines"] if line["check"])] + [""]
        commands = unique(command for line in row["lines"] for command in line["commands"])
        out += ["```sh", *commands, "```", ""]
    missed = [f"`{name}`: {line['what']}, {line['ours']} against {line['peer'] or '-'} ({line['ratio']}); wanted {line['wanted']}"
              for name, row in rows.items() for line in row["lines"] if line["met"] is False]
    out += ["### Missed", "", *([f"- {text}" for text in missed] or ["Nothing."]), ""]
    return "\n".join(out)


def write(results):
    text = README.read_text()
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    README.write_text(head + BEGIN + "\n\n" + render(results) + "\n" + END + tail)


if __name__ == "__main__":
    write(json.loads((ROOT / "build" / "bench" / "results.json").read_text()))
