"""What the rows share: where things are, the pythons of the peers, processes with their time and memory, medians.

Only the standard library, and small on purpose: a child's peak memory, as the kernel counts it, is never below that of
the process that started it (the count survives exec), so this process must stay below everything it measures."""

import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
WORK = BUILD / "bench"
BINARY = Path(os.environ.get("ALMANAC_BINARY", BUILD / "almanac"))
THREADS = 2
# Of the model that the rows train, predict and start use; the same for both sides.
ENGINE = {"trees": 200, "learning_rate": 0.03, "leaves": 15, "min_child_samples": 100, "subsample": 0.8, "colsample": 0.5,
          "lambda_l2": 5, "bins": 63}
LEARN_ROWS = 20000


class Failed(Exception):
    pass


def say(text):
    print(f"\n== {text}", flush=True)


def note(text):
    print(f"   {text}", flush=True)


def peer_parameters(threads=THREADS):
    """ENGINE in LightGBM's own words; what is not an option of ours is what learn/lightgbm.c always sets."""
    return {"objective": "multiclass", "num_class": 3, "num_threads": threads, "deterministic": True, "force_col_wise": True,
            "verbosity": -1, "seed": 1, "num_iterations": ENGINE["trees"], "learning_rate": ENGINE["learning_rate"],
            "num_leaves": ENGINE["leaves"], "min_data_in_leaf": ENGINE["min_child_samples"],
            "bagging_fraction": ENGINE["subsample"], "bagging_freq": 1, "feature_fraction": ENGINE["colsample"],
            "lambda_l2": ENGINE["lambda_l2"], "max_bin": ENGINE["bins"], "bin_construct_sample_cnt": 10000}


def our_parameters():
    return ",".join(f"{name}={value}" for name, value in ENGINE.items())


def environment(**more):
    env = {name: value for name, value in os.environ.items()
           if name != "OPENBLAS_CORETYPE" and not name.startswith("ALMANAC_")}
    for name in ("ALMANAC_LIGHTGBM_LIBRARY", "ALMANAC_DUCKDB_LIBRARY"):
        if name in os.environ:
            env[name] = os.environ[name]
    env["ALMANAC_SCHEDULE"] = "false"  # no job that nobody asked for beside what is measured
    threads = str(THREADS)
    env.update(OMP_NUM_THREADS=threads, NUMBA_NUM_THREADS=threads, POLARS_MAX_THREADS=threads,
               NUMBA_CACHE_DIR=str(WORK / "numba"), PYTHONDONTWRITEBYTECODE="", **more)
    return env


def anonymous_mb(pid):
    """Memory of the process that is its own, without the files it maps; 0 once it ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return next((int(text.split()[1]) / 1024 for text in file if text.startswith("RssAnon")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0


class AnonymousPeak:
    """Looks at a process every 2 ms; the kernel keeps a peak of all its memory only."""

    def __init__(self, pid):
        self.pid, self.peak_mb, self.is_over = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.is_over.wait(0.002):
            self.peak_mb = max(self.peak_mb, anonymous_mb(self.pid))

    def stop(self):
        self.is_over.set()
        self.thread.join()
        return self.peak_mb


def measure(command, watch_memory=False, **more):
    """Runs to the end: {"wall_s", "cpu_s", "peak_mb", "out", "err"}, with watch_memory "anonymous_mb" as well (the looking costs
    time); Failed if it does."""
    command = [str(part) for part in command]
    out_path = WORK / "child.out"
    with open(out_path, "wb") as out, open(WORK / "child.err", "wb") as err:
        begin = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment(**more), cwd=ROOT)
        watch = AnonymousPeak(child.pid) if watch_memory else None
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        tail = (WORK / "child.err").read_text(errors="replace")[-1000:] + out_path.read_text(errors="replace")[-1000:]
        raise Failed(f"exit {child.returncode} of {' '.join(command)}\n{tail}")
    return {"wall_s": wall_s, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024,
            "anonymous_mb": watch.stop() if watch else None, "out": out_path.read_text(errors="replace"),
            "err": (WORK / "child.err").read_text(errors="replace")}


def build_target(name):
    """Builds a program of bench/CMakeLists.txt beside the binary."""
    built = subprocess.run(["cmake", "--build", BINARY.parent, "--target", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True)
    if built.returncode != 0:
        raise Failed(built.stdout[-1000:])
    return BINARY.parent / name


def program_hash():
    """What was made by another build of the program is made anew."""
    with open(BINARY, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def warn_if_busy():
    """A bench beside other work measures the other work: OpenMP's threads most of all, which wait for each other."""
    load = os.getloadavg()[0]
    if load > 0.7:
        note(f"WARNING: the load of this machine is {load:.1f}; figures are not worth keeping unless it is idle")


def last_json(measured):
    """The last line of the output that is an object."""
    for text in reversed(measured["out"].splitlines()):
        if text.startswith("{"):
            return json.loads(text)
    raise Failed(f"no JSON in the output: {measured['out'][-500:]}")


def alternate(runs, **sides):
    """{name: function} -> {name: [result]}: each side in turn, so that a slow minute of the machine hits both."""
    results = {name: [] for name in sides}
    for _ in range(runs):
        for name, function in sides.items():
            results[name].append(function())
    return results


def median(results, key):
    return statistics.median(result[key] for result in results)


