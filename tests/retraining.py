"""The watch over models in production, measured on simulated leagues: how often it cries wolf where nothing changed, and how
long it takes where something did.

    python tests/retraining.py --seeds 60 --shift none
    python tests/retraining.py --seeds 20 --shift goals

The binary is ALMANAC_BINARY, else build/almanac. A seed takes some ten seconds. test_retraining.py runs a short form."""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHIFT_AT = "2024-11-01"
LEARNED_TO, LOOKED_TO = "2024-06-30", "2025-06-01"
MODELS = [("E0", "1x2"), ("E0", "ou25")]


def run(binary, *arguments):
    done = subprocess.run([str(binary), *map(str, arguments)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{arguments} ended with {done.returncode}:\n{done.stderr}"
    return done.stdout


def world(binary, folder, seed, shift="none", models=MODELS, seasons=6, trees=25):
    """A store with two leagues, and models that have seen everything but the last season."""
    flags = [] if shift == "none" else ["--shift", shift, "--shift-at", SHIFT_AT]
    run(binary, "simulate", "football", "--leagues", 2, "--seasons", seasons, "--seed", seed, "--out", folder / "football",
        *flags)
    data = ["--data-dir", folder / "data"]
    run(binary, "import", "football", folder / "football", *data)
    for league, target in models:
        run(binary, "train", "--league", league, "--target", target, "--to", LEARNED_TO, "--folds", 3,
            "--parameters", f"trees={trees},leaves=7", *data)
    return data


def first_alarms(binary, data, every=7, to=LOOKED_TO, flags=()):
    """Per model: the looks up to the first alarm, and what it said."""
    result = json.loads(run(binary, "drift", "--at", to, "--every", every, "--json", *flags, *data))
    looks = {}
    for look in result["points"] + result["models"]:
        looks.setdefault((look["subject"], look["variant"]), []).append(look)
    return {name: next((look for look in sorted(of, key=lambda look: look["at"]) if look["trigger"]), None)
            for name, of in looks.items()}


def kinds(look):
    found = []
    if (look["share_drifted"] or 0) >= look["share_threshold"]:
        found.append("drift")
    if look["live_loss"]["page_hinkley_at"]:
        found.append("page_hinkley")
    if look["live_loss"]["adwin_cut"]:
        found.append("adwin")
    if look["performance"]["is_alarm"]:
        found.append("score")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--shift", default="none")
    parser.add_argument("--flags", default="")
    parser.add_argument("--keep", default="", help="folder for the worlds; those that are there are used again")
    options = parser.parse_args()
    binary = pathlib.Path(os.environ.get("ALMANAC_BINARY") or ROOT / "build" / "almanac").resolve()
    watched = alarms = early = 0
    by_kind, delays = {}, []
    for seed in range(options.first, options.first + options.seeds):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(options.keep or scratch) / f"{options.shift}-{seed}"
            if (folder / "whole").exists():
                data = ["--data-dir", folder / "data"]
            else:
                folder.mkdir(parents=True)
                data = world(binary, folder, seed, options.shift)
                (folder / "whole").touch()
            for name, look in first_alarms(binary, data, flags=options.flags.split()).items():
                watched += 1
                if look is None:
                    continue
                alarms += 1
                for kind in kinds(look):
                    by_kind[kind] = by_kind.get(kind, 0) + 1
                print(seed, *name, look["at"][:10], look["live_loss"]["count"], *kinds(look), flush=True)
                if look["at"] < SHIFT_AT:
                    early += 1
                else:
                    delays.append(look["at"][:10])
    print(f"{options.shift}: {watched} models watched for a season, {alarms} with an alarm, {early} of them before {SHIFT_AT}; "
          f"by kind {by_kind}; dates {sorted(delays)}", flush=True)


if __name__ == "__main__":
    main()