def line(what, ours, peer, ratio, wanted, met, check, commands):
    """One line of the table; all but `met` (True, False, None: no bound) and `commands` (two texts) are texts."""
    return {"what": what, "ours": ours, "peer": peer, "ratio": ratio, "wanted": wanted, "met": met, "check": check,
            "commands": commands}


def shown(command):
    """A command as the README shows it: without the paths of this machine."""
    text = " ".join(str(part) for part in command)
    text = text.replace(str(BINARY.parent) + "/", "build/").replace(str(ROOT) + "/", "").replace(str(ROOT.parent / "shared"), "../shared")
    return re.sub(r"\S*build/venv-bench/(\w+)/bin/", r"", text)


class Bench:
    """The shared inputs, each made when first asked for."""

    def __init__(self, runs):
        WORK.mkdir(parents=True, exist_ok=True)
        if not BINARY.exists():
            raise SystemExit(f"no {BINARY}: run make bench, or tools/build.sh almanac")
        self.runs = runs
        self.data = self.find_data()
        self.pythons = {}
        self.results = self.load_results()

    def find_data(self):
        given, sample = os.environ.get("DATA"), ROOT.parent / "shared" / "data" / "football"
        if given or sample.is_dir():
            return Path(given or sample).resolve()
        folder = WORK / "simulated"
        if not folder.is_dir():
            measure([BINARY, "simulate", "football", "--leagues", "4", "--seasons", "10", "--seed", "7", "--out", folder])
        return folder

    def load_results(self):
        path = WORK / "results.json"
        return json.loads(path.read_text()) if path.exists() else {"rows": {}}

    def keep(self, name, order, lines):
        self.results["rows"][name] = {
            "order": order, "lines": lines, "date": datetime.date.today().isoformat(), "runs": self.runs, "machine": machine(),
            "data": "football-data, 22 leagues, 1993 to 2024" if "shared" in str(self.data) else self.data.name,
            "load": f"{os.getloadavg()[0]:.1f}",
        }
        (WORK / "results.json").write_text(json.dumps(self.results, indent=1))

    def python(self, peer):
        """The Python of bench/<peer>/requirements.txt, in an environment of its own (build/venv-bench/<peer>)."""
        if peer not in self.pythons:
            made = subprocess.run([ROOT / "tools/venv.sh", f"bench/{peer}"], stdout=subprocess.PIPE, text=True)
            if made.returncode != 0:
                raise Failed(f"cannot make the Python of bench/{peer}")
            self.pythons[peer] = Path(made.stdout.split()[-1])
        return self.pythons[peer]

    def peer(self, peer, script, *arguments):
        return [self.python(peer), ROOT / "bench" / peer / script, *arguments]

    def store(self):
        """A data folder with everything imported, made anew for another program or other data."""
        folder = WORK / "store"
        wanted = f"{self.data} {program_hash()}"
        stamp = folder / "bench-imported"
        if not stamp.exists() or stamp.read_text() != wanted:
            note("importing once for all rows")
            shutil.rmtree(folder, ignore_errors=True)
            measure([BINARY, "import", "football", self.data, "--data-dir", folder])
            stamp.write_text(wanted)
        return folder

    def matrix_csv(self):
        path = self.store() / "feature_matrix_last.csv"
        if not path.exists():
            note("exporting the matrix")
            measure([BINARY, "features", "build", "--csv", "--data-dir", self.store()])
        return path

    def model(self):
        """Trains E0/1x2 in the store if the production model is not the bench's; returns its description."""
        store = self.store()
        files = sorted((store / "models/E0/1x2/lightgbm").glob("*.model"))
        if not files:
            note("training the model of the service")
            measure([BINARY, "train", "--data-dir", store, "--league", "E0", "--target", "1x2", "--features", "no_prices",
                     "--pool", "country", "--last", LEARN_ROWS, "--folds", "0", "--seed", "1",
                     "--parameters", our_parameters()])
            files = sorted((store / "models/E0/1x2/lightgbm").glob("*.model"))
        dump = measure([BINARY, "models", "dump", files[0]])["out"]
        found = [text.strip() for text in dump.splitlines() if text.strip().startswith('{"subject"')]
        if not found:
            raise Failed("models dump shows no description")
        return {**json.loads(found[0]), "names": self.feature_names("no_prices")}

    def feature_names(self, name):
        """The features of a set, in the order of the matrix."""
        out = measure([BINARY, "features", "list", "--set", name, "--format", "json"])["out"]
        return [feature["name"] for feature in json.loads(out)]

    def peer_model(self):
        """The same model for the peer, and what it serves; returns the folder."""
        description, folder = self.model(), WORK / "service"
        stamp = json.dumps(description, sort_keys=True)
        if (folder / "stamp").exists() and (folder / "stamp").read_text() == stamp:
            return folder
        note("training the peer's model on the same rows")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "description.json").write_text(stamp)
        measure(self.peer("peer_matrix", "../peer_serve/export.py", self.store() / "almanac.db", self.matrix_csv(),
                          folder / "description.json", folder))
        measure(self.peer("peer_serve", "make_model.py", folder, json.dumps(peer_parameters(threads=1))))
        (folder / "stamp").write_text(stamp)
        return folder


def query(path, sql):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def machine():
    model = platform.machine()
    for text in Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            model = text.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}"


if sys.version_info < (3, 11):
    raise SystemExit("the bench needs Python 3.11 or newer")
